/**
 * What the attention primitives mean in terms of others: the parts of their flat results, and the plain composition that they
 * equal, whose scores lie in memory as a whole. Read primitives/attention.ts first.
 */
import { type Shape, sizeOf } from "../core/shape.js";
import type { Builder } from "./builder.js";
import { is, type Node } from "./graph.js";
import {
  type AttentionAttributes,
  type AttentionSizes,
  attentionSizes,
} from "./primitives/attention.js";

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/**
 * Rows are kept as [b₀, rows, b₁ …, width], so that the heads of a result [B, H, T, V] lie side by side: joining them
 * needs no copy.
 */
function storedShape(batch: Shape, rows: number, width: number): number[] {
  return [...batch.slice(0, 1), rows, ...batch.slice(1), width];
}

/** A value in the stored order as [...batch, rows, width]. */
function natural(b: Builder, x: Node, batchRank: number): Node {
  if (batchRank < 2) return x;
  const batch = range(batchRank).map((d) => (d === 0 ? 0 : d + 1));
  return b.transpose(x, [...batch, 1, batchRank + 1]);
}

/** Elements of a flat value; what was padded to it is taken as it was. */
function stretch(b: Builder, flat: Node, from: number, count: number): Node {
  if (is(flat, "pad")) {
    const [x] = flat.inputs as [Node];
    const { low, interior } = flat.attributes;
    if (low[0] === from && x.shape[0] === count && interior[0] === 0) return x;
  }
  return b.slice(flat, [from], [from + count]);
}

/** The result [...batch, T, V] in the flat value of `attention`, or its cotangent in the flat one's. */
export function attentionResult(b: Builder, flat: Node, sizes: AttentionSizes): Node {
  const stored = storedShape(sizes.batch, sizes.queries, sizes.values);
  const rows = b.reshape(stretch(b, flat, 0, sizeOf(stored)), stored);
  return natural(b, rows, sizes.batch.length);
}

/** The rows' log Σ exp [...batch, T, 1]. */
export function attentionLogSums(b: Builder, flat: Node, sizes: AttentionSizes): Node {
  const { batch, queries, values } = sizes;
  const count = sizeOf(batch) * queries;
  return b.reshape(b.slice(flat, [count * values], [count * (values + 1)]), [...batch, queries, 1]);
}

/**
 * dq, dk and dv in the flat value of `attentionGrad`. Where they are of one shape they lie row by row beside each other, as the
 * slices of one projection do.
 */
export function attentionGradParts(b: Builder, flat: Node, sizes: AttentionSizes): Node[] {
  const { batch, queries, keys, width, values } = sizes;
  const rank = batch.length;
  if (queries === keys && width === values) {
    const stored = storedShape(batch, queries, width);
    const at = Math.min(rank, 1) + 1;
    const all = b.reshape(flat, [...stored.slice(0, at), 3, ...stored.slice(at)]);
    return range(3).map((part) => {
      const start = all.shape.map((_, d) => (d === at ? part : 0));
      const limit = all.shape.map((n, d) => (d === at ? part + 1 : n));
      return natural(b, b.reshape(b.slice(all, start, limit), stored), rank);
    });
  }
  let from = 0;
  return [
    storedShape(batch, queries, width),
    storedShape(batch, keys, width),
    storedShape(batch, keys, values),
  ].map((stored) => {
    const part = b.reshape(stretch(b, flat, from, sizeOf(stored)), stored);
    from += sizeOf(stored);
    return natural(b, part, rank);
  });
}

/** Softmax along the last dim, where a row without any place that may be seen becomes zeros. */
function weightNodes(b: Builder, scores: Node): Node {
  const last = [scores.shape.length - 1];
  const most = b.stopGradient(b.reduce("reduceMax", scores, last, true));
  const shift = b.select(b.equal(most, Number.NEGATIVE_INFINITY), 0, most);
  const powers = b.pointwise("exponential", b.subtract(scores, shift));
  const total = b.reduce("reduceSum", powers, last, true);
  return b.divide(powers, b.select(b.equal(total, 0), 1, total));
}

function maskNodes(b: Builder, scores: Node, mask: Node | null, causal: boolean): Node {
  const rank = scores.shape.length;
  let masked = scores;
  if (causal) {
    const [row, column] = [b.iota(rank - 2, scores.shape), b.iota(rank - 1, scores.shape)];
    masked = b.select(b.pointwise("greater", column, row), Number.NEGATIVE_INFINITY, masked);
  }
  if (!mask) return masked;
  const wide = b.broadcastTo(mask, scores.shape);
  return mask.dtype === "bool"
    ? b.select(wide, masked, Number.NEGATIVE_INFINITY)
    : b.add(masked, wide);
}

/** Weights are kept where the top 24 random bits are at least this. */
export const dropThreshold = (p: number): number => Math.ceil(Math.fround(p) * 2 ** 24);

/** The factor of weights that are kept. */
export const keepFactor = (p: number): number => (p === 1 ? 0 : 1 / (1 - p));

function dropNodes(b: Builder, weights: Node, state: Node, p: number): Node {
  if (p === 1) return b.multiply(weights, 0);
  const bits = b.make("randomBits", [state], { shape: weights.shape });
  const top = b.pointwise("shiftRightLogical", bits, 8);
  const kept = b.pointwise("greaterEqual", top, dropThreshold(p));
  return b.select(kept, b.multiply(weights, keepFactor(p)), 0);
}

function batchedDot(b: Builder, x: Node, y: Node, batch: Shape, contracted: 0 | 1): Node {
  const rank = batch.length;
  const wide = (z: Node) => b.broadcastTo(z, [...batch, ...z.shape.slice(-2)]);
  return b.make("dotGeneral", [wide(x), wide(y)], {
    lhsBatch: range(rank),
    rhsBatch: range(rank),
    lhsContract: [rank + 1],
    rhsContract: [rank + contracted],
  });
}

/** The same inputs as the primitive's; `weights` [...batch, T, S] are those after dropping. */
export function plainAttention(
  b: Builder,
  inputs: readonly Node[],
  { scale, causal, hasMask, dropoutP }: AttentionAttributes,
): { readonly result: Node; readonly weights: Node } {
  const [q, k, v] = inputs as [Node, Node, Node];
  const { batch } = attentionSizes(inputs);
  const scores = batchedDot(b, b.multiply(q, scale), k, batch, 1);
  const mask = hasMask ? inputs[3]! : null;
  const all = weightNodes(b, maskNodes(b, scores, mask, causal));
  const state = inputs[hasMask ? 4 : 3];
  const weights = dropoutP > 0 ? dropNodes(b, all, state!, dropoutP) : all;
  return { result: batchedDot(b, weights, v, batch, 0), weights };
}
