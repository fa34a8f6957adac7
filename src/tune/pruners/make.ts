/** Pruners by name, as files and the command line name them. */
import { ValueError } from "../../core/errors.js";
import { makeNamed } from "../options.js";
import {
  HyperbandPruner,
  type HyperbandPrunerOptions,
  SuccessiveHalvingPruner,
  type SuccessiveHalvingPrunerOptions,
} from "./halving.js";
import { PatientPruner, type PatientPrunerOptions } from "./patient.js";
import {
  MedianPruner,
  type MedianPrunerOptions,
  PercentilePruner,
  type PercentilePrunerOptions,
} from "./percentile.js";
import { NoPruner, type Pruner } from "./pruner.js";

interface PatientSettings extends PatientPrunerOptions {
  readonly pruner?: unknown;
}

function makePatient({ pruner, ...options }: PatientSettings): PatientPruner {
  if (pruner === undefined) return new PatientPruner(undefined, options);
  // Files could nest them deeper than the stack.
  if ((pruner as { kind?: unknown } | null)?.kind === "patient")
    throw new ValueError("pruner", "a patient pruner in a patient one; add up their patience");
  return new PatientPruner(makePruner(pruner), options);
}

const makers = {
  hyperband: (options: HyperbandPrunerOptions) => new HyperbandPruner(options),
  median: (options: MedianPrunerOptions) => new MedianPruner(options),
  none: () => new NoPruner(),
  patient: makePatient,
  percentile: (options: PercentilePrunerOptions) => new PercentilePruner(options),
  successiveHalving: (options: SuccessiveHalvingPrunerOptions) =>
    new SuccessiveHalvingPruner(options),
};

export type PrunerName = keyof typeof makers;

export const prunerNames = Object.keys(makers) as readonly PrunerName[];

/**
 * A pruner from its settings, JSON that may come from a file.
 *
 * @throws ValueError naming what is wrong with them.
 * @example
 * ```ts
 * import { makePruner } from "gradus/tune";
 * console.log(makePruner({ kind: "median", startupTrials: 3 }).settings.warmupSteps); // → 0
 * ```
 */
export function makePruner(settings: unknown): Pruner {
  return makeNamed<Pruner>("pruner", makers, settings);
}
