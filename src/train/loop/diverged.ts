/** What to say of a loss that is no longer a finite number. Read run.ts for when. */
import type { Tensor } from "../../tensor/index.js";
import { DivergedError } from "../errors.js";

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
