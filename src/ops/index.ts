/** Contents: the ops by family. Importing this gives tensors their methods. */
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
  type AtIndex,
  at,
  cat,
  expand,
  flatten,
  flip,
  narrow,
  permute,
  reshape,
  select,
  squeeze,
  stack,
  t,
  transpose,
  unsqueeze,
} from "./movement.js";
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
  argmax,
  argmin,
  type Extreme,
  type KeepDim,
  logSoftmax,
  mean,
  prod,
  softmax,
  std,
  sum,
  type VarianceOptions,
  variance,
} from "./reduce.js";
