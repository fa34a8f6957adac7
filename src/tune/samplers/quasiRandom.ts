/** Points that fill a space more evenly than random ones do: Halton's sequence, its digits permuted at random. */
import { z } from "zod";
import { IndexSource } from "../../data/order.js";
import { parseOptions, seedOption } from "../options.js";
import { valueAt } from "../space/scale.js";
import type { NamedOptions } from "../storage.js";
import type { Parameters } from "../types.js";
import { indexOf, type Sampler, type SamplerContext } from "./sampler.js";

export interface QuasiRandomSamplerOptions {
  /** Permute the digits at random; default true. Without it the points of many dimensions lie on lines. */
  readonly scramble?: boolean;
  /** Decides the permutations; default 0. */
  readonly seed?: number;
}

const quasiRandomOptions = z.strictObject({
  scramble: z.boolean().default(true),
  seed: seedOption,
});

const haltonStream = 0x68616c74;

/** Digits that a double can tell apart. */
const digitsOf = (base: number) => Math.ceil((53 * Math.LN2) / Math.log(base));

/** The first prime numbers, each the base of one dimension. */
export function primes(count: number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++)
    if (found.every((p) => p * p > n || n % p !== 0)) found.push(n);
  return found;
}

/**
 * The radical inverse of a whole number: its digits behind the point, the last one first (van der Corput 1935), each digit replaced
 * by `permutations[place][digit]` where these are given.
 */
export function radicalInverse(
  index: number,
  base: number,
  permutations?: readonly (ArrayLike<number> | undefined)[],
): number {
  let [rest, weight, sum] = [index, 1 / base, 0];
  const places = permutations?.length ?? Infinity;
  for (let place = 0; place < places && (rest > 0 || permutations); place++) {
    const digit = rest % base;
    sum += (permutations ? permutations[place]![digit]! : digit) * weight;
    rest = Math.floor(rest / base);
    weight /= base;
  }
  return Math.min(sum, 1 - 2 ** -53);
}

/**
 * Takes trial after trial from Halton's sequence, scrambled as in Owen, "A randomized Halton algorithm in R" (2017): as good as
 * random where one parameter matters, better where several do.
 *
 * @example
 * ```ts
 * import { createStudy, QuasiRandomSampler, uniform } from "gradus/tune";
 * const sampler = new QuasiRandomSampler({ scramble: false });
 * const study = await createStudy({ space: { x: uniform(0, 1) }, sampler });
 * await study.optimize(({ parameters: { x } }) => x, { trials: 4 });
 * console.log((await study.trials()).map(({ value }) => value)); // → [ 0, 0.5, 0.25, 0.75 ]
 * ```
 */
export class QuasiRandomSampler implements Sampler {
  readonly settings: NamedOptions;
  readonly #options: z.output<typeof quasiRandomOptions>;
  readonly #permutations = new Map<number, readonly Int32Array[]>();

  constructor(options: QuasiRandomSamplerOptions = {}) {
    this.#options = parseOptions("QuasiRandomSampler", quasiRandomOptions, options);
    this.settings = { kind: "quasiRandom", ...this.#options };
  }

  sample(context: SamplerContext): Parameters {
    const { space, fixed } = context;
    const bases = primes(space.parameters.length);
    const dims = new Map(space.names.map((name, dim) => [name, dim]));
    const index = indexOf(context);
    return space.choose(({ name, distribution }) => {
      const base = bases[dims.get(name)!]!;
      return valueAt(distribution, radicalInverse(index, base, this.#permutationsOf(base)));
    }, fixed);
  }

  #permutationsOf(base: number): readonly Int32Array[] | undefined {
    const { scramble, seed } = this.#options;
    if (!scramble) return undefined;
    const known = this.#permutations.get(base);
    if (known) return known;
    const source = new IndexSource(seed, base, haltonStream);
    const made = Array.from({ length: digitsOf(base) }, () => source.shuffle(base));
    this.#permutations.set(base, made);
    return made;
  }
}
