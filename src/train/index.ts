/**
 * The training room: the loop with its events and checkpoints, metrics, schedules, recipes, and pictures of a run. Works in
 * a browser too; node/index.ts keeps runs in folders.
 */
export { type ShiftOptions, shiftImages } from "./augment.js";
export { Ema, type EmaOptions, Swa, type SwaOptions } from "./callbacks/averages.js";
export type {
  Callback,
  CallbackFunction,
  CallbackState,
  RunControl,
} from "./callbacks/callback.js";
export { EarlyStopping, type EarlyStoppingOptions } from "./callbacks/earlyStopping.js";
export { keepGenerators } from "./callbacks/generators.js";
export type { Best, MonitorMode, MonitorOptions } from "./callbacks/monitor.js";
export {
  type Classification,
  cardFrom,
  classifierContent,
  classifierFrom,
  classify,
  ImageClassifier,
  type ModelCard,
  type ModelMaker,
} from "./classifier.js";

export * from "./config/index.js";

export type { DiagnosedEvent, DiagnosisFacts } from "./doctor/course.js";
export { diagnose } from "./doctor/diagnose.js";
export {
  type Diagnosis,
  type Severity,
  type SymptomName,
  symptomNames,
} from "./doctor/diagnosis.js";
export {
  doctorPictures,
  drawHealth,
  drawLongRuns,
  drawOverfit,
  drawRangeTest,
} from "./doctor/pictures.js";
export {
  type RangePoint,
  type RangeTest,
  type RangeTestOptions,
  rangeTest,
} from "./doctor/rangeTest.js";
export { examine } from "./doctor/recipe.js";
export { doctorJson, doctorMarkdown } from "./doctor/reportText.js";
export type {
  DoctorEvent,
  DoctorOptions,
  DoctorPaths,
  DoctorReport,
  DoctorStatus,
  LongRun,
  OverfitResult,
  RecipeStepName,
  SearchTrial,
  StepResult,
  StepStatus,
} from "./doctor/types.js";

export * from "./draw/index.js";
export { DivergedError, type Place, ResumeError } from "./errors.js";
export * from "./evaluation/index.js";
export type * from "./events.js";
export type { Experiment, ExperimentBuilder, Settings } from "./experiment.js";
export { type BatchLossOptions, fit } from "./fit.js";
export {
  type Anomaly,
  type AnomalyPlace,
  type FindAnomalyOptions,
  findAnomaly,
} from "./health/anomaly.js";
export { AnomalyError, type GuardOptions, makeGuardedStep } from "./health/guard.js";
export {
  type Health,
  type MonitoredOutcome,
  type MonitoredStepOptions,
  makeMonitoredStep,
} from "./health/monitor.js";
export type { ValueRange } from "./health/ranges.js";
export { type ImageStatistics, imageStatistics } from "./imageStatistics.js";
export {
  type InitName,
  type InitStatisticsOptions,
  initNames,
  initNonlinearities,
  initStatistics,
  type LayerStatistics,
  type LayerStatisticsOptions,
  layerStatistics,
  type Spread,
} from "./initStatistics.js";
export * from "./metrics/index.js";
export type {
  BatchTransform,
  CheckpointOptions,
  CheckpointPlace,
  CheckpointReason,
  Clip,
  FitOptions,
  FitResult,
} from "./options.js";
export {
  defaultRates,
  lenetRecipe,
  type OptimizerName,
  optimizerNames,
  type RecipeSettings,
} from "./recipe.js";
export * from "./runs/index.js";
export {
  type CosineOptions,
  constantSchedule,
  cosineSchedule,
  type PlateauMaker,
  type PlateauScheduleOptions,
  plateauSchedule,
  type Schedule,
  type SchedulerMaker,
  scheduler,
} from "./schedule.js";
export {
  type BatchResult,
  type BatchSource,
  type EvaluateOptions,
  evaluate,
  type Loss,
  type MeasureOptions,
  type Model,
} from "./steps.js";
export type { Identity } from "./trainingState.js";
export * from "./transfer/index.js";
