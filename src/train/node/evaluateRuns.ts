/**
 * Trained runs measured again, alone and as an ensemble, looked at several times, calibrated. Node only. Read
 * ../evaluation/index.ts for what is done, trainRun.ts for how a run comes to be.
 */
import { FormatError, ShapeError, ValueError } from "../../core/errors.js";
import { toTensor } from "../../data/loader.js";
import { loadSafetensors } from "../../io/safetensorsFile.js";
import { crossEntropy } from "../../ops/index.js";
import { noGrad, type Tensor } from "../../tensor/index.js";
import { type AverageOptions, averageOutputs } from "../evaluation/average.js";
import { type Calibration, calibration } from "../evaluation/calibration.js";
import { type Predictions, predict } from "../evaluation/predict.js";
import { findTemperature } from "../evaluation/temperature.js";
import { TestTimeAugmentation, type Views } from "../evaluation/testTime.js";
import type { Measures } from "../events.js";
import { measuresOf, updateOf } from "../metrics/metric.js";
import { addBatch, emptySums } from "../metrics/sums.js";
import type { BatchSource, MeasureOptions, Model } from "../steps.js";
import type { FileExperiment } from "./experimentFile.js";
import { RunFolder } from "./runFolder.js";
import { experimentOfRun } from "./trainRun.js";

/** A run with the weights that it ended with. */
export interface TrainedRun {
  readonly name: string;
  readonly experiment: FileExperiment;
  readonly model: Model;
}

/**
 * Opens a run's data and its trained model. A configuration in TypeScript is run again, so open only runs that you trust.
 *
 * @throws FileError where there are no weights or no data; FormatError for damaged files, or weights that are another model's.
 */
export async function openTrainedRun(path: string): Promise<TrainedRun> {
  const folder = RunFolder.open(path);
  const config = folder.readConfig();
  const { tensors } = loadSafetensors(folder.file("model"));
  const experiment = await (await experimentOfRun(folder, config)).build();
  const model = experiment.model as Model;
  try {
    model.loadStateDict([...tensors].map(([name, array]) => [name, toTensor(array)] as const));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new FormatError("evaluate", `${folder.file("model")}: does not fit its run: ${message}`);
  }
  return { name: folder.name, experiment, model };
}

/** Which data to measure with: those no choice was made with, where there are any, or those the run was validated with. */
export type EvaluationPart = "final" | "validation";

export interface EvaluateRunsOptions extends AverageOptions {
  /** Looks at each input several times; each run is then measured both ways. */
  readonly views?: Views;
  /** Default `final`. */
  readonly part?: EvaluationPart;
  /** Divides logits by the temperature that is best on the validation data; measures then need other data. */
  readonly calibrate?: boolean;
  /** Called before each run is measured. */
  readonly onRun?: (name: string, done: number, total: number) => void;
  /** Ends it after the batch at hand; the promise is then rejected with its reason. */
  readonly signal?: AbortSignal;
}

/** What one model, or several together, did. */
export interface EvaluatedModel {
  readonly name: string;
  readonly measures: Measures;
  /** Of classifiers. */
  readonly calibration?: Calibration;
  /** By which the logits were divided. */
  readonly temperature?: number;
  /** Of all examples, in order. */
  readonly outputs: Tensor;
}

export interface RunsEvaluation {
  /** The runs, then with several looks, then the ensembles of either. */
  readonly models: readonly EvaluatedModel[];
  readonly targets: Tensor;
  readonly classNames?: readonly string[];
}

/** Outputs on the data to measure with and, for a temperature, on the validation data. */
interface Answers {
  readonly name: string;
  readonly measured: Predictions;
  readonly validation: Predictions | null;
}

function loaderOf({ name, experiment }: TrainedRun, part: EvaluationPart): BatchSource {
  const { data, options } = experiment;
  const loader = part === "final" ? data.final : options.validation;
  if (!loader) throw new ValueError("evaluate", `${name} has no ${part} data to measure with`);
  return loader;
}

async function answersOf(
  run: TrainedRun,
  model: Model,
  name: string,
  options: EvaluateRunsOptions,
) {
  const { part = "final", calibrate = false, signal } = options;
  const stop = signal ? { signal } : {};
  const measured = await predict(model, loaderOf(run, part), stop);
  const validation = calibrate ? await predict(model, loaderOf(run, "validation"), stop) : null;
  return { name, measured, validation };
}

/** Throws unless all were asked the same. */
function checkTargets(all: readonly Answers[]): void {
  const [first] = all;
  for (const other of all) {
    const [a, b] = [first!, other].map(({ measured }) => measured.targets.data);
    if (a!.length === b!.length && a!.every((value, i) => value === b![i])) continue;
    throw new ValueError(
      "evaluate",
      `${first!.name} and ${other.name} are measured with other data`,
    );
  }
}

