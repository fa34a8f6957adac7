/**
 * How a model is trained on labelled pictures: model, optimizer, batches, normalisation and learning rate put together from
 * a few settings. Read fit.ts for the loop.
 */
import { ShapeError } from "../core/errors.js";
import { DataLoader } from "../data/loader.js";
import { normalizeImages } from "../data/normalize.js";
import type { LabelledImages, LabelledPart } from "../data/sources/labelled.js";
import { Adam, AdamW, type Optimizer, SGD } from "../optim/index.js";
import { manualSeed } from "../tensor/random.js";
import { shiftImages } from "./augment.js";
import { buildModel, type ModelCard } from "./classifier.js";
import type { FitOptions } from "./fit.js";
import { imageStatistics } from "./imageStatistics.js";
import { accuracy } from "./metrics/index.js";
import { cosineSchedule } from "./schedule.js";
import type { Model } from "./steps.js";

export const optimizerNames = ["adam", "adamw", "sgd"] as const;
export type OptimizerName = (typeof optimizerNames)[number];

/** What a learning rate is where none is given. */
export const defaultRates: Readonly<Record<OptimizerName, number>> = {
  adam: 3e-3,
  adamw: 3e-3,
  sgd: 0.05,
};

/** The settings of a run. The same settings and data give the same weights, bit for bit, on one backend. */
export interface RecipeSettings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerName;
  /** The highest learning rate: it rises to it over the first steps, then falls along a cosine. */
  readonly lr: number;
  /** Decides the first weights and the order of the examples. */
  readonly seed: number;
  /** Training pictures are moved at random by up to so many pixels. */
  readonly shift: number;
}

export interface Recipe {
  readonly model: Model;
  readonly card: ModelCard;
  readonly options: FitOptions & { readonly validation: DataLoader<LabelledExample> };
}

type LabelledExample = LabelledPart["dataset"] extends { get(index: number): infer E } ? E : never;

const testBatchSize = 250;

function makeOptimizer({ optimizer, lr }: RecipeSettings, model: Model): Optimizer {
  const parameters = model.parameters();
  if (optimizer === "sgd") return new SGD(parameters, { lr, momentum: 0.9, weightDecay: 5e-4 });
  return optimizer === "adam" ? new Adam(parameters, { lr }) : new AdamW(parameters, { lr });
}

/**
 * LeNet-5 on greyscale pictures of 28 × 28 pixels, normalised by the training part's mean and standard deviation. Seeds the
 * default generator.
 *
 * @throws ShapeError for pictures of another size.
 */
export function lenetRecipe(images: LabelledImages, settings: RecipeSettings): Recipe {
  const { train, test, classes, classNames } = images;
  const [, height, width] = train.images.shape;
  if (height !== 28 || width !== 28)
    throw new ShapeError("lenet", `pictures are ${height} × ${width}; LeNet-5 takes 28 × 28`);
  manualSeed(settings.seed);
  const model = buildModel("LeNet5", classes);
  const statistics = imageStatistics(train.images);
  const { mean, std } = statistics;
  const transform = normalizeImages({ mean, std, addChannel: true });
  const loader = (part: LabelledPart, batchSize: number, shuffle: boolean) => {
    const { seed } = settings;
    return new DataLoader(part.dataset, { batchSize, shuffle, seed, transform });
  };
  return {
    model,
    card: { architecture: "LeNet5", classes: classNames, height, width, ...statistics },
    options: {
      optimizer: makeOptimizer(settings, model),
      train: shiftImages(loader(train, settings.batchSize, true), {
        pixels: settings.shift,
        seed: settings.seed,
      }),
      validation: loader(test, testBatchSize, false),
      epochs: settings.epochs,
      metrics: { accuracy },
      schedule: cosineSchedule({ warmup: 0.05 }),
      identity: {
        architecture: "LeNet5",
        classes: String(classes),
        optimizer: settings.optimizer,
        lr: String(settings.lr),
        seed: String(settings.seed),
        shift: String(settings.shift),
      },
    },
  };
}
