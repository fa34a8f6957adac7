/** Distinct values and how many there are. These ops run at once: their results' sizes depend on values. */
import { allocate, type DType, isFloat } from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import {
  around,
  checkShape,
  formatShape,
  normalizeDim,
  type Shape,
  sameShape,
} from "../core/shape.js";
import { checkTensors, fromArray } from "../tensor/apply.js";
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

export interface UniqueOptions {
  /** Compares the slices along this dim, instead of all elements. */
  readonly dim?: number;
}

/** Elements, or slices along a dim, that are compared with each other as rows of numbers. */
interface Rows {
  readonly count: number;
  /** The sign of the first difference of two rows, NaN last; 0 if there is none. */
  compare(i: number, j: number): number;
  /** Whether two rows are equal; a NaN equals nothing. */
  equal(i: number, j: number): boolean;
  /** The rows of these numbers, in this order. */
  pick(rows: readonly number[]): Tensor;
}

/** Rising, NaN last. */
const compareNumbers = (a: number, b: number): number =>
  Number.isNaN(a) || Number.isNaN(b) ? Number(Number.isNaN(a)) - Number(Number.isNaN(b)) : a - b;

function rowsOf(op: string, x: Tensor, dim: number | undefined): Rows {
  const place = dim === undefined ? 0 : normalizeDim(op, dim, x.ndim);
  const shape = dim === undefined ? [x.size] : x.ndim === 0 ? [1] : x.shape;
  const [outer, count, inner] = around(shape, place);
  if (count > 0 && outer * inner === 0)
    throw new ShapeError(op, `slices of ${formatShape(x.shape)} along dim ${dim} are empty`);
  const values = valuesOf(op, x);
  const find = (test: (a: number, b: number) => number, i: number, j: number): number => {
    for (let o = 0; o < outer; o++)
      for (let k = 0; k < inner; k++) {
        const at = o * count * inner + k;
        const found = test(values[at + i * inner]!, values[at + j * inner]!);
        if (found !== 0) return found;
      }
    return 0;
  };
  return {
    count,
    compare: (i, j) => find(compareNumbers, i, j),
    equal: (i, j) => find((a, b) => Number(a !== b), i, j) === 0,
    pick(rows) {
      const data = allocate(x.dtype, outer * rows.length * inner);
      for (let o = 0; o < outer; o++)
        rows.forEach((row, r) => {
          const from = (o * count + row) * inner;
          data.set(values.subarray(from, from + inner), (o * rows.length + r) * inner);
        });
      const sizes = shape.map((n, i) => (i === place ? rows.length : n));
      return fromArray(data, sizes, x.dtype);
    },
  };
}

/** Runs of equal neighbours in `order`. */
function runs(rows: Rows, order: readonly number[], inverseShape: Shape): Unique {
  const distinct: number[] = [];
  const counts: number[] = [];
  const inverse = new Array<number>(order.length);
  order.forEach((from, i) => {
    if (i === 0 || !rows.equal(from, distinct.at(-1)!)) {
      distinct.push(from);
      counts.push(0);
    }
    counts[counts.length - 1]!++;
    inverse[from] = distinct.length - 1;
  });
  return {
    values: rows.pick(distinct),
    inverse: whole(inverse, inverseShape),
    counts: whole(counts),
  };
}

const numbersTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/**
 * The distinct values in rising order, which of them each element is, and their counts; with `dim` the distinct slices along
 * it, in the order of their first difference. Each NaN is distinct.
 *
 * @throws TraceError in compile(); ShapeError if slices are empty.
 * @example
 * ```ts
 * import { tensor, unique } from "gradus";
 * const { values, inverse, counts } = unique(tensor([3, 1, 3]));
 * console.log(values.toArray(), inverse.toArray(), counts.toArray()); // → [ 1, 3 ] [ 1, 0, 1 ] [ 1, 2 ]
 * ```
 */
export function unique(x: Tensor, { dim }: UniqueOptions = {}): Unique {
  checkTensors("unique", [x]);
  const rows = rowsOf("unique", x, dim);
  const order = numbersTo(rows.count).sort((i, j) => rows.compare(i, j) || i - j);
  return runs(rows, order, dim === undefined ? x.shape : [rows.count]);
}

/**
 * The first value of each run of equal neighbours of the flattened tensor, which run each element is in, and the runs'
 * lengths; with `dim` the same for slices along it.
 *
 * @throws TraceError in compile(); ShapeError if slices are empty.
 * @example
 * ```ts
 * import { tensor, uniqueConsecutive } from "gradus";
 * console.log(uniqueConsecutive(tensor([3, 3, 1, 3])).values.toArray()); // → [ 3, 1, 3 ]
 * ```
 */
export function uniqueConsecutive(x: Tensor, { dim }: UniqueOptions = {}): Unique {
  checkTensors("uniqueConsecutive", [x]);
  const rows = rowsOf("uniqueConsecutive", x, dim);
  return runs(rows, numbersTo(rows.count), dim === undefined ? x.shape : [rows.count]);
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
  checkShape("bincount", [size]);
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
    unique(options?: UniqueOptions): Unique;
    /** The first value of each run of equal neighbours, which run each element is in, and their lengths. */
    uniqueConsecutive(options?: UniqueOptions): Unique;
    /** How often each whole number is in a list. */
    bincount(options?: BincountOptions): Tensor;
  }
}
