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
import { LeNet5 } from "../vision/models/lenet.js";
import { overBatches } from "./evaluation/predict.js";
import { Field } from "./fields.js";
import type { BatchSource, Model } from "./steps.js";

/** The models that can be rebuilt from a file, by the name that their card gives. */
const architectures = {
  LeNet5: { side: 28, build: (classes: number): Model => new LeNet5({ classes }) },
} as const;

export type ArchitectureName = keyof typeof architectures;

/** What must be known about a classifier besides its weights. */
export interface ModelCard {
  readonly architecture: ArchitectureName;
  /** What each class is called. */
  readonly classes: readonly string[];
  /** Size of the greyscale pictures it takes. */
  readonly height: number;
  readonly width: number;
  /** Pixels from 0 to 1 become (pixel − mean) / std. */
  readonly mean: number;
  readonly std: number;
  /** Grey of the training pictures' background, 0 (black) to 1 (white). */
  readonly background: number;
  /** Share of the frame's longer side that the training pictures' drawings take. */
  readonly extent: number;
}

const maxClasses = 10_000;
const cardKey = "gradus";

/** A classifier's weights and card as the content of a safetensors file. */
export const classifierContent = (model: Model, card: ModelCard): SafetensorsContent => ({
  tensors: new Map<string, ArrayData>(model.stateDict()),
  // Readers of PyTorch's weights look for this format.
  metadata: { format: "pt", [cardKey]: JSON.stringify({ version: 1, ...card }) },
});

function parseCard(text: string | undefined, source: string): ModelCard {
  if (text === undefined) {
    const message = `${source}: has no description of its model ("${cardKey}" in its metadata)`;
    throw new FormatError("loadClassifier", `${message}; was it saved by Gradus?`);
  }
  const card = Field.parse(text, source);
  card.get("version").whole(1, 1);
  const names = Object.keys(architectures) as ArchitectureName[];
  const architecture = card.get("architecture").oneOf(names);
  const { side } = architectures[architecture];
  return {
    architecture,
    classes: card
      .get("classes")
      .list(maxClasses)
      .map((name) => name.text()),
    height: card.get("height").whole(side, side),
    width: card.get("width").whole(side, side),
    mean: card.get("mean").number(),
    std: card.get("std").number(1e-6),
    background: card.get("background").number(0),
    extent: card.get("extent").number(0.01),
  };
}

/** A new model of an architecture; its weights are drawn from the default generator. */
export const buildModel = (architecture: ArchitectureName, classes: number): Model =>
  architectures[architecture].build(classes);

/**
 * Rebuilds a classifier from a file's content.
 *
 * @param source what to call the content in errors, such as a file's name.
 * @throws FormatError, saying what came and was expected, for content that is not a classifier or does not fit.
 */
export function classifierFrom(
  { tensors, metadata }: SafetensorsContent,
  source = "model",
): ImageClassifier {
  const card = parseCard(metadata[cardKey], source);
  if (card.classes.length === 0)
    throw new FormatError("loadClassifier", `${source}: has no classes`);
  const model = buildModel(card.architecture, card.classes.length);
  try {
    model.loadStateDict([...tensors].map(([name, array]) => [name, toTensor(array)] as const));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new FormatError("loadClassifier", `${source}: is not a ${card.architecture}: ${message}`);
  }
  return new ImageClassifier(model, card);
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
   * @param images float32 [B, H, W], 0 (black) to 1 (white), with the training pictures' kind of background.
   * @throws ShapeError for pictures of another size.
   */
  async probabilities(images: ArrayData): Promise<Float32Array> {
    const { height, width, mean, std } = this.card;
    const [count, ...size] = images.shape;
    if (size.length !== 2 || size[0] !== height || size[1] !== width || !count) {
      const expected = `[B, ${height}, ${width}]`;
      throw new ShapeError(
        "probabilities",
        `pictures are ${formatShape(images.shape)}; expected ${expected}`,
      );
    }
    const pixels = Float32Array.from(images.data, (value) => (value - mean) / std);
    this.model.eval();
    const x = fromTypedArray(pixels, { shape: [count, 1, height, width] });
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
