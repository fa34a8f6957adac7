/**
 * What one parameter may be: a range on a linear or logarithmic scale, a grid, or a choice. A distribution is plain JSON, so that a
 * study's file and a YAML file can hold it. Read scale.ts for how numbers are drawn from it, space.ts for many together.
 */
import { z } from "zod";
import { ValueError } from "../../core/errors.js";
import { reasons } from "../options.js";
import type { ParameterValue } from "../types.js";

/** Any number from `low` to `high`, each equally likely; `logUniform` spreads its logarithm evenly instead. */
export interface RangeDistribution {
  readonly kind: "uniform" | "logUniform";
  readonly low: number;
  readonly high: number;
}

/** The whole numbers `low`, `low + step` … `high`. */
export interface IntegerDistribution {
  readonly kind: "integer";
  readonly low: number;
  readonly high: number;
  readonly step: number;
}

/** The whole numbers from `low` to `high`, spread evenly by their logarithm. */
export interface LogIntegerDistribution {
  readonly kind: "logInteger";
  readonly low: number;
  readonly high: number;
}

/** `count` numbers from `low` to `high` at equal distances, or (`logGrid`) in equal ratios. */
export interface GridDistribution {
  readonly kind: "linearGrid" | "logGrid";
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** One of several values, in no order. */
export interface ChoiceDistribution {
  readonly kind: "choice";
  readonly values: readonly ParameterValue[];
}

export type NumericDistribution =
  | RangeDistribution
  | IntegerDistribution
  | LogIntegerDistribution
  | GridDistribution;

/** What one parameter may be, as plain JSON. */
export type Distribution = NumericDistribution | ChoiceDistribution;

/** Of a grid or a choice, so that a file from elsewhere cannot fill the memory. */
export const mostValues = 100_000;

const wrong = (message: string) => ({ error: message });
const rises = ({ low, high }: { low: number; high: number }) => low < high;
const notRising = wrong("low must be less than high");
const isPositive = ({ low }: { low: number }) => low > 0;
const notPositive = wrong("a logarithmic scale needs low > 0");
const bounds = { low: z.number(), high: z.number() };
const wholeBounds = { low: z.int(), high: z.int() };
const pointCount = { count: z.int().min(2).max(mostValues) };

/** The form in files; also what the functions below are checked by. */
export const distributionSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("uniform"), ...bounds }).refine(rises, notRising),
  z
    .strictObject({ kind: z.literal("logUniform"), ...bounds })
    .refine(rises, notRising)
    .refine(isPositive, notPositive),
  z
    .strictObject({
      kind: z.literal("integer"),
      ...wholeBounds,
      step: z.int().positive().default(1),
    })
    .refine(rises, notRising)
    .refine(({ low, high, step }) => (high - low) % step === 0, {
      error: "high must be low plus a multiple of step",
    }),
  z
    .strictObject({ kind: z.literal("logInteger"), ...wholeBounds })
    .refine(rises, notRising)
    .refine(isPositive, notPositive),
  z
    .strictObject({ kind: z.literal("linearGrid"), ...bounds, ...pointCount })
    .refine(rises, notRising),
  z
    .strictObject({ kind: z.literal("logGrid"), ...bounds, ...pointCount })
    .refine(rises, notRising)
    .refine(isPositive, notPositive),
  z
    .strictObject({
      kind: z.literal("choice"),
      values: z
        .array(z.union([z.number(), z.string(), z.boolean(), z.null()]))
        .min(1)
        .max(mostValues),
    })
    .refine(({ values }) => new Set(values).size === values.length, {
      error: "values must differ from one another",
    }),
]);

/** Checks a distribution from a file or a caller. */
export function parseDistribution(op: string, value: unknown): Distribution {
  const { success, data, error } = distributionSchema.safeParse(value);
  if (success) return data;
  throw new ValueError(op, `${reasons(error)}; got ${abbreviate(value)}`);
}

