/**
 * Primitives that multiply and sum: the general dot product and convolution with its two transposes. Each
 * is linear in both operands, and the three convolutions are each other's gradients, so they are closed under
 * differentiation.
 */

import { isFloat } from "../../core/dtype.js";
import { DTypeError, ShapeError } from "../../core/errors.js";
import { formatShape, type Shape } from "../../core/shape.js";
import type { Primitive, ValueType } from "../primitives.js";

export interface DotAttributes {
  readonly lhsBatch: readonly number[];
  readonly rhsBatch: readonly number[];
  readonly lhsContract: readonly number[];
  readonly rhsContract: readonly number[];
}

/** The geometry of a window over spatial dims, one entry a dim. */
export interface WindowAttributes {
  readonly strides: readonly number[];
  readonly dilation: readonly number[];
  readonly padLow: readonly number[];
  readonly padHigh: readonly number[];
}
export interface ConvolutionAttributes extends WindowAttributes {
  readonly groups: number;
}
export interface ConvolutionInputGradAttributes extends ConvolutionAttributes {
  /** Spatial sizes of the convolution's input. */
  readonly inputSizes: readonly number[];
}
export interface ConvolutionWeightGradAttributes extends ConvolutionAttributes {
  /** Spatial sizes of the kernel. */
  readonly kernelSizes: readonly number[];
}

/** The dims of an operand that are neither batch nor contracted. */
export const freeDims = (shape: Shape, ...taken: (readonly number[])[]): number[] =>
  shape.map((_, i) => i).filter((i) => !taken.some((dims) => dims.includes(i)));

const checkFloats = (inputs: readonly ValueType[]) => {
  const [a, b] = inputs as [ValueType, ValueType];
  if (a.dtype !== b.dtype || !isFloat(a.dtype))
    throw new DTypeError("", `needs two operands of one float dtype, got ${a.dtype}, ${b.dtype}`);
};

const dotGeneral: Primitive<DotAttributes> = {
  class: "contract",
  arity: 2,
  infer(inputs, { lhsBatch, rhsBatch, lhsContract, rhsContract }) {
    checkFloats(inputs);
    const [a, b] = inputs as [ValueType, ValueType];
    const agree = (left: readonly number[], right: readonly number[]) =>
      left.length === right.length && left.every((d, i) => a.shape[d] === b.shape[right[i]!]);
    if (!agree(lhsBatch, rhsBatch) || !agree(lhsContract, rhsContract))
      throw new ShapeError(
        "",
        `sizes differ: ${formatShape(a.shape)} × ${formatShape(b.shape)} over ` +
          `${formatShape(lhsContract)} and ${formatShape(rhsContract)}`,
      );
    const shape = [
      ...lhsBatch.map((d) => a.shape[d]!),
      ...freeDims(a.shape, lhsBatch, lhsContract).map((d) => a.shape[d]!),
      ...freeDims(b.shape, rhsBatch, rhsContract).map((d) => b.shape[d]!),
    ];
    return { dtype: a.dtype, shape };
  },
};

/** Output size of a window along one dim: ⌊(n + padLow + padHigh − dilation·(k − 1) − 1) / stride⌋ + 1. */
export function windowSize(n: number, k: number, i: number, w: WindowAttributes): number {
  const span = w.dilation[i]! * (k - 1) + 1;
  const room = n + w.padLow[i]! + w.padHigh[i]! - span;
  return room < 0 ? -1 : Math.floor(room / w.strides[i]!) + 1;
}

export function windowSizes(spatial: Shape, kernel: Shape, window: WindowAttributes): number[] {
  const rank = spatial.length;
  const { strides, dilation, padLow, padHigh } = window;
  if ([kernel, strides, dilation, padLow, padHigh].some((list) => list.length !== rank))
    throw new ShapeError("", `window settings need ${rank} entries, one a spatial dim`);
  return spatial.map((n, i) => {
    const size = windowSize(n, kernel[i]!, i, window);
    if (size < 1)
      throw new ShapeError(
        "",
        `a window of ${kernel[i]} (dilation ${dilation[i]}) does not fit size ${n} ` +
          `with padding ${padLow[i]} + ${padHigh[i]} at spatial dim ${i}`,
      );
    return size;
  });
}

const convolution: Primitive<ConvolutionAttributes> = {
  class: "contract",
  arity: 2,
  infer(inputs, attributes) {
    checkFloats(inputs);
    const [x, w] = inputs as [ValueType, ValueType];
    const [n, c, ...spatial] = x.shape as [number, number, ...number[]];
    const [o, perGroup, ...kernel] = w.shape as [number, number, ...number[]];
    const { groups } = attributes;
    if (w.shape.length !== x.shape.length || x.shape.length < 3)
      throw new ShapeError("", `input ${formatShape(x.shape)}, weight ${formatShape(w.shape)}`);
    if (c !== perGroup * groups || o % groups !== 0)
      throw new ShapeError(
        "",
        `input ${formatShape(x.shape)} has ${c} channels; weight ${formatShape(w.shape)} in ` +
          `${groups} group(s) expects ${perGroup * groups} channels in, and ${o} out`,
      );
    return { dtype: x.dtype, shape: [n, o, ...windowSizes(spatial, kernel, attributes)] };
  },
};

/** inputs: gradient of the output [N, O, …out], weight [O, C/groups, …k] → [N, C, …inputSizes]. */
const convolutionInputGrad: Primitive<ConvolutionInputGradAttributes> = {
  class: "contract",
  arity: 2,
  infer(inputs, attributes) {
    checkFloats(inputs);
    const [g, w] = inputs as [ValueType, ValueType];
    const shape = [g.shape[0]!, w.shape[1]! * attributes.groups, ...attributes.inputSizes];
    checkConsistent({ dtype: g.dtype, shape }, w, g, attributes);
    return { dtype: g.dtype, shape };
  },
};

/** inputs: x [N, C, …in], gradient of the output [N, O, …out] → weight's shape [O, C/groups, …k]. */
const convolutionWeightGrad: Primitive<ConvolutionWeightGradAttributes> = {
  class: "contract",
  arity: 2,
  infer(inputs, attributes) {
    checkFloats(inputs);
    const [x, g] = inputs as [ValueType, ValueType];
    const shape = [g.shape[1]!, x.shape[1]! / attributes.groups, ...attributes.kernelSizes];
    checkConsistent(x, { dtype: g.dtype, shape }, g, attributes);
    return { dtype: g.dtype, shape };
  },
};

function checkConsistent(x: ValueType, w: ValueType, g: ValueType, a: ConvolutionAttributes) {
  const { shape } = convolution.infer([x, w], a);
  if (shape.some((n, i) => n !== g.shape[i]))
    throw new ShapeError(
      "",
      `the output's gradient is ${formatShape(g.shape)}, expected ${formatShape(shape)}`,
    );
}

export const contractPrimitives = {
  dotGeneral,
  convolution,
  convolutionInputGrad,
  convolutionWeightGrad,
};
