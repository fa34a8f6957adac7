/** Checks the options of samplers and pruners, which come from callers and from files alike. */
import { z } from "zod";
import { ValueError } from "../core/errors.js";

/** The reasons of a refusal, in one line. */
export function reasons(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length > 0 ? `${path.join(".")}: ${message}` : message))
    .join("; ");
}

/** The options with defaults filled in. */
export function parseOptions<S extends z.ZodType>(
  op: string,
  schema: S,
  value: unknown,
): z.output<S> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw new ValueError(op, reasons(error));
}

/** A seed of random choices: a whole number from 0 to 2⁵³ − 1. */
export const seedOption = z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(0);

export const positiveWhole = z.int().min(1);

/** `kind` and the other options of a sampler or pruner that a file names. */
const namedSchema = z.looseObject({ kind: z.string() });

/** Makes what settings name, out of a table of makers. */
export function makeNamed<T>(
  op: string,
  makers: Readonly<Record<string, (options: never) => T>>,
  settings: unknown,
): T {
  const { kind, ...options } = parseOptions(op, namedSchema, settings);
  const make = Object.hasOwn(makers, kind) ? makers[kind] : undefined;
  if (make) return make(options as never);
  throw new ValueError(op, `no kind "${kind}"; there are ${Object.keys(makers).join(", ")}`);
}
