/** Classes as vectors: one-hot vectors and rows of a table. Read unique.ts next. */
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { checkShape, formatShape, sizeOf } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import "../tensor/assign.js";
import { noGrad } from "../tensor/context.js";
import type { Tensor } from "../tensor/tensor.js";
import { valuesOf } from "./eager.js";
import { indexNodes } from "./indexing.js";
import { checkPower, lengthNodes } from "./lengths.js";
import { needFloatTensor } from "./norm.js";

const oneHotSpec: OpSpec<{ readonly numClasses: number }> = {
  name: "oneHot",
  lower(b, [given], { numClasses }) {
    const classes = indexNodes(b, "oneHot", given!);
    const last = classes.shape.length;
    const indices = b.reshape(classes, [...classes.shape, 1]);
    const ones = b.constant(1, "int32", indices.shape);
    return b.make("scatterAdd", [ones, indices], { dim: last, size: numClasses });
  },
};

/**
 * 1 at the place of each class, 0 elsewhere, as int32: [*] → [*, numClasses]. Without `numClasses` (or with -1) there are
 * as many as the largest class needs, which compile() cannot know.
 *
 * @throws ValueError if a class is out of range; DTypeError unless x is int32 or uint8.
 * @example
 * ```ts
 * import { oneHot, tensor } from "gradus";
 * console.log(oneHot(tensor([0, 2], { dtype: "int32" }), 3).toArray()); // → [ [ 1, 0, 0 ], [ 0, 0, 1 ] ]
 * ```
 */
export function oneHot(x: Tensor, numClasses = -1): Tensor {
  if (x.dtype !== "int32" && x.dtype !== "uint8")
    throw new DTypeError("oneHot", `classes must be int32 or uint8, got ${x.dtype}`);
  if (!Number.isInteger(numClasses) || numClasses < -1 || numClasses === 0)
    throw new ValueError("oneHot", `numClasses must be ≥ 1, or -1 for all, got ${numClasses}`);
  if (numClasses > 0) return applyOne(oneHotSpec, [x], { numClasses });
  const values = valuesOf("oneHot", x);
  if (values.length === 0)
    throw new ValueError("oneHot", "needs numClasses where there are no classes to count");
  let most = 0;
  for (const value of values) most = Math.max(most, value);
  checkShape("oneHot", [...x.shape, most + 1]);
  return applyOne(oneHotSpec, [x], { numClasses: most + 1 });
}

export interface EmbeddingOptions {
  /** A row that gets no gradient; counts from the end if negative. */
  readonly paddingIdx?: number | null;
  /** Rows that are looked up and longer than this are shortened to it, in the table itself. */
  readonly maxNorm?: number | null;
  /** Which length maxNorm limits: (Σ|x|^p)^(1/p); default 2. */
  readonly normType?: number;
  /** Divides a row's gradient by how often the row is looked up. */
  readonly scaleGradByFreq?: boolean;
}

type Lookup = { readonly paddingIdx: number | null; readonly scaleGradByFreq: boolean };

/** Rows whose gradients are divided by how often each row is there: their values stay. */
function shareGradients(b: Builder, rows: Node, list: Node, count: number): Node {
  const ones = b.constant(1, "int32", list.shape);
  const counts = b.make("scatterAdd", [ones, list], { dim: 0, size: count });
  const own = b.convert(b.make("indexSelect", [counts, list], { dim: 0 }), rows.dtype);
  const shares = b.make("broadcastInDim", [b.divide(1, own)], { shape: rows.shape, dims: [0] });
  const fixed = b.stopGradient(rows);
  const zero = b.multiply(b.subtract(rows, fixed), shares);
  // Infinite values have no difference of 0; they carry no gradient.
  return b.select(b.pointwise("isFinite", fixed), b.add(fixed, zero), fixed);
}

