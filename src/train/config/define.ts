/** What a configuration in TypeScript may say, with types for every choice; YAML may say the same but for functions. */
import type * as z from "zod";
import type { Metric } from "../metrics/index.js";
import type { Loss } from "../steps.js";
import type { augmentations } from "./augmentations.js";
import type { Named } from "./choices.js";
import type { losses } from "./losses.js";
import type { metricCommon, metrics } from "./metrics.js";
import type { models } from "./models.js";
import type { optimizerCommon, optimizers } from "./optimizers.js";
import type { LoadFunction, ModelFunction } from "./resolve.js";
import type { schedules, stepCommon } from "./schedules.js";
import type { dataCommon, sources } from "./sources.js";
import type { trainShape } from "./training.js";
import type { transferShape } from "./transfer.js";

type Input<S extends z.ZodRawShape> = Readonly<z.input<z.ZodObject<S>>>;

/** A model of the user's own; the other keys are options that it gets, and that may be changed from outside. */
export interface CustomModel {
  readonly build: ModelFunction;
  readonly [option: string]: unknown;
}

type DataOptions = Omit<Input<typeof dataCommon>, "augment"> & {
  readonly augment?: false | readonly Named<typeof augmentations>[];
};

/** Loaders of the user's own. */
export interface CustomLoaders extends Pick<DataOptions, "limit"> {
  readonly load: LoadFunction;
  readonly augment?: false;
}

/** A folder or file whose kind is told from what lies there. */
type DataPath = DataOptions & { readonly path: string };

/** Everything that a configuration can say. docs/configuration.md explains each key. */
export interface RunDefinition {
  readonly name?: string;
  readonly model: Named<typeof models> | ModelFunction | CustomModel;
  /** A name, a path, or either with options; or a function that gives loaders. */
  readonly data:
    | Named<Omit<typeof sources, "custom">, DataOptions>
    | DataPath
    | (string & {})
    | LoadFunction
    | CustomLoaders;
  readonly loss?: Named<typeof losses> | Loss;
  readonly optim?: Named<typeof optimizers, Input<typeof optimizerCommon>>;
  readonly schedule?: Named<typeof schedules, Input<typeof stepCommon>>;
  readonly train?: Input<typeof trainShape>;
  readonly transfer?: Input<typeof transferShape>;
  readonly metrics?:
    | readonly Named<typeof metrics, Input<typeof metricCommon>>[]
    | Readonly<Record<string, Metric | Named<typeof metrics>>>;
}

/**
 * A configuration in a TypeScript file, checked by the compiler as it is written: `export default defineRun({ … })`.
 *
 * @example
 * ```ts
 * import { nn } from "gradus";
 * import { defineRun } from "gradus/train";
 * const run = defineRun({
 *   model: ({ outputs }) => new nn.Sequential(new nn.Flatten(), new nn.Linear(784, outputs)),
 *   data: "digits",
 *   optim: { name: "adamw", lr: 1e-3 },
 *   train: { epochs: 2 },
 * });
 * console.log(typeof run.model); // → function
 * ```
 */
export const defineRun = (definition: RunDefinition): RunDefinition => definition;
