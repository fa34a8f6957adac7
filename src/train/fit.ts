/**
 * The training loop: epochs of compiled steps, an evaluation after each, one stream of events, checkpoints that a run goes
 * on from bit for bit. Works in a browser too. Read trainingState.ts for checkpoints, steps.ts for what is compiled.
 */
import { backendDescription } from "../backend/select.js";
import { ValueError } from "../core/errors.js";
import type { SafetensorsContent } from "../io/browser.js";
import type { lrScheduler, Optimizer } from "../optim/index.js";
import { defaultGenerator } from "../tensor/random.js";
import { clock } from "./clock.js";
import { DivergedError, type Place, ResumeError } from "./errors.js";
import type { EpochSummary, Measures, TrainEvent } from "./events.js";
import type { Metrics } from "./metrics/metric.js";
import { addBatch, type BatchMeasures, emptySums, meansOf, sumsFit } from "./metrics/sums.js";
import { constantSchedule, type Schedule, type SchedulerMaker, schedulerFor } from "./schedule.js";
import { Speedometer } from "./speedometer.js";
import {
  type BatchSource,
  type BatchStep,
  inputsOf,
  type MeasureOptions,
  type Model,
  makeEvaluationStep,
  makeTrainStep,
  runEvaluation,
} from "./steps.js";
import {
  captureState,
  checkIdentity,
  type Identity,
  type Progress,
  parseState,
} from "./trainingState.js";

export interface CheckpointOptions {
  /** Keeps a checkpoint; training goes on when it has settled. The tensors change after that. */
  save(content: SafetensorsContent, place: Place): void | Promise<void>;
  /** Also after so many steps, besides the start and each epoch's end. */
  readonly everySteps?: number;
  /** Also when so much time has passed since the last one. */
  readonly everySeconds?: number;
}

export interface FitOptions extends MeasureOptions {
  readonly optimizer: Optimizer;
  /** Batches [x, y] to train on. */
  readonly train: BatchSource;
  /** Batches [x, y] to measure with after each epoch. */
  readonly validation?: BatchSource;
  readonly epochs: number;
  /** The factor of the learning rate at each step, or a {@link scheduler}; default 1 all along. */
  readonly schedule?: Schedule | SchedulerMaker;
  /** Gets everything that happens; what it returns is awaited, what it throws ends the run. */
  readonly onEvent?: (event: TrainEvent) => void | Promise<void>;
  /** Stops the run after the step at hand, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly checkpoint?: CheckpointOptions;
  /** A checkpoint's content to go on from. */
  readonly resume?: SafetensorsContent;
  /** What else a checkpoint must agree in, such as a fingerprint of the data. */
  readonly identity?: Identity;
}

export interface FitResult {
  /** Whether all epochs are done, or `signal` stopped the run before. */
  readonly status: "finished" | "stopped";
  /** Optimizer steps since the start. */
  readonly step: number;
  readonly history: readonly EpochSummary[];
  readonly seconds: number;
}

class Run {
  readonly #model: Model;
  readonly #options: FitOptions;
  readonly #metrics: Metrics;
  readonly #trainStep: BatchStep;
  readonly #evaluationStep: BatchStep;
  readonly #progress: Progress;
  readonly #scheduler: lrScheduler.Schedulable;
  readonly #speed = new Speedometer();
  #evaluationSeconds = 0;
  #lastClock = clock();
  #lastSave = { step: -1, time: 0 };

  constructor(model: Model, options: FitOptions) {
    this.#model = model;
    this.#options = options;
    this.#metrics = options.metrics ?? {};
    this.#trainStep = makeTrainStep(model, options.optimizer, options);
    this.#evaluationStep = makeEvaluationStep(model, options);
    const { schedule = constantSchedule, optimizer, epochs, train } = options;
    this.#scheduler = schedulerFor(schedule, optimizer, epochs * train.length);
    this.#progress = options.resume ? this.#restore(options.resume) : this.#begin();
  }

  #identity(): Identity {
    const { train, epochs, identity } = this.#options;
    const { batchSize, shuffle, dropLast, seed } = train;
    const facts = { epochs, batchSize, shuffle, dropLast, dataSeed: seed };
    const own = Object.entries({ ...facts, examples: train.dataset.length });
    const texts = own.map(([name, value]) => [name, String(value)]);
    return {
      ...Object.fromEntries(texts),
      metrics: Object.keys(this.#metrics).join(","),
      ...identity,
    };
  }

