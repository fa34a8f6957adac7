/** Initial values of parameters, as PyTorch's layers choose them. */
import { ShapeError } from "../core/errors.js";
import { formatShape, type Shape, sizeOf } from "../core/shape.js";
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
