/**
 * Runs for other programs: tables as CSV, event files for TensorBoard. The log is gone through line by line, so that runs of any
 * length fit. Node only. Read readRun.ts for what a run is, ../tensorboard/summaries.ts for what TensorBoard is shown.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { ValueError } from "../../core/errors.js";
import { fileError } from "../../io/fileSystem.js";
import { AtomicFile, readFileLimited, type WriteOptions } from "../../io/files.js";
import type { LogEntry } from "../runs/loggedEvents.js";
import type { RunRecord, RunStatus } from "../runs/runRecord.js";
import {
  eventRecord,
  fileHeader,
  type SummaryValue,
  sessionEnd,
  sessionStart,
} from "../tensorboard/events.js";
import { hyperparametersOf, scalarsOf, settingsTable } from "../tensorboard/summaries.js";
import { csvLine } from "./csv.js";
import { readLog, readRun } from "./readRun.js";
import { runFiles } from "./runFolder.js";
import { pngImage } from "./summaryWriter.js";

export type CsvRows = "epochs" | "steps";

export interface ExportOptions extends WriteOptions {
  /** Stops the export; nothing is written then. */
  readonly signal?: AbortSignal;
  /** Told now and then how much of the run at hand is done, from 0 to 1. */
  readonly onProgress?: (run: string, share: number) => void;
}

export interface ExportCsvOptions extends ExportOptions {
  /** A row for each epoch, with all measures, or for each step, with loss and rate; default `epochs`. */
  readonly rows?: CsvRows;
}

const pieceBytes = 2 ** 18;

/**
 * Writes records of one file in pieces that are worth a write each; between them other work gets its turn, so that a signal is
 * heard.
 *
 * @throws the signal's reason, with nothing written, where it came.
 */
async function writeRecords(
  path: string,
  records: Iterable<Uint8Array>,
  { signal, ...write }: ExportOptions,
): Promise<void> {
  const file = new AtomicFile(path, write);
  try {
    let [held, length]: [Uint8Array[], number] = [[], 0];
    for (const record of records) {
      held.push(record);
      length += record.length;
      if (length < pieceBytes) continue;
      file.write(Buffer.concat(held));
      [held, length] = [[], 0];
      await new Promise(setImmediate);
      signal?.throwIfAborted();
    }
    file.write(Buffer.concat(held));
    signal?.throwIfAborted();
  } catch (error) {
    file.discard();
    throw error;
  }
  file.commit();
}

const encoder = new TextEncoder();

function* encoded(texts: Iterable<string>): Generator<Uint8Array> {
  for (const text of texts) yield encoder.encode(text);
}

interface EntriesOptions extends ExportOptions {
  readonly steps?: boolean;
}

const progressEntries = 5000;

/** The entries of a run's log; none where it has no log. */
function* entriesOf(run: RunRecord, options: EntriesOptions): Generator<LogEntry> {
  const { steps = true, onProgress } = options;
  const log = join(run.path, runFiles.log);
  if (!fs.existsSync(log)) return;
  let count = 0;
  for (const entry of readLog(log, { steps })) {
    if (onProgress && ++count % progressEntries === 0)
      onProgress(run.name, Math.min(1, entry.event.step / Math.max(1, run.step)));
    yield entry;
  }
}

function* epochLines(runs: readonly RunRecord[], options: ExportOptions): Generator<string> {
  const names = { train: new Set<string>(), validation: new Set<string>() };
  for (const { best } of runs)
    for (const part of ["train", "validation"] as const)
      for (const name of Object.keys(best[part])) names[part].add(name);
  const columns = (["train", "validation"] as const).flatMap((part) =>
    [...names[part]].map((name) => ({ part, name })),
  );
  const titles = columns.map(({ part, name }) => `${part}.${name}`);
  yield csvLine(["run", "epoch", "step", "lr", "seconds", ...titles]);
  for (const run of runs)
    for (const { event } of entriesOf(run, { ...options, steps: false })) {
      if (event.type !== "epoch") continue;
      const { epoch, step, lr, seconds } = event;
      const values = columns.map(({ part, name }) => event[part]?.[name]);
      yield csvLine([run.name, epoch, step, lr, seconds, ...values]);
    }
}

