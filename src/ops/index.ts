/** Contents: the ops by family. Importing this gives tensors their methods. */

export {
  celu,
  elu,
  type GeluOptions,
  gelu,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logSigmoid,
  mish,
  relu6,
  selu,
  silu,
  softplus,
  softshrink,
  softsign,
  tanhshrink,
  threshold,
} from "./activation.js";
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool1dWithIndices,
  adaptiveMaxPool2d,
  adaptiveMaxPool2dWithIndices,
  adaptiveMaxPool3d,
  adaptiveMaxPool3dWithIndices,
  type OutputSize,
} from "./adaptivePool.js";
export { argmax, argmin, type Extreme } from "./argmax.js";
export { type AttentionOptions, scaledDotProductAttention } from "./attention.js";
export {
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type LpPoolOptions,
  lpPool1d,
  lpPool2d,
} from "./averagePool.js";
export {
  addcdiv,
  addcmul,
  lerp,
  maskedFill,
  nanToNum,
} from "./blend.js";
export {
  type IndexAddOptions,
  indexAdd,
  indexCopy,
  indexFill,
  indexSelect,
  take,
  takeAlongDim,
} from "./byIndex.js";
export { clamp, to, where } from "./choice.js";
export {
  allclose,
  type CloseOptions,
  equal,
  isclose,
} from "./closeness.js";
export {
  type Conv1dOptions,
  type Conv2dOptions,
  type Conv3dOptions,
  type ConvTranspose1dOptions,
  type ConvTranspose2dOptions,
  type ConvTranspose3dOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type Pair,
  type Single,
  type Triple,
} from "./conv.js";
export {
  diag,
  type MeshgridOptions,
  meshgrid,
} from "./create.js";
export {
  type CtcLossOptions,
  ctcLoss,
} from "./ctc.js";
export {
  cholesky,
  det,
  eigh,
  inverse,
  matrixPower,
  qr,
  type Svd,
  slogdet,
  solve,
  svd,
  trace,
} from "./decomposition.js";
export {
  cdist,
  cosineSimilarity,
  type PairwiseDistanceOptions,
  pairwiseDistance,
} from "./distance.js";
export {
  alphaDropout,
  dropConnect,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
  type StochasticDepthOptions,
  stochasticDepth,
} from "./dropout.js";
export { einsum, type TensordotDims, tensordot } from "./einsum.js";
export {
  abs,
  cos,
  exp,
  floor,
  log,
  logicalNot,
  neg,
  reciprocal,
  relu,
  rsqrt,
  sigmoid,
  sign,
  sin,
  sqrt,
  square,
  tanh,
} from "./elementary.js";
export { type EmbeddingOptions, embedding, oneHot } from "./embedding.js";
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
} from "./fold.js";
export {
  type GumbelSoftmaxOptions,
  glu,
  gumbelSoftmax,
  maxout,
  prelu,
  softmin,
} from "./gate.js";
export { affineGrid, type GridSampleOptions, gridSample } from "./gridSample.js";
export { gather } from "./indexing.js";
export { type InterpolateMode, type InterpolateOptions, interpolate } from "./interpolate.js";
export { linear, matmul } from "./linalg.js";
export {
  bitwiseAnd,
  bitwiseLeftShift,
  bitwiseNot,
  bitwiseOr,
  bitwiseRightShift,
  bitwiseXor,
  heaviside,
  isFinite,
  isInf,
  isNaN,
  logicalAnd,
  logicalOr,
  logicalXor,
} from "./logic.js";
export {
  type CrossEntropyOptions,
  crossEntropy,
  type LossOptions,
  mseLoss,
  nllLoss,
  type Reduction,
} from "./loss.js";
export {
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyWithLogitsOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  multilabelSoftMarginLoss,
  softMarginLoss,
} from "./lossBinary.js";
export {
  type GaussianNllOptions,
  gaussianNllLoss,
  type HuberOptions,
  huberLoss,
  type KlDivOptions,
  klDiv,
  l1Loss,
  type PoissonNllOptions,
  poissonNllLoss,
  type SmoothL1Options,
  smoothL1Loss,
} from "./lossDistance.js";
export {
  hingeEmbeddingLoss,
  type MarginOptions,
  type MultiMarginOptions,
  marginRankingLoss,
  multilabelMarginLoss,
  multiMarginLoss,
} from "./lossMargin.js";
export {
  cosineEmbeddingLoss,
  type InfoNceOptions,
  infoNce,
  type TripletMarginOptions,
  tripletMarginLoss,
} from "./lossPair.js";
export { maskedScatter, maskedSelect, nonzero } from "./masked.js";
export {
  expand,
  flatten,
  flip,
  permute,
  reshape,
  squeeze,
  t,
  transpose,
  unsqueeze,
} from "./movement.js";
export {
  type BatchNormOptions,
  batchNorm,
  groupNorm,
  type InstanceNormOptions,
  instanceNorm,
  layerNorm,
  type NormOptions,
  rmsNorm,
} from "./norm.js";
export {
  argsort,
  kthvalue,
  msort,
  type SortOptions,
  sort,
  type TopkOptions,
  topk,
} from "./order.js";
export { diagEmbed, diagonal, type PadOptions, pad, tril, triu } from "./pad.js";
export {
  atLeast1d,
  atLeast2d,
  broadcastTensors,
  broadcastTo,
  chunk,
  movedim,
  split,
  swapaxes,
  tensorSplit,
  unbind,
  unflatten,
} from "./parting.js";
export { type AtIndex, at, cat, narrow, select, stack } from "./parts.js";
export {
  channelShuffle,
  fold,
  pixelShuffle,
  pixelUnshuffle,
  type UnfoldOptions,
  unfold,
} from "./patches.js";
export {
  add,
  div,
  eq,
  ge,
  gt,
  le,
  lt,
  maximum,
  minimum,
  mul,
  ne,
  pow,
  sub,
  type TensorLike,
} from "./pointwise.js";
export {
  type FractionalMaxPool2dOptions,
  type FractionalMaxPool3dOptions,
  fractionalMaxPool2d,
  fractionalMaxPool3d,
  type MaxPool1dOptions,
  type MaxPool2dOptions,
  type MaxPool3dOptions,
  type MaxUnpoolOptions,
  maxPool1d,
  maxPool1dWithIndices,
  maxPool2d,
  maxPool2dWithIndices,
  maxPool3d,
  maxPool3dWithIndices,
  maxUnpool1d,
  maxUnpool2d,
  maxUnpool3d,
} from "./pool.js";
export {
  type AddmmOptions,
  addmm,
  baddbmm,
  bilinear,
  bmm,
  dot,
  inner,
  kron,
  mm,
  mv,
  outer,
} from "./products.js";
export { lstsq, matrixRank, pinverse } from "./pseudoinverse.js";
export {
  bernoulli,
  type DropoutOptions,
  dropout,
  type MultinomialOptions,
  multinomial,
} from "./random.js";
export { median, mode, type QuantileOptions, quantile } from "./rank.js";
export {
  gru,
  gruCell,
  lstm,
  lstmCell,
  type RecurrentOptions,
  type RnnOptions,
  rnn,
  rnnCell,
} from "./recurrent.js";
export {
  amax,
  amin,
  type KeepDim,
  mean,
  prod,
  std,
  sum,
  type VarianceOptions,
  variance,
} from "./reduce.js";
export { repeat, repeatInterleave, roll, rot90, tile } from "./repeat.js";
export {
  type LocalResponseNormOptions,
  localResponseNorm,
  type NormalizeOptions,
  normalize,
} from "./rescale.js";
export {
  ceil,
  floorDivide,
  fmod,
  frac,
  remainder,
  round,
  trunc,
} from "./rounding.js";
export { cummax, cummin, cumprod, cumsum, logcumsumexp } from "./scan.js";
export { scatter, scatterAdd } from "./scatter.js";
export {
  type ScatterReduceOptions,
  type ScatterReduction,
  scatterReduce,
} from "./scatterReduce.js";
export { bucketize, type HistcOptions, histc, type SearchOptions, searchsorted } from "./search.js";
export { logSoftmax, softmax } from "./softmax.js";
export {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cosh,
  erf,
  erfc,
  expm1,
  hypot,
  log1p,
  log2,
  log10,
  logaddexp,
  sinc,
  sinh,
  tan,
  xlogy,
} from "./transcendental.js";
export {
  type BincountOptions,
  bincount,
  type Unique,
  unique,
  uniqueConsecutive,
} from "./unique.js";
