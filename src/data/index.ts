/**
 * The data room: data sets, batches, and the formats that data and weights come in. Everything here
 * works in a browser too; node.ts loads folders.
 */
export * from "../io/browser.js";
export type { BatchSteps } from "./collect.js";
export {
  type BatchArrays,
  type BrokenExample,
  type Collected,
  type CollectOptions,
  type Dataset,
  type ErrorPolicy,
  type Example,
  randomSplit,
  Subset,
  TensorDataset,
} from "./dataset.js";
export { type Fold, type FoldOptions, kFold, stratifiedKFold } from "./folds.js";
export { decodeIdx, encodeIdx } from "./idx.js";
export {
  type Batch,
  DataLoader,
  type DataLoaderOptions,
  type IterateOptions,
  type LoaderState,
} from "./loader.js";
export { type NormalizeOptions, normalizeImages } from "./normalize.js";
export { type Draw, exampleGenerator, permutation, type SeedOptions } from "./order.js";
export {
  BatchSampler,
  type BatchSource,
  DistributedSampler,
  type DistributedSamplerOptions,
  RandomSampler,
  type RandomSamplerOptions,
  type Sampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
  type WeightedRandomSamplerOptions,
} from "./sampler.js";
export {
  fashionMnistClasses,
  type LabelledImages,
  type LabelledPart,
  type LabelOptions,
  labelledImages,
  type RawPart,
} from "./sources/labelled.js";
export {
  ConcatDataset,
  type IterableDataset,
  mapDataset,
  type Stream,
  type StreamOptions,
  shuffleBuffer,
} from "./transformed.js";
export type { MakeDataset, StreamRecipe, WorkerRecipe } from "./workers/answer.js";
export {
  serveDataset,
  WebWorkerDataset,
  type WebWorkerOptions,
} from "./workers/webWorkerDataset.js";
