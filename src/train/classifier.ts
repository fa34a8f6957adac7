/**
 * A trained image classifier as a file holds it: weights under PyTorch's names, and a card that says how to build the model
 * and what its inputs and outputs mean. Read node/modelFile.ts for files on disk.
 */
import { FormatError, ShapeError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import { toTensor } from "../data/loader.js";
import type { ArrayData } from "../io/arrayData.js";
import type { SafetensorsContent } from "../io/browser.js";
import { compile, fromTypedArray, noGrad, type Tensor } from "../tensor/index.js";
import { type Chosen, chosenSchema, makeChosen } from "./config/choices.js";
import { type ModelInfo, models } from "./config/models.js";
import { overBatches } from "./evaluation/predict.js";
import { Field } from "./fields.js";
import type { BatchSource, Model } from "./steps.js";

/** What must be known about a classifier of pictures besides its weights. */
export interface ModelCard {
  /** The architecture and its options, as a configuration names them. */
  readonly model: Chosen;
  /** What each class is called. */
  readonly classes: readonly string[];
  /** Of the pictures it takes: 1 (grey) or 3 (red, green, blue). */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Pixels from 0 to 1 become (pixel − mean) / std; one number, or one a channel. */
  readonly mean: number | readonly number[];
  readonly std: number | readonly number[];
  /** Grey of the training pictures' background, 0 (black) to 1 (white). */
  readonly background: number;
  /** Share of the frame's longer side that the training pictures' drawings take. */
  readonly extent: number;
}

/** Makes the model of a card, where it is none that a configuration can name. */
export type ModelMaker = (card: ModelCard) => Model;

const maxClasses = 10_000;
const maxSide = 4096;
const cardKey = "gradus";

/** A classifier's weights and card as the content of a safetensors file. */
export const classifierContent = (model: Model, card: ModelCard): SafetensorsContent => ({
  tensors: new Map<string, ArrayData>(model.stateDict()),
  // Readers of PyTorch's weights look for this format.
  metadata: { format: "pt", [cardKey]: JSON.stringify({ version: 2, ...card }) },
});

/** The card in a file's metadata. */
export function cardFrom({ metadata }: SafetensorsContent, source = "model"): ModelCard {
  const text = metadata[cardKey];
  if (text === undefined) {
    const message = `${source}: has no description of its model ("${cardKey}" in its metadata)`;
    throw new FormatError("loadClassifier", `${message}; was it saved by Gradus?`);
  }
  const card = Field.parse(text, source);
  // The first version knew one architecture, on grey pictures.
  const isFirst = card.get("version").whole(1, 2) === 1;
  if (isFirst) card.get("architecture").oneOf(["LeNet5"]);
  const numbers = (key: string, least?: number) => {
    const field = card.get(key);
    if (!field.isList) return field.number(least);
    return field.list(maxClasses).map((one) => one.number(least));
  };
  const read: ModelCard = {
    model: isFirst ? { name: "lenet" } : readModel(card.get("model")),
    classes: card
      .get("classes")
      .list(maxClasses)
      .map((name) => name.text()),
    channels: isFirst ? 1 : card.get("channels").whole(1, maxClasses),
    height: card.get("height").whole(1, maxSide),
    width: card.get("width").whole(1, maxSide),
    mean: numbers("mean"),
    std: numbers("std", 1e-6),
    background: card.get("background").number(0),
    extent: card.get("extent").number(0.01),
  };
  if (read.classes.length === 0)
    throw new FormatError("loadClassifier", `${source}: has no classes`);
  for (const list of [read.mean, read.std])
    if (typeof list !== "number" && ![1, read.channels].includes(list.length))
      throw new FormatError(
        "loadClassifier",
        `${source}: normalises ${list.length} channels of ${read.channels}`,
      );
  return read;
}

function readModel(field: Field): Chosen {
  const name = field.get("name").text();
  return { ...(field.plain() as object), name };
}

/** The largest whole number in a value. */
function largestIn(value: unknown): number {
  if (typeof value === "number") return Number.isInteger(value) ? value : 0;
  return typeof value === "object" && value !== null
    ? Math.max(0, ...Object.values(value).map(largestIn))
    : 0;
}

/** Throws for a card that asks for a model much larger than the weights beside it, before memory is taken for one. */
function checkSizes({ model }: ModelCard, { tensors }: SafetensorsContent, source: string): void {
  let most = 64;
  for (const { data } of tensors.values()) most = Math.max(most, data.length);
  const largest = largestIn(model);
  if (largest > most)
    throw new FormatError(
      "loadClassifier",
      `${source}: its description has ${largest}, larger than any of its weights`,
    );
}

/** A new model as a card describes it; its weights are drawn from the default generator. */
function modelOf(card: ModelCard, source: string): Model {
  const { model, channels, height, width, classes } = card;
  const known = Object.keys(models);
  if (!known.includes(model.name)) {
    const message =
      model.name === "custom"
        ? "its model is a function of the run's configuration: load it by the run's folder"
        : `its model is "${model.name}"; expected ${known.join(", ")}`;
    throw new FormatError("loadClassifier", `${source}: ${message}`);
  }
  const checked = chosenSchema(models).safeParse(model);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    const where = ["model", ...issue!.path].join(".");
    throw new FormatError("loadClassifier", `${source}: ${where}: ${issue!.message}`);
  }
  const info: ModelInfo = { inputShape: [channels, height, width], outputs: classes.length };
  return makeChosen<ModelInfo, Model>(models, checked.data, info);
}

