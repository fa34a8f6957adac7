/**
 * Optimizers and schedules beside PyTorch's, each under its expression there. scripts/fixtures/makeOptimizers.py runs the expressions.
 * Read ../optimFamilies.test.ts and ../schedules.test.ts next.
 */
import { optim, type Tensor } from "../../src/index.js";

/** Makes an optimizer of `p`, a list of two parameters. */
export const optimizerCases: Readonly<Record<string, (p: readonly Tensor[]) => optim.Optimizer>> = {
  "optim.SGD(p, lr=0.1, momentum=0.9, maximize=True)": (p) =>
    new optim.SGD(p, { lr: 0.1, momentum: 0.9, maximize: true }),
  "optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.1)": (p) =>
    new optim.SGD(p, { lr: 0.1, momentum: 0.9, dampening: 0.3, weightDecay: 0.1 }),
  "optim.SGD([dict(params=p[:1], lr=0.5, momentum=0.5), dict(params=p[1:])], lr=0.1)": (p) =>
    new optim.SGD([{ params: [p[0]!], lr: 0.5, momentum: 0.5 }, { params: [p[1]!] }], { lr: 0.1 }),
  "optim.SGD([dict(params=p[:1], momentum=0.9, nesterov=True), dict(params=p[1:], weight_decay=0.2)], lr=0.1)":
    (p) =>
      new optim.SGD(
        [
          { params: [p[0]!], momentum: 0.9, nesterov: true },
          { params: [p[1]!], weightDecay: 0.2 },
        ],
        { lr: 0.1 },
      ),
  "optim.AdamW([dict(params=p[:1], weight_decay=0.0, amsgrad=True), dict(params=p[1:], lr=0.01, betas=(0.5, 0.9))], lr=0.05, weight_decay=0.3)":
    (p) =>
      new optim.AdamW(
        [
          { params: [p[0]!], weightDecay: 0, amsgrad: true },
          { params: [p[1]!], lr: 0.01, betas: [0.5, 0.9] },
        ],
        { lr: 0.05, weightDecay: 0.3 },
      ),
  "optim.RMSprop([dict(params=p[:1], centered=True), dict(params=p[1:], momentum=0.8, alpha=0.9)], lr=0.02)":
    (p) =>
      new optim.RMSprop(
        [
          { params: [p[0]!], centered: true },
          { params: [p[1]!], momentum: 0.8, alpha: 0.9 },
        ],
        { lr: 0.02 },
      ),
  "optim.Adagrad(p, lr=0.1)": (p) => new optim.Adagrad(p, { lr: 0.1 }),
  "optim.Adagrad(p, lr=0.1, lr_decay=0.05, weight_decay=0.1, initial_accumulator_value=0.2, eps=1e-5)":
    (p) =>
      new optim.Adagrad(p, {
        ...{ lr: 0.1, lrDecay: 0.05, weightDecay: 0.1, initialAccumulatorValue: 0.2, eps: 1e-5 },
      }),
  "optim.RMSprop(p, lr=0.02)": (p) => new optim.RMSprop(p, { lr: 0.02 }),
  "optim.RMSprop(p, lr=0.02, alpha=0.9, momentum=0.8, centered=True, weight_decay=0.1, eps=1e-3)": (
    p,
  ) =>
    new optim.RMSprop(p, {
      ...{ lr: 0.02, alpha: 0.9, momentum: 0.8, centered: true, weightDecay: 0.1, eps: 1e-3 },
    }),
  "optim.RMSprop(p, lr=0.02, momentum=0.5)": (p) =>
    new optim.RMSprop(p, { lr: 0.02, momentum: 0.5 }),
  "optim.Adadelta(p)": (p) => new optim.Adadelta(p),
  "optim.Adadelta(p, lr=0.5, rho=0.8, eps=1e-3, weight_decay=0.1, maximize=True)": (p) =>
    new optim.Adadelta(p, { lr: 0.5, rho: 0.8, eps: 1e-3, weightDecay: 0.1, maximize: true }),
  "optim.Adam(p, lr=0.05, amsgrad=True, betas=(0.8, 0.9))": (p) =>
    new optim.Adam(p, { lr: 0.05, amsgrad: true, betas: [0.8, 0.9] }),
  "optim.Adam(p, lr=0.05, weight_decay=0.3, maximize=True)": (p) =>
    new optim.Adam(p, { lr: 0.05, weightDecay: 0.3, maximize: true }),
  "optim.AdamW(p, lr=0.05, weight_decay=0.3, amsgrad=True)": (p) =>
    new optim.AdamW(p, { lr: 0.05, weightDecay: 0.3, amsgrad: true }),
  "optim.Adamax(p, lr=0.05)": (p) => new optim.Adamax(p, { lr: 0.05 }),
  "optim.Adamax(p, lr=0.05, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1)": (p) =>
    new optim.Adamax(p, { lr: 0.05, betas: [0.8, 0.9], eps: 1e-3, weightDecay: 0.1 }),
  "optim.NAdam(p, lr=0.05)": (p) => new optim.NAdam(p, { lr: 0.05 }),
  "optim.NAdam(p, lr=0.05, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1, momentum_decay=0.1)": (
    p,
  ) =>
    new optim.NAdam(p, {
      ...{ lr: 0.05, betas: [0.8, 0.9], eps: 1e-3, weightDecay: 0.1, momentumDecay: 0.1 },
    }),
  "optim.RAdam(p, lr=0.05)": (p) => new optim.RAdam(p, { lr: 0.05 }),
  "optim.RAdam(p, lr=0.05, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1)": (p) =>
    new optim.RAdam(p, { lr: 0.05, betas: [0.8, 0.9], eps: 1e-3, weightDecay: 0.1 }),
  "Lion(p, lr=0.05)": (p) => new optim.Lion(p, { lr: 0.05 }),
  "Lion(p, lr=0.05, betas=(0.7, 0.95), weight_decay=0.3)": (p) =>
    new optim.Lion(p, { lr: 0.05, betas: [0.7, 0.95], weightDecay: 0.3 }),
};

