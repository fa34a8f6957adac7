/**
 * The data of a configuration from the disk: sets by name, folders, tables, archives. What lies at a path tells its kind where
 * no name is given. Node only. Read ../config/data.ts for what is done with them.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { basename, isAbsolute, join, resolve } from "node:path";
import { FormatError, ValueError } from "../../core/errors.js";
import { toTensor } from "../../data/loader.js";
import {
  CIFAR10,
  CIFAR100,
  dataFolder,
  FashionMNIST,
  ImageFolder,
  KMNIST,
  loadDigits,
  loadIdxFolder,
  loadImageArchive,
  MNIST,
  type OpenOptions,
  readCsv,
  type VisionDataset,
} from "../../data/node.js";
import { fashionMnistClasses, type LabelledImages } from "../../data/sources/labelled.js";
import { type ArrayData, bytesOf } from "../../io/arrayData.js";
import { FileError } from "../../io/fileSystem.js";
import { loadNpz } from "../../io/npyFile.js";
import { fromTypedArray } from "../../tensor/create.js";
import type { Chosen } from "../config/choices.js";
import type { Examples, Pair } from "../config/data.js";
import type { SourceName } from "../config/sources.js";

const isFolder = (path: string): boolean =>
  fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

const archive = /\.(tar|tgz|tar\.gz)$/;

/** What a path holds, by its ending or its files. */
function kindOf(path: string): SourceName {
  if (/\.csv(\.gz)?$/.test(path)) return "csv";
  if (path.endsWith(".npz")) return "npz";
  if (!isFolder(path)) {
    if (archive.test(path)) return "cifar10";
    if (!fs.existsSync(path)) throw new FileError("data", path, "no such file or folder", "ENOENT");
    throw new FormatError("data", `${path}: is no .csv, .npz, archive or folder; say data.name`);
  }
  const names = fs.readdirSync(path);
  if (names.some((name) => /idx3-ubyte(\.gz)?$/.test(name))) return "idx";
  if (names.some((name) => /^data_batch_\d\.bin|^cifar-10/.test(name))) return "cifar10";
  if (names.some((name) => /^cifar-100/.test(name))) return "cifar100";
  return "images";
}

/** Paths made absolute from a folder, and the kind of data told where it is not named. */
export function completeData(
  data: Readonly<Record<string, unknown>>,
  folder: string,
): Record<string, unknown> {
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(folder, path));
  const result: Record<string, unknown> = { ...data };
  for (const key of ["path", "test"] as const) {
    const value = result[key];
    if (typeof value === "string") result[key] = absolute(value);
  }
  if (result.name === undefined && typeof result.path === "string") {
    result.name = kindOf(result.path);
    if (basename(result.path) === "fashion-mnist" && result.name === "idx")
      result.classNames ??= [...fashionMnistClasses];
  }
  return result;
}

const pairOf = (x: ArrayData, y: ArrayData): Pair => ({ x: toTensor(x), y: toTensor(y) });

function fromLabelled({ train, test, classNames }: LabelledImages, title: string): Examples {
  const pair = ({ images, labels }: LabelledImages["train"]): Pair => ({ x: images, y: labels });
  return { train: pair(train), test: pair(test), classNames, title };
}

interface Opener {
  open(options: OpenOptions): Promise<VisionDataset>;
}

async function openOfficial(opener: Opener, title: string, path?: string): Promise<Examples> {
  const root = path === undefined ? {} : { root: path };
  const [train, test] = [
    await opener.open({ ...root, train: true }),
    await opener.open({ ...root, train: false }),
  ];
  return {
    train: { x: train.data, y: train.targets },
    test: { x: test.data, y: test.targets },
    classNames: train.classes,
    title,
  };
}

const cifar10: Opener = {
  async open({ root, train }) {
    if (root === undefined || !archive.test(root) || /binary/.test(basename(root)))
      return CIFAR10.open({ ...(root !== undefined && { root }), train: train ?? true });
    const cache = join(dataFolder(), "decoded");
    return loadImageArchive(root, { part: train ? "train" : "test", cache });
  },
};

const official = {
  cifar10: [cifar10, "CIFAR-10"],
  cifar100: [CIFAR100, "CIFAR-100"],
  "fashion-mnist": [FashionMNIST, "Fashion-MNIST"],
  kmnist: [KMNIST, "Kuzushiji-MNIST"],
  mnist: [MNIST, "MNIST"],
} as const satisfies Record<string, readonly [Opener, string]>;

/** More pictures than this are not kept in memory. */
const maxPixels = 2 ** 31 - 1;

async function readPictures(root: string, size: readonly [number, number]) {
  const folder = ImageFolder.open(root, { size });
  const first = (await folder.get(0))[0];
  const each = first.data.length;
  if (each * folder.length > maxPixels)
    throw new ValueError(
      "data",
      `${root} has ${folder.length} pictures of ${each} bytes, more than fit in memory; give a smaller size, ` +
        "or loaders of your own in a TypeScript file",
    );
  const pixels = new Uint8Array(each * folder.length);
  for (let i = 0; i < folder.length; i++) pixels.set((await folder.get(i))[0].data, i * each);
  const x = fromTypedArray(pixels, { shape: [folder.length, ...first.shape] });
  return { pair: { x, y: fromTypedArray(folder.targets) }, classes: folder.classes };
}

async function openImages(path: string, size: readonly [number, number]): Promise<Examples> {
  const part = (names: readonly string[]) =>
    names.map((name) => join(path, name)).find((folder) => isFolder(folder));
  const trainFolder = part(["train", "training"]);
  const testFolder = trainFolder && part(["test", "val", "validation"]);
  const train = await readPictures(trainFolder ?? path, size);
  const test = testFolder ? await readPictures(testFolder, size) : undefined;
  if (test && test.classes.join("\n") !== train.classes.join("\n"))
    throw new FormatError(
      "data",
      `${testFolder}: has the classes ${test.classes.join(", ")}; expected ${train.classes.join(", ")}`,
    );
  return {
    train: train.pair,
    ...(test && { test: test.pair }),
    classNames: train.classes,
    title: `pictures from ${path}`,
  };
}

