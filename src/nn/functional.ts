/** The function of every layer, as in torch.nn.functional. */

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
} from "../ops/activation.js";
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
} from "../ops/adaptivePool.js";
export { type AttentionOptions, scaledDotProductAttention } from "../ops/attention.js";
export {
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type LpPoolOptions,
  lpPool1d,
  lpPool2d,
} from "../ops/averagePool.js";
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
} from "../ops/conv.js";
export {
  type CtcLossOptions,
  ctcLoss,
} from "../ops/ctc.js";
export { cosineSimilarity, pairwiseDistance } from "../ops/distance.js";
export {
  alphaDropout,
  dropConnect,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
  type StochasticDepthOptions,
  stochasticDepth,
} from "../ops/dropout.js";
export { relu, sigmoid, tanh } from "../ops/elementary.js";
export { type EmbeddingOptions, embedding, oneHot } from "../ops/embedding.js";
export {
  type GumbelSoftmaxOptions,
  glu,
  gumbelSoftmax,
  maxout,
  prelu,
  softmin,
} from "../ops/gate.js";
export { affineGrid, type GridSampleOptions, gridSample } from "../ops/gridSample.js";
export { type InterpolateMode, type InterpolateOptions, interpolate } from "../ops/interpolate.js";
export { linear } from "../ops/linalg.js";
export {
  type CrossEntropyOptions,
  crossEntropy,
  type LossOptions,
  mseLoss,
  nllLoss,
  type Reduction,
} from "../ops/loss.js";
export {
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyWithLogitsOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  multilabelSoftMarginLoss,
  softMarginLoss,
} from "../ops/lossBinary.js";
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
} from "../ops/lossDistance.js";
export {
  hingeEmbeddingLoss,
  type MarginOptions,
  type MultiMarginOptions,
  marginRankingLoss,
  multilabelMarginLoss,
  multiMarginLoss,
} from "../ops/lossMargin.js";
export {
  cosineEmbeddingLoss,
  type InfoNceOptions,
  infoNce,
  type TripletMarginOptions,
  tripletMarginLoss,
} from "../ops/lossPair.js";
export {
  type BatchNormOptions,
  batchNorm,
  groupNorm,
  type InstanceNormOptions,
  instanceNorm,
  layerNorm,
  type NormOptions,
  rmsNorm,
} from "../ops/norm.js";
export { type PadOptions, pad } from "../ops/pad.js";
export {
  channelShuffle,
  fold,
  pixelShuffle,
  pixelUnshuffle,
  type UnfoldOptions,
  unfold,
} from "../ops/patches.js";
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
} from "../ops/pool.js";
export { bilinear } from "../ops/products.js";
export { type DropoutOptions, dropout } from "../ops/random.js";
export {
  type LocalResponseNormOptions,
  localResponseNorm,
  type NormalizeOptions,
  normalize,
} from "../ops/rescale.js";
export { type RreluOptions, rrelu } from "../ops/rrelu.js";
export { logSoftmax, softmax } from "../ops/softmax.js";