const embeddingSpec: OpSpec<Lookup> = {
  name: "embedding",
  lower(b, [given, weight], { paddingIdx, scaleGradByFreq }) {
    const [count, features] = weight!.shape as [number, number];
    const indices = indexNodes(b, "embedding", given!);
    const list = b.reshape(indices, [indices.shape.reduce((n, m) => n * m, 1)]);
    const selected = b.make("indexSelect", [weight!, list], { dim: 0 });
    const rows = scaleGradByFreq ? shareGradients(b, selected, list, count) : selected;
    const shape = [...indices.shape, features];
    if (paddingIdx === null) return b.reshape(rows, shape);
    const isPadding = b.equal(list, paddingIdx < 0 ? paddingIdx + count : paddingIdx);
    const mask = b.make("broadcastInDim", [isPadding], { shape: rows.shape, dims: [0] });
    return b.reshape(b.select(mask, b.stopGradient(rows), rows), shape);
  },
};

type Limit = { readonly maxNorm: number; readonly p: number };

/** PyTorch's guard against a division by 0. */
const tiny = 1e-7;

const renormSpec: OpSpec<Limit> = {
  name: "embedding renorm",
  lower(b, [given, weight], { maxNorm, p }) {
    const count = weight!.shape[0]!;
    const indices = indexNodes(b, "embedding", given!);
    const list = b.reshape(indices, [sizeOf(indices.shape)]);
    const ones = b.constant(1, "int32", list.shape);
    const isUsed = b.pointwise(
      "notEqual",
      b.make("scatterAdd", [ones, list], { dim: 0, size: count }),
      0,
    );
    const lengths = lengthNodes(b, weight!, p, [1], true);
    const isLong = b.pointwise("greater", lengths, maxNorm);
    const scales = b.divide(maxNorm, b.add(lengths, tiny));
    const shortened = b.multiply(weight!, scales);
    return b.select(b.pointwise("and", b.reshape(isUsed, [count, 1]), isLong), shortened, weight!);
  },
};

function shorten(indices: Tensor, weight: Tensor, maxNorm: number, normType: number): void {
  if (!(maxNorm >= 0)) throw new ValueError("embedding", `maxNorm must be ≥ 0, got ${maxNorm}`);
  const p = checkPower("embedding", normType);
  noGrad(() => weight.assign(applyOne(renormSpec, [indices, weight], { maxNorm, p })));
}

/**
 * The rows of a table at indices: indices [*], weight [N, F] → [*, F]. The row `paddingIdx` gets no gradient; `maxNorm`
 * changes the table.
 *
 * @throws ValueError if an index or `paddingIdx` is out of range; ShapeError unless the weight has two dims.
 * @example
 * ```ts
 * import { embedding, tensor } from "gradus";
 * const weight = tensor([[1, 2], [3, 4]]);
 * console.log(embedding(tensor([1, 0], { dtype: "int32" }), weight).toArray()); // → [ [ 3, 4 ], [ 1, 2 ] ]
 * ```
 */
export function embedding(
  indices: Tensor,
  weight: Tensor,
  {
    paddingIdx = null,
    maxNorm = null,
    normType = 2,
    scaleGradByFreq = false,
  }: EmbeddingOptions = {},
): Tensor {
  needFloatTensor("embedding", weight);
  if (weight.ndim !== 2)
    throw new ShapeError("embedding", `weight must be [N, F], got ${formatShape(weight.shape)}`);
  const count = weight.shape[0]!;
  if (paddingIdx !== null) checkPaddingIdx("embedding", paddingIdx, count);
  if (maxNorm !== null) shorten(indices, weight, maxNorm, normType);
  return applyOne(embeddingSpec, [indices, weight], { paddingIdx, scaleGradByFreq });
}

/** Throws unless a padding index names a row of a table. */
export function checkPaddingIdx(op: string, paddingIdx: number, count: number): void {
  if (!Number.isInteger(paddingIdx) || paddingIdx < -count || paddingIdx >= count)
    throw new ValueError(
      op,
      `paddingIdx ${paddingIdx} is out of range: expected ${-count} to ${count - 1}`,
    );
}
