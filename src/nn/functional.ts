/** The function of every layer, as in torch.nn.functional. */
export {
  type Conv2dOptions,
  conv2d,
  type MaxPool2dOptions,
  maxPool2d,
  maxPool2dWithIndices,
} from "../ops/conv.js";
export { linear } from "../ops/linalg.js";
export {
  type CrossEntropyOptions,
  crossEntropy,
  type LossOptions,
  mseLoss,
  nllLoss,
  type Reduction,
} from "../ops/loss.js";
export { relu, sigmoid, tanh } from "../ops/elementary.js";
export { type DropoutOptions, dropout } from "../ops/random.js";
export { logSoftmax, softmax } from "../ops/softmax.js";
