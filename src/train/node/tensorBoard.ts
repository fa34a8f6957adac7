/**
 * A callback of `fit` that writes TensorBoard's event files while the run goes on. Read summaryWriter.ts for the files,
 * exportRuns.ts for runs that are over.
 */

import type { WriteOptions } from "../../io/files.js";
import type { Callback, RunControl } from "../callbacks/callback.js";
import type { TrainEvent } from "../events.js";
import { type FlatSettings, flattenSettings } from "../runs/settings.js";
import { hyperparametersOf, scalarsOf, settingsTable } from "../tensorboard/summaries.js";
import { SummaryWriter, type SummaryWriterOptions } from "./summaryWriter.js";

export interface TensorBoardOptions extends WriteOptions {
  /** The run's settings, shown as text and in the table of hyperparameters; any nested values. */
  readonly settings?: object;
  /** Also histograms of all parameters, after so many epochs each; default never. */
  readonly histogramEpochs?: number;
  /** Losses and rates only of every so many steps; default 1. */
  readonly everySteps?: number;
}

/** A callback of `fit` that writes files. */
export interface FileCallback extends Callback {
  onEvent(event: TrainEvent, run?: Pick<RunControl, "model">): void;
  /** Closes its file; also done when the run ends. */
  close(): void;
}

/**
 * Shows a run in TensorBoard as it goes on: `tensorboard --logdir FOLDER`. Each event is one write, so that what was
 * reported is there even if the process is killed. A run that goes on adds a file to the folder;
 * steps that are done again then count once.
 *
 * @param folder one for each run; TensorBoard names the run by it.
 * @throws FileError, ending the run, where the files cannot be written.
 * @example
 * ```ts
 * import { mkdtempSync, readdirSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { data, nn, ones, optim } from "gradus";
 * import { fit } from "gradus/train";
 * import { tensorBoard } from "gradus/train/node";
 * const model = new nn.Linear(1, 1);
 * const folder = join(mkdtempSync(join(tmpdir(), "gradus-")), "first");
 * await fit(model, {
 *   optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
 *   train: new data.DataLoader(new data.TensorDataset(ones([4, 1]), ones([4, 1])), { batchSize: 2 }),
 *   epochs: 3,
 *   loss: nn.functional.mseLoss,
 *   callbacks: [tensorBoard(folder, { settings: { lr: 0.1 } })],
 * });
 * console.log(readdirSync(folder).length); // → 1
 * ```
 */
export function tensorBoard(folder: string, options: TensorBoardOptions = {}): FileCallback {
  const { settings = {}, histogramEpochs = 0, everySteps = 1, ...write } = options;
  let writer: SummaryWriter | undefined;
  const close = () => {
    writer?.close();
    writer = undefined;
  };
  const open = (more: SummaryWriterOptions = {}): SummaryWriter => {
    writer ??= new SummaryWriter(folder, { ...write, ...more });
    return writer;
  };
  return {
    name: "tensorBoard",
    onEvent(event, run) {
      if (event.type === "start" && event.resumed) open({ purgeStep: event.step + 1 });
      if (event.type === "start" && !event.resumed) describe(open(), flattenSettings(settings));
      if (event.type === "step" && event.step % everySteps !== 0) return;
      const values = [...scalarsOf(event)];
      if (event.type === "step" && event.examplesPerSecond !== null)
        values.push({ tag: "examplesPerSecond", scalar: event.examplesPerSecond });
      const { step } = event;
      if (values.length > 0) open().add(values, { step });
      if (
        event.type === "epoch" &&
        run &&
        histogramEpochs > 0 &&
        event.epoch % histogramEpochs === 0
      )
        for (const [name, parameter] of run.model.namedParameters())
          open().addHistogram(`parameters/${name}`, parameter.data, { step });
      if (event.type === "finished") open().addEnd("success");
      if (event.type === "failed") open().addEnd("failure");
      if (["finished", "failed", "stopped"].includes(event.type)) close();
    },
    close,
  };
}

function describe(writer: SummaryWriter, settings: FlatSettings): void {
  if (Object.keys(settings).length === 0) return;
  writer.addText("settings", settingsTable(settings), { step: 0 });
  writer.addHparams(hyperparametersOf(settings));
}
