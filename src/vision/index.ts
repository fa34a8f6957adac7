/** Contents of `vision`. */
export { LeNet5, type LeNetOptions } from "./models/lenet.js";
export * from "./transforms/index.js";
