/** Contents of `optim`. */
export { GradientAccumulator } from "./accumulate.js";
export { Adam, type AdamOptions, AdamW } from "./adam.js";
export {
  Adamax,
  type AdamaxOptions,
  NAdam,
  type NAdamOptions,
  RAdam,
  type RAdamOptions,
} from "./adamFamily.js";
export { type Closure, LBFGS, type LBFGSOptions, type LBFGSState } from "./lbfgs.js";
export { Lion, type LionOptions } from "./lion.js";
export * as lrScheduler from "./lrScheduler/index.js";
export { type GroupOptions, Optimizer, type OptimizerState, type Params } from "./optimizer.js";
export { type GroupState, ParamGroup } from "./paramGroup.js";
export { SGD, type SGDOptions } from "./sgd.js";
export {
  Adadelta,
  type AdadeltaOptions,
  Adagrad,
  type AdagradOptions,
  RMSprop,
  type RMSpropOptions,
} from "./squares.js";
export * as swaUtils from "./swaUtils.js";
