/** What {@link fit} is given and gives back. Read fit.ts next, callbacks/callback.ts for what may act on a run. */
import type { SafetensorsContent } from "../io/browser.js";
import type { Optimizer } from "../optim/index.js";
import type { Tensor } from "../tensor/index.js";
import type { EmaOptions, SwaOptions } from "./callbacks/averages.js";
import type { Callback, CallbackFunction } from "./callbacks/callback.js";
import type { EarlyStoppingOptions } from "./callbacks/earlyStopping.js";
import type { Best, MonitorOptions } from "./callbacks/monitor.js";
import type { Place } from "./errors.js";
import type { EpochSummary, TrainEvent } from "./events.js";
import type { PlateauMaker, Schedule, SchedulerMaker } from "./schedule.js";
import type { BatchSource, MeasureOptions } from "./steps.js";
import type { Identity } from "./trainingState.js";

export const checkpointReasons = [
  "asked",
  "best",
  "end",
  "epoch",
  "seconds",
  "start",
  "steps",
  "stop",
] as const;

/** Why a checkpoint is made; several reasons may fall together. */
export type CheckpointReason = (typeof checkpointReasons)[number];

/** Where in the run a checkpoint stands and why it is made. */
export interface CheckpointPlace extends Place {
  readonly reasons: readonly CheckpointReason[];
  /** The best value of `checkpoint.best` so far, where that is asked for and known. */
  readonly best?: Best;
}

export interface CheckpointOptions {
  /** Keeps a checkpoint; training goes on when it has settled. The tensors change after that. */
  save(content: SafetensorsContent, place: CheckpointPlace): void | Promise<void>;
  /** Also after so many steps, besides the start and each epoch's end. */
  readonly everySteps?: number;
  /** Also when so much time has passed since the last one. */
  readonly everySeconds?: number;
  /** A measure to go by, such as `validation.accuracy`: also whenever it is better than ever, with the reason `best`. */
  readonly best?: string | MonitorOptions;
}

/** How large gradients may be: all of them as one vector, or each element. */
export type Clip =
  | { readonly norm: number; readonly normType?: number }
  | { readonly value: number };

/** Changes a training batch inside the compiled step, as mixup does. */
export type BatchTransform = (...batch: Tensor[]) => readonly Tensor[];

export interface FitOptions extends MeasureOptions {
  readonly optimizer: Optimizer;
  /** Batches to train on: [x, y], or what `batchLoss` takes. */
  readonly train: BatchSource;
  /** Batches of the same form to measure with after each epoch. */
  readonly validation?: BatchSource;
  readonly epochs: number;
  /** Ends the run after so many optimizer steps, if `epochs` has not before; the epoch that it cuts short is measured. */
  readonly maxSteps?: number;
  /** Measures with the validation data after so many steps too. */
  readonly validateEverySteps?: number;
  /**
   * How the learning rate changes: its factor at each step, a {@link scheduler} by step or epoch, or a
   * {@link plateauSchedule}; default 1 all along.
   */
  readonly schedule?: Schedule | SchedulerMaker | PlateauMaker;
  /** Batches for one optimizer step, their gradients averaged as if they were one batch; an epoch's last step takes what is left. */
  readonly accumulate?: number;
  /** Keeps gradients small before the optimizer's step. */
  readonly clip?: Clip;
  /** Changes training batches inside the compiled step. */
  readonly batchTransform?: BatchTransform;
  /** Looks into the network at the first step and every so many after it: see {@link HealthEvent}. The updates stay the same. */
  readonly monitor?: { readonly everySteps: number };
  /**
   * Names the op, module and cause when loss or weights are no longer finite: the step is run again op by op. Costs a copy of
   * weights and optimizer state for each step.
   */
  readonly debug?: boolean;
  /** Averages weights along the run; validation measures them, and the model has them at the end. */
  readonly ema?: EmaOptions;
  /** Gives the model, at the end, the average of the weights of its last epochs. */
  readonly swa?: SwaOptions;
  /** Ends the run when a measure gets no better, with the best weights. */
  readonly earlyStopping?: EarlyStoppingOptions;
  /** Get every event in this order and may act on the run. */
  readonly callbacks?: readonly (Callback | CallbackFunction)[];
  /** Gets everything that happens, before the callbacks; what it returns is awaited, what it throws ends the run. */
  readonly onEvent?: (event: TrainEvent) => void | Promise<void>;
  /** Stops the run after the step at hand, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly checkpoint?: CheckpointOptions;
  /** A checkpoint's content to go on from. */
  readonly resume?: SafetensorsContent;
  /** What else a checkpoint must agree in, such as a fingerprint of the data. */
  readonly identity?: Identity;
}

export interface FitResult {
  /** Whether the run came to its end, or `signal` stopped it before. */
  readonly status: "finished" | "stopped";
  /** Optimizer steps since the start. */
  readonly step: number;
  readonly history: readonly EpochSummary[];
  readonly seconds: number;
  /** Why the run ended before its epochs, where it did: a callback's words, or that `maxSteps` were done. */
  readonly reason?: string;
  /** The best value of `checkpoint.best`, where that is asked for and was measured. */
  readonly best?: Best;
}
