/** Ends a run when a measure gets no better, and gives the model its best weights. Read callback.ts for the mechanism. */
import { ValueError } from "../../core/errors.js";
import type { Tensor } from "../../tensor/index.js";
import type { TrainEvent } from "../events.js";
import { Field } from "../fields.js";
import type { Callback, CallbackState, RunControl } from "./callback.js";
import { type Best, Monitor, type MonitorOptions } from "./monitor.js";
import { copyWeights } from "./weights.js";

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Measurements without improvement after which the run ends; default 10. */
  readonly patience?: number;
  /** Whether the model gets its best weights when the run is over, however it ended; default true. */
  readonly restoreBest?: boolean;
}

/**
 * Ends a run when a measure has not improved for `patience` measurements in a row: epochs, or evaluations where
 * `validateEverySteps` asks for more of them (Prechelt, "Early Stopping – But When?", 1998).
 *
 * @throws ValueError for options out of range; while the run goes on, for a measure that it does not have.
 * @example
 * ```ts
 * import { data, manualSeed, nn, optim, randn } from "gradus";
 * import { fit } from "gradus/train";
 * manualSeed(0);
 * const part = (n: number) => new data.DataLoader(new data.TensorDataset(randn([n, 4]), randn([n, 1])), { batchSize: 8 });
 * const model = new nn.Sequential(new nn.Linear(4, 64), new nn.ReLU(), new nn.Linear(64, 1));
 * const { reason } = await fit(model, {
 *   optimizer: new optim.Adam(model.parameters(), { lr: 0.01 }),
 *   train: part(32),
 *   validation: part(32),
 *   epochs: 500,
 *   loss: nn.functional.mseLoss,
 *   earlyStopping: { monitor: "validation.loss", patience: 3 },
 * });
 * console.log(reason?.split(";")[0]); // → validation.loss has not improved in 3 measurements
 * ```
 */
export class EarlyStopping implements Callback {
  readonly name = "earlyStopping";
  readonly #monitor: Monitor;
  readonly #patience: number;
  readonly #restoreBest: boolean;
  #best: Best | null = null;
  #waited = 0;
  #weights: ReadonlyMap<string, Tensor> | undefined;

  constructor(options: EarlyStoppingOptions) {
    const { patience = 10, restoreBest = true } = options;
    if (!Number.isInteger(patience) || patience < 1)
      throw new ValueError("earlyStopping", `patience is ${patience}; expected a whole number ≥ 1`);
    this.#monitor = new Monitor("earlyStopping", options);
    this.#patience = patience;
    this.#restoreBest = restoreBest;
  }

  /** The best value so far and where it came. */
  get best(): Best | null {
    return this.#best;
  }

  onEvent(event: TrainEvent, run: RunControl): void {
    const value = this.#monitor.valueIn(event);
    if (value === undefined) return;
    const { epoch, step } = run;
    if (this.#monitor.isBetter(value, this.#best?.value ?? null)) {
      this.#best = { monitor: this.#monitor.path, value, epoch, step };
      this.#waited = 0;
      if (this.#restoreBest) this.#weights = copyWeights(run.measuredWeights());
      return;
    }
    this.#waited++;
    if (this.#waited < this.#patience) return;
    const times = this.#patience === 1 ? "at one measurement" : `in ${this.#patience} measurements`;
    const best = this.#best
      ? `the best is ${Number(this.#best.value.toPrecision(6))}, of epoch ${this.#best.epoch}`
      : "it was never a number";
    run.stop(`${this.#monitor.path} has not improved ${times}; ${best}`);
  }

  atEnd(run: RunControl): void {
    if (!this.#weights || !this.#best) return;
    run.model.loadStateDict(this.#weights);
    const { epoch, step } = run;
    run.emit({ type: "weights", epoch, step, source: "best", from: this.#best });
  }

  stateDict(): CallbackState {
    const values = { best: this.#best && { ...this.#best }, waited: this.#waited };
    return { values, ...(this.#weights && { tensors: this.#weights }) };
  }

  loadStateDict({ values, tensors }: CallbackState): void {
    const state = Field.parse(JSON.stringify(values), "the state of early stopping");
    this.#best = values.best === null ? null : parseBest(state.get("best"));
    this.#waited = state.get("waited").whole();
    this.#weights = tensors && tensors.size > 0 ? tensors : undefined;
  }
}

/** @internal */
export const parseBest = (field: Field): Best => ({
  monitor: field.get("monitor").text(),
  value: field.get("value").number(),
  epoch: field.get("epoch").whole(1),
  step: field.get("step").whole(),
});
