/** What ends a trial early, from what it and the others reported. */
import type { NamedOptions } from "../storage.js";
import type { Direction, TrialRecord } from "../types.js";

/** What a pruner is asked with. */
export interface PrunerContext {
  readonly direction: Direction;
  /** The trial in question; its last report is the newest. */
  readonly trial: TrialRecord;
  /** All trials of the study by number. */
  readonly trials: readonly TrialRecord[];
}

export interface Pruner {
  /** Name and options as JSON, from which `makePruner` makes it again. */
  readonly settings: NamedOptions;
  /** Whether to end the trial now. Only asked after a report. */
  prune(context: PrunerContext): boolean;
}

/** Lets every trial go to its end. */
export class NoPruner implements Pruner {
  readonly settings: NamedOptions = { kind: "none" };

  prune(): boolean {
    return false;
  }
}
