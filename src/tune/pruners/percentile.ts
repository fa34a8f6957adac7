/** Ends trials that lag behind what finished trials had at the same step. */
import { z } from "zod";
import { parseOptions } from "../options.js";
import { quantile } from "../quantile.js";
import type { NamedOptions } from "../storage.js";
import type { Pruner, PrunerContext } from "./pruner.js";

export interface MedianPrunerOptions {
  /** Nothing is pruned before so many trials are complete; default 5. */
  readonly startupTrials?: number;
  /** Nothing is pruned up to and with this step; default 0. */
  readonly warmupSteps?: number;
  /** At least so many complete trials must have reported at the same step; default 1. */
  readonly minTrials?: number;
}

export interface PercentilePrunerOptions extends MedianPrunerOptions {
  /** Trials go on that are among the best so many percent; default 25. */
  readonly percentile?: number;
}

const shared = {
  startupTrials: z.int().min(0).default(5),
  warmupSteps: z.number().min(0).default(0),
  minTrials: z.int().min(1).default(1),
};
const medianOptions = z.strictObject(shared);
const percentileOptions = z.strictObject({
  percentile: z.number().min(0).max(100).default(25),
  ...shared,
});

/** Whether a trial's best report is worse than that share of what complete trials reported at its last step. */
function lags(
  { direction, trial, trials }: PrunerContext,
  { percentile, startupTrials, warmupSteps, minTrials }: z.output<typeof percentileOptions>,
): boolean {
  const sign = direction === "minimize" ? 1 : -1;
  const step = trial.reports.at(-1)?.step;
  if (step === undefined || step <= warmupSteps) return false;
  const complete = trials.filter(({ state }) => state === "complete");
  if (complete.length < startupTrials) return false;
  const others = complete.flatMap(({ reports }) => {
    const report = reports.find((r) => r.step === step);
    return report ? [sign * report.value] : [];
  });
  if (others.length < minTrials || others.length === 0) return false;
  const best = Math.min(...trial.reports.map(({ value }) => sign * value));
  return best > quantile(others, percentile / 100);
}

/**
 * Ends a trial whose best report so far is worse than the median of what complete trials reported at the same step (Golovin et al.,
 * "Google Vizier", KDD 2017, call it the median stopping rule).
 *
 * @example
 * ```ts
 * import { createStudy, MedianPruner, PrunedError, uniform } from "gradus/tune";
 * const pruner = new MedianPruner({ startupTrials: 3 });
 * const study = await createStudy({ space: { x: uniform(0, 1) }, pruner });
 * await study.optimize(async (trial) => {
 *   for (let epoch = 1; epoch <= 5; epoch++) {
 *     await trial.report(epoch, trial.parameters.x / epoch);
 *     if (await trial.shouldPrune()) throw new PrunedError();
 *   }
 *   return trial.parameters.x / 5;
 * }, { trials: 20 });
 * console.log((await study.trials()).some(({ state }) => state === "pruned")); // → true
 * ```
 */
export class MedianPruner implements Pruner {
  readonly settings: NamedOptions;
  readonly #options: z.output<typeof medianOptions>;

  constructor(options: MedianPrunerOptions = {}) {
    this.#options = parseOptions("MedianPruner", medianOptions, options);
    this.settings = { kind: "median", ...this.#options };
  }

  prune(context: PrunerContext): boolean {
    return lags(context, { percentile: 50, ...this.#options });
  }
}

/**
 * As {@link MedianPruner}, with another share than one half: only trials among the best `percentile` percent go on.
 *
 * @throws ValueError unless the percentile is from 0 to 100.
 * @example
 * ```ts
 * import { PercentilePruner } from "gradus/tune";
 * console.log(new PercentilePruner({ percentile: 10 }).settings.kind); // → percentile
 * ```
 */
export class PercentilePruner implements Pruner {
  readonly settings: NamedOptions;
  readonly #options: z.output<typeof percentileOptions>;

  constructor(options: PercentilePrunerOptions = {}) {
    this.#options = parseOptions("PercentilePruner", percentileOptions, options);
    this.settings = { kind: "percentile", ...this.#options };
  }

  prune(context: PrunerContext): boolean {
    return lags(context, this.#options);
  }
}
