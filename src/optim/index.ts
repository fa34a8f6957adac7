/** Contents of `optim`. */
export { Adam, type AdamOptions, AdamW } from "./adam.js";
export {
  type GroupOptions,
  Optimizer,
  type OptimizerState,
  ParamGroup,
  type Params,
} from "./optimizer.js";
export { SGD, type SGDOptions } from "./sgd.js";
