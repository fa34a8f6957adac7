/** Contents of `nn`: modules by family, `functional`, `init`. */

export {
  CELU,
  ELU,
  GELU,
  GLU,
  Hardshrink,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Maxout,
  Mish,
  PReLU,
  ReLU6,
  RReLU,
  SELU,
  SiLU,
  Softmax,
  Softmax2d,
  Softmin,
  Softplus,
  Softshrink,
  Softsign,
  Tanhshrink,
  Threshold,
} from "./activation.js";
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
} from "./adaptivePool.js";
export {
  type AttentionCall,
  MultiheadAttention,
  type MultiheadAttentionOptions,
} from "./attention.js";
export { ModuleDict, ModuleList, ParameterDict, ParameterList } from "./containers.js";
export {
  Conv1d,
  type Conv1dLayerOptions,
  Conv2d,
  type Conv2dLayerOptions,
  Conv3d,
  type Conv3dLayerOptions,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeLayerOptions,
} from "./conv.js";
export { Bilinear, CosineSimilarity, PairwiseDistance } from "./distance.js";
export {
  AlphaDropout,
  DropConnect,
  Dropout1d,
  Dropout2d,
  Dropout3d,
  FeatureAlphaDropout,
  StochasticDepth,
} from "./dropout.js";
export { Embedding, type EmbeddingLayerOptions } from "./embedding.js";
export * as functional from "./functional.js";
export * as init from "./initAll.js";
export {
  CrossEntropyLoss,
  Dropout,
  Flatten,
  Identity,
  MSELoss,
  ReLU,
  Sigmoid,
  Tanh,
} from "./layers.js";
export { Linear } from "./linear.js";
export {
  BCELoss,
  BCEWithLogitsLoss,
  CosineEmbeddingLoss,
  CTCLoss,
  GaussianNLLLoss,
  HingeEmbeddingLoss,
  HuberLoss,
  InfoNCELoss,
  KLDivLoss,
  L1Loss,
  MarginRankingLoss,
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  NLLLoss,
  PoissonNLLLoss,
  SmoothL1Loss,
  SoftMarginLoss,
  TripletMarginLoss,
} from "./losses.js";
export {
  Buffer,
  type ForwardHook,
  type ForwardPreHook,
  Layer,
  type LoadReport,
  Module,
  Parameter,
} from "./module.js";
export {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  type BatchNormLayerOptions,
  GroupNorm,
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  type InstanceNormLayerOptions,
  LayerNorm,
  type LayerNormLayerOptions,
  LocalResponseNorm,
  RMSNorm,
} from "./norm.js";
export {
  AvgPool1d,
  AvgPool2d,
  AvgPool3d,
  FractionalMaxPool2d,
  FractionalMaxPool3d,
  LPPool1d,
  LPPool2d,
  MaxPool1d,
  MaxPool2d,
  MaxPool3d,
  MaxUnpool1d,
  MaxUnpool2d,
  MaxUnpool3d,
  Upsample,
} from "./pool.js";
export {
  ChannelShuffle,
  CircularPad1d,
  CircularPad2d,
  ConstantPad1d,
  ConstantPad2d,
  Fold,
  PixelShuffle,
  PixelUnshuffle,
  ReflectionPad1d,
  ReflectionPad2d,
  ReplicationPad1d,
  ReplicationPad2d,
  Unflatten,
  Unfold,
  ZeroPad2d,
} from "./rearrange.js";
export {
  GRU,
  GRUCell,
  LSTM,
  LSTMCell,
  type LSTMLayerOptions,
  type RecurrentCall,
  type RecurrentLayerOptions,
  RNN,
  RNNCell,
  type RNNLayerOptions,
} from "./recurrent.js";
export { Sequential } from "./sequential.js";
export * as utils from "./utils/index.js";
