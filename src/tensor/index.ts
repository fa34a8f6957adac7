/** Contents of the tensor room. */
import "./assign.js";

export { type BackwardOptions, grad } from "./autograd.js";
export { type CompiledFunction, compile, type Structure } from "./compile.js";
export { enableGrad, noGrad } from "./context.js";
export {
  arange,
  empty,
  emptyLike,
  eye,
  fromTypedArray,
  full,
  fullLike,
  linspace,
  logspace,
  ones,
  onesLike,
  type TensorData,
  type TensorOptions,
  tensor,
  zeros,
  zerosLike,
} from "./create.js";
export {
  type NormalOptions,
  normal,
  randint,
  randintLike,
  type TruncNormalOptions,
  truncNormal,
  uniform,
} from "./distributions.js";
export {
  fromBfloat16,
  fromFloat16,
  type HalfOptions,
  toBfloat16,
  toFloat16,
} from "./half.js";
export {
  defaultGenerator,
  Generator,
  manualSeed,
  type RandomOptions,
  rand,
  randLike,
  randn,
  randnLike,
  randperm,
} from "./random.js";
export { type NestedArray, Tensor } from "./tensor.js";
