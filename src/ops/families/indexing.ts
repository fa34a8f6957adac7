/** Ops that read or write places given by indices, masks or values. */
export {
  type IndexAddOptions,
  indexAdd,
  indexCopy,
  indexFill,
  indexSelect,
  take,
  takeAlongDim,
} from "../byIndex.js";
export { type EmbeddingOptions, embedding, oneHot } from "../embedding.js";
export { gather } from "../indexing.js";
export { maskedScatter, maskedSelect, nonzero } from "../masked.js";
export { scatter, scatterAdd } from "../scatter.js";
export {
  type ScatterReduceOptions,
  type ScatterReduction,
  scatterReduce,
} from "../scatterReduce.js";
export {
  bucketize,
  type HistcOptions,
  histc,
  type SearchOptions,
  searchsorted,
} from "../search.js";
