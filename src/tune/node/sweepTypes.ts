/** What a sweep's parts tell one another: options, events, and the messages between its processes. Read runSweep.ts next. */
import type { BackendName } from "../../backend/contract.js";
import type { Settings } from "../../train/index.js";
import type { SpaceJson } from "../space/space.js";
import type { NamedOptions } from "../storage.js";
import type { Trial } from "../trial.js";
import type { Direction, Parameters, TrialRecord } from "../types.js";
import type { RunSource } from "./sweepFile.js";

/** Trains an experiment with a trial's parameters as changed settings. */
export interface ExperimentTask {
  readonly kind: "experiment";
  /** A module that exports an `ExperimentBuilder`; its address as in {@link ModuleTask}. */
  readonly module: string;
  /** The builder that it exports; default `build`. */
  readonly name?: string;
  /** Settings changed for all trials. */
  readonly settings?: Settings;
  /** What to search by, such as `validation.accuracy` or `train.loss`. */
  readonly metric: string;
  /** Of all epochs the last one's value (default) or the best. */
  readonly take?: "last" | "best";
}

/** Calls a function of a module, `objective(trial, context)`, for each trial. */
export interface ModuleTask {
  readonly kind: "module";
  /** Its address, such as `new URL("./objective.js", import.meta.url).href`. */
  readonly module: string;
  /** The function that it exports; default `objective`. */
  readonly name?: string;
  /** Handed on in the context: plain JSON. */
  readonly args?: unknown;
}

/** Trains a configuration from a file with a trial's parameters as changed settings, in a run's folder that can be resumed. */
export interface RunTask {
  readonly kind: "run";
  readonly source: RunSource;
  /** Settings changed for all trials. */
  readonly settings: Settings;
  /** As in {@link ExperimentTask}. */
  readonly metric: string;
  readonly take?: "last" | "best";
}

export type SweepTask = ExperimentTask | ModuleTask | RunTask;

/** What an objective gets besides its trial. */
export interface ObjectiveContext {
  /** Of the study. */
  readonly direction: Direction;
  /** Stop after the step at hand: the sweep ends, or somebody else has the trial. */
  readonly signal: AbortSignal;
  /** A folder of the trial's own, made when it is first asked for. */
  folder(): string;
  readonly args: unknown;
  /** Tells how far the trial is, from 0 to 1. */
  progress(share: number): void;
}

/** What runs a trial; its value is what it returns. */
export type TrialRunner = (trial: Trial, context: ObjectiveContext) => number | Promise<number>;

/** What is searched, by what. */
export interface SweepStudy {
  readonly name: string;
  readonly direction: Direction;
  readonly space: SpaceJson;
  readonly sampler: NamedOptions;
  readonly pruner: NamedOptions;
}

export interface SweepOptions {
  /** Holds the study's file and the trials' folders; made if it is not there. A sweep in it goes on. */
  readonly folder: string;
  readonly study: SweepStudy;
  readonly task: SweepTask;
  /** How many trials the study shall have in the end; fewer where a grid ends. */
  readonly trials: number;
  /** Put in line when the study is made, before what the sampler chooses. */
  readonly first?: readonly Parameters[];
  /** Processes; default one a core, at most 4. */
  readonly workers?: number;
  /** Threads of each process; default the cores divided among them. */
  readonly threads?: number;
  readonly backend?: BackendName;
  /** Seconds without a sign of life after which a trial is given to another; default 120. */
  readonly silentSeconds?: number;
  /** A trial fails when so many processes died of it; default 3. */
  readonly attempts?: number;
  /** Stops all processes after the step at hand; their trials wait for the next time. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: SweepEvent) => void;
}

/** What happens in a sweep. */
export type SweepEvent =
  | {
      readonly type: "start";
      /** Trials that had ended before. */
      readonly ended: number;
      readonly trials: number;
      readonly workers: number;
      readonly threads: number;
    }
  | {
      readonly type: "begin";
      readonly number: number;
      readonly attempt: number;
      readonly parameters: Parameters;
      readonly worker: number;
    }
  | { readonly type: "progress"; readonly number: number; readonly share: number }
  | {
      readonly type: "report";
      readonly number: number;
      readonly step: number;
      readonly value: number;
    }
  | { readonly type: "end"; readonly trial: TrialRecord }
  /** A trial of a worker that died waits for another. */
  | { readonly type: "back"; readonly trial: TrialRecord; readonly reason: string }
  /** What a worker wrote to its standard output or error. */
  | { readonly type: "output"; readonly worker: number; readonly text: string };

export interface SweepResult {
  readonly status: "finished" | "stopped";
  /** All trials by number. */
  readonly trials: readonly TrialRecord[];
  readonly best?: TrialRecord;
}

/** The first message to a worker. */
export interface WorkerStart {
  readonly worker: number;
  readonly name: string;
  readonly folder: string;
  readonly task: SweepTask;
  readonly trials: number;
  readonly threads: number;
  readonly backend?: BackendName;
  readonly silentSeconds: number;
}

/** The other message to a worker: stop after the step at hand. */
export const stopMessage = "stop";

/** What a worker tells. */
export type WorkerMessage =
  | Extract<SweepEvent, { type: "begin" | "progress" | "report" | "end" }>
  /** It cannot work at all, whatever the trial. */
  | { readonly type: "unable"; readonly message: string };
