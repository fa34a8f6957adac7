/** Classes as vectors: one-hot vectors and rows of a table. Read unique.ts next. */
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import type { Tensor } from "../tensor/tensor.js";
import { valuesOf } from "./eager.js";
import { indexNodes } from "./indexing.js";

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
  return applyOne(oneHotSpec, [x], { numClasses: most + 1 });
}

export interface EmbeddingOptions {
  /** A row that gets no gradient; counts from the end if negative. */
  readonly paddingIdx?: number | null;
}

const embeddingSpec: OpSpec<{ readonly paddingIdx: number | null }> = {
  name: "embedding",
  lower(b, [given, weight], { paddingIdx }) {
    const [count, features] = weight!.shape as [number, number];
    const indices = indexNodes(b, "embedding", given!);
    const list = b.reshape(indices, [indices.shape.reduce((n, m) => n * m, 1)]);
    const rows = b.make("indexSelect", [weight!, list], { dim: 0 });
    const shape = [...indices.shape, features];
    if (paddingIdx === null) return b.reshape(rows, shape);
    const isPadding = b.equal(list, paddingIdx < 0 ? paddingIdx + count : paddingIdx);
    const mask = b.make("broadcastInDim", [isPadding], { shape: rows.shape, dims: [0] });
    return b.reshape(b.select(mask, b.stopGradient(rows), rows), shape);
  },
};

/**
 * The rows of a table at indices: indices [*], weight [N, F] → [*, F]. The row `paddingIdx` gets no gradient.
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
  { paddingIdx = null }: EmbeddingOptions = {},
): Tensor {
  if (weight.ndim !== 2)
    throw new ShapeError("embedding", `weight must be [N, F], got ${formatShape(weight.shape)}`);
  const count = weight.shape[0]!;
  if (paddingIdx !== null) checkPaddingIdx("embedding", paddingIdx, count);
  return applyOne(embeddingSpec, [indices, weight], { paddingIdx });
}

/** Throws unless a padding index names a row of a table. */
export function checkPaddingIdx(op: string, paddingIdx: number, count: number): void {
  if (!Number.isInteger(paddingIdx) || paddingIdx < -count || paddingIdx >= count)
    throw new ValueError(
      op,
      `paddingIdx ${paddingIdx} is out of range: expected ${-count} to ${count - 1}`,
    );
}
