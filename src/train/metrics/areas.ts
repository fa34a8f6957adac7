/** Metrics that need all scores at once: area under the ROC curve and average precision. Read ranking.ts next. */
import { ValueError } from "../../core/errors.js";
import { cat, narrow, reshape, softmax, stack, where } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { MetricObject, MetricTotal } from "./metric.js";
import { areaUnderRoc, averagePrecisionOf, type Ranking, rank } from "./ranking.js";
import { type ClassRows, classRows, type RowOptions } from "./rows.js";

export interface AreaOptions extends Pick<RowOptions, "ignoreIndex"> {
  /** What the outputs are: `logits` (default), of which softmax makes probabilities, or `scores`, taken as they are. */
  readonly from?: "logits" | "scores";
  /** Over the classes, each against all others: their mean, or weighted by their sizes. Default `macro`. */
  readonly average?: "macro" | "weighted";
}

/** What does not count gets a truth of −1. */
const marked = (truth: Tensor, counted: Tensor | null): Tensor =>
  counted ? where(counted, truth, -1) : truth;

const column = (x: Tensor, at: number): Tensor => reshape(narrow(x, 1, at, 1), [-1]);

/** [N, 2]: a score, higher for class 1, and the truth of class 1. */
function binaryRows({ scores, target, counted }: ClassRows): Tensor {
  const wide = scores.to("float64");
  const truth = target.ndim === 2 ? column(target, 1) : target;
  // The difference of logits puts examples in the order of their probabilities, and never becomes exactly 1.
  const score = column(wide, 1).sub(column(wide, 0));
  return stack([score, marked(truth.to("float64"), counted)], 1);
}

/** [N, K + 1], scores and the class; or [N, 2, K], scores and probabilities. */
function classTable({ scores, target, counted }: ClassRows, from: AreaOptions["from"]): Tensor {
  const wide = scores.to("float64");
  const values = from === "scores" ? wide : softmax(wide, 1);
  if (target.ndim === 2) return stack([values, target.to("float64")], 1);
  return cat([values, marked(target.to("float64"), counted).unsqueeze(1)], 1);
}

/** Truth and scores of each class against all others. */
function* oneAgainstRest(op: string, { shape, values }: MetricTotal): Generator<Ranking> {
  const isSoft = shape.length === 3;
  const [count = 0, classes] = [shape[0], isSoft ? shape[2]! : shape[1]! - 1];
  const width = isSoft ? 2 * classes : classes + 1;
  for (let k = 0; k < classes; k++) {
    const scores = Float64Array.from({ length: count }, (_, i) => values[i * width + k]!);
    const truths = Float64Array.from({ length: count }, (_, i) => {
      if (isSoft) return values[i * width + classes + k]!;
      const label = values[i * width + classes]!;
      return label < 0 ? -1 : Number(label === k);
    });
    yield rank(op, scores, truths);
  }
}

/** One for the rows of {@link binaryRows}, else one for each class. */
function rankingsOf(op: string, total: MetricTotal): Ranking[] {
  const { shape, values } = total;
  if (shape.length === 3 || shape[1]! > 2) return [...oneAgainstRest(op, total)];
  const pick = (at: number) =>
    Float64Array.from({ length: shape[0]! }, (_, i) => values[2 * i + at]!);
  return [rank(op, pick(0), pick(1))];
}

function areaMetric(
  op: string,
  area: (ranking: Ranking) => number,
  isDefined: (ranking: Ranking) => boolean,
) {
  return (options: AreaOptions = {}): MetricObject => {
    const { from = "logits", average = "macro" } = options;
    if (from !== "logits" && from !== "scores")
      throw new ValueError(op, `from is ${String(from)}; expected logits or scores`);
    if (average !== "macro" && average !== "weighted")
      throw new ValueError(op, `average is ${String(average)}; expected macro or weighted`);
    return {
      reduce: "gather",
      update(output, target) {
        const rows = classRows(op, output, target, options);
        return rows.scores.shape[1] === 2 ? binaryRows(rows) : classTable(rows, from);
      },
      compute(total) {
        const rankings = rankingsOf(op, total).filter(isDefined);
        if (rankings.length === 0)
          throw new ValueError(op, "the targets are all of one class: nothing can be told apart");
        const weights = rankings.map(({ positive }) => (average === "macro" ? 1 : positive));
        const all = weights.reduce((sum, weight) => sum + weight, 0);
        return rankings.reduce((sum, ranking, i) => sum + area(ranking) * weights[i]!, 0) / all;
      },
    };
  };
}

/**
 * The area under the ROC curve, exact where scores are equal. Two classes, or one score an example ([B] or [B, 1] with
 * targets 0 and 1): that of class 1. More classes: each against all others by its probability; a class without examples
 * is left out.
 *
 * output: [B, K, …], target: class indices [B, …], or probabilities [B, K, …]. Keeps all scores of an epoch; given at its end.
 *
 * @throws ValueError for options out of range, for NaN, and where all targets are of one class.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { measure, rocAuc } from "gradus/train";
 * const logits = tensor([0.1, 0.4, 0.35, 0.8]);
 * console.log(measure(rocAuc(), logits, tensor([0, 0, 1, 1], { dtype: "int32" }))); // → 0.75
 * ```
 */
export const rocAuc = areaMetric(
  "rocAuc",
  areaUnderRoc,
  ({ positive, negative }) => positive > 0 && negative > 0,
);

/**
 * Average precision, Σ (Rᵢ − Rᵢ₋₁) Pᵢ over the thresholds from high to low. Classes, shapes and errors as for {@link rocAuc}.
 *
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { averagePrecision, measure } from "gradus/train";
 * const logits = tensor([0.1, 0.4, 0.35, 0.8]);
 * console.log(measure(averagePrecision(), logits, tensor([0, 0, 1, 1], { dtype: "int32" }))); // ≈ 0.8333
 * ```
 */
export const averagePrecision = areaMetric(
  "averagePrecision",
  averagePrecisionOf,
  ({ positive }) => positive > 0,
);