/**
 * Rebuilds a classifier from a file's content.
 *
 * @param source what to call the content in errors, such as a file's name.
 * @param make makes the model where the card names none that is known.
 * @throws FormatError, saying what came and was expected, for content that is not a classifier or does not fit.
 */
export function classifierFrom(
  content: SafetensorsContent,
  source = "model",
  make?: ModelMaker,
): ImageClassifier {
  const card = cardFrom(content, source);
  checkSizes(card, content, source);
  try {
    const model = make && card.model.name === "custom" ? make(card) : modelOf(card, source);
    const tensors = [...content.tensors].map(([name, array]) => [name, toTensor(array)] as const);
    model.loadStateDict(tensors);
    return new ImageClassifier(model, card);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new FormatError("loadClassifier", `${source}: is not a ${card.model.name}: ${message}`);
  }
}

/** A model in eval mode with its card: takes pictures as they are, gives probabilities. */
export class ImageClassifier {
  readonly model: Model;
  readonly card: ModelCard;
  readonly #run: (x: Tensor) => Promise<Tensor>;

  constructor(model: Model, card: ModelCard) {
    this.model = model;
    this.card = card;
    this.#run = compile((x: Tensor) => noGrad(() => model.forward(x).softmax(1)));
  }

  /**
   * The probability of each class for each picture: float32 [B, classes], row-major.
   *
   * @param images float32 [B, H, W] where it takes grey pictures, or [B, C, H, W]; 0 (black) to 1 (white), with the training
   * pictures' kind of background.
   * @throws ShapeError for pictures of another size.
   */
  async probabilities(images: ArrayData): Promise<Float32Array> {
    const { channels, height, width, mean, std } = this.card;
    const [count, ...size] = images.shape;
    const expected = images.shape.length === 3 ? [height, width] : [channels, height, width];
    const isGrey = images.shape.length === 3 && channels !== 1;
    if (!count || isGrey || size.join() !== expected.join()) {
      const shape = channels === 1 ? `[B, ${height}, ${width}]` : `[B, ${expected.join(", ")}]`;
      throw new ShapeError(
        "probabilities",
        `pictures are ${formatShape(images.shape)}; expected ${shape}`,
      );
    }
    const [means, stds] = [[mean].flat(), [std].flat()];
    const plane = height * width;
    const pixels = Float32Array.from(images.data, (value, i) => {
      const channel = Math.floor(i / plane) % channels;
      return (value - means[channel % means.length]!) / stds[channel % stds.length]!;
    });
    this.model.eval();
    const x = fromTypedArray(pixels, { shape: [count, channels, height, width] });
    return (await this.#run(x)).data as Float32Array;
  }
}

/** What a classifier said about each example of a loader. */
export interface Classification {
  readonly labels: Int32Array;
  readonly predictions: Int32Array;
  /** The probability that each prediction was given. */
  readonly confidences: Float32Array;
}

/** Classifies all examples of a loader, in eval mode. The model gives scores [B, classes]. */
export async function classify(model: Model, loader: BatchSource): Promise<Classification> {
  const count = loader.dataset.length;
  const labels = new Int32Array(count);
  const predictions = new Int32Array(count);
  const confidences = new Float32Array(count);
  const answers = overBatches(model, loader, (x) => {
    const scores = model.forward(x);
    return { best: scores.argmax(1), confidence: scores.softmax(1).amax(1) };
  });
  let at = 0;
  for await (const { result, target } of answers) {
    labels.set(target.data, at);
    predictions.set(result.best.data, at);
    confidences.set(result.confidence.data, at);
    at += target.size;
  }
  return { labels, predictions, confidences };
}
