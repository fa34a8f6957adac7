/**
 * Batches of a data set as tensors, in an order that depends on seed and epoch alone. Read
 * prefetch.ts for how batches are made ahead, order.ts for the order.
 */
import { GradusError, ValueError } from "../core/errors.js";
import { type ArrayData, checkArrayData } from "../io/arrayData.js";
import { fromArray } from "../tensor/apply.js";
import { Tensor } from "../tensor/tensor.js";
import { type BatchSteps, collectBatch } from "./collect.js";
import {
  type BrokenExample,
  type Collected,
  type Dataset,
  type ErrorPolicy,
  type Example,
  stackExamples,
} from "./dataset.js";
import { checkEpoch, chooseSeed, type Draw, permutation, type SeedOptions } from "./order.js";
import { prefetchBatches, streamChunks } from "./prefetch.js";
import { BatchSampler, type BatchSource, type Sampler } from "./sampler.js";
import type { IterableDataset } from "./transformed.js";

/** The parts of a batch as tensors: `[x, y]` for examples of two parts. */
export type Batch<E extends Example> = { -readonly [K in keyof E]: Tensor };

export interface DataLoaderOptions<E extends Example> extends SeedOptions, BatchSteps<E> {
  /** Examples in a batch; default 1. */
  readonly batchSize?: number;
  /** Take the examples in a random order, another in each epoch; default false. */
  readonly shuffle?: boolean;
  /** Leave out a last batch that is smaller than the others; default false. */
  readonly dropLast?: boolean;
  /** Which examples an epoch takes, in the place of `shuffle`. */
  readonly sampler?: Sampler;
  /** Which examples each batch takes, in the place of all of the above. */
  readonly batchSampler?: BatchSource;
  /**
   * Batches that `for await` keeps ready while the program waits for something else; default 2, or
   * twice as many as a data set makes at the same time. It bounds memory: no more are held.
   */
  readonly prefetch?: number;
  /**
   * What to do with an example that cannot be made, such as a damaged file: `throw` (default) its
   * error, or `skip` it: {@link DataLoader.broken} holds it, and its batch is smaller, or made full
   * by the next examples of a stream.
   */
  readonly onError?: ErrorPolicy;
  /** Told about each example that was skipped, as its batch is reached. */
  readonly onBroken?: (broken: BrokenExample) => void;
}

export interface IterateOptions {
  /** The batch to begin with, to go on in the middle of an epoch; default 0. */
  readonly from?: number;
}

/** Where a loader is: enough to go on bit for bit. Plain JSON. */
export interface LoaderState {
  readonly seed: number;
  readonly epoch: number;
  /** Batches of the epoch that were given out. */
  readonly batch: number;
  /** Batches in an epoch, or null for a stream; refused where it differs. */
  readonly batches: number | null;
}

/** A batch that was made, by its number in the epoch; without a value where all of it is broken. */
interface Made<E extends Example> {
  readonly number: number;
  readonly value: Batch<E> | undefined;
  readonly broken: readonly BrokenExample[];
  readonly isEnd?: boolean;
}

/** Broken examples that are kept to be looked at; a data set may have millions. */
const keptBroken = 1000;

