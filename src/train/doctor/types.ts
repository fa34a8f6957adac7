/** What the doctor is told, what it reports on its way, and what it has found at the end. Read recipe.ts next. */
import type { TrainEvent } from "../events.js";
import type { Settings } from "../experiment.js";
import type { DiagnosisFacts } from "./course.js";
import type { Diagnosis } from "./diagnosis.js";
import type { RangeTest } from "./rangeTest.js";

export type RecipeStepName =
  | "coarseSearch"
  | "curves"
  | "initialLoss"
  | "longRuns"
  | "overfit"
  | "rateSearch"
  | "verdict";

/** `passed`; `warned`: it goes on, but look at it; `failed`: no use in going on; `skipped`: nothing to do or no time left. */
export type StepStatus = "failed" | "passed" | "skipped" | "warned";

/** One step of the recipe that is over. */
export interface StepResult {
  /** From 1 to 7. */
  readonly number: number;
  readonly name: RecipeStepName;
  readonly title: string;
  readonly status: StepStatus;
  /** What came out, as a sentence. */
  readonly sentence: string;
  /** More, a line each. */
  readonly details: readonly string[];
  readonly seconds: number;
}

/** What the doctor reports while it works. */
export type DoctorEvent =
  | {
      readonly type: "begin";
      readonly number: number;
      readonly name: RecipeStepName;
      readonly title: string;
    }
  | {
      readonly type: "progress";
      readonly number: number;
      /** Of the step, from 0 to 1. */
      readonly share: number;
      readonly text: string;
    }
  | { readonly type: "end"; readonly result: StepResult };

/** Paths of the settings that the recipe changes; null for one that the experiment does not have. */
export interface DoctorPaths {
  readonly lr: string | null;
  readonly weightDecay: string | null;
  readonly augment: string | null;
}

export interface DoctorOptions {
  /** Ends the examination, with what is known then, after so many seconds; default 600. */
  readonly budgetSeconds?: number;
  /** Fewer and shorter runs. */
  readonly quick?: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: DoctorEvent) => void | Promise<void>;
  /** Default `optim.lr`, `optim.weightDecay`, `data.augment`. */
  readonly paths?: Partial<DoctorPaths>;
}

/** One short run of the coarse search. */
export interface SearchTrial {
  readonly lr: number;
  readonly weightDecay: number | null;
  /** Of the validation data, or the last training losses where there is none; infinity for a run that diverged. */
  readonly loss: number;
  readonly accuracy: number | null;
}

/** A longer run. */
export interface LongRun {
  readonly lr: number;
  readonly weightDecay: number | null;
  readonly loss: number;
  readonly accuracy: number | null;
  /** What it died of; null for a run that did not. */
  readonly diverged: string | null;
  readonly events: readonly TrainEvent[];
}

/** What was learned by heart, or was not. */
export interface OverfitResult {
  readonly lr: number;
  readonly examples: number;
  readonly losses: readonly number[];
  readonly reached: boolean;
}

export type DoctorStatus = "healthy" | "problems" | "stopped";

/** What the doctor found. */
export interface DoctorReport {
  readonly status: DoctorStatus;
  /** In a sentence. */
  readonly verdict: string;
  /** What to do next, the most important first. */
  readonly advice: readonly string[];
  /** Settings found to be good, by path: to be given to the builder, or with `--set`. */
  readonly settings: Settings;
  readonly steps: readonly StepResult[];
  readonly diagnoses: readonly Diagnosis[];
  readonly facts: DiagnosisFacts;
  readonly overfit: OverfitResult | null;
  readonly rangeTest: RangeTest | null;
  readonly trials: readonly SearchTrial[];
  readonly runs: readonly LongRun[];
  readonly seconds: number;
}
