/** Trials from the best to the worst: complete ones by their value, then pruned ones by how far they came. */
import type { Direction, TrialRecord } from "../types.js";

/** Told trials that say something about their parameters, best first. Trials that failed say nothing. */
export function rank(trials: readonly TrialRecord[], direction: Direction): TrialRecord[] {
  const sign = direction === "minimize" ? 1 : -1;
  // Of pruned trials one that came further is better, whatever its value; one without a report diverged at once.
  const lastStep = (trial: TrialRecord) => trial.reports.at(-1)?.step ?? -Infinity;
  const compare = (a: TrialRecord, b: TrialRecord) => {
    if (a.state !== b.state) return a.state === "complete" ? -1 : 1;
    const [far, further] = [lastStep(a), lastStep(b)];
    if (a.state === "pruned" && far !== further) return further > far ? 1 : -1;
    return (
      sign * ((a.value ?? sign * Infinity) - (b.value ?? sign * Infinity)) || a.number - b.number
    );
  };
  return trials.filter(({ state }) => state === "complete" || state === "pruned").sort(compare);
}
