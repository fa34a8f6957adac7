/**
 * How the learning rate changes over a run: a function from the share of the run that is done to a factor, or any schedule of
 * `optim.lrScheduler`. Both run as a scheduler of the optimizer. Read fit.ts for its use.
 */
import { ValueError } from "../core/errors.js";
import { lrScheduler, type Optimizer } from "../optim/index.js";
import { Monitor, type MonitorOptions } from "./callbacks/monitor.js";
import type { TrainEvent } from "./events.js";

/** The factor of the learning rate, given the share of the run's steps that are done, from 0 to below 1. */
export type Schedule = (done: number) => number;

/** Makes a scheduler that is stepped after each of the optimizer's steps, or after each epoch. */
export interface SchedulerMaker {
  /** `total` is the number of the run's steps, or of its epochs. */
  readonly make: (optimizer: Optimizer, total: number) => lrScheduler.Schedulable;
  /** Default `step`. */
  readonly every?: "step" | "epoch";
}

/** Reduces the rate when a measure gets no better. */
export interface PlateauMaker {
  readonly plateau: PlateauScheduleOptions;
}

export interface PlateauScheduleOptions extends lrScheduler.PlateauOptions {
  /** A measure to go by, such as `validation.loss`; its mode follows from it where it is known. */
  readonly monitor: string;
  /** The share of the run over which the rate rises from near 0, before the measure is looked at; default 0. */
  readonly warmup?: number;
}

export interface CosineOptions {
  /** The share of the run over which the rate rises from near 0; default 0. */
  readonly warmup?: number;
  /** The factor at the end; default 0. */
  readonly end?: number;
}

/**
 * Rises linearly over the warm-up, then falls along half a cosine: end + (1 − end)·(1 + cos πt) / 2, with t from 0 to 1
 * (Loshchilov and Hutter, "SGDR", 2017).
 *
 * @throws ValueError unless warmup and end are from 0 to 1.
 * @example
 * ```ts
 * import { cosineSchedule } from "gradus/train";
 * const factor = cosineSchedule({ warmup: 0.1 });
 * console.log(factor(0.05), factor(0.1), factor(0.55).toFixed(2)); // → 0.5 1 0.50
 * ```
 */
export function cosineSchedule(options: CosineOptions = {}): Schedule {
  const { warmup = 0, end = 0 } = options;
  for (const [name, value] of Object.entries({ warmup, end }))
    checkShare("cosineSchedule", name, value);
  return (done) => {
    if (done < warmup) return done / warmup;
    return lrScheduler.cosineBetween(1, end, warmup < 1 ? (done - warmup) / (1 - warmup) : 1);
  };
}

function checkShare(op: string, name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new ValueError(op, `${name} is ${value}; expected 0 to 1`);
}

/** Leaves the rates as they are; events may change them, as with `ReduceLROnPlateau`. */
export const constantSchedule: Schedule = () => 1;

/**
 * Any scheduler for {@link fit}'s `schedule`: stepped after each step or each epoch, kept in checkpoints.
 *
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * import { scheduler } from "gradus/train";
 * const schedule = scheduler(
 *   (optimizer, totalSteps) => new optim.lrScheduler.OneCycleLR(optimizer, { maxLr: 1, totalSteps }),
 * );
 * const p = tensor([0], { requiresGrad: true });
 * const optimizer = new optim.SGD([p], { lr: 1, momentum: 0.9 });
 * console.log(schedule.make(optimizer, 10).lastLr); // ≈ [ 0.04 ]
 * const byEpoch = scheduler((o) => new optim.lrScheduler.StepLR(o, { stepSize: 30 }), { every: "epoch" });
 * console.log(byEpoch.every); // → epoch
 * ```
 */
export function scheduler(
  make: SchedulerMaker["make"],
  { every = "step" }: { readonly every?: "step" | "epoch" } = {},
): SchedulerMaker {
  if (every !== "step" && every !== "epoch")
    throw new ValueError("scheduler", `every is ${String(every)}; expected step or epoch`);
  return { make, every };
}