/**
 * Walks over a data set in batches, with `for … of`, or with `for await … of` to have the next
 * batches made while a compiled step runs. Each walk is one epoch: with `shuffle` the order is a
 * function of (seed, epoch), and the epoch counts up by itself from 0 unless {@link
 * DataLoader.setEpoch} sets it. What comes out depends neither on `prefetch` nor on the number of
 * workers.
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
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly prefetch: number;
  readonly #dataset: Dataset<E> | IterableDataset<E>;
  readonly #options: DataLoaderOptions<E>;
  readonly #source: BatchSource | undefined;
  #seed: number;
  #epoch = 0;
  #position = { epoch: 0, batch: 0 };
  #resumeAt = 0;
  #broken: BrokenExample[] = [];

  constructor(dataset: Dataset<E> | IterableDataset<E>, options: DataLoaderOptions<E> = {}) {
    const op = "DataLoader";
    checkOptions(op, dataset, options);
    this.#dataset = dataset;
    this.#options = options;
    this.batchSize = checkCount(op, "batchSize", options.batchSize ?? 1, 1);
    const ahead = dataset.concurrency ? 2 * dataset.concurrency : 2;
    this.prefetch = checkCount(op, "prefetch", options.prefetch ?? ahead, 0);
    this.shuffle = options.shuffle ?? false;
    this.dropLast = options.dropLast ?? false;
    const isSeeded = this.shuffle || options.seed !== undefined;
    this.#seed = isSeeded ? chooseSeed(op, options) : 0;
    this.#source = "get" in dataset ? this.#batchSource(dataset) : undefined;
  }

  #batchSource(dataset: Dataset<E>): BatchSource {
    const { sampler, batchSampler } = this.#options;
    if (batchSampler) return batchSampler;
    const order = (epoch: number): Int32Array =>
      this.shuffle
        ? permutation(dataset.length, this.#seed, epoch)
        : Int32Array.from({ length: dataset.length }, (_, i) => i);
    const own: Sampler = {
      get length() {
        return dataset.length;
      },
      order,
    };
    return new BatchSampler(sampler ?? own, this.batchSize, this.dropLast);
  }

  /** The data set; a stream is none, as it has neither length nor places. */
  get dataset(): Dataset<E> {
    if ("get" in this.#dataset) return this.#dataset;
    throw new GradusError("DataLoader.dataset", "the loader walks over a stream");
  }

  /** Batches in an epoch. */
  get length(): number {
    if (this.#source) return this.#source.length;
    throw new GradusError("DataLoader.length", "the data set is a stream: its end is not known");
  }

  /** Decides order and random choices together with the epoch. 0 where nothing is random. */
  get seed(): number {
    return this.#seed;
  }

  /** The epoch whose order the next walk takes. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The examples that the latest walk skipped up to here, at most 1,000 of them. */
  get broken(): readonly BrokenExample[] {
    return this.#broken;
  }

  /** Says which epoch's order the next walk takes; the one after it takes the next. */
  setEpoch(epoch: number): void {
    checkEpoch("DataLoader.setEpoch", epoch);
    this.#epoch = epoch;
    this.#resumeAt = 0;
    this.#position = { epoch, batch: 0 };
  }

  /** Where the latest walk is, after the batch that it gave last. */
  stateDict(): LoaderState {
    const batches = this.#source ? this.length : null;
    return { seed: this.#seed, ...this.#position, batches };
  }

  /**
   * Makes the next walk go on where a loader over the same data was: it gives exactly the batches
   * that were left of that epoch.
   *
   * @throws ValueError for a state of a loader with another number of batches.
   */
  loadStateDict(state: LoaderState): void {
    const op = "DataLoader.loadStateDict";
    const batches = this.#source ? this.length : null;
    if (state.batches !== batches)
      throw new ValueError(op, `state has ${state.batches} batches an epoch; expected ${batches}`);
    checkEpoch(op, state.epoch);
    checkCount(op, "batch", state.batch, 0);
    if (state.batch > (batches ?? Infinity))
      throw new ValueError(op, `batch is ${state.batch}; expected at most ${batches}`);
    const seed = chooseSeed(op, { seed: state.seed });
    this.setEpoch(state.epoch);
    this.#seed = seed;
    this.#resumeAt = state.batch;
    this.#position = { epoch: state.epoch, batch: state.batch };
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
    if (!this.#source) throw needsAwait();
    return this.#walk(this.#begin(options));
  }

  /** As `for await … of` walks, from a batch in the middle on. */
  iterateAsync(options: IterateOptions = {}): AsyncIterableIterator<Batch<E>> {
    const walk = this.#begin(options);
    const make = this.#source ? (batch: number) => this.#make(walk, batch) : this.#stream(walk);
    const end = this.#source ? this.length : Number.POSITIVE_INFINITY;
    return this.#finishWalk(prefetchBatches(make, walk.from, end, this.prefetch), walk);
  }

  /** Fixes the order of a walk as it begins and counts the epoch up. */
  #begin(options: IterateOptions): Walk {
    const from = checkCount("DataLoader.iterate", "from", options.from ?? this.#resumeAt, 0);
    if (this.#source && from > this.length) {
      const range = `0 to ${this.length}, the number of batches`;
      throw new ValueError("DataLoader.iterate", `from is ${from}; expected ${range}`);
    }
    const draw = { seed: this.#seed, epoch: this.#epoch++ };
    this.#resumeAt = 0;
    this.#broken = [];
    this.#position = { epoch: draw.epoch, batch: from };
    return { draw, from, batches: this.#source?.batches(draw.epoch) ?? [] };
  }

  *#walk(walk: Walk): Generator<Batch<E>> {
    for (let batch = walk.from; batch < walk.batches.length; batch++) {
      const made = this.#make(walk, batch);
      if (made instanceof Promise) {
        made.catch(() => {});
        throw needsAwait();
      }
      this.#arrive(made, walk);
      if (made.value) yield made.value;
    }
    this.#end(walk);
  }

  async *#finishWalk(
    batches: AsyncIterableIterator<Made<E>>,
    walk: Walk,
  ): AsyncGenerator<Batch<E>, void, undefined> {
    for await (const made of batches) {
      this.#arrive(made, walk);
      if (made.isEnd) break;
      if (made.value) yield made.value;
    }
    this.#end(walk);
  }

  #arrive({ number, broken }: Made<E>, { draw }: Walk): void {
    this.#position = { epoch: draw.epoch, batch: number + 1 };
    for (const one of broken) {
      if (this.#broken.length < keptBroken) this.#broken.push(one);
      this.#options.onBroken?.(one);
    }
  }

  #end({ draw }: Walk): void {
    this.#position = { epoch: draw.epoch + 1, batch: 0 };
  }

  #make({ draw, batches }: Walk, number: number): Made<E> | Promise<Made<E>> {
    const dataset = this.#dataset as Dataset<E>;
    const options = { draw, onError: this.#options.onError ?? "throw" } as const;
    const indices = batches[number]!;
    const done = ({ batch, broken }: Collected<E>): Made<E> => ({
      number,
      value: batch?.map(toTensor) as Batch<E> | undefined,
      broken,
    });
    const { transform } = this.#options;
    const after = (made: Collected<E>): Made<E> =>
      done(made.batch && transform ? { ...made, batch: transform(made.batch) } : made);
    if (dataset.collect) return dataset.collect(indices, options).then(after);
    const made = collectBatch(dataset, indices, options, this.#options);
    return made instanceof Promise ? made.then(done) : done(made);
  }

  /** Makes the batches of a stream, which only come one after the other. */
  #stream(walk: Walk): (batch: number) => Promise<Made<E>> {
    let broken: BrokenExample[] = [];
    const stream = (this.#dataset as IterableDataset<E>).iterate(walk.draw, {
      onError: this.#options.onError ?? "throw",
      onBroken: (one) => broken.push(one),
    });
    const chunks = streamChunks(stream, {
      size: this.batchSize,
      dropLast: this.dropLast,
      skip: walk.from,
    });
    let last: Promise<unknown> = Promise.resolve();
    const makeOf = this.#streamBatches(walk);
    return (number) => {
      const came = last.then(async () => {
        const { value } = await chunks.next();
        const skipped = broken;
        broken = [];
        return { value, skipped };
      });
      last = came.catch(() => {});
      // Only reading waits for its turn: batches may be made side by side.
      return came.then(async ({ value, skipped }): Promise<Made<E>> => {
        if (!value) return { number, value: undefined, broken: skipped, isEnd: true };
        const made = await makeOf(value, number);
        return {
          number,
          value: made.batch?.map(toTensor) as Batch<E> | undefined,
          broken: [...skipped, ...made.broken],
        };
      });
    };
  }

  /** How what came of a stream becomes a batch: here, or where the stream says. */
  #streamBatches({ draw }: Walk): (items: E[], number: number) => Promise<Collected<E>> {
    const { collate = stackExamples, transform, onError = "throw" } = this.#options;
    const stream = this.#dataset as IterableDataset<E>;
    return async (items, number) => {
      const first = number * this.batchSize;
      const { batch, broken } = stream.collect
        ? await stream.collect(items, first, { draw, onError })
        : { batch: collate(items), broken: [] };
      return { batch: batch && transform ? transform(batch) : batch, broken };
    };
  }
}

interface Walk {
  readonly draw: Draw;
  readonly from: number;
  readonly batches: readonly Int32Array[];
}

const needsAwait = (): GradusError =>
  new GradusError(
    "DataLoader",
    "the data set gives its examples as promises; walk over it with for await",
  );

/** Options that would silently be without effect are refused. */
function checkOptions<E extends Example>(
  op: string,
  dataset: Dataset<E> | IterableDataset<E>,
  options: DataLoaderOptions<E>,
): void {
  const { sampler, batchSampler, shuffle, batchSize, dropLast, collate } = options;
  const refuse = (message: string): never => {
    throw new ValueError(op, message);
  };
  if (sampler && shuffle) refuse("sampler and shuffle exclude each other");
  if (batchSampler && (sampler || shuffle || dropLast || batchSize !== undefined))
    refuse("batchSampler excludes batchSize, shuffle, sampler and dropLast");
  if (!("get" in dataset) && (sampler || batchSampler || shuffle))
    refuse("a stream has its own order; mix it with shuffleBuffer");
  if (dataset.collect && collate)
    refuse("the data set makes whole batches itself: give collate there");
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
