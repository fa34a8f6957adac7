/**
 * A process that works on a sweep's trials: asks, runs, reports, tells, until there are none left or it is told to stop. It is
 * started by runSweep.ts, which it leaves its words to. Read experimentTask.ts for what it runs.
 */
import { join } from "node:path";
import { setBackend, setNumThreads } from "../../backend/select.js";
import { ValueError } from "../../core/errors.js";
import type { ExperimentBuilder } from "../../train/index.js";
import { loadStudy, type Study } from "../study.js";
import type { Trial } from "../trial.js";
import { experimentRunner } from "./experimentTask.js";
import { FileStorage } from "./fileStorage.js";
import { workerName } from "./liveness.js";
import { runRunner } from "./runTask.js";
import { makeFolder, sweepFiles, trialFolder } from "./sweepFolder.js";
import {
  type ObjectiveContext,
  stopMessage,
  type TrialRunner,
  type WorkerMessage,
  type WorkerStart,
} from "./sweepTypes.js";

const progressMilliseconds = 150;

/** The whole message is on its way when this settles; a parent that is gone reads nothing. */
const send = (message: WorkerMessage): Promise<void> =>
  new Promise((resolve) => {
    if (!process.connected) resolve();
    else process.send?.(message, undefined, undefined, () => resolve());
  });

/** The last end of a trial may still be on its way. */
let sent = Promise.resolve();
const stop = new AbortController();
let exitCode = 0;
// The terminal sends Ctrl-C to every process; when to stop is the parent's to say, and its end says so too.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {
  exitCode = 143;
  stop.abort();
});
process.on("disconnect", () => stop.abort());

async function loadFunction<F>(module: string, name: string): Promise<F> {
  const found = ((await import(module)) as Record<string, unknown>)[name];
  if (typeof found === "function") return found as F;
  throw new ValueError("sweep", `${module} exports no function ${name}`);
}

async function prepare(start: WorkerStart): Promise<TrialRunner> {
  if (start.backend) setBackend(start.backend);
  setNumThreads(start.threads);
  const { task } = start;
  if (task.kind === "module") return await loadFunction(task.module, task.name ?? "objective");
  if (task.kind === "run") return await runRunner(task);
  const build = await loadFunction<ExperimentBuilder>(task.module, task.name ?? "build");
  return experimentRunner(build, task);
}

async function work(start: WorkerStart, run: TrialRunner): Promise<void> {
  const storage = new FileStorage(join(start.folder, sweepFiles.study));
  const study = await loadStudy(storage, {
    worker: workerName(start.name),
    staleAfter: start.silentSeconds * 1000,
  });
  await study.optimize(
    async (trial, signal) => {
      const { number, attempt, parameters } = trial;
      await send({ type: "begin", number, attempt, parameters, worker: start.worker });
      return await run(reporting(trial), contextOf(start, trial, study, signal));
    },
    {
      trials: start.trials,
      signal: stop.signal,
      stopOnError: false,
      onTrial: (trial) => {
        sent = send({ type: "end", trial });
      },
    },
  );
  storage.close();
}

/** The trial, telling the parent what it reports. */
function reporting(trial: Trial): Trial {
  const report = trial.report.bind(trial);
  trial.report = async (step, value) => {
    await report(step, value);
    await send({ type: "report", number: trial.number, step, value });
  };
  return trial;
}

function contextOf(
  start: WorkerStart,
  { number }: Trial,
  { direction }: Study,
  signal: AbortSignal,
): ObjectiveContext {
  let last = 0;
  return {
    direction,
    signal,
    folder: () => makeFolder(join(start.folder, trialFolder(number))),
    args: start.task.kind === "module" ? start.task.args : undefined,
    progress: (share) => {
      const now = performance.now();
      if (now - last < progressMilliseconds) return;
      last = now;
      void send({ type: "progress", number, share });
    },
  };
}

async function main(start: WorkerStart): Promise<void> {
  let run: TrialRunner;
  try {
    run = await prepare(start);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await send({ type: "unable", message });
    process.exit(1);
  }
  await work(start, run);
  await sent;
  process.exit(exitCode);
}

process.on("message", (message: WorkerStart | typeof stopMessage) => {
  if (message === stopMessage) stop.abort();
  else void main(message);
});
