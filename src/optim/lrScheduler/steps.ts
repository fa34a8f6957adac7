/** Schedules that multiply the rate: by steps, exponentially, linearly, by a power, by a function. Read cosine.ts next. */
import { ValueError } from "../../core/errors.js";
import { checkNames, checkNumber } from "../settings.js";
import {
  LRScheduler,
  type Place,
  type Scheduled,
  type SchedulerOptions,
  wholeNumber,
} from "./scheduler.js";

/** The function of a step, for each group or one for all. */
export type LrLambda = (epoch: number) => number;

/**
 * lr = base · f(t), by any function of the step.
 *
 * @throws ValueError unless there is one function, or one for each group.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const optimizer = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const scheduler = new optim.lrScheduler.LambdaLR(optimizer, { lrLambda: (t) => 0.5 ** t });
 * scheduler.step();
 * scheduler.step();
 * console.log(scheduler.lastLr); // → [ 0.25 ]
 * ```
 */
export class LambdaLR extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    options: SchedulerOptions & { readonly lrLambda: LrLambda | readonly LrLambda[] },
  ) {
    checkNames("LambdaLR", options, ["lrLambda", "lastEpoch"]);
    const of = lambdas("LambdaLR", optimizer, options.lrLambda);
    const at = ({ epoch, base, group }: Place) => base * of(group)(epoch);
    super(optimizer, { name: "LambdaLR", settings: {}, at }, options);
  }
}

/**
 * lr ← lr · f(t) at each step from the first on.
 *
 * @throws ValueError unless there is one function, or one for each group.
 */
export class MultiplicativeLR extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    options: SchedulerOptions & { readonly lrLambda: LrLambda | readonly LrLambda[] },
  ) {
    checkNames("MultiplicativeLR", options, ["lrLambda", "lastEpoch"]);
    const of = lambdas("MultiplicativeLR", optimizer, options.lrLambda);
    const next = ({ epoch, lr, group }: Place) => (epoch > 0 ? lr * of(group)(epoch) : lr);
    super(optimizer, { name: "MultiplicativeLR", settings: {}, next }, options);
  }
}

function lambdas(op: string, optimizer: Scheduled, given: LrLambda | readonly LrLambda[]) {
  const count = optimizer.paramGroups.length;
  const list = typeof given === "function" ? Array<LrLambda>(count).fill(given) : given;
  if (list?.length !== count || !list.every((f) => typeof f === "function"))
    throw new ValueError(op, `lrLambda must be a function, or one for each of ${count} groups`);
  return (group: number): LrLambda => list[group]!;
}

/**
 * Multiplies the rate by gamma every `stepSize` steps.
 *
 * @throws ValueError for a stepSize that is no whole number ≥ 1.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const optimizer = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const scheduler = new optim.lrScheduler.StepLR(optimizer, { stepSize: 2, gamma: 0.5 });
 * const rates = [0, 1, 2, 3].map(() => {
 *   const { lr } = optimizer.paramGroups[0]!;
 *   scheduler.step();
 *   return lr;
 * });
 * console.log(rates); // → [ 1, 1, 0.5, 0.5 ]
 * ```
 */
export class StepLR extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    options: SchedulerOptions & { readonly stepSize: number; readonly gamma?: number },
  ) {
    checkNames("StepLR", options, ["stepSize", "gamma", "lastEpoch"]);
    const { gamma = 0.1 } = options;
    const stepSize = wholeNumber("StepLR", "stepSize", options.stepSize);
    checkNumber("StepLR", "gamma", gamma);
    const rule = {
      name: "StepLR",
      settings: { stepSize, gamma },
      at: ({ epoch, base }: Place) => base * gamma ** Math.floor(epoch / stepSize),
      next: ({ epoch, lr }: Place) => (epoch === 0 || epoch % stepSize !== 0 ? lr : lr * gamma),
    };
    super(optimizer, rule, options);
  }
}

/**
 * Multiplies the rate by gamma at each of the milestones.
 *
 * @throws ValueError for milestones that are no whole numbers ≥ 0.
 */
export class MultiStepLR extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    options: SchedulerOptions & { readonly milestones: readonly number[]; readonly gamma?: number },
  ) {
    checkNames("MultiStepLR", options, ["milestones", "gamma", "lastEpoch"]);
    const { gamma = 0.1 } = options;
    for (const x of options.milestones) wholeNumber("MultiStepLR", "a milestone", x, 0);
    checkNumber("MultiStepLR", "gamma", gamma);
    const milestones = [...options.milestones].sort((a, b) => a - b);
    const count = (is: (milestone: number) => boolean) => milestones.filter(is).length;
    const rule = {
      name: "MultiStepLR",
      settings: { milestones, gamma },
      at: ({ epoch, base }: Place) => base * gamma ** count((m) => m <= epoch),
      next: ({ epoch, lr }: Place) => lr * gamma ** count((m) => m === epoch),
    };
    super(optimizer, rule, options);
  }
}

