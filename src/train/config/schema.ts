/**
 * The schema of a configuration, from the tables of what can be named. problems.ts says what is wrong with one that does not
 * fit; resolve.ts goes from what was written to what is run.
 */
import * as z from "zod";
import { type Chosen, chosenSchema } from "./choices.js";
import { losses } from "./losses.js";
import { metricCommon, metrics } from "./metrics.js";
import { models } from "./models.js";
import { optimizerCommon, optimizers } from "./optimizers.js";
import { schedules, stepCommon, stepSchedules } from "./schedules.js";
import { dataCommon, sources } from "./sources.js";
import { type TrainSettings, trainShape } from "./training.js";
import { type TransferSettings, transferShape } from "./transfer.js";

const custom = (what: string) => ({
  summary: `${what}, in a TypeScript file only`,
  shape: {},
});

/** Options of a user's own function: whatever it understands. */
const ownModel = z
  .looseObject({ name: z.literal("custom") })
  .meta({ description: custom("a model made by a function `build`").summary });

const stepNames = new Set(Object.keys(stepSchedules));
const schedulesWithWarmup = Object.fromEntries(
  Object.entries(schedules).map(([name, { summary, shape }]) => [
    name,
    { summary, shape: stepNames.has(name) ? { ...shape, ...stepCommon } : shape },
  ]),
);

const members = (schema: z.ZodType<Chosen>) =>
  (schema as unknown as z.ZodDiscriminatedUnion<[z.ZodObject]>).options;

/** The schema after shorthand is written out: every choice is an object with a `name`. */
export const configSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\p{L}\p{N}_][\p{L}\p{N}._-]{0,79}$/u, "letters, digits, - _ . and at most 80 of them")
    .exactOptional()
    .describe("what runs are called, before date and number; default the file's name"),
  model: z
    .discriminatedUnion("name", [...members(chosenSchema(models)), ownModel] as unknown as [
      z.ZodObject<{ name: z.ZodLiteral<string> }>,
    ])
    .describe("what learns"),
  data: chosenSchema(sources, dataCommon).describe("what it learns from"),
  loss: chosenSchema({ ...losses, custom: custom("a function") })
    .exactOptional()
    .describe("what is made small; default crossEntropy for classes, mse for numbers"),
  optim: chosenSchema(optimizers, optimizerCommon)
    .prefault({ name: "adam" })
    .describe("how parameters follow from gradients"),
  schedule: chosenSchema(schedulesWithWarmup)
    .prefault({ name: "constant" })
    .describe("the course of the learning rate"),
  train: z.strictObject(trainShape).prefault({}).describe("how long, in what steps"),
  transfer: z
    .strictObject(transferShape)
    .exactOptional()
    .describe("weights to begin with, and what of them is trained"),
  metrics: z
    .array(chosenSchema({ ...metrics, custom: custom("a function") }, metricCommon))
    .max(100)
    .exactOptional()
    .describe("what is measured besides the loss; default accuracy for classes"),
});

type DataSettings = z.output<z.ZodObject<typeof dataCommon>>;

/** A configuration as it is run: plain JSON with every default written out. */
export interface ResolvedConfig {
  readonly name?: string;
  readonly model: Chosen;
  readonly data: Chosen & DataSettings & { readonly augment: false | readonly Chosen[] };
  readonly loss?: Chosen;
  readonly optim: Chosen & { readonly lr: number; readonly weightDecay: number };
  readonly schedule: Chosen;
  readonly train: TrainSettings;
  readonly transfer?: TransferSettings;
  readonly metrics?: readonly Chosen[];
}

/** A JSON Schema, as far as it is walked here. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minItems?: number;
  readonly [key: string]: unknown;
}

let strict: JsonSchema | undefined;

/** The schema as JSON Schema, before shorthand is allowed. */
export function strictJsonSchema(): JsonSchema {
  strict ??= z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  return strict;
}
