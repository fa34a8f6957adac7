/** Ops that find the place of a number among sorted ones: searchsorted, bucketize, histc. */
import { resultType } from "../core/dtype.js";
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, checkTensors, type OpSpec, scalarLike } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { promoteNodes } from "./pointwise.js";
import { needFloat } from "./reduce.js";

export interface SearchOptions {
  /** Whether a number goes after those equal to it; default false, before them. */
  readonly right?: boolean;
}

type Attributes = { readonly right: boolean };

/** Halves the part of each line where the number may go until nothing is left of it. NaN goes last. */
function searchNodes(b: Builder, sorted: Node, values: Node, right: boolean): Node {
  const dim = sorted.shape.length - 1;
  const size = sorted.shape[dim]!;
  let low = b.constant(0, "int32", values.shape);
  if (size === 0) return low;
  let high = b.constant(size, "int32", values.shape);
  for (let rounds = Math.ceil(Math.log2(size + 1)); rounds > 0; rounds--) {
    const middle = b.divide(b.add(low, high), 2);
    const isOpen = b.pointwise("less", low, high);
    const within = b.pointwise("minimum", middle, size - 1);
    const found = b.make("gather", [sorted, within], { dim });
    const stops = b.pointwise(right ? "greater" : "greaterEqual", found, values);
    const goesUp = b.pointwise("and", isOpen, b.pointwise("not", stops));
    const goesDown = b.pointwise("and", isOpen, stops);
    low = b.select(goesUp, b.add(middle, 1), low);
    high = b.select(goesDown, middle, high);
  }
  return low;
}

const searchSpec = (name: string): OpSpec<Attributes> => ({
  name,
  lower(b, nodes, { right }) {
    const [sorted, values] = promoteNodes(b, nodes, resultType(nodes)).map((x) =>
      b.stopGradient(x),
    ) as [Node, Node];
    if (sorted.shape.length > 1 || values.shape.length === 1)
      return searchNodes(b, sorted, values, right);
    const flat = b.reshape(values, [values.shape.reduce((n, m) => n * m, 1)]);
    return b.reshape(searchNodes(b, sorted, flat, right), values.shape);
  },
});

const [searchOp, bucketizeOp] = [searchSpec("searchsorted"), searchSpec("bucketize")];

/**
 * Where each value would go to keep the sorted numbers in order, as int32: the place before those equal to it, or after
 * them with `right`. `sorted`: [N] for all values, or [*, N] with one line for each line of values [*, M].
 *
 * @throws ShapeError unless the lines go together.
 * @example
 * ```ts
 * import { searchsorted, tensor } from "gradus";
 * console.log(searchsorted(tensor([1, 3, 5]), tensor([3, 4])).toArray()); // → [ 1, 2 ]
 * ```
 */
export function searchsorted(
  sorted: Tensor,
  values: Tensor | number,
  { right = false }: SearchOptions = {},
): Tensor {
  checkTensors("searchsorted", [sorted]);
  const wanted = typeof values === "number" ? scalarLike("searchsorted", values, sorted) : values;
  const isMatched =
    sorted.ndim === wanted.ndim && sameShape(sorted.shape.slice(0, -1), wanted.shape.slice(0, -1));
  if (sorted.ndim !== 1 && !(sorted.ndim > 0 && isMatched))
    throw new ShapeError(
      "searchsorted",
      `expected sorted [N], or [*, N] beside values [*, M], got ${formatShape(sorted.shape)} ` +
        `and ${formatShape(wanted.shape)}`,
    );
  return applyOne(searchOp, [sorted, wanted], { right });
}

/**
 * The bucket of each element between sorted boundaries, as int32: i where boundaries[i − 1] < x ≤ boundaries[i], or
 * boundaries[i − 1] ≤ x < boundaries[i] with `right`.
 *
 * @throws ShapeError unless the boundaries have one dim.
 * @example
 * ```ts
 * import { bucketize, tensor } from "gradus";
 * console.log(bucketize(tensor([0, 1, 2, 9]), tensor([1, 5])).toArray()); // → [ 0, 0, 1, 2 ]
 * ```
 */
