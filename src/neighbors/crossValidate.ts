/** The choice of k by cross-validation. Read ../data/folds.ts for the folds. */
import { ValueError } from "../core/errors.js";
import { checkNames } from "../core/options.js";
import { gatherRows } from "../data/dataset.js";
import { type Fold, type FoldOptions, kFold, spreadOf } from "../data/folds.js";
import type { ArrayData } from "../io/arrayData.js";
import { KNeighborsClassifier, type NeighborsOptions } from "./classifier.js";
import { checkLabels, rowsOf } from "./rows.js";
import { References, type SearchOptions, search } from "./search.js";
import { classesOf, countVotes, elect } from "./vote.js";

export interface CrossValidateOptions
  extends Omit<NeighborsOptions, "nNeighbors">,
    FoldOptions,
    SearchOptions {
  /** The numbers of neighbours to try; default 1, 3, 5, 7, 9. */
  readonly ks?: readonly number[];
}

/** What one k reached. */
export interface KResult {
  readonly k: number;
  /** The share of right answers in each fold. */
  readonly accuracies: readonly number[];
  readonly mean: number;
  /** Standard deviation over the folds (divided by their number). */
  readonly std: number;
}

export interface CrossValidation {
  readonly results: readonly KResult[];
  /** The k with the highest mean; of several the smallest. */
  readonly best: KResult;
}

const optionNames = ["ks", "metric", "weights", "folds", "shuffle", "seed", "onProgress", "signal"];

/**
 * Chooses the number of neighbours on training data alone: each fold is classified by the others, for all k from one search.
 *
 * @throws ValueError for options out of range; ShapeError where x and y do not fit.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { crossValidateNeighbors } from "gradus/neighbors";
 * const x = tensor([[0], [10], [1], [11], [2], [12]]);
 * const y = tensor(new Int32Array([0, 1, 0, 1, 0, 1]));
 * const { best } = await crossValidateNeighbors(x, y, { ks: [1, 3], folds: 3 });
 * console.log(best.k, best.mean); // → 1 1
 * ```
 */
export async function crossValidateNeighbors(
  x: ArrayData,
  y: ArrayData,
  options: CrossValidateOptions = {},
): Promise<CrossValidation> {
  const op = "crossValidateNeighbors";
  checkNames(op, options, optionNames);
  const ks = [...new Set(options.ks ?? [1, 3, 5, 7, 9])].sort((a, b) => a - b);
  if (ks.length === 0) throw new ValueError(op, "ks is empty; expected at least one k to try");
  const { metric = "l2", weights = "uniform" } = options;
  for (const nNeighbors of ks) new KNeighborsClassifier({ nNeighbors, metric, weights });
  const { count } = rowsOf(op, "x", x);
  checkLabels(op, y, count);
  const parts = kFold(count, options);
  const accuracies = ks.map((): number[] => []);
  let done = 0;
  for (const fold of parts) {
    const shares = await scoreFold(op, x, y, fold, ks, {
      ...options,
      onProgress: (part) => options.onProgress?.(done + part, count),
    });
    for (const [i, share] of shares.entries()) accuracies[i]!.push(share);
    done += fold.test.length;
  }
  const results = ks.map((k, i) => ({
    k,
    accuracies: accuracies[i]!,
    ...spreadOf(accuracies[i]!),
  }));
  const best = results.reduce((a, b) => (b.mean > a.mean ? b : a));
  return { results, best };
}

/** The share of right answers for each k, in rising order, from one search for the largest. */
async function scoreFold(
  op: string,
  x: ArrayData,
  y: ArrayData,
  { train, test }: Fold,
  ks: readonly number[],
  options: CrossValidateOptions,
): Promise<number[]> {
  const { metric = "l2", weights = "uniform" } = options;
  const [rows, queries] = [train, test].map((part) => rowsOf(op, "x", gatherRows(x, part)));
  const classes = classesOf(gatherRows(y, train).data);
  const truth = gatherRows(y, test).data;
  const found = await search(op, new References(rows!, metric), queries!, ks.at(-1)!, options);
  return ks.map((k) => {
    const labels = elect(countVotes(found, classes, k, weights), classes);
    return labels.reduce((sum, label, i) => sum + Number(label === truth[i]), 0) / labels.length;
  });
}
