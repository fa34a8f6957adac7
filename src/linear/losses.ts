/** What a linear classifier minimizes: the multiclass hinge and the penalties of its weights. Read classifier.ts next. */
import { ValueError } from "../core/errors.js";
import { abs, type MultiMarginOptions, multiMarginLoss, square } from "../ops/index.js";
import type { Tensor } from "../tensor/tensor.js";

export interface HingeOptions {
  /** By how much the right class has to lead; default 1. */
  readonly margin?: number;
  /** Square what is missing, as the L2-SVM does; default false. */
  readonly squared?: boolean;
  /** Default "mean" over examples. */
  readonly reduction?: MultiMarginOptions["reduction"];
}

/**
 * The multiclass SVM's loss Lᵢ = Σ_{j≠y} max(0, sⱼ − s_y + margin), or the sum of its squares (Weston and Watkins, 1999): PyTorch's
 * `multi_margin_loss` without its division by the number of classes. scores: [B, C], labels: [B] → a scalar.
 *
 * @throws ShapeError where scores and labels do not fit.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { multiclassHinge } from "gradus/linear";
 * const scores = tensor([[3.2, 5.1, -1.7]]);
 * console.log(multiclassHinge(scores, tensor(new Int32Array([0]))).item()); // ≈ 2.9
 * ```
 */
export function multiclassHinge(
  scores: Tensor,
  labels: Tensor,
  { margin = 1, squared = false, reduction = "mean" }: HingeOptions = {},
): Tensor {
  const loss = multiMarginLoss(scores, labels, { margin, p: squared ? 2 : 1, reduction });
  return loss.mul(scores.shape.at(-1)!);
}

/** Which size of the weights is punished: Σ|w|, ½Σw², or a mixture of both. */
export type Penalty = "none" | "l1" | "l2" | "elastic";

export interface PenaltyOptions {
  /** Default "l2". */
  readonly penalty?: Penalty;
  /** Factor of the whole penalty, ≥ 0; default 1e-4. */
  readonly alpha?: number;
  /** The share of L1 in the elastic net, 0 to 1; default 0.15. */
  readonly l1Ratio?: number;
}

/** The shares of L1 and L2 in each penalty. */
export function penaltyShares(
  op: string,
  { penalty = "l2", alpha = 1e-4, l1Ratio = 0.15 }: PenaltyOptions,
): { readonly l1: number; readonly l2: number } {
  if (!(alpha >= 0) || !Number.isFinite(alpha))
    throw new ValueError(op, `alpha is ${alpha}; expected a number ≥ 0`);
  if (!(l1Ratio >= 0 && l1Ratio <= 1))
    throw new ValueError(op, `l1Ratio is ${l1Ratio}; expected 0 to 1`);
  const ratios = { none: null, l1: 1, l2: 0, elastic: l1Ratio };
  if (!Object.hasOwn(ratios, penalty))
    throw new ValueError(op, `penalty is "${penalty}"; expected "none", "l1", "l2" or "elastic"`);
  const ratio = ratios[penalty];
  return ratio === null ? { l1: 0, l2: 0 } : { l1: alpha * ratio, l2: alpha * (1 - ratio) };
}

/**
 * α·(r·Σ|w| + (1 − r)·½Σw²) with r = 1 for L1, 0 for L2, `l1Ratio` for the elastic net (Zou and Hastie, 2005), as scikit-learn weighs
 * them. The gradient of |w| at 0 is 0.
 *
 * @throws ValueError for options out of range.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { weightPenalty } from "gradus/linear";
 * console.log(weightPenalty(tensor([3, -4]), { penalty: "l1", alpha: 0.5 }).item()); // → 3.5
 * ```
 */
export function weightPenalty(weight: Tensor, options: PenaltyOptions = {}): Tensor {
  const { l1, l2 } = penaltyShares("weightPenalty", options);
  const absolute = abs(weight).sum().mul(l1);
  return absolute.add(
    square(weight)
      .sum()
      .mul(l2 / 2),
  );
}
