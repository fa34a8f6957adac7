/** Ops that put elements in order, and choose by rank: sort, topk, kthvalue. Read rank.ts next. */
import { ValueError } from "../core/errors.js";
import { normalizeDim } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { apply, applyOne, checkTensors, type OpSpec } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Extreme } from "./argmax.js";
import type { KeepDim } from "./reduce.js";
import { asLine } from "./scan.js";

export interface SortOptions {
  /** From the largest to the smallest; default false. */
  readonly descending?: boolean;
  /** Equal elements keep their order. They always do here; the option is there for PyTorch's sake. */
  readonly stable?: boolean;
}

type SortAttributes = { readonly dim: number; readonly descending: boolean };

/** The elements sorted along a dim, and where they come from. NaN counts as largest. */
export function sortNodes(
  b: Builder,
  x: Node,
  dim: number,
  descending = false,
): { values: Node; indices: Node } {
  const indices = b.make("argSort", [x], { dim, descending });
  return { values: b.make("gather", [x, indices], { dim }), indices };
}

/** Places `from` to `to` along a dim. */
export function range(b: Builder, x: Node, dim: number, from: number, to: number): Node {
  const start = x.shape.map((_, i) => (i === dim ? from : 0));
  return b.slice(
    x,
    start,
    x.shape.map((n, i) => (i === dim ? to : n)),
  );
}

const sortSpec: OpSpec<SortAttributes> = {
  name: "sort",
  lower(b, [x], { dim, descending }) {
    const { values, indices } = sortNodes(b, asLine(b, x!), dim, descending);
    return [b.reshape(values, x!.shape), b.reshape(indices, x!.shape)];
  },
};

const argsortSpec: OpSpec<SortAttributes> = {
  name: "argsort",
  lower: (b, [x], attributes) =>
    b.reshape(b.make("argSort", [asLine(b, x!)], attributes), x!.shape),
};

const pairOf = ([values, indices]: readonly Tensor[]): Extreme => ({
  values: values!,
  indices: indices!,
});

/**
 * The elements in rising order along a dim, and the indices that sort. Equal elements keep their order; NaN counts as
 * largest.
 *
 * @example
 * ```ts
 * import { sort, tensor } from "gradus";
 * const { values, indices } = sort(tensor([3, 1, 2]));
 * console.log(values.toArray(), indices.toArray()); // → [ 1, 2, 3 ] [ 1, 2, 0 ]
 * ```
 */
export function sort(x: Tensor, dim = -1, { descending = false }: SortOptions = {}): Extreme {
  return pairOf(apply(sortSpec, [x], { dim: normalizeDim("sort", dim, x.ndim), descending }));
}

/**
 * The indices that sort along a dim.
 *
 * @example
 * ```ts
 * import { argsort, tensor } from "gradus";
 * console.log(argsort(tensor([3, 1, 2]), 0, { descending: true }).toArray()); // → [ 0, 2, 1 ]
 * ```
 */
export function argsort(x: Tensor, dim = -1, { descending = false }: SortOptions = {}): Tensor {
  return applyOne(argsortSpec, [x], { dim: normalizeDim("argsort", dim, x.ndim), descending });
}

/**
 * The values sorted along the first dim.
 *
 * @example
 * ```ts
 * import { msort, tensor } from "gradus";
 * console.log(msort(tensor([[2, 1], [1, 3]])).toArray()); // → [ [ 1, 1 ], [ 2, 3 ] ]
 * ```
 */
export const msort = (x: Tensor): Tensor => sort(x, 0).values;

export interface TopkOptions {
  /** The largest (default) or the smallest elements. */
  readonly largest?: boolean;
  /** Best first. They always are here; the option is there for PyTorch's sake. */
  readonly sorted?: boolean;
}

type TopkAttributes = SortAttributes & { readonly k: number };

