/** What happens during training, as plain records that can be shown, logged and sent. Read fit.ts for when they come. */
import type { Place } from "./errors.js";
import type { CheckpointReason } from "./options.js";

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
  /** Means over the validation data at the end of the epoch. */
  readonly validation?: Measures;
}

export interface StartEvent {
  readonly type: "start";
  readonly epochs: number;
  /** Batches in an epoch. */
  readonly batches: number;
  /** Optimizer steps of the whole run, unless something ends it before. */
  readonly totalSteps: number;
  readonly trainExamples: number;
  readonly validationExamples: number;
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
  /** Mean loss of this step's examples. */
  readonly loss: number;
  readonly lr: number;
  /** Norm of all gradients before they are clipped, where `clip.norm` asks for it. */
  readonly gradientNorm?: number;
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
  /** Whether the weights that were measured are averages along the run, or others that were set at its end. */
  readonly averaged?: true;
}

export interface EpochEvent extends EpochSummary {
  readonly type: "epoch";
}

export interface CheckpointEvent {
  readonly type: "checkpoint";
  readonly epoch: number;
  readonly step: number;
  readonly seconds: number;
  /** Why it was made. */
  readonly reasons: readonly CheckpointReason[];
}

/** A measure is better than ever: a checkpoint follows. */
export interface BestEvent {
  readonly type: "best";
  readonly epoch: number;
  readonly step: number;
  /** The measure's path, such as `validation.accuracy`. */
  readonly monitor: string;
  readonly value: number;
}

/** Learning rates were changed by what was measured, not by a schedule of steps. */
export interface RateEvent {
  readonly type: "rate";
  readonly epoch: number;
  readonly step: number;
  /** The first group's. */
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** The run ends before its epochs are over. */
export interface EarlyStopEvent {
  readonly type: "earlyStop";
  readonly epoch: number;
  readonly step: number;
  readonly reason: string;
}

/** The model got other weights than those of its last step. */
export interface WeightsEvent {
  readonly type: "weights";
  readonly epoch: number;
  readonly step: number;
  /** The best ones, or averages along the run. */
  readonly source: "averages" | "best";
  /** Where they come from. */
  readonly from: Place;
}

/** How one parameter fares at a step. */
export interface ParameterHealth {
  /** As in `namedParameters()`. */
  readonly name: string;
  /** Whether the optimizer may change it. */
  readonly trainable: boolean;
  /** L2 norms of the values before the step, and of their gradient; the gradient's is null where none came. */
  readonly norm: number;
  readonly gradientNorm: number | null;
  /** L2 norm of the step's change over that of the values; about 1e-3 is usual. */
  readonly updateRatio: number;
}

/** The output of one module at a step. */
export interface ActivationHealth {
  /** As in `namedModules()`; of an activation called without a module, the caller's with the op and its number: `relu`, `block.relu2`. */
  readonly name: string;
  /** The module's class, such as `ReLU`, or the op, such as `relu`. */
  readonly kind: string;
  readonly mean: number;
  readonly std: number;
  /** Share of its units that gave exactly 0 for every example of the batch. */
  readonly dead: number;
  /** Share of its outputs within 1% of an end of a bounded activation's range (tanh, sigmoid); 0 for others. */
  readonly saturated: number;
}

/**
 * What goes on inside the network at a step: norms, update ratios, activations. Comes every `monitor.everySteps` steps. Numbers that
 * are not finite are given as the largest number, since JSON has no other.
 */
export interface HealthEvent {
  readonly type: "health";
  readonly epoch: number;
  readonly step: number;
  readonly parameters: readonly ParameterHealth[];
  readonly activations: readonly ActivationHealth[];
  /** Of the batch's inputs, where they are numbers and not indices. */
  readonly input?: {
    readonly mean: number;
    readonly std: number;
    readonly min: number;
    readonly max: number;
  };
  /** Modules that behave otherwise in training (dropout, batch norm) and were in eval mode during this training step. */
  readonly evalModules: readonly string[];
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
  | BestEvent
  | CheckpointEvent
  | EarlyStopEvent
  | EpochEvent
  | EvaluationEvent
  | FailedEvent
  | FinishedEvent
  | HealthEvent
  | RateEvent
  | StartEvent
  | StepEvent
  | StoppedEvent
  | WeightsEvent;
