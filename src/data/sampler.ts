/**
 * Samplers say which examples an epoch takes and in which order, as PyTorch's do; each is a
 * function of the epoch alone, so a resumed run sees what an uninterrupted one would have. Read
 * loader.ts next.
 */
import { ValueError } from "../core/errors.js";
import { checkEpoch, chooseSeed, IndexSource, permutation, type SeedOptions } from "./order.js";

/** Which examples an epoch takes, in order. */
export interface Sampler {
  /** The number of examples in an epoch. */
  readonly length: number;
  order(epoch: number): Int32Array;
}

/** Which examples each batch of an epoch takes. */
export interface BatchSource {
  /** The number of batches in an epoch. */
  readonly length: number;
  batches(epoch: number): readonly Int32Array[];
}

interface Countable {
  readonly length: number;
}

const lengthOf = (op: string, source: Countable | number): number => {
  const length = typeof source === "number" ? source : source.length;
  if (Number.isInteger(length) && length >= 0 && length < 2 ** 31) return length;
  throw new ValueError(op, `got ${length} examples; expected a whole number from 0 to 2^31 - 1`);
};

function checkCount(op: string, name: string, value: number, least = 1): number {
  if (Number.isInteger(value) && value >= least && value < 2 ** 31) return value;
  throw new ValueError(op, `${name} is ${value}; expected a whole number ≥ ${least}`);
}

/** Every example in its order. */
export class SequentialSampler implements Sampler {
  readonly length: number;
  constructor(source: Countable | number) {
    this.length = lengthOf("SequentialSampler", source);
  }

  order(): Int32Array {
    return Int32Array.from({ length: this.length }, (_, i) => i);
  }
}

export interface RandomSamplerOptions extends SeedOptions {
  /** Draw each example anew from all, so that some come twice; default false. */
  readonly replacement?: boolean;
  /** Examples in an epoch; default as many as there are. */
  readonly numSamples?: number;
}

/**
 * Examples in random order. More samples than examples without replacement are several shuffles
 * after one another.
 *
 * @example
 * ```ts
 * import { data } from "gradus";
 * const sampler = new data.RandomSampler(3, { numSamples: 6, seed: 1 });
 * console.log([...sampler.order(0)].sort()); // → [ 0, 0, 1, 1, 2, 2 ]
 * ```
 */
export class RandomSampler implements Sampler {
  readonly length: number;
  readonly seed: number;
  readonly #total: number;
  readonly #replacement: boolean;

