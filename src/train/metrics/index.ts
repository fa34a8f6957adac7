/** Contents: what a run measures besides its loss, and the same numbers of values at hand. Read metric.ts first. */
export { type AreaOptions, averagePrecision, rocAuc } from "./areas.js";
export {
  type AveragedOptions,
  accuracy,
  type ClassMetricOptions,
  confusion,
  f1,
  matrixOf,
  precision,
  recall,
  topK,
} from "./classes.js";
export {
  type Average,
  type ClassScores,
  confusionMatrix,
  precisionRecallF1,
  type ScoreOptions,
} from "./confusion.js";
export { measure } from "./measure.js";
export type {
  Metric,
  MetricFunction,
  MetricObject,
  Metrics,
  MetricTotal,
} from "./metric.js";
export {
  averagePrecisionScore,
  type NumberList,
  type PrecisionRecallCurve,
  precisionRecallCurve,
  type RocCurve,
  rocAucScore,
  rocCurve,
} from "./ranking.js";
export type { RowOptions } from "./rows.js";
export { meanAbsoluteError, meanSquaredError, perplexity, r2 } from "./values.js";