export function bucketize(
  x: Tensor,
  boundaries: Tensor,
  { right = false }: SearchOptions = {},
): Tensor {
  if (boundaries.ndim !== 1)
    throw new ShapeError(
      "bucketize",
      `boundaries must have one dim, got ${formatShape(boundaries.shape)}`,
    );
  return applyOne(bucketizeOp, [boundaries, x], { right });
}

export interface HistcOptions {
  /** Number of bins; default 100. */
  readonly bins?: number;
  /** The lowest and highest number that count. If they are equal, those of x. */
  readonly min?: number;
  readonly max?: number;
}

type HistcAttributes = { readonly bins: number; readonly min: number; readonly max: number };

/** The ends of the histogram; if they coincide, 1 below and above. */
function ends(b: Builder, x: Node, { min, max }: HistcAttributes): [low: Node, high: Node] {
  const given = (value: number) => b.constant(value, x.dtype);
  const isGiven = min !== max || x.shape[0] === 0;
  const low = isGiven ? given(min) : b.reduce("reduceMin", x, [0]);
  const high = isGiven ? given(max) : b.reduce("reduceMax", x, [0]);
  const isFlat = b.equal(low, high);
  return [b.select(isFlat, b.subtract(low, 1), low), b.select(isFlat, b.add(high, 1), high)];
}

const histcSpec: OpSpec<HistcAttributes> = {
  name: "histc",
  lower(b, [given], attributes) {
    needFloat("histc", given!);
    const { bins } = attributes;
    const size = given!.shape.reduce((n, m) => n * m, 1);
    const x = b.stopGradient(b.reshape(given!, [size]));
    const [low, high] = ends(b, x, attributes);
    const share = b.divide(b.subtract(x, low), b.subtract(high, low));
    const inside = b.pointwise(
      "and",
      b.pointwise("greaterEqual", x, low),
      b.pointwise("lessEqual", x, high),
    );
    // What does not count goes to a bin past the last one. The highest number belongs to the last.
    const place = b.convert(b.select(inside, b.multiply(share, bins), 0), "int32");
    const bin = b.select(inside, b.pointwise("minimum", place, bins - 1), bins);
    const ones = b.constant(1, x.dtype, [size]);
    const counts = b.make("scatterAdd", [ones, bin], { dim: 0, size: bins + 1 });
    return b.slice(counts, [0], [bins]);
  },
};

/**
 * How many elements are in each of equally wide bins from `min` to `max`, as x's dtype. Elements outside, and NaN, do
 * not count.
 *
 * @throws ValueError unless min ≤ max and there is a bin; DTypeError unless x is a float tensor.
 * @example
 * ```ts
 * import { histc, tensor } from "gradus";
 * console.log(histc(tensor([1, 2, 1]), { bins: 4, min: 0, max: 3 }).toArray()); // → [ 0, 2, 1, 0 ]
 * ```
 */
export function histc(x: Tensor, { bins = 100, min = 0, max = 0 }: HistcOptions = {}): Tensor {
  if (!Number.isInteger(bins) || bins < 1)
    throw new ValueError("histc", `bins must be a whole number ≥ 1, got ${bins}`);
  if (!(min <= max && Number.isFinite(max - min)))
    throw new ValueError("histc", `needs finite min ≤ max, got ${min} and ${max}`);
  return applyOne(histcSpec, [x], { bins, min, max });
}

install({ histc, bucketize });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** How many elements are in each of equally wide bins. */
    histc(options?: HistcOptions): Tensor;
    /** The bucket of each element between sorted boundaries. */
    bucketize(boundaries: Tensor, options?: SearchOptions): Tensor;
  }
}
