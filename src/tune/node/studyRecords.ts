/**
 * The lines of a study's journal: each is one operation of a storage, with its time and its writer. Read fileStorage.ts for
 * what is done with them.
 */
import { z } from "zod";
import { FormatError, GradusError, ValueError } from "../../core/errors.js";
import { Space, type SpaceJson } from "../space/space.js";
import type { JournalLine } from "./journal.js";

const text = z.string().max(2 ** 16);
const name = z.string().min(1).max(1000);
const count = z.number().min(0).max(1e9);
const time = z.number().min(0).max(1e16);
const parameters = z.record(name, z.union([z.number(), text, z.boolean(), z.null()]));
const settings = z.looseObject({ kind: name });
const claim = { number: z.int().min(0).max(1e9), attempt: z.int().min(1).max(1e9) };
/** When it was written, and by whom: no two lines have the same word. */
const signature = { time, by: z.string().min(1).max(100) };

/** Checked as a space is checked anywhere. */
const space = z.record(name, z.unknown()).transform((json, context): SpaceJson => {
  try {
    return new Space(json as SpaceJson).toJSON();
  } catch (error) {
    if (!(error instanceof GradusError)) throw error;
    context.addIssue({ code: "custom", message: error.message });
    return z.NEVER;
  }
});

const definition = z.strictObject({
  name: text,
  direction: z.enum(["minimize", "maximize"]),
  space,
  sampler: settings,
  pruner: settings,
  first: z.array(parameters).readonly().exactOptional(),
  created: time,
});

const ending = z.discriminatedUnion("state", [
  z.strictObject({ state: z.literal("complete"), value: z.number() }),
  z.strictObject({
    state: z.literal("pruned"),
    value: z.number().exactOptional(),
    error: text.exactOptional(),
  }),
  z.strictObject({ state: z.literal("failed"), error: text }),
]);

const schema = z.discriminatedUnion("op", [
  z.strictObject({
    op: z.literal("open"),
    format: z.literal("gradus-study"),
    version: z.literal(1),
    definition,
    ...signature,
  }),
  z.strictObject({ op: z.literal("enqueue"), parameters, ...signature }),
  z.strictObject({
    op: z.literal("claim"),
    worker: text,
    limits: z.strictObject({ trials: count.exactOptional(), sampled: count.exactOptional() }),
    ...signature,
  }),
  z.strictObject({ op: z.literal("decide"), ...claim, parameters, ...signature }),
  z.strictObject({
    op: z.literal("report"),
    ...claim,
    step: z.number(),
    value: z.number(),
    ...signature,
  }),
  z.strictObject({ op: z.literal("heartbeat"), ...claim, ...signature }),
  z.strictObject({
    op: z.literal("annotate"),
    ...claim,
    attributes: z.record(name, z.union([z.number(), text, z.boolean()])),
    ...signature,
  }),
  z.strictObject({ op: z.literal("tell"), ...claim, ending, ...signature }),
  z.strictObject({
    op: z.literal("release"),
    ...claim,
    died: z.boolean().exactOptional(),
    ...signature,
  }),
  z.strictObject({
    op: z.literal("requeue"),
    before: time,
    attempts: count.exactOptional(),
    ...signature,
  }),
]);

/** One line of a study's journal. */
export type StudyRecord = z.infer<typeof schema>;

type Unsigned<T> = T extends unknown ? Omit<T, keyof typeof signature> : never;
/** An operation before it is dated and signed. */
export type StudyOperation = Unsigned<StudyRecord>;

const firstIssue = ({ issues: [issue] }: z.ZodError): string =>
  `${issue?.path.join(".") || "the line"}: ${issue?.message}`;

/**
 * Writes an operation as a line.
 *
 * @throws ValueError for what nobody could read again, such as NaN.
 */
export function encodeRecord(record: StudyRecord): string {
  const { success, error } = schema.safeParse(record);
  if (!success) throw new ValueError(record.op, firstIssue(error));
  return JSON.stringify(record);
}

/**
 * Reads a line.
 *
 * @returns undefined for half a line, as a killed process leaves it, perhaps with the next one glued to it.
 * @throws FormatError that names the file, the line and what is wrong with it.
 */
export function parseRecord(line: JournalLine, path: string): StudyRecord | undefined {
  const where = `${path}: line ${line.number}`;
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch {
    if (line.text.startsWith('{"')) return undefined;
    throw new FormatError("study", `${where} is not JSON; expected the journal of a study`);
  }
  const { success, data, error } = schema.safeParse(value);
  if (!success) throw new FormatError("study", `${where}: ${firstIssue(error)}`);
  return data;
}
