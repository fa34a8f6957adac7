/** A Parzen estimator: a mixture with one part for each observation, each part a product of its parameters' kernels. */
import type { IndexSource } from "../../data/order.js";
import type { SpaceParameter } from "../space/space.js";
import type { Parameters, ParameterValue } from "../types.js";
import { type Kernels, kernelsFor } from "./kernels.js";

export class ParzenEstimator {
  readonly #kernels: ReadonlyMap<string, Kernels>;
  readonly #logWeights: Float64Array;
  /** Running sums of the weights. */
  readonly #steps: Float64Array;

  /** Weights belong to the observations; the prior's is `priorWeight`. */
  constructor(
    parameters: readonly SpaceParameter[],
    observations: readonly Parameters[],
    weights: readonly number[],
    priorWeight: number,
  ) {
    this.#kernels = new Map(
      parameters.map(({ name, distribution }) => {
        const observed = observations.map((values) => values[name]!);
        return [name, kernelsFor(distribution, observed, priorWeight)];
      }),
    );
    const all = [...weights, priorWeight];
    const sum = all.reduce((a, b) => a + b, 0);
    this.#logWeights = Float64Array.from(all, (weight) => Math.log(weight / sum));
    let upTo = 0;
    this.#steps = Float64Array.from(all, (weight) => (upTo += weight / sum));
  }

  sample(source: IndexSource): Record<string, ParameterValue> {
    const u = source.uniform();
    const found = this.#steps.findIndex((step) => u < step);
    const part = found < 0 ? this.#steps.length - 1 : found;
    const values: Record<string, ParameterValue> = {};
    for (const [name, kernels] of this.#kernels) values[name] = kernels.sample(part, source);
    return values;
  }

  /** The logarithm of the density at these values. */
  logDensity(values: Parameters): number {
    const sums = this.#logWeights.slice();
    for (const [name, kernels] of this.#kernels) kernels.addLogDensities(values[name]!, sums);
    let most = -Infinity;
    for (const x of sums) most = Math.max(most, x);
    let sum = 0;
    for (const x of sums) sum += Math.exp(x - most);
    return most + Math.log(sum);
  }
}
