/**
 * Whether a low or a high value of a measure is better, told by its name. Read ../callbacks/monitor.ts and ../runs/measures.ts
 * for who asks.
 */

/** The names under which the metrics of this room, and a few others, are usually kept. */
const low: readonly string[] = [
  ...["loss", "meanAbsoluteError", "meanSquaredError", "perplexity"],
  ...["brier", "ece", "error", "mae", "mce", "mse", "nll", "rmse"],
];
const high: readonly string[] = [
  ...["accuracy", "auc", "averagePrecision", "f1", "precision", "r2", "recall", "rocAuc", "topK"],
];

/** `min` or `max` for a measure whose name is known, as `f1` or `f1.2`; undefined for others. */
export function directionOf(measure: string): "min" | "max" | undefined {
  for (const word of measure.split(".")) {
    if (low.includes(word)) return "min";
    if (high.includes(word) || /^top\d+$/.test(word)) return "max";
  }
  return undefined;
}
