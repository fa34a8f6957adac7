/** Contents: the ops by family. Importing this gives tensors their methods. */
export { argmax, argmin, type Extreme } from "./argmax.js";
export { clamp, to, where } from "./choice.js";
export {
  type Conv2dOptions,
  conv2d,
  type MaxPool2dOptions,
  maxPool2d,
  maxPool2dWithIndices,
  type Pair,
} from "./conv.js";
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
