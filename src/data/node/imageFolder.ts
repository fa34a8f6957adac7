/**
 * Pictures on disk, decoded as they are asked for: any folder with one subfolder a class (as
 * torchvision's ImageFolder), lists of files (Places365), synsets (ImageNet). Small copies can be
 * kept, so that only the first epoch decodes large files. Node only. Read thumbnails.ts next.
 */
import * as fs from "node:fs";
import { extname, join } from "node:path";
import { FormatError, ValueError } from "../../core/errors.js";
import type { ArrayData } from "../../io/arrayData.js";
import { type DecodeImageOptions, readImage } from "../../io/decodeImage.js";
import { FileError, fileError } from "../../io/fileSystem.js";
import { readFileLimited } from "../../io/files.js";
import { checkIndex, type Dataset } from "../dataset.js";
import { Thumbnails } from "./thumbnails.js";

/** Endings that torchvision's ImageFolder takes, and others that readImage reads. */
const endings = new Set([
  ...[".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"],
  ...[".gif", ".avif", ".pbm", ".pnm"],
]);

/** A file and its class. */
export type Sample = readonly [path: string, label: number];

export interface ImageFolderOptions extends Omit<DecodeImageOptions, "source"> {
  /**
   * A folder to keep decoded pictures of `size` in, shared by processes. Needs `size`. Where nothing
   * can be written to it, as on a full disk, a warning says so and the pictures come all the same.
   */
  readonly thumbnails?: string;
  /** Take only files for which this holds; default by their endings. */
  readonly isValidFile?: (path: string) => boolean;
  /** Take classes without a file; default false, which is an error as in torchvision. */
  readonly allowEmpty?: boolean;
}

/** Files with labels, decoded as they are asked for: examples `[image uint8 [C, H, W], label]`. */
export class ImageDataset implements Dataset<[ArrayData, number]> {
  readonly samples: readonly Sample[];
  readonly classes: readonly string[];
  readonly #decode: DecodeImageOptions;
  readonly #thumbnails: Thumbnails | undefined;

  /** @throws ValueError for thumbnails without a size; FileError where their folder cannot be made. */
  constructor(
    samples: readonly Sample[],
    classes: readonly string[],
    options: ImageFolderOptions = {},
  ) {
    const { thumbnails, isValidFile: _, allowEmpty: __, ...decode } = options;
    if (thumbnails !== undefined && options.size === undefined)
      throw new ValueError("ImageDataset", "thumbnails need a size");
    this.samples = samples;
    this.classes = classes;
    this.#decode = decode;
    this.#thumbnails = thumbnails === undefined ? undefined : new Thumbnails(thumbnails, decode);
  }

  get length(): number {
    return this.samples.length;
  }

  get targets(): Int32Array {
    return Int32Array.from(this.samples, ([, label]) => label);
  }

  get classToIdx(): ReadonlyMap<string, number> {
    return new Map(this.classes.map((name, i) => [name, i]));
  }

