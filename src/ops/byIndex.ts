/** Ops with one list of indices for a whole dim, and flat indices: indexSelect, indexAdd, take. Read masked.ts next. */
import { DTypeError, ShapeError } from "../core/errors.js";
import { broadcastShapes, formatShape, normalizeDim } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, checkTensors, type OpSpec, scalarLike } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { gather, indexNodes } from "./indexing.js";
import { expand, reshape } from "./movement.js";
import { withDims } from "./scatter.js";

type AlongDim = { readonly dim: number };

/** Indices below 0 count from the end. */
export const fromEnd = (b: Builder, indices: Node, size: number): Node =>
  b.select(b.pointwise("less", indices, 0), b.add(indices, size), indices);

/** One index list, without or with one dim, as int32 [K]. */
function indexList(b: Builder, op: string, given: Node): Node {
  const indices = indexNodes(b, op, given);
  if (indices.shape.length > 1)
    throw new ShapeError(op, `indices must have one dim, got ${formatShape(indices.shape)}`);
  return indices.shape.length === 0 ? b.reshape(indices, [1]) : indices;
}

const selectSpec: OpSpec<AlongDim> = {
  name: "indexSelect",
  lower: (b, [x, indices], { dim }) =>
    b.make("indexSelect", [x!, indexList(b, "indexSelect", indices!)], { dim }),
};

/**
 * The parts of x at listed indices of a dim, in the list's order.
 *
 * @throws ValueError if an index is out of range; ShapeError unless the indices have one dim.
 * @example
 * ```ts
 * import { indexSelect, tensor } from "gradus";
 * const indices = tensor([1, 1, 0], { dtype: "int32" });
 * console.log(indexSelect(tensor([5, 6, 7]), 0, indices).toArray()); // → [ 6, 6, 5 ]
 * ```
 */
export const indexSelect = (x: Tensor, dim: number, indices: Tensor): Tensor =>
  withDims("indexSelect", x, dim, [indices], (from, place, [at]) =>
    applyOne(selectSpec, [from, at!], { dim: place }),
  );

export interface IndexAddOptions {
  /** Factor of the source; default 1. */
  readonly alpha?: number;
}

const addSpec: OpSpec<AlongDim & { readonly alpha: number }> = {
  name: "indexAdd",
  lower(b, [x, given, source], { dim, alpha }) {
    const indices = indexList(b, "indexAdd", given!);
    const scaled = alpha === 1 ? source! : b.multiply(source!, alpha);
    return b.add(x!, b.make("indexAdd", [scaled, indices], { dim, size: x!.shape[dim]! }));
  },
};

const copySpec: OpSpec<AlongDim> = {
  name: "indexCopy",
  lower(b, [x, given, source], { dim }) {
    const indices = indexList(b, "indexCopy", given!);
    const all = b.make("broadcastInDim", [indices], { shape: source!.shape, dims: [dim] });
    return b.make("scatter", [x!, all, source!], { dim });
  },
};

function checkSource(op: string, x: Tensor, dim: number, indices: Tensor, source: Tensor): void {
  const count = indices.size;
  const fits =
    source.ndim === x.ndim &&
    source.shape.every((n, i) => (i === dim ? n === count : n === x.shape[i]));
  if (!fits)
    throw new ShapeError(
      op,
      `source must be ${formatShape(x.shape.map((n, i) => (i === dim ? count : n)))} for ` +
        `${count} indices at dim ${dim}, got ${formatShape(source.shape)}`,
    );
  if (source.dtype !== x.dtype)
    throw new DTypeError(op, `source must be ${x.dtype} as x is, got ${source.dtype}`);
}

/**
 * x with alpha times the source's parts added at listed indices of a dim; repeated indices add up.
 *
 * @throws ValueError if an index is out of range; ShapeError unless the source fits.
 * @example
 * ```ts
 * import { indexAdd, ones, tensor, zeros } from "gradus";
 * const indices = tensor([1, 1, 0], { dtype: "int32" });
 * console.log(indexAdd(zeros([3]), 0, indices, ones([3])).toArray()); // → [ 1, 2, 0 ]
 * ```
 */
export function indexAdd(
  x: Tensor,
  dim: number,
  indices: Tensor,
  source: Tensor,
  { alpha = 1 }: IndexAddOptions = {},
): Tensor {
  return withDims("indexAdd", x, dim, [indices, source], (to, place, [at, from]) => {
    checkSource("indexAdd", to, place, at!, from!);
    return applyOne(addSpec, [to, at!, from!], { dim: place, alpha });
  });
}

/**
 * x with the source's parts written at listed indices of a dim; of several for one place the last stays.
 *
 * @throws ValueError if an index is out of range; ShapeError unless the source fits.
 * @example
 * ```ts
 * import { indexCopy, tensor, zeros } from "gradus";
 * const indices = tensor([2, 0], { dtype: "int32" });
 * console.log(indexCopy(zeros([3]), 0, indices, tensor([5, 6])).toArray()); // → [ 6, 0, 5 ]
 * ```
 */
