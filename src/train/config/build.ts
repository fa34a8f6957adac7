/**
 * A configuration and its data put together: model, optimizer, loaders, schedule, loss, metrics, ready for `fit`. Works in a
 * browser too; node/experimentFile.ts reads both from files.
 */
import { ValueError } from "../../core/errors.js";
import { TensorDataset } from "../../data/dataset.js";
import { DataLoader } from "../../data/loader.js";
import { normalizeImages } from "../../data/normalize.js";
import type { ArrayData } from "../../io/arrayData.js";
import { manualSeed } from "../../tensor/random.js";
import type { ModelCard } from "../classifier.js";
import type { Experiment } from "../experiment.js";
import type { Metric } from "../metrics/index.js";
import type { FitOptions } from "../options.js";
import { flattenSettings } from "../runs/settings.js";
import type { BatchSource, Loss, Model } from "../steps.js";
import { augmentBatches, needsUnitRange } from "./augmented.js";
import { type Chosen, makeChosen } from "./choices.js";
import {
  type Examples,
  inputShapeOf,
  isPictures,
  limitPair,
  type Normalization,
  type Pair,
  type Split,
  splitExamples,
} from "./data.js";
import { losses } from "./losses.js";
import { makeMetric } from "./metrics.js";
import { type ModelInfo, models } from "./models.js";
import { makeOptimizer } from "./optimizers.js";
import type { CustomData, CustomParts } from "./resolve.js";
import { makeSchedule } from "./schedules.js";
import type { ResolvedConfig } from "./schema.js";
import { loopOptions } from "./training.js";
import { type Transferred, transferTo } from "./transfer.js";

/** What a run tells of its data. */
export interface DataSummary {
  /** For people, such as `handwritten digits`. */
  readonly title: string;
  readonly classNames?: readonly string[];
  /** Measures of data that no choice was made with; the validation data where there are no others. */
  readonly final?: BatchSource;
  /** Whether `final` is a part of its own, and not what the run is validated with. */
  readonly hasTest: boolean;
  /** The pictures and labels of `final`, in its order. */
  readonly finalPair?: Pair;
  /** What is trained on, in order and as it is: neither shuffled nor augmented. */
  readonly trainInOrder?: BatchSource;
}

/** An experiment with what it was made from. */
export interface BuiltExperiment extends Experiment {
  /** What was built, loss and metrics written out. */
  readonly config: ResolvedConfig;
  readonly data: DataSummary;
  /** What must be known to use the trained model again, where it classifies pictures. */
  readonly card?: ModelCard;
  /** What came of `transfer`, where the configuration has it. */
  readonly transfer?: Pick<Transferred, "weights" | "trainable">;
}

/** What the data say about the model: inputs, outputs, loaders. */
interface Prepared {
  readonly train: BatchSource;
  readonly validation?: BatchSource;
  readonly info: ModelInfo;
  readonly classes?: number;
  readonly summary: DataSummary;
  readonly split?: Split;
}

const splits = new WeakMap<Examples, Map<string, Split>>();

/** Splits are the same for all builds with the same settings, and large. */
function splitOnce(examples: Examples, { validation, splitSeed }: ResolvedConfig["data"]): Split {
  const known = splits.get(examples) ?? new Map<string, Split>();
  splits.set(examples, known);
  const key = JSON.stringify([validation, splitSeed]);
  const split = known.get(key) ?? splitExamples(examples, { validation, splitSeed });
  known.set(key, split);
  return split;
}

/** Turns gathered rows of numbers into normalised ones. */
function normalizeRows({ mean, std }: Normalization) {
  const [means, stds] = [[mean].flat(), [std].flat()];
  return <A extends readonly ArrayData[]>([x, ...rest]: A): A => {
    const out = Float32Array.from(
      x!.data,
      (value, i) => (value - means[i % means.length]!) / stds[i % stds.length]!,
    );
    return [{ ...x!, data: out }, ...rest] as unknown as A;
  };
}

/** A loader's transform from what is kept to what a model takes. */
function inputTransform(pair: Pair, normalization: Normalization | undefined) {
  if (!isPictures(pair)) return normalization && normalizeRows(normalization);
  return normalizeImages({ ...normalization, addChannel: pair.x.ndim === 3 });
}

