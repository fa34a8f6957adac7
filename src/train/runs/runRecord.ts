/** What is known of a run that is over or under way. Read ../node/readRun.ts for how it is read from a folder. */
import type { EpochSummary, HealthEvent, StartEvent } from "../events.js";
import type { Stretch } from "./boundedCurve.js";
import type { BestValues, Evaluation, RunNote } from "./runHistory.js";
import type { FlatSettings } from "./settings.js";

/**
 * `finished`: all epochs are done; `stopped`: asked to stop, can go on; `failed`: ended with an error; `interrupted`: its
 * process is gone without a word; `running`: under way, or silent for less time than it may be; `empty`: it never began.
 */
export type RunStatus = "finished" | "stopped" | "failed" | "interrupted" | "running" | "empty";

export interface RunFile {
  /** With `/` between folders, from the run's folder. */
  readonly name: string;
  readonly bytes: number;
}

export interface RunRecord {
  readonly name: string;
  readonly path: string;
  readonly status: RunStatus;
  /** Why it failed. */
  readonly message: string | null;
  /** When it began, and when its log last grew; milliseconds since 1970. */
  readonly created: number | null;
  readonly changed: number | null;
  readonly model: string | null;
  /** Settings by path, from its configuration. */
  readonly settings: FlatSettings;
  /** Versions, backend and the like, by path. */
  readonly facts: FlatSettings;
  /** Epochs planned; null before the run began. */
  readonly epochs: number | null;
  /** Epochs done. */
  readonly epoch: number;
  readonly step: number;
  /** Steps planned; null before the run began. */
  readonly totalSteps: number | null;
  /** Time taken. */
  readonly seconds: number;
  readonly start: StartEvent | null;
  /** Of a long run every second one, or fewer. */
  readonly history: readonly EpochSummary[];
  readonly evaluations: readonly Evaluation[];
  readonly best: { readonly train: BestValues; readonly validation: BestValues };
  /** The loss and the learning rate by step, several steps a point in a long run; empty where curves were not asked for. */
  readonly losses: readonly Stretch[];
  readonly rates: readonly Stretch[];
  readonly health: HealthEvent | null;
  /** The confusion matrices that the last evaluation gave, [truth][guess], by the metric's name. */
  readonly matrices: Readonly<Record<string, readonly (readonly number[])[]>>;
  /** What else happened: rates changed, an early stop, other weights. The last of them. */
  readonly notes: readonly RunNote[];
  readonly files: readonly RunFile[];
  /** What could not be understood, a sentence each. */
  readonly problems: readonly string[];
}
