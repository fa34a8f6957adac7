/** Gives trials time: another pruner is only asked about those that have not become better for a while. */
import { z } from "zod";
import { parseOptions } from "../options.js";
import type { NamedOptions } from "../storage.js";
import type { Pruner, PrunerContext } from "./pruner.js";

export interface PatientPrunerOptions {
  /** Reports without a better value that a trial is granted. */
  readonly patience: number;
  /** A value is better if it is better by more than this; default 0. */
  readonly minDelta?: number;
}

const patientOptions = z.strictObject({
  patience: z.int().min(1),
  minDelta: z.number().min(0).default(0),
});

/**
 * Ends a trial whose last `patience` reports were all no better than the best before them, if the other pruner would end it, too.
 * Without another one that is enough.
 *
 * @param pruner asked in the end; undefined for early stopping alone.
 * @example
 * ```ts
 * import { MedianPruner, PatientPruner } from "gradus/tune";
 * const pruner = new PatientPruner(new MedianPruner(), { patience: 3 });
 * console.log(pruner.settings.patience); // → 3
 * ```
 */
export class PatientPruner implements Pruner {
  readonly settings: NamedOptions;
  readonly #pruner: Pruner | undefined;
  readonly #options: z.output<typeof patientOptions>;

  constructor(pruner: Pruner | undefined, options: PatientPrunerOptions) {
    this.#options = parseOptions("PatientPruner", patientOptions, options);
    this.#pruner = pruner;
    const inner = pruner ? { pruner: pruner.settings } : {};
    this.settings = { kind: "patient", ...this.#options, ...inner };
  }

  prune(context: PrunerContext): boolean {
    const { patience, minDelta } = this.#options;
    const sign = context.direction === "minimize" ? 1 : -1;
    const values = context.trial.reports.map(({ value }) => sign * value);
    if (values.length <= patience) return false;
    const [before, after] = [values.slice(0, -patience), values.slice(-patience)];
    if (Math.min(...after) < Math.min(...before) - minDelta) return false;
    return this.#pruner?.prune(context) ?? true;
  }
}
