/**
 * How well scores put what is positive before what is not: ROC and precision-recall curves and the areas under them,
 * exact where scores are equal. Read areas.ts for the metrics of a run, draw/ranking.ts for pictures.
 */
import { ShapeError, ValueError } from "../../core/errors.js";
import type { ArrayData } from "../../io/arrayData.js";

/** Numbers as a list, a typed array or a tensor; a tensor is read row by row. */
export type NumberList = ArrayLike<number> | ArrayData;

export const listOf = (values: NumberList): ArrayLike<number> =>
  "dtype" in values ? (values.data as ArrayLike<number>) : values;

/** What is at one threshold or above it: weights of the positive and the negative. */
interface Reached {
  readonly threshold: number;
  readonly positive: number;
  readonly negative: number;
}

/** One entry for each score that occurs, from the highest down, and all of it together. */
export interface Ranking {
  readonly reached: readonly Reached[];
  readonly positive: number;
  readonly negative: number;
}

/**
 * Ranks scores. A truth of p counts as p positive and 1 − p negative; below 0 it counts for nothing.
 *
 * @throws ShapeError for lists of different lengths; ValueError for a score that is NaN, or a truth over 1 or NaN.
 */
export function rank(op: string, scores: ArrayLike<number>, truths: ArrayLike<number>): Ranking {
  if (scores.length !== truths.length)
    throw new ShapeError(op, `${scores.length} scores, but ${truths.length} labels`);
  const order: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i])) throw new ValueError(op, `score ${i} is NaN`);
    if (!(truths[i]! <= 1))
      throw new ValueError(op, `label ${i} is ${truths[i]}; expected 0 or 1, or a probability`);
    if (truths[i]! >= 0) order.push(i);
  }
  order.sort((a, b) => scores[b]! - scores[a]! || 0);
  const reached: Reached[] = [];
  let [positive, negative] = [0, 0];
  for (const [at, i] of order.entries()) {
    positive += truths[i]!;
    negative += 1 - truths[i]!;
    const next = order[at + 1];
    if (next === undefined || scores[next] !== scores[i])
      reached.push({ threshold: scores[i]!, positive, negative });
  }
  return { reached, positive, negative };
}

function needBoth(op: string, { positive, negative }: Ranking): void {
  if (positive > 0 && negative > 0) return;
  const missing = positive > 0 ? "negative" : "positive";
  throw new ValueError(op, `no label is ${missing}: there is nothing to tell apart`);
}

/** The share of pairs of a positive and a negative whose positive has the higher score; equal scores count half. */
export function areaUnderRoc(ranking: Ranking): number {
  let [pairs, before, passed] = [0, 0, 0];
  for (const { positive, negative } of ranking.reached) {
    pairs += (negative - passed) * (before + (positive - before) / 2);
    [before, passed] = [positive, negative];
  }
  return pairs / (ranking.positive * ranking.negative);
}

/** Σ (Rᵢ − Rᵢ₋₁) Pᵢ. */
export function averagePrecisionOf({ reached, positive: all }: Ranking): number {
  let [sum, before] = [0, 0];
  for (const { positive, negative } of reached) {
    sum += (positive - before) * (positive / (positive + negative));
    before = positive;
  }
  return sum / all;
}

/**
 * The area under the ROC curve: the probability that something positive has a higher score than something negative, equal
 * scores counted half (Hanley & McNeil, 1982). Exact: no thresholds are chosen.
 *
 * @param scores any numbers, higher for what is more probably positive.
 * @param labels 1 (positive) or 0, or probabilities.
 * @throws ShapeError for lists of different lengths; ValueError for NaN, labels out of range, or labels of one kind alone.
 * @example
 * ```ts
 * import { rocAucScore } from "gradus/train";
 * console.log(rocAucScore([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])); // → 0.75
 * ```
 */
export function rocAucScore(scores: NumberList, labels: NumberList): number {
  const ranking = rank("rocAucScore", listOf(scores), listOf(labels));
  needBoth("rocAucScore", ranking);
  return areaUnderRoc(ranking);
}

