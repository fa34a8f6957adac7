/** Contents: what is made of trained networks: ensembles, averages, several looks, calibration, cross-validation. */
export type { AverageOptions } from "./average.js";
export {
  type Calibration,
  type CalibrationOptions,
  calibration,
  type OutputForm,
  type ReliabilityBin,
} from "./calibration.js";
export {
  type CrossValidated,
  type CrossValidationOptions,
  crossValidate,
  type FoldPart,
  type FoldTrainer,
} from "./crossValidate.js";
export { Ensemble, type EnsembleOptions } from "./ensemble.js";
export { type Predictions, type PredictOptions, predict } from "./predict.js";
export { restartSchedule, Snapshots } from "./snapshots.js";
export {
  averageWeights,
  type GreedySoup,
  greedySoup,
  type SoupOptions,
  uniformSoup,
  type Weights,
} from "./soup.js";
export { findTemperature, scaleTemperature, TemperatureScaled } from "./temperature.js";
export {
  type CropViewOptions,
  fiveCropViews,
  flipViews,
  shiftViews,
  TestTimeAugmentation,
  type TestTimeOptions,
  tenCropViews,
  type Views,
} from "./testTime.js";
