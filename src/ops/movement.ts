/** Ops that rearrange elements: reshape, transpose, slices in NumPy's notation, joining. Read indexing.ts next. */
import { resultType } from "../core/dtype.js";
import { ShapeError, ValueError } from "../core/errors.js";
import {
  broadcastShapes,
  checkShape,
  formatShape,
  inferShape,
  normalizeDim,
  normalizeDims,
  type Shape,
  sameShape,
  sizeOf,
} from "../core/shape.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { promoteNodes } from "./pointwise.js";

const reshapeSpec: OpSpec<{ readonly shape: Shape }> = {
  name: "reshape",
  sharesMemory: true,
  lower: (b, [x], { shape }) => b.reshape(x!, shape),
};

/** The same elements in another shape; one size may be -1 and is inferred. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const full = inferShape("reshape", shape, x.size);
  return applyOne(reshapeSpec, [x], { shape: [...full] });
}

export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  if (x.ndim === 0) return reshape(x, [1]);
  const [from, to] = [start, end].map((d) => normalizeDim("flatten", d, x.ndim)) as [number, number];
  if (from > to)
    throw new ValueError("flatten", `start dim ${start} comes after end dim ${end}`);
  const joined = sizeOf(x.shape.slice(from, to + 1));
  return reshape(x, [...x.shape.slice(0, from), joined, ...x.shape.slice(to + 1)]);
}

export function unsqueeze(x: Tensor, dim: number): Tensor {
  const place = normalizeDim("unsqueeze", dim, x.ndim + 1);
  return reshape(x, [...x.shape.slice(0, place), 1, ...x.shape.slice(place)]);
}

/** Drops dims of size 1: all of them, or those named (others that are named stay as they are). */
export function squeeze(x: Tensor, dim?: number | readonly number[]): Tensor {
  const dims = normalizeDims("squeeze", dim, x.ndim);
  return reshape(
    x,
    x.shape.filter((n, i) => n !== 1 || !dims.includes(i)),
  );
}

const permuteSpec: OpSpec<{ readonly permutation: readonly number[] }> = {
  name: "permute",
  lower: (b, [x], { permutation }) => b.transpose(x!, permutation),
};

export function permute(x: Tensor, dims: readonly number[]): Tensor {
  const permutation = dims.map((d) => normalizeDim("permute", d, x.ndim));
  if (new Set(permutation).size !== x.ndim || permutation.length !== x.ndim)
    throw new ValueError("permute", `${formatShape(dims)} is no order of ${x.ndim} dims`);
  return applyOne(permuteSpec, [x], { permutation });
}

export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  const [a, b] = [dim0, dim1].map((d) => normalizeDim("transpose", d, x.ndim)) as [number, number];
  if (x.ndim === 0) return x;
  const order = x.shape.map((_, i) => (i === a ? b : i === b ? a : i));
  return permute(x, order);
}

/** The transpose of a matrix; vectors and scalars stay as they are. */
export function t(x: Tensor): Tensor {
  if (x.ndim > 2)
    throw new ShapeError("t", `needs at most 2 dims, got ${formatShape(x.shape)}; use permute()`);
  return x.ndim === 2 ? transpose(x, 0, 1) : x;
}

const expandSpec: OpSpec<{ readonly shape: Shape }> = {
  name: "expand",
  lower: (b, [x], { shape }) => b.broadcastTo(x!, shape),
};

/** Repeats dims of size 1 up to the given sizes; -1 keeps a size. */
export function expand(x: Tensor, shape: Shape): Tensor {
  const lead = shape.length - x.ndim;
  const full = shape.map((n, i) => (n === -1 && i >= lead ? x.shape[i - lead]! : n));
  checkShape("expand", full);
  if (lead < 0 || !sameShape(broadcastShapes("expand", x.shape, full), full))
    throw new ShapeError(
      "expand",
      `cannot expand ${formatShape(x.shape)} to ${formatShape(shape)}`,
    );
  return applyOne(expandSpec, [x], { shape: full });
}

const flipSpec: OpSpec<{ readonly dims: readonly number[] }> = {
  name: "flip",
  lower: (b, [x], { dims }) => b.make("reverse", [x!], { dims }),
};

export const flip = (x: Tensor, dims: number | readonly number[]): Tensor =>
  applyOne(flipSpec, [x], { dims: normalizeDims("flip", dims, x.ndim) });

type Range = {
  readonly start: readonly number[];
  readonly limit: readonly number[];
  readonly strides: readonly number[];
};

const sliceSpec: OpSpec<Range> = {
  name: "slice",
  lower: (b, [x], { start, limit, strides }) => b.slice(x!, start, limit, strides),
};

function sliceDim(x: Tensor, dim: number, from: number, to: number, step = 1): Tensor {
  const replace = (list: readonly number[], value: number) =>
    list.map((n, i) => (i === dim ? value : n));
  return applyOne(sliceSpec, [x], {
    start: replace(
      x.shape.map(() => 0),
      from,
    ),
    limit: replace(x.shape, to),
    strides: replace(
      x.shape.map(() => 1),
      step,
    ),
  });
}