  #begin(): Progress {
    return {
      identity: this.#identity(),
      epoch: 0,
      batch: 0,
      step: 0,
      sums: emptySums(this.#metrics),
      schedule: JSON.stringify(this.#scheduler.stateDict()),
      generator: defaultGenerator.getState(),
      history: [],
      seconds: 0,
      epochSeconds: 0,
    };
  }

  #restore(content: SafetensorsContent): Progress {
    const { train, optimizer, epochs } = this.#options;
    const { progress, model, optimizer: optimizerState } = parseState(content);
    checkIdentity(progress.identity, this.#identity());
    const { epoch, batch, step, sums, generator, history } = progress;
    const isConsistent =
      batch <= train.length &&
      epoch <= epochs &&
      step === epoch * train.length + batch &&
      history.length === epoch &&
      generator.length === 4 &&
      sumsFit(sums, this.#metrics);
    if (!isConsistent)
      throw new ResumeError("resume", "the checkpoint contradicts itself: it is damaged");
    try {
      this.#model.loadStateDict(model);
      optimizer.loadStateDict(optimizerState);
      this.#scheduler.loadStateDict(JSON.parse(progress.schedule) as lrScheduler.SchedulerState);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new ResumeError("resume", `the checkpoint does not fit: ${message}`);
    }
    defaultGenerator.setState(generator);
    return progress;
  }

  get #isStopped(): boolean {
    return this.#options.signal?.aborted ?? false;
  }

  async #emit(event: TrainEvent): Promise<void> {
    await this.#options.onEvent?.(event);
  }

