/** The function of every layer, as in torch.nn.functional. */

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
} from "../ops/norm.js";
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
} from "../ops/pool.js";
export { type DropoutOptions, dropout } from "../ops/random.js";
export { logSoftmax, softmax } from "../ops/softmax.js";