  constructor(source: Countable | number, options: RandomSamplerOptions = {}) {
    const op = "RandomSampler";
    this.#total = lengthOf(op, source);
    this.length = checkCount(op, "numSamples", options.numSamples ?? this.#total, 0);
    if (this.length > 0 && this.#total === 0) throw new ValueError(op, "no examples to draw from");
    this.seed = chooseSeed(op, options);
    this.#replacement = options.replacement ?? false;
  }

  order(epoch: number): Int32Array {
    if (!this.#replacement && this.length <= this.#total)
      return permutation(this.#total, this.seed, epoch).subarray(0, this.length);
    checkEpoch("RandomSampler", epoch);
    const source = new IndexSource(this.seed, epoch);
    if (this.#replacement)
      return Int32Array.from({ length: this.length }, () => source.below(this.#total));
    const out = new Int32Array(this.length);
    for (let at = 0; at < out.length; at += this.#total) {
      const shuffled = source.shuffle(this.#total);
      out.set(shuffled.subarray(0, Math.min(this.#total, out.length - at)), at);
    }
    return out;
  }
}

/** The examples at some indices, in random order. */
export class SubsetRandomSampler implements Sampler {
  readonly indices: Int32Array;
  readonly seed: number;

  constructor(indices: ArrayLike<number>, options: SeedOptions = {}) {
    this.indices = Int32Array.from(indices);
    this.seed = chooseSeed("SubsetRandomSampler", options);
  }

  get length(): number {
    return this.indices.length;
  }

  order(epoch: number): Int32Array {
    return permutation(this.length, this.seed, epoch).map((i) => this.indices[i]!);
  }
}

export interface WeightedRandomSamplerOptions extends SeedOptions {
  /** Whether an example may come twice; default true. */
  readonly replacement?: boolean;
}

/**
 * Draws examples with probabilities in proportion to weights, such as 1 / (size of the example's
 * class) to see every class equally often. Without replacement by the exponential keys of Efraimidis
 * and Spirakis, "Weighted random sampling with a reservoir" (2006).
 *
 * @throws ValueError for weights that are negative, not finite, or too few above 0.
 * @example
 * ```ts
 * import { data } from "gradus";
 * const sampler = new data.WeightedRandomSampler([0, 1, 0], 2, { seed: 1 });
 * console.log(sampler.order(0)); // → Int32Array(2) [ 1, 1 ]
 * ```
 */
export class WeightedRandomSampler implements Sampler {
  readonly length: number;
  readonly weights: Float64Array;
  readonly seed: number;
  readonly #replacement: boolean;

  constructor(
    weights: ArrayLike<number>,
    numSamples: number,
    options: WeightedRandomSamplerOptions = {},
  ) {
    const op = "WeightedRandomSampler";
    this.length = checkCount(op, "numSamples", numSamples);
    this.weights = Float64Array.from(weights);
    this.#replacement = options.replacement ?? true;
    const bad = this.weights.findIndex((weight) => !(weight >= 0 && weight < Infinity));
    if (bad >= 0)
      throw new ValueError(op, `weight ${bad} is ${weights[bad]}; expected a finite number ≥ 0`);
    const possible = this.weights.filter((weight) => weight > 0).length;
    if (possible < (this.#replacement ? 1 : this.length))
      throw new ValueError(op, `${possible} weights are above 0; cannot draw ${this.length}`);
    this.seed = chooseSeed(op, options);
  }

  order(epoch: number): Int32Array {
    checkEpoch("WeightedRandomSampler", epoch);
    const source = new IndexSource(this.seed, epoch);
    return this.#replacement ? this.#withReplacement(source) : this.#withoutReplacement(source);
  }

  #withReplacement(source: IndexSource): Int32Array {
    let sum = 0;
    const sums = this.weights.map((weight) => {
      sum += weight;
      return sum;
    });
    return Int32Array.from({ length: this.length }, () => firstAbove(sums, source.uniform() * sum));
  }

  #withoutReplacement(source: IndexSource): Int32Array {
    const keys = this.weights.map((weight) => -Math.log(1 - source.uniform()) / weight);
    const order = Int32Array.from(keys, (_, i) => i).filter((i) => this.weights[i]! > 0);
    return order.sort((a, b) => keys[a]! - keys[b]! || a - b).subarray(0, this.length);
  }
}

/** The first place whose sum is above a value, by halving. */
function firstAbove(sums: Float64Array, value: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

export interface DistributedSamplerOptions {
  /** Processes that share the data set. */
  readonly numReplicas: number;
  /** Which of them this is, from 0. */
  readonly rank: number;
  /** Default true. */
  readonly shuffle?: boolean;
  /** The same in every process; default 0. */
  readonly seed?: number;
  /** Leave out what does not divide evenly, instead of repeating from the start; default false. */
  readonly dropLast?: boolean;
}

/**
 * One process's share of the examples: every `numReplicas`-th of an order that is the same in all
 * of them. Shares are equally long.
 *
 * @example
 * ```ts
 * import { data } from "gradus";
 * const share = { numReplicas: 2, rank: 1, shuffle: false };
 * console.log([...new data.DistributedSampler(5, share).order(0)]); // → [ 1, 3, 0 ]
 * ```
 */
export class DistributedSampler implements Sampler {
  readonly length: number;
  readonly #total: number;
  readonly #options: DistributedSamplerOptions;

  constructor(source: Countable | number, options: DistributedSamplerOptions) {
    const op = "DistributedSampler";
    const { numReplicas, rank, dropLast = false, seed = 0 } = options;
    this.#total = lengthOf(op, source);
    this.#options = { ...options, seed: chooseSeed(op, { seed }) };
    checkCount(op, "numReplicas", numReplicas);
    if (!(Number.isInteger(rank) && rank >= 0 && rank < numReplicas))
      throw new ValueError(op, `rank is ${rank}; expected 0 to ${numReplicas - 1}`);
    const share = this.#total / numReplicas;
    this.length = dropLast ? Math.floor(share) : Math.ceil(share);
  }

  order(epoch: number): Int32Array {
    const { numReplicas, rank, shuffle = true, seed = 0 } = this.#options;
    const order = shuffle
      ? permutation(this.#total, seed, epoch)
      : Int32Array.from({ length: this.#total }, (_, i) => i);
    const pick = (_: unknown, i: number) => order[(rank + i * numReplicas) % this.#total]!;
    return Int32Array.from({ length: this.length }, pick);
  }
}

/** Cuts a sampler's order into batches. */
export class BatchSampler implements BatchSource {
  readonly sampler: Sampler;
  readonly batchSize: number;
  readonly dropLast: boolean;

  constructor(sampler: Sampler, batchSize: number, dropLast = false) {
    this.sampler = sampler;
    this.batchSize = checkCount("BatchSampler", "batchSize", batchSize);
    this.dropLast = dropLast;
  }

  get length(): number {
    const batches = this.sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  batches(epoch: number): readonly Int32Array[] {
    const order = this.sampler.order(epoch);
    const { length, batchSize } = this;
    return Array.from({ length }, (_, i) => order.slice(i * batchSize, (i + 1) * batchSize));
  }
}
