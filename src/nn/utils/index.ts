/** Contents of `nn.utils`. */
export { type ClipGradNormOptions, clipGradNorm, clipGradValue } from "./clipGrad.js";
export { cloneModule } from "./clone.js";
