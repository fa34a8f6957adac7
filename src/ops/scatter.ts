/** Ops that write where indices say, one index an element. Read scatterReduce.ts or byIndex.ts next. */
import { DTypeError, ShapeError } from "../core/errors.js";
import { formatShape, normalizeDim, type Shape, sameShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec, scalarLike } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { indexNodes } from "./indexing.js";
import { reshape } from "./movement.js";

type AlongDim = { readonly dim: number };

const origin = (shape: Shape): number[] => shape.map(() => 0);

/** The part of x that indices along a dim can reach: where the indices are smaller than x, so is the part. */
export function reachable(b: Builder, x: Node, indices: Node, dim: number): Node {
  const limit = x.shape.map((n, i) => (i === dim ? n : indices.shape[i]!));
  return b.slice(x, origin(x.shape), limit);
}

/** Adds zeros after a part up to a shape. */
export function padTo(b: Builder, part: Node, shape: Shape): Node {
  if (sameShape(part.shape, shape)) return part;
  const high = shape.map((n, i) => n - part.shape[i]!);
  return b.make("pad", [part], { low: origin(shape), high, interior: origin(shape), value: 0 });
}

/** x with its first corner replaced by a part. */
export function putBack(b: Builder, x: Node, part: Node): Node {
  const tests = x.shape.flatMap((n, i) =>
    part.shape[i] === n ? [] : [b.pointwise("less", b.iota(i, x.shape), part.shape[i]!)],
  );
  if (tests.length === 0) return part;
  const isInside = tests.reduce((all, one) => b.pointwise("and", all, one));
  return b.select(isInside, padTo(b, part, x.shape), x);
}

/** The updates that go with the indices: the first corner of a source, or one value for all. */
export function updatesFor(b: Builder, source: Node, indices: Node): Node {
  if (source.shape.length === 0) return b.broadcastTo(source, indices.shape);
  return b.slice(source, origin(indices.shape), indices.shape);
}

const scatterSpec: OpSpec<AlongDim> = {
  name: "scatter",
  lower(b, [x, given, source], { dim }) {
    const indices = indexNodes(b, "scatter", given!);
    const updates = b.convert(updatesFor(b, source!, indices), x!.dtype);
    const part = reachable(b, x!, indices, dim);
    return putBack(b, x!, b.make("scatter", [part, indices, updates], { dim }));
  },
};

const scatterAddSpec: OpSpec<AlongDim> = {
  name: "scatterAdd",
  lower(b, [x, given, source], { dim }) {
    const indices = indexNodes(b, "scatterAdd", given!);
    const size = x!.shape[dim]!;
    const updates = updatesFor(b, source!, indices);
    const sums = b.make("scatterAdd", [updates, indices], { dim, size });
    return b.add(x!, padTo(b, sums, x!.shape));
  },
};

/** What the checks look at. */
type Typed = Pick<Tensor, "dtype" | "ndim" | "shape">;

/** Throws unless the indices fit x in every dim but one, and the source in all. */
export function checkScatter(op: string, x: Typed, dim: number, indices: Typed, source: Typed) {
  const fitsX =
    indices.ndim === x.ndim && indices.shape.every((n, i) => i === dim || n <= x.shape[i]!);
  const fitsSource =
    indices.ndim === source.ndim && indices.shape.every((n, i) => n <= source.shape[i]!);
  if (!fitsX || !fitsSource)
    throw new ShapeError(
      op,
      `indices ${formatShape(indices.shape)} do not fit x ${formatShape(x.shape)} and source ` +
        `${formatShape(source.shape)} along dim ${dim}`,
    );
  if (source.dtype !== x.dtype)
    throw new DTypeError(op, `source must be ${x.dtype} as x is, got ${source.dtype}`);
}

/** Runs an op along a dim on tensors that may have no dims, as lists of one. */
export function withDims(
  op: string,
  x: Tensor,
  dim: number,
  others: readonly Tensor[],
  run: (x: Tensor, place: number, others: readonly Tensor[]) => Tensor,
): Tensor {
  const place = normalizeDim(op, dim, x.ndim);
  if (x.ndim > 0) return run(x, place, others);
  const lifted = others.map((y) => (y.ndim === 0 ? reshape(y, [1]) : y));
  return reshape(run(reshape(x, [1]), 0, lifted), []);
}

/**
 * x with the source's elements written over it along `dim`: out[index[i][j]][j] = source[i][j] for dim 0. A number
 * stands for a source full of it. Of several for one place the last stays, and it alone has a gradient.
 *
 * @throws ShapeError unless the indices fit; ValueError if an index is out of range.
 * @example
 * ```ts
 * import { scatter, tensor, zeros } from "gradus";
 * const indices = tensor([2, 0], { dtype: "int32" });
 * console.log(scatter(zeros([3]), 0, indices, tensor([5, 6])).toArray()); // → [ 6, 0, 5 ]
 * ```
 */
export function scatter(x: Tensor, dim: number, indices: Tensor, source: Tensor | number): Tensor {
  if (typeof source === "number") {
    const value = scalarLike("scatter", source, x);
    return withDims("scatter", x, dim, [indices], (to, place, [at]) => {
      const full = { ndim: at!.ndim, shape: at!.shape, dtype: to.dtype };
      checkScatter("scatter", to, place, at!, full);
      return applyOne(scatterSpec, [to, at!, value], { dim: place });
    });
  }
  return withDims("scatter", x, dim, [indices, source], (to, place, [at, from]) => {
    checkScatter("scatter", to, place, at!, from!);
    return applyOne(scatterSpec, [to, at!, from!], { dim: place });
  });
}

/**
 * x with the source's elements added along `dim`: out[index[i][j]][j] += source[i][j] for dim 0.
 *
 * @throws ShapeError unless the indices fit; ValueError if an index is out of range.
 * @example
 * ```ts
 * import { ones, scatterAdd, tensor, zeros } from "gradus";
 * const indices = tensor([2, 0, 2], { dtype: "int32" });
 * console.log(scatterAdd(zeros([3]), 0, indices, ones([3])).toArray()); // → [ 1, 0, 2 ]
 * ```
 */
export function scatterAdd(x: Tensor, dim: number, indices: Tensor, source: Tensor): Tensor {
  return withDims("scatterAdd", x, dim, [indices, source], (to, place, [at, from]) => {
    checkScatter("scatterAdd", to, place, at!, from!);
    return applyOne(scatterAddSpec, [to, at!, from!], { dim: place });
  });
}

install({ scatter, scatterAdd });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** The source's elements, or a number, written where indices along a dim say. */
    scatter(dim: number, indices: Tensor, source: Tensor | number): Tensor;
    /** The source's elements added where indices along a dim say. */
    scatterAdd(dim: number, indices: Tensor, source: Tensor): Tensor;
  }
}
