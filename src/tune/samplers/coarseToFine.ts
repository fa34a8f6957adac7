/** From coarse to fine in one search: rounds, each in the part of the space where the best trials of the rounds before lie. */
import { z } from "zod";
import { parseOptions, positiveWhole, seedOption } from "../options.js";
import { narrow } from "../space/narrow.js";
import { unitOf, valueAt } from "../space/scale.js";
import type { NamedOptions } from "../storage.js";
import type { Parameters } from "../types.js";
import { drawsOf, indexOf, type Sampler, type SamplerContext } from "./sampler.js";

export interface CoarseToFineSamplerOptions {
  /** Trials in each round but the last, which has no end; default 20. */
  readonly trialsPerRound?: number;
  /** Default 3. */
  readonly rounds?: number;
  /** The share of the best trials that the next round is drawn around; default 0.2. */
  readonly keep?: number;
  /** A whole number from 0 to 2⁵³ − 1; default 0. */
  readonly seed?: number;
}

const coarseToFineOptions = z.strictObject({
  trialsPerRound: positiveWhole.default(20),
  rounds: positiveWhole.default(3),
  keep: z.number().gt(0).max(1).default(0.2),
  seed: seedOption,
});

/**
 * Draws at random, first from the whole space, then round by round from the part around the best trials so far: what people do by
 * hand with two or three searches.
 *
 * @throws ValueError for options out of range.
 * @example
 * ```ts
 * import { CoarseToFineSampler, createStudy, logUniform } from "gradus/tune";
 * const sampler = new CoarseToFineSampler({ trialsPerRound: 15, rounds: 3, seed: 1 });
 * const study = await createStudy({ space: { lr: logUniform(1e-6, 1) }, sampler });
 * await study.optimize(({ parameters: { lr } }) => Math.abs(Math.log10(lr) + 3), { trials: 45 });
 * console.log((await study.bestTrial())!.value! < 0.05); // → true
 * ```
 */
export class CoarseToFineSampler implements Sampler {
  readonly settings: NamedOptions;
  readonly #options: z.output<typeof coarseToFineOptions>;

  constructor(options: CoarseToFineSamplerOptions = {}) {
    this.#options = parseOptions("CoarseToFineSampler", coarseToFineOptions, options);
    this.settings = { kind: "coarseToFine", ...this.#options };
  }

  sample(context: SamplerContext): Parameters {
    const { space, number, trials, direction, fixed } = context;
    const { trialsPerRound, rounds, keep, seed } = this.#options;
    const round = Math.min(Math.floor(indexOf(context) / trialsPerRound), rounds - 1);
    const first = number - (indexOf(context) - round * trialsPerRound);
    const told = trials.filter((trial) => trial.number < first && trial.state === "complete");
    const part = round > 0 && told.length > 1 ? narrow(space, told, { direction, keep }) : space;
    const draws = drawsOf(seed, number);
    return space.choose(({ name, distribution }) => {
      // What was fixed by hand need not lie in the part, nor need a finer grid's points be in the whole space.
      const finer = part.get(name)?.distribution ?? distribution;
      return valueAt(distribution, unitOf(distribution, valueAt(finer, draws.uniform())));
    }, fixed);
  }
}
