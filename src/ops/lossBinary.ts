/** Losses of yes and no, for one question or many. Read lossMargin.ts next. */

import { isFloat } from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import type { Tensor } from "../tensor/tensor.js";
import { logSigmoidNodes, softplusNodes } from "./activation.js";
import { knownValues } from "./known.js";
import {
  checkReduction,
  checkSameShape,
  type LossOptions,
  type Reduction,
  reduceLoss,
} from "./loss.js";
import { elementLoss } from "./lossDistance.js";
import { needFloat } from "./reduce.js";

export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Factors of the single losses; broadcasts to their shape. */
  readonly weight?: Tensor;
}

export interface BinaryCrossEntropyWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** What a positive target counts against a negative one; broadcasts to the targets' shape. */
  readonly posWeight?: Tensor;
}

type Reduced = { readonly reduction: Reduction };

/** log x, but −100 at least. */
function cutLog(b: Builder, x: Node): Node {
  const isZero = b.equal(x, 0);
  const log = b.pointwise("log", b.select(isZero, 1, x));
  return b.select(isZero, -100, b.select(b.pointwise("less", log, -100), -100, log));
}

const entropyOf = (b: Builder, p: Node, target: Node): Node =>
  b.subtract(
    b.multiply(b.subtract(target, 1), cutLog(b, b.subtract(1, p))),
    b.multiply(target, cutLog(b, p)),
  );

/** The loss at probabilities 0 and 1, with the slope that PyTorch gives it there: (p − target) · 10¹². */
function entropyAtEdge(b: Builder, p: Node, target: Node): Node {
  const fixed = b.stopGradient(p);
  const slope = b.stopGradient(b.multiply(b.subtract(p, target), 1e12));
  return b.add(entropyOf(b, fixed, target), b.multiply(b.subtract(p, fixed), slope));
}

const entropySpec: OpSpec<Reduced> = {
  name: "binaryCrossEntropy",
  lower(b, [p, given, weight], { reduction }) {
    needFloat("binaryCrossEntropy", p!);
    const target = b.convert(given!, p!.dtype);
    const isEdge = b.pointwise("less", b.multiply(p!, b.subtract(1, p!)), 1e-12);
    const loss = b.select(isEdge, entropyAtEdge(b, p!, target), entropyOf(b, p!, target));
    const weighted = weight ? b.multiply(loss, b.convert(weight, p!.dtype)) : loss;
    return reduceLoss(b, weighted, reduction);
  },
};

function checkFactor(op: string, name: string, factor: Tensor | undefined, x: Tensor): void {
  if (!factor) return;
  const lead = x.ndim - factor.ndim;
  const fits = lead >= 0 && factor.shape.every((n, i) => n === 1 || n === x.shape[lead + i]);
  if (!fits)
    throw new ShapeError(
      op,
      `${name} ${formatShape(factor.shape)} does not broadcast to ${formatShape(x.shape)}`,
    );
}

/**
 * −(target · log p + (1 − target) · log(1 − p)), averaged, for probabilities p; logarithms are −100 at least.
 * Scores give better gradients with {@link binaryCrossEntropyWithLogits}.
 *
 * @throws ShapeError if the shapes differ; ValueError, in eager mode, unless all p are from 0 to 1.
 * @example
 * ```ts
 * import { binaryCrossEntropy, tensor } from "gradus";
 * console.log(binaryCrossEntropy(tensor([0.9, 0.1]), tensor([1, 0])).item().toFixed(4)); // → 0.1054
 * ```
 */
export function binaryCrossEntropy(
  p: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  const { reduction = "mean", weight } = options;
  const op = "binaryCrossEntropy";
  checkSameShape(op, p, target);
  checkReduction(op, reduction);
  checkFactor(op, "weight", weight, p);
  if (knownValues(p)?.some((v: number) => v < 0 || v > 1))
    throw new ValueError(
      op,
      "probabilities must be from 0 to 1; give scores to the …WithLogits form",
    );
  return applyOne(entropySpec, weight ? [p, target, weight.detach()] : [p, target], { reduction });
}

type LogitAttributes = Reduced & { readonly weighted: boolean; readonly balanced: boolean };

