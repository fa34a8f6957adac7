/** What can go wrong with a study besides a wrong argument. */
import { GradusError } from "../core/errors.js";

/** A trial that was given back or told by somebody else in the meantime; what it came to is to be thrown away. */
export class LostTrialError extends GradusError {}

/** A study that is not there, or another one than was expected. */
export class StudyError extends GradusError {}

/** Thrown by an objective to end its trial early, after `trial.shouldPrune()` said so. */
export class PrunedError extends GradusError {
  constructor(message = "the trial ended early") {
    super("", message);
  }
}
