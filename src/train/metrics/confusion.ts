/**
 * What is made of a confusion matrix: precision, recall and F1 by class or as one number. Read classes.ts for the metrics
 * that count a matrix, draw/confusion.ts for its picture.
 */
import { ShapeError, ValueError } from "../../core/errors.js";

/**
 * How the scores of the classes become one: `macro`, their mean; `weighted`, by the size of each class; `micro`, of all
 * decisions together; `binary`, that of class 1 of two; `none`, one for each.
 */
export type Average = "macro" | "micro" | "weighted" | "binary" | "none";

const averages: readonly unknown[] = ["macro", "micro", "weighted", "binary", "none"];

export interface ScoreOptions {
  /** What 0/0 is, as the precision of a class that nothing was taken for: 0 (default), 1, or NaN, left out of means. */
  readonly zeroDivision?: number;
}

/** Scores of all classes together; lists for `average: "none"`. */
export interface ClassScores<T = number | readonly number[]> {
  readonly precision: T;
  readonly recall: T;
  readonly f1: T;
}

/** Counts of examples by labels and predictions. Row r, column c: how many of class r were taken for class c. */
export function confusionMatrix(
  {
    labels,
    predictions,
  }: { readonly labels: ArrayLike<number>; readonly predictions: ArrayLike<number> },
  classes: number,
): Int32Array[] {
  const op = "confusionMatrix";
  if (labels.length !== predictions.length)
    throw new ShapeError(op, `${labels.length} labels, but ${predictions.length} predictions`);
  const matrix = Array.from({ length: classes }, () => new Int32Array(classes));
  for (let i = 0; i < labels.length; i++) {
    const [truth, guess] = [labels[i]!, predictions[i]!];
    const row = matrix[truth];
    if (!row || row[guess] === undefined) {
      const came = row ? `prediction ${i} is ${guess}` : `label ${i} is ${truth}`;
      throw new ValueError(op, `${came}; expected a class from 0 to ${classes - 1}`);
    }
    row[guess]!++;
  }
  return matrix;
}

/** Counts of one class, or of all together. */
interface Counts {
  /** Of the class and taken for it. */
  readonly right: number;
  readonly taken: number;
  readonly true: number;
}

const total = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, x) => sum + x, 0);

function countsOf(matrix: readonly ArrayLike<number>[]): Counts[] {
  return matrix.map((row, i) => ({
    right: row[i]!,
    true: total(row),
    taken: total(matrix.map((other) => other[i]!)),
  }));
}

function scoreCounts({ right, taken, true: wanted }: Counts, zero: number): ClassScores<number> {
  const share = (part: number, whole: number) => (whole === 0 ? zero : part / whole);
  return {
    precision: share(right, taken),
    recall: share(right, wanted),
    f1: share(2 * right, taken + wanted),
  };
}

/** NaN is left out; NaN where nothing is left. */
function weightedMean(values: readonly number[], weights: readonly number[], zero: number): number {
  const kept = values.flatMap((value, i) => (Number.isNaN(value) ? [] : [[value, weights[i]!]]));
  const sum = kept.reduce((all, [, weight]) => all + weight!, 0);
  if (kept.length === 0) return Number.NaN;
  return sum === 0 ? zero : kept.reduce((all, [value, weight]) => all + value! * weight!, 0) / sum;
}

/**
 * Precision TP / (TP + FP), recall TP / (TP + FN) and F1 = 2 TP / (2 TP + FP + FN) of a confusion matrix, of which row r,
 * column c counts the examples of class r that were taken for class c. Averages and 0/0 are those of scikit-learn.
 *
 * @throws ShapeError for a matrix that is not square; ValueError for negative counts or an unknown average.
 * @example
 * ```ts
 * import { precisionRecallF1 } from "gradus/train";
 * const scores = precisionRecallF1([[3, 1], [0, 4]], { average: "none" });
 * console.log(scores.precision, scores.recall); // → [ 1, 0.8 ] [ 0.75, 1 ]
 * ```
 */
export function precisionRecallF1(
  matrix: readonly ArrayLike<number>[],
  options: ScoreOptions & { readonly average?: Average } = {},
): ClassScores {
  const op = "precisionRecallF1";
  const odd = matrix.findIndex((row) => row.length !== matrix.length);
  if (odd >= 0 || matrix.length === 0) {
    const came =
      matrix.length === 0 ? "the matrix is empty" : `row ${odd} has ${matrix[odd]!.length}`;
    throw new ShapeError(op, `${came}; expected [K, K]`);
  }
  for (const row of matrix)
    for (const count of Array.from(row))
      if (!(count >= 0 && count < Number.POSITIVE_INFINITY))
        throw new ValueError(op, `the matrix holds ${count}; expected counts ≥ 0`);
  return scoresOf(matrix, options);
}

/** As {@link precisionRecallF1}, of a matrix that is right for sure. */
export function scoresOf(
  matrix: readonly ArrayLike<number>[],
  { average = "macro", zeroDivision = 0 }: ScoreOptions & { readonly average?: Average },
): ClassScores {
  checkAverage("precisionRecallF1", average, matrix.length);
  const counts = countsOf(matrix);
  const scores = counts.map((own) => scoreCounts(own, zeroDivision));
  if (average === "binary") return scores[1]!;
  if (average === "micro") {
    const all = (key: keyof Counts) => counts.reduce((sum, own) => sum + own[key], 0);
    return scoreCounts(
      { right: all("right"), taken: all("taken"), true: all("true") },
      zeroDivision,
    );
  }
  const lists = {
    precision: scores.map((score) => score.precision),
    recall: scores.map((score) => score.recall),
    f1: scores.map((score) => score.f1),
  };
  if (average === "none") return lists;
  const weights = counts.map((own) => (average === "macro" ? 1 : own.true));
  const mean = (values: readonly number[]) => weightedMean(values, weights, zeroDivision);
  return { precision: mean(lists.precision), recall: mean(lists.recall), f1: mean(lists.f1) };
}

export function checkAverage(op: string, average: Average, classes: number): void {
  if (!averages.includes(average))
    throw new ValueError(op, `average is ${String(average)}; expected ${averages.join(", ")}`);
  if (average === "binary" && classes !== 2)
    throw new ValueError(
      op,
      `average "binary" is for 2 classes, there are ${classes}; try "macro"`,
    );
}
