/**
 * Data sets made from others: examples changed one by one, data sets one after another, and streams
 * of examples with no length. Read loader.ts next.
 */
import { ValueError } from "../core/errors.js";
import type { Generator } from "../tensor/random.js";
import {
  type BrokenExample,
  type Collected,
  type CollectOptions,
  checkIndex,
  type Dataset,
  type ErrorPolicy,
  type Example,
} from "./dataset.js";
import { type Draw, exampleGenerator, IndexSource } from "./order.js";

/**
 * Things that come in their own order, such as from an archive too large for random access. Each
 * walk begins anew; `draw` says what random choices depend on.
 */
export interface Stream<T> {
  /** `options` says what to do with what cannot be read, where the stream can go on after it. */
  iterate(draw: Draw, options?: StreamOptions): Iterable<T> | AsyncIterable<T>;
}

/** A stream of examples. */
export interface IterableDataset<E extends Example = Example> extends Stream<E> {
  /**
   * Makes a batch of what `iterate` gave, elsewhere, such as in another thread: what comes is not
   * examples yet then, and only the loader's to hand on. `first` is the number of the first in the walk.
   */
  collect?(
    items: readonly unknown[],
    first: number,
    options: CollectOptions,
  ): Promise<Collected<E>>;
  /** Batches that `collect` makes at the same time. */
  readonly concurrency?: number;
}

/** What a loader asks of a stream. */
export interface StreamOptions {
  readonly onError: ErrorPolicy;
  /** Told of what was skipped; its index counts what the walk came to before it. */
  readonly onBroken: (broken: BrokenExample) => void;
}

/**
 * A data set whose examples are changed as they are asked for, such as by augmentation. `change`
 * gets the random generator of this example in this epoch, so that results do not depend on who
 * makes it.
 *
 * @example
 * ```ts
 * import { data } from "gradus";
 * const numbers: data.Dataset<[number]> = { length: 3, get: (i) => [i] };
 * const doubled = data.mapDataset(numbers, ([x]) => [x * 2] as const);
 * for (const [x] of new data.DataLoader(doubled, { batchSize: 3 })) console.log(x.toArray()); // → [ 0, 2, 4 ]
 * ```
 */
export function mapDataset<E extends Example, F extends Example>(
  dataset: Dataset<E>,
  change: (example: E, generator: Generator) => F | Promise<F>,
): Dataset<F> {
  return {
    get length() {
      return dataset.length;
    },
    get(index, draw = { seed: 0, epoch: 0 }) {
      const generator = exampleGenerator(draw, index);
      const example = dataset.get(index, draw);
      return example instanceof Promise
        ? example.then((made) => change(made, generator))
        : change(example, generator);
    },
  };
}

/** Data sets one after another. */
export class ConcatDataset<E extends Example> implements Dataset<E> {
  readonly datasets: readonly Dataset<E>[];
  readonly length: number;

  constructor(datasets: readonly Dataset<E>[]) {
    this.datasets = datasets;
    this.length = datasets.reduce((sum, { length }) => sum + length, 0);
  }

  get(index: number, draw?: Draw): E | Promise<E> {
    checkIndex("ConcatDataset.get", index, this.length);
    let inside = index;
    for (const dataset of this.datasets) {
      if (inside < dataset.length) return dataset.get(inside, draw);
      inside -= dataset.length;
    }
    throw new ValueError("ConcatDataset.get", "a data set became shorter");
  }
}

/**
 * Mixes a stream: keeps `size` examples and gives a random one of them for each that comes in. With
 * the same seed and epoch the order is the same.
 */
export function shuffleBuffer<E extends Example>(
  dataset: IterableDataset<E>,
  size: number,
): IterableDataset<E> {
  if (!Number.isInteger(size) || size < 1)
    throw new ValueError("shuffleBuffer", `size is ${size}; expected a whole number ≥ 1`);
  return {
    ...(dataset.collect && { collect: dataset.collect.bind(dataset) }),
    ...(dataset.concurrency && { concurrency: dataset.concurrency }),
    async *iterate(draw, options) {
      const source = new IndexSource(draw.seed, draw.epoch);
      const kept: E[] = [];
      for await (const example of dataset.iterate(draw, options)) {
        if (kept.length < size) {
          kept.push(example);
          continue;
        }
        const place = source.below(size);
        const chosen = kept[place]!;
        kept[place] = example;
        yield chosen;
      }
      while (kept.length > 0) yield* kept.splice(source.below(kept.length), 1);
    },
  };
}
