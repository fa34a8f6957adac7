/**
 * Embeddings of a run's own data, or of other pictures, by the network that it trained. Node only. Read ../transfer/embed.ts for what
 * they are.
 */
import * as fs from "node:fs";
import { resolve } from "node:path";
import { FormatError, ShapeError, ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import { TensorDataset } from "../../data/dataset.js";
import { DataLoader } from "../../data/loader.js";
import { normalizeImages } from "../../data/normalize.js";
import type { ModelCard } from "../classifier.js";
import { type Chosen, chosenSchema } from "../config/choices.js";
import { type Examples, inputShapeOf, isPictures } from "../config/data.js";
import { sources } from "../config/sources.js";
import type { BatchSource, Model } from "../steps.js";
import { type Embeddings, type EmbedOptions, embed } from "../transfer/embed.js";
import { loadWeights } from "../transfer/loadWeights.js";
import { completeData, openExamples } from "./dataSource.js";
import type { FileExperiment } from "./experimentFile.js";
import { loadClassifier } from "./modelFile.js";
import { RunFolder } from "./runFolder.js";
import { experimentOfRun } from "./trainRun.js";
import { readWeights } from "./weightsFile.js";

export const embedParts = ["train", "validation", "test"] as const;

export interface EmbedRunOptions extends EmbedOptions {
  /** Other pictures than the run's: a path, or the name of a data set such as `fashion-mnist`. */
  readonly data?: string;
  /** Which part of the data; default the test part, or else what there is besides training. */
  readonly part?: (typeof embedParts)[number];
  /** Examples in a batch; default 250. Of the run's own data the run says. */
  readonly batchSize?: number;
}

export interface EmbeddedRun extends Embeddings {
  /** Of the data, for people. */
  readonly title: string;
  readonly classNames?: readonly string[];
}

const op = "embed";

interface Source {
  readonly model: Model;
  readonly loader: BatchSource;
  readonly title: string;
  readonly classNames?: readonly string[];
}

/** A part of the run's own data, prepared as the run prepared them. */
function ownPart({ data, options }: FileExperiment, part: EmbedRunOptions["part"]): BatchSource {
  const parts = {
    train: data.trainInOrder,
    validation: options.validation,
    test: data.hasTest ? data.final : undefined,
  };
  const loader = part === undefined ? (data.final ?? data.trainInOrder) : parts[part];
  if (loader) return loader;
  const there = embedParts.filter((name) => parts[name]).join(", ") || "none in order";
  throw new ValueError(op, `the run has no ${part ?? "data"} part to embed; it has ${there}`);
}

async function openOwn(path: string, part: EmbedRunOptions["part"]): Promise<Source> {
  const folder = RunFolder.open(path);
  const experiment = await (await experimentOfRun(folder, folder.readConfig())).build();
  loadWeights(experiment.model, readWeights(path));
  const { title, classNames } = experiment.data;
  const loader = ownPart(experiment, part);
  return { model: experiment.model, loader, title, ...(classNames && { classNames }) };
}

/** Data by name or path, in the form that a configuration has after its check. */
function chosenData(data: string, { height, width }: ModelCard): Chosen {
  const isName = Object.hasOwn(sources, data) && !fs.existsSync(data);
  const given = completeData(isName ? { name: data } : { path: data }, resolve("."));
  const size = given.name === "images" ? { size: [height, width] } : {};
  const checked = chosenSchema(sources).safeParse({ ...given, ...size });
  if (checked.success) return checked.data;
  throw new ValueError(
    op,
    `${data} does not tell pictures by itself: ${checked.error.issues[0]!.message}`,
  );
}

function pairOf(examples: Examples, part: EmbedRunOptions["part"]) {
  const { train, test, title } = examples;
  if (part === "validation" || (part === "test" && !test)) {
    const there = test ? "train and test" : "train";
    throw new ValueError(op, `${title} have no ${part} part; they have ${there}`);
  }
  return part === "train" ? train : (test ?? train);
}

/** Other pictures, normalised as those that the network learned. */
async function openOther(path: string, data: string, options: EmbedRunOptions): Promise<Source> {
  const { model, card } = await loadClassifier(path);
  const examples = await openExamples(chosenData(data, card));
  const pair = pairOf(examples, options.part);
  const expected = [card.channels, card.height, card.width];
  const came = inputShapeOf(pair);
  if (!isPictures(pair))
    throw new FormatError(op, `${examples.title} are no pictures; the network takes such`);
  if (came.join() !== expected.join())
    throw new ShapeError(
      op,
      `pictures of ${data} are ${formatShape(came)}; the network takes ${formatShape(expected)}`,
    );
  const { mean, std } = card;
  const loader = new DataLoader(new TensorDataset(pair.x, pair.y), {
    batchSize: options.batchSize ?? 250,
    transform: normalizeImages({ mean, std, addChannel: pair.x.ndim === 3 }),
  });
  const { title, classNames } = examples;
  return { model, loader, title, ...(classNames && { classNames }) };
}

/**
 * Embeds the data that a run was trained with, or other pictures, by its trained network.
 *
 * @param path a run's folder; with `data` also a model file.
 * @throws FileError, FormatError for what cannot be read; ShapeError for pictures of another size; ValueError for a part or module
 * that is not there.
 * @example
 * ```ts ignore
 * import { saveNpy } from "gradus/io";
 * import { embedRun } from "gradus/train/node";
 * const { embeddings } = await embedRun("runs/lenet-2026-11-23-001", { part: "test" });
 * saveNpy("embeddings.npy", embeddings);
 * ```
 */
export async function embedRun(path: string, options: EmbedRunOptions = {}): Promise<EmbeddedRun> {
  const { data, part, batchSize: _, ...rest } = options;
  if (data === undefined && !fs.statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new ValueError(
      op,
      `${path} is a model file, which has no data of its own; say which data`,
    );
  const { model, loader, ...facts } =
    data === undefined ? await openOwn(path, part) : await openOther(path, data, options);
  return { ...(await embed(model, loader, rest)), ...facts };
}
