/** Tree-structured Parzen estimators: draws where good trials are dense and bad ones are not. Read parzen.ts for the densities. */
import { z } from "zod";
import type { IndexSource } from "../../data/order.js";
import { parseOptions, positiveWhole, seedOption } from "../options.js";
import { valueAt } from "../space/scale.js";
import type { Space, SpaceParameter } from "../space/space.js";
import type { NamedOptions } from "../storage.js";
import type { Parameters, ParameterValue, TrialRecord } from "../types.js";
import { ParzenEstimator } from "./parzen.js";
import { rank } from "./ranking.js";
import { drawsOf, type Sampler, type SamplerContext } from "./sampler.js";

export interface TPESamplerOptions {
  /** A whole number from 0 to 2⁵³ − 1; default 0. */
  readonly seed?: number;
  /** So many told trials are drawn at random before the rest; default 10. */
  readonly startupTrials?: number;
  /** Draws from the good trials' density, of which the best is taken; default 24. */
  readonly candidates?: number;
  /** Estimate the density of parameters together instead of one by one; default true. */
  readonly multivariate?: boolean;
  /** Count trials that are still running as bad, so that parallel workers do not all try the same; default true. */
  readonly constantLiar?: boolean;
  /** The weight of the prior beside one observation; default 1. */
  readonly priorWeight?: number;
}

const tpeOptions = z.strictObject({
  seed: seedOption,
  startupTrials: z.int().min(0).default(10),
  candidates: positiveWhole.default(24),
  multivariate: z.boolean().default(true),
  constantLiar: z.boolean().default(true),
  priorWeight: z.number().positive().default(1),
});

const [goodShare, mostGood] = [0.15, 25];

/** Of n told trials so many count as good. */
const goodCount = (n: number) => Math.min(Math.ceil(goodShare * n), mostGood);

const fullWeights = 25;

/** Older trials beyond the last 25 weigh less and less. */
function weightsOf(count: number): number[] {
  const older = count - fullWeights;
  const rises = (i: number) =>
    older === 1 ? 1 / count : 1 / count + (i / (older - 1)) * (1 - 1 / count);
  return Array.from({ length: count }, (_, i) => (i < older ? rises(i) : 1));
}

/**
 * Splits the told trials into the best 15% (at most 25) and the rest, estimates the density of either, draws from the good one's, and takes the
 * draw with the greatest ratio good / bad, which has the greatest expected improvement (Bergstra et al., "Algorithms for
 * hyper-parameter optimization", NeurIPS 2011; "Making a science of model search", ICML 2013). Parameters under the same conditions
 * are estimated together, from the trials that have them.
 *
 * What it draws depends on the seed, the trial's number and the told trials (with `constantLiar` the running ones as well).
 *
 * @example
 * ```ts
 * import { createStudy, TPESampler, uniform } from "gradus/tune";
 * const space = { x: uniform(-10, 10), y: uniform(-10, 10) };
 * const study = await createStudy({ space, sampler: new TPESampler({ seed: 1 }) });
 * await study.optimize(({ parameters: { x, y } }) => (x - 3) ** 2 + (y + 1) ** 2, { trials: 80 });
 * console.log((await study.bestTrial())!.value! < 1); // → true
 * ```
 */
export class TPESampler implements Sampler {
  readonly settings: NamedOptions;
  readonly #options: z.output<typeof tpeOptions>;

  constructor(options: TPESamplerOptions = {}) {
    this.#options = parseOptions("TPESampler", tpeOptions, options);
    this.settings = { kind: "tpe", ...this.#options };
  }

  sample({ space, direction, number, trials, fixed }: SamplerContext): Parameters {
    const { seed, startupTrials, constantLiar, multivariate } = this.#options;
    const draws = drawsOf(seed, number);
    const ranked = rank(trials, direction);
    if (ranked.length < startupTrials)
      return space.choose(({ distribution }) => valueAt(distribution, draws.uniform()), fixed);
    const running = trials.filter((t) => t.state === "running" && t.number !== number);
    const liars = constantLiar ? running : [];
    const groups = groupsOf(space, multivariate);
    const drawn = new Map<string, ParameterValue>();
    return space.choose(({ name }) => {
      if (!drawn.has(name)) {
        const group = groups.find((parameters) => parameters.some((p) => p.name === name))!;
        const values = this.#draw(group, ranked, liars, draws);
        for (const [key, value] of Object.entries(values)) drawn.set(key, value);
      }
      return drawn.get(name)!;
    }, fixed);
  }

  /** The best of some draws of parameters that are there together. */
  #draw(
    group: readonly SpaceParameter[],
    ranked: readonly TrialRecord[],
    liars: readonly TrialRecord[],
    draws: IndexSource,
  ): Record<string, ParameterValue> {
    const has = ({ parameters }: TrialRecord) =>
      group.every(({ name }) => Object.hasOwn(parameters, name));
    const told = ranked.filter(has);
    const count = goodCount(told.length);
    const good = this.#estimate(group, told.slice(0, count));
    const bad = this.#estimate(group, [...told.slice(count), ...liars.filter(has)]);
    let [best, most]: [Record<string, ParameterValue>, number] = [{}, -Infinity];
    for (let i = 0; i < this.#options.candidates; i++) {
      const values = good.sample(draws);
      const ratio = good.logDensity(values) - bad.logDensity(values);
      if (i === 0 || ratio > most) [best, most] = [values, ratio];
    }
    return best;
  }

  #estimate(group: readonly SpaceParameter[], trials: readonly TrialRecord[]): ParzenEstimator {
    const byAge = [...trials].sort((a, b) => a.number - b.number);
    const observations = byAge.map(({ parameters }) => parameters);
    const { priorWeight } = this.#options;
    return new ParzenEstimator(group, observations, weightsOf(byAge.length), priorWeight);
  }
}

/** Parameters that are there under the same conditions, or each by itself. */
function groupsOf(space: Space, together: boolean): (readonly SpaceParameter[])[] {
  if (!together) return space.parameters.map((parameter) => [parameter]);
  const groups = new Map<string, SpaceParameter[]>();
  for (const parameter of space.parameters) {
    const key = JSON.stringify(parameter.when);
    groups.set(key, [...(groups.get(key) ?? []), parameter]);
  }
  return [...groups.values()];
}
