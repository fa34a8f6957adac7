/** Ops that summarize by rank: median, quantile, mode. Read norm.ts next. */
import { isFloat } from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, normalizeDim } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { apply, applyOne, type OpSpec } from "../tensor/apply.js";
import { tensor } from "../tensor/create.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Extreme } from "./argmax.js";
import { chosen, range, sortNodes } from "./order.js";
import { type KeepDim, needFloat } from "./reduce.js";
import { asLine } from "./scan.js";

type Attributes = { readonly dim: number; readonly keepDim: boolean };

const sizeOfLine = (x: Node): number => x.shape.reduce((n, m) => n * m, 1);

const isNaNNode = (b: Builder, x: Node): Node => b.pointwise("notEqual", x, x);

/** How many elements along a dim are NaN, with the dim kept. */
const countNaN = (b: Builder, x: Node, dim: number): Node =>
  b.reduce("reduceSum", b.convert(isNaNNode(b, x), "int32"), [dim], true);

/** Whether NaN is passed over or makes the result NaN. */
type Skips = { readonly skipsNaN: boolean };

/** The index of the lower of the middle elements; of the first NaN if there is one and it is not skipped. */
function medianIndex(b: Builder, x: Node, dim: number, { skipsNaN }: Skips): Node {
  const size = x.shape[dim]!;
  const { indices } = sortNodes(b, x, dim);
  const middle = Math.floor((size - 1) / 2);
  if (!isFloat(x.dtype)) return range(b, indices, dim, middle, middle + 1);
  const missing = countNaN(b, x, dim);
  const present = b.subtract(size, missing);
  // Of none the quotient is 0, too: -1 / 2 is cut off.
  const rank = skipsNaN
    ? b.divide(b.subtract(present, 1), 2)
    : b.select(b.equal(missing, 0), middle, present);
  return b.make("gather", [indices, rank], { dim });
}

const needNumbers = (op: string, x: Node): void => {
  if (x.dtype === "bool") throw new DTypeError(op, "does not take bool, convert it first");
};

const needElements = (op: string, x: Node, dim: number): void => {
  if (x.shape[dim] === 0)
    throw new ShapeError(op, `nothing to choose from in ${formatShape(x.shape)} at dim ${dim}`);
};

const medianSpec = (name: string, skips: Skips): OpSpec => ({
  name,
  lower(b, [x]) {
    needNumbers(name, x!);
    const flat = b.reshape(x!, [sizeOfLine(x!)]);
    if (flat.shape[0] === 0 && isFloat(x!.dtype)) return b.constant(Number.NaN, x!.dtype);
    needElements(name, flat, 0);
    const found = b.make("gather", [flat, medianIndex(b, flat, 0, skips)], { dim: 0 });
    const value = b.reshape(found, []);
    if (!isFloat(x!.dtype)) return value;
    // Equal elements share the gradient evenly: it goes through the maximum of those that are the median.
    const middle = b.stopGradient(value);
    const same = b.select(b.equal(flat, middle), flat, Number.NEGATIVE_INFINITY);
    const shared = b.reduce("reduceMax", same, [0]);
    return b.select(isNaNNode(b, middle), middle, shared);
  },
});

const medianAlongSpec = (name: string, skips: Skips): OpSpec<Attributes> => ({
  name,
  lower(b, [x], { dim, keepDim }) {
    needNumbers(name, x!);
    const line = asLine(b, x!);
    needElements(name, line, dim);
    return chosen(b, x!, line, medianIndex(b, line, dim, skips), dim, keepDim);
  },
});

const modeSpec: OpSpec<Attributes> = {
  name: "mode",
  lower(b, [x], { dim, keepDim }) {
    const line = asLine(b, x!);
    needElements("mode", line, dim);
    const { values, indices } = sortNodes(b, b.stopGradient(line), dim);
    const size = line.shape[dim]!;
    const before = b.make(
      "concatenate",
      [range(b, values, dim, 0, 1), range(b, values, dim, 0, size - 1)],
      { dim },
    );
    const place = b.iota(dim, line.shape);
    const isNew = b.pointwise("notEqual", values, before);
    const starts = b.select(isNew, place, 0);
    const last = b.make("cumulativeArgMax", [starts], { dim });
    // The longest run of equal elements: where the distance to its start is largest for the first time.
    const length = b.subtract(place, b.make("gather", [starts, last], { dim }));
    const ending = b.make("argMax", [length], { dim });
    const kept = line.shape.map((n, i) => (i === dim ? 1 : n));
    const at = b.make("gather", [indices, b.reshape(ending, kept)], { dim });
    return chosen(b, x!, line, at, dim, keepDim);
  },
};

