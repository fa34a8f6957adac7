/** The schedule that looks at how training goes. Read compose.ts next. */
import { ValueError } from "../../core/errors.js";
import { checkNames, checkNumber } from "../settings.js";
import {
  checkSettings,
  perGroup,
  type Scheduled,
  type SchedulerState,
  wholeNumber,
} from "./scheduler.js";

export interface PlateauOptions {
  /** Whether lower or higher is better; default `min`. */
  readonly mode?: "min" | "max";
  /** What the rate is multiplied by; default 0.1. */
  readonly factor?: number;
  /** Steps without improvement that are waited for; default 10. */
  readonly patience?: number;
  /** How much better counts as better; default 1e-4. */
  readonly threshold?: number;
  /** Whether the threshold is a share of the best value or a distance; default `rel`. */
  readonly thresholdMode?: "rel" | "abs";
  /** Steps after a reduction in which nothing is counted; default 0. */
  readonly cooldown?: number;
  /** The rate does not go below this, for all groups or for each; default 0. */
  readonly minLr?: number | readonly number[];
  /** A smaller change of the rate is not made; default 1e-8. */
  readonly eps?: number;
}

const names = [
  ...["mode", "factor", "patience", "threshold", "thresholdMode", "cooldown", "minLr", "eps"],
];

/**
 * Multiplies the rate by a factor when a measure has not improved for more than `patience` steps.
 *
 * @throws ValueError for options out of range, or a measure that is not a number.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const optimizer = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const scheduler = new optim.lrScheduler.ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 1 });
 * for (const loss of [3, 2, 2, 2]) scheduler.step(loss);
 * console.log(scheduler.lastLr); // → [ 0.5 ]
 * ```
 */
export class ReduceLROnPlateau {
  readonly optimizer: Scheduled;
  private readonly settings: Readonly<Required<PlateauOptions>>;
  private readonly minLrs: readonly number[];
  private best: number;
  private badEpochs = 0;
  private cooldownLeft = 0;
  private epoch = 0;

  constructor(optimizer: Scheduled, options: PlateauOptions = {}) {
    const name = "ReduceLROnPlateau";
    checkNames(name, options, names);
    const { mode = "min", factor = 0.1, patience = 10, threshold = 1e-4 } = options;
    const { thresholdMode = "rel", cooldown = 0, minLr = 0, eps = 1e-8 } = options;
    checkNumber(name, "factor", factor, { below: 1 });
    wholeNumber(name, "patience", patience, 0);
    wholeNumber(name, "cooldown", cooldown, 0);
    checkNumber(name, "threshold", threshold);
    checkNumber(name, "eps", eps);
    if (mode !== "min" && mode !== "max")
      throw new ValueError(name, `mode must be min or max, got ${String(mode)}`);
    if (thresholdMode !== "rel" && thresholdMode !== "abs")
      throw new ValueError(name, `thresholdMode must be rel or abs, got ${String(thresholdMode)}`);
    this.optimizer = optimizer;
    this.minLrs = perGroup(name, "minLr", minLr, optimizer);
    this.settings = { mode, factor, patience, threshold, thresholdMode, cooldown, minLr, eps };
    this.best = mode === "min" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  /** The groups' rates. */
  get lastLr(): readonly number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  get lastEpoch(): number {
    return this.epoch;
  }

  private isBetter(value: number): boolean {
    const { mode, threshold, thresholdMode } = this.settings;
    const { best } = this;
    if (mode === "min")
      return value < (thresholdMode === "rel" ? best * (1 - threshold) : best - threshold);
    return value > (thresholdMode === "rel" ? best * (1 + threshold) : best + threshold);
  }

  /** Takes the newest value of the measure, such as the test loss. */
  step(metric: number): void {
    if (typeof metric !== "number" || Number.isNaN(metric))
      throw new ValueError("ReduceLROnPlateau", `the measure must be a number, got ${metric}`);
    const { patience, cooldown } = this.settings;
    this.epoch++;
    if (this.isBetter(metric)) {
      this.best = metric;
      this.badEpochs = 0;
    } else this.badEpochs++;
    if (this.cooldownLeft > 0) {
      this.cooldownLeft--;
      this.badEpochs = 0;
    }
    if (this.badEpochs <= patience) return;
    this.reduce();
    this.cooldownLeft = cooldown;
    this.badEpochs = 0;
  }

  private reduce(): void {
    const { factor, eps } = this.settings;
    for (const [i, group] of this.optimizer.paramGroups.entries()) {
      const lr = Math.max(group.lr * factor, this.minLrs[i]!);
      if (group.lr - lr > eps) group.lr = lr;
    }
  }

  /** Forgets what was measured. @internal */
  rewind(): void {
    const { mode } = this.settings;
    this.best = mode === "min" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    [this.badEpochs, this.cooldownLeft, this.epoch] = [0, 0, 0];
  }

  /** Counters and settings, as plain values; `best` is null before the first step. */
  stateDict(): SchedulerState {
    return {
      lastEpoch: this.epoch,
      best: Number.isFinite(this.best) ? this.best : null,
      numBadEpochs: this.badEpochs,
      cooldownCounter: this.cooldownLeft,
      ...this.settings,
    };
  }

  /**
   * Takes over a saved state. Nothing changes on an error.
   *
   * @throws ValueError for a state of another schedule, or one that is damaged.
   */
  loadStateDict(state: SchedulerState): void {
    const name = "ReduceLROnPlateau";
    checkSettings(name, this.settings, state);
    const counter = (key: string) => wholeNumber(name, `${key} of the state`, state[key], 0);
    const [epoch, bad, cool] = [
      counter("lastEpoch"),
      counter("numBadEpochs"),
      counter("cooldownCounter"),
    ];
    const { best } = state;
    if (best !== null && (typeof best !== "number" || !Number.isFinite(best)))
      throw new ValueError(name, `best of the state must be a number, got ${String(best)}`);
    const worst =
      this.settings.mode === "min" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    this.best = best ?? worst;
    [this.epoch, this.badEpochs, this.cooldownLeft] = [epoch, bad, cool];
  }
}
