/** What `import … from "gradus"` gives, in Node and in browsers. */
export type { BackendName } from "./backend/contract.js";
export { backendDescription, setBackend, setNumThreads } from "./backend/select.js";
export type { DType, TypedArray } from "./core/dtype.js";
export * from "./core/errors.js";
export type { Shape } from "./core/shape.js";
export * as data from "./data/index.js";
export * as nn from "./nn/index.js";
export * from "./ops/index.js";
export * as optim from "./optim/index.js";
export * from "./tensor/index.js";
export * as vision from "./vision/index.js";
