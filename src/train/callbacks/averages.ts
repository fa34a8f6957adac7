/** Averages of weights along a run, measured and kept in the place of the last ones. Read ../../optim/swaUtils.ts for the sums. */
import { ValueError } from "../../core/errors.js";
import type { Module } from "../../nn/module.js";
import { AveragedModel, type AverageFn, getEmaAvgFn } from "../../optim/swaUtils.js";
import type { Tensor } from "../../tensor/index.js";
import type { TrainEvent } from "../events.js";
import type { Callback, CallbackState, RunControl } from "./callback.js";

export interface EmaOptions {
  /** How much of the old average is kept at each step, from 0 to 1; usual are 0.99 to 0.9999. */
  readonly decay: number;
  /**
   * Keeps less in the beginning, min(decay, (1 + n) / (10 + n)) after n steps, so that the first weights are soon forgotten;
   * default false.
   */
  readonly warmup?: boolean;
}

/** As `getEmaAvgFn`, with a decay that rises from 2/11. */
const warmedUp =
  (decay: number): AverageFn =>
  (averaged, current, count) => {
    const n = count.to(averaged.dtype);
    const kept = n.add(1).div(n.add(10)).clamp(null, decay);
    return averaged.add(current.sub(averaged).mul(kept.neg().add(1)));
  };

/**
 * Exponential moving average of the weights: a ← decay·a + (1 − decay)·w after each step, inside the compiled program (Polyak and
 * Juditsky, 1992). Validation measures the averages, and the model has them when the run is over.
 *
 * @throws ValueError unless decay is from 0 to 1.
 */
export class Ema implements Callback {
  readonly name = "ema";
  readonly #averaged: AveragedModel;

  constructor(model: Module, { decay, warmup = false }: EmaOptions) {
    if (!(decay >= 0 && decay <= 1))
      throw new ValueError("fit", `ema.decay is ${decay}; expected a number from 0 to 1`);
    const avgFn = warmup ? warmedUp(decay) : getEmaAvgFn(decay);
    this.#averaged = new AveragedModel(model, { avgFn });
  }

  afterUpdate(model: Module): void {
    this.#averaged.updateParameters(model);
  }

  /** The averages; undefined before the first step. */
  averages(): ReadonlyMap<string, Tensor> | undefined {
    return this.#averaged.nAveraged.item() > 0 ? this.#averaged.module.stateDict() : undefined;
  }

  atEnd(run: RunControl): void {
    const averages = this.averages();
    if (!averages) return;
    run.model.loadStateDict(averages);
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

export interface SwaOptions {
  /** Epochs before averaging begins: the run should do well by then, and its rate be rather high and constant. */
  readonly start: number;
  /** Averages the weights at the end of every so many epochs; default 1. */
  readonly everyEpochs?: number;
}

/**
 * Stochastic weight averaging: the equal average of the weights at the ends of the last epochs, which the model gets when the
 * run is over; batch norms' statistics are measured anew with them, then the validation data (Izmailov et al., 2018).
 *
 * @throws ValueError for counts that are no whole numbers.
 */
export class Swa implements Callback {
  readonly name = "swa";
  readonly #averaged: AveragedModel;
  readonly #start: number;
  readonly #everyEpochs: number;

  constructor(model: Module, { start, everyEpochs = 1 }: SwaOptions) {
    if (!Number.isInteger(start) || start < 0)
      throw new ValueError("fit", `swa.start is ${start}; expected a whole number ≥ 0`);
    if (!Number.isInteger(everyEpochs) || everyEpochs < 1)
      throw new ValueError("fit", `swa.everyEpochs is ${everyEpochs}; expected a whole number ≥ 1`);
    this.#averaged = new AveragedModel(model);
    this.#start = start;
    this.#everyEpochs = everyEpochs;
  }

  onEvent(event: TrainEvent, { model }: RunControl): void {
    if (event.type !== "epoch") return;
    const since = event.epoch - this.#start;
    if (since > 0 && since % this.#everyEpochs === 0) this.#averaged.updateParameters(model);
  }

  async atEnd(run: RunControl): Promise<void> {
    if (this.#averaged.nAveraged.item() === 0) return;
    run.model.loadStateDict(this.#averaged.module.stateDict());
    const { epoch, step } = run;
    run.emit({ type: "weights", epoch, step, source: "averages", from: { epoch, step } });
    await run.remeasure();
  }

  stateDict(): CallbackState {
    return { values: {}, tensors: this.#averaged.stateDict() };
  }

  loadStateDict({ tensors }: CallbackState): void {
    this.#averaged.loadStateDict(tensors ?? []);
  }
}