interface Median {
  (x: Tensor): Tensor;
  (x: Tensor, dim: number, options?: KeepDim): Extreme;
}

function medianOp(name: string, skips: Skips): Median {
  const [ofAll, along] = [medianSpec(name, skips), medianAlongSpec(name, skips)];
  const fn = (x: Tensor, dim?: number, { keepDim = false }: KeepDim = {}): Tensor | Extreme => {
    if (dim === undefined) return applyOne(ofAll, [x], {});
    const place = normalizeDim(name, dim, x.ndim);
    const [values, indices] = apply(along, [x], { dim: place, keepDim });
    return { values: values!, indices: indices! };
  };
  return fn as Median;
}

/**
 * The middle element, the lower one of two: of all, or along a dim with its index. NaN if there is a NaN.
 * Over all, equal elements share the gradient evenly.
 *
 * @throws ShapeError if there are no elements along the dim.
 * @example
 * ```ts
 * import { median, tensor } from "gradus";
 * console.log(median(tensor([4, 1, 3, 2])).item()); // → 2
 * ```
 */
export const median = medianOp("median", { skipsNaN: false });

/**
 * {@link median} of the elements that are not NaN; NaN if there are none.
 *
 * @throws ShapeError if there are no elements along the dim.
 * @example
 * ```ts
 * import { nanmedian, tensor } from "gradus";
 * console.log(nanmedian(tensor([4, NaN, 1, 3])).item()); // → 3
 * ```
 */
export const nanmedian = medianOp("nanmedian", { skipsNaN: true });

/**
 * The most frequent element along a dim, the smallest of such, and the index of its last occurrence.
 *
 * @throws ShapeError if there are no elements along the dim.
 * @example
 * ```ts
 * import { mode, tensor } from "gradus";
 * console.log(mode(tensor([3, 1, 3, 2])).values.item()); // → 3
 * ```
 */
export function mode(x: Tensor, dim = -1, { keepDim = false }: KeepDim = {}): Extreme {
  const place = normalizeDim("mode", dim, x.ndim);
  const [values, indices] = apply(modeSpec, [x], { dim: place, keepDim });
  return { values: values!, indices: indices! };
}

const interpolations = ["linear", "lower", "higher", "midpoint", "nearest"] as const;

export interface QuantileOptions extends KeepDim {
  /** What to take between two elements; default "linear". */
  readonly interpolation?: (typeof interpolations)[number];
}

type QuantileAttributes = Attributes & {
  readonly all: boolean;
  readonly interpolation: (typeof interpolations)[number];
};

const quantileSpec = (name: string, { skipsNaN }: Skips): OpSpec<QuantileAttributes> => ({
  name,
  lower(b, [given, q], { dim, keepDim, all, interpolation }) {
    needFloat(name, given!);
    const x = all ? b.reshape(given!, [sizeOfLine(given!)]) : asLine(b, given!);
    needElements(name, x, dim);
    // Lines to the end, and a rank for each q beside them.
    const order = x.shape.map((_, i) => i).filter((i) => i !== dim);
    const lines = b.transpose(x, [...order, dim]);
    const last = order.length;
    const { values } = sortNodes(b, lines, last);
    const outer = lines.shape.slice(0, -1);
    const count = sizeOfLine(q!);
    const wanted = [...outer, count];
    const size = x.shape[dim]!;
    const shares = b.broadcastTo(b.reshape(q!, [count]), wanted);
    const missing = b.broadcastTo(countNaN(b, lines, last), wanted);
    const most = b.pointwise("maximum", b.subtract(size - 1, missing), 0);
    const ranks = skipsNaN
      ? b.multiply(shares, b.convert(most, shares.dtype))
      : b.select(b.equal(missing, 0), b.multiply(shares, size - 1), size - 1);
    const pick = (rank: Node) =>
      b.make("gather", [values, b.convert(rank, "int32")], { dim: last });
    const result = b.transpose(interpolate(b, ranks, interpolation, pick), [
      last,
      ...outer.map((_, i) => i),
    ]);
    const kept = keepDim ? given!.shape.map((n, i) => (all || i === dim ? 1 : n)) : outer;
    return b.reshape(result, [...q!.shape, ...kept]);
  },
});

