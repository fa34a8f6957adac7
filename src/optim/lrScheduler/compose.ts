/** Schedules made of schedules: all at once, one after another, and warm-up before any. Read scheduler.ts for the base. */
import { ValueError } from "../../core/errors.js";
import {
  type LRScheduler,
  type Schedulable,
  type Scheduled,
  type SchedulerState,
  wholeNumber,
} from "./scheduler.js";
import { LinearLR } from "./steps.js";

function sharedOptimizer(op: string, schedulers: readonly Schedulable[]): Scheduled {
  const [first] = schedulers;
  if (!first) throw new ValueError(op, "got no schedulers");
  if (schedulers.some(({ optimizer }) => optimizer !== first.optimizer))
    throw new ValueError(op, "the schedulers are of different optimizers");
  return first.optimizer;
}

function loadAll(op: string, schedulers: readonly Schedulable[], states: unknown): void {
  if (!Array.isArray(states) || states.length !== schedulers.length)
    throw new ValueError(op, `the state must have ${schedulers.length} schedulers`);
  const before = schedulers.map((scheduler) => scheduler.stateDict());
  try {
    schedulers.forEach((scheduler, i) => {
      const state = states[i] as SchedulerState;
      if (typeof state !== "object" || state === null)
        throw new ValueError(op, `scheduler ${i} of the state is no object`);
      scheduler.loadStateDict(state);
    });
  } catch (error) {
    schedulers.forEach((scheduler, i) => {
      scheduler.loadStateDict(before[i]!);
    });
    throw error;
  }
}

/**
 * Several schedules at once: each changes the rate that the one before it left.
 *
 * @throws ValueError for none, or for schedules of different optimizers.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const optimizer = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const { ChainedScheduler, ConstantLR, ExponentialLR } = optim.lrScheduler;
 * const scheduler = new ChainedScheduler([
 *   new ConstantLR(optimizer, { factor: 0.5, totalIters: 1 }),
 *   new ExponentialLR(optimizer, { gamma: 0.5 }),
 * ]);
 * scheduler.step();
 * console.log(scheduler.lastLr); // → [ 0.5 ]
 * ```
 */
export class ChainedScheduler implements Schedulable {
  readonly optimizer: Scheduled;
  private readonly schedulers: readonly Schedulable[];

  constructor(schedulers: readonly Schedulable[]) {
    this.optimizer = sharedOptimizer("ChainedScheduler", schedulers);
    this.schedulers = [...schedulers];
  }

  /** The groups' rates as the last step left them. */
  get lastLr(): readonly number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** Goes one step on, or all schedules to step `epoch`. */
  step(epoch?: number): void {
    for (const scheduler of this.schedulers) scheduler.step(epoch);
  }

  stateDict(): SchedulerState {
    return { schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()) };
  }

  /** @throws ValueError for a state that does not fit; nothing changes then. */
  loadStateDict(state: SchedulerState): void {
    loadAll("ChainedScheduler", this.schedulers, state.schedulers);
  }
}

/**
 * Schedules one after another: the next begins, at its own step 0, at each milestone.
 *
 * @throws ValueError unless there is one milestone fewer than schedules, each later than the one before.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const optimizer = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const { ConstantLR, ExponentialLR, SequentialLR } = optim.lrScheduler;
 * const scheduler = new SequentialLR(optimizer, {
 *   schedulers: [
 *     new ConstantLR(optimizer, { factor: 0.25, totalIters: 2 }),
 *     new ExponentialLR(optimizer, { gamma: 0.5 }),
 *   ],
 *   milestones: [2],
 * });
 * const rates = [scheduler.lastLr[0]];
 * for (let i = 0; i < 3; i++) {
 *   scheduler.step();
 *   rates.push(scheduler.lastLr[0]);
 * }
 * console.log(rates); // → [ 0.25, 0.25, 1, 0.5 ]
 * ```
 */
export class SequentialLR implements Schedulable {
  readonly optimizer: Scheduled;
  private readonly schedulers: readonly LRScheduler[];
  private readonly milestones: readonly number[];
  private epoch = 0;

  constructor(
    optimizer: Scheduled,
    options: {
      readonly schedulers: readonly LRScheduler[];
      readonly milestones: readonly number[];
    },
  ) {
    const { schedulers, milestones } = options;
    if (sharedOptimizer("SequentialLR", schedulers) !== optimizer)
      throw new ValueError("SequentialLR", "the schedulers are of another optimizer");
    if (milestones.length !== schedulers.length - 1)
      throw new ValueError(
        "SequentialLR",
        `${schedulers.length} schedulers need ${schedulers.length - 1} milestones, got ${milestones.length}`,
      );
    milestones.forEach((value, i) => {
      wholeNumber("SequentialLR", "a milestone", value, (milestones[i - 1] ?? 0) + 1);
    });
    this.optimizer = optimizer;
    this.schedulers = [...schedulers];
    this.milestones = [...milestones];
    // Each took its first step when it was made, one after another on the same rates: begin again with the first alone.
    for (const group of optimizer.paramGroups) group.lr = group.initialLr!;
    for (const scheduler of schedulers) scheduler.rewind();
    schedulers[0]!.step();
  }

  get lastEpoch(): number {
    return this.epoch;
  }

  /** The groups' rates as the last step left them. */
  get lastLr(): readonly number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  step(): void {
    const now = this.epoch + 1;
    const index = this.milestones.filter((milestone) => milestone <= now).length;
    const scheduler = this.schedulers[index]!;
    if (index > 0 && this.milestones[index - 1] === now) scheduler.step(0);
    else scheduler.step();
    this.epoch = now;
  }

  stateDict(): SchedulerState {
    return {
      lastEpoch: this.epoch,
      milestones: this.milestones,
      schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()),
    };
  }

  /** @throws ValueError for a state that does not fit; nothing changes then. */
  loadStateDict(state: SchedulerState): void {
    const epoch = wholeNumber("SequentialLR", "lastEpoch of the state", state.lastEpoch, 0);
    if (JSON.stringify(state.milestones) !== JSON.stringify(this.milestones))
      throw new ValueError("SequentialLR", "the state has other milestones");
    loadAll("SequentialLR", this.schedulers, state.schedulers);
    this.epoch = epoch;
  }
}

export interface WarmupOptions {
  /** Steps of the warm-up. */
  readonly steps: number;
  /** The factor of the first rate; default 1 / (steps + 1), so that the rate rises by the same from the first step on. */
  readonly startFactor?: number;
}

/**
 * Puts a linear warm-up before any schedule, which begins at its step 0 when the warm-up is over.
 *
 * @throws ValueError for steps that are no whole number ≥ 1.
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
export function withWarmup(scheduler: LRScheduler, options: WarmupOptions): SequentialLR {
  const { optimizer } = scheduler;
  const steps = wholeNumber("withWarmup", "steps", options.steps);
  const { startFactor = 1 / (steps + 1) } = options;
  for (const group of optimizer.paramGroups) group.lr = group.initialLr!;
  const warmup = new LinearLR(optimizer, { startFactor, totalIters: steps });
  return new SequentialLR(optimizer, { schedulers: [warmup, scheduler], milestones: [steps] });
}
