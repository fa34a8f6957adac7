/** The courses of the learning rate that a configuration can name: all of `optim.lrScheduler`, with a warm-up before any. */
import * as z from "zod";
import { lrScheduler, type Optimizer } from "../../optim/index.js";
import {
  constantSchedule,
  cosineSchedule,
  type PlateauMaker,
  plateauSchedule,
  type Schedule,
  type SchedulerMaker,
  scheduler,
} from "../schedule.js";
import {
  type Choices,
  type Chosen,
  choice,
  count,
  makeChosen,
  positive,
  share,
} from "./choices.js";

/** What a schedule may need to know of its run; steps are epochs where it goes by those. */
interface Run {
  readonly optimizer: Optimizer;
  readonly totalSteps: number;
}

const every = (standard: "step" | "epoch") => ({
  every: z.enum(["step", "epoch"]).default(standard).describe("what it counts as a step"),
});
const byStep = every("step");
const byEpoch = every("epoch");

type Scheduler = lrScheduler.LRScheduler;
const factor = (standard: number) => z.number().min(0).default(standard);
const gamma = (standard: number) => positive().default(standard).describe("factor each time");
const etaMin = () => z.number().min(0).default(0).describe("the lowest rate");
const totalIters = () => count().exactOptional().describe("steps; default the whole run");
const momentum = {
  cycleMomentum: z.boolean().default(false).describe("momentum goes the other way"),
  baseMomentum: share().default(0.85),
  maxMomentum: share().default(0.95),
};

/** Schedules that count steps, each from the rate in `optim.lr`. */
export const stepSchedules = {
  constantFactor: choice(
    "a part of the rate for some steps, then all of it",
    { ...byStep, factor: factor(1 / 3), totalIters: count().default(5) },
    (options, { optimizer }: Run) => new lrScheduler.ConstantLR(optimizer, options),
  ),
  cosineAnnealing: choice(
    "half a cosine down to etaMin, up again after tMax steps (Loshchilov and Hutter, 2017)",
    {
      ...byStep,
      tMax: count().exactOptional().describe("steps; default the whole run"),
      etaMin: etaMin(),
    },
    (options, { optimizer, totalSteps }: Run) =>
      new lrScheduler.CosineAnnealingLR(optimizer, { tMax: totalSteps, ...options }),
  ),
  cosineAnnealingWarmRestarts: choice(
    "half cosines, each from the top (SGDR)",
    {
      ...byStep,
      t0: count().describe("steps of the first fall"),
      tMult: count().default(1).describe("how much longer each later one is"),
      etaMin: etaMin(),
    },
    (options, { optimizer }: Run) =>
      new lrScheduler.CosineAnnealingWarmRestarts(optimizer, options),
  ),
  cyclic: choice(
    "triangles between two rates (Smith, 2017)",
    {
      ...byStep,
      baseLr: z.number().min(0),
      maxLr: positive(),
      stepSizeUp: count().default(2000),
      stepSizeDown: count().exactOptional(),
      mode: z.enum(["triangular", "triangular2", "expRange"]).default("triangular"),
      gamma: gamma(1),
      ...momentum,
    },
    (options, { optimizer }: Run) => new lrScheduler.CyclicLR(optimizer, options),
  ),
  exponential: choice(
    "shrinks by a factor each step",
    { ...byEpoch, gamma: positive() },
    (options, { optimizer }: Run) => new lrScheduler.ExponentialLR(optimizer, options),
  ),
  inverseSqrt: choice(
    "rises over the warm-up, then falls as 1 / √step (Vaswani et al., 2017)",
    { ...byStep, warmupSteps: count() },
    (options, { optimizer }: Run) => new lrScheduler.InverseSqrtLR(optimizer, options),
  ),
  linear: choice(
    "a line between two factors",
    {
      ...byStep,
      startFactor: z.number().positive().max(1).default(1),
      endFactor: share().default(0),
      totalIters: totalIters(),
    },
    (options, { optimizer, totalSteps }: Run) =>
      new lrScheduler.LinearLR(optimizer, { totalIters: totalSteps, ...options }),
  ),
  multiStep: choice(
    "shrinks by a factor at some steps",
    { ...byEpoch, milestones: z.array(count()).min(1), gamma: gamma(0.1) },
    (options, { optimizer }: Run) => new lrScheduler.MultiStepLR(optimizer, options),
  ),
  oneCycle: choice(
    "one rise and one long fall (Smith and Topin, 2018); `optim.lr` is the top",
    {
      ...byStep,
      pctStart: share().default(0.3).describe("share of the run that rises"),
      annealStrategy: z.enum(["cos", "linear"]).default("cos"),
      divFactor: positive().default(25).describe("the first rate is the top one over this"),
      finalDivFactor: positive().default(1e4).describe("the last rate is the first one over this"),
      threePhase: z.boolean().default(false),
      ...momentum,
    },
    (options, { optimizer, totalSteps }: Run) => {
      const maxLr = optimizer.paramGroups.map(({ lr }) => lr);
      return new lrScheduler.OneCycleLR(optimizer, { maxLr, totalSteps, ...options });
    },
  ),
  polynomial: choice(
    "falls to 0 as a power of what is left",
    { ...byStep, power: positive().default(1), totalIters: totalIters() },
    (options, { optimizer, totalSteps }: Run) =>
      new lrScheduler.PolynomialLR(optimizer, { totalIters: totalSteps, ...options }),
  ),
  step: choice(
    "shrinks by a factor every so many steps",
    { ...byEpoch, stepSize: count(), gamma: gamma(0.1) },
    (options, { optimizer }: Run) => new lrScheduler.StepLR(optimizer, options),
  ),
} satisfies Choices<Run, Scheduler>;

