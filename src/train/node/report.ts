/** What is told and drawn when a run is over: accuracy by class, confusions, curves, mistakes. Read trainRun.ts next. */
import type { LabelledImages } from "../../data/sources/labelled.js";
import type { Classification } from "../classifier.js";
import { confusionMatrix } from "../metrics/index.js";

/** How a trained classifier did on the test data. */
export interface RunReport {
  readonly examples: number;
  readonly right: number;
  /** The share of each class that was right; NaN for a class without test examples. */
  readonly byClass: readonly { readonly name: string; readonly accuracy: number }[];
  /** What was taken for what, the most frequent first. */
  readonly confusions: readonly {
    readonly truth: string;
    readonly guess: string;
    readonly count: number;
  }[];
}

/** Counts what a classification got right and wrong. */
export function summarize(
  classification: Classification,
  { classes, classNames }: Pick<LabelledImages, "classes" | "classNames">,
): RunReport {
  const matrix = confusionMatrix(classification, classes);
  const hits = matrix.map((row, i) => row[i]!);
  const totals = matrix.map((row) => row.reduce((sum, n) => sum + n, 0));
  const confusions = matrix.flatMap((row, i) =>
    Array.from(row, (count, j) => ({ truth: classNames[i]!, guess: classNames[j]!, count })).filter(
      ({ count }, j) => j !== i && count > 0,
    ),
  );
  return {
    examples: classification.labels.length,
    right: hits.reduce((sum, n) => sum + n, 0),
    byClass: hits.map((n, i) => ({ name: classNames[i]!, accuracy: n / totals[i]! })),
    confusions: confusions.sort((a, b) => b.count - a.count),
  };
}
