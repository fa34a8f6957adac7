/**
 * Metrics of classification that count decisions: accuracy, top k, and what follows from the confusion matrix. Read rows.ts
 * for the layouts they take, confusion.ts for what is made of a matrix.
 */
import { ShapeError, ValueError } from "../../core/errors.js";
import {
  argmax,
  eq,
  gather,
  matmul,
  oneHot,
  stack,
  sum,
  topk,
  transpose,
} from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import { type Average, checkAverage, type ScoreOptions, scoresOf } from "./confusion.js";
import type { MetricFunction, MetricObject, MetricTotal } from "./metric.js";
import { type ClassRows, classRows, countOf, type RowOptions, sharesOf } from "./rows.js";

/** The probability that the chosen classes have in the truth: 1 or 0 where that is one class. choices: [N, k]. */
function hitsOf({ target, counted }: ClassRows, choices: Tensor): Tensor {
  const shares = target.ndim === 2 ? gather(target, 1, choices) : eq(choices, target.unsqueeze(1));
  const hits = sum(shares.to("float64"), 1);
  return sum(counted ? hits.mul(counted.to("float64")) : hits);
}

/**
 * Counts the examples whose highest score is at the target; as a mean, the accuracy. Of a target of probabilities (mixup)
 * it takes the probability of the class with the highest score. Of more than one decision an example it takes the mean.
 *
 * output: [B, K, …], target: class indices [B, …], or probabilities [B, K, …]. Where some targets do not count, take
 * {@link topK}`(1)`.
 *
 * @throws ShapeError where output and target do not fit.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { accuracy } from "gradus/train";
 * const scores = tensor([[0.1, 0.9], [0.8, 0.2]]);
 * console.log(accuracy(scores, tensor([1, 1], { dtype: "int32" })).item()); // → 1
 * ```
 */
export const accuracy: MetricFunction = (output, target) => {
  const rows = classRows("accuracy", output, target);
  const decisions = rows.scores.shape[0]! / output.shape[0]!;
  const hits = hitsOf(rows, argmax(rows.scores, 1, { keepDim: true }));
  return decisions === 1 ? hits : hits.div(decisions);
};

const ratio = ({ values }: MetricTotal): number => values[0]! / values[1]!;

/**
 * The share of the decisions whose target is among the k highest scores; of equal scores the first class wins.
 *
 * output: [B, K, …], target: class indices [B, …], or probabilities [B, K, …], which count as in {@link accuracy}. NaN where
 * no target counts.
 *
 * @throws ValueError unless k is a whole number from 1 to K; ShapeError where output and target do not fit.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { measure, topK } from "gradus/train";
 * const scores = tensor([[0.1, 0.3, 0.6], [0.5, 0.4, 0.1]]);
 * console.log(measure(topK(2), scores, tensor([1, 2], { dtype: "int32" }))); // → 0.5
 * ```
 */
export function topK(k: number, options: RowOptions = {}): MetricObject {
  if (!Number.isInteger(k) || k < 1)
    throw new ValueError("topK", `k is ${k}; expected a whole number ≥ 1`);
  return {
    update(output, target) {
      const rows = classRows("topK", output, target, options);
      const choices = k === 1 ? argmax(rows.scores, 1, { keepDim: true }) : best(rows.scores, k);
      return stack([hitsOf(rows, choices), countOf(rows)]);
    },
    compute: ratio,
  };
}

const best = (scores: Tensor, k: number): Tensor => topk(scores, k, 1).indices;

/** Row r, column c: how much of class r was taken for class c. */
function confusions(op: string, classes: number, options: RowOptions): MetricObject["update"] {
  if (!Number.isInteger(classes) || classes < 2)
    throw new ValueError(op, `classes is ${classes}; expected a whole number ≥ 2`);
  return (output, target) => {
    const rows = classRows(op, output, target, options);
    const came = rows.scores.shape[1]!;
    if (came !== classes)
      throw new ShapeError(op, `got ${came} scores; expected ${classes} classes`);
    const guesses = oneHot(argmax(rows.scores, 1), classes).to(rows.scores.dtype);
    return matmul(transpose(sharesOf(rows), 0, 1), guesses);
  };
}

const matrixFrom = ({ shape, values }: MetricTotal): Float64Array[] => {
  const classes = shape[0]!;
  return Array.from({ length: classes }, (_, r) => values.slice(r * classes, (r + 1) * classes));
};