/** Multiplies the rate by gamma at each step. */
export class ExponentialLR extends LRScheduler {
  constructor(optimizer: Scheduled, options: SchedulerOptions & { readonly gamma: number }) {
    checkNames("ExponentialLR", options, ["gamma", "lastEpoch"]);
    const gamma = checkNumber("ExponentialLR", "gamma", options.gamma);
    const rule = {
      name: "ExponentialLR",
      settings: { gamma },
      at: ({ epoch, base }: Place) => base * gamma ** epoch,
      next: ({ epoch, lr }: Place) => (epoch === 0 ? lr : lr * gamma),
    };
    super(optimizer, rule, options);
  }
}

/** The rate times `factor` for `totalIters` steps, then whole. */
export class ConstantLR extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    options: SchedulerOptions & { readonly factor?: number; readonly totalIters?: number } = {},
  ) {
    checkNames("ConstantLR", options, ["factor", "totalIters", "lastEpoch"]);
    const { factor = 1 / 3, totalIters = 5 } = options;
    if (!(factor > 0 && factor <= 1))
      throw new ValueError("ConstantLR", `factor must be above 0 and at most 1, got ${factor}`);
    wholeNumber("ConstantLR", "totalIters", totalIters, 0);
    const rule = {
      name: "ConstantLR",
      settings: { factor, totalIters },
      at: ({ epoch, base }: Place) => base * (epoch < totalIters ? factor : 1),
      next({ epoch, lr }: Place) {
        if (epoch === 0) return lr * factor;
        return epoch === totalIters ? lr / factor : lr;
      },
    };
    super(optimizer, rule, options);
  }
}

/**
 * The rate times a factor that goes in a line from `startFactor` (default 1/3) to `endFactor` (1) over `totalIters` (5)
 * steps: a warm-up.
 *
 * @throws ValueError for factors outside [0, 1].
 */
export class LinearLR extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    options: SchedulerOptions & {
      readonly startFactor?: number;
      readonly endFactor?: number;
      readonly totalIters?: number;
    } = {},
  ) {
    checkNames("LinearLR", options, ["startFactor", "endFactor", "totalIters", "lastEpoch"]);
    const { startFactor: start = 1 / 3, endFactor: end = 1, totalIters = 5 } = options;
    if (!(start > 0 && start <= 1))
      throw new ValueError("LinearLR", `startFactor must be above 0 and at most 1, got ${start}`);
    if (!(end >= 0 && end <= 1))
      throw new ValueError("LinearLR", `endFactor must be from 0 to 1, got ${end}`);
    wholeNumber("LinearLR", "totalIters", totalIters);
    const rule = {
      name: "LinearLR",
      settings: { startFactor: start, endFactor: end, totalIters },
      at: ({ epoch, base }: Place) =>
        base * (start + ((end - start) * Math.min(totalIters, epoch)) / totalIters),
      next({ epoch, lr }: Place) {
        if (epoch === 0) return lr * start;
        if (epoch > totalIters) return lr;
        return lr * (1 + (end - start) / (totalIters * start + (epoch - 1) * (end - start)));
      },
    };
    super(optimizer, rule, options);
  }
}

/** lr = base · (1 − t / totalIters)^power, then 0. Defaults: 5 steps, power 1. */
export class PolynomialLR extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    options: SchedulerOptions & { readonly totalIters?: number; readonly power?: number } = {},
  ) {
    checkNames("PolynomialLR", options, ["totalIters", "power", "lastEpoch"]);
    const { totalIters = 5, power = 1 } = options;
    wholeNumber("PolynomialLR", "totalIters", totalIters);
    checkNumber("PolynomialLR", "power", power);
    const left = (epoch: number) => 1 - Math.min(totalIters, epoch) / totalIters;
    const rule = {
      name: "PolynomialLR",
      settings: { totalIters, power },
      at: ({ epoch, base }: Place) => base * left(epoch) ** power,
      next: ({ epoch, lr }: Place) =>
        epoch === 0 || epoch > totalIters ? lr : lr * (left(epoch) / left(epoch - 1)) ** power,
    };
    super(optimizer, rule, options);
  }
}

/**
 * Rises in a line over `warmupSteps`, then falls with the root of the step (Vaswani et al., 2017, without the factor of the model's
 * size): base · min((t + 1) / w, √(w / (t + 1))).
 *
 * @throws ValueError for warmupSteps that are no whole number ≥ 1.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const optimizer = new optim.Adam([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const scheduler = new optim.lrScheduler.InverseSqrtLR(optimizer, { warmupSteps: 4 });
 * console.log(scheduler.lastLr); // → [ 0.25 ]
 * scheduler.step(15);
 * console.log(scheduler.lastLr); // → [ 0.5 ]
 * ```
 */
export class InverseSqrtLR extends LRScheduler {
  constructor(optimizer: Scheduled, options: SchedulerOptions & { readonly warmupSteps: number }) {
    checkNames("InverseSqrtLR", options, ["warmupSteps", "lastEpoch"]);
    const warmup = wholeNumber("InverseSqrtLR", "warmupSteps", options.warmupSteps);
    const rule = {
      name: "InverseSqrtLR",
      settings: { warmupSteps: warmup },
      at: ({ epoch, base }: Place) =>
        base * Math.min((epoch + 1) / warmup, Math.sqrt(warmup / (epoch + 1))),
    };
    super(optimizer, rule, options);
  }
}