/** What each of them takes besides its own options. */
export const stepCommon = {
  warmup: share()
    .default(0)
    .describe("share of the run over which the rate rises from near 0, before the schedule begins"),
};

/** Schedules that are functions of the share of the run that is done. */
const courses = {
  constant: choice("the rate stays as it is", {}, (): Schedule => constantSchedule),
  cosine: choice(
    "a linear rise over the warm-up, then half a cosine to the end of the run",
    {
      warmup: share().default(0).describe("share of the run that rises"),
      end: share().default(0).describe("the last factor of the rate"),
    },
    (options): Schedule => cosineSchedule(options),
  ),
} satisfies Choices<void, Schedule>;

/** Schedules that follow what is measured. */
const followers = {
  plateau: choice(
    "shrinks by a factor when a measure gets no better",
    {
      monitor: z.string().default("validation.loss"),
      mode: z.enum(["min", "max"]).exactOptional(),
      factor: z.number().min(0).lt(1).default(0.1),
      patience: count(0).default(10).describe("measurements that are waited for"),
      threshold: z.number().min(0).default(1e-4),
      thresholdMode: z.enum(["rel", "abs"]).default("rel"),
      cooldown: count(0).default(0),
      minLr: z.number().min(0).default(0),
      warmup: share()
        .default(0)
        .describe("share of the run over which the rate rises from near 0, before it looks"),
    },
    (options): PlateauMaker => plateauSchedule(options),
  ),
} satisfies Choices<void, PlateauMaker>;

export const schedules = { ...courses, ...followers, ...stepSchedules };

/** The schedule of a configuration as `fit` takes it. */
export function makeSchedule(chosen: Chosen): Schedule | SchedulerMaker | PlateauMaker {
  if (Object.hasOwn(courses, chosen.name))
    return makeChosen<void, Schedule>(courses, chosen, undefined);
  if (Object.hasOwn(followers, chosen.name))
    return makeChosen<void, PlateauMaker>(followers, chosen, undefined);
  const { warmup, ...own } = chosen;
  const { every, ...rest } = own;
  return scheduler(
    (optimizer, total) => {
      const steps = Math.round(Number(warmup) * total);
      const run: Run = { optimizer, totalSteps: Math.max(1, total - steps) };
      const made = makeChosen<Run, Scheduler>(stepSchedules, rest as Chosen, run);
      return steps > 0 ? lrScheduler.withWarmup(made, { steps }) : made;
    },
    { every: every === "epoch" ? "epoch" : "step" },
  );
}
