/** Schedules made of schedules: all at once, and one after another. Read warmup.ts next. */
import { ValueError } from "../../core/errors.js";
import {
  LRScheduler,
  type Schedulable,
  type Scheduled,
  type SchedulerState,
  wholeNumber,
} from "./scheduler.js";

/** What {@link ChainedScheduler} is made of. */
export type Chainable = LRScheduler | SequentialLR | ChainedScheduler;

function sharedOptimizer(op: string, schedulers: readonly Chainable[]): Scheduled {
  const [first] = schedulers;
  if (!first) throw new ValueError(op, "got no schedulers");
  if (schedulers.some(({ optimizer }) => optimizer !== first.optimizer))
    throw new ValueError(op, "the schedulers are of different optimizers");
  return first.optimizer;
}

const goesByStep = (x: unknown): boolean => x instanceof LRScheduler;

const isChainable = (x: unknown): boolean =>
  goesByStep(x) || x instanceof SequentialLR || x instanceof ChainedScheduler;

function checkParts(op: string, parts: readonly unknown[], fits: (x: unknown) => boolean): void {
  for (const part of parts) {
    if (fits(part)) continue;
    const came = (part as object | null)?.constructor?.name ?? String(part);
    throw new ValueError(op, `cannot be made of ${came}; for a warm-up before it see withWarmup`);
  }
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
  private readonly schedulers: readonly Chainable[];

  constructor(schedulers: readonly Chainable[]) {
    checkParts("ChainedScheduler", schedulers, isChainable);
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

  /** Goes back before the first step. @internal */
  rewind(): void {
    for (const scheduler of this.schedulers) scheduler.rewind();
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
  private epoch = -1;

  constructor(
    optimizer: Scheduled,
    options: {
      readonly schedulers: readonly LRScheduler[];
      readonly milestones: readonly number[];
    },
  ) {
    const { schedulers, milestones } = options;
    checkParts("SequentialLR", schedulers, goesByStep);
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
    this.step();
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

  /** Goes back before the first step. @internal */
  rewind(): void {
    for (const scheduler of this.schedulers) scheduler.rewind();
    this.epoch = -1;
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
    const epoch = wholeNumber("SequentialLR", "lastEpoch of the state", state.lastEpoch, -1);
    if (JSON.stringify(state.milestones) !== JSON.stringify(this.milestones))
      throw new ValueError("SequentialLR", "the state has other milestones");
    loadAll("SequentialLR", this.schedulers, state.schedulers);
    this.epoch = epoch;
  }
}
