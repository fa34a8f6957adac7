/**
 * Data sets: a length and a way to get examples. The loader asks for many at once where a data set
 * can gather them, and stacks single ones where it cannot. Read loader.ts next.
 */
import { allocate, type TypedArray } from "../core/dtype.js";
import { GradusError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, sameShape, sizeOf } from "../core/shape.js";
import { type ArrayData, checkArrayData } from "../io/arrayData.js";
import { chooseSeed, type Draw, permutation, type SeedOptions } from "./order.js";

/**
 * One example: its parts in order, such as picture and label. A number is a label: it becomes
 * int32.
 */
export type Example = readonly (ArrayData | number)[];

/** The parts of an example stacked over a batch, each with the batch as its first dim. */
export type BatchArrays<E extends Example> = { -readonly [K in keyof E]: ArrayData };

/**
 * What a {@link DataLoader} takes. `get` is enough; it may return a promise (then iterate with `for
 * await`). `gather` makes a batch at once where that is faster.
 */
export interface Dataset<E extends Example = Example> {
  /** The number of examples. */
  readonly length: number;
  /** `draw` says what random choices depend on; see {@link exampleGenerator}. */
  get(index: number, draw?: Draw): E | Promise<E>;
  gather?(indices: Int32Array, draw?: Draw): BatchArrays<E>;
  /** Makes a whole batch elsewhere, such as in another thread; the loader then asks nothing else. */
  collect?(indices: Int32Array, options: CollectOptions): Promise<Collected<E>>;
  /** Batches that `collect` makes at the same time: the loader asks for twice as many ahead. */
  readonly concurrency?: number;
}

/** What happens with an example that cannot be made, such as a damaged file. */
export type ErrorPolicy = "throw" | "skip";

export interface CollectOptions {
  readonly draw: Draw;
  readonly onError: ErrorPolicy;
}

/** An example that could not be made; the error names its file. */
export interface BrokenExample {
  readonly index: number;
  readonly error: Error;
}

/** A batch, or nothing where all its examples are broken. */
export interface Collected<E extends Example> {
  readonly batch: BatchArrays<E> | undefined;
  readonly broken: readonly BrokenExample[];
}

/** Throws unless `index` is a whole number in [0, length). */
export function checkIndex(op: string, index: number, length: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= length)
    throw new ValueError(op, `index ${index} is out of range for ${length} examples`);
}

/** A view of one row; nothing is copied. */
function rowOf(array: ArrayData, index: number): ArrayData {
  const shape = array.shape.slice(1);
  const size = sizeOf(shape);
  const data = array.data.subarray(index * size, (index + 1) * size);
  return { shape, dtype: array.dtype, data };
}

/** Copies rows of an array, in the order of `indices`: `[N, …] → [indices.length, …]`. */
export function gatherRows(array: ArrayData, indices: Int32Array): ArrayData {
  const { dtype, data } = array;
  const inner = array.shape.slice(1);
  const size = sizeOf(inner);
  const out = allocate(dtype, indices.length * size);
  if (size === 1) for (let i = 0; i < indices.length; i++) out[i] = data[indices[i]!]!;
  else copyRows(data, indices, size, out);
  return { shape: [indices.length, ...inner], dtype, data: out };
}

function copyRows(data: TypedArray, indices: Int32Array, size: number, out: TypedArray): void {
  for (let i = 0; i < indices.length; i++) {
    const start = indices[i]! * size;
    out.set(data.subarray(start, start + size), i * size);
  }
}

/**
 * Examples that lie in tensors: example i is row i of each, `([N, …], [N, …], …)`. Nothing is
 * copied or converted until a batch is gathered, so pictures can stay uint8.
 *
 * @throws ShapeError where the tensors differ in their first dim or one is a scalar.
 * @example
 * ```ts
 * import { data, tensor } from "gradus";
 * const x = tensor([[1, 2], [3, 4], [5, 6]]);
 * const y = tensor([0, 1, 0], { dtype: "int32" });
 * console.log(new data.TensorDataset(x, y).length); // → 3
 * ```
 */
export class TensorDataset<T extends readonly ArrayData[]> implements Dataset<BatchArrays<T>> {
  readonly tensors: T;
  readonly length: number;

  constructor(...tensors: T) {
    const op = "TensorDataset";
    const shapes = tensors.map((t) => formatShape(t.shape)).join(", ");
    const length = tensors[0]?.shape[0];
    if (length === undefined)
      throw new ShapeError(op, `got ${shapes || "no tensor"}; expected tensors [N, …]`);
    tensors.forEach((t, i) => {
      checkArrayData(op, `tensor ${i}`, t);
      if (t.shape[0] !== length)
        throw new ShapeError(op, `first dims differ: ${shapes}; expected ${length} rows in each`);
    });
    this.tensors = tensors;
    this.length = length;
  }

  get(index: number): BatchArrays<T> {
    checkIndex("TensorDataset.get", index, this.length);
    return this.tensors.map((t) => rowOf(t, index)) as BatchArrays<T>;
  }

  gather(indices: Int32Array): BatchArrays<BatchArrays<T>> {
    return this.tensors.map((t) => gatherRows(t, indices)) as BatchArrays<BatchArrays<T>>;
  }
}

