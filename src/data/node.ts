/**
 * Data sets from folders on disk: MNIST and everything in its format (Fashion-MNIST, KMNIST …), and
 * the handwritten digits that come with the package. Node only. Read idx.ts for the format,
 * sources/labelled.ts for the checks.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FileError } from "../io/fileSystem.js";
import { readFileGunzip } from "../io/files.js";
import { decodeIdx } from "./idx.js";
import {
  type LabelledImages,
  type LabelOptions,
  labelledImages,
  type RawPart,
} from "./sources/labelled.js";

export interface IdxFolderOptions extends LabelOptions {
  /** Refuse files that hold more bytes than this, also after inflating; default 2³⁰ (1 GiB). */
  readonly maxBytes?: number;
}

/**
 * Loads a data set of labelled pictures from a folder with MNIST's four files, gzipped or not:
 * `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`,
 * `t10k-labels-idx1-ubyte`.
 *
 * @throws FormatError for a damaged file or labels that do not fit, naming the file and the label's
 * index; FileError where a file is missing.
 * @example
 * ```ts ignore
 * import { loadIdxFolder } from "gradus/data/node";
 * const { train, test, classes } = await loadIdxFolder("fashion-mnist");
 * console.log(train.images.shape, classes); // → [ 60000, 28, 28 ] 10
 * ```
 */
export async function loadIdxFolder(
  folder: string,
  options: IdxFolderOptions = {},
): Promise<LabelledImages> {
  const maxBytes = options.maxBytes ?? 2 ** 30;
  const train = await readPart(folder, "train", maxBytes);
  const test = await readPart(folder, "t10k", maxBytes);
  return labelledImages(train, test, options);
}

/**
 * Loads the handwritten digits that come with the package: 10,000 of MNIST's, 8,000 to train on and
 * 2,000 (200 a class) to test with, pictures uint8 `[N, 28, 28]`.
 *
 * @example
 * ```ts
 * import { loadDigits } from "gradus/data/node";
 * const { train } = await loadDigits();
 * console.log(train.images.shape); // → [ 8000, 28, 28 ]
 * ```
 */
export const loadDigits = (): Promise<LabelledImages> =>
  // From src/data and from dist/data the package's root is two folders up.
  loadIdxFolder(fileURLToPath(new URL("../../assets/mnist", import.meta.url)), { classes: 10 });

async function readPart(folder: string, part: string, maxBytes: number): Promise<RawPart> {
  const imagesSource = findFile(folder, `${part}-images`, "idx3-ubyte");
  const labelsSource = findFile(folder, `${part}-labels`, "idx1-ubyte");
  const images = await readIdx(imagesSource, maxBytes);
  const labels = await readIdx(labelsSource, maxBytes);
  return { images, labels, imagesSource, labelsSource };
}

async function readIdx(path: string, maxBytes: number) {
  const bytes = await readFileGunzip(path, { maxBytes });
  return decodeIdx(bytes, { source: path });
}

/** The names that copies of MNIST are found under: with a dash or a dot, gzipped or not. */
function findFile(folder: string, start: string, end: string): string {
  const names = [`${start}-${end}`, `${start}.${end}`].flatMap((name) => [name, `${name}.gz`]);
  const found = names.map((name) => join(folder, name)).find(existsSync);
  if (found) return found;
  const what = existsSync(folder) ? `has none of ${names.join(", ")}` : "no such folder";
  throw new FileError("loadIdxFolder", folder, `${what}; expected MNIST's four files`, "ENOENT");
}

export {
  dataFolder,
  type GetDataOptions,
  getData,
  type VerifiedFile,
  verifyData,
} from "./node/cache.js";
export {
  cifar10Classes,
  type EmnistSplit,
  emnistClasses,
  kmnistClasses,
} from "./node/classNames.js";
export { DownloadError, type DownloadOptions } from "./node/download.js";
export { ImageArchive, type ImageArchiveOptions, loadImageArchive } from "./node/imageArchive.js";
export {
  ImageDataset,
  ImageFolder,
  type ImageFolderOptions,
  ImageNet,
  type ImageNetOptions,
  Places365,
  type Places365Options,
  type Sample,
} from "./node/imageFolder.js";
export { Omniglot, OmniglotDataset, type OneShotRun } from "./node/omniglot.js";
export { type RemoteDataset, type RemoteFile, remoteDatasets } from "./node/registry.js";
export {
  type ReadCsvOptions,
  type ReadParquetOptions,
  readCsv,
  readParquet,
  type Table,
} from "./node/tables.js";
export {
  CIFAR10,
  CIFAR100,
  EMNIST,
  FashionMNIST,
  KMNIST,
  MNIST,
  type OpenOptions,
  VisionDataset,
} from "./node/visionDataset.js";
export {
  type BrokenShardExample,
  readShard,
  type ShardOptions,
  type ShardSample,
  shardSamples,
  type WebDatasetOptions,
  webDataset,
} from "./node/webDataset.js";
export { WorkerDataset, type WorkerOptions } from "./node/workerDataset.js";
