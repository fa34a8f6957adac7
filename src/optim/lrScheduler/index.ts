/** Contents of `optim.lrScheduler`. */
export { type Chainable, ChainedScheduler, SequentialLR } from "./compose.js";
export { CosineAnnealingLR, CosineAnnealingWarmRestarts } from "./cosine.js";
export { cosineBetween, linearBetween } from "./curves.js";
export { CyclicLR, type CyclicOptions, OneCycleLR, type OneCycleOptions } from "./cycle.js";
export { type PlateauOptions, ReduceLROnPlateau } from "./plateau.js";
export { type ScalingOptions, scaleLr } from "./scaling.js";
export {
  LRScheduler,
  type Plain,
  type Schedulable,
  type Scheduled,
  type SchedulerOptions,
  type SchedulerState,
} from "./scheduler.js";
export {
  ConstantLR,
  ExponentialLR,
  InverseSqrtLR,
  LambdaLR,
  LinearLR,
  type LrLambda,
  MultiplicativeLR,
  MultiStepLR,
  PolynomialLR,
  StepLR,
} from "./steps.js";
export { type Warmable, WarmupLR, type WarmupOptions, withWarmup } from "./warmup.js";