interface CsvOptions {
  readonly path: string;
  readonly test?: string;
  readonly target: string;
  readonly columns?: readonly string[];
  readonly task: "classification" | "regression";
  readonly delimiter: string;
  readonly header: boolean;
}

async function openCsv(options: CsvOptions): Promise<Examples> {
  const { path, test, target, task, delimiter, header } = options;
  const table = await readCsv(path, { delimiter, header });
  const columns = options.columns ?? table.columns.filter((name) => name !== target);
  const rest = test === undefined ? undefined : await readCsv(test, { delimiter, header });
  const title = `rows of ${path}`;
  if (task === "regression")
    return {
      train: pairOf(table.numbers(columns), table.numbers([target])),
      ...(rest && { test: pairOf(rest.numbers(columns), rest.numbers([target])) }),
      title,
    };
  const { labels, classes } = table.categories(target);
  const places = new Map(classes.map((name, i) => [name, i]));
  const testLabels = rest?.column(target).map((value, row) => {
    const place = places.get(String(value));
    if (place !== undefined) return place;
    const message = `${test}: row ${row + 1} is of class "${String(value).slice(0, 40)}", which ${path} does not have`;
    throw new FormatError("data", message);
  });
  return {
    train: pairOf(table.numbers(columns), labels),
    ...(rest && {
      test: {
        x: toTensor(rest.numbers(columns)),
        y: fromTypedArray(Int32Array.from(testLabels!)),
      },
    }),
    classNames: classes,
    title,
  };
}

interface NpzOptions {
  readonly path: string;
  readonly x: string;
  readonly y: string;
  readonly testX: string;
  readonly testY: string;
  readonly classNames?: readonly string[];
}

/** Whole numbers are classes, others numbers to tell. */
function npzPair(path: string, x: ArrayData, y: ArrayData): Pair {
  const isInput = x.dtype === "uint8" && (x.shape.length === 3 || x.shape.length === 4);
  const inputs = isInput ? x : { ...x, dtype: "float32" as const, data: Float32Array.from(x.data) };
  if (y.dtype.startsWith("float")) {
    const shape = y.shape.length === 1 ? [y.shape[0]!, 1] : y.shape;
    return pairOf(inputs, { shape, dtype: "float32", data: Float32Array.from(y.data) });
  }
  const bad = Array.prototype.findIndex.call(y.data, (label: number) => label < 0);
  if (bad >= 0)
    throw new FormatError("data", `${path}: label ${bad} is ${y.data[bad]}; expected ≥ 0`);
  return pairOf(inputs, { ...y, dtype: "int32", data: Int32Array.from(y.data) });
}

async function openNpz({ path, x, y, testX, testY, classNames }: NpzOptions): Promise<Examples> {
  const arrays = await loadNpz(path);
  const find = (name: string): ArrayData => {
    const array = arrays.get(name);
    if (array) return array;
    const known = [...arrays.keys()].join(", ");
    throw new FormatError("data", `${path}: has no array "${name}", only ${known}`);
  };
  const train = npzPair(path, find(x), find(y));
  const hasTest = arrays.has(testX) && arrays.has(testY);
  const test = hasTest ? npzPair(path, find(testX), find(testY)) : undefined;
  const title = `arrays of ${path}`;
  if (train.y.dtype !== "int32") return { train, ...(test && { test }), title };
  let largest = 0;
  for (const labels of [train.y, ...(test ? [test.y] : [])])
    for (const label of labels.data) largest = Math.max(largest, label);
  const names = classNames ?? Array.from({ length: largest + 1 }, (_, i) => String(i));
  if (names.length <= largest)
    throw new FormatError(
      "data",
      `${path}: a label is ${largest}; there are ${names.length} classNames`,
    );
  return { train, ...(test && { test }), classNames: names, title };
}

/**
 * Reads the data set that a configuration names.
 *
 * @throws FileError where a file is missing, FormatError where one is damaged or does not fit.
 */
export async function openExamples(data: Chosen): Promise<Examples> {
  const name = data.name as SourceName;
  const path = data.path as string | undefined;
  if (name === "digits") return fromLabelled(await loadDigits(), "handwritten digits");
  if (name === "idx") {
    const { classNames } = data as { readonly classNames?: readonly string[] };
    const images = await loadIdxFolder(path!, classNames ? { classNames } : {});
    return fromLabelled(images, `pictures from ${path}`);
  }
  if (name === "images") return await openImages(path!, data.size as [number, number]);
  if (name === "csv") return await openCsv(data as unknown as CsvOptions);
  if (name === "npz") return await openNpz(data as unknown as NpzOptions);
  if (name === "custom") throw new ValueError("data", "loaders of its own are no data set");
  const [opener, title] = official[name];
  return await openOfficial(opener, title, path);
}

const fingerprints = new WeakMap<Examples, string>();

/** Tells data sets apart: a digest of all inputs and targets. */
export function fingerprintOf(examples: Examples): string {
  const known = fingerprints.get(examples);
  if (known) return known;
  const hash = createHash("sha256");
  for (const { x, y } of [examples.train, ...(examples.test ? [examples.test] : [])])
    for (const { shape, data } of [x, y]) {
      hash.update(`${shape.join("x")};`);
      hash.update(bytesOf(data));
    }
  const text = `sha256:${hash.digest("hex").slice(0, 32)}`;
  fingerprints.set(examples, text);
  return text;
}
