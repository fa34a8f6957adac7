/** What happens during training, as plain records that can be shown, logged and sent. Read fit.ts for when they come. */

/** Means over the examples seen: the loss, and each metric by its name. */
export interface Measures {
  readonly loss: number;
  readonly [metric: string]: number;
}

/** One epoch that is over. */
export interface EpochSummary {
  /** Counted from 1. */
  readonly epoch: number;
  /** Optimizer steps since the start of the run. */
  readonly step: number;
  /** Learning rate of the epoch's last step. */
  readonly lr: number;
  /** Time taken, with evaluation, also where the epoch was interrupted. */
  readonly seconds: number;
  /** Running means: the model changes while they are taken. */
  readonly train: Measures;
  /** Means over the test data at the end of the epoch. */
  readonly test?: Measures;
}

export interface StartEvent {
  readonly type: "start";
  readonly epochs: number;
  /** Batches in an epoch. */
  readonly batches: number;
  readonly trainExamples: number;
  readonly testExamples: number;
  /** The backend in use and why. */
  readonly backend: string;
  /** Whether the run goes on from a checkpoint. */
  readonly resumed: boolean;
  /** Steps done before. */
  readonly step: number;
}

export interface StepEvent {
  readonly type: "step";
  readonly epoch: number;
  readonly step: number;
  /** Batches of the epoch that are done, this one among them. */
  readonly batch: number;
  readonly batches: number;
  /** Mean loss of this batch. */
  readonly loss: number;
  readonly lr: number;
  /** Means over the epoch so far. */
  readonly running: Measures;
  /** Training examples a second, over the last seconds; null before it can be told. */
  readonly examplesPerSecond: number | null;
  /** Time left to the end of the run; null before it can be told. */
  readonly secondsLeft: number | null;
}

export interface EvaluationEvent {
  readonly type: "evaluation";
  readonly epoch: number;
  readonly step: number;
  readonly examples: number;
  readonly seconds: number;
  readonly measures: Measures;
}

export interface EpochEvent extends EpochSummary {
  readonly type: "epoch";
}

export interface CheckpointEvent {
  readonly type: "checkpoint";
  readonly epoch: number;
  readonly step: number;
  readonly seconds: number;
}

/** The run was asked to stop, and can be resumed. */
export interface StoppedEvent {
  readonly type: "stopped";
  readonly epoch: number;
  readonly step: number;
}

export interface FinishedEvent {
  readonly type: "finished";
  readonly epochs: number;
  readonly step: number;
  /** Time taken in all, over all parts of the run. */
  readonly seconds: number;
}

/** The run cannot go on; the error is thrown next. */
export interface FailedEvent {
  readonly type: "failed";
  readonly epoch: number;
  readonly step: number;
  readonly message: string;
}

/** Everything that {@link fit} reports, told apart by `type`. Epochs and steps count from 1, times are in seconds. */
export type TrainEvent =
  | StartEvent
  | StepEvent
  | EvaluationEvent
  | EpochEvent
  | CheckpointEvent
  | StoppedEvent
  | FinishedEvent
  | FailedEvent;
