/** Folds: a data set in parts, each held out once while the rest is trained on. Read order.ts for the random order. */
import { ValueError } from "../core/errors.js";
import { permutation } from "./order.js";

/** Indices of one fold: what is held out, and the rest, both in rising order. */
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

function checkFolds(op: string, folds: number, most: number, what: string): void {
  if (!Number.isInteger(folds) || folds < 2 || folds > most)
    throw new ValueError(op, `folds is ${folds}; expected from 2 to ${most}, ${what}`);
}

const orderOf = (count: number, { shuffle = false, seed = 0 }: FoldOptions): Int32Array =>
  shuffle ? permutation(count, seed, 0) : Int32Array.from({ length: count }, (_, i) => i);

/** The folds, given in which of them each row is held out. */
function foldsFrom(places: Int32Array, folds: number): Fold[] {
  const rows = Int32Array.from(places.keys());
  return Array.from({ length: folds }, (_, fold) => ({
    train: rows.filter((i) => places[i] !== fold),
    test: rows.filter((i) => places[i] === fold),
  }));
}

/**
 * Parts of 0 … count − 1, each held out once; the first `count mod folds` are one larger.
 *
 * @throws ValueError unless there are from 2 to `count` folds.
 * @example
 * ```ts
 * import { data } from "gradus";
 * console.log(data.kFold(5, { folds: 2 })[0]?.test); // → Int32Array(3) [ 0, 1, 2 ]
 * ```
 */
export function kFold(count: number, options: FoldOptions = {}): Fold[] {
  const { folds = 5 } = options;
  checkFolds("kFold", folds, count, "the rows");
  const places = new Int32Array(count);
  const order = orderOf(count, options);
  let start = 0;
  for (let fold = 0; fold < folds; fold++) {
    const size = Math.floor(count / folds) + Number(fold < count % folds);
    for (const i of order.subarray(start, start + size)) places[i] = fold;
    start += size;
  }
  return foldsFrom(places, folds);
}

/**
 * As {@link kFold}, with about the same share of each class in every fold: as scikit-learn's `StratifiedKFold`, and in the same places where
 * nothing is shuffled.
 *
 * @param labels of the rows, any numbers.
 * @throws ValueError unless there are from 2 folds to as many as the smallest class has rows.
 * @example
 * ```ts
 * import { data } from "gradus";
 * const folds = data.stratifiedKFold([0, 0, 1, 1], { folds: 2 });
 * console.log(folds.map(({ test }) => [...test])); // → [ [ 0, 2 ], [ 1, 3 ] ]
 * ```
 */
export function stratifiedKFold(labels: ArrayLike<number>, options: FoldOptions = {}): Fold[] {
  const { folds = 5 } = options;
  const order = orderOf(labels.length, options);
  // Classes in the order in which they are met first.
  const rows = new Map<number, number[]>();
  for (const i of order) {
    const own = rows.get(labels[i]!);
    if (own) own.push(i);
    else rows.set(labels[i]!, [i]);
  }
  const least = Math.min(...[...rows.values()].map((own) => own.length));
  checkFolds("stratifiedKFold", folds, rows.size > 0 ? least : 0, "the rows of the smallest class");
  const places = new Int32Array(labels.length);
  let dealt = 0;
  for (const own of rows.values()) {
    // Dealing all rows out class by class, like cards, gives each fold its number of this class.
    const sizes = new Int32Array(folds);
    for (let i = 0; i < own.length; i++) sizes[(dealt + i) % folds]!++;
    dealt += own.length;
    let at = 0;
    for (const [fold, size] of sizes.entries())
      for (let i = 0; i < size; i++) places[own[at++]!] = fold;
  }
  return foldsFrom(places, folds);
}

/** The mean and the standard deviation (divided by their number) of some values; NaN for none. */
export function spreadOf(values: readonly number[]): {
  readonly mean: number;
  readonly std: number;
} {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance) };
}
