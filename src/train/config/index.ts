/** Contents: configurations of runs, in types for TypeScript files, checked, and built into experiments. Read schema.ts first. */
export { maxShift } from "./augmentations.js";
export {
  type BuildOptions,
  type BuiltExperiment,
  buildExperiment,
  type DataSummary,
} from "./build.js";
export type { Chosen } from "./choices.js";
export type { Examples, Normalization, Pair } from "./data.js";
export { type CustomLoaders, type CustomModel, defineRun, type RunDefinition } from "./define.js";
export { configJsonSchema } from "./jsonSchema.js";
export { ConfigError, type ConfigProblem } from "./problems.js";
export {
  type CustomData,
  type CustomModelInfo,
  type CustomParts,
  type LoadFunction,
  type LoadInfo,
  type ModelFunction,
  type Resolved,
  type ResolveOptions,
  resolveConfig,
} from "./resolve.js";
export type { JsonSchema, ResolvedConfig } from "./schema.js";
export type { TrainSettings } from "./training.js";
export type { Transferred, TransferSettings } from "./transfer.js";
