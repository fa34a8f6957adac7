/** Folds, and the choice of k by cross-validation over them. */
import { ValueError } from "../core/errors.js";
import { gatherRows } from "../data/dataset.js";
import { permutation } from "../data/order.js";
import type { ArrayData } from "../io/arrayData.js";
import { KNeighborsClassifier, type NeighborsOptions } from "./classifier.js";
import { checkLabels, rowsOf } from "./rows.js";
import { References, type SearchOptions, search } from "./search.js";
import { classesOf, countVotes, elect } from "./vote.js";

/** Indices of one fold: what is held out, and the rest. */
export interface Fold {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

export interface FoldOptions {
  /** Default 5. */
  readonly folds?: number;
  /** Deal the rows out in a random order that depends on `seed`; default false: in one piece each. */
  readonly shuffle?: boolean;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * Parts of 0 … count − 1, each held out once; the first `count mod folds` are one larger.
 *
 * @throws ValueError unless there are from 2 to `count` folds.
 * @example
 * ```ts
 * import { kFold } from "gradus/neighbors";
 * console.log(kFold(5, { folds: 2 })[0]?.test); // → Int32Array(3) [ 0, 1, 2 ]
 * ```
 */
export function kFold(
  count: number,
  { folds = 5, shuffle = false, seed = 0 }: FoldOptions = {},
): Fold[] {
  if (!Number.isInteger(folds) || folds < 2 || folds > count)
    throw new ValueError("kFold", `folds is ${folds}; expected from 2 to ${count}, the rows`);
  const order = shuffle
    ? permutation(count, seed, 0)
    : Int32Array.from({ length: count }, (_, i) => i);
  let start = 0;
  return Array.from({ length: folds }, (_, fold) => {
    const size = Math.floor(count / folds) + Number(fold < count % folds);
    const test = order.slice(start, start + size).sort();
    const train = Int32Array.from([...order.slice(0, start), ...order.slice(start + size)]).sort();
    start += size;
    return { train, test };
  });
}

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
  const ks = [...new Set(options.ks ?? [1, 3, 5, 7, 9])].sort((a, b) => a - b);
  if (ks.length === 0) throw new ValueError(op, "ks is empty; expected at least one k to try");
  for (const k of ks) new KNeighborsClassifier({ ...options, nNeighbors: k });
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
  const results = ks.map((k, i) => summarize(k, accuracies[i]!));
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

function summarize(k: number, accuracies: readonly number[]): KResult {
  const mean = accuracies.reduce((sum, a) => sum + a, 0) / accuracies.length;
  const variance = accuracies.reduce((sum, a) => sum + (a - mean) ** 2, 0) / accuracies.length;
  return { k, accuracies, mean, std: Math.sqrt(variance) };
}