function interpolate(
  b: Builder,
  ranks: Node,
  kind: QuantileAttributes["interpolation"],
  pick: (rank: Node) => Node,
): Node {
  const below = b.pointwise("floor", ranks);
  if (kind === "lower") return pick(below);
  const above = b.pointwise("ceil", ranks);
  if (kind === "higher") return pick(above);
  if (kind === "nearest") return pick(b.pointwise("roundNearestEven", ranks));
  const [low, high] = [pick(below), pick(above)];
  const weight = kind === "midpoint" ? b.constant(0.5, ranks.dtype) : b.subtract(ranks, below);
  // From the nearer end, which keeps the result within both ends and exact at them.
  const gap = b.subtract(high, low);
  const isNearLow = b.pointwise("less", weight, 0.5);
  return b.select(
    isNearLow,
    b.add(low, b.multiply(weight, gap)),
    b.subtract(high, b.multiply(gap, b.subtract(1, weight))),
  );
}

function quantileInput(op: string, x: Tensor, q: number | readonly number[] | Tensor): Tensor {
  if (typeof q !== "number" && !Array.isArray(q)) {
    const given = q as Tensor;
    if (given.dtype !== x.dtype || given.ndim > 1)
      throw new ValueError(
        op,
        `q must be ${x.dtype} without or with one dim, got ${given.dtype}${formatShape(given.shape)}`,
      );
    return given;
  }
  const list = typeof q === "number" ? [q] : (q as readonly number[]);
  const outside = list.find((p) => !(p >= 0 && p <= 1));
  if (outside !== undefined) throw new ValueError(op, `q must be from 0 to 1, got ${outside}`);
  needFloat(op, x as unknown as Node);
  return tensor([...list], { dtype: x.dtype, shape: typeof q === "number" ? [] : [list.length] });
}

type Quantile = (
  x: Tensor,
  q: number | readonly number[] | Tensor,
  dim?: number,
  options?: QuantileOptions,
) => Tensor;

function quantileOp(name: string, skips: Skips): Quantile {
  const spec = quantileSpec(name, skips);
  return (x, q, dim, { keepDim = false, interpolation = "linear" } = {}) => {
    if (!interpolations.includes(interpolation))
      throw new ValueError(
        name,
        `interpolation must be ${interpolations.join(", ")}, got "${interpolation}"`,
      );
    const place = dim === undefined ? 0 : normalizeDim(name, dim, x.ndim);
    const attributes = { dim: place, keepDim, all: dim === undefined, interpolation };
    return applyOne(spec, [x, quantileInput(name, x, q)], attributes);
  };
}

/**
 * The q-quantiles of all elements or along a dim: sorted, the element at rank q·(n − 1), interpolated. Several q
 * make a first dim of the result. NaN if there is a NaN.
 *
 * @throws ValueError unless q is from 0 to 1; ShapeError if there are no elements.
 * @example
 * ```ts
 * import { quantile, tensor } from "gradus";
 * console.log(quantile(tensor([1, 2, 3, 4]), 0.5).item()); // → 2.5
 * console.log(quantile(tensor([1, 2, 3, 4]), [0, 1]).toArray()); // → [ 1, 4 ]
 * ```
 */
export const quantile = quantileOp("quantile", { skipsNaN: false });

/**
 * {@link quantile} of the elements that are not NaN; NaN if there are none.
 *
 * @throws ValueError unless q is from 0 to 1; ShapeError if there are no elements.
 * @example
 * ```ts
 * import { nanquantile, tensor } from "gradus";
 * console.log(nanquantile(tensor([1, NaN, 3]), 0.5).item()); // → 2
 * ```
 */
export const nanquantile = quantileOp("nanquantile", { skipsNaN: true });

install({ median, nanmedian, mode, quantile, nanquantile });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** The middle element of all, the lower one of two. */
    median(): Tensor;
    /** The middle elements along a dim, and their indices. */
    median(dim: number, options?: KeepDim): Extreme;
    /** The middle element of those that are not NaN. */
    nanmedian(): Tensor;
    /** The middle elements of those that are not NaN along a dim, and their indices. */
    nanmedian(dim: number, options?: KeepDim): Extreme;
    /** The most frequent element along a dim, and the index of its last occurrence. */
    mode(dim?: number, options?: KeepDim): Extreme;
    /** The q-quantiles of all elements or along a dim. */
    quantile(
      q: number | readonly number[] | Tensor,
      dim?: number,
      options?: QuantileOptions,
    ): Tensor;
    /** The q-quantiles of the elements that are not NaN. */
    nanquantile(
      q: number | readonly number[] | Tensor,
      dim?: number,
      options?: QuantileOptions,
    ): Tensor;
  }
}
