/**
 * The data room: data sets, batches, and the formats that data and weights come in. Everything here
 * works in a browser too; node.ts loads folders.
 */
export * from "../io/browser.js";
export {
  type BatchArrays,
  type Dataset,
  type Example,
  randomSplit,
  Subset,
  TensorDataset,
} from "./dataset.js";
export { decodeIdx, encodeIdx } from "./idx.js";
export { type Batch, DataLoader, type DataLoaderOptions, type IterateOptions } from "./loader.js";
export { type NormalizeOptions, normalizeImages } from "./normalize.js";
export { permutation, type SeedOptions } from "./order.js";
export {
  fashionMnistClasses,
  type LabelledImages,
  type LabelledPart,
  type LabelOptions,
  labelledImages,
  type RawPart,
} from "./sources/labelled.js";
