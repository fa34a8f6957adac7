/** Contents of `nn`: modules by family, `functional`, `init`. */
export { Conv2d, type Conv2dLayerOptions, MaxPool2d } from "./conv.js";
export * as functional from "./functional.js";
export * as init from "./init.js";
export {
  CrossEntropyLoss,
  Dropout,
  Flatten,
  Identity,
  MSELoss,
  ReLU,
  Sigmoid,
  Tanh,
} from "./layers.js";
export { Linear } from "./linear.js";
export { Buffer, Layer, type LoadReport, Module, Parameter } from "./module.js";
export { Sequential } from "./sequential.js";
