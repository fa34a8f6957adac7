/** One trial in the hands of whoever works on it. Read study.ts for where it comes from. */
import { ValueError } from "../core/errors.js";
import type { Pruner } from "./pruners/pruner.js";
import type { Claim, StudyStorage } from "./storage.js";
import type { Direction, Parameters, TrialRecord } from "./types.js";

/** What a trial has of its study. */
export interface TrialHost {
  readonly storage: StudyStorage;
  readonly pruner: Pruner;
  readonly direction: Direction;
}

/** A trial to be worked on, with its parameters; ended by `study.tell`, or by `study.optimize` that gave it. */
export class Trial<P = Parameters> implements Claim {
  readonly number: number;
  /** How often this trial was begun, this time included. */
  readonly attempt: number;
  /** What was chosen, by whole names. */
  readonly parameters: P;
  /** What belongs to it from an earlier attempt, such as its run's folder. */
  readonly attributes: TrialRecord["attributes"];
  readonly #host: TrialHost;
  #lastStep = -Infinity;
  #diverged = false;

  constructor(host: TrialHost, record: TrialRecord) {
    this.#host = host;
    this.number = record.number;
    this.attempt = record.attempt;
    this.parameters = record.parameters as P;
    this.attributes = record.attributes;
  }

  /**
   * Tells what the objective is after so many steps, so that a pruner can compare. NaN and infinity are not kept; the trial should
   * be pruned then.
   *
   * @param step not below that of the last report.
   * @throws LostTrialError when the trial was given back to the line in the meantime.
   */
  async report(step: number, value: number): Promise<void> {
    if (!Number.isFinite(step) || step < this.#lastStep)
      throw new ValueError("report", `step ${step} after ${this.#lastStep}; steps must not fall`);
    this.#lastStep = step;
    this.#diverged ||= !Number.isFinite(value);
    if (this.#diverged) await this.#host.storage.heartbeat(this);
    else await this.#host.storage.report(this, step, value);
  }

  /** Whether the study's pruner gives the trial up after its last report. Then throw a {@link PrunedError}, or tell it. */
  async shouldPrune(): Promise<boolean> {
    if (this.#diverged) return true;
    const { storage, pruner, direction } = this.#host;
    if (pruner.settings.kind === "none" || this.#lastStep === -Infinity) return false;
    const trials = await storage.trials();
    const record = trials[this.number]!;
    // An earlier attempt may have come further than this one.
    const reports = record.reports.filter(({ step }) => step <= this.#lastStep);
    return pruner.prune({ direction, trials, trial: { ...record, reports } });
  }

  /** Keeps something beside the trial, by name. */
  async annotate(attributes: TrialRecord["attributes"]): Promise<void> {
    await this.#host.storage.annotate(this, attributes);
  }

  /** A sign of life; a report is one too. */
  async heartbeat(): Promise<void> {
    await this.#host.storage.heartbeat(this);
  }

  /** The last report of this attempt. @internal */
  async lastValue(): Promise<number | undefined> {
    const record = (await this.#host.storage.trials())[this.number];
    return record?.reports.findLast(({ step }) => step <= this.#lastStep)?.value;
  }
}
