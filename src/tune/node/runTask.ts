/**
 * A trial that is a run: trained from a configuration with the trial's settings, in a folder of its own, from which a worker
 * that gets the trial later goes on. Read experimentTask.ts for trials without a folder.
 */
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { FormatError } from "../../core/errors.js";
import { FileError } from "../../io/fileSystem.js";
import type { RunDefinition } from "../../train/config/define.js";
import { ConfigError } from "../../train/config/problems.js";
import { ResumeError, type Settings } from "../../train/index.js";
import {
  experimentFrom,
  experimentFromSource,
  type LoadedExperiment,
  RunFolder,
  type RunHandlers,
  type RunOutcome,
  resumeRun,
  runFiles,
  startRun,
} from "../../train/node/index.js";
import { runHolder } from "../../train/node/runLock.js";
import { PrunedError } from "../errors.js";
import { metricReader, pick, Watch } from "./experimentTask.js";
import { type RunSource, readRun } from "./sweepFile.js";
import { trialFolder } from "./sweepFolder.js";
import type { RunTask, TrialRunner } from "./sweepTypes.js";

/** The experiment that a sweep's trials change. */
export async function loadRun(source: RunSource, settings: Settings): Promise<LoadedExperiment> {
  if (!source.isInside) return await experimentFromSource(source, settings);
  return experimentFrom((await readRun(source)) as RunDefinition, source.path, settings);
}

/** The same experiment with settings changed, which shares its data. */
const changed = (loaded: LoadedExperiment, changes: Settings): LoadedExperiment => ({
  ...loaded,
  changes: { ...loaded.changes, ...changes },
  build: (more) => loaded.build({ ...changes, ...more }),
});

/** What runs the trials of a configuration. */
export async function runRunner(task: RunTask): Promise<TrialRunner> {
  const loaded = await loadRun(task.source, task.settings);
  const measure = metricReader(task.metric);
  return async (trial, context) => {
    const watch = new Watch(trial, context, measure);
    const folder = freeFolder(context.folder(), trial.attempt);
    await trial.annotate({ run: join(dirname(trialFolder(trial.number)), basename(folder)) });
    const { status, history } = await trainIn(
      folder,
      changed(loaded, trial.parameters as Settings),
      {
        signal: AbortSignal.any([context.signal, watch.signal]),
        onEvent: (event) => watch.follow(event),
      },
    );
    await watch.settled();
    if (status === "stopped" && !watch.signal.aborted) throw new Error("stopped");
    // Nobody goes on with it, and those of a hundred trials would fill the disk.
    fs.rmSync(join(folder, runFiles.checkpoints), { recursive: true, force: true });
    if (watch.signal.aborted) throw new PrunedError();
    return pick(history.map(measure), task.take ?? "last", watch.isBetter);
  };
}

/** A trial's folder, or another one beside it where a process that fell silent, and so lost the trial, still trains in that. */
const freeFolder = (folder: string, attempt: number): string =>
  runHolder(folder) === "alive" ? `${folder}-${attempt}` : folder;

/** Goes on with the run in a folder if it is this one's, else begins it. */
async function trainIn(
  path: string,
  experiment: LoadedExperiment,
  handlers: RunHandlers,
): Promise<RunOutcome> {
  if (isSame(path, experiment)) {
    try {
      return await resumeRun({ path, ...handlers });
    } catch (error) {
      const isUnusable =
        error instanceof ResumeError ||
        error instanceof FormatError ||
        error instanceof ConfigError;
      if (!isUnusable) throw error;
    }
  }
  fs.rmSync(path, { recursive: true, force: true });
  return await startRun({ experiment, runs: dirname(path), name: basename(path), ...handlers });
}

/** Whether the folder holds a run that began with these settings. */
function isSame(path: string, { changes }: LoadedExperiment): boolean {
  try {
    return isDeepStrictEqual(RunFolder.open(path).readConfig().changes, { ...changes });
  } catch (error) {
    if (error instanceof FileError || error instanceof FormatError) return false;
    throw error;
  }
}
