/** What training throws when it cannot go on. */
import { GradusError } from "../core/errors.js";

/** Where in a run something happened. */
export interface Place {
  /** Counted from 1. */
  readonly epoch: number;
  /** Optimizer steps since the start of the run, counted from 1. */
  readonly step: number;
}

/** The loss or the weights are no longer finite numbers: the run has diverged, and what it held is lost. */
export class DivergedError extends GradusError {
  readonly epoch: number;
  readonly step: number;
  constructor(message: string, { epoch, step }: Place) {
    super("fit", message);
    this.epoch = epoch;
    this.step = step;
  }
}

/** A checkpoint that belongs to another model, other data or other settings than the run that should go on from it. */
export class ResumeError extends GradusError {}
