/** What chooses parameters. A choice depends on the seed, the trial's number and the trials that were told, on nothing else. */
import { IndexSource } from "../../data/order.js";
import type { Space } from "../space/space.js";
import type { NamedOptions } from "../storage.js";
import type { Direction, Parameters, TrialRecord } from "../types.js";

/** What a sampler is asked with. */
export interface SamplerContext {
  readonly space: Space;
  readonly direction: Direction;
  /** Of the trial that needs parameters. */
  readonly number: number;
  /** All trials of the study by number. */
  readonly trials: readonly TrialRecord[];
  /** Values that the trial has already, where it was put in line by hand. */
  readonly fixed: Parameters;
}

export interface Sampler {
  /** Name and options as JSON, from which `makeSampler` makes it again. */
  readonly settings: NamedOptions;
  /** Values for all parameters that are there beside one another. */
  sample(context: SamplerContext): Parameters;
  /** How many trials it has to offer, where that is limited. */
  size?(space: Space): number;
}

/** Sets a search's draws apart from all others of the same seed. */
const searchStream = 0x74756e65;

/** The random numbers of one trial. */
export const drawsOf = (seed: number, number: number): IndexSource =>
  new IndexSource(seed, number, searchStream);

/** The how manieth this trial is of those that a sampler makes: numbers without the enqueued trials before it. */
export const indexOf = ({ number, trials }: SamplerContext): number =>
  trials.reduce((n, trial) => n - Number(trial.number < number && trial.enqueued === true), number);
