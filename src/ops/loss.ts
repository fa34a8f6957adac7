/** Losses of classification, and the mean square. Read lossDistance.ts next. */

import { isFloat } from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import type { Tensor } from "../tensor/tensor.js";
import { indexNodes } from "./indexing.js";
import { promoteNodes } from "./pointwise.js";
import { logSoftmaxNodes } from "./softmax.js";

/** How the losses of single examples become one: their mean (the default), their sum, or not at all. */
export type Reduction = "mean" | "sum" | "none";

export interface LossOptions {
  readonly reduction?: Reduction;
}

export interface CrossEntropyOptions extends LossOptions {
  /** What each class counts, [classes]; the mean is over the weights of the targets. Default: all count 1. */
  readonly weight?: Tensor;
  /** Targets of this value count for nothing; default -100. */
  readonly ignoreIndex?: number;
  /** Share of the target's probability that is spread over all classes, from 0 to 1; default 0. */
  readonly labelSmoothing?: number;
}

const reductions: readonly unknown[] = ["mean", "sum", "none"];

export function checkReduction(op: string, reduction: Reduction): Reduction {
  if (!reductions.includes(reduction))
    throw new ValueError(op, `reduction must be "mean", "sum" or "none", got ${String(reduction)}`);
  return reduction;
}

export const allDims = (x: Node): number[] => x.shape.map((_, i) => i);

/** The losses of single examples as `reduction` says; `count` is what the mean divides by. */
export function reduceLoss(b: Builder, losses: Node, reduction: Reduction, count?: Node): Node {
  if (reduction === "none") return losses;
  const total = b.reduce("reduceSum", losses, allDims(losses));
  if (reduction === "sum") return total;
  return b.divide(total, count ?? losses.shape.reduce((n, m) => n * m, 1));
}

type EntropyAttributes = {
  readonly reduction: Reduction;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
};

/** Scores, targets and, if there are any, class weights. */
type ClassNodes = readonly [scores: Node, target: Node, weight: Node | undefined];

/** A class weight for each of the classes in dim 1 of `scores`, ready to be multiplied. */
const alongClasses = (b: Builder, weight: Node, scores: Node): Node =>
  b.reshape(
    b.convert(weight, scores.dtype),
    scores.shape.map((n, i) => (i === 1 ? n : 1)),
  );

/** One element of `values` along dim 1 for each index. */
function pickClasses(b: Builder, values: Node, indices: Node): Node {
  const column = b.reshape(indices, [indices.shape[0]!, 1, ...indices.shape.slice(1)]);
  return b.reshape(b.make("gather", [values, column], { dim: 1 }), indices.shape);
}

/** Negative log likelihoods of the targets, given the log probabilities; dim 1 is the classes. */
function pickedLoss(
  b: Builder,
  [scores, target, weight]: ClassNodes,
  attributes: EntropyAttributes,
): Node {
  const { reduction, ignoreIndex, labelSmoothing } = attributes;
  const indices = indexNodes(b, b.origin, target);
  const ignored = b.equal(indices, ignoreIndex);
  // A target that is ignored may be no class; the first class stands in for it.
  const safe = b.select(ignored, 0, indices);
  const perClass = weight && alongClasses(b, weight, scores);
  const shares = perClass && pickClasses(b, b.broadcastTo(perClass, scores.shape), safe);
  let losses = b.negate(pickClasses(b, scores, safe));
  if (shares) losses = b.multiply(losses, shares);
  if (labelSmoothing > 0) {
    const all = perClass ? b.multiply(scores, perClass) : scores;
    const spread = b.negate(b.divide(b.reduce("reduceSum", all, [1]), scores.shape[1]!));
    losses = b.add(b.multiply(losses, 1 - labelSmoothing), b.multiply(spread, labelSmoothing));
  }
  const counted = b.select(ignored, 0, losses);
  const kept = b.select(ignored, 0, shares ?? b.constant(1, scores.dtype, ignored.shape));
  return reduceLoss(b, counted, reduction, b.reduce("reduceSum", kept, allDims(kept)));
}

/** −Σ target · log probability over the classes in dim 1. */
function probabilityLoss(
  b: Builder,
  [scores, target, weight]: ClassNodes,
  { reduction, labelSmoothing }: EntropyAttributes,
): Node {
  const classes = scores.shape[1]!;
  const given = b.convert(target, scores.dtype);
  const wanted =
    labelSmoothing > 0
      ? b.add(b.multiply(given, 1 - labelSmoothing), labelSmoothing / classes)
      : given;
  const terms = b.multiply(scores, wanted);
  const weighted = weight ? b.multiply(terms, alongClasses(b, weight, scores)) : terms;
  return reduceLoss(b, b.negate(b.reduce("reduceSum", weighted, [1])), reduction);
}

/** Scores without a batch dim, [classes], get one for the time of the computation. */
function batched(
  lower: (b: Builder, nodes: ClassNodes, attributes: EntropyAttributes) => Node,
): OpSpec<EntropyAttributes>["lower"] {
  return (b, [x, target, weight], attributes) => {
    if (x!.shape.length > 1) return lower(b, [x!, target!, weight], attributes);
    const one = (y: Node) => b.reshape(y, [1, ...y.shape]);
    const loss = lower(b, [one(x!), one(target!), weight], attributes);
    return b.reshape(loss, []);
  };
}

