/** Whether a low or a high value of a measure is better, told by its name. Read ../runs/measures.ts and ../callbacks/monitor.ts for who asks. */

const low: readonly string[] = [
  ...["loss", "perplexity", "error", "ece", "mce", "mse", "rmse", "mae", "nll", "brier"],
  ...["meanAbsoluteError", "meanSquaredError"],
];
const high: readonly string[] = [
  ...["accuracy", "top1", "top3", "top5", "topK", "precision", "recall", "f1", "auc", "rocAuc"],
  ...["averagePrecision", "r2"],
];

/** `min` or `max` for a measure whose name is known, as `f1` or `f1.2`; undefined for others. */
export function directionOf(measure: string): "min" | "max" | undefined {
  for (const word of measure.split(".")) {
    if (low.includes(word)) return "min";
    if (high.includes(word)) return "max";
  }
  return undefined;
}
