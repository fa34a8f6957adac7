/**
 * One examination under way: builds experiments, runs them within the budget, keeps facts and findings for the steps that follow.
 * Read steps/initialLoss.ts for the first of them.
 */
import { ValueError } from "../../core/errors.js";
import * as nn from "../../nn/index.js";
import { clock } from "../clock.js";
import { DivergedError } from "../errors.js";
import type { TrainEvent } from "../events.js";
import type { Experiment, ExperimentBuilder, Settings } from "../experiment.js";
import { fit } from "../fit.js";
import type { FitOptions } from "../options.js";
import type { DiagnosisFacts } from "./course.js";
import { type Diagnosis, symptomNames } from "./diagnosis.js";
import type { RangeTest } from "./rangeTest.js";
import type {
  DoctorEvent,
  DoctorOptions,
  DoctorPaths,
  DoctorReport,
  DoctorStatus,
  LongRun,
  OverfitResult,
  RecipeStepName,
  SearchTrial,
  StepResult,
  StepStatus,
} from "./types.js";

/** What a step of the recipe gives. */
export interface StepOutcome {
  readonly status: StepStatus;
  readonly sentence: string;
  readonly details?: readonly string[];
}

export interface RecipeStep {
  readonly name: RecipeStepName;
  readonly title: string;
  run(exam: Examination): Promise<StepOutcome>;
}

/** One training run: its events, and whether it diverged. */
export interface TrainingRun {
  readonly events: readonly TrainEvent[];
  readonly diverged: string | null;
}

export interface Verdict {
  readonly status: DoctorStatus;
  readonly sentence: string;
  readonly advice: readonly string[];
  readonly settings: Settings;
}

const defaultPaths: DoctorPaths = {
  lr: "optim.lr",
  weightDecay: "optim.weightDecay",
  augment: "data.augment",
};

/** Switches dropout off for good, in a model that was built for one experiment. */
function removeDropout(model: nn.Module): void {
  for (const module of model.modules())
    if ("p" in module && /Drop|StochasticDepth/.test(module.constructor.name))
      Object.assign(module, { p: 0 });
    else if (module instanceof nn.MultiheadAttention) Object.assign(module, { dropout: 0 });
}

export class Examination {
  readonly quick: boolean;
  readonly paths: DoctorPaths;
  readonly results: StepResult[] = [];
  /** Aborted by the caller, or when the budget is used up. */
  readonly signal: AbortSignal;
  facts: DiagnosisFacts = {};
  diagnoses: Diagnosis[] = [];
  overfit: OverfitResult | null = null;
  rangeTest: RangeTest | null = null;
  trials: SearchTrial[] = [];
  runs: LongRun[] = [];
  /** Of the experiment as it is configured. */
  configured: { readonly lr: number; readonly weightDecay: number | null } = {
    lr: Number.NaN,
    weightDecay: null,
  };
  readonly #build: ExperimentBuilder;
  readonly #options: DoctorOptions;
  readonly #controller = new AbortController();
  readonly #started = clock();
  readonly #budget: number;
  #number = 0;
  #isUsedUp = false;