const topkSpec: OpSpec<TopkAttributes> = {
  name: "topk",
  lower(b, [x], { dim, descending, k }) {
    const line = asLine(b, x!);
    const order = b.make("argSort", [line], { dim, descending });
    const indices = range(b, order, dim, 0, k);
    const values = b.make("gather", [line, indices], { dim });
    if (x!.shape.length > 0) return [values, indices];
    return k === 1 ? [b.reshape(values, []), b.reshape(indices, [])] : [values, indices];
  },
};

const sizeAt = (x: Tensor, dim: number): number => x.shape[dim] ?? 1;

function checkRank(op: string, k: number, least: number, most: number): void {
  if (!Number.isInteger(k) || k < least || k > most)
    throw new ValueError(op, `k must be from ${least} to ${most}, the size of the dim, got ${k}`);
}

/**
 * The k largest (or smallest) elements along a dim, best first, and their indices.
 *
 * @throws ValueError if k is over the dim's size.
 * @example
 * ```ts
 * import { tensor, topk } from "gradus";
 * console.log(topk(tensor([3, 1, 2]), 2).indices.toArray()); // → [ 0, 2 ]
 * ```
 */
export function topk(
  x: Tensor,
  k: number,
  dim = -1,
  { largest = true }: TopkOptions = {},
): Extreme {
  checkTensors("topk", [x]);
  const place = normalizeDim("topk", dim, x.ndim);
  checkRank("topk", k, 0, sizeAt(x, place));
  return pairOf(apply(topkSpec, [x], { dim: place, descending: largest, k }));
}

type ChoiceAttributes = {
  readonly dim: number;
  readonly keepDim: boolean;
};

const kthvalueSpec: OpSpec<ChoiceAttributes & { readonly k: number }> = {
  name: "kthvalue",
  lower(b, [x], { dim, keepDim, k }) {
    const line = asLine(b, x!);
    const order = b.make("argSort", [line], { dim, descending: false });
    const indices = range(b, order, dim, k - 1, k);
    return chosen(b, x!, line, indices, dim, keepDim);
  },
};

/** The elements at indices that have size 1 along `dim`, and the indices, with the dim kept or dropped. */
export function chosen(
  b: Builder,
  x: Node,
  line: Node,
  indices: Node,
  dim: number,
  keepDim: boolean,
): Node[] {
  const values = b.make("gather", [line, indices], { dim });
  const rest = keepDim
    ? x.shape.map((n, i) => (i === dim ? 1 : n))
    : x.shape.filter((_, i) => i !== dim);
  return [b.reshape(values, rest), b.reshape(indices, rest)];
}

/**
 * The k-th smallest element along a dim (from 1), and its index.
 *
 * @throws ValueError unless k is from 1 to the dim's size.
 * @example
 * ```ts
 * import { kthvalue, tensor } from "gradus";
 * console.log(kthvalue(tensor([3, 1, 2]), 2).values.item()); // → 2
 * ```
 */
export function kthvalue(
  x: Tensor,
  k: number,
  dim = -1,
  { keepDim = false }: KeepDim = {},
): Extreme {
  checkTensors("kthvalue", [x]);
  const place = normalizeDim("kthvalue", dim, x.ndim);
  checkRank("kthvalue", k, 1, sizeAt(x, place));
  return pairOf(apply(kthvalueSpec, [x], { dim: place, keepDim, k }));
}

install({ sort, argsort, msort, topk, kthvalue });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** The elements in order along a dim (the last), and the indices that sort. */
    sort(dim?: number, options?: SortOptions): Extreme;
    /** The indices that sort along a dim. */
    argsort(dim?: number, options?: SortOptions): Tensor;
    /** The values sorted along the first dim. */
    msort(): Tensor;
    /** The k largest or smallest elements along a dim, and their indices. */
    topk(k: number, dim?: number, options?: TopkOptions): Extreme;
    /** The k-th smallest element along a dim, and its index. */
    kthvalue(k: number, dim?: number, options?: KeepDim): Extreme;
  }
}