function* stepLines(runs: readonly RunRecord[], options: ExportOptions): Generator<string> {
  yield csvLine(["run", "time", "epoch", "step", "loss", "lr"]);
  for (const run of runs)
    for (const { event, time } of entriesOf(run, options)) {
      if (event.type !== "step") continue;
      const written = time === null ? "" : new Date(time).toISOString();
      yield csvLine([run.name, written, event.epoch, event.step, event.loss, event.lr]);
    }
}

/**
 * Writes runs as one CSV file (RFC 4180) with a row for each epoch or step, whole or not at all.
 *
 * @param paths the runs' folders.
 * @throws FileError where a run cannot be read or the file cannot be written; ValueError for no runs; the signal's reason.
 * @example
 * ```ts ignore
 * import { exportCsv } from "gradus/train/node";
 * await exportCsv(["runs/first-try", "runs/second-try"], "epochs.csv");
 * ```
 */
export async function exportCsv(
  paths: readonly string[],
  file: string,
  { rows = "epochs", ...options }: ExportCsvOptions = {},
): Promise<void> {
  if (paths.length === 0) throw new ValueError("exportCsv", "got no runs");
  const runs = paths.map((path) => readRun(path, { curves: false }));
  const lines = rows === "epochs" ? epochLines(runs, options) : stepLines(runs, options);
  await writeRecords(file, encoded(lines), options);
}

const most = { pictures: 16, pictureBytes: 2 ** 24 } as const;

/** The pictures of a run; those that are too large or damaged are left out. */
function* pictureValues({ path, files }: RunRecord): Generator<SummaryValue> {
  const pictures = files.filter(
    ({ name, bytes }) => /\.png$/i.test(name) && bytes <= most.pictureBytes,
  );
  for (const { name } of pictures.slice(0, most.pictures)) {
    const file = join(path, name);
    try {
      const image = pngImage(readFileLimited(file, { maxBytes: most.pictureBytes }), file);
      yield { tag: name.replace(/\.png$/i, ""), image };
    } catch {
      // What is no picture is not shown.
    }
  }
}

const endings: Partial<Record<RunStatus, Parameters<typeof sessionEnd>[0]>> = {
  ...{ finished: "success", failed: "failure", running: "running" },
};

function* eventRecords(run: RunRecord, options: ExportOptions): Generator<Uint8Array> {
  const begun = run.created ?? 0;
  yield fileHeader(begun);
  if (Object.keys(run.settings).length > 0) {
    yield eventRecord([{ tag: "settings", text: settingsTable(run.settings) }], {
      step: 0,
      time: begun,
    });
    const settings = hyperparametersOf({ ...(run.model && { model: run.model }), ...run.settings });
    yield eventRecord([sessionStart(settings, begun)], { step: 0, time: begun });
  }
  let now = begun;
  for (const { event, time } of entriesOf(run, options)) {
    now = time ?? now;
    const values = scalarsOf(event);
    if (values.length > 0) yield eventRecord(values, { step: event.step, time: now });
  }
  for (const value of pictureValues(run)) yield eventRecord([value], { step: run.step, time: now });
  const status = endings[run.status];
  if (status) yield eventRecord([sessionEnd(status, now)], { step: 0, time: now });
}

/**
 * Writes a run as an event file that TensorBoard opens: losses, rates, measures and health by step with their times, settings
 * as text and as hyperparameters, pictures. The same run gives the same file, which replaces the one before.
 *
 * @param path the run's folder.
 * @param folder where the file goes; one for each run, since TensorBoard names runs by their folders.
 * @returns the file's path.
 * @throws FileError where the run cannot be read or the file cannot be written; the signal's reason.
 * @example
 * ```ts ignore
 * import { exportTensorBoard } from "gradus/train/node";
 * await exportTensorBoard("runs/first-try", "board/first-try"); // then: tensorboard --logdir board
 * ```
 */
export async function exportTensorBoard(
  path: string,
  folder: string,
  options: ExportOptions = {},
): Promise<string> {
  const run = readRun(path, { curves: false });
  const seconds = String(Math.floor((run.created ?? 0) / 1000)).padStart(10, "0");
  const file = join(folder, `events.out.tfevents.${seconds}.gradus`);
  try {
    fs.mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fileError("exportTensorBoard", folder, error);
  }
  await writeRecords(file, eventRecords(run, options), options);
  return file;
}
