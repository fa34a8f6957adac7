/** A trial that trains: builds the experiment with the trial's settings, reports each epoch, stops when pruned. */
import { join } from "node:path";
import { ValueError } from "../../core/errors.js";
import {
  type EpochSummary,
  type ExperimentBuilder,
  fit,
  type TrainEvent,
} from "../../train/index.js";
import { runFiles } from "../../train/node/index.js";
import { RunLog } from "../../train/node/runLog.js";
import { PrunedError } from "../errors.js";
import type { Trial } from "../trial.js";
import { trialFolder } from "./sweepFolder.js";
import type { ExperimentTask, ObjectiveContext, TrialRunner } from "./sweepTypes.js";

type Metric = (epoch: EpochSummary) => number;

/**
 * Reads a metric's path, such as `validation.accuracy`.
 *
 * @throws ValueError for another beginning than `train` or `validation`.
 */
export function metricReader(path: string): Metric {
  const [, part, name] = /^(train|validation)\.(.+)$/.exec(path) ?? [];
  if (!part || !name)
    throw new ValueError(
      "sweep",
      `metric is "${path}"; expected train. or validation. and a name, such as validation.accuracy`,
    );
  return (epoch) => {
    const measures = epoch[part as "train" | "validation"];
    const value = measures?.[name];
    if (value !== undefined) return value;
    const known = [epoch.train, epoch.validation].flatMap((found, i) =>
      Object.keys(found ?? {}).map((key) => `${i === 0 ? "train" : "validation"}.${key}`),
    );
    throw new ValueError("sweep", `an epoch has no ${path}; it has ${known.join(", ")}`);
  };
}

/** What runs the trials of an experiment. */
export function experimentRunner(build: ExperimentBuilder, task: ExperimentTask): TrialRunner {
  const measure = metricReader(task.metric);
  return async (trial, context) => {
    const { model, options } = await build({ ...task.settings, ...trial.parameters });
    const folder = context.folder();
    await trial.annotate({ run: trialFolder(trial.number) });
    const log = new RunLog(join(folder, runFiles.log), 0, {});
    const watch = new Watch(trial, context, measure);
    const signals = [context.signal, watch.signal, ...(options.signal ? [options.signal] : [])];
    try {
      const { status, history } = await fit(model, {
        ...options,
        signal: AbortSignal.any(signals),
        onEvent: async (event) => {
          log.write(event);
          await watch.onEvent(event);
          await options.onEvent?.(event);
        },
      });
      if (watch.signal.aborted) throw new PrunedError();
      if (status === "stopped") throw new Error("stopped");
      return pick(history.map(measure), task.take ?? "last", watch.isBetter);
    } finally {
      log.close();
    }
  };
}

/** The value of a trial from those of its epochs. */
export function pick(
  values: readonly number[],
  take: "last" | "best",
  isBetter: (a: number, b: number) => boolean,
): number {
  if (values.length === 0) return Number.NaN;
  return take === "last" ? values.at(-1)! : values.reduce((a, b) => (isBetter(b, a) ? b : a));
}

/** Follows a run: tells how far it is, reports its epochs, and gives it up when the study's pruner does. */
export class Watch {
  readonly #prune = new AbortController();
  readonly #trial: Trial;
  readonly #context: ObjectiveContext;
  readonly #measure: Metric;
  #epochs = 1;
  #pending = Promise.resolve();
  #failure: unknown;

  constructor(trial: Trial, context: ObjectiveContext, measure: Metric) {
    this.#trial = trial;
    this.#context = context;
    this.#measure = measure;
  }

  get signal(): AbortSignal {
    return this.#prune.signal;
  }

  readonly isBetter = (a: number, b: number): boolean =>
    this.#context.direction === "minimize" ? a < b : a > b;

  /** Takes in an event without making the run wait; what goes wrong ends it after the step at hand. */
  follow(event: TrainEvent): void {
    this.#pending = this.#pending
      .then(() => this.onEvent(event))
      .catch((error: unknown) => {
        this.#failure ??= error;
        this.#prune.abort();
      });
  }

  /** When all events are taken in; throws what went wrong with one. */
  async settled(): Promise<void> {
    await this.#pending;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async onEvent(event: TrainEvent): Promise<void> {
    if (event.type === "start") this.#epochs = event.epochs;
    if (event.type === "step") this.#context.progress(event.step / (this.#epochs * event.batches));
    if (event.type !== "epoch") return;
    await this.#trial.report(event.epoch, this.#measure(event));
    const isOver = event.epoch >= this.#epochs;
    if (!isOver && (await this.#trial.shouldPrune())) this.#prune.abort();
  }
}