function together(name: string, all: readonly Answers[], options: AverageOptions): Answers {
  const average = (predictions: readonly Predictions[]): Predictions => ({
    outputs: averageOutputs(
      "evaluate",
      predictions.map(({ outputs }) => outputs),
      options,
    ),
    targets: predictions[0]!.targets,
  });
  const validation = all.flatMap((one) => one.validation ?? []);
  return {
    name,
    measured: average(all.map(({ measured }) => measured)),
    validation: validation.length > 0 ? average(validation) : null,
  };
}

/** Loss and metrics of all outputs at once. */
function measureAll({ outputs, targets }: Predictions, options: MeasureOptions): Measures {
  const { loss = crossEntropy, metrics = {} } = options;
  const examples = outputs.shape[0]!;
  const sums = emptySums(metrics);
  const made = Object.entries(metrics).map(
    ([name, metric]) => [name, updateOf(name, metric, outputs, targets)] as const,
  );
  addBatch(sums, {
    examples,
    loss: loss(outputs, targets).item(),
    metrics: Object.fromEntries(made),
  });
  const named = Object.entries(metrics).flatMap(([name, metric]) =>
    measuresOf(name, metric, sums.totals[name]!.read()!, examples),
  );
  return { ...Object.fromEntries(named), loss: sums.loss / examples };
}

function judge(answers: Answers, { experiment }: TrainedRun): EvaluatedModel {
  const { name, measured, validation } = answers;
  const temperature = validation && findTemperature(validation.outputs, validation.targets);
  const outputs = temperature ? measured.outputs.div(temperature) : measured.outputs;
  const { targets } = measured;
  const isClassifier = experiment.classes !== undefined && outputs.ndim <= 2;
  return {
    name,
    measures: measureAll({ outputs, targets }, experiment.options),
    ...(isClassifier && { calibration: calibration(outputs, targets) }),
    ...(temperature !== null && { temperature }),
    outputs,
  };
}

/**
 * Measures trained runs again, and all of them together where they are several: loss and metrics as their configurations say, and the
 * calibration of classifiers.
 *
 * @throws ValueError for no run, runs of different data, or no data to measure with; FormatError and FileError as {@link openTrainedRun}.
 * @example
 * ```ts ignore
 * import { flipViews } from "gradus/train";
 * import { evaluateRuns } from "gradus/train/node";
 * const { models } = await evaluateRuns(["runs/a-001", "runs/a-002"], { views: flipViews });
 * for (const { name, measures } of models) console.log(name, measures.accuracy);
 * ```
 */
export async function evaluateRuns(
  paths: readonly string[],
  options: EvaluateRunsOptions = {},
): Promise<RunsEvaluation> {
  const { views, calibrate, part = "final", average = "probabilities" } = options;
  if (paths.length === 0) throw new ValueError("evaluate", "got no run");
  const plain: Answers[] = [];
  const looked: Answers[] = [];
  let first: TrainedRun | undefined;
  for (const [i, path] of paths.entries()) {
    options.signal?.throwIfAborted();
    const run = await openTrainedRun(path);
    first ??= run;
    checkRun(run, { ...(calibrate && { calibrate }), part });
    options.onRun?.(run.name, i, paths.length);
    plain.push(await answersOf(run, run.model, run.name, options));
    if (!views) continue;
    const model = new TestTimeAugmentation(run.model, { views, average });
    looked.push(await answersOf(run, model, `${run.name}, several looks`, options));
  }
  checkTargets(plain);
  const count = `ensemble of ${paths.length}`;
  const all = [...plain, ...looked];
  if (paths.length > 1) {
    all.push(together(count, plain, { average }));
    if (views) all.push(together(`${count}, several looks`, looked, { average }));
  }
  const { classNames } = first!.experiment.data;
  return {
    models: noGrad(() => all.map((answers) => judge(answers, first!))),
    targets: plain[0]!.measured.targets,
    ...(classNames && { classNames }),
  };
}

function checkRun(
  { name, experiment }: TrainedRun,
  { calibrate, part }: Pick<EvaluateRunsOptions, "calibrate" | "part">,
): void {
  if (experiment.options.batchLoss)
    throw new ShapeError("evaluate", `${name} takes batches of its own form, not [x, y]`);
  if (!calibrate) return;
  if (experiment.classes === undefined)
    throw new ValueError("evaluate", `${name} is no classifier: there is nothing to calibrate`);
  if (part === "validation" || !experiment.data.hasTest)
    throw new ValueError(
      "evaluate",
      `${name}: a temperature found on the validation data must be measured with others; there is no test data`,
    );
}
