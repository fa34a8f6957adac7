/** Losses that want one number to be larger than another by a margin. Read lossPair.ts next. */
import { isFloat } from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import type { Tensor } from "../tensor/tensor.js";
import { indexNodes } from "./indexing.js";
import {
  checkReduction,
  checkSameShape,
  type LossOptions,
  type Reduction,
  reduceLoss,
} from "./loss.js";
import { elementLoss } from "./lossDistance.js";

type Reduced = { readonly reduction: Reduction };
type WithMargin = Reduced & { readonly margin: number };

export interface MarginOptions extends LossOptions {
  readonly margin?: number;
}

/** max(x, 0) with the slope 1 at 0, as PyTorch's clamp has it. */
export const positivePart = (b: Builder, x: Node): Node =>
  b.select(b.pointwise("less", x, 0), 0, x);

const rankingSpec = elementLoss<WithMargin>("marginRankingLoss", (b, [x, y, target], { margin }) =>
  positivePart(b, b.subtract(margin, b.multiply(target!, b.subtract(x!, y!)))),
);

/**
 * max(0, margin − target · (x − y)), averaged: target 1 wants x above y, −1 below; margin 0 by default.
 *
 * @example
 * ```ts
 * import { marginRankingLoss, tensor } from "gradus";
 * console.log(marginRankingLoss(tensor([1, 2]), tensor([2, 1]), tensor([1, 1])).item()); // → 0.5
 * ```
 */
export function marginRankingLoss(
  x: Tensor,
  y: Tensor,
  target: Tensor,
  { margin = 0, reduction = "mean" }: MarginOptions = {},
): Tensor {
  checkSameShape("marginRankingLoss", x, y, target);
  checkReduction("marginRankingLoss", reduction);
  return applyOne(rankingSpec, [x, y, target], { margin, reduction });
}

const hingeSpec = elementLoss<WithMargin>("hingeEmbeddingLoss", (b, [x, target], { margin }) => {
  const apart = b.select(b.equal(target!, 1), 0, positivePart(b, b.subtract(margin, x!)));
  const near = b.select(b.equal(target!, -1), 0, x!);
  return b.add(apart, near);
});

/**
 * x where the target is 1, max(0, margin − x) where it is −1, averaged, for distances x; margin 1 by default.
 *
 * @example
 * ```ts
 * import { hingeEmbeddingLoss, tensor } from "gradus";
 * console.log(hingeEmbeddingLoss(tensor([0.5, 0.5]), tensor([1, -1])).item()); // → 0.5
 * ```
 */
export function hingeEmbeddingLoss(
  x: Tensor,
  target: Tensor,
  { margin = 1, reduction = "mean" }: MarginOptions = {},
): Tensor {
  checkSameShape("hingeEmbeddingLoss", x, target);
  checkReduction("hingeEmbeddingLoss", reduction);
  return applyOne(hingeSpec, [x, target], { margin, reduction });
}

/** Whether each class is the target; `place` is the target's class, with size 1 in the dim of classes. */
const isClass = (b: Builder, shape: readonly number[], place: Node): Node =>
  b.equal(b.iota(shape.length - 1, shape), b.broadcastTo(place, shape));

/** Scores without a batch dim get one for the time of the computation. */
const withBatch = (b: Builder, x: Node, rank: number): Node =>
  x.shape.length === rank ? x : b.reshape(x, [1, ...x.shape]);

const unbatch = (b: Builder, losses: Node, scores: Node): Node =>
  scores.shape.length === 1 ? b.reshape(losses, []) : losses;

type MultiMarginAttributes = WithMargin & { readonly p: 1 | 2 };

const multiMarginSpec: OpSpec<MultiMarginAttributes> = {
  name: "multiMarginLoss",
  lower(b, [given, labels, weight], { p, margin, reduction }) {
    const x = withBatch(b, given!, 2);
    const indices = withBatch(b, indexNodes(b, "multiMarginLoss", labels!), 1);
    const place = b.reshape(indices, [x.shape[0]!, 1]);
    const own = b.make("gather", [x, place], { dim: 1 });
    const gap = b.add(b.subtract(margin, own), x);
    const isCounted = b.pointwise(
      "and",
      b.pointwise("greater", gap, 0),
      b.pointwise("not", isClass(b, x.shape, place)),
    );
    const hinge = b.select(isCounted, gap, 0);
    let terms = p === 2 ? b.multiply(hinge, hinge) : hinge;
    if (weight) {
      const row = b.reshape(b.convert(weight, x.dtype), [1, x.shape[1]!]);
      terms = b.multiply(terms, b.make("gather", [b.broadcastTo(row, x.shape), place], { dim: 1 }));
    }
    const losses = b.divide(b.reduce("reduceSum", terms, [1]), x.shape[1]!);
    return reduceLoss(b, unbatch(b, losses, given!), reduction);
  },
};

export interface MultiMarginOptions extends MarginOptions {
  /** Exponent of what is over the margin, 1 (the default) or 2. */
  readonly p?: 1 | 2;
  /** What the examples of each class count, [classes]. */
  readonly weight?: Tensor;
}

