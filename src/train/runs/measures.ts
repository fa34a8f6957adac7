/** Which measures are better when they are lower, and which one tells most about a run. Read runHistory.ts for its use. */
import type { Measures } from "../events.js";
import { matrixOf } from "../metrics/classes.js";
import { directionOf } from "../metrics/direction.js";

const lowerWords = /loss|error|perplexity/i;

/** Whether less of a measure is better, told by its name; where that says nothing, more is better. */
export function isLowerBetter(measure: string): boolean {
  const known = directionOf(measure);
  return known === undefined ? lowerWords.test(measure) : known === "min";
}

/** Whether a value is better than another; one that is no number never is. */
export function isBetter(measure: string, value: number, than: number | undefined): boolean {
  if (Number.isNaN(value)) return false;
  if (than === undefined || Number.isNaN(than)) return true;
  return isLowerBetter(measure) ? value < than : value > than;
}

/** The measure that tells most of those there are: the accuracy, else the first that is not the loss, else the loss. */
export function mainMeasure(names: Iterable<string>): string {
  const all = [...names];
  if (all.includes("accuracy")) return "accuracy";
  return all.find((name) => name !== "loss") ?? "loss";
}

/** Whether the values of a measure are shares from 0 to 1 that people read as percent. */
export const isShare = (measure: string): boolean =>
  /accuracy|precision|recall|(^|[^a-z])f1|^top(\d|k)|auc|specificity/i.test(measure);

const cell = /^(.+)\.(\d{1,4})\.(\d{1,4})$/;

/** Measures without the cells of confusion matrices (`seen.0.1`), which are no curves. */
export function withoutMatrices(measures: Measures): Measures {
  const entries = Object.entries(measures);
  const plain = entries.filter(([name]) => !cell.test(name));
  return plain.length === entries.length
    ? measures
    : (Object.fromEntries(plain) as unknown as Measures);
}

/** The confusion matrices among measures, [truth][guess], by name; one that lacks a cell is left out. */
export function matricesOf(measures: Measures): Readonly<Record<string, number[][]>> {
  const names = new Set(Object.keys(measures).flatMap((key) => cell.exec(key)?.[1] ?? []));
  const matrices = [...names].flatMap((name): [string, number[][]][] => {
    try {
      return [[name, matrixOf(measures, name)]];
    } catch {
      return [];
    }
  });
  return Object.fromEntries(matrices);
}
