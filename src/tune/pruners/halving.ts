/** Successive halving without waiting: at steps that grow by a factor only the best part of the trials goes on. Also Hyperband. */
import { z } from "zod";
import { ValueError } from "../../core/errors.js";
import { IndexSource } from "../../data/order.js";
import { parseOptions } from "../options.js";
import type { NamedOptions } from "../storage.js";
import type { Direction, TrialRecord } from "../types.js";
import type { Pruner, PrunerContext } from "./pruner.js";

export interface SuccessiveHalvingPrunerOptions {
  /** The step of the first selection, and what the later ones are multiples of; default 1. */
  readonly minResource?: number;
  /** One in so many goes on, to so many times the step; default 3. */
  readonly reductionFactor?: number;
  /** Selections to leave out at the beginning; default 0. */
  readonly earliestRung?: number;
}

const factor = z.int().min(2).default(3);
const resource = z.number().positive();
const halvingOptions = z.strictObject({
  minResource: resource.default(1),
  reductionFactor: factor,
  earliestRung: z.int().min(0).default(0),
});

type HalvingOptions = z.output<typeof halvingOptions>;

/** Whether a trial fails one of the selections that its last report brought it to, among these trials. */
function dropsOut(
  { direction, trial }: PrunerContext,
  rivals: readonly TrialRecord[],
  { minResource, reductionFactor, earliestRung }: HalvingOptions,
): boolean {
  const [before, now] = [trial.reports.at(-2)?.step ?? -Infinity, trial.reports.at(-1)?.step];
  if (now === undefined) return false;
  for (let rung = earliestRung; ; rung++) {
    const step = minResource * reductionFactor ** rung;
    if (step > now) return false;
    if (step > before && !isAmongBest(direction, trial, rivals, step, reductionFactor)) return true;
  }
}

/** Whether a trial is in the best part of those that came to a step; while that part is less than one, whether it is the best. */
function isAmongBest(
  direction: Direction,
  trial: TrialRecord,
  rivals: readonly TrialRecord[],
  step: number,
  reductionFactor: number,
): boolean {
  const sign = direction === "minimize" ? 1 : -1;
  const valueOf = ({ reports }: TrialRecord) => {
    const report = reports.find((r) => r.step >= step);
    return report ? [sign * report.value] : [];
  };
  const [own] = valueOf(trial);
  const others = rivals.filter(({ number }) => number !== trial.number).flatMap(valueOf);
  const values = [...others, own!].sort((a, b) => a - b);
  const places = Math.max(1, Math.floor(values.length / reductionFactor));
  return own! <= values[places - 1]!;
}

/**
 * Ends a trial that, at step minResource · reductionFactorᵏ for some k, is not among the best 1/reductionFactor of the trials that
 * have come so far (ASHA: Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020, in the form that stops
 * trials instead of pausing them). Nobody waits for anybody.
 *
 * @throws ValueError for options out of range.
 * @example
 * ```ts
 * import { createStudy, PrunedError, SuccessiveHalvingPruner, uniform } from "gradus/tune";
 * const pruner = new SuccessiveHalvingPruner({ minResource: 1, reductionFactor: 3 });
 * const study = await createStudy({ space: { x: uniform(0, 1) }, pruner });
 * let steps = 0;
 * await study.optimize(async (trial) => {
 *   for (let epoch = 1; epoch <= 27; epoch++, steps++) {
 *     await trial.report(epoch, trial.parameters.x + 1 / epoch);
 *     if (await trial.shouldPrune()) throw new PrunedError();
 *   }
 *   return trial.parameters.x + 1 / 27;
 * }, { trials: 30 });
 * console.log(steps < 30 * 27 / 2); // → true
 * ```
 */
export class SuccessiveHalvingPruner implements Pruner {
  readonly settings: NamedOptions;
  readonly #options: HalvingOptions;

  constructor(options: SuccessiveHalvingPrunerOptions = {}) {
    this.#options = parseOptions("SuccessiveHalvingPruner", halvingOptions, options);
    this.settings = { kind: "successiveHalving", ...this.#options };
  }

  prune(context: PrunerContext): boolean {
    return dropsOut(context, context.trials, this.#options);
  }
}

export interface HyperbandPrunerOptions {
  /** The step of the first selection in the strictest bracket; default 1. */
  readonly minResource?: number;
  /** The last step of a trial. */
  readonly maxResource: number;
  /** Default 3. */
  readonly reductionFactor?: number;
}

const hyperbandOptions = z.strictObject({
  minResource: resource.default(1),
  maxResource: resource,
  reductionFactor: factor,
});

const bracketStream = 0x62616e64;

/**
 * Successive halving in several brackets, from one that selects early and hard to one that lets every trial finish: right where
 * it is not known how soon a trial shows its worth (Li et al., "Hyperband", JMLR 2018). A trial's bracket follows from its number;
 * brackets get trials in the paper's proportions.
 *
 * @throws ValueError unless minResource < maxResource.
 * @example
 * ```ts
 * import { HyperbandPruner } from "gradus/tune";
 * const pruner = new HyperbandPruner({ maxResource: 27 });
 * console.log(pruner.brackets, pruner.bracketOf(0) < 4); // → 4 true
 * ```
 */
export class HyperbandPruner implements Pruner {
  readonly settings: NamedOptions;
  /** How many there are. */
  readonly brackets: number;
  readonly #options: z.output<typeof hyperbandOptions>;
  /** Trials of each bracket and those before it, as shares of all. */
  readonly #upTo: readonly number[];

  constructor(options: HyperbandPrunerOptions) {
    const op = "HyperbandPruner";
    this.#options = parseOptions(op, hyperbandOptions, options);
    this.settings = { kind: "hyperband", ...this.#options };
    const { minResource, maxResource, reductionFactor } = this.#options;
    if (!(minResource < maxResource))
      throw new ValueError(
        op,
        `minResource ${minResource} is not below maxResource ${maxResource}`,
      );
    const rungs = Math.log(maxResource / minResource) / Math.log(reductionFactor);
    // 3 ** 5 must count as five rungs, whatever its logarithm is rounded to.
    this.brackets = Math.floor(rungs + 1e-9) + 1;
    const counts = Array.from({ length: this.brackets }, (_, bracket) => {
      const halvings = this.brackets - 1 - bracket;
      return Math.ceil((this.brackets / (halvings + 1)) * reductionFactor ** halvings);
    });
    const all = counts.reduce((a, b) => a + b);
    this.#upTo = counts.map((_, i) => counts.slice(0, i + 1).reduce((a, b) => a + b) / all);
  }

  /** The bracket of a trial: 0 selects earliest. */
  bracketOf(number: number): number {
    const u = new IndexSource(0, number, bracketStream).uniform();
    return this.#upTo.findIndex((share) => u < share);
  }

  prune(context: PrunerContext): boolean {
    const { minResource, reductionFactor } = this.#options;
    const bracket = this.bracketOf(context.trial.number);
    const rivals = context.trials.filter(({ number }) => this.bracketOf(number) === bracket);
    return dropsOut(context, rivals, { minResource, reductionFactor, earliestRung: bracket });
  }
}
