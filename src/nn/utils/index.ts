/** Contents of `nn.utils`. */
export { type ClipGradNormOptions, clipGradNorm, clipGradValue } from "./clipGrad.js";
export { cloneModule } from "./clone.js";
export { foldBatchNorm } from "./foldBatchNorm.js";
export * as parametrizations from "./parametrizations.js";
export * as parametrize from "./parametrizeApi.js";
export { replaceModule } from "./replaceModule.js";
export { removeSpectralNorm, type SpectralNormOptions, spectralNorm } from "./spectralNorm.js";
export { removeWeightNorm, type WeightNormOptions, weightNorm } from "./weightNorm.js";
