/** Which measures are better when they are lower, and which one tells most about a run. Read runHistory.ts for its use. */
const lowerWords = /loss|error|perplexity|(^|[^a-z])(ece|mce|mae|mse|rmse|nll|brier|kl)([^a-z]|$)/i;

/** Whether less of a measure is better, told by its name: losses, errors, perplexity, calibration errors. */
export const isLowerBetter = (measure: string): boolean => lowerWords.test(measure);

/** Whether a value is better than another; one that is no number never is. */
export const isBetter = (measure: string, value: number, than: number | undefined): boolean =>
  !Number.isNaN(value) &&
  (than === undefined ||
    Number.isNaN(than) ||
    (isLowerBetter(measure) ? value < than : value > than));

/** The measure that tells most of those there are: the accuracy, else the first that is not the loss, else the loss. */
export function mainMeasure(names: Iterable<string>): string {
  const all = [...names];
  if (all.includes("accuracy")) return "accuracy";
  return all.find((name) => name !== "loss") ?? "loss";
}

/** Whether the values of a measure are shares from 0 to 1 that people read as percent. */
export const isShare = (measure: string): boolean =>
  /accuracy|precision|recall|(^|[^a-z])f1|top\d|auc|specificity/i.test(measure);
