/** Cross-validation of anything that trains: k runs, each measured on what it did not see. Read ../../data/folds.ts for the folds. */
import { ShapeError, ValueError } from "../../core/errors.js";
import { type Dataset, type Example, Subset } from "../../data/dataset.js";
import { type FoldOptions, kFold, spreadOf, stratifiedKFold } from "../../data/folds.js";

/** One of the k runs. */
export interface FoldPart<E extends Example = Example> {
  /** Counted from 0. */
  readonly fold: number;
  readonly folds: number;
  readonly train: Dataset<E>;
  /** What this run must not train on. */
  readonly validation: Dataset<E>;
  /** Another for each fold, made of `seed`: for weights and the order of the data. */
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** Builds a model, trains it on a part of the data and measures it on the rest. */
export type FoldTrainer<E extends Example = Example> = (
  part: FoldPart<E>,
) => Promise<Readonly<Record<string, number>>>;

export interface CrossValidationOptions extends FoldOptions {
  /** The class of each example: every fold then gets the same share of each. */
  readonly labels?: ArrayLike<number>;
  /** Called when a fold is over. */
  readonly onFold?: (
    done: number,
    folds: number,
    measures: Readonly<Record<string, number>>,
  ) => void;
  /** Ends it before the next fold; the promise is then rejected with its reason. Trainers get it too. */
  readonly signal?: AbortSignal;
}

export interface CrossValidated {
  /** What each fold measured. */
  readonly folds: readonly Readonly<Record<string, number>>[];
  /** Of the folds, by measure. */
  readonly mean: Readonly<Record<string, number>>;
  /** Standard deviation over the folds (divided by their number), by measure. */
  readonly std: Readonly<Record<string, number>>;
}

/**
 * Trains k times, each time on k − 1 parts of a data set, and measures on the part left out. The spread says how much of a difference
 * between two settings is chance.
 *
 * @param train must build a new model for each fold: one that has seen the fold before measures too well.
 * @throws ValueError for a number of folds out of range or folds that measure different things; ShapeError for labels that do not fit.
 * @example
 * ```ts
 * import { data, linspace } from "gradus";
 * import { crossValidate } from "gradus/train";
 * const dataset = new data.TensorDataset(linspace(0, 9, 10));
 * const result = await crossValidate(dataset, async ({ train, validation }) => {
 *   return { share: validation.length / (train.length + validation.length) };
 * });
 * console.log(result.mean, result.std); // → { share: 0.2 } { share: 0 }
 * ```
 */
export async function crossValidate<E extends Example>(
  dataset: Dataset<E>,
  train: FoldTrainer<E>,
  options: CrossValidationOptions = {},
): Promise<CrossValidated> {
  const op = "crossValidate";
  const { labels, seed = 0, onFold, signal } = options;
  if (labels && labels.length !== dataset.length)
    throw new ShapeError(op, `${labels.length} labels for ${dataset.length} examples`);
  const parts = labels ? stratifiedKFold(labels, options) : kFold(dataset.length, options);
  const measured: Readonly<Record<string, number>>[] = [];
  for (const [fold, { train: seen, test }] of parts.entries()) {
    signal?.throwIfAborted();
    const measures = await train({
      ...{ fold, folds: parts.length, seed: seed * parts.length + fold },
      train: new Subset(dataset, seen),
      validation: new Subset(dataset, test),
      ...(signal && { signal }),
    });
    measured.push(measures);
    checkNames(op, measured);
    onFold?.(measured.length, parts.length, measures);
  }
  const spreads = Object.keys(measured[0]!).map((name) => {
    const values = measured.map((measures) => measures[name]!);
    return [name, spreadOf(values)] as const;
  });
  const part = (key: "mean" | "std") =>
    Object.fromEntries(spreads.map(([name, spread]) => [name, spread[key]]));
  return { folds: measured, mean: part("mean"), std: part("std") };
}

function checkNames(op: string, measured: readonly Readonly<Record<string, number>>[]): void {
  const [first, last] = [measured[0]!, measured.at(-1)!].map((own) =>
    Object.keys(own).sort().join(", "),
  );
  if (first !== last)
    throw new ValueError(op, `fold 0 measured ${first}, fold ${measured.length - 1} ${last}`);
}