/** `length` places along a dim, from `start`. */
export function narrow(x: Tensor, dim: number, start: number, length: number): Tensor {
  const place = normalizeDim("narrow", dim, x.ndim);
  const n = x.shape[place] ?? 0;
  const from = start < 0 ? start + n : start;
  if (!(Number.isInteger(from) && from >= 0 && length >= 0 && from + length <= n))
    throw new ValueError("narrow", `${start} to ${start + length} is outside of size ${n}`);
  return sliceDim(x, place, from, from + length);
}

/** The part at one index of a dim, which goes away. */
export function select(x: Tensor, dim: number, index: number): Tensor {
  const place = normalizeDim("select", dim, x.ndim);
  const n = x.shape[place] ?? 0;
  const at = index < 0 ? index + n : index;
  if (!Number.isInteger(at) || at < 0 || at >= n)
    throw new ValueError("select", `index ${index} is out of range for size ${n} at dim ${dim}`);
  return squeeze(sliceDim(x, place, at, at + 1), place);
}

/** One entry of {@link at}: an index, a slice "from:to:step", "..." for the dims between, null for a new dim. */
export type AtIndex = number | string | null;

function parseSlice(text: string, n: number): [from: number, to: number, step: number] {
  const parts = text.split(":").map((part) => part.trim());
  const valid = parts.length >= 2 && parts.length <= 3 && parts.every((p) => /^(-?\d+)?$/.test(p));
  if (!valid) throw new ValueError("at", `"${text}" is no slice, expected "from:to:step" or "..."`);
  const [from, to, step] = parts.map((p) => (p === "" ? undefined : Number(p)));
  const by = step ?? 1;
  if (by < 1) throw new ValueError("at", `the step in "${text}" must be ≥ 1; use flip() to reverse`);
  const clip = (value: number) => Math.min(n, Math.max(0, value < 0 ? value + n : value));
  const start = clip(from ?? 0);
  return [start, Math.max(start, clip(to ?? n)), by];
}

/**
 * A part of a tensor in NumPy's notation: `x.at(0, ":", "1:3")`, `x.at("...", -1)`, `x.at(null, "::2")`.
 */
export function at(x: Tensor, ...indices: readonly AtIndex[]): Tensor {
  const used = indices.filter((i) => i !== null && i !== "...").length;
  if (used > x.ndim || indices.filter((i) => i === "...").length > 1)
    throw new ValueError("at", `${indices.length} indices do not fit ${formatShape(x.shape)}`);
  let result = x;
  let dim = 0;
  for (const index of indices) {
    if (index === "...") dim += x.ndim - used;
    else if (index === null) result = unsqueeze(result, dim++);
    else if (typeof index === "number") result = select(result, dim, index);
    else {
      const [from, to, step] = parseSlice(index, result.shape[dim]!);
      result = sliceDim(result, dim++, from, to, step);
    }
  }
  return result;
}

const catSpec: OpSpec<{ readonly dim: number }> = {
  name: "cat",
  lower: (b, nodes, { dim }) =>
    b.make("concatenate", promoteNodes(b, nodes, resultType(nodes)), { dim }),
};

/** Joins tensors along a dim that they have; the other sizes must be equal. */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  const [first] = tensors;
  if (!first) throw new ValueError("cat", "needs at least one tensor, got none");
  const place = normalizeDim("cat", dim, first.ndim);
  for (const x of tensors) {
    const fits =
      x.ndim === first.ndim && x.shape.every((n, i) => i === place || n === first.shape[i]);
    if (!fits || x.ndim === 0)
      throw new ShapeError(
        "cat",
        `${formatShape(first.shape)} and ${formatShape(x.shape)} do not join at dim ${dim}`,
      );
  }
  return tensors.length === 1 ? first : applyOne(catSpec, tensors, { dim: place });
}

/** Joins tensors of one shape along a new dim. */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  return cat(
    tensors.map((x) => unsqueeze(x, dim)),
    dim,
  );
}

install({ reshape, view: reshape, flatten, unsqueeze, squeeze, permute, transpose, t, expand });
install({ flip, narrow, select, at });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** The same elements in another shape; one size may be -1. */
    reshape(shape: Shape): Tensor;
    /** As reshape. */
    view(shape: Shape): Tensor;
    /** Joins the dims from `start` to `end` into one. */
    flatten(start?: number, end?: number): Tensor;
    /** Adds a dim of size 1. */
    unsqueeze(dim: number): Tensor;
    /** Drops dims of size 1, all or those named. */
    squeeze(dim?: number | readonly number[]): Tensor;
    /** Puts the dims in another order. */
    permute(dims: readonly number[]): Tensor;
    /** Swaps two dims. */
    transpose(dim0: number, dim1: number): Tensor;
    /** Transposes a matrix. */
    t(): Tensor;
    /** Repeats dims of size 1; -1 keeps a size. */
    expand(shape: Shape): Tensor;
    /** Reverses the order along dims. */
    flip(dims: number | readonly number[]): Tensor;
    /** `length` places along a dim, from `start`. */
    narrow(dim: number, start: number, length: number): Tensor;
    /** The part at one index of a dim. */
    select(dim: number, index: number): Tensor;
    /** A part in NumPy's notation: indices, "from:to:step", "...", null for a new dim. */
    at(...indices: AtIndex[]): Tensor;
  }
}
