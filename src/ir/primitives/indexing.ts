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

/** inputs: x, indices int32 [K] → x's parts at the indices along `dim`, whose size becomes K. */
const indexSelect: Primitive<GatherAttributes> = {
  class: "index",
  arity: 2,
  infer([x, indices], { dim }) {
    checkIndexList(indices!);
    const [count] = indices!.shape as [number];
    return { dtype: x!.dtype, shape: x!.shape.map((n, i) => (i === dim ? count : n)) };
  },
};

/** inputs: updates, indices int32 [K] with K its size along `dim` → zeros of size `size` there, updates added. */
const indexAdd: Primitive<ScatterAddAttributes> = {
  class: "index",
  arity: 2,
  infer([updates, indices], { dim, size }) {
    checkIndexList(indices!);
    if (indices!.shape[0] !== updates!.shape[dim])
      throw new ShapeError(
        "",
        `${indices!.shape[0]} indices do not fit ${formatShape(updates!.shape)} along dim ${dim}`,
      );
    return { dtype: updates!.dtype, shape: updates!.shape.map((n, i) => (i === dim ? size : n)) };
  },
};

function checkIndexList(indices: ValueType) {
  if (indices.dtype !== "int32" || indices.shape.length !== 1)
    throw new ShapeError(
      "",
      `indices must be int32 [K], got ${indices.dtype} ${formatShape(indices.shape)}`,
    );
}

/**
 * inputs: x, indices, updates (indices and updates of one shape, equal to x's but along `dim`) → x with the updates
 * written over it; of several for one place the last along `dim` stays.
 */
const scatter: Primitive<GatherAttributes> = {
  class: "index",
  arity: 3,
  infer([x, indices, updates], { dim }) {
    checkIndices(x!, indices!, dim);
    const fits = updates!.shape.every((n, i) => n === indices!.shape[i]);
    if (!fits || updates!.shape.length !== indices!.shape.length || updates!.dtype !== x!.dtype)
      throw new ShapeError(
        "",
        `updates ${updates!.dtype}${formatShape(updates!.shape)} do not fit indices ` +
          `${formatShape(indices!.shape)} and ${x!.dtype} values`,
      );
    return { dtype: x!.dtype, shape: x!.shape };
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

export const indexPrimitives = { gather, scatterAdd, indexSelect, indexAdd, scatter, randomBits };