/**
 * Average precision, Σ (Rᵢ − Rᵢ₋₁) Pᵢ over the thresholds from high to low: the area under the precision-recall curve as
 * steps, without interpolation.
 *
 * @throws as {@link rocAucScore}, but labels that are all positive give 1.
 * @example
 * ```ts
 * import { averagePrecisionScore } from "gradus/train";
 * console.log(averagePrecisionScore([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])); // ≈ 0.8333
 * ```
 */
export function averagePrecisionScore(scores: NumberList, labels: NumberList): number {
  const ranking = rank("averagePrecisionScore", listOf(scores), listOf(labels));
  needPositive("averagePrecisionScore", ranking);
  return averagePrecisionOf(ranking);
}

function needPositive(op: string, { positive }: Ranking): void {
  if (!(positive > 0)) throw new ValueError(op, "no label is positive: there is nothing to find");
}

/** Points of a ROC curve, from (0, 0), where nothing is taken, to (1, 1). */
export interface RocCurve {
  readonly falsePositiveRate: Float64Array;
  readonly truePositiveRate: Float64Array;
  /** The score from which on examples are taken for positive; the first is infinite. */
  readonly thresholds: Float64Array;
  readonly area: number;
}

/**
 * The ROC curve: for each threshold, the share of the negative and of the positive that are taken for positive.
 *
 * @throws as {@link rocAucScore}.
 * @example
 * ```ts
 * import { rocCurve } from "gradus/train";
 * const { falsePositiveRate, truePositiveRate } = rocCurve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]);
 * console.log([...falsePositiveRate], [...truePositiveRate]); // → [ 0, 0, 0.5, 0.5, 1 ] [ 0, 0.5, 0.5, 1, 1 ]
 * ```
 */
export function rocCurve(scores: NumberList, labels: NumberList): RocCurve {
  const ranking = rank("rocCurve", listOf(scores), listOf(labels));
  needBoth("rocCurve", ranking);
  const { reached, positive, negative } = ranking;
  return {
    falsePositiveRate: Float64Array.from([0, ...reached.map((at) => at.negative / negative)]),
    truePositiveRate: Float64Array.from([0, ...reached.map((at) => at.positive / positive)]),
    thresholds: Float64Array.from([Number.POSITIVE_INFINITY, ...reached.map((at) => at.threshold)]),
    area: areaUnderRoc(ranking),
  };
}

/** Points of a precision-recall curve, from the lowest threshold up to (recall 0, precision 1). */
export interface PrecisionRecallCurve {
  readonly precision: Float64Array;
  readonly recall: Float64Array;
  /** One fewer than there are points: the last stands for no threshold. */
  readonly thresholds: Float64Array;
  readonly averagePrecision: number;
}

/**
 * The precision-recall curve: for each threshold, the share of what is taken that is positive, and the share of the
 * positive that is taken.
 *
 * @throws as {@link averagePrecisionScore}.
 * @example
 * ```ts
 * import { precisionRecallCurve } from "gradus/train";
 * const { precision, recall } = precisionRecallCurve([0.1, 0.4, 0.3, 0.8], [0, 0, 1, 1]);
 * console.log([...recall], precision.at(-2)); // → [ 1, 1, 0.5, 0.5, 0 ] 1
 * ```
 */
export function precisionRecallCurve(scores: NumberList, labels: NumberList): PrecisionRecallCurve {
  const ranking = rank("precisionRecallCurve", listOf(scores), listOf(labels));
  needPositive("precisionRecallCurve", ranking);
  const up = [...ranking.reached].reverse();
  return {
    precision: Float64Array.from([...up.map((at) => at.positive / (at.positive + at.negative)), 1]),
    recall: Float64Array.from([...up.map((at) => at.positive / ranking.positive), 0]),
    thresholds: Float64Array.from(up, (at) => at.threshold),
    averagePrecision: averagePrecisionOf(ranking),
  };
}
