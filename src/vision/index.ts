/** Contents of `vision`. */
export { BasicBlock, type BasicBlockOptions } from "./models/basicBlock.js";
export { CifarResNet, type CifarResNetOptions } from "./models/cifarResNet.js";
export { LeNet5, type LeNetOptions } from "./models/lenet.js";
export * from "./transforms/index.js";
