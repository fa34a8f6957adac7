/** Contents of transfer learning: weights by name, freezing, new heads, learning rates by depth, embeddings. */
export { type BatchesToEmbed, type Embeddings, type EmbedOptions, embed } from "./embed.js";
export {
  describeTrainable,
  type FreezeOptions,
  freeze,
  type TrainablePart,
  type TrainableReport,
  trainableReport,
  unfreeze,
} from "./freeze.js";
export {
  type GradualUnfreezing,
  type GradualUnfreezingOptions,
  gradualUnfreezing,
} from "./gradual.js";
export { type HeadLayer, type ReplacedHead, type ReplaceHeadOptions, replaceHead } from "./head.js";
export { type DepthLayer, depthLayers } from "./layers.js";
export { type LayerGroup, type LayerwiseOptions, layerwiseGroups } from "./layerwise.js";
export {
  describeWeights,
  type LoadWeightsOptions,
  loadWeights,
  type Misfit,
  type RenameRule,
  type WeightReport,
} from "./loadWeights.js";
export type { NamePattern, NamePatterns } from "./names.js";
