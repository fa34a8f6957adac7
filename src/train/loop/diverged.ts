/** What to say of a loss or of weights that are no longer finite numbers. Read run.ts for when. */
import { isFloat } from "../../core/dtype.js";
import type { Module } from "../../nn/module.js";
import type { Tensor } from "../../tensor/index.js";
import { DivergedError, type Place } from "../errors.js";

export interface DivergedPlace {
  readonly epoch: number;
  /** The step that failed. */
  readonly step: number;
  /** The batch of the epoch, and how many there are. */
  readonly batch: number;
  readonly batches: number;
  readonly lr: number;
}

/** The error for a training loss that is not finite: where, and the likely cause. */
export function divergedAt(
  loss: number,
  inputs: readonly Tensor[],
  { epoch, step, batch, batches, lr }: DivergedPlace,
): DivergedError {
  const where = `the loss is ${loss} at epoch ${epoch}, step ${step} (batch ${batch} of ${batches})`;
  for (const [part, { data }] of inputs.entries()) {
    const bad = Array.prototype.findIndex.call(data, (value: number) => !Number.isFinite(value));
    if (bad < 0) continue;
    const what = part === 0 ? `input ${bad}` : `value ${bad} of part ${part + 1}`;
    return new DivergedError(`${where}: ${what} of the batch is ${data[bad]}`, { epoch, step });
  }
  const cause =
    step === 1
      ? "the model's first output gives it already; check the model, the loss and the scale of the data"
      : `the learning rate ${Number(lr.toPrecision(3))} is probably too high; try a tenth of it`;
  return new DivergedError(`${where}: ${cause}`, { epoch, step });
}

/** Throws where a run's very last step, which no later loss tells of, left values that are not finite. */
export function checkLastWeights(model: Module, place: Place): void {
  for (const [name, { dtype, data }] of model.stateDict()) {
    if (!isFloat(dtype) || !data.some((value) => !Number.isFinite(value))) continue;
    const message = `${name} holds values that are not finite after the last step, ${place.step}`;
    throw new DivergedError(`${message}; lower the learning rate`, place);
  }
}
