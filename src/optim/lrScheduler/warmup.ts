/** A warm-up before any schedule, those made of schedules and the one on plateau among them. */
import { ValueError } from "../../core/errors.js";
import type { ParamGroup } from "../paramGroup.js";
import { checkNames } from "../settings.js";
import { ChainedScheduler, SequentialLR } from "./compose.js";
import { ReduceLROnPlateau } from "./plateau.js";
import {
  checkSettings,
  LRScheduler,
  type Schedulable,
  type Scheduled,
  type SchedulerState,
  wholeNumber,
} from "./scheduler.js";

export interface WarmupOptions {
  /** Steps of the warm-up. */
  readonly steps: number;
  /** The factor of the first rate; default 1 / (steps + 1), so that the rate rises by the same from the first step on. */
  readonly startFactor?: number;
}

/** What a warm-up may stand before. */
export type Warmable = LRScheduler | ChainedScheduler | SequentialLR | ReduceLROnPlateau | WarmupLR;

const kinds = () => [LRScheduler, ChainedScheduler, SequentialLR, ReduceLROnPlateau, WarmupLR];

/** A linear rise to the groups' rates, and then another schedule from its step 0 on. Made by {@link withWarmup}. */
export class WarmupLR implements Schedulable {
  readonly optimizer: Scheduled;
  private readonly inner: Warmable;
  private readonly settings: { readonly steps: number; readonly startFactor: number };
  private epoch = -1;

  constructor(inner: Warmable, options: WarmupOptions) {
    const name = "withWarmup";
    checkNames(name, options, ["steps", "startFactor"]);
    if (!kinds().some((kind) => inner instanceof kind))
      throw new ValueError(name, "expected a schedule of optim.lrScheduler to stand before");
    const steps = wholeNumber(name, "steps", options.steps);
    const { startFactor = 1 / (steps + 1) } = options;
    if (!(startFactor > 0 && startFactor <= 1))
      throw new ValueError(name, `startFactor must be above 0 and at most 1, got ${startFactor}`);
    this.inner = inner;
    this.optimizer = inner.optimizer;
    this.settings = { steps, startFactor };
    // A schedule on plateau takes the rates as it finds them.
    for (const group of this.optimizer.paramGroups) group.initialLr ??= group.lr;
    // The schedule took its first step when it was made.
    inner.rewind();
    this.step();
  }

  get lastEpoch(): number {
    return this.epoch;
  }

  /** The groups' rates as the last step left them. */
  get lastLr(): readonly number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** Goes one step on; `metric` is for a schedule on plateau, which sees none before the warm-up is over. */
  step(metric?: number): void {
    const { inner } = this;
    const { steps, startFactor } = this.settings;
    const now = this.epoch + 1;
    const scale = (factor: number) => (group: ParamGroup) => {
      group.lr = group.initialLr! * factor;
    };
    const { paramGroups } = this.optimizer;
    if (now < steps) paramGroups.forEach(scale(startFactor + ((1 - startFactor) * now) / steps));
    else {
      if (now === steps) paramGroups.forEach(scale(1));
      if (!(inner instanceof ReduceLROnPlateau)) inner.step();
      else if (now > steps) inner.step(metric as number);
    }
    this.epoch = now;
  }

  stateDict(): SchedulerState {
    return { lastEpoch: this.epoch, ...this.settings, schedule: this.inner.stateDict() };
  }

  /** @throws ValueError for a state that does not fit; nothing changes then. */
  loadStateDict(state: SchedulerState): void {
    const name = "withWarmup";
    const epoch = wholeNumber(name, "lastEpoch of the state", state.lastEpoch, -1);
    checkSettings(name, this.settings, state);
    const { schedule } = state;
    if (typeof schedule !== "object" || schedule === null)
      throw new ValueError(name, "schedule of the state is no object");
    this.inner.loadStateDict(schedule as SchedulerState);
    this.epoch = epoch;
  }

  /** Goes back before the first step. @internal */
  rewind(): void {
    this.inner.rewind();
    this.epoch = -1;
  }
}

/**
 * Puts a linear warm-up before any schedule, which begins at its step 0 when the warm-up is over; one on plateau then begins to look at
 * its measure, which each `step(metric)` is given.
 *
 * @throws ValueError for steps that are no whole number ≥ 1, or what is no schedule.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const { CosineAnnealingLR, withWarmup } = optim.lrScheduler;
 * const optimizer = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const scheduler = withWarmup(new CosineAnnealingLR(optimizer, { tMax: 90 }), { steps: 4 });
 * const rates = [scheduler.lastLr[0]];
 * for (let i = 0; i < 4; i++) {
 *   scheduler.step();
 *   rates.push(scheduler.lastLr[0]);
 * }
 * console.log(rates.map((lr) => lr?.toFixed(2))); // → [ '0.20', '0.40', '0.60', '0.80', '1.00' ]
 * ```
 */
export const withWarmup = (scheduler: Warmable, options: WarmupOptions): WarmupLR =>
  new WarmupLR(scheduler, options);