  /** Adds the time since the last call to the run's. */
  #countTime(): void {
    const now = clock();
    this.#progress.seconds += now - this.#lastClock;
    this.#progress.epochSeconds += now - this.#lastClock;
    this.#lastClock = now;
  }

  async #save(): Promise<void> {
    const { checkpoint, optimizer } = this.#options;
    if (!checkpoint) return;
    this.#countTime();
    const started = clock();
    this.#progress.generator = defaultGenerator.getState();
    this.#progress.schedule = JSON.stringify(this.#scheduler.stateDict());
    const place = { epoch: this.#epochNumber, step: this.#progress.step };
    await checkpoint.save(captureState(this.#model, optimizer, this.#progress), place);
    this.#lastSave = { step: place.step, time: clock() };
    await this.#emit({ type: "checkpoint", ...place, seconds: clock() - started });
  }

  get #isSaveDue(): boolean {
    const { everySteps, everySeconds } = this.#options.checkpoint ?? {};
    const { step, time } = this.#lastSave;
    if (everySteps !== undefined && this.#progress.step - step >= everySteps) return true;
    return everySeconds !== undefined && clock() - time >= everySeconds;
  }

  /** The epoch under way, or the last one, counted from 1. */
  get #epochNumber(): number {
    return Math.min(this.#progress.epoch + 1, this.#options.epochs);
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
    const { step } = this.#progress;
    try {
      await this.#emit({ type: "failed", epoch: this.#epochNumber, step, message });
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
      trainExamples: train.dataset.length,
      validationExamples: validation?.dataset.length ?? 0,
      backend: backendDescription(),
      resumed: resume !== undefined,
      step: progress.step,
    });
    this.#lastClock = clock();
    if (!resume) await this.#save();
    while (progress.epoch < epochs) {
      const isOver = (await this.#trainEpoch()) && (await this.#finishEpoch());
      if (!isOver) return this.#stop();
      await this.#save();
    }
    const { step, seconds } = progress;
    await this.#emit({ type: "finished", epochs, step, seconds });
    return this.#result("finished");
  }

  async #stop(): Promise<FitResult> {
    await this.#save();
    await this.#emit({ type: "stopped", epoch: this.#epochNumber, step: this.#progress.step });
    return this.#result("stopped");
  }

  #result(status: FitResult["status"]): FitResult {
    const { step, history, seconds } = this.#progress;
    return { status, step, history, seconds };
  }

  /** Trains on the rest of the epoch's batches; false if the run was stopped. */
  async #trainEpoch(): Promise<boolean> {
    const { train } = this.#options;
    const progress = this.#progress;
    if (this.#isStopped) return false;
    this.#model.train();
    this.#speed.pause();
    train.setEpoch(progress.epoch);
    for await (const batch of train.iterateAsync({ from: progress.batch })) {
      const [x, y] = inputsOf(batch);
      // Before each step but the first, so that what is reported after a step is the rate that it was made with.
      if (progress.step > 0) this.#scheduler.step();
      const measures = await this.#trainStep(x, y);
      if (!Number.isFinite(measures.loss)) throw this.#diverged(measures.loss, x.data);
      await this.#countStep(measures);
      if (this.#isSaveDue) await this.#save();
      if (this.#isStopped && progress.batch < train.length) return false;
    }
    return true;
  }

  async #countStep(measures: BatchMeasures): Promise<void> {
    const progress = this.#progress;
    progress.batch++;
    progress.step++;
    addBatch(progress.sums, measures);
    this.#speed.mark(clock(), measures.examples);
    const { examplesPerSecond } = this.#speed;
    await this.#emit({
      type: "step",
      epoch: this.#epochNumber,
      step: progress.step,
      batch: progress.batch,
      batches: this.#options.train.length,
      loss: measures.loss,
      lr: this.#rate,
      running: meansOf(progress.sums, this.#metrics, "running"),
      examplesPerSecond,
      secondsLeft: examplesPerSecond && this.#secondsLeft(examplesPerSecond),
    });
  }

  get #rate(): number {
    return this.#options.optimizer.paramGroups[0]!.lr;
  }

  #secondsLeft(examplesPerSecond: number): number {
    const { train, epochs } = this.#options;
    const { epoch, step } = this.#progress;
    const steps = epochs * train.length - step;
    const training = (steps * train.dataset.length) / train.length / examplesPerSecond;
    return training + (epochs - epoch) * this.#evaluationSeconds;
  }

  #diverged(loss: number, input: ArrayLike<number>): DivergedError {
    const { batch, step } = this.#progress;
    const place = { epoch: this.#epochNumber, step: step + 1 };
    const where =
      `the loss is ${loss} at epoch ${place.epoch}, step ${place.step} ` +
      `(batch ${batch + 1} of ${this.#options.train.length})`;
    const bad = Array.prototype.findIndex.call(input, (value: number) => !Number.isFinite(value));
    if (bad >= 0)
      return new DivergedError(`${where}: input ${bad} of the batch is ${input[bad]}`, place);
    const cause =
      step === 0
        ? "the model's first output gives it already; check the model, the loss and the scale of the data"
        : `the learning rate ${Number(this.#rate.toPrecision(3))} is probably too high; ` +
          "try a tenth of it";
    return new DivergedError(`${where}: ${cause}`, place);
  }

  /** Measures with the validation data and closes the epoch; false if the run was stopped. */
  async #finishEpoch(): Promise<boolean> {
    const { validation, signal } = this.#options;
    const progress = this.#progress;
    const train = meansOf(progress.sums, this.#metrics);
    let measured: Measures | undefined;
    if (validation) {
      const evaluation = await runEvaluation(
        this.#model,
        this.#evaluationStep,
        validation,
        this.#metrics,
        signal,
      );
      if (!evaluation) return false;
      measured = evaluation.measures;
      this.#evaluationSeconds = evaluation.seconds;
      const place = { epoch: this.#epochNumber, step: progress.step };
      if (!Number.isFinite(measured.loss)) {
        const message = `the validation loss is ${measured.loss} after epoch ${place.epoch}`;
        throw new DivergedError(`${message}; lower the learning rate`, place);
      }
      await this.#emit({ type: "evaluation", ...place, ...evaluation });
    }
    this.#countTime();
    const summary: EpochSummary = {
      epoch: this.#epochNumber,
      step: progress.step,
      lr: this.#rate,
      seconds: progress.epochSeconds,
      train,
      ...(measured && { validation: measured }),
    };
    progress.history.push(summary);
    progress.epoch++;
    progress.batch = 0;
    progress.sums = emptySums(this.#metrics);
    progress.epochSeconds = 0;
    await this.#emit({ type: "epoch", ...summary });
    return true;
  }
}

function checkOptions({ epochs, train, checkpoint }: FitOptions): void {
  const counts = { epochs, "checkpoint.everySteps": checkpoint?.everySteps ?? 1 };
  for (const [name, value] of Object.entries(counts))
    if (!Number.isInteger(value) || value < 1)
      throw new ValueError("fit", `${name} is ${value}; expected a whole number ≥ 1`);
  if (train.length === 0)
    throw new ValueError("fit", "the training loader gives no batch; is its data set empty?");
}

/**
 * Trains a model: each step is one compiled program of forward pass, loss, gradients and update. Epochs are measured on the
 * validation data, everything that happens is reported as events, and checkpoints let a run go on bit for bit.
 *
 * @throws DivergedError, naming epoch, step and likely cause, when the loss is no longer finite; ResumeError for a checkpoint
 * of another run; ValueError for options out of range.
 * @example
 * ```ts
 * import { data, manualSeed, nn, optim, tensor } from "gradus";
 * import { accuracy, fit } from "gradus/train";
 * manualSeed(0);
 * const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
 * const y = tensor([0, 1, 1, 0], { dtype: "int32" });
 * const train = new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 4 });
 * const model = new nn.Sequential(new nn.Linear(2, 16), new nn.Tanh(), new nn.Linear(16, 2));
 * const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 });
 * const { history } = await fit(model, { optimizer, train, epochs: 100, metrics: { accuracy } });
 * console.log(history.at(-1)?.train.accuracy); // → 1
 * ```
 */
export async function fit(model: Model, options: FitOptions): Promise<FitResult> {
  checkOptions(options);
  return await new Run(model, options).run();
}