const s = optim.lrScheduler;

interface Steppable {
  step(value?: number): void;
  stateDict(): optim.lrScheduler.SchedulerState;
  loadStateDict(state: optim.lrScheduler.SchedulerState): void;
}

/** Makes a schedule of `o`, an optimizer of two groups with rates 1 and 0.3 and momentum 0.9. */
export const scheduleCases: Readonly<Record<string, (o: optim.Optimizer) => Steppable>> = {
  "s.LambdaLR(o, [lambda t: 0.9**t, lambda t: 1 / (1 + t)])": (o) =>
    new s.LambdaLR(o, { lrLambda: [(t) => 0.9 ** t, (t) => 1 / (1 + t)] }),
  "s.MultiplicativeLR(o, lambda t: 1 - t / 40)": (o) =>
    new s.MultiplicativeLR(o, { lrLambda: (t) => 1 - t / 40 }),
  "s.StepLR(o, 7, gamma=0.5)": (o) => new s.StepLR(o, { stepSize: 7, gamma: 0.5 }),
  "s.MultiStepLR(o, [3, 9, 9, 20])": (o) => new s.MultiStepLR(o, { milestones: [3, 20, 9, 9] }),
  "s.ExponentialLR(o, 0.9)": (o) => new s.ExponentialLR(o, { gamma: 0.9 }),
  "s.ConstantLR(o)": (o) => new s.ConstantLR(o),
  "s.ConstantLR(o, factor=0.25, total_iters=9)": (o) =>
    new s.ConstantLR(o, { factor: 0.25, totalIters: 9 }),
  "s.LinearLR(o)": (o) => new s.LinearLR(o),
  "s.LinearLR(o, start_factor=0.1, end_factor=0.6, total_iters=11)": (o) =>
    new s.LinearLR(o, { startFactor: 0.1, endFactor: 0.6, totalIters: 11 }),
  "s.PolynomialLR(o, total_iters=18, power=2.5)": (o) =>
    new s.PolynomialLR(o, { totalIters: 18, power: 2.5 }),
  "s.LambdaLR(o, lambda t: min((t + 1) / 6, math.sqrt(6 / (t + 1))))": (o) =>
    new s.InverseSqrtLR(o, { warmupSteps: 6 }),
  "s.CosineAnnealingLR(o, 10, eta_min=0.01)": (o) =>
    new s.CosineAnnealingLR(o, { tMax: 10, etaMin: 0.01 }),
  "s.CosineAnnealingLR(o, 60)": (o) => new s.CosineAnnealingLR(o, { tMax: 60 }),
  "s.CosineAnnealingWarmRestarts(o, 7)": (o) => new s.CosineAnnealingWarmRestarts(o, { t0: 7 }),
  "s.CosineAnnealingWarmRestarts(o, 4, T_mult=2, eta_min=0.02)": (o) =>
    new s.CosineAnnealingWarmRestarts(o, { t0: 4, tMult: 2, etaMin: 0.02 }),
  "s.OneCycleLR(o, [2.0, 0.5], total_steps=40)": (o) =>
    new s.OneCycleLR(o, { maxLr: [2, 0.5], totalSteps: 40 }),
  's.OneCycleLR(o, 2.0, epochs=8, steps_per_epoch=5, three_phase=True, anneal_strategy="linear", pct_start=0.4)':
    (o) =>
      new s.OneCycleLR(o, {
        ...{ maxLr: 2, epochs: 8, stepsPerEpoch: 5, threePhase: true, pctStart: 0.4 },
        annealStrategy: "linear",
      }),
  "s.CyclicLR(o, 0.1, 1.0, step_size_up=5)": (o) =>
    new s.CyclicLR(o, { baseLr: 0.1, maxLr: 1, stepSizeUp: 5 }),
  's.CyclicLR(o, 0.1, 1.0, step_size_up=3, step_size_down=6, mode="triangular2")': (o) =>
    new s.CyclicLR(o, {
      ...{ baseLr: 0.1, maxLr: 1, stepSizeUp: 3, stepSizeDown: 6, mode: "triangular2" },
    }),
  's.CyclicLR(o, [0.1, 0.2], 1.0, step_size_up=4, mode="exp_range", gamma=0.97, cycle_momentum=False)':
    (o) =>
      new s.CyclicLR(o, {
        ...{ baseLr: [0.1, 0.2], maxLr: 1, stepSizeUp: 4, mode: "expRange", gamma: 0.97 },
        cycleMomentum: false,
      }),
  "s.ChainedScheduler([s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.9), s.CosineAnnealingLR(o, 30)])":
    (o) =>
      new s.ChainedScheduler([
        new s.ConstantLR(o, { factor: 0.1, totalIters: 4 }),
        new s.ExponentialLR(o, { gamma: 0.9 }),
        new s.CosineAnnealingLR(o, { tMax: 30 }),
      ]),
  "s.SequentialLR(o, [s.LinearLR(o, 0.2, total_iters=5), s.CosineAnnealingLR(o, 15), s.StepLR(o, 3)], [5, 20])":
    (o) =>
      new s.SequentialLR(o, {
        schedulers: [
          new s.LinearLR(o, { startFactor: 0.2, totalIters: 5 }),
          new s.CosineAnnealingLR(o, { tMax: 15 }),
          new s.StepLR(o, { stepSize: 3 }),
        ],
        milestones: [5, 20],
      }),
  "s.SequentialLR(o, [s.LinearLR(o, 1 / 9, total_iters=8), s.ExponentialLR(o, 0.9)], [8])": (o) =>
    s.withWarmup(new s.ExponentialLR(o, { gamma: 0.9 }), { steps: 8 }),
  "s.ReduceLROnPlateau(o, factor=0.5, patience=2)": (o) =>
    new s.ReduceLROnPlateau(o, { factor: 0.5, patience: 2 }),
  's.ReduceLROnPlateau(o, mode="max", threshold=0.1, threshold_mode="abs", patience=1, cooldown=2, min_lr=[0.05, 0.1])':
    (o) =>
      new s.ReduceLROnPlateau(o, {
        ...{ mode: "max", threshold: 0.1, thresholdMode: "abs", patience: 1, cooldown: 2 },
        minLr: [0.05, 0.1],
      }),
  "s.SWALR(o, swa_lr=[0.05, 0.5], anneal_epochs=6)": (o) =>
    new optim.swaUtils.SWALR(o, { swaLr: [0.05, 0.5], annealEpochs: 6 }),
  's.SWALR(o, swa_lr=0.05, anneal_epochs=4, anneal_strategy="linear")': (o) =>
    new optim.swaUtils.SWALR(o, { swaLr: 0.05, annealEpochs: 4, annealStrategy: "linear" }),
};

/** Steps of a schedule that are compared. */
export const scheduleSteps = 30;

/** The measure that {@link ReduceLROnPlateau} is given at a step: falls, then wavers. */
export const metricAt = (step: number): number => 3 / (1 + step) + Math.abs(Math.sin(step)) * 0.5;
