/**
 * Scores and targets of any layout as rows, one for each decision: all metrics of classification begin with this. Read
 * classes.ts next.
 */
import { isFloat } from "../../core/dtype.js";
import { ShapeError } from "../../core/errors.js";
import { formatShape, sameShape } from "../../core/shape.js";
import { cat, movedim, ne, oneHot, reshape, sum, where } from "../../ops/index.js";
import { full, fullLike, type Tensor } from "../../tensor/index.js";

/** N decisions among K classes. */
export interface ClassRows {
  /** [N, K]. */
  readonly scores: Tensor;
  /** Class indices [N], or probabilities [N, K]. */
  readonly target: Tensor;
  /** bool [N]: which decisions count; null where all do. */
  readonly counted: Tensor | null;
}

/** The class dim last, all others one. */
const flatRows = (x: Tensor): Tensor => reshape(movedim(x, 1, -1), [-1, x.shape[1]!]);

/** A class for 1 beside one for 0, which wins up to the threshold. */
function twoColumns(output: Tensor, target: Tensor, threshold: number): [Tensor, Tensor] {
  const score = reshape(output, [-1, 1]);
  const flat = reshape(target, [-1]);
  const scores = cat([fullLike(score, threshold), score], 1);
  if (!isFloat(target.dtype)) return [scores, flat];
  const p = reshape(target, [-1, 1]);
  return [scores, cat([p.neg().add(1), p], 1)];
}

export interface RowOptions {
  /** Targets of this class count for nothing; default -100, as in `crossEntropy`. */
  readonly ignoreIndex?: number;
  /** Of one score an example, [B] or [B, 1]: over it, class 1 is chosen. Default 0, for logits. */
  readonly threshold?: number;
}

/**
 * output: [B, K, …] with target [B, …] (class indices) or [B, K, …] (probabilities); or one score an example, [B] or [B, 1],
 * with targets 0 and 1, or probabilities of 1, of the same size.
 *
 * @throws ShapeError for anything else.
 */
export function classRows(
  op: string,
  output: Tensor,
  target: Tensor,
  { ignoreIndex = -100, threshold = 0 }: RowOptions = {},
): ClassRows {
  const isOne = output.ndim === 1 || (output.ndim === 2 && output.shape[1] === 1);
  const [batch, , ...rest] = output.shape;
  const isSoft = isFloat(target.dtype);
  const fits = isOne
    ? target.size === output.size && target.ndim <= 2
    : sameShape(target.shape, isSoft ? output.shape : [batch!, ...rest]);
  if (output.ndim === 0 || !fits) {
    const [scores, came] = [output, target].map(({ shape }) => formatShape(shape));
    throw new ShapeError(
      op,
      `scores ${scores} and ${target.dtype} targets ${came}; expected [B, K, …] with class indices ` +
        "[B, …] or probabilities of the scores' shape",
    );
  }
  const [scores, flat] = isOne
    ? twoColumns(output, target, threshold)
    : [flatRows(output), isSoft ? flatRows(target) : reshape(target, [-1])];
  if (isSoft) return { scores, target: flat, counted: null };
  const classes = flat.to("int32");
  const counted = ne(classes, ignoreIndex);
  // A target that is ignored may be no class; the first class stands in for it.
  return { scores, target: where(counted, classes, 0), counted };
}

/** How many decisions count, as float64 without dims. */
export const countOf = ({ scores, counted }: ClassRows): Tensor =>
  counted ? sum(counted.to("float64")) : full([], scores.shape[0]!, { dtype: "float64" });

/** The share that each class has in a decision's truth: [N, K], zeros where it does not count. */
export function sharesOf({ scores, target, counted }: ClassRows): Tensor {
  const shares = target.ndim === 2 ? target : oneHot(target, scores.shape[1]!).to(scores.dtype);
  return counted ? where(counted.unsqueeze(1), shares, 0) : shares;
}
