/**
 * Reads runs back from their folders, whoever wrote them: the log is read in one pass with bounded memory, and what cannot
 * be understood is named and left out. Node only. Read ../runs/runHistory.ts for what is gathered.
 */
import * as fs from "node:fs";
import { basename, join, resolve } from "node:path";
import { FileError } from "../../io/fileSystem.js";
import { readFileLimited } from "../../io/files.js";
import { readLines } from "../../io/lines.js";
import { type LogEntry, readLogEntry } from "../runs/loggedEvents.js";
import { RunHistory } from "../runs/runHistory.js";
import type { RunFile, RunRecord, RunStatus } from "../runs/runRecord.js";
import { readConfigFacts } from "./configFacts.js";
import { runFiles } from "./runFolder.js";
import { runHolder } from "./runLock.js";

export interface ReadRunOptions {
  /** Read the losses of all steps too; default true. Without them a log of a million steps takes a moment only. */
  readonly curves?: boolean;
  /** What time it is, in milliseconds since 1970; default now. Tells a run that is silent from one that is dead. */
  readonly now?: number;
}

/**
 * A run without a lock that tells more is taken for dead where it has written nothing for so long, or for five times its
 * longest evaluation.
 */
const silentMilliseconds = 60_000;
const most = { configBytes: 2 ** 22, files: 500 } as const;
const marker = Buffer.from('"type":"step"');
/** In a line that Gradus wrote, the kind stands within so many bytes: after the time. */
const markerBytes = 64;

const exists = (path: string): boolean => fs.existsSync(path);

/** Whether a folder is a run's: it holds a configuration or a log. */
export const isRunFolder = (path: string): boolean =>
  exists(join(path, runFiles.config)) || exists(join(path, runFiles.log));

/**
 * The entries of a run's log, one by one; lines that are none are counted and left out.
 *
 * @param onProblem gets the number of each line that could not be understood.
 * @throws FileError where the log cannot be read.
 * @example
 * ```ts ignore
 * import { readLog } from "gradus/train/node";
 * for (const { event } of readLog("runs/lenet-2026-11-23-001/log.jsonl"))
 *   if (event.type === "epoch") console.log(event.epoch, event.train.loss);
 * ```
 */
export function* readLog(
  path: string,
  { steps = true, onProblem }: ReadLogOptions = {},
): Generator<LogEntry, void, undefined> {
  let number = 0;
  let skipped: Buffer | null = null;
  const parse = (line: Buffer | null): LogEntry | null => {
    const entry = line === null ? undefined : parseLine(line);
    if (entry === undefined) onProblem?.(number);
    return entry ?? null;
  };
  for (const line of readLines(path)) {
    number++;
    if (line?.length === 0) continue;
    if (!steps && line !== null && isStep(line)) {
      skipped = line;
      continue;
    }
    const entry = parse(line);
    // The last of the steps that were passed over says how far the run came.
    if (skipped && entry) yield* present(parse(skipped));
    if (entry) skipped = null;
    yield* present(entry);
  }
  if (skipped) yield* present(parse(skipped));
}

export interface ReadLogOptions {
  /** False gives only the last of successive steps; default true. */
  readonly steps?: boolean;
  readonly onProblem?: (line: number) => void;
}

const present = (entry: LogEntry | null): LogEntry[] => (entry ? [entry] : []);

const isStep = (line: Buffer): boolean => {
  const at = line.subarray(0, markerBytes).indexOf(marker);
  return at >= 0;
};

function parseLine(line: Buffer): LogEntry | null | undefined {
  try {
    return readLogEntry(JSON.parse(line.toString()));
  } catch {
    return undefined;
  }
}

/**
 * Reads a run from its folder: settings, how far it came, curves, best values, files.
 *
 * @throws FileError where the folder is no run's or cannot be read. What is damaged in it is named in `problems`.
 * @example
 * ```ts ignore
 * import { readRun } from "gradus/train/node";
 * const { status, best } = readRun("runs/lenet-2026-11-23-001");
 * console.log(status, best.validation.accuracy?.value); // → finished 0.986
 * ```
 */
