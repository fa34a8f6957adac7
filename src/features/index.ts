/** The room of features: scaling, principal components, whitening, gradients' and hues' histograms, and pipelines of them. */
export { ColorHistogram, type ColorHistogramOptions, HueHistogram } from "./colorHistogram.js";
export { type BlockNorm, Hog, type HogOptions } from "./hog.js";
export { PCA, type PCAOptions, ZCA, type ZCAOptions } from "./pca.js";
export { FeatureUnion, Pipeline } from "./pipeline.js";
export { StandardScaler, type StandardScalerOptions } from "./scaler.js";
export { FeatureStep } from "./step.js";