function loaderOf(
  pair: Pair,
  normalization: Normalization | undefined,
  options: { batchSize: number; shuffle: boolean; dropLast?: boolean; seed: number },
): BatchSource {
  const transform = inputTransform(pair, normalization);
  return new DataLoader(new TensorDataset(pair.x, pair.y), {
    ...options,
    ...(transform && { transform }),
  });
}

function normalizationOf(split: Split, { data }: ResolvedConfig): Normalization | undefined {
  const { normalize } = data;
  return normalize === true ? split.normalization : normalize === false ? undefined : normalize;
}

function prepareExamples(examples: Examples, config: ResolvedConfig): Prepared {
  const { data, train: settings } = config;
  const { batchSize, evaluationBatchSize, dropLast, seed } = settings;
  const split = splitOnce(examples, data);
  const normalization = normalizationOf(split, config);
  const pair = limitPair(split.train, data.limit, data.splitSeed);
  const changes = data.augment === false ? [] : data.augment;
  if (changes.length > 0 && !isPictures(pair))
    throw new ValueError("data", `augment changes pictures; ${examples.title} are numbers`);
  const isLater = needsUnitRange(changes);
  const loader = loaderOf(pair, isLater ? undefined : normalization, {
    ...{ batchSize, shuffle: true, dropLast, seed },
  });
  const train = augmentBatches(loader, changes, {
    seed,
    ...(isLater && normalization && { normalization }),
  });
  const measuring = (held: Pair) =>
    loaderOf(held, normalization, { batchSize: evaluationBatchSize, shuffle: false, seed });
  const { classNames, title } = examples;
  const validation = split.validation && measuring(split.validation);
  const finalPair = split.test ?? split.validation;
  const isSame = finalPair === split.validation;
  const final = isSame ? validation : finalPair && measuring(finalPair);
  return {
    train,
    ...(validation && { validation }),
    info: {
      inputShape: inputShapeOf(pair),
      outputs: classNames?.length ?? pair.y.shape[1] ?? 1,
    },
    ...(classNames && { classes: classNames.length }),
    summary: {
      title,
      ...(classNames && { classNames }),
      ...(final && { final }),
      ...(finalPair && { finalPair }),
      hasTest: split.test !== undefined,
      trainInOrder: measuring(pair),
    },
    split,
  };
}

function prepareLoaders(data: CustomData): Prepared {
  const { train, validation, test, inputShape, classNames } = data;
  const classes = data.classes ?? classNames?.length;
  const outputs = data.outputs ?? classes;
  if (outputs === undefined)
    throw new ValueError("data", "load gave neither classes, classNames nor outputs");
  const final = test ?? validation;
  return {
    train,
    ...(validation && { validation }),
    info: { inputShape, outputs },
    ...(classes !== undefined && { classes }),
    summary: {
      title: "examples of its own loaders",
      ...(classNames && { classNames }),
      ...(final && { final }),
      hasTest: test !== undefined,
    },
  };
}

async function prepare(
  config: ResolvedConfig,
  parts: CustomParts,
  examples: Examples | undefined,
): Promise<Prepared> {
  if (examples) return prepareExamples(examples, config);
  const { batchSize, evaluationBatchSize, seed } = config.train;
  const { limit, augment } = config.data;
  if (!parts.data) throw new ValueError("data", "there are neither examples nor loaders");
  const info = { batchSize, evaluationBatchSize, seed, augment: augment !== false };
  return prepareLoaders(await parts.data({ ...info, ...(limit !== undefined && { limit }) }));
}

/** The model of a configuration; its weights are drawn from the default generator. */
export function buildModel(config: ResolvedConfig, parts: CustomParts, info: ModelInfo): Model {
  const { name, ...options } = config.model;
  if (name !== "custom") return makeChosen<ModelInfo, Model>(models, config.model, info);
  return parts.model!({ ...info, options });
}

