/** Stochastic weight averaging as a part of a run. Read ../../optim/swaUtils.ts for the sums, soup.ts for averages afterwards. */
import { ValueError } from "../../core/errors.js";
import type { Module } from "../../nn/module.js";
import { AveragedModel, type InputSource, updateBn } from "../../optim/swaUtils.js";
import type { Callback, CallbackState, RunControl } from "../callbacks/callback.js";
import type { TrainEvent } from "../events.js";

export interface SwaOptions {
  /** The first epoch, counted from 1, whose last weights are averaged: when the network has about found its place. */
  readonly startEpoch: number;
  /** Averages the weights of each so-many-th epoch from there on; default 1: of all. */
  readonly everyEpochs?: number;
  /** Training inputs, or batches [x, …], with which running statistics of batch norm are measured anew at the end. */
  readonly batches?: InputSource;
}

/**
 * A callback that averages the weights at the ends of the later epochs and gives the model their mean when the run is over (SWA; Izmailov et
 * al., 2018). It wants a rate that stays high, constant or cyclic. Validation measures the weights as they are trained, not their mean:
 * measure that with `evaluate` afterwards. It is a part of checkpoints.
 *
 * @throws ValueError for epochs that are no whole numbers ≥ 1.
 * @example
 * ```ts
 * import { data, manualSeed, nn, optim, tensor } from "gradus";
 * import { fit, Swa } from "gradus/train";
 * manualSeed(0);
 * const dataset = new data.TensorDataset(tensor([[0], [1]]), tensor([0, 1], { dtype: "int32" }));
 * const train = new data.DataLoader(dataset, { batchSize: 2 });
 * const model = new nn.Linear(1, 2);
 * const swa = new Swa(model, { startEpoch: 3, batches: train });
 * const optimizer = new optim.SGD(model.parameters(), { lr: 0.5 });
 * await fit(model, { optimizer, train, epochs: 6, callbacks: [swa] });
 * console.log(swa.count); // → 4
 * ```
 */
export class Swa implements Callback {
  readonly name = "swa";
  readonly #averaged: AveragedModel;
  readonly #startEpoch: number;
  readonly #everyEpochs: number;
  readonly #batches: InputSource | undefined;

  constructor(model: Module, { startEpoch, everyEpochs = 1, batches }: SwaOptions) {
    for (const [name, value] of Object.entries({ startEpoch, everyEpochs }))
      if (!Number.isInteger(value) || value < 1)
        throw new ValueError("Swa", `${name} is ${value}; expected a whole number ≥ 1`);
    this.#averaged = new AveragedModel(model);
    this.#startEpoch = startEpoch;
    this.#everyEpochs = everyEpochs;
    this.#batches = batches;
  }

  /** How many weights the mean holds so far. */
  get count(): number {
    return this.#averaged.nAveraged.item();
  }

  onEvent(event: TrainEvent, run: RunControl): void {
    if (event.type !== "epoch") return;
    const since = event.epoch - this.#startEpoch;
    if (since >= 0 && since % this.#everyEpochs === 0) this.#averaged.updateParameters(run.model);
  }

  async atEnd(run: RunControl): Promise<void> {
    if (this.count === 0) return;
    run.model.loadStateDict(this.#averaged.module.stateDict());
    if (this.#batches) await updateBn(this.#batches, run.model);
    const { epoch, step } = run;
    run.emit({ type: "weights", epoch, step, source: "averages", from: { epoch, step } });
  }

  stateDict(): CallbackState {
    return { values: {}, tensors: this.#averaged.stateDict() };
  }

  loadStateDict({ tensors }: CallbackState): void {
    this.#averaged.loadStateDict(tensors ?? []);
  }
}
