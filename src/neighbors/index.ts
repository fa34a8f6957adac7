/** The neighbours room: exact search for the nearest vectors, and classification, regression and cross-validation by them. */
export { type Fold, type FoldOptions, kFold } from "../data/folds.js";
export {
  KNeighborsClassifier,
  type KNeighborsOptions,
  KNeighborsRegressor,
  type Neighbors,
  type NeighborsOptions,
} from "./classifier.js";
export {
  type CrossValidateOptions,
  type CrossValidation,
  crossValidateNeighbors,
  type KResult,
} from "./crossValidate.js";
export type { Metric } from "./metric.js";
export type { SearchOptions } from "./search.js";
export type { Weights } from "./vote.js";