export function indexCopy(x: Tensor, dim: number, indices: Tensor, source: Tensor): Tensor {
  return withDims("indexCopy", x, dim, [indices, source], (to, place, [at, from]) => {
    checkSource("indexCopy", to, place, at!, from!);
    return applyOne(copySpec, [to, at!, from!], { dim: place });
  });
}

const fillSpec: OpSpec<AlongDim> = {
  name: "indexFill",
  lower(b, [x, given, value], { dim }) {
    const size = x!.shape[dim]!;
    const indices = fromEnd(b, indexList(b, "indexFill", given!), size);
    const ones = b.constant(1, "int32", indices.shape);
    const counts = b.make("indexAdd", [ones, indices], { dim: 0, size });
    const isNamed = b.pointwise("greater", counts, 0);
    const mask = b.make("broadcastInDim", [isNamed], { shape: x!.shape, dims: [dim] });
    return b.select(mask, b.convert(value!, x!.dtype), x!);
  },
};

/**
 * x with a value (a number, or a tensor without dims) at listed indices of a dim. Indices below 0 count from the end.
 *
 * @throws ValueError if an index is out of range.
 * @example
 * ```ts
 * import { indexFill, tensor } from "gradus";
 * const indices = tensor([-1, 0], { dtype: "int32" });
 * console.log(indexFill(tensor([5, 6, 7]), 0, indices, 0).toArray()); // → [ 0, 6, 0 ]
 * ```
 */
export function indexFill(x: Tensor, dim: number, indices: Tensor, value: number | Tensor): Tensor {
  const filling = typeof value === "number" ? scalarLike("indexFill", value, x) : value;
  if (filling.ndim > 0)
    throw new ShapeError(
      "indexFill",
      `the value must have no dims, got ${formatShape(filling.shape)}`,
    );
  return withDims("indexFill", x, dim, [indices], (to, place, [at]) =>
    applyOne(fillSpec, [to, at!, filling], { dim: place }),
  );
}

const takeSpec: OpSpec = {
  name: "take",
  lower(b, [x, given]) {
    const size = x!.shape.reduce((n, m) => n * m, 1);
    const indices = fromEnd(b, indexNodes(b, "take", given!), size);
    const count = indices.shape.reduce((n, m) => n * m, 1);
    const flat = b.make("indexSelect", [b.reshape(x!, [size]), b.reshape(indices, [count])], {
      dim: 0,
    });
    return b.reshape(flat, indices.shape);
  },
};

/**
 * The elements at indices into the flattened tensor, in the indices' shape. Indices below 0 count from the end.
 *
 * @throws ValueError if an index is out of range.
 * @example
 * ```ts
 * import { take, tensor } from "gradus";
 * const indices = tensor([0, -1], { dtype: "int32" });
 * console.log(take(tensor([[1, 2], [3, 4]]), indices).toArray()); // → [ 1, 4 ]
 * ```
 */
export const take = (x: Tensor, indices: Tensor): Tensor => applyOne(takeSpec, [x, indices], {});

/**
 * As `gather`, but x and the indices broadcast in the other dims; without a dim, into the flattened tensor. It takes what
 * `argsort`, `argmax` with keepDim and the like give.
 *
 * @throws ValueError if an index is out of range; ShapeError unless both have the same number of dims.
 * @example
 * ```ts
 * import { takeAlongDim, tensor } from "gradus";
 * const x = tensor([[3, 1, 2]]);
 * console.log(takeAlongDim(x, x.argsort(1), 1).toArray()); // → [ [ 1, 2, 3 ] ]
 * ```
 */
export function takeAlongDim(x: Tensor, indices: Tensor, dim?: number): Tensor {
  checkTensors("takeAlongDim", [x, indices]);
  if (dim === undefined) return gather(reshape(x, [x.size]), 0, reshape(indices, [indices.size]));
  const place = normalizeDim("takeAlongDim", dim, x.ndim);
  if (x.ndim !== indices.ndim)
    throw new ShapeError(
      "takeAlongDim",
      `needs as many dims in both, got ${formatShape(x.shape)} and ${formatShape(indices.shape)}`,
    );
  const others = (y: Tensor) => y.shape.map((n, i) => (i === place ? 1 : n));
  const common = broadcastShapes("takeAlongDim", others(x), others(indices));
  const stretch = (y: Tensor) =>
    expand(
      y,
      common.map((n, i) => (i === place ? y.shape[i]! : n)),
    );
  return gather(stretch(x), place, stretch(indices));
}

install({ indexSelect, indexAdd, indexCopy, indexFill, take, takeAlongDim });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** The parts at listed indices of a dim. */
    indexSelect(dim: number, indices: Tensor): Tensor;
    /** The source's parts added at listed indices of a dim. */
    indexAdd(dim: number, indices: Tensor, source: Tensor, options?: IndexAddOptions): Tensor;
    /** The source's parts written at listed indices of a dim. */
    indexCopy(dim: number, indices: Tensor, source: Tensor): Tensor;
    /** A value written at listed indices of a dim. */
    indexFill(dim: number, indices: Tensor, value: number | Tensor): Tensor;
    /** The elements at indices into the flattened tensor. */
    take(indices: Tensor): Tensor;
    /** As gather, with broadcasting in the other dims. */
    takeAlongDim(indices: Tensor, dim?: number): Tensor;
  }
}
