/** Ops along dims: sums, extremes, norms, order, ranks, running sums, counts. */
export { argmax, argmin, type Extreme } from "../argmax.js";
export {
  all,
  aminmax,
  any,
  countNonzero,
  logsumexp,
  nanmean,
  nansum,
  norm,
  vectorNorm,
} from "../fold.js";
export { type MatrixNormOptions, matrixNorm } from "../matrixNorm.js";
export {
  argsort,
  kthvalue,
  msort,
  type SortOptions,
  sort,
  type TopkOptions,
  topk,
} from "../order.js";
export {
  median,
  mode,
  nanmedian,
  nanquantile,
  type QuantileOptions,
  quantile,
} from "../rank.js";
export {
  amax,
  amin,
  type FoldOptions,
  type KeepDim,
  mean,
  prod,
  std,
  sum,
  type VarianceOptions,
  variance,
} from "../reduce.js";
export { cummax, cummin, cumprod, cumsum, logcumsumexp, type ScanOptions } from "../scan.js";
export { logSoftmax, softmax } from "../softmax.js";
export {
  type BincountOptions,
  bincount,
  type Unique,
  type UniqueOptions,
  unique,
  uniqueConsecutive,
} from "../unique.js";
