/** Distinct values and how many there are. These ops run at once: their results' sizes depend on values. */
import { allocate, type DType, isFloat, type TypedArray } from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import { fromArray } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { valuesOf } from "./eager.js";
import { whole } from "./masked.js";

/** Distinct values, for each element which of them it is (in x's shape), and how often each is there. */
export interface Unique {
  readonly values: Tensor;
  readonly inverse: Tensor;
  readonly counts: Tensor;
}

/** Runs of equal neighbours in `order`; a NaN equals nothing. */
function runs(x: Tensor, values: TypedArray, order: readonly number[]): Unique {
  const distinct: number[] = [];
  const counts: number[] = [];
  const inverse = new Array<number>(order.length);
  order.forEach((from, i) => {
    const value = values[from]!;
    if (i === 0 || value !== distinct.at(-1)) {
      distinct.push(value);
      counts.push(0);
    }
    counts[counts.length - 1]!++;
    inverse[from] = distinct.length - 1;
  });
  const data = allocate(x.dtype, distinct.length);
  data.set(distinct);
  return {
    values: fromArray(data, [distinct.length], x.dtype),
    inverse: whole(inverse, x.shape),
    counts: whole(counts),
  };
}

const places = (values: TypedArray): number[] => Array.from(values, (_, i) => i);

/** Rising, NaN last. */
const compare = (a: number, b: number): number =>
  Number.isNaN(a) || Number.isNaN(b) ? Number(Number.isNaN(a)) - Number(Number.isNaN(b)) : a - b;

/**
 * The distinct values in rising order, which of them each element is, and their counts. Each NaN is distinct.
 *
 * @throws TraceError in compile().
 * @example
 * ```ts
 * import { tensor, unique } from "gradus";
 * const { values, inverse, counts } = unique(tensor([3, 1, 3]));
 * console.log(values.toArray(), inverse.toArray(), counts.toArray()); // → [ 1, 3 ] [ 1, 0, 1 ] [ 1, 2 ]
 * ```
 */
export function unique(x: Tensor): Unique {
  const values = valuesOf("unique", x);
  const order = places(values).sort((i, j) => compare(values[i]!, values[j]!) || i - j);
  return runs(x, values, order);
}

/**
 * The first value of each run of equal neighbours of the flattened tensor, which run each element is in, and the runs'
 * lengths.
 *
 * @throws TraceError in compile().
 * @example
 * ```ts
 * import { tensor, uniqueConsecutive } from "gradus";
 * console.log(uniqueConsecutive(tensor([3, 3, 1, 3])).values.toArray()); // → [ 3, 1, 3 ]
 * ```
 */
export function uniqueConsecutive(x: Tensor): Unique {
  const values = valuesOf("uniqueConsecutive", x);
  return runs(x, values, places(values));
}

export interface BincountOptions {
  /** What each element counts for; 1 without it. */
  readonly weights?: Tensor;
  /** The least size of the result; default 0. */
  readonly minlength?: number;
}

/** int32 without weights; float32 weights stay so, all others give float64. */
function countType(weights: Tensor | undefined): DType {
  if (!weights) return "int32";
  return weights.dtype === "float32" ? "float32" : "float64";
}

/**
 * How often each whole number from 0 to the largest is in a list, or the sum of its weights.
 *
 * @throws ValueError if a number is negative; ShapeError unless x has one dim and the weights its shape; TraceError in
 * compile().
 * @example
 * ```ts
 * import { bincount, tensor } from "gradus";
 * console.log(bincount(tensor([1, 3, 1], { dtype: "int32" })).toArray()); // → [ 0, 2, 0, 1 ]
 * ```
 */
export function bincount(x: Tensor, { weights, minlength = 0 }: BincountOptions = {}): Tensor {
  if (isFloat(x.dtype) || x.dtype === "bool")
    throw new DTypeError("bincount", `needs int32 or uint8, got ${x.dtype}`);
  if (x.ndim !== 1 || (weights && !sameShape(weights.shape, x.shape)))
    throw new ShapeError(
      "bincount",
      `expected x [N] and weights of its shape, got ${formatShape(x.shape)}` +
        (weights ? ` and ${formatShape(weights.shape)}` : ""),
    );
  if (!Number.isInteger(minlength) || minlength < 0)
    throw new ValueError("bincount", `minlength must be a whole number ≥ 0, got ${minlength}`);
  const values = valuesOf("bincount", x);
  const factors = weights && valuesOf("bincount", weights);
  let size = minlength;
  for (const value of values) {
    if (value < 0) throw new ValueError("bincount", `numbers must be ≥ 0, got ${value}`);
    size = Math.max(size, value + 1);
  }
  const dtype = countType(weights);
  const sums = allocate(dtype, size);
  values.forEach((value: number, i: number) => {
    sums[value]! += factors ? factors[i]! : 1;
  });
  return fromArray(sums, [size], dtype);
}

install({ unique, uniqueConsecutive, bincount });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** The distinct values, which of them each element is, and their counts. */
    unique(): Unique;
    /** The first value of each run of equal neighbours, which run each element is in, and their lengths. */
    uniqueConsecutive(): Unique;
    /** How often each whole number is in a list. */
    bincount(options?: BincountOptions): Tensor;
  }
}
