/** Contents: the ops by family. Importing this gives tensors their methods. */
export * from "./conv.js";
export { gather } from "./indexing.js";
export { linear, matmul } from "./linalg.js";
export * from "./loss.js";
export * from "./movement.js";
export {
  abs, add, clamp, cos, div, eq, exp, floor, ge, gt, le, log, logicalNot, lt, maximum, minimum, mul, ne, neg,
  pow, reciprocal, relu, rsqrt, sigmoid, sign, sin, sqrt, square, sub, type TensorLike, tanh, to, where,
} from "./pointwise.js";
export { bernoulli, type DropoutOptions, dropout } from "./random.js";
export {
  amax, amin, argmax, argmin, type Extreme, type KeepDim, logSoftmax, mean, prod, softmax, std, sum,
  type VarianceOptions, variance,
} from "./reduce.js";
