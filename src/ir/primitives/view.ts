/** Primitives that rename elements without computing (views), and those that copy them to other places (moves). */
import { ShapeError, ValueError } from "../../core/errors.js";
import { formatShape, type Shape, sameShape, sizeOf } from "../../core/shape.js";
import type { Primitive, ValueType } from "../primitives.js";

export interface ReshapeAttributes {
  readonly shape: Shape;
}
export interface TransposeAttributes {
  /** Result dim i is input dim `permutation[i]`. */
  readonly permutation: readonly number[];
}
export interface BroadcastAttributes {
  readonly shape: Shape;
  /** Input dim i becomes result dim `dims[i]`; strictly rising. */
  readonly dims: readonly number[];
}
export interface SliceAttributes {
  readonly start: readonly number[];
  readonly limit: readonly number[];
  readonly strides: readonly number[];
}
export interface ReverseAttributes {
  readonly dims: readonly number[];
}
export interface PadAttributes {
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** Number of places put between neighbours along each dim. */
  readonly interior: readonly number[];
  readonly value: number;
}
export interface ConcatenateAttributes {
  readonly dim: number;
}

const need = (condition: boolean, message: () => string) => {
  if (!condition) throw new ShapeError("", message());
};

const reshape: Primitive<ReshapeAttributes> = {
  class: "view",
  arity: 1,
  infer([x], { shape }) {
    need(
      sizeOf(x!.shape) === sizeOf(shape),
      () => `cannot reshape ${formatShape(x!.shape)} to ${formatShape(shape)}`,
    );
    return { dtype: x!.dtype, shape };
  },
};

const transpose: Primitive<TransposeAttributes> = {
  class: "view",
  arity: 1,
  infer([x], { permutation }) {
    const sorted = [...permutation].sort((a, b) => a - b);
    if (sorted.length !== x!.shape.length || sorted.some((d, i) => d !== i))
      throw new ValueError(
        "",
        `${formatShape(permutation)} is no permutation of ${x!.shape.length} dims`,
      );
    return { dtype: x!.dtype, shape: permutation.map((d) => x!.shape[d]!) };
  },
};

const broadcastInDim: Primitive<BroadcastAttributes> = {
  class: "view",
  arity: 1,
  infer([x], { shape, dims }) {
    const fits =
      dims.length === x!.shape.length &&
      dims.every((d, i) => d < shape.length && (i === 0 || d > dims[i - 1]!)) &&
      dims.every((d, i) => x!.shape[i] === 1 || x!.shape[i] === shape[d]);
    need(
      fits,
      () =>
        `cannot broadcast ${formatShape(x!.shape)} to ${formatShape(shape)} at ${formatShape(dims)}`,
    );
    return { dtype: x!.dtype, shape };
  },
};

const slice: Primitive<SliceAttributes> = {
  class: "view",
  arity: 1,
  infer([x], { start, limit, strides }) {
    const shape = x!.shape.map((n, i) => {
      const [from, to, step] = [start[i]!, limit[i]!, strides[i]!];
      need(
        from >= 0 && from <= to && to <= n && step >= 1,
        () => `slice ${from}:${to}:${step} does not fit size ${n} at dim ${i}`,
      );
      return Math.ceil((to - from) / step);
    });
    need(start.length === shape.length, () => "one start, limit and stride a dim are needed");
    return { dtype: x!.dtype, shape };
  },
};

const reverse: Primitive<ReverseAttributes> = {
  class: "view",
  arity: 1,
  infer([x], { dims }) {
    need(
      dims.every((d) => d >= 0 && d < x!.shape.length),
      () => `dims ${formatShape(dims)} are not in ${formatShape(x!.shape)}`,
    );
    return { dtype: x!.dtype, shape: x!.shape };
  },
};

const pad: Primitive<PadAttributes> = {
  class: "move",
  arity: 1,
  infer([x], { low, high, interior }) {
    const shape = x!.shape.map((n, i) => {
      const size = low[i]! + high[i]! + n + Math.max(n - 1, 0) * interior[i]!;
      need(
        low[i]! >= 0 && high[i]! >= 0 && interior[i]! >= 0,
        () => `padding must be ≥ 0, got ${low[i]}, ${high[i]}, ${interior[i]} at dim ${i}`,
      );
      return size;
    });
    return { dtype: x!.dtype, shape };
  },
};

const concatenate: Primitive<ConcatenateAttributes> = {
  class: "move",
  arity: "any",
  infer(inputs, { dim }) {
    const first = inputs[0] as ValueType;
    const without = (shape: Shape) => shape.filter((_, i) => i !== dim);
    for (const other of inputs)
      need(
        other.dtype === first.dtype && sameShape(without(other.shape), without(first.shape)),
        () =>
          `cannot join ${first.dtype}${formatShape(first.shape)} and ` +
          `${other.dtype}${formatShape(other.shape)} at dim ${dim}`,
      );
    const size = inputs.reduce((sum, x) => sum + x.shape[dim]!, 0);
    return { dtype: first.dtype, shape: first.shape.map((n, i) => (i === dim ? size : n)) };
  },
};

export const viewPrimitives = {
  reshape,
  transpose,
  broadcastInDim,
  slice,
  reverse,
  pad,
  concatenate,
};