const crossEntropySpec: OpSpec<EntropyAttributes> = {
  name: "crossEntropy",
  lower: batched((b, [x, target, weight], attributes) => {
    const isPicked = !isFloat(target.dtype) || !sameShape(x.shape, target.shape);
    const lossOf = isPicked ? pickedLoss : probabilityLoss;
    return lossOf(b, [logSoftmaxNodes(b, x, 1), target, weight], attributes);
  }),
};

const nllLossSpec: OpSpec<EntropyAttributes> = {
  name: "nllLoss",
  lower: batched(pickedLoss),
};

/** Throws unless the target is class indices for x or, where they are taken, probabilities of its shape. */
function checkTarget(op: string, x: Tensor, target: Tensor, takesProbabilities: boolean): void {
  if (takesProbabilities && isFloat(target.dtype) && sameShape(x.shape, target.shape)) return;
  const expected = x.ndim === 1 ? [] : ([x.shape[0], ...x.shape.slice(2)] as number[]);
  if (x.ndim < 1 || !sameShape(expected, target.shape))
    throw new ShapeError(
      op,
      `scores ${formatShape(x.shape)} and targets ${formatShape(target.shape)}: expected ` +
        "[B, classes, …] and [B, …] with class indices" +
        (takesProbabilities ? ", or probabilities of the scores' shape" : ""),
    );
}

function classLoss(
  spec: OpSpec<EntropyAttributes>,
  x: Tensor,
  target: Tensor,
  options: CrossEntropyOptions,
): Tensor {
  const { reduction = "mean", ignoreIndex = -100, labelSmoothing = 0, weight } = options;
  if (!isFloat(x.dtype)) throw new DTypeError(spec.name, `needs float scores, got ${x.dtype}`);
  checkTarget(spec.name, x, target, spec === crossEntropySpec);
  const classes = x.shape[x.ndim === 1 ? 0 : 1];
  if (weight && !(weight.ndim === 1 && weight.size === classes))
    throw new ShapeError(
      spec.name,
      `the weight must be [${classes}], one a class, got ${formatShape(weight.shape)}`,
    );
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new ValueError(spec.name, `labelSmoothing must be from 0 to 1, got ${labelSmoothing}`);
  checkReduction(spec.name, reduction);
  const inputs = weight ? [x, target, weight.detach()] : [x, target];
  return applyOne(spec, inputs, { reduction, ignoreIndex, labelSmoothing });
}

/**
 * −log softmax(x)[target], averaged: the loss of classification by scores (logits). With a float target of x's shape,
 * −Σ target · log softmax(x) over the classes.
 *
 * x: [B, classes, …] or [classes], target: [B, …] int32 class indices, or probabilities of x's shape → a scalar, or
 * [B, …] with reduction "none".
 *
 * @throws ValueError if a target is no class; ShapeError if the shapes do not fit.
 * @example
 * ```ts
 * import { crossEntropy, tensor } from "gradus";
 * const scores = tensor([[9, 0, 0], [0, 9, 0]]);
 * console.log(crossEntropy(scores, tensor([0, 1], { dtype: "int32" })).item() < 0.01); // → true
 * ```
 */
export const crossEntropy = (
  x: Tensor,
  target: Tensor,
  options: CrossEntropyOptions = {},
): Tensor => classLoss(crossEntropySpec, x, target, options);

/**
 * −x[target], averaged, for log probabilities x: the second half of {@link crossEntropy}.
 *
 * @example
 * ```ts
 * import { nllLoss, tensor } from "gradus";
 * console.log(nllLoss(tensor([[-1, -2]]), tensor([1], { dtype: "int32" })).item()); // → 2
 * ```
 */
export const nllLoss = (
  x: Tensor,
  target: Tensor,
  options: Omit<CrossEntropyOptions, "labelSmoothing"> = {},
): Tensor => classLoss(nllLossSpec, x, target, options);

const mseLossSpec: OpSpec<{ readonly reduction: Reduction }> = {
  name: "mseLoss",
  lower(b, nodes, { reduction }) {
    const [x, y] = promoteNodes(b, nodes) as [Node, Node];
    const difference = b.subtract(x, y);
    return reduceLoss(b, b.multiply(difference, difference), reduction);
  },
};

/** Throws unless all have one shape: broadcasting inside a loss is nearly always a mistake. */
export function checkSameShape(op: string, x: Tensor, ...others: readonly Tensor[]): void {
  for (const y of others)
    if (!sameShape(x.shape, y.shape))
      throw new ShapeError(
        op,
        `shapes differ: ${formatShape(x.shape)} and ${formatShape(y.shape)}`,
      );
}

/**
 * (x − target)², averaged. Both have one shape.
 *
 * @example
 * ```ts
 * import { mseLoss, tensor } from "gradus";
 * console.log(mseLoss(tensor([0, 3]), tensor([1, 1])).item()); // → 2.5
 * ```
 */
export function mseLoss(x: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkSameShape("mseLoss", x, target);
  return applyOne(mseLossSpec, [x, target], {
    reduction: checkReduction("mseLoss", options.reduction ?? "mean"),
  });
}
