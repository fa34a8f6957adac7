/**
 * The order in which examples are taken: a permutation that depends on seed and epoch alone, so
 * that a resumed run sees what an uninterrupted one would have. Read loader.ts next.
 */
import { ValueError } from "../core/errors.js";
import { philox } from "../core/random.js";
import { Generator, generatorOf } from "../tensor/random.js";

/** Sets these draws apart from all others: the second counter word of other random calls is 0. */
const orderStream = 0x6f726465;
const twoTo32 = 2 ** 32;

/** Draws numbers that depend on a seed, an epoch (or another number that counts) and a stream alone. */
export class IndexSource {
  readonly #key: readonly [number, number];
  readonly #epoch: number;
  readonly #stream: number;
  readonly #words = new Uint32Array(4);
  #block = 0;
  #used = 4;

  constructor(seed: number, epoch: number, stream = orderStream) {
    this.#key = [seed >>> 0, Math.floor(seed / twoTo32) >>> 0];
    this.#epoch = epoch;
    this.#stream = stream;
  }

  /** A whole number below a bound, each equally likely. */
  below(bound: number): number {
    // Words past the last multiple of the bound would favour small remainders: drawn again.
    const limit = twoTo32 - (twoTo32 % bound);
    for (;;) {
      const word = this.#word();
      if (word < limit) return word % bound;
    }
  }

  /** A number from 0 to below 1, of 53 bits. */
  uniform(): number {
    const [high, low] = [this.#word() >>> 5, this.#word() >>> 6];
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** A uniformly random order of 0 … length − 1. */
  shuffle(length: number): Int32Array {
    const order = Int32Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const swapped = order[i]!;
      order[i] = order[j]!;
      order[j] = swapped;
    }
    return order;
  }

  #word(): number {
    if (this.#used === 4) this.#refill();
    return this.#words[this.#used++]!;
  }

  #refill(): void {
    philox(this.#key, [this.#block++, this.#stream, this.#epoch, 0], this.#words);
    this.#used = 0;
  }
}

/**
 * A uniformly random order of 0 … length − 1 (Fisher and Yates' shuffle on Philox bits).
 *
 * @param seed a whole number from 0 to 2⁵³ − 1.
 * @param epoch a whole number from 0 to 2³² − 1; each gives another order.
 * @example
 * ```ts
 * import { data } from "gradus";
 * const order = data.permutation(5, 42, 0);
 * console.log([...order].sort()); // → [ 0, 1, 2, 3, 4 ]
 * ```
 */
export function permutation(length: number, seed: number, epoch = 0): Int32Array {
  checkSeed("permutation", seed);
  checkEpoch("permutation", epoch);
  return new IndexSource(seed, epoch).shuffle(length);
}

/** What the random choices of an epoch depend on. */
export interface Draw {
  readonly seed: number;
  readonly epoch: number;
}

/** Sets the keys of examples apart from the draws of orders. */
const exampleStream = 0x6578616d;

/**
 * The random generator of one example in one epoch. What is drawn from it depends on (seed, epoch,
 * index) alone, so augmentation is the same whoever makes the example and whenever.
 *
 * @example
 * ```ts
 * import { data, rand } from "gradus";
 * const draw = { seed: 1, epoch: 0 };
 * const drawn = () => rand([1], { generator: data.exampleGenerator(draw, 7) }).item();
 * console.log(drawn() === drawn()); // → true
 * ```
 */
export function exampleGenerator({ seed, epoch }: Draw, index: number): Generator {
  const words = new Int32Array(4);
  const key = [seed >>> 0, Math.floor(seed / twoTo32) >>> 0] as const;
  philox(key, [index, exampleStream, epoch, 0], words);
  const generator = new Generator();
  generator.setState([words[0]!, words[1]!, 0, 0]);
  return generator;
}

/** Where the seed of an order comes from. */
export interface SeedOptions {
  /** Decides the order: a whole number from 0 to 2⁵³ − 1. Drawn from the generator if left out. */
  readonly seed?: number;
  /** What a seed that is left out is drawn from; default the one that `manualSeed` seeds. */
  readonly generator?: Generator;
}

/** The seed that was given, or a fresh one from the generator. */
export function chooseSeed(op: string, { seed, generator }: SeedOptions): number {
  const source = generatorOf(op, generator);
  if (seed !== undefined) {
    checkSeed(op, seed);
    return seed;
  }
  const [low, high] = source.bits(2);
  return low! + (high! & 0x1fffff) * twoTo32;
}

function checkSeed(op: string, seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new ValueError(op, `seed is ${seed}; expected a whole number from 0 to 2^53 - 1`);
}

export function checkEpoch(op: string, epoch: number): void {
  if (!Number.isInteger(epoch) || epoch < 0 || epoch >= twoTo32)
    throw new ValueError(op, `epoch is ${epoch}; expected a whole number from 0 to 2^32 - 1`);
}