/**
 * The examples of a data set at some indices, in that order.
 *
 * @throws ValueError for an index out of range.
 * @example
 * ```ts
 * import { arange, data } from "gradus";
 * const all = new data.TensorDataset(arange(10));
 * console.log(new data.Subset(all, [7, 8]).length); // → 2
 * ```
 */
export class Subset<E extends Example> implements Dataset<E> {
  readonly dataset: Dataset<E>;
  readonly indices: Int32Array;
  readonly gather?: (indices: Int32Array, draw?: Draw) => BatchArrays<E>;
  readonly collect?: (indices: Int32Array, options: CollectOptions) => Promise<Collected<E>>;
  readonly concurrency?: number;

  constructor(dataset: Dataset<E>, indices: ArrayLike<number>) {
    for (let i = 0; i < indices.length; i++) checkIndex("Subset", indices[i]!, dataset.length);
    this.dataset = dataset;
    this.indices = Int32Array.from(indices);
    const outer = (chosen: Int32Array) => chosen.map((i) => this.indices[i]!);
    if (dataset.gather) this.gather = (chosen, draw) => dataset.gather!(outer(chosen), draw);
    if (dataset.collect)
      this.collect = (chosen, options) => dataset.collect!(outer(chosen), options);
    if (dataset.concurrency) this.concurrency = dataset.concurrency;
  }

  get length(): number {
    return this.indices.length;
  }

  get(index: number, draw?: Draw): E | Promise<E> {
    checkIndex("Subset.get", index, this.length);
    return this.dataset.get(this.indices[index]!, draw);
  }
}

/**
 * Splits a data set at random into parts that do not overlap.
 *
 * @param lengths the size of each part, all together the data set's; or fractions that sum to 1,
 * where what rounding down leaves over goes to the parts in turn.
 * @param options.seed the same seed gives the same parts.
 * @example
 * ```ts
 * import { arange, data } from "gradus";
 * const all = new data.TensorDataset(arange(100));
 * const [train, test] = data.randomSplit(all, [0.8, 0.2], { seed: 1 });
 * console.log(train?.length, test?.length); // → 80 20
 * ```
 */
export function randomSplit<E extends Example>(
  dataset: Dataset<E>,
  lengths: readonly number[],
  options: SeedOptions = {},
): Subset<E>[] {
  const sizes = splitSizes(dataset.length, lengths);
  const order = permutation(dataset.length, chooseSeed("randomSplit", options));
  let at = 0;
  return sizes.map((size) => {
    at += size;
    return new Subset(dataset, order.subarray(at - size, at));
  });
}

function splitSizes(total: number, lengths: readonly number[]): number[] {
  const op = "randomSplit";
  const sum = lengths.reduce((a, b) => a + b, 0);
  if (lengths.length === 0 || lengths.some((n) => !(n >= 0)))
    throw new ValueError(op, `lengths are [${lengths.join(", ")}]; expected numbers ≥ 0`);
  if (lengths.every(Number.isInteger) && sum === total) return [...lengths];
  if (Math.abs(sum - 1) > 1e-6) {
    throw new ValueError(
      op,
      `lengths [${lengths.join(", ")}] sum to ${sum}; ` +
        `expected ${total}, or fractions that sum to 1`,
    );
  }
  const sizes = lengths.map((fraction) => Math.floor(fraction * total + 1e-9));
  let left = total - sizes.reduce((a, b) => a + b, 0);
  for (let i = 0; left > 0; i = (i + 1) % sizes.length) {
    sizes[i]!++;
    left--;
  }
  return sizes;
}

/** Stacks examples into a batch: part k of each along a new first dim. */
export function stackExamples<E extends Example>(examples: readonly E[]): BatchArrays<E> {
  const first = examples[0];
  if (!first) throw new GradusError("stackExamples", "no example to stack");
  const parts = first.map((_, k) => stackPart(examples, k));
  return parts as BatchArrays<E>;
}

function stackPart(examples: readonly Example[], part: number): ArrayData {
  const op = "stackExamples";
  const rows = examples.map((example, i) => {
    const value = example[part];
    if (value === undefined || example.length !== examples[0]!.length)
      throw new ShapeError(op, `example ${i} has ${example.length} parts, others do not`);
    return typeof value === "number" ? labelOf(op, part, value) : value;
  });
  const { shape, dtype } = rows[0]!;
  const size = sizeOf(shape);
  const data = allocate(dtype, rows.length * size);
  rows.forEach((row, i) => {
    if (row.dtype !== dtype || !sameShape(row.shape, shape)) {
      throw new ShapeError(
        op,
        `part ${part} of the examples differs: ${dtype} ${formatShape(shape)} and ` +
          `${row.dtype} ${formatShape(row.shape)}`,
      );
    }
    data.set(row.data, i * size);
  });
  return { shape: [rows.length, ...shape], dtype, data };
}

function labelOf(op: string, part: number, value: number): ArrayData {
  if ((value | 0) !== value) {
    throw new ValueError(
      op,
      `part ${part} of an example is the number ${value}; expected an int32 label, or a tensor`,
    );
  }
  return { shape: [], dtype: "int32", data: Int32Array.of(value) };
}
