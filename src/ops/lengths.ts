/** Lengths of vectors for any p, which normalizing and distances share. Read norm.ts next. */
import { ValueError } from "../core/errors.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";

export function checkPower(op: string, p: number): number {
  if (!(p >= 0)) throw new ValueError(op, `p must be ≥ 0, got ${p}`);
  return p;
}

/** The p-th root of numbers ≥ 0, with the slope 0 at 0, as PyTorch has it. */
function rootNodes(b: Builder, x: Node, p: number): Node {
  const isZero = b.equal(x, 0);
  const safe = b.select(isZero, 1, x);
  const root = p === 2 ? b.pointwise("sqrt", safe) : b.pointwise("power", safe, 1 / p);
  return b.select(isZero, 0, root);
}

/** |x|^p, whose slope at 0 is 0 for p below 2 too. */
function powerNodes(b: Builder, x: Node, p: number): Node {
  if (p === 2) return b.multiply(x, x);
  const size = b.pointwise("abs", x);
  if (p === 1) return size;
  const isZero = b.equal(size, 0);
  return b.select(isZero, 0, b.pointwise("power", b.select(isZero, 1, size), p));
}

/** ‖x‖ₚ over dims: (Σ|x|^p)^(1/p), the largest |x| for p = ∞, the count of nonzero elements for p = 0. */
export function lengthNodes(
  b: Builder,
  x: Node,
  p: number,
  dims: readonly number[],
  keepDim: boolean,
): Node {
  if (p === Number.POSITIVE_INFINITY)
    return b.reduce("reduceMax", b.pointwise("abs", x), dims, keepDim);
  if (p === 0) {
    const counts = b.convert(b.pointwise("notEqual", x, 0), x.dtype);
    return b.reduce("reduceSum", counts, dims, keepDim);
  }
  const total = b.reduce("reduceSum", powerNodes(b, x, p), dims, keepDim);
  return p === 1 ? total : rootNodes(b, total, p);
}
