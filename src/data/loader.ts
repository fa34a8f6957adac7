/**
 * Batches of a data set as tensors, in an order that depends on seed and epoch alone. Read
 * prefetch.ts for how batches are made ahead, order.ts for the order.
 */
import { GradusError, ValueError } from "../core/errors.js";
import { type ArrayData, checkArrayData } from "../io/arrayData.js";
import { fromArray } from "../tensor/apply.js";
import { Tensor } from "../tensor/tensor.js";
import { type BatchArrays, type Dataset, type Example, stackExamples } from "./dataset.js";
import { checkEpoch, chooseSeed, permutation, type SeedOptions } from "./order.js";
import { prefetchBatches } from "./prefetch.js";

/** The parts of a batch as tensors: `[x, y]` for examples of two parts. */
export type Batch<E extends Example> = { -readonly [K in keyof E]: Tensor };

export interface DataLoaderOptions<E extends Example> extends SeedOptions {
  /** Examples in a batch; default 1. */
  readonly batchSize?: number;
  /** Take the examples in a random order, another in each epoch; default false. */
  readonly shuffle?: boolean;
  /** Leave out a last batch that is smaller than the others; default false. */
  readonly dropLast?: boolean;
  /** Batches that `for await` keeps ready while the program waits for something else; default 2. */
  readonly prefetch?: number;
  /** Changes each gathered batch before it becomes tensors, as {@link normalizeImages} does. */
  readonly transform?: (batch: BatchArrays<E>) => BatchArrays<E>;
}

export interface IterateOptions {
  /** The batch to begin with, to go on in the middle of an epoch; default 0. */
  readonly from?: number;
}

/**
 * Walks over a data set in batches, with `for … of`, or with `for await … of` to have the next
 * batches made while a compiled step runs. Each walk is one epoch: with `shuffle` the order is a
 * function of (seed, epoch), and the epoch counts up by itself from 0 unless {@link
 * DataLoader.setEpoch} sets it.
 *
 * @throws ValueError for options out of range.
 * @example
 * ```ts
 * import { arange, data } from "gradus";
 * const loader = new data.DataLoader(new data.TensorDataset(arange(5)), { batchSize: 2 });
 * console.log(loader.length); // → 3
 * for (const [x] of loader) console.log(x.shape[0]); // → 1
 * ```
 */
export class DataLoader<E extends Example> implements Iterable<Batch<E>>, AsyncIterable<Batch<E>> {
  readonly dataset: Dataset<E>;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  /** Decides the order together with the epoch; keep it to resume a run. 0 without `shuffle`. */
  readonly seed: number;
  readonly prefetch: number;
  readonly #transform: DataLoaderOptions<E>["transform"];
  #epoch = 0;

  constructor(dataset: Dataset<E>, options: DataLoaderOptions<E> = {}) {
    const op = "DataLoader";
    this.dataset = dataset;
    this.batchSize = checkCount(op, "batchSize", options.batchSize ?? 1, 1);
    this.prefetch = checkCount(op, "prefetch", options.prefetch ?? 2, 0);
    this.shuffle = options.shuffle ?? false;
    this.dropLast = options.dropLast ?? false;
    this.seed = this.shuffle ? chooseSeed(op, options) : 0;
    this.#transform = options.transform;
  }

  /** Batches in an epoch. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** The epoch whose order the next walk takes. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Says which epoch's order the next walk takes; the one after it takes the next. */
  setEpoch(epoch: number): void {
    checkEpoch("DataLoader.setEpoch", epoch);
    this.#epoch = epoch;
  }

  /** The batches of one epoch one after the other, each made when it is asked for. */
  [Symbol.iterator](): IterableIterator<Batch<E>> {
    return this.iterate();
  }

  /** The batches of one epoch, the next ones made ahead. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Batch<E>> {
    return this.iterateAsync();
  }

  /**
   * As `for … of` walks, from a batch in the middle on: the same batches as a whole walk has there.
   */
  iterate(options: IterateOptions = {}): IterableIterator<Batch<E>> {
    return this.#walk(this.#begin(options));
  }

  /** As `for await … of` walks, from a batch in the middle on. */
  iterateAsync(options: IterateOptions = {}): AsyncIterableIterator<Batch<E>> {
    const { order, from } = this.#begin(options);
    const make = (batch: number) => this.#make(order, batch);
    return prefetchBatches(make, from, this.length, this.prefetch);
  }

  /** Fixes the order of a walk as it begins and counts the epoch up. */
  #begin({ from = 0 }: IterateOptions): { order: Int32Array; from: number } {
    checkCount("DataLoader.iterate", "from", from, 0);
    if (from > this.length) {
      const range = `0 to ${this.length}, the number of batches`;
      throw new ValueError("DataLoader.iterate", `from is ${from}; expected ${range}`);
    }
    const { length } = this.dataset;
    const order = this.shuffle
      ? permutation(length, this.seed, this.#epoch)
      : Int32Array.from({ length }, (_, i) => i);
    this.#epoch++;
    return { order, from };
  }

  *#walk({ order, from }: { order: Int32Array; from: number }): Generator<Batch<E>> {
    for (let batch = from; batch < this.length; batch++) {
      const made = this.#make(order, batch);
      if (made instanceof Promise) {
        made.catch(() => {});
        throw new GradusError(
          "DataLoader",
          "the data set gives its examples as promises; walk over it with for await",
        );
      }
      yield made;
    }
  }

  #make(order: Int32Array, batch: number): Batch<E> | Promise<Batch<E>> {
    const start = batch * this.batchSize;
    const indices = order.slice(start, start + this.batchSize);
    if (this.dataset.gather) return this.#finish(this.dataset.gather(indices));
    const examples = Array.from(indices, (index) => this.dataset.get(index));
    if (examples.some((example) => example instanceof Promise))
      return Promise.all(examples).then((list) => this.#finish(stackExamples(list)));
    return this.#finish(stackExamples(examples as E[]));
  }

  #finish(arrays: BatchArrays<E>): Batch<E> {
    const batch = this.#transform ? this.#transform(arrays) : arrays;
    return batch.map(toTensor) as Batch<E>;
  }
}

function checkCount(op: string, name: string, value: number, least: number): number {
  if (!Number.isInteger(value) || value < least)
    throw new ValueError(op, `${name} is ${value}; expected a whole number ≥ ${least}`);
  return value;
}

/**
 * Takes the array's memory as a tensor's, without a copy: a batch's arrays belong to nobody else.
 */
export function toTensor(array: ArrayData): Tensor {
  if (array instanceof Tensor) return array;
  checkArrayData("toTensor", "the array", array);
  return fromArray(array.data, array.shape, array.dtype);
}
