/**
 * The training loop's door: epochs of compiled steps, measured on validation data, one stream of events, checkpoints that a run
 * goes on from bit for bit. Works in a browser too. Read options.ts for all it takes, loop/run.ts for what it does.
 */
import type { Module } from "../nn/module.js";
import { checkOptions } from "./loop/check.js";
import { Run } from "./loop/run.js";
import type { FitOptions, FitResult } from "./options.js";
import type { MeasureOptions, Model } from "./steps.js";

export type * from "./options.js";

/** Options for batches of any form: `batchLoss` says what is done with one. */
export type BatchLossOptions = FitOptions & Required<Pick<MeasureOptions, "batchLoss">>;

/**
 * Trains a model: each step is one compiled program of forward pass, loss, gradients and update. Epochs are measured on the
 * validation data, everything that happens is reported as events, and checkpoints let a run go on bit for bit.
 *
 * @throws DivergedError, naming epoch, step and likely cause, when the loss is no longer finite; ResumeError for a checkpoint
 * of another run; ValueError for options out of range, measures that do not exist, an optimizer of another model.
 * @example
 * ```ts
 * import { data, manualSeed, nn, optim, tensor } from "gradus";
 * import { accuracy, fit } from "gradus/train";
 * manualSeed(0);
 * const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
 * const y = tensor([0, 1, 1, 0], { dtype: "int32" });
 * const train = new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 4 });
 * const model = new nn.Sequential(new nn.Linear(2, 16), new nn.Tanh(), new nn.Linear(16, 2));
 * const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 });
 * const { history } = await fit(model, { optimizer, train, epochs: 100, metrics: { accuracy } });
 * console.log(history.at(-1)?.train.accuracy); // → 1
 * ```
 */
export function fit(model: Model, options: FitOptions): Promise<FitResult>;
export function fit(model: Module, options: BatchLossOptions): Promise<FitResult>;
export async function fit(model: Module, options: FitOptions): Promise<FitResult> {
  checkOptions(model, options);
  return await new Run(model, options).run();
}