/** JSON of at most 80 characters. */
export function abbreviate(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** A distribution that remembers in the type what its values are. */
export type Parameter<V = unknown> = Distribution & {
  readonly when?: readonly Condition[];
  /** Never there: only for the type checker. @internal */
  readonly valueType?: V;
};

/** A parameter exists only where another one has one of these values. */
export interface Condition {
  readonly parameter: string;
  readonly is: readonly ParameterValue[];
}

const numeric = (op: string, value: NumericDistribution): Parameter<number> =>
  parseDistribution(op, value) as Parameter<number>;

/**
 * Any number from `low` to `high`, each equally likely.
 *
 * @throws ValueError unless low < high, both finite.
 * @example
 * ```ts
 * import { uniform } from "gradus/tune";
 * console.log(uniform(0, 0.5)); // → { kind: 'uniform', low: 0, high: 0.5 }
 * ```
 */
export const uniform = (low: number, high: number): Parameter<number> =>
  numeric("uniform", { kind: "uniform", low, high });

/**
 * Any number from `low` to `high`, its logarithm spread evenly: right for a learning rate or a weight decay, of which the order
 * of magnitude matters.
 *
 * @throws ValueError unless 0 < low < high.
 * @example
 * ```ts
 * import { logUniform, Space } from "gradus/tune";
 * const space = Space.of({ lr: logUniform(1e-5, 1e-1) });
 * console.log(space.fromUnit({ lr: 0.5 }).lr.toFixed(6)); // → 0.001000
 * ```
 */
export const logUniform = (low: number, high: number): Parameter<number> =>
  numeric("logUniform", { kind: "logUniform", low, high });

/**
 * A whole number from `low` to `high`, both included, in steps of `step` (default 1).
 *
 * @throws ValueError unless low < high are whole and high is low plus a multiple of the step.
 * @example
 * ```ts
 * import { integer, Space } from "gradus/tune";
 * console.log([...new Space({ width: integer(16, 64, { step: 16 }) }).grid()].length); // → 4
 * ```
 */
export const integer = (
  low: number,
  high: number,
  { step = 1 }: { readonly step?: number } = {},
): Parameter<number> => numeric("integer", { kind: "integer", low, high, step });

/**
 * A whole number from `low` to `high`, its logarithm spread evenly: right for widths and batch sizes.
 *
 * @throws ValueError unless 0 < low < high are whole.
 * @example
 * ```ts
 * import { logInteger, Space } from "gradus/tune";
 * console.log(new Space({ width: logInteger(1, 1000) }).fromUnit({ width: 0.5 }).width); // → 22
 * ```
 */
export const logInteger = (low: number, high: number): Parameter<number> =>
  numeric("logInteger", { kind: "logInteger", low, high });

/**
 * `count` numbers from `low` to `high` at equal distances.
 *
 * @throws ValueError unless low < high and count ≥ 2.
 * @example
 * ```ts
 * import { linearGrid, Space } from "gradus/tune";
 * const grid = new Space({ dropout: linearGrid(0, 0.5, 3) }).grid();
 * console.log(grid.map(({ dropout }) => dropout)); // → [ 0, 0.25, 0.5 ]
 * ```
 */
export const linearGrid = (low: number, high: number, count: number): Parameter<number> =>
  numeric("linearGrid", { kind: "linearGrid", low, high, count });

/**
 * `count` numbers from `low` to `high`, each the same multiple of the one before: a linear grid of logarithms.
 *
 * @throws ValueError unless 0 < low < high and count ≥ 2.
 * @example
 * ```ts
 * import { logGrid, Space } from "gradus/tune";
 * const grid = new Space({ lr: logGrid(1e-4, 1e-1, 4) }).grid();
 * console.log(grid.map(({ lr }) => lr)); // → [ 0.0001, 0.001, 0.01, 0.1 ]
 * ```
 */
export const logGrid = (low: number, high: number, count: number): Parameter<number> =>
  numeric("logGrid", { kind: "logGrid", low, high, count });

/**
 * One of several values, in no order.
 *
 * @throws ValueError for no values, or the same one twice.
 * @example
 * ```ts
 * import { choice } from "gradus/tune";
 * console.log(choice(["sgd", "adam"]).kind); // → choice
 * ```
 */
export const choice = <const V extends ParameterValue>(values: readonly V[]): Parameter<V> =>
  parseDistribution("choice", { kind: "choice", values }) as Parameter<V>;
