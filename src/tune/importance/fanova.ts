/** How much each parameter matters: the share of a fitted forest's variance that it alone explains. */
import { z } from "zod";
import { ValueError } from "../../core/errors.js";
import { IndexSource } from "../../data/order.js";
import { parseOptions, positiveWhole, seedOption } from "../options.js";
import { quantile } from "../quantile.js";
import { isNumeric, unitOf } from "../space/scale.js";
import type { Space } from "../space/space.js";
import type { Direction, Parameters, ParameterValue, TrialRecord } from "../types.js";
import { growTree, type Leaf } from "./forest.js";

export interface ParameterImportanceOptions {
  /** Default "minimize"; only matters with `cap`. */
  readonly direction?: Direction;
  /**
   * Count values worse than those of the best part of the trials as the worst of it; default 1, all as they are. With 0.5 a few
   * runs that diverged do not hide what matters among the others.
   */
  readonly cap?: number;
  /** Default 64. */
  readonly trees?: number;
  /** Decides which trials a tree sees; default 0. */
  readonly seed?: number;
}

const importanceOptions = z.strictObject({
  direction: z.enum(["minimize", "maximize"]).default("minimize"),
  cap: z.number().gt(0).max(1).default(1),
  trees: positiveWhole.default(64),
  seed: seedOption,
});

export interface Importance {
  readonly parameter: string;
  /** The share of the variance of the values that this parameter alone explains, 0 to 1. */
  readonly importance: number;
}

const forestStream = 0x666f7265;
const fewestTrials = 4;

/** Where values lie in the unit cube; a parameter that is not there lies in the middle. */
type Placing = (parameters: Parameters) => number[];

/** Choices lie in the order of what they reached on average, so that one split can part the good from the bad. */
function placing(space: Space, trials: readonly Parameters[], y: readonly number[]): Placing {
  const distributions = space.parameters.map(({ name, distribution }) => {
    if (isNumeric(distribution)) return { name, distribution };
    const reached = new Map(distribution.values.map((value) => [value, { sum: 0, count: 0 }]));
    for (const [i, values] of trials.entries()) {
      const at = Object.hasOwn(values, name) ? reached.get(values[name]!) : undefined;
      if (at) Object.assign(at, { sum: at.sum + y[i]!, count: at.count + 1 });
    }
    const mean = (value: ParameterValue) => {
      const { sum, count } = reached.get(value)!;
      return count > 0 ? sum / count : 0;
    };
    const values = [...distribution.values].sort((a, b) => mean(a) - mean(b));
    return { name, distribution: { ...distribution, values } };
  });
  return (parameters) =>
    distributions.map(({ name, distribution }) =>
      Object.hasOwn(parameters, name) ? unitOf(distribution, parameters[name]!) : 0.5,
    );
}

/**
 * How much each parameter matters, by functional analysis of variance (Hutter, Hoos, Leyton-Brown, "An efficient approach for
 * assessing hyperparameter importance", ICML 2014): a forest of regression trees is fitted to the complete trials; of its variance
 * over the space, the share that is left when all other parameters are averaged out. What is missing to 1 are interactions.
 *
 * @returns all parameters, the most important first.
 * @throws ValueError for fewer than 4 complete trials.
 * @example
 * ```ts
 * import { createStudy, parameterImportances, RandomSampler, uniform } from "gradus/tune";
 * const space = { much: uniform(0, 1), little: uniform(0, 1) };
 * const study = await createStudy({ space, sampler: new RandomSampler() });
 * await study.optimize(({ parameters: { much, little } }) => 10 * much + little, { trials: 100 });
 * const [first] = parameterImportances(study.space, await study.trials());
 * console.log(first!.parameter, first!.importance > 0.9); // → much true
 * ```
 */
export function parameterImportances<P>(
  space: Space<P>,
  trials: readonly TrialRecord[],
  options: ParameterImportanceOptions = {},
): Importance[] {
  const op = "parameterImportances";
  const { direction, cap, trees, seed } = parseOptions(op, importanceOptions, options);
  const complete = trials.filter(({ state }) => state === "complete");
  if (complete.length < fewestTrials)
    throw new ValueError(
      op,
      `${complete.length} complete trials; expected ${fewestTrials} or more`,
    );
  const sign = direction === "minimize" ? 1 : -1;
  const values = complete.map(({ value }) => sign * value!);
  const worst = quantile(values, cap);
  const y = values.map((value) => Math.min(value, worst));
  const chosen = complete.map(({ parameters }) => parameters);
  const x = chosen.map(placing(space as Space, chosen, y));
  const shares = Array.from({ length: trees }, (_, tree) => {
    const source = new IndexSource(seed, tree, forestStream);
    return mainEffects(growTree(x, y, source, { minLeaf: 1 }), space.parameters.length);
  });
  const means = space.parameters.map(({ name }, dim) => {
    const sum = shares.reduce((total, share) => total + share[dim]!, 0);
    return { parameter: name, importance: sum / trees };
  });
  return means.sort((a, b) => b.importance - a.importance);
}

const product = (values: readonly number[]) => values.reduce((a, b) => a * b, 1);

/** For each dim the share of a tree's variance that is left when the others are averaged out. */
function mainEffects(leaves: readonly Leaf[], dims: number): number[] {
  const volumes = leaves.map(({ low, high }) => product(high.map((end, d) => end - low[d]!)));
  const mean = leaves.reduce((sum, leaf, i) => sum + volumes[i]! * leaf.mean, 0);
  const variance = leaves.reduce((sum, leaf, i) => sum + volumes[i]! * (leaf.mean - mean) ** 2, 0);
  return Array.from({ length: dims }, (_, dim) =>
    variance > 0 ? marginalVariance(leaves, volumes, mean, dim) / variance : 0,
  );
}

/** The variance along one dim of the mean over all others, which is constant between the borders of the leaves. */
function marginalVariance(
  leaves: readonly Leaf[],
  volumes: readonly number[],
  mean: number,
  dim: number,
): number {
  const borders = [...new Set(leaves.flatMap(({ low, high }) => [low[dim]!, high[dim]!]))];
  borders.sort((a, b) => a - b);
  const places = new Map(borders.map((border, i) => [border, i]));
  // A leaf adds the same to all intervals it covers: noted where it begins and where it ends, then summed up.
  const changes = new Float64Array(borders.length);
  for (const [i, { low, high, mean: height }] of leaves.entries()) {
    const share = (volumes[i]! / (high[dim]! - low[dim]!)) * (height - mean);
    changes[places.get(low[dim]!)!]! += share;
    changes[places.get(high[dim]!)!]! -= share;
  }
  let [variance, marginal] = [0, 0];
  for (let i = 0; i + 1 < borders.length; i++) {
    marginal += changes[i]!;
    variance += (borders[i + 1]! - borders[i]!) * marginal ** 2;
  }
  return variance;
}
