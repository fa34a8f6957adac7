/** Primitives that read or write where another value says, and the source of random bits. */
import { DTypeError, ShapeError } from "../../core/errors.js";
import { formatShape, type Shape } from "../../core/shape.js";
import type { Primitive, ValueType } from "../primitives.js";

export interface GatherAttributes {
  readonly dim: number;
}
export interface ScatterAddAttributes {
  readonly dim: number;
  /** Size of the result along `dim`. */
  readonly size: number;
}
export interface RandomBitsAttributes {
  readonly shape: Shape;
}

function checkIndices(x: ValueType, indices: ValueType, dim: number) {
  if (indices.dtype !== "int32")
    throw new DTypeError("", `indices must be int32, got ${indices.dtype}`);
  const fits =
    x.shape.length === indices.shape.length &&
    x.shape.every((n, i) => i === dim || n === indices.shape[i]);
  if (!fits)
    throw new ShapeError(
      "",
      `indices ${formatShape(indices.shape)} do not fit ${formatShape(x.shape)} along dim ${dim}`,
    );
}

/** inputs: x, indices (equal to x's shape but along `dim`) → x's elements at the indices along `dim`. */
const gather: Primitive<GatherAttributes> = {
  class: "index",
  arity: 2,
  infer([x, indices], { dim }) {
    checkIndices(x!, indices!, dim);
    return { dtype: x!.dtype, shape: indices!.shape };
  },
};

/** inputs: updates, indices of one shape → zeros of size `size` along `dim`, with the updates added. */
const scatterAdd: Primitive<ScatterAddAttributes> = {
  class: "index",
  arity: 2,
  infer([updates, indices], { dim, size }) {
    const shape = updates!.shape.map((n, i) => (i === dim ? size : n));
    checkIndices({ dtype: updates!.dtype, shape }, indices!, dim);
    if (updates!.shape[dim] !== indices!.shape[dim])
      throw new ShapeError(
        "",
        `updates ${formatShape(updates!.shape)} and indices ${formatShape(indices!.shape)} differ`,
      );
    return { dtype: updates!.dtype, shape };
  },
};

/** input: generator state int32 [4] (key, call number; see core/random.ts) → int32 bits. */
const randomBits: Primitive<RandomBitsAttributes> = {
  class: "effect",
  arity: 1,
  infer([state], { shape }) {
    if (state!.dtype !== "int32" || state!.shape.length !== 1 || state!.shape[0] !== 4)
      throw new ShapeError(
        "",
        `generator state must be int32 [4], got ${state!.dtype} ${formatShape(state!.shape)}`,
      );
    return { dtype: "int32", shape };
  },
};

export const indexPrimitives = { gather, scatterAdd, randomBits };
