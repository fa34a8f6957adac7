/**
 * A run from its first step to its last: steps, evaluations, checkpoints and events in their order. A checkpoint stands between
 * two steps, so that gradients are never in one. Read begin.ts for how it starts, trainStep.ts for what is compiled.
 */
import { backendDescription } from "../../backend/select.js";
import { ValueError } from "../../core/errors.js";
import type { Module } from "../../nn/module.js";
import type { Tensor } from "../../tensor/index.js";
import { defaultGenerator } from "../../tensor/random.js";
import type { RunControl } from "../callbacks/callback.js";
import { measureOf } from "../callbacks/monitor.js";
import { withWeights } from "../callbacks/weights.js";
import { clock } from "../clock.js";
import { DivergedError, type Place } from "../errors.js";
import type { EpochSummary, TrainEvent } from "../events.js";
import type { Metrics } from "../metrics/metric.js";
import { addBatch, emptySums, meansOf } from "../metrics/sums.js";
import type { CheckpointReason, FitOptions, FitResult } from "../options.js";
import { type RunSchedule, scheduleOf } from "../schedule.js";
import { Speedometer } from "../speedometer.js";
import { type BatchStep, makeEvaluationStep, runEvaluation } from "../steps.js";
import type { Progress } from "../trainingState.js";
import { newProgress, restoreProgress, stepsPerEpoch } from "./begin.js";
import { CallbackList } from "./callbackList.js";
import { checkLastWeights, divergedAt } from "./diverged.js";
import { type RunStep, runStep } from "./runStep.js";
import { Saver } from "./saver.js";
import { measureStatistics } from "./statistics.js";
import type { StepOutcome } from "./trainStep.js";

export class Run {
  readonly #model: Module;
  readonly #options: FitOptions;
  readonly #metrics: Metrics;
  readonly #callbacks: CallbackList;
  readonly #trainStep: RunStep;
  readonly #evaluationStep: BatchStep;
  readonly #schedule: RunSchedule;
  readonly #progress: Progress;
  readonly #totalSteps: number;
  readonly #saver: Saver;
  readonly #control: RunControl;
  readonly #speed = new Speedometer();
  /** Events that callbacks reported while another one was on its way. */
  readonly #queue: TrainEvent[] = [];
  #evaluationSeconds = 0;
  #lastClock = clock();
  /** Whether the model has other weights than a checkpoint may hold: the run is at its end. */
  #isEnding = false;
  /** Whether it was stopped while it measured at its end. */
  #isCut = false;

