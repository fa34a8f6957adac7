/**
 * How the learning rate changes over a run: a function from the share of the run that is done to a factor, or any schedule of
 * `optim.lrScheduler`. Both run as a scheduler of the optimizer. Read fit.ts for its use.
 */
import { ValueError } from "../core/errors.js";
import { lrScheduler, type Optimizer } from "../optim/index.js";

/** The factor of the learning rate, given the share of the run's steps that are done, from 0 to below 1. */
export type Schedule = (done: number) => number;

/** Makes a scheduler that is stepped after each of the optimizer's steps. */
export interface SchedulerMaker {
  readonly make: (optimizer: Optimizer, totalSteps: number) => lrScheduler.Schedulable;
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
    if (!(value >= 0 && value <= 1))
      throw new ValueError("cosineSchedule", `${name} is ${value}; expected 0 to 1`);
  return (done) => {
    if (done < warmup) return done / warmup;
    return lrScheduler.cosineBetween(1, end, warmup < 1 ? (done - warmup) / (1 - warmup) : 1);
  };
}

/** Leaves the rates as they are; events may change them, as with `ReduceLROnPlateau`. */
export const constantSchedule: Schedule = () => 1;

/**
 * Any scheduler for {@link fit}'s `schedule`: stepped after each batch, kept in checkpoints.
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
 * ```
 */
export const scheduler = (make: SchedulerMaker["make"]): SchedulerMaker => ({ make });

/** The scheduler that changes nothing. */
const atRest = (optimizer: Optimizer): lrScheduler.Schedulable => ({
  optimizer,
  lastLr: optimizer.paramGroups.map(({ lr }) => lr),
  step() {},
  stateDict: () => ({ constant: true }),
  loadStateDict(state) {
    if (state.constant !== true)
      throw new ValueError("schedule", "the state is of a schedule, this run has none");
  },
});

/** The scheduler of a run of so many steps. */
export function schedulerFor(
  schedule: Schedule | SchedulerMaker,
  optimizer: Optimizer,
  totalSteps: number,
): lrScheduler.Schedulable {
  if (schedule === constantSchedule) return atRest(optimizer);
  if (typeof schedule !== "function") return schedule.make(optimizer, totalSteps);
  // The middle of the step, so that neither the first nor the last one has a factor of 0.
  const lrLambda = (step: number) => schedule((step + 0.5) / totalSteps);
  return new lrScheduler.LambdaLR(optimizer, { lrLambda });
}