const logitSpec: OpSpec<LogitAttributes> = {
  name: "binaryCrossEntropyWithLogits",
  lower(b, [x, given, ...factors], { reduction, weighted, balanced }) {
    needFloat("binaryCrossEntropyWithLogits", x!);
    const [target, first, second] = [given!, ...factors].map((y) => b.convert(y, x!.dtype));
    const [weight, posWeight] = weighted ? [first, second] : [undefined, first];
    const soft = softplusNodes(b, b.negate(x!));
    const share = balanced && b.add(b.multiply(b.subtract(posWeight!, 1), target!), 1);
    const logs = share ? b.multiply(share, soft) : soft;
    const loss = b.add(b.multiply(b.subtract(1, target!), x!), logs);
    return reduceLoss(b, weight ? b.multiply(loss, weight) : loss, reduction);
  },
};

/**
 * −(target · log σ(x) + (1 − target) · log σ(−x)), averaged, for scores x (logits), without overflow.
 *
 * x, target: one shape, targets from 0 to 1.
 *
 * @throws ShapeError if the shapes differ or a weight does not broadcast to them.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const loss = nn.functional.binaryCrossEntropyWithLogits(tensor([9, -9]), tensor([1, 0]));
 * console.log(loss.item() < 0.001); // → true
 * ```
 */
export function binaryCrossEntropyWithLogits(
  x: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyWithLogitsOptions = {},
): Tensor {
  const { reduction = "mean", weight, posWeight } = options;
  const op = "binaryCrossEntropyWithLogits";
  checkSameShape(op, x, target);
  checkReduction(op, reduction);
  checkFactor(op, "weight", weight, x);
  checkFactor(op, "posWeight", posWeight, x);
  const factors = [weight, posWeight].filter((f) => f !== undefined);
  const attributes = { reduction, weighted: !!weight, balanced: !!posWeight };
  return applyOne(logitSpec, [x, target, ...factors], attributes);
}

const softMarginSpec = elementLoss<Reduced>("softMarginLoss", (b, [x, y]) =>
  softplusNodes(b, b.negate(b.multiply(x!, y!))),
);

/**
 * log(1 + e^(−target · x)), averaged, for targets 1 and −1.
 *
 * @example
 * ```ts
 * import { softMarginLoss, tensor } from "gradus";
 * console.log(softMarginLoss(tensor([2, -1]), tensor([1, -1])).item().toFixed(4)); // → 0.2201
 * ```
 */
export function softMarginLoss(
  x: Tensor,
  target: Tensor,
  { reduction = "mean" }: LossOptions = {},
): Tensor {
  checkSameShape("softMarginLoss", x, target);
  checkReduction("softMarginLoss", reduction);
  return applyOne(softMarginSpec, [x, target], { reduction });
}

const multilabelSpec: OpSpec<Reduced> = {
  name: "multilabelSoftMarginLoss",
  lower(b, [x, given, weight], { reduction }) {
    const target = b.convert(given!, x!.dtype);
    const yes = b.multiply(target, logSigmoidNodes(b, x!));
    const no = b.multiply(b.subtract(1, target), logSigmoidNodes(b, b.negate(x!)));
    const all = b.negate(b.add(yes, no));
    const weighted = weight ? b.multiply(all, b.convert(weight, x!.dtype)) : all;
    const classes = x!.shape.at(-1)!;
    const losses = b.divide(b.reduce("reduceSum", weighted, [x!.shape.length - 1]), classes);
    return reduceLoss(b, losses, reduction);
  },
};

/**
 * The mean over classes of −(target · log σ(x) + (1 − target) · log σ(−x)), for targets 0 and 1; averaged over examples.
 *
 * x, target: [B, classes] → a scalar, or [B] with reduction "none".
 *
 * @throws ShapeError if the shapes differ or have no dim of classes.
 * @example
 * ```ts
 * import { multilabelSoftMarginLoss, tensor } from "gradus";
 * console.log(multilabelSoftMarginLoss(tensor([[2, -1]]), tensor([[1, 0]])).item().toFixed(4)); // → 0.2201
 * ```
 */
export function multilabelSoftMarginLoss(
  x: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  const { reduction = "mean", weight } = options;
  const op = "multilabelSoftMarginLoss";
  checkSameShape(op, x, target);
  if (x.ndim === 0) throw new ShapeError(op, "needs a dim of classes, got []");
  if (!isFloat(x.dtype)) throw new DTypeError(op, `needs float scores, got ${x.dtype}`);
  checkReduction(op, reduction);
  checkFactor(op, "weight", weight, x);
  return applyOne(multilabelSpec, weight ? [x, target, weight] : [x, target], { reduction });
}