/**
 * `ReduceLROnPlateau` for {@link fit}'s `schedule`: the rate is multiplied by `factor` when a measure has not improved for more
 * than `patience` measurements. Each reduction is an event.
 *
 * @throws ValueError for options out of range.
 * @example
 * ```ts
 * import { plateauSchedule } from "gradus/train";
 * const schedule = plateauSchedule({ monitor: "validation.loss", factor: 0.5, patience: 3 });
 * console.log(schedule.plateau.monitor); // → validation.loss
 * ```
 */
export function plateauSchedule(options: PlateauScheduleOptions): PlateauMaker {
  new Monitor("plateauSchedule", modeOptions(options));
  checkShare("plateauSchedule", "warmup", options.warmup ?? 0);
  return { plateau: options };
}

const modeOptions = ({ monitor, mode }: PlateauScheduleOptions): MonitorOptions => ({
  monitor,
  ...(mode && { mode }),
});

/** How a run's rates change: asked before each step and told of each event. */
export interface RunSchedule {
  /** Whether steps or epochs decide the rates, so that nobody else may change them. */
  readonly isTimed: boolean;
  /** Called before each step but the run's first. */
  beforeStep(isEpochStart: boolean): void;
  /** Says what a measurement did to the rates, if anything. */
  onEvent(event: TrainEvent): string | undefined;
  stateDict(): lrScheduler.SchedulerState;
  loadStateDict(state: lrScheduler.SchedulerState): void;
}

/** Changes nothing. */
const atRest: RunSchedule = {
  isTimed: false,
  beforeStep() {},
  onEvent: () => undefined,
  stateDict: () => ({ constant: true }),
  loadStateDict(state) {
    if (state.constant !== true)
      throw new ValueError("schedule", "the state is of a schedule, this run has none");
  },
};

function timed(inner: lrScheduler.Schedulable, every: "step" | "epoch"): RunSchedule {
  return {
    isTimed: true,
    // Before each step but the first, so that what is reported after a step is the rate that it was made with.
    beforeStep(isEpochStart) {
      if (every === "step" || isEpochStart) inner.step();
    },
    onEvent: () => undefined,
    stateDict: () => inner.stateDict(),
    loadStateDict: (state) => inner.loadStateDict(state),
  };
}

function onPlateau(
  options: PlateauScheduleOptions,
  optimizer: Optimizer,
  totalSteps: number,
): RunSchedule {
  const { monitor: _, warmup = 0, ...rest } = options;
  const monitor = new Monitor("plateauSchedule", modeOptions(options));
  const plateau = new lrScheduler.ReduceLROnPlateau(optimizer, { ...rest, mode: monitor.mode });
  const steps = Math.round(warmup * totalSteps);
  const warming = steps > 0 ? lrScheduler.withWarmup(plateau, { steps }) : undefined;
  const inner = warming ?? plateau;
  const isWarming = () => warming !== undefined && warming.lastEpoch < steps;
  return {
    isTimed: false,
    beforeStep() {
      if (isWarming()) warming?.step();
    },
    onEvent(event) {
      const value = monitor.valueIn(event);
      if (value === undefined || Number.isNaN(value) || isWarming()) return undefined;
      const before = inner.lastLr;
      inner.step(value);
      if (inner.lastLr.every((lr, i) => lr === before[i])) return undefined;
      return `${monitor.path} has not improved for more than ${options.patience ?? 10} measurements`;
    },
    stateDict: () => inner.stateDict(),
    loadStateDict: (state) => inner.loadStateDict(state),
  };
}

/** The schedule of a run of so many steps and epochs. */
export function scheduleOf(
  schedule: Schedule | SchedulerMaker | PlateauMaker | undefined,
  optimizer: Optimizer,
  total: { readonly steps: number; readonly epochs: number },
): RunSchedule {
  if (schedule === undefined || schedule === constantSchedule) return atRest;
  if (typeof schedule === "function") {
    // The middle of the step, so that neither the first nor the last one has a factor of 0.
    const lrLambda = (step: number) => schedule((step + 0.5) / total.steps);
    return timed(new lrScheduler.LambdaLR(optimizer, { lrLambda }), "step");
  }
  if ("plateau" in schedule) return onPlateau(schedule.plateau, optimizer, total.steps);
  const { make, every = "step" } = schedule;
  return timed(make(optimizer, every === "step" ? total.steps : total.epochs), every);
}
