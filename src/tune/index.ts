/** The search room: spaces, samplers, pruners, studies. Works in a browser too; node/index.ts keeps studies in files. */
export * from "./draw/index.js";
export { LostTrialError, PrunedError, StudyError } from "./errors.js";
export {
  type Importance,
  type ParameterImportanceOptions,
  parameterImportances,
} from "./importance/fanova.js";
export { InMemoryStorage, type MemoryStorageOptions } from "./memoryStorage.js";
export type { Objective, OptimizeOptions } from "./optimize.js";
export {
  HyperbandPruner,
  type HyperbandPrunerOptions,
  SuccessiveHalvingPruner,
  type SuccessiveHalvingPrunerOptions,
} from "./pruners/halving.js";
export { makePruner, type PrunerName, prunerNames } from "./pruners/make.js";
export { PatientPruner, type PatientPrunerOptions } from "./pruners/patient.js";
export {
  MedianPruner,
  type MedianPrunerOptions,
  PercentilePruner,
  type PercentilePrunerOptions,
} from "./pruners/percentile.js";
export { NoPruner, type Pruner, type PrunerContext } from "./pruners/pruner.js";
export { CoarseToFineSampler, type CoarseToFineSamplerOptions } from "./samplers/coarseToFine.js";
export { GridSampler, type GridSamplerOptions } from "./samplers/grid.js";
export { makeSampler, type SamplerName, samplerNames } from "./samplers/make.js";
export { QuasiRandomSampler, type QuasiRandomSamplerOptions } from "./samplers/quasiRandom.js";
export { RandomSampler, type RandomSamplerOptions } from "./samplers/random.js";
export { rank as rankTrials } from "./samplers/ranking.js";
export type { Sampler, SamplerContext } from "./samplers/sampler.js";
export { TPESampler, type TPESamplerOptions } from "./samplers/tpe.js";
export {
  type ChoiceDistribution,
  type Condition,
  choice,
  type Distribution,
  type GridDistribution,
  type IntegerDistribution,
  integer,
  type LogIntegerDistribution,
  linearGrid,
  logGrid,
  logInteger,
  logUniform,
  type NumericDistribution,
  type Parameter,
  type RangeDistribution,
  uniform,
} from "./space/distribution.js";
export { type Edge, edgesOf } from "./space/edges.js";
export { bestTrials, type NarrowOptions, narrow } from "./space/narrow.js";
export {
  contains,
  gridValues,
  isNumeric,
  type Scale,
  scaleOf,
  unitOf,
  valueAt,
} from "./space/scale.js";
export {
  type GridOptions,
  Space,
  type SpaceJson,
  type SpaceParameter,
  type SpaceTree,
  type ValuesOf,
  when,
} from "./space/space.js";
export type * from "./storage.js";
export {
  bestOf,
  createStudy,
  loadStudy,
  type ParametersOf,
  Study,
  type StudyMember,
  type StudyOptions,
} from "./study.js";
export {
  type DistributionShorthand,
  defineSweep,
  type SweepDefinition,
  type SweepSpace,
  type SweepStage,
  type WhenShorthand,
} from "./sweepDefinition.js";
export { Trial } from "./trial.js";
export type * from "./types.js";
