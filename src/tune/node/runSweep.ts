/**
 * A search by processes that work side by side: each is given an equal part of the cores, asks the study's file for trials and
 * tells it what came of them. This side only starts them, replaces those that die, and passes on what they say. Read
 * sweepWorker.ts for the other side.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GradusError, ValueError } from "../../core/errors.js";
import { LostTrialError, StudyError } from "../errors.js";
import { makePruner } from "../pruners/make.js";
import { makeSampler } from "../samplers/make.js";
import { Space } from "../space/space.js";
import { createStudy, type Study } from "../study.js";
import type { TrialRecord } from "../types.js";
import { FileStorage } from "./fileStorage.js";
import { giveBackLost } from "./liveness.js";
import { makeFolder, sweepFiles } from "./sweepFolder.js";
import type { SweepOptions, SweepResult, WorkerMessage } from "./sweepTypes.js";
import { WorkerProcess } from "./workerProcess.js";

/** So many processes in a row may die without a trial, which nothing else would limit. */
const mostDeaths = 5;
/** Each has its own copy of the data. */
const mostByDefault = 4;
const pollMilliseconds = 500;
/** If so many trials have failed and none came to a value, the others would fail as well. */
const mostFailures = 5;

/**
 * Searches with several processes until the study has its trials, or goes on with one that was stopped.
 *
 * @throws StudyError where the folder holds another search, or no trial comes to a value; ValueError for options out of range.
 * @example
 * ```ts ignore
 * // objective.ts: export const objective = async (trial, { signal }) => await train(trial.parameters, signal);
 * import { logUniform, Space } from "gradus/tune";
 * import { runSweep } from "gradus/tune/node";
 * const { best } = await runSweep({
 *   folder: "runs/rates",
 *   study: {
 *     name: "rates",
 *     direction: "minimize",
 *     space: new Space({ lr: logUniform(1e-5, 1e-1) }).toJSON(),
 *     sampler: { kind: "tpe" },
 *     pruner: { kind: "median" },
 *   },
 *   task: { kind: "module", module: new URL("./objective.js", import.meta.url).href },
 *   trials: 50,
 * });
 * ```
 */
export async function runSweep(options: SweepOptions): Promise<SweepResult> {
  const settings = checkOptions(options);
  makeFolder(options.folder);
  const storage = new FileStorage(join(options.folder, sweepFiles.study));
  try {
    const { name, direction, space, sampler, pruner } = options.study;
    const study = await createStudy({
      ...{ name, direction, storage, space: new Space(space) },
      ...{ sampler: makeSampler(sampler), pruner: makePruner(pruner) },
      ...(options.first && { first: options.first }),
    });
    return await new Sweep(options, settings, study).run();
  } finally {
    storage.close();
  }
}

interface Shares {
  readonly workers: number;
  readonly threads: number;
  readonly silentSeconds: number;
  readonly attempts: number;
}

function checkOptions(options: SweepOptions): Shares {
  const cores = availableParallelism();
  const { trials, silentSeconds = 120, attempts = 3 } = options;
  const workers = options.workers ?? Math.min(cores, mostByDefault);
  const threads = options.threads ?? Math.max(1, Math.floor(cores / workers));
  const counts = {
    trials: [trials, 1_000_000],
    workers: [workers, 1024],
    threads: [threads, 1024],
    attempts: [attempts, 1_000_000],
  };
  for (const [name, [value, most]] of Object.entries(counts))
    if (!Number.isInteger(value) || value! < 1 || value! > most!)
      throw new ValueError(
        "runSweep",
        `${name} is ${value}; expected a whole number from 1 to ${most}`,
      );
  if (!(silentSeconds > 0))
    throw new ValueError("runSweep", `silentSeconds is ${silentSeconds}; expected a number > 0`);
  return { workers, threads, silentSeconds, attempts };
}

class Sweep {
  readonly #options: SweepOptions;
  readonly #shares: Shares;
  readonly #study: Study;
  readonly #running = new Map<number, WorkerProcess>();
  #nextWorker = 0;
  #deaths = 0;
  #failures = 0;
  #hasValue = false;
  /** Nothing was left when a worker asked. */
  #isDry = false;
  #broken: Error | undefined;
  #wake: () => void = () => {};

  constructor(options: SweepOptions, shares: Shares, study: Study) {
    this.#options = options;
    this.#shares = shares;
    this.#study = study;
  }