  constructor(build: ExperimentBuilder, options: DoctorOptions) {
    const { budgetSeconds = 600, quick = false, signal, paths } = options;
    if (!(budgetSeconds > 0))
      throw new ValueError("examine", `budgetSeconds is ${budgetSeconds}; expected above 0`);
    this.#build = build;
    this.#options = options;
    this.#budget = budgetSeconds;
    this.quick = quick;
    this.paths = { ...defaultPaths, ...paths };
    this.signal = this.#controller.signal;
    if (signal?.aborted) this.#controller.abort();
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  readonly #abort = (): void => this.#controller.abort();

  close(): void {
    this.#options.signal?.removeEventListener("abort", this.#abort);
  }

  /** Whether the caller has stopped it or the budget is used up. */
  get isOver(): boolean {
    if (clock() - this.#started > this.#budget && !this.#isUsedUp) {
      this.#isUsedUp = true;
      this.#controller.abort();
    }
    return this.signal.aborted;
  }

  /** Why it ended before its end. */
  get stopReason(): string {
    return this.#isUsedUp ? `the budget of ${this.#budget} s is used up` : "it was stopped";
  }

  async emit(event: DoctorEvent): Promise<void> {
    await this.#options.onEvent?.(event);
  }

  progress(share: number, text: string): Promise<void> {
    return this.emit({ type: "progress", number: this.#number, share: Math.min(share, 1), text });
  }

  /** Runs one step of the recipe. */
  async run(number: number, { name, title, run }: RecipeStep): Promise<StepResult> {
    this.#number = number;
    await this.emit({ type: "begin", number, name, title });
    const started = clock();
    const outcome = await run(this);
    const { details = [], ...rest } = outcome;
    const result = { number, name, title, ...rest, details, seconds: clock() - started };
    this.results.push(result);
    await this.emit({ type: "end", result });
    return result;
  }

  #settings(changes: { readonly lr?: number; readonly weightDecay?: number | null }): Settings {
    const { lr, weightDecay } = this.paths;
    return {
      ...(lr !== null && changes.lr !== undefined && { [lr]: changes.lr }),
      ...(weightDecay !== null &&
        typeof changes.weightDecay === "number" && { [weightDecay]: changes.weightDecay }),
    };
  }

  /** Settings by path of a rate and a decay that were found. */
  settingsOf(lr: number, weightDecay: number | null): Settings {
    return this.#settings({ lr, weightDecay });
  }

  /** The experiment, with another rate and decay if they are given. */
  build(lr?: number, weightDecay?: number | null): Promise<Experiment> {
    const given = {
      ...(lr !== undefined && { lr }),
      ...(weightDecay !== undefined && { weightDecay }),
    };
    return this.#build(this.#settings(given));
  }

  /** The experiment without weight decay, augmentation and dropout. */
  async buildPlain(lr?: number): Promise<Experiment> {
    const { augment } = this.paths;
    const experiment = await this.#build({
      ...this.#settings({ ...(lr !== undefined && { lr }), weightDecay: 0 }),
      ...(augment !== null && { [augment]: false }),
    });
    removeDropout(experiment.model);
    const { batchTransform: _, ...options } = experiment.options;
    return { ...experiment, options };
  }

  /** Trains for at most so many steps, with progress; a divergence is a result. */
  async train(
    { model, options }: Experiment,
    change: Partial<FitOptions> & { readonly maxSteps: number },
    progress: (done: number, loss: number) => Promise<void>,
  ): Promise<TrainingRun> {
    const events: TrainEvent[] = [];
    const { earlyStopping: _, checkpoint: __, resume: ___, ...kept } = options;
    const { maxSteps } = change;
    try {
      await fit(model, {
        ...kept,
        ...change,
        signal: this.signal,
        debug: true,
        onEvent: async (event) => {
          events.push(event);
          if (event.type !== "step") return;
          if (!this.isOver) await progress(event.step / maxSteps, event.loss);
        },
      });
      return { events, diverged: null };
    } catch (error) {
      if (!(error instanceof DivergedError)) throw error;
      return { events, diverged: error.message };
    }
  }

  /** Adds findings; of one symptom the gravest and newest stays. */
  addDiagnoses(found: readonly Diagnosis[]): void {
    const order = { problem: 2, warning: 1, note: 0 };
    const rank = ({ symptom }: Diagnosis) => symptomNames.indexOf(symptom);
    for (const one of found) {
      const at = this.diagnoses.findIndex(({ symptom }) => symptom === one.symptom);
      if (at < 0) this.diagnoses.push(one);
      else if (order[one.severity] >= order[this.diagnoses[at]!.severity]) this.diagnoses[at] = one;
    }
    this.diagnoses.sort((a, b) => order[b.severity] - order[a.severity] || rank(a) - rank(b));
  }

  report({ status, sentence, advice, settings }: Verdict): DoctorReport {
    const { results: steps, diagnoses, facts, overfit, rangeTest, trials, runs } = this;
    return {
      ...{ status, verdict: sentence, advice, settings, steps, diagnoses, facts },
      ...{ overfit, rangeTest, trials, runs, seconds: clock() - this.#started },
    };
  }
}
