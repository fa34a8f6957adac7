/** Contents of the tensor room. */
import "./assign.js";

export type { BackwardOptions } from "./autograd.js";
export { checkpoint } from "./checkpoint.js";
export { type CompiledFunction, type CompileOptions, compile, type Structure } from "./compile.js";
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
export { type CustomFunction, customFunction, type FunctionContext } from "./custom.js";
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
  type Each,
  type FunctionalOptions,
  hessian,
  hvp,
  jacobian,
  jvp,
  type TensorFunction,
  type Tensors,
  vhp,
  vjp,
} from "./functional.js";
export { type GradOptions, grad } from "./grad.js";
export {
  type DifferenceOptions,
  type GradCheckOptions,
  type GradCheckReport,
  gradCheck,
  gradGradCheck,
  type Kink,
  numericalGradient,
} from "./gradCheck.js";
export {
  fromBfloat16,
  fromFloat16,
  type HalfOptions,
  toBfloat16,
  toFloat16,
} from "./half.js";
export type { AccumulateHook, HookHandle } from "./hooks.js";

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
export { defineOp, type OpResult, type UserOp } from "./userOp.js";
export { type VmapOptions, vmap } from "./vmap.js";
