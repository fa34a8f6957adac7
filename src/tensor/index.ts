/** Contents of the tensor room. */
import "./assign.js";

export { grad, type BackwardOptions } from "./autograd.js";
export { type CompiledFunction, compile, type Structure } from "./compile.js";
export { enableGrad, noGrad } from "./context.js";
export {
  arange,
  eye,
  fromTypedArray,
  full,
  fullLike,
  ones,
  onesLike,
  type TensorData,
  type TensorOptions,
  tensor,
  zeros,
  zerosLike,
} from "./create.js";
export {
  defaultGenerator,
  Generator,
  manualSeed,
  type RandomOptions,
  rand,
  randn,
  randperm,
} from "./random.js";
export { type NestedArray, Tensor } from "./tensor.js";
