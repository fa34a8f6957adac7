/** Contents: the ops by family. Importing this gives tensors their methods. */

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
export {
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type LpPoolOptions,
  lpPool1d,
  lpPool2d,
} from "./averagePool.js";
export { clamp, to, where } from "./choice.js";
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
  alphaDropout,
  dropConnect,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
  type StochasticDepthOptions,
  stochasticDepth,
} from "./dropout.js";
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
export { gather } from "./indexing.js";
export { linear, matmul } from "./linalg.js";
export {
  type CrossEntropyOptions,
  crossEntropy,
  type LossOptions,
  mseLoss,
  nllLoss,
  type Reduction,
} from "./loss.js";
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
  type LocalResponseNormOptions,
  layerNorm,
  localResponseNorm,
  type NormalizeOptions,
  type NormOptions,
  normalize,
  rmsNorm,
} from "./norm.js";
export { type AtIndex, at, cat, narrow, select, stack } from "./parts.js";
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
  fractionalMaxPool2d,
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
export { bernoulli, type DropoutOptions, dropout } from "./random.js";
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
export { logSoftmax, softmax } from "./softmax.js";
