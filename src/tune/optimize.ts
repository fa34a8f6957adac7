/** The loop of a search: ask, run the objective, tell, with signs of life in between. Read study.ts for the parts. */
import { ValueError } from "../core/errors.js";
import { DivergedError } from "../train/errors.js";
import { LostTrialError, PrunedError } from "./errors.js";
import type { Ending } from "./storage.js";
import type { Study } from "./study.js";
import type { Trial } from "./trial.js";
import type { TrialRecord } from "./types.js";

/** What is to be made small or large. The signal tells that the search ends, or that somebody else has the trial. */
export type Objective<P> = (trial: Trial<P>, signal: AbortSignal) => number | Promise<number>;

export interface OptimizeOptions {
  /** How many trials the study is to have in the end, those that it has already included; so a search that stopped goes on. */
  readonly trials?: number;
  /** How many objectives run at the same time in this process; default 1. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  /** Whether an objective's error ends the search too; default true. The trial has failed either way. */
  readonly stopOnError?: boolean;
  /** Told of each trial that ended. */
  readonly onTrial?: (trial: TrialRecord) => void;
}

/** Runs `study.optimize`. */
export async function optimize<P>(
  study: Study<P>,
  objective: Objective<P>,
  { trials = Infinity, concurrency = 1, signal, stopOnError = true, onTrial }: OptimizeOptions,
): Promise<void> {
  const op = "optimize";
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new ValueError(op, `concurrency is ${concurrency}; expected a whole number ≥ 1`);
  if (!(trials >= 0)) throw new ValueError(op, `trials is ${trials}; expected a number ≥ 0`);
  if (trials === Infinity && !signal && !study.sampler.size)
    throw new ValueError(op, "would never end; give trials, or a signal");
  const failed = new AbortController();
  const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const line = async () => {
    while (!stop.aborted) {
      const trial = await study.ask({ trials });
      if (!trial) return;
      const { record, error } = await work(study, trial, objective, stop);
      if (record) onTrial?.(record);
      if (error !== undefined && stopOnError) {
        failed.abort(error);
        throw error;
      }
    }
  };
  const lines = Array.from({ length: concurrency }, line);
  const ends = await Promise.allSettled(lines);
  const broken = ends.find((end) => end.status === "rejected");
  if (broken) throw broken.reason;
}

interface Worked {
  /** Of the trial, if it ended here. */
  readonly record?: TrialRecord;
  /** Of the objective. */
  readonly error?: unknown;
}

async function work<P>(
  study: Study<P>,
  trial: Trial<P>,
  objective: Objective<P>,
  stop: AbortSignal,
): Promise<Worked> {
  const lost = new AbortController();
  const signal = AbortSignal.any([stop, lost.signal]);
  const quiet = keepAlive(study, trial, lost);
  try {
    try {
      const value = await objective(trial, signal);
      return { record: await study.tell(trial, value) };
    } catch (error) {
      if (error instanceof LostTrialError || lost.signal.aborted) return {};
      if (stop.aborted && !(error instanceof PrunedError)) {
        await study.storage.release(trial);
        return {};
      }
      const ending = await endingFor(error, trial);
      const record = await study.tell(trial, ending);
      return ending.state === "failed" ? { record, error } : { record };
    }
  } catch (error) {
    if (error instanceof LostTrialError) return {};
    throw error;
  } finally {
    quiet();
  }
}

async function endingFor<P>(error: unknown, trial: Trial<P>): Promise<Ending> {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof PrunedError || error instanceof DivergedError))
    return { state: "failed", error: message };
  const value = await trial.lastValue();
  const why = error instanceof DivergedError ? { error: message } : {};
  return { state: "pruned", ...why, ...(value !== undefined && { value }) };
}

/** Signs of life as long as an objective runs that lets go of the thread now and then; returns what ends them. */
function keepAlive<P>(study: Study<P>, trial: Trial<P>, lost: AbortController): () => void {
  if (study.staleAfter === Infinity) return () => {};
  const timer = setInterval(
    () => {
      trial.heartbeat().catch((error: unknown) => {
        if (error instanceof LostTrialError) lost.abort(error);
      });
    },
    Math.min(study.staleAfter / 4, 30_000),
  );
  return () => clearInterval(timer);
}
