/**
 * What a configuration builds: a model with all that `fit` needs, and the way to build it again with some settings changed.
 * The command line, the doctor and the search all work on this. Read fit.ts for what is done with it.
 */
import type { FitOptions } from "./fit.js";
import type { Model } from "./steps.js";

/** A model and how it is to be trained, ready to begin. */
export interface Experiment {
  readonly model: Model;
  /** All that {@link fit} needs besides the model. */
  readonly options: FitOptions;
  /** Classes to tell apart, where it classifies: the loss should begin near ln of it. */
  readonly classes?: number;
}

/** Settings by path, such as `optim.lr`: what `--set`, the doctor and a trial of a search change. */
export type Settings = Readonly<Record<string, unknown>>;

/** Builds an experiment from the beginning. The same changes give the same experiment, bit for bit. */
export type ExperimentBuilder = (changes?: Settings) => Promise<Experiment>;