/** Loss and metrics that suit the data, where none are named. */
function complete(config: ResolvedConfig, isClassifier: boolean): ResolvedConfig {
  const {
    loss = isClassifier ? { name: "crossEntropy", labelSmoothing: 0 } : { name: "mse" },
    metrics: measured = isClassifier ? [{ name: "accuracy" }] : [],
  } = config;
  return { ...config, loss, metrics: measured };
}

function metricsOf(
  chosen: readonly Chosen[],
  own: CustomParts["metrics"],
  outputs: number,
): Record<string, Metric> {
  const all = chosen.map((one): readonly [string, Metric] =>
    one.name === "custom" ? [String(one.label), own[String(one.label)]!] : makeMetric(one, outputs),
  );
  const labels = all.map(([label]) => label);
  const twice = labels.find((label, i) => labels.indexOf(label) !== i);
  if (twice !== undefined)
    throw new ValueError("metrics", `two are called ${twice}; give one a label`);
  return Object.fromEntries(all);
}

/** What a checkpoint must agree in, setting by setting; where the data lie is no matter. */
function identityOf({ model, data, loss, optim, schedule, train, transfer }: ResolvedConfig) {
  const { path: _, test: __, ...treatment } = data;
  const { seed, mix } = train;
  const { weights: ___, ...rest } = transfer ?? {};
  const parts = { model, data: treatment, loss, optim, schedule, train: { seed, mix } };
  const entries = Object.entries(flattenSettings(transfer ? { ...parts, transfer: rest } : parts));
  return Object.fromEntries(entries.map(([path, value]) => [path, String(value)]));
}

function cardOf(config: ResolvedConfig, prepared: Prepared): ModelCard | undefined {
  const { info, split, summary } = prepared;
  const [channels, height, width] = info.inputShape;
  if (!split || !isPictures(split.train) || !summary.classNames || info.inputShape.length !== 3)
    return undefined;
  const normalization = normalizationOf(split, config) ?? { mean: 0, std: 1 };
  const look = split.statistics ?? { background: 0, extent: 1 };
  return {
    model: config.model,
    classes: summary.classNames,
    ...{ channels: channels!, height: height!, width: width! },
    ...normalization,
    ...{ background: look.background, extent: look.extent },
  };
}

export interface BuildOptions {
  readonly parts?: CustomParts;
  /** The data set; left out where the configuration has loaders of its own. */
  readonly examples?: Examples;
  /** The tensors of the file that `transfer.weights` names. */
  readonly weights?: ReadonlyMap<string, ArrayData>;
}

/**
 * Builds what a configuration describes. Seeds the default generator: the same configuration and data give the same weights,
 * bit for bit, on one backend.
 *
 * @throws ShapeError or ValueError where model and data do not fit.
 */
export async function buildExperiment(
  given: ResolvedConfig,
  { parts = { metrics: {} }, examples, weights }: BuildOptions,
): Promise<BuiltExperiment> {
  const prepared = await prepare(given, parts, examples);
  const config = complete(given, prepared.classes !== undefined);
  manualSeed(config.train.seed);
  const model = buildModel(config, parts, prepared.info);
  const { train, validation, classes, summary } = prepared;
  const loss: Loss =
    config.loss!.name === "custom"
      ? parts.loss!
      : makeChosen<void, Loss>(losses, config.loss!, undefined);
  const { lr } = config.optim;
  const source = weights ? { source: weights } : {};
  const transferred = config.transfer && transferTo(model, config.transfer, { lr, ...source });
  const options: FitOptions = {
    optimizer: makeOptimizer(config.optim, transferred?.parameters ?? model.parameters()),
    ...(transferred && { callbacks: transferred.callbacks }),
    train,
    ...(validation && { validation }),
    epochs: config.train.epochs,
    loss,
    metrics: metricsOf(config.metrics!, parts.metrics, prepared.info.outputs),
    schedule: makeSchedule(config.schedule),
    ...loopOptions(config.train, {
      ...(classes !== undefined && { classes }),
      hasValidation: validation !== undefined,
    }),
    identity: identityOf(config),
  };
  const card = cardOf(config, prepared);
  return {
    model,
    options,
    ...(classes !== undefined && { classes }),
    config,
    data: summary,
    ...(card && { card }),
    ...(transferred && { transfer: transferred }),
  };
}
