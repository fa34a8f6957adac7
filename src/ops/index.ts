/** Contents: the ops by family. Importing this gives tensors their methods. */
export * from "./families/indexing.js";
export * from "./families/layer.js";
export * from "./families/loss.js";
export * from "./families/matrix.js";
export * from "./families/movement.js";
export * from "./families/pointwise.js";
export * from "./families/reduction.js";
