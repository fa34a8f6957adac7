/** What a sweep's file may say, in TypeScript or YAML. Read node/sweepFile.ts for how it is checked. */
import type { RunDefinition, Settings } from "../train/index.js";
import type { Distribution } from "./space/distribution.js";
import type { NamedOptions } from "./storage.js";
import type { Direction, ParameterValue } from "./types.js";

/** Values of other parameters, by whole name, beside which a parameter is there. */
export interface WhenShorthand {
  readonly when?: Readonly<Record<string, ParameterValue | readonly ParameterValue[]>>;
}

type Bounds = readonly [low: number, high: number];
type Counted = readonly [low: number, high: number, count: number];

/** A distribution in short: its name and its numbers. */
export type DistributionShorthand = WhenShorthand &
  (
    | { readonly uniform: Bounds }
    | { readonly logUniform: Bounds }
    | { readonly integer: Bounds | readonly [low: number, high: number, step: number] }
    | { readonly logInteger: Bounds }
    | { readonly linearGrid: Counted }
    | { readonly logGrid: Counted }
    | { readonly choice: readonly ParameterValue[] }
  );

/** Distributions by the paths of settings, in groups or with dots; a list is a choice. */
export interface SweepSpace {
  readonly [path: string]:
    | DistributionShorthand
    | Distribution
    | readonly ParameterValue[]
    | SweepSpace;
}

/** One pass of a search from coarse to fine. */
export interface SweepStage {
  readonly trials: number;
  /** Settings changed for this stage, such as fewer epochs. */
  readonly set?: Settings;
  /** The best share of the stage before, to which the space is narrowed; default 0.25. */
  readonly keep?: number;
  /** So many of the best of the stage before are run again; default 1. */
  readonly again?: number;
  readonly sampler?: string | NamedOptions;
  readonly pruner?: string | NamedOptions;
}

/** Everything that a sweep's file can say. */
export interface SweepDefinition {
  /** Default the file's name. */
  readonly name?: string;
  /** The configuration to train: its path from here, or itself. */
  readonly run: string | RunDefinition;
  readonly space: SweepSpace;
  /** What to search by, such as `validation.accuracy`. */
  readonly metric: string;
  /** Default "minimize" for losses, errors and perplexities, else "maximize". */
  readonly direction?: Direction;
  /** Of all epochs the last one's value (default) or the best. */
  readonly take?: "last" | "best";
  /** Default "tpe". */
  readonly sampler?: string | NamedOptions;
  /** Default "none". */
  readonly pruner?: string | NamedOptions;
  /** Default 20. */
  readonly trials?: number;
  /** Processes; default one a core, at most 4. */
  readonly workers?: number;
  /** Threads of each process; default the cores divided among them. */
  readonly threads?: number;
  /** Settings changed for all trials. */
  readonly set?: Settings;
  /** From coarse to fine; in place of `trials`. */
  readonly stages?: readonly SweepStage[];
}

/**
 * A sweep in a TypeScript file, checked by the compiler as it is written: `export default defineSweep({ … })`.
 *
 * @example
 * ```ts
 * import { defineSweep } from "gradus/tune";
 * const sweep = defineSweep({
 *   run: "digits.yaml",
 *   space: { "optim.lr": { logUniform: [1e-5, 1e-1] }, "optim.name": ["sgd", "adam"] },
 *   metric: "validation.accuracy",
 *   trials: 30,
 * });
 * console.log(sweep.trials); // → 30
 * ```
 */
export const defineSweep = (definition: SweepDefinition): SweepDefinition => definition;
