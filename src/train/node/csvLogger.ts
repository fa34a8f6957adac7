/** A callback of `fit` that keeps a CSV file with a row for each epoch. Read exportRuns.ts for runs that are over. */
import * as fs from "node:fs";
import { FormatError } from "../../core/errors.js";
import { readFileLimited, type WriteOptions, writeFileAtomic } from "../../io/files.js";
import type { EpochSummary, Measures, TrainEvent } from "../events.js";
import { withoutMatrices } from "../runs/measures.js";
import { csvLine } from "./csv.js";
import type { FileCallback } from "./tensorBoard.js";

const fixed = ["epoch", "step", "lr", "seconds"];
const maxBytes = 2 ** 28;

/** All measures of an epoch under their columns' names. */
function measuresOf({ train, validation }: EpochSummary): Map<string, number> {
  const named = (part: string, measures: Measures) =>
    Object.entries(withoutMatrices(measures)).map(([name, value]): [string, number] => [
      `${part}.${name}`,
      value,
    ]);
  return new Map([
    ...named("train", train),
    ...(validation ? named("validation", validation) : []),
  ]);
}

/** The rows of a file that this callback wrote, up to a step; a run that goes on does the later ones again. */
function rowsBefore(path: string, step: number): { columns: string[]; rows: string[] } {
  if (!fs.existsSync(path)) return { columns: [], rows: [] };
  const lines = new TextDecoder().decode(readFileLimited(path, { maxBytes })).split("\r\n");
  const [header = "", ...rows] = lines.slice(0, -1);
  const titles = header.split(",");
  if (fixed.some((title, i) => titles[i] !== title) || header.includes('"'))
    throw new FormatError(
      "csvLogger",
      `${path}: is not a file of this callback; its header is "${header.slice(0, 80)}"`,
    );
  return {
    columns: titles.slice(fixed.length),
    rows: rows.filter((row) => Number(row.split(",")[1]) <= step),
  };
}

/**
 * Keeps a CSV file (RFC 4180) with a row for each epoch: epoch, step, learning rate, seconds and all measures. The file is
 * whole at any time; a run that goes on from a checkpoint goes on with its rows, another one begins the file anew.
 *
 * @throws FileError, ending the run, where the file cannot be written; FormatError where a run goes on with a file of others.
 * @example
 * ```ts
 * import { mkdtempSync, readFileSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { data, nn, ones, optim } from "gradus";
 * import { fit } from "gradus/train";
 * import { csvLogger } from "gradus/train/node";
 * const model = new nn.Linear(1, 1);
 * const path = join(mkdtempSync(join(tmpdir(), "gradus-")), "epochs.csv");
 * await fit(model, {
 *   optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
 *   train: new data.DataLoader(new data.TensorDataset(ones([4, 1]), ones([4, 1])), { batchSize: 2 }),
 *   epochs: 3,
 *   loss: nn.functional.mseLoss,
 *   callbacks: [csvLogger(path)],
 * });
 * console.log(readFileSync(path, "utf8").split("\r\n")[0]); // → epoch,step,lr,seconds,train.loss
 * ```
 */
export function csvLogger(path: string, write: WriteOptions = {}): FileCallback {
  let [columns, rows]: [string[], string[]] = [[], []];
  const onEpoch = (event: EpochSummary): void => {
    const measures = measuresOf(event);
    for (const name of measures.keys()) {
      if (columns.includes(name)) continue;
      columns = [...columns, name];
      rows = rows.map((row) => `${row},`);
    }
    const { epoch, step, lr, seconds } = event;
    const cells = [epoch, step, lr, seconds, ...columns.map((name) => measures.get(name))];
    rows = [...rows, csvLine(cells).slice(0, -2)];
    const text = [csvLine([...fixed, ...columns]).slice(0, -2), ...rows, ""].join("\r\n");
    writeFileAtomic(path, new TextEncoder().encode(text), write);
  };
  return {
    name: "csvLogger",
    onEvent(event: TrainEvent) {
      if (event.type === "start")
        ({ columns, rows } = event.resumed
          ? rowsBefore(path, event.step)
          : { columns: [], rows: [] });
      if (event.type === "epoch") onEpoch(event);
    },
    close() {
      // Nothing is open between epochs.
    },
  };
}
