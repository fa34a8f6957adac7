/** Random search: every trial by itself. */
import { z } from "zod";
import { parseOptions, seedOption } from "../options.js";
import { valueAt } from "../space/scale.js";
import type { NamedOptions } from "../storage.js";
import type { Parameters } from "../types.js";
import { drawsOf, type Sampler, type SamplerContext } from "./sampler.js";

export interface RandomSamplerOptions {
  /** A whole number from 0 to 2⁵³ − 1; default 0. */
  readonly seed?: number;
}

const randomOptions = z.strictObject({ seed: seedOption });

/**
 * Draws each parameter from its distribution. Where few of many parameters matter it tries more values of those than a grid of the
 * same size does (Bergstra and Bengio, "Random search for hyper-parameter optimization", JMLR 2012).
 *
 * @example
 * ```ts
 * import { createStudy, logUniform, RandomSampler } from "gradus/tune";
 * const study = await createStudy({ space: { lr: logUniform(1e-5, 1) }, sampler: new RandomSampler({ seed: 1 }) });
 * await study.optimize(({ parameters: { lr } }) => Math.abs(Math.log10(lr) + 3), { trials: 50 });
 * console.log((await study.bestTrial())!.value! < 0.5); // → true
 * ```
 */
export class RandomSampler implements Sampler {
  readonly settings: NamedOptions;
  readonly #seed: number;

  constructor(options: RandomSamplerOptions = {}) {
    const { seed } = parseOptions("RandomSampler", randomOptions, options);
    this.#seed = seed;
    this.settings = { kind: "random", seed };
  }

  sample({ space, number, fixed }: SamplerContext): Parameters {
    const draws = drawsOf(this.#seed, number);
    return space.choose(({ distribution }) => valueAt(distribution, draws.uniform()), fixed);
  }
}