  constructor(model: Module, options: FitOptions) {
    this.#model = model;
    this.#options = options;
    this.#metrics = options.metrics ?? {};
    const { optimizer, epochs, schedule, resume, maxSteps = Number.POSITIVE_INFINITY } = options;
    this.#callbacks = new CallbackList(model, options);
    const { afterUpdate } = this.#callbacks;
    this.#trainStep = runStep(model, {
      ...options,
      ...(afterUpdate && { afterUpdate }),
    });
    this.#evaluationStep = makeEvaluationStep(model, options);
    this.#totalSteps = Math.min(epochs * stepsPerEpoch(options), maxSteps);
    this.#schedule = scheduleOf(schedule, optimizer, { steps: this.#totalSteps, epochs });
    const parts = { model, options, schedule: this.#schedule, callbacks: this.#callbacks };
    this.#progress = resume ? restoreProgress(resume, parts) : newProgress(parts);
    this.#saver = new Saver(parts, this.#progress);
    this.#control = this.#makeControl();
  }

  #makeControl(): RunControl {
    const run = this;
    return {
      model: this.#model,
      optimizer: this.#options.optimizer,
      get epoch() {
        return run.#place.epoch;
      },
      get step() {
        return run.#place.step;
      },
      measure: (path) => run.#measure(path),
      measuredWeights: () => run.#callbacks.averages() ?? run.#model.stateDict(),
      stop(reason) {
        if (run.#progress.ended !== null) return;
        run.#progress.ended = reason;
        run.#queue.push({ type: "earlyStop", ...run.#place, reason });
      },
      scaleRate: (factor, reason) => run.#scaleRate(factor, reason),
      save: () => run.#saver.ask(),
      remeasure: () => run.#remeasure(),
      emit: (event) => void run.#queue.push(event),
    };
  }

  #measure(path: string): number | undefined {
    const { evaluation, history } = this.#progress;
    const [, part, name = ""] = /^(train|validation)\.(.+)$/.exec(path) ?? [];
    if (!part) throw new ValueError("fit", `there is no measure ${path}; try validation.loss`);
    const measures = part === "train" ? history.at(-1)?.train : evaluation?.measures;
    return measures && measureOf(measures, path, name);
  }

  #scaleRate(factor: number, reason: string): void {
    if (this.#schedule.isTimed)
      throw new ValueError("fit", "scaleRate: the run's schedule would set the rate anew");
    if (!(factor > 0 && Number.isFinite(factor)))
      throw new ValueError("fit", `scaleRate: the factor is ${factor}; expected a number above 0`);
    const from = this.#rate;
    for (const group of this.#options.optimizer.paramGroups) group.lr *= factor;
    this.#queue.push({ type: "rate", ...this.#place, from, to: this.#rate, reason });
  }

  get #isStopped(): boolean {
    return this.#options.signal?.aborted ?? false;
  }

  /** The epoch under way, or the last one, counted from 1, and the steps done. */
  get #place(): Place {
    const { epoch, step } = this.#progress;
    return { epoch: Math.max(1, this.#isOver ? epoch : epoch + 1), step };
  }

  get #rate(): number {
    return this.#options.optimizer.paramGroups[0]!.lr;
  }

  /** Reports an event to everybody, then those that it led to. */
  async #emit(event: TrainEvent): Promise<void> {
    await this.#options.onEvent?.(event);
    const from = this.#rate;
    const reason = this.#schedule.onEvent(event);
    if (reason) this.#queue.push({ type: "rate", ...this.#place, from, to: this.#rate, reason });
    await this.#callbacks.onEvent(event, this.#control);
    await this.#drain();
  }

  async #drain(): Promise<void> {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) await this.#emit(next);
  }

  /** Adds the time since the last call to the run's. */
  #countTime(): void {
    const now = clock();
    this.#progress.seconds += now - this.#lastClock;
    this.#progress.epochSeconds += now - this.#lastClock;
    this.#lastClock = now;
  }

  async #save(...reasons: readonly CheckpointReason[]): Promise<void> {
    this.#countTime();
    const event = await this.#saver.save(this.#place, reasons);
    if (event) await this.#emit(event);
  }

  async run(): Promise<FitResult> {
    try {
      return await this.#runEpochs();
    } catch (error) {
      await this.#reportFailure(error);
      throw error;
    }
  }

  async #reportFailure(error: unknown): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    try {
      await this.#emit({ type: "failed", ...this.#place, message });
    } catch {
      // Where even that cannot be reported, the first error is the one to know.
    }
  }

  async #runEpochs(): Promise<FitResult> {
    const { train, validation, epochs, resume } = this.#options;
    const progress = this.#progress;
    await this.#emit({
      type: "start",
      epochs,
      batches: train.length,
      totalSteps: this.#totalSteps,
      trainExamples: train.dataset.length,
      validationExamples: validation?.dataset.length ?? 0,
      backend: backendDescription(),
      resumed: resume !== undefined,
      step: progress.step,
    });
    this.#lastClock = clock();
    if (!resume) await this.#save("start");
    while (!this.#isOver) {
      const isWhole = (await this.#trainEpoch()) && (await this.#finishEpoch());
      if (!isWhole) return this.#stop();
      const isOver = this.#isOver;
      await (isOver ? this.#save("epoch", "end") : this.#save("epoch"));
      // The checkpoint's own event may have ended the run.
      if (!isOver && this.#isOver) await this.#save("end");
    }
    this.#isEnding = true;
    await this.#callbacks.atEnd(this.#control, () => this.#drain());
    if (this.#isCut) return this.#stop();
    checkLastWeights(this.#model, this.#place);
    const { step, seconds } = progress;
    await this.#emit({ type: "finished", epochs: progress.epoch, step, seconds });
    return this.#result("finished");
  }

  /** Whether nothing is left to do; a run that ends within an epoch closes it first. */
  get #isOver(): boolean {
    const { epoch, batch, ended } = this.#progress;
    return epoch >= this.#options.epochs || (ended !== null && batch === 0);
  }

  async #stop(): Promise<FitResult> {
    // At the end the last checkpoint has all: what follows it is done again.
    if (!this.#isEnding) await this.#save("stop");
    await this.#emit({ type: "stopped", ...this.#place });
    return this.#result("stopped");
  }

  #result(status: FitResult["status"]): FitResult {
    const { step, history, seconds, ended } = this.#progress;
    const best = this.#callbacks.best?.best;
    return {
      status,
      step,
      history,
      seconds,
      ...(ended !== null && { reason: ended }),
      ...(best && { best }),
    };
  }

  /** Trains on the rest of the epoch's batches; false if the run was stopped. */
  async #trainEpoch(): Promise<boolean> {
    const progress = this.#progress;
    if (progress.ended !== null) return true;
    if (this.#isStopped || !(await this.#evaluateIfDue())) return false;
    for await (const batches of this.#stepBatches()) {
      if (progress.step > 0) this.#schedule.beforeStep(progress.batch === 0);
      const place = { epoch: this.#place.epoch, step: progress.step + 1 };
      const { health, ...outcome } = await this.#trainStep(batches.tensors, place);
      this.#checkStep(outcome, batches.tensors);
      if (health) this.#queue.push({ type: "health", ...place, ...health });
      progress.batch = batches.end;
      await this.#countStep(outcome);
      if (!(await this.#evaluateIfDue())) return false;
      if (this.#saver.due().length > 0) await this.#save();
      if (progress.ended !== null) return true;
      if (this.#isStopped && progress.batch < this.#options.train.length) return false;
    }
    return true;
  }

  /** The batches of each step that is left of the epoch, and how many of the epoch are done with it. */
  async *#stepBatches(): AsyncGenerator<{ tensors: (readonly Tensor[])[]; end: number }> {
    const { train, accumulate = 1 } = this.#options;
    this.#model.train();
    this.#speed.pause();
    train.setEpoch(this.#progress.epoch);
    let end = this.#progress.batch;
    let tensors: (readonly Tensor[])[] = [];
    for await (const batch of train.iterateAsync({ from: end })) {
      end = train.stateDict?.().batch ?? end + 1;
      tensors.push(batch);
      if (tensors.length < accumulate) continue;
      yield { tensors, end };
      tensors = [];
    }
    if (tensors.length > 0) yield { tensors, end: train.length };
  }

  #checkStep({ batches }: StepOutcome, tensors: readonly (readonly Tensor[])[]): void {
    const bad = batches.findIndex(({ loss }) => !Number.isFinite(loss));
    if (bad < 0) return;
    const { batch, step } = this.#progress;
    const { length } = this.#options.train;
    const place = { epoch: this.#place.epoch, step: step + 1, lr: this.#rate };
    const where = { ...place, batch: batch + bad + 1, batches: length };
    throw divergedAt(batches[bad]!.loss, tensors[bad]!, where);
  }

  async #countStep({ batches, gradientNorm }: StepOutcome): Promise<void> {
    const progress = this.#progress;
    progress.step++;
    if (progress.step >= (this.#options.maxSteps ?? Number.POSITIVE_INFINITY))
      progress.ended ??= `maxSteps: ${progress.step} steps are done`;
    for (const measures of batches) addBatch(progress.sums, measures);
    const examples = batches.reduce((sum, batch) => sum + batch.examples, 0);
    const total = batches.reduce((sum, batch) => sum + batch.loss * batch.examples, 0);
    this.#speed.mark(clock(), examples);
    const { examplesPerSecond } = this.#speed;
    await this.#emit({
      type: "step",
      ...this.#place,
      batch: progress.batch,
      batches: this.#options.train.length,
      loss: batches.length === 1 ? batches[0]!.loss : total / examples,
      lr: this.#rate,
      ...(gradientNorm !== undefined && { gradientNorm }),
      running: meansOf(progress.sums, this.#metrics, "running"),
      examplesPerSecond,
      secondsLeft: examplesPerSecond && this.#secondsLeft(examplesPerSecond),
    });
  }

  #secondsLeft(examplesPerSecond: number): number {
    const { train, epochs } = this.#options;
    const { epoch, step } = this.#progress;
    const share = (this.#totalSteps - step) / stepsPerEpoch(this.#options);
    const training = (share * train.dataset.length) / examplesPerSecond;
    return training + Math.min(epochs - epoch, Math.ceil(share)) * this.#evaluationSeconds;
  }

  /** Measures in the middle of an epoch, where that is due and was not done; false if the run was stopped. */
  async #evaluateIfDue(): Promise<boolean> {
    const { validateEverySteps = Number.POSITIVE_INFINITY, train } = this.#options;
    const { batch, step } = this.#progress;
    const isWithin = batch > 0 && batch < train.length;
    if (!isWithin || step % validateEverySteps !== 0) return true;
    const isWhole = await this.#evaluate();
    this.#speed.pause();
    return isWhole;
  }

  /** Measures with the validation data, unless that was done after this very step; false if the run was stopped. */
  async #evaluate(): Promise<boolean> {
    const { validation, signal } = this.#options;
    const progress = this.#progress;
    if (!validation || (progress.evaluation?.step === progress.step && !this.#isEnding))
      return true;
    const averages = this.#isEnding ? undefined : this.#callbacks.averages();
    const generator = defaultGenerator.getState();
    validation.setEpoch(progress.epoch);
    const evaluation = await withWeights(this.#model, averages, () =>
      runEvaluation(this.#model, this.#evaluationStep, validation, this.#metrics, signal),
    );
    if (!evaluation) {
      // It will be done again from its beginning.
      defaultGenerator.setState(generator);
      return false;
    }
    const { measures } = evaluation;
    this.#evaluationSeconds = evaluation.seconds;
    if (!Number.isFinite(measures.loss)) {
      const message = `the validation loss is ${measures.loss} after epoch ${this.#place.epoch}`;
      throw new DivergedError(`${message}; lower the learning rate`, this.#place);
    }
    progress.evaluation = { step: progress.step, measures };
    const averaged = (averages || this.#isEnding) && ({ averaged: true } as const);
    await this.#emit({ type: "evaluation", ...this.#place, ...evaluation, ...averaged });
    return true;
  }

  async #remeasure(): Promise<void> {
    if (!this.#isEnding)
      throw new ValueError("fit", "remeasure: the run is not at its end; call it in atEnd");
    await this.#drain();
    await measureStatistics(this.#model, this.#options);
    this.#isCut = this.#isStopped || !(await this.#evaluate());
  }

  /** Measures with the validation data and closes the epoch; false if the run was stopped. */
  async #finishEpoch(): Promise<boolean> {
    const progress = this.#progress;
    if (!(await this.#evaluate())) return false;
    this.#countTime();
    const summary: EpochSummary = {
      ...this.#place,
      lr: this.#rate,
      seconds: progress.epochSeconds,
      train: meansOf(progress.sums, this.#metrics),
      ...(this.#options.validation && { validation: progress.evaluation!.measures }),
    };
    progress.history.push(summary);
    await this.#emit({ type: "epoch", ...summary });
    progress.epoch++;
    progress.batch = 0;
    progress.sums = emptySums(this.#metrics);
    progress.epochSeconds = 0;
    return true;
  }
}