/**
 * The confusion matrix, as measures `name.r.c`: how many decisions of class r were taken for class c. Targets of
 * probabilities are counted by their share. {@link matrixOf} puts the measures together again.
 *
 * output: [B, K, …], target: class indices [B, …], or probabilities [B, K, …].
 *
 * @throws ValueError for fewer than two classes or a target that is none of them; ShapeError where shapes do not fit.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { confusion, measure } from "gradus/train";
 * const scores = tensor([[0.1, 0.9], [0.8, 0.2]]);
 * const target = tensor([1, 1], { dtype: "int32" });
 * console.log(measure(confusion(2), scores, target)); // → { '0.0': 0, '0.1': 0, '1.0': 1, '1.1': 1 }
 * ```
 */
export function confusion(classes: number, options: RowOptions = {}): MetricObject {
  return {
    update: confusions("confusion", classes, options),
    running: false,
    compute(total) {
      const matrix = matrixFrom(total);
      const cells = matrix.flatMap((row, r) =>
        Array.from(row, (count, c) => [`${r}.${c}`, count] as const),
      );
      return Object.fromEntries(cells);
    },
  };
}

/**
 * The matrix of a metric {@link confusion} among measures, as `confusionSvg` draws it.
 *
 * @throws ValueError where the measures hold none of that name.
 * @example
 * ```ts
 * import { matrixOf } from "gradus/train";
 * const measures = { loss: 1, "seen.0.0": 3, "seen.0.1": 1, "seen.1.0": 0, "seen.1.1": 2 };
 * console.log(matrixOf(measures, "seen")); // → [ [ 3, 1 ], [ 0, 2 ] ]
 * ```
 */
export function matrixOf(measures: Readonly<Record<string, number>>, name: string): number[][] {
  const own = Object.keys(measures).filter((key) => key.startsWith(`${name}.`));
  const classes = Math.sqrt(own.length);
  const matrix = Array.from({ length: Math.floor(classes) }, (_, r) =>
    Array.from({ length: classes }, (_, c) => measures[`${name}.${r}.${c}`] ?? Number.NaN),
  );
  if (matrix.length < 2 || !Number.isInteger(classes) || matrix.flat().some(Number.isNaN))
    throw new ValueError("matrixOf", `the measures hold no confusion matrix called "${name}"`);
  return matrix;
}

export interface ClassMetricOptions extends RowOptions, ScoreOptions {}

export interface AveragedOptions extends ClassMetricOptions {
  /** How the classes' scores become one; default `macro`. `none` gives them all, as `name.class`. */
  readonly average?: Average;
}

function averaged(kind: "precision" | "recall" | "f1") {
  return (classes: number, options: AveragedOptions = {}): MetricObject => {
    const { average = "macro", ...rest } = options;
    checkAverage(kind, average, classes);
    return {
      update: confusions(kind, classes, options),
      // A matrix of many classes is too much work after every step.
      running: classes <= 100,
      compute(total) {
        const score = scoresOf(matrixFrom(total), { ...rest, average })[kind];
        if (typeof score === "number") return score;
        return Object.fromEntries(score.map((value, i) => [String(i), value]));
      },
    };
  };
}

/**
 * Precision: the share of what was taken for a class that is of it, TP / (TP + FP).
 *
 * output: [B, K, …], target: class indices [B, …], or probabilities [B, K, …].
 *
 * @throws ValueError for options out of range or a target that is no class; ShapeError where shapes do not fit.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { measure, precision } from "gradus/train";
 * const scores = tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]);
 * const target = tensor([1, 0, 0], { dtype: "int32" });
 * console.log(measure(precision(2, { average: "none" }), scores, target)); // → { '0': 1, '1': 0.5 }
 * ```
 */
export const precision = averaged("precision");

/**
 * Recall: the share of a class that was taken for it, TP / (TP + FN). Shapes and errors as for {@link precision}.
 *
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { measure, recall } from "gradus/train";
 * const scores = tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]);
 * const target = tensor([1, 0, 0], { dtype: "int32" });
 * console.log(measure(recall(2, { average: "binary" }), scores, target)); // → 1
 * ```
 */
export const recall = averaged("recall");

/**
 * F1: the harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN). Shapes and errors as for {@link precision}.
 *
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { f1, measure } from "gradus/train";
 * const scores = tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]);
 * const target = tensor([1, 0, 0], { dtype: "int32" });
 * console.log(measure(f1(2), scores, target)); // ≈ 0.6667
 * ```
 */
export const f1 = averaged("f1");
