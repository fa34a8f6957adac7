/** Initial values of parameters, as PyTorch's layers choose them. */
import { ShapeError } from "../core/errors.js";
import { formatShape, type Shape, sizeOf } from "../core/shape.js";
import {
  normal as drawNormal,
  truncNormal as drawTruncNormal,
  type NormalOptions,
  type TruncNormalOptions,
} from "../tensor/distributions.js";
import { type RandomOptions, rand } from "../tensor/random.js";
import type { Tensor } from "../tensor/tensor.js";

/**
 * How many inputs and outputs one unit of a weight has: for [out, in, …kernel], in · kernel size and out · kernel size.
 *
 * @throws ShapeError for fewer than two dims.
 */
export function fans(shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  if (shape.length < 2)
    throw new ShapeError("fans", `a weight needs at least two dims, got ${formatShape(shape)}`);
  const places = sizeOf(shape.slice(2));
  return { fanIn: shape[1]! * places, fanOut: shape[0]! * places };
}

/** Uniform random numbers in [low, high). */
export const uniform = (
  shape: Shape,
  low: number,
  high: number,
  options: RandomOptions = {},
): Tensor =>
  rand(shape, options)
    .mul(high - low)
    .add(low);

/** Normal random numbers. */
export const normal = (
  shape: Shape,
  mean = 0,
  std = 1,
  options: Omit<NormalOptions, "shape"> = {},
): Tensor => drawNormal(mean, std, { ...options, shape });

/** Normal random numbers, of which only those in [a, b] are taken (−2 to 2 by default). */
export const truncNormal = (shape: Shape, options: TruncNormalOptions = {}): Tensor =>
  drawTruncNormal(shape, options);

export interface GainOptions extends RandomOptions {
  /** Factor for the activation that follows: 1 for none and sigmoid, 5/3 for tanh, √2 for relu. */
  readonly gain?: number;
}

/**
 * Uniform in ±gain·√(6 / (fanIn + fanOut)) (Glorot and Bengio, 2010).
 *
 * @throws ShapeError for fewer than two dims.
 */
export function xavierUniform(shape: Shape, { gain = 1, ...options }: GainOptions = {}): Tensor {
  const { fanIn, fanOut } = fans(shape);
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
  return uniform(shape, -bound, bound, options);
}

/** Normal with standard deviation gain·√(2 / (fanIn + fanOut)) (Glorot and Bengio, 2010). */
export function xavierNormal(shape: Shape, { gain = 1, ...options }: GainOptions = {}): Tensor {
  const { fanIn, fanOut } = fans(shape);
  return normal(shape, 0, gain * Math.sqrt(2 / (fanIn + fanOut)), options);
}

/** Normal with variance gain² / fanIn, where gain² = 2 / (1 + a²) (He et al., 2015). */
export function kaimingNormal(
  shape: Shape,
  { a = 0, ...options }: RandomOptions & { readonly a?: number } = {},
): Tensor {
  return normal(shape, 0, Math.sqrt(2 / (1 + a * a) / fans(shape).fanIn), options);
}

/**
 * Uniform in ±gain·√(3 / fanIn) with gain² = 2 / (1 + a²) (He et al., 2015). PyTorch's layers use a = √5,
 * which makes the bound 1 / √fanIn.
 */
export function kaimingUniform(
  shape: Shape,
  options: RandomOptions & { readonly a?: number } = {},
): Tensor {
  const { a = 0 } = options;
  const bound = Math.sqrt(2 / (1 + a * a)) * Math.sqrt(3 / fans(shape).fanIn);
  return uniform(shape, -bound, bound, options);
}

/** PyTorch's default for the weight and bias of linear and convolutional layers: ±1 / √fanIn. */
export function defaultWeight(shape: Shape): Tensor {
  return kaimingUniform(shape, { a: Math.sqrt(5) });
}

export function defaultBias(weightShape: Shape): Tensor {
  const bound = 1 / Math.sqrt(fans(weightShape).fanIn);
  return uniform([weightShape[0]!], -bound, bound);
}