/**
 * Σ over the other classes of max(0, margin − x[target] + x[class])ᵖ / classes, averaged over examples; margin 1 by default.
 *
 * x: [B, classes] or [classes], target: [B] or [] int32 → a scalar, or the target's shape with reduction "none".
 *
 * @throws ValueError if a target is no class; ShapeError if the shapes do not fit.
 * @example
 * ```ts
 * import { multiMarginLoss, tensor } from "gradus";
 * console.log(multiMarginLoss(tensor([0.5, 1, 0]), tensor(1, { dtype: "int32" })).item().toFixed(4)); // → 0.1667
 * ```
 */
export function multiMarginLoss(
  x: Tensor,
  target: Tensor,
  options: MultiMarginOptions = {},
): Tensor {
  const op = "multiMarginLoss";
  const { reduction = "mean", p = 1, margin = 1, weight } = options;
  if (!isFloat(x.dtype)) throw new DTypeError(op, `needs float scores, got ${x.dtype}`);
  if ((x.ndim !== 1 && x.ndim !== 2) || !sameShape(target.shape, x.shape.slice(0, -1)))
    throw new ShapeError(
      op,
      `scores ${formatShape(x.shape)} and targets ${formatShape(target.shape)}: expected ` +
        "[B, classes] and [B] with class indices",
    );
  if (p !== 1 && p !== 2) throw new ValueError(op, `p must be 1 or 2, got ${String(p)}`);
  const classes = x.shape[x.ndim - 1]!;
  if (weight && !sameShape(weight.shape, [classes]))
    throw new ShapeError(op, `the weight must be [${classes}], got ${formatShape(weight.shape)}`);
  checkReduction(op, reduction);
  const inputs = weight ? [x, target, weight.detach()] : [x, target];
  return applyOne(multiMarginSpec, inputs, { p, margin, reduction });
}

const multilabelMarginSpec: OpSpec<Reduced> = {
  name: "multilabelMarginLoss",
  lower(b, [given, labels], { reduction }) {
    const x = withBatch(b, given!, 2);
    const target = withBatch(b, indexNodes(b, "multilabelMarginLoss", labels!), 2);
    const [batch, classes] = x.shape as [number, number];
    const isEnd = b.convert(b.pointwise("less", target, 0), "int32");
    const end = b.reshape(b.make("argMax", [isEnd], { dim: 1 }), [batch, 1]);
    const hasEnd = b.reduce("reduceMax", isEnd, [1], true);
    // The first −1 ends the list of labels; what follows it does not count.
    const isLabel = b.pointwise(
      "or",
      b.equal(hasEnd, 0),
      b.pointwise("less", b.iota(1, x.shape), end),
    );
    const safe = b.select(isLabel, target, 0);
    const cube = [batch, classes, classes];
    const column = (y: Node) => b.broadcastTo(b.reshape(y, [batch, classes, 1]), cube);
    const named = b.pointwise(
      "and",
      column(isLabel),
      isClass(b, cube, b.reshape(safe, [batch, classes, 1])),
    );
    const isTarget = b.reduce("reduceMax", b.convert(named, "int32"), [1]);
    const own = b.make("gather", [x, safe], { dim: 1 });
    const other = b.broadcastTo(b.reshape(x, [batch, 1, classes]), cube);
    const gap = b.subtract(1, b.subtract(column(own), other));
    const isOther = b.broadcastTo(b.reshape(b.equal(isTarget, 0), [batch, 1, classes]), cube);
    const isCounted = b.pointwise("and", column(isLabel), isOther);
    const hinge = b.select(b.pointwise("and", isCounted, b.pointwise("greater", gap, 0)), gap, 0);
    const losses = b.divide(b.reduce("reduceSum", hinge, [1, 2]), classes);
    return reduceLoss(b, unbatch(b, losses, given!), reduction);
  },
};

/**
 * Σ over labels and other classes of max(0, 1 − (x[label] − x[class])) / classes, averaged over examples.
 *
 * x: [B, classes] or [classes]; target: the same shape, int32: an example's labels, then −1.
 *
 * @throws ValueError if a label is no class; ShapeError if the shapes differ.
 * @example
 * ```ts
 * import { multilabelMarginLoss, tensor } from "gradus";
 * console.log(multilabelMarginLoss(tensor([0.5, 1, 0]), tensor([1, -1, 0], { dtype: "int32" })).item().toFixed(4)); // → 0.1667
 * ```
 */
export function multilabelMarginLoss(
  x: Tensor,
  target: Tensor,
  { reduction = "mean" }: LossOptions = {},
): Tensor {
  const op = "multilabelMarginLoss";
  if (!isFloat(x.dtype)) throw new DTypeError(op, `needs float scores, got ${x.dtype}`);
  checkSameShape(op, x, target);
  if (x.ndim !== 1 && x.ndim !== 2)
    throw new ShapeError(op, `expected [B, classes] or [classes], got ${formatShape(x.shape)}`);
  checkReduction(op, reduction);
  return applyOne(multilabelMarginSpec, [x, target], { reduction });
}
