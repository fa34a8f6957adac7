/** Functions of layers: convolutions, pooling, attention, recurrence, normalisation, dropping, sampling of pictures. */
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
} from "../adaptivePool.js";
export { type AttentionOptions, scaledDotProductAttention } from "../attention.js";
export {
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type LpPoolOptions,
  lpPool1d,
  lpPool2d,
  lpPool3d,
} from "../averagePool.js";
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
} from "../conv.js";
export {
  alphaDropout,
  dropConnect,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
  type StochasticDepthOptions,
  stochasticDepth,
} from "../dropout.js";
export {
  type FractionalMaxPool2dOptions,
  type FractionalMaxPool3dOptions,
  fractionalMaxPool2d,
  fractionalMaxPool3d,
} from "../fractionalPool.js";
export { affineGrid, type GridSampleOptions, gridSample } from "../gridSample.js";
export { type InterpolateMode, type InterpolateOptions, interpolate } from "../interpolate.js";
export {
  type BatchNormOptions,
  batchNorm,
  groupNorm,
  type InstanceNormOptions,
  instanceNorm,
  layerNorm,
  type NormOptions,
  rmsNorm,
} from "../norm.js";
export {
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
} from "../pool.js";
export {
  bernoulli,
  type DropoutOptions,
  dropout,
  type MultinomialOptions,
  multinomial,
} from "../random.js";
export {
  gru,
  gruCell,
  lstm,
  lstmCell,
  type RecurrentOptions,
  type RnnOptions,
  rnn,
  rnnCell,
} from "../recurrent.js";
export {
  type LocalResponseNormOptions,
  localResponseNorm,
  type NormalizeOptions,
  normalize,
} from "../rescale.js";
export {
  type SpectralNormOptions,
  spectralNorm,
  weightNorm,
} from "../weightNorm.js";