  async get(index: number): Promise<[ArrayData, number]> {
    checkIndex("ImageDataset.get", index, this.length);
    const [path, label] = this.samples[index]!;
    const image = this.#thumbnails
      ? await this.#thumbnails.read(path)
      : await readImage(path, this.#decode);
    return [image, label];
  }
}

const byCode = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function listFolder(path: string): fs.Dirent[] {
  try {
    return fs.readdirSync(path, { withFileTypes: true }).sort((a, b) => byCode(a.name, b.name));
  } catch (error) {
    throw fileError("ImageFolder.open", path, error);
  }
}

const isFolder = (path: string): boolean =>
  fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Whether an entry is a folder or leads to one; only links, and what the system does not say, are looked at. */
const leadsToFolder = (entry: fs.Dirent, path: string): boolean =>
  entry.isDirectory() || (!entry.isFile() && isFolder(path));

/** A folder and all below it, each with its files; links to folders that hold it are not followed in circles. */
function* walkFolders(
  folder: string,
  above: readonly string[] = [],
): Generator<{ folder: string; files: string[] }> {
  const real = fs.realpathSync(folder);
  if (above.includes(real)) return;
  const files: string[] = [];
  const folders: string[] = [];
  for (const entry of listFolder(folder)) {
    const path = join(folder, entry.name);
    (leadsToFolder(entry, path) ? folders : files).push(path);
  }
  yield { folder, files };
  for (const inner of folders) yield* walkFolders(inner, [...above, real]);
}

/** All files below a folder in torchvision's order: by folder, then by name. */
const walkFiles = (root: string): string[] =>
  [...walkFolders(root)].sort((a, b) => byCode(a.folder, b.folder)).flatMap(({ files }) => files);

/** Finds the files of each class. */
function findSamples(
  root: string,
  folders: readonly string[],
  options: ImageFolderOptions,
): Sample[] {
  const isValid = options.isValidFile ?? ((path) => endings.has(extname(path).toLowerCase()));
  return folders.flatMap((name, label) => {
    const files = walkFiles(join(root, name)).filter(isValid);
    if (files.length === 0 && !options.allowEmpty)
      throw new FileError("ImageFolder.open", join(root, name), "holds no pictures");
    return files.map((path): Sample => [path, label]);
  });
}

const classFolders = (root: string): string[] =>
  listFolder(root)
    .filter((entry) => leadsToFolder(entry, join(root, entry.name)))
    .map(({ name }) => name);

/**
 * A folder with one subfolder a class, `root/CLASS/…/picture.png`; classes by the order of their
 * names' characters, as torchvision's ImageFolder.
 *
 * @example
 * ```ts ignore
 * import { ImageFolder } from "gradus/data/node";
 * const flowers = ImageFolder.open("flowers/train", { size: [64, 64], thumbnails: "thumbnails" });
 * ```
 */
export const ImageFolder = {
  open(root: string, options: ImageFolderOptions = {}): ImageDataset {
    const classes = classFolders(root);
    if (classes.length === 0)
      throw new FileError("ImageFolder.open", root, "has no subfolders; expected one a class");
    return new ImageDataset(findSamples(root, classes, options), classes, options);
  },
};

function readLines(path: string): string[] {
  const bytes = readFileLimited(path, { maxBytes: 2 ** 28 });
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  return lines.filter((line) => line.trim() !== "");
}

/** Lines `/a/airfield 0`: a path below a folder and the label. */
function readFileList(path: string, folder: string, classes: number): Sample[] {
  return readLines(path).map((line, i) => {
    const match = /^\/?(\S+)[ \t]+(\d+)$/.exec(line.trim());
    const label = Number(match?.[2]);
    if (!match || match[1]!.split("/").includes("..") || label >= classes)
      throw new FormatError("open", `${path}: line ${i + 1} is "${line.slice(0, 80)}"`);
    return [join(folder, match[1]!), label];
  });
}

export interface Places365Options extends ImageFolderOptions {
  readonly split?: "train-standard" | "train-challenge" | "val";
  /** The pictures of 256 × 256 pixels; default false. */
  readonly small?: boolean;
}

/** Zhou et al.'s Places365 from its lists, `categories_places365.txt` and `places365_*.txt`. */
export const Places365 = {
  open(root: string, options: Places365Options = {}): ImageDataset {
    const { split = "train-standard", small = false, ...rest } = options;
    const categories = join(root, "categories_places365.txt");
    const classes: string[] = [];
    for (const line of readLines(categories)) {
      const [name, label] = line.trim().split(/\s+/);
      if (!name || Number(label) !== classes.length)
        throw new FormatError("Places365.open", `${categories}: is out of order at "${line}"`);
      classes.push(name);
    }
    const size = small ? "256" : "large";
    const folder = split === "val" ? `val_${size}` : `data_${size}_${split.slice(6)}`;
    const list = join(root, `places365_${split.replace("-", "_")}.txt`);
    const samples = readFileList(list, join(root, folder), classes.length);
    return new ImageDataset(samples, classes, rest);
  },
};

export interface ImageNetOptions extends ImageFolderOptions {
  readonly split?: "train" | "val";
  /** Names of the classes: `LOC_synset_mapping.txt`, `synset_words.txt` or class index JSON. */
  readonly synsets?: string;
  /**
   * For validation pictures that lie in one folder: lines `FILE LABEL`, as Caffe's `val.txt`, or
   * Kaggle's `LOC_val_solution.csv`, which needs a list of synsets.
   */
  readonly labels?: string;
}

const synsetFiles = ["LOC_synset_mapping.txt", "synset_words.txt", "imagenet_class_index.json"];

/**
 * ILSVRC's folders, `train/n01440764/*.JPEG` and `val/…`: labels by the order of the synsets' ids,
 * as everywhere. Names come from a list of synsets where there is one.
 */
export const ImageNet = {
  open(root: string, options: ImageNetOptions = {}): ImageDataset {
    const { split = "train", synsets, labels, ...rest } = options;
    const folder = isFolder(join(root, split)) ? join(root, split) : root;
    const list = synsets ?? synsetFiles.map((name) => join(root, name)).find(fs.existsSync);
    const names = list === undefined ? undefined : readSynsets(list);
    if (labels !== undefined) {
      const classes = names ? [...names.values()] : Array.from({ length: 1000 }, (_, i) => `${i}`);
      const samples = labels.endsWith(".csv")
        ? readSolutions(labels, folder, [...(names?.keys() ?? [])])
        : readFileList(labels, folder, classes.length);
      return new ImageDataset(samples, classes, rest);
    }
    const ids = names ? [...names.keys()] : classFolders(folder);
    const given = ids.filter((id) => isFolder(join(folder, id)));
    if (given.length === 0)
      throw new FileError("ImageNet.open", folder, "has no folders of synsets such as n01440764");
    const classes = ids.map((id) => names?.get(id) ?? id);
    const labelOf = new Map(ids.map((id, label) => [id, label]));
    const samples = findSamples(folder, given, rest).map(
      ([path, i]): Sample => [path, labelOf.get(given[i]!)!],
    );
    return new ImageDataset(samples, classes, rest);
  },
};

/** Lines `ILSVRC2012_val_00000001,n01751748 111 108 441 193`: a picture, and the synset of each thing in it, all the same. */
function readSolutions(path: string, folder: string, ids: readonly string[]): Sample[] {
  const labelOf = new Map(ids.map((id, label) => [id, label]));
  const [head, ...lines] = readLines(path);
  if (head !== "ImageId,PredictionString")
    throw new FormatError("ImageNet.open", `${path}: expected ImageId,PredictionString first`);
  return lines.map((line, i) => {
    const match = /^([\w-]+),\s*(n\d{8})\b/.exec(line);
    const label = labelOf.get(match?.[2] ?? "");
    if (match && label !== undefined) return [join(folder, `${match[1]}.JPEG`), label];
    const hint =
      ids.length === 0 ? "give a list of synsets too" : "expected a picture and a synset";
    throw new FormatError(
      "ImageNet.open",
      `${path}: line ${i + 2} is "${line.slice(0, 80)}"; ${hint}`,
    );
  });
}

/** Synset ids in order, with their first name. */
function readSynsets(path: string): Map<string, string> {
  const fail = (what: string): never => {
    throw new FormatError("ImageNet.open", `${path}: ${what}; expected ids such as n01440764`);
  };
  const pairs = path.endsWith(".json")
    ? readClassIndex(path, fail)
    : readLines(path).map((line): [string, string] => {
        const match = /^(n\d{8})(?:\s+([^,]+).*)?$/.exec(line.trim());
        return match ? [match[1]!, match[2] ?? match[1]!] : fail(`has the line "${line}"`);
      });
  return new Map([...pairs].sort(([a], [b]) => byCode(a, b)));
}

function readClassIndex(path: string, fail: (what: string) => never): [string, string][] {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(readFileLimited(path, { maxBytes: 2 ** 24 })));
  } catch (error) {
    fail((error as Error).message);
  }
  return Object.values(value ?? {}).map((pair): [string, string] => {
    const [id, name] = Array.isArray(pair) ? pair : [];
    return /^n\d{8}$/.test(id) && typeof name === "string" ? [id, name] : fail("is no class index");
  });
}