  async run(): Promise<SweepResult> {
    const { signal } = this.#options;
    const stop = () => this.#stopAll();
    signal?.addEventListener("abort", stop);
    try {
      await this.#begin();
      while (!this.#isStopping) {
        // Before the workers are counted, so that an exit meanwhile is not missed.
        const exit = this.#nextExit();
        if (await this.#startWorkers()) await exit;
        else if (!(await this.#waitForOthers())) break;
      }
      while (this.#running.size > 0) await this.#nextExit();
    } finally {
      signal?.removeEventListener("abort", stop);
      for (const worker of this.#running.values()) worker.kill();
    }
    if (this.#broken) throw this.#broken;
    const trials = await this.#study.trials();
    const best = await this.#study.bestTrial();
    const status = signal?.aborted && !this.#isComplete(trials) ? "stopped" : "finished";
    return { status, trials, ...(best && { best }) };
  }

  get #isStopping(): boolean {
    return this.#broken !== undefined || (this.#options.signal?.aborted ?? false);
  }

  #isComplete(trials: readonly TrialRecord[]): boolean {
    const isOpen = ({ state }: TrialRecord) => state === "waiting" || state === "running";
    return !trials.some(isOpen) && (this.#isDry || trials.length >= this.#options.trials);
  }

  async #begin(): Promise<void> {
    const { workers, threads } = this.#shares;
    await giveBackLost(this.#study.storage, this.#shares);
    const trials = await this.#study.trials();
    this.#hasValue = trials.some(({ state }) => state === "complete");
    const ended = trials.filter(({ ended }) => ended !== undefined).length;
    const best = await this.#study.bestTrial();
    const most = this.#most(trials);
    this.#tell({ type: "start", ended, trials: most, workers, threads, ...(best && { best }) });
  }

  /** Another sweep may be at work on the same study; false when there are no trials under way. */
  async #waitForOthers(): Promise<boolean> {
    if (!(await this.#study.trials()).some(({ state }) => state === "running")) return false;
    const { signal } = this.#options;
    await sleep(pollMilliseconds, undefined, { ...(signal && { signal }) }).catch(() => {});
    await giveBackLost(this.#study.storage, this.#shares);
    return true;
  }

  /** A grid may end before. */
  #most(trials: readonly TrialRecord[]): number {
    const { sampler, space } = this.#study;
    const enqueued = trials.filter((trial) => trial.enqueued).length;
    return Math.min(this.#options.trials, enqueued + (sampler.size?.(space) ?? Infinity));
  }

  #tell(event: Parameters<NonNullable<SweepOptions["onEvent"]>>[0]): void {
    this.#options.onEvent?.(event);
  }

  /** As many as there is work for; false when there is none left. */
  async #startWorkers(): Promise<boolean> {
    const trials = await this.#study.trials();
    const waiting = trials.filter(({ state }) => state === "waiting").length;
    const fresh = this.#isDry ? 0 : Math.max(0, this.#options.trials - trials.length);
    const wanted = Math.min(this.#shares.workers - this.#running.size, waiting + fresh);
    for (let i = 0; i < wanted; i++) this.#startWorker();
    return this.#running.size > 0;
  }

  #startWorker(): void {
    const { folder, task, trials, backend } = this.#options;
    const { threads, silentSeconds } = this.#shares;
    const slot = Array.from({ length: this.#shares.workers }, (_, i) => i + 1).find(
      (number) => !this.#running.has(number),
    )!;
    const name = String(++this.#nextWorker);
    const worker = new WorkerProcess(
      {
        ...{ worker: slot, name, folder, task, trials, threads, silentSeconds },
        ...(backend && { backend }),
      },
      {
        onMessage: (message) => this.#onMessage(message),
        onOutput: (text) => this.#tell({ type: "output", worker: slot, text }),
        onExit: () => void this.#onExit(slot, worker),
      },
    );
    this.#running.set(slot, worker);
  }

  #onMessage(message: WorkerMessage): void {
    if (message.type === "unable") this.#break(new StudyError("sweep", message.message));
    else this.#tell(message);
    if (message.type !== "end") return;
    this.#deaths = 0;
    const { state, error } = message.trial;
    if (state === "complete") this.#hasValue = true;
    if (state === "failed") this.#failures++;
    if (!this.#hasValue && this.#failures >= mostFailures)
      this.#break(
        new StudyError("sweep", `${this.#failures} trials failed and none succeeded: ${error}`),
      );
  }

  #break(error: Error): void {
    this.#broken ??= error;
    this.#stopAll();
  }

  #stopAll(): void {
    for (const worker of this.#running.values()) worker.stop();
  }

  #nextExit(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async #onExit(slot: number, worker: WorkerProcess): Promise<void> {
    try {
      const end = worker.end!;
      if (end.kind === "done") this.#isDry = !this.#isStopping;
      else if (!this.#broken) await this.#bury(worker, end);
    } catch (error) {
      this.#break(error instanceof Error ? error : new GradusError("sweep", String(error)));
    }
    this.#running.delete(slot);
    this.#wake();
  }

  /** What a dead worker had: a crash is the trial's own fault, a signal is not. */
  async #bury(worker: WorkerProcess, end: { kind: "crashed" | "killed"; reason: string }) {
    const { storage } = this.#study;
    const held = (await this.#study.trials()).filter(
      (trial) => trial.state === "running" && trial.worker === worker.workerName,
    );
    if (end.kind === "crashed") for (const trial of held) await this.#fail(trial, end.reason);
    // Another may have crashed in the meantime, which its own end will tell.
    const others = [...this.#running.values()].filter((other) => other !== worker);
    const except = others.map(({ workerName }) => workerName);
    for (const trial of await giveBackLost(storage, { ...this.#shares, except }))
      if (trial.state === "failed") this.#onMessage({ type: "end", trial });
      else this.#tell({ type: "back", trial, reason: end.reason });
    if (held.length === 0 && ++this.#deaths >= mostDeaths)
      this.#break(new StudyError("sweep", `${this.#deaths} processes died: ${end.reason}`));
  }

  async #fail(trial: TrialRecord, error: string): Promise<void> {
    try {
      const failed = await this.#study.storage.tell(trial, { state: "failed", error });
      this.#onMessage({ type: "end", trial: failed });
    } catch (lost) {
      // Somebody else was faster.
      if (!(lost instanceof LostTrialError)) throw lost;
    }
  }
}