export function readRun(path: string, options: ReadRunOptions = {}): RunRecord {
  const { curves = true, now = Date.now() } = options;
  if (!isRunFolder(path)) {
    const message = exists(path) ? `is not a run: it holds no ${runFiles.config}` : "no such run";
    throw new FileError("readRun", path, message, "ENOENT");
  }
  const problems: string[] = [];
  const config = readConfigFacts(readConfig(join(path, runFiles.config), problems));
  const history = new RunHistory();
  const log = join(path, runFiles.log);
  const written = fs.statSync(log, { throwIfNoEntry: false });
  if (written) readInto(history, log, curves, problems);
  const { start, step, epoch, end, health, best } = history;
  return {
    name: basename(resolve(path)),
    path,
    status: statusOf(history, runHolder(path), written?.mtimeMs ?? 0, now),
    message: end?.type === "failed" ? end.message : null,
    created: config.created ?? history.begun ?? folderTime(path),
    changed: history.changed ?? written?.mtimeMs ?? null,
    model: config.model,
    settings: config.settings,
    facts: config.facts,
    epochs: start?.epochs ?? null,
    totalSteps: start?.totalSteps ?? null,
    ...{ epoch, step, best, start, health, notes: history.notes, seconds: history.seconds },
    matrices: history.matrices,
    history: history.epochs,
    evaluations: history.evaluations,
    losses: history.steps,
    rates: history.rates,
    files: listFiles(path),
    problems,
  };
}

function readConfig(path: string, problems: string[]): unknown {
  if (!exists(path)) return undefined;
  try {
    if (!fs.statSync(path).isFile()) throw new FileError("readRun", path, "is not a file");
    const bytes = readFileLimited(path, { maxBytes: most.configBytes });
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch (error) {
    const message = error instanceof SyntaxError ? "is not JSON" : (error as Error).message;
    problems.push(`${runFiles.config}: ${message}`);
    return undefined;
  }
}

function readInto(history: RunHistory, log: string, curves: boolean, problems: string[]): void {
  let [damaged, first] = [0, 0];
  const onProblem = (line: number) => {
    if (damaged++ === 0) first = line;
  };
  try {
    for (const entry of readLog(log, { steps: curves, onProblem })) history.add(entry);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    problems.push(`${runFiles.log}: ${error.message}`);
  }
  if (damaged === 1) problems.push(`${runFiles.log}: line ${first} is no event`);
  if (damaged > 1)
    problems.push(`${runFiles.log}: ${damaged} lines are no events, the first is line ${first}`);
}

function statusOf(
  history: RunHistory,
  holder: "alive" | "gone" | "elsewhere" | null,
  written: number,
  now: number,
): RunStatus {
  if (history.end) return history.end.type;
  if (holder === "alive") return "running";
  const patience = Math.max(silentMilliseconds, 5000 * history.longestEvaluation);
  const last = Math.max(written, history.changed ?? 0);
  if (holder !== "gone" && now - last <= patience) return "running";
  return history.start || history.step > 0 ? "interrupted" : "empty";
}

const folderTime = (path: string): number | null =>
  fs.statSync(path, { throwIfNoEntry: false })?.birthtimeMs ?? null;

/** The files in the folder and one level below; links are not followed. */
function listFiles(path: string): RunFile[] {
  const files: RunFile[] = [];
  const look = (folder: string, prefix: string): void => {
    for (const entry of readFolder(folder)) {
      if (files.length >= most.files) return;
      const name = prefix + entry.name;
      if (entry.isDirectory() && prefix === "") look(join(folder, entry.name), `${name}/`);
      const stat = entry.isFile()
        ? fs.statSync(join(folder, entry.name), { throwIfNoEntry: false })
        : undefined;
      if (stat) files.push({ name, bytes: stat.size });
    }
  };
  look(path, "");
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readFolder(path: string): fs.Dirent[] {
  try {
    return fs.readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}

/**
 * Reads all runs in a folder, the newest first, without the losses of their steps.
 *
 * @returns nothing where there is no such folder.
 * @example
 * ```ts ignore
 * import { listRuns } from "gradus/train/node";
 * for (const { name, status } of listRuns("runs")) console.log(name, status);
 * ```
 */
export function listRuns(
  folder: string,
  options: Omit<ReadRunOptions, "curves"> = {},
): RunRecord[] {
  const paths = readFolder(folder).map(({ name }) => join(folder, name));
  return paths
    .filter(isRunFolder)
    .map((path) => readRun(path, { ...options, curves: false }))
    .sort((a, b) => (b.created ?? 0) - (a.created ?? 0) || (a.name < b.name ? 1 : -1));
}
