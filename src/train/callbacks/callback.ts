/**
 * What may act on a run: callbacks get every event, may stop the run, change the rate or ask for a checkpoint, and may keep a
 * state that checkpoints hold. Early stopping and averages of weights are callbacks. Read earlyStopping.ts for one.
 */
import type { Module } from "../../nn/module.js";
import type { lrScheduler, Optimizer } from "../../optim/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Place } from "../errors.js";
import type { TrainEvent } from "../events.js";

/** What a checkpoint keeps for a callback: plain values, and tensors by name. */
export interface CallbackState {
  readonly values: Readonly<Record<string, lrScheduler.Plain>>;
  readonly tensors?: ReadonlyMap<string, Tensor>;
}

/** A run as callbacks see it. */
export interface RunControl extends Place {
  readonly model: Module;
  readonly optimizer: Optimizer;
  /**
   * The newest value of a measure by its path, such as `validation.accuracy` or `train.loss` (of the last epoch);
   * undefined before it was measured.
   *
   * @throws ValueError for a measure that the run does not have.
   */
  measure(path: string): number | undefined;
  /** Parameters and buffers that validation measures: the model's own, or their averages. */
  measuredWeights(): ReadonlyMap<string, Tensor>;
  /** Ends the run after the step at hand: the epoch is measured, and the run is finished. */
  stop(reason: string): void;
  /**
   * Multiplies the learning rates of all groups.
   *
   * @throws ValueError where the run has a schedule, which would set them anew.
   */
  scaleRate(factor: number, reason: string): void;
  /** Asks for a checkpoint after the step at hand. */
  save(): void;
  /**
   * At the run's end, when the model got other weights: measures the statistics of its batch norms over the training data, then
   * the validation data. Ends early where `signal` stops the run.
   */
  remeasure(): Promise<void>;
  /** Reports an event of the callback's own, after the present one has reached everybody. */
  emit(event: TrainEvent): void;
}

/** Gets every event and may act on the run; what it returns is awaited, what it throws ends the run. */
export type CallbackFunction = (event: TrainEvent, run: RunControl) => void | Promise<void>;

/**
 * Acts on a run. One with a state (`stateDict`, `loadStateDict`) goes on from a checkpoint as if there had been no
 * interruption. A `checkpoint` event comes after the state was kept: what is done then is not in that checkpoint. An object
 * serves one run.
 *
 * @example
 * ```ts
 * import { data, nn, ones, optim } from "gradus";
 * import { type Callback, fit } from "gradus/train";
 * const model = new nn.Linear(1, 1);
 * const patient: Callback = {
 *   name: "goodEnough",
 *   onEvent(event, run) {
 *     if (event.type === "epoch" && event.train.loss < 0.01) run.stop("the loss is below 0.01");
 *   },
 * };
 * const { reason } = await fit(model, {
 *   optimizer: new optim.SGD(model.parameters(), { lr: 0.2 }),
 *   train: new data.DataLoader(new data.TensorDataset(ones([4, 1]), ones([4, 1])), { batchSize: 4 }),
 *   epochs: 1000,
 *   loss: nn.functional.mseLoss,
 *   callbacks: [patient],
 * });
 * console.log(reason); // → the loss is below 0.01
 * ```
 */
export interface Callback {
  /** Letters, digits, `-` and `_`; tells callbacks apart in checkpoints. */
  readonly name: string;
  onEvent?(event: TrainEvent, run: RunControl): void | Promise<void>;
  /** Called inside the compiled step after the optimizer's, so that it may compute with tensors and assign them. */
  afterUpdate?(model: Module): void;
  /** Weights that validation shall measure in the place of the model's, by the names of its state; undefined for those. */
  averages?(): ReadonlyMap<string, Tensor> | undefined;
  /** Called when the run has come to its end (not when it was stopped): the place to set the model's last weights. */
  atEnd?(run: RunControl): void | Promise<void>;
  stateDict?(): CallbackState;
  /** Takes over what {@link stateDict} gave; what it throws says that the checkpoint does not fit. */
  loadStateDict?(state: CallbackState): void;
}
