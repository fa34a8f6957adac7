/**
 * Data sets of small pictures that fit in memory, in torchvision's shape: MNIST and its relatives in
 * IDX files, CIFAR in its binary files. Node only. Read cache.ts for where they come from,
 * imageFolder.ts for pictures that stay on the disk.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { FormatError, ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import type { ArrayData } from "../../io/arrayData.js";
import { FileError } from "../../io/fileSystem.js";
import { readFileGunzip, readFileLimited } from "../../io/files.js";
import { gunzip } from "../../io/gzip.js";
import { readTar } from "../../io/tarFile.js";
import { openZip } from "../../io/zipFile.js";
import type { Tensor } from "../../tensor/tensor.js";
import { TensorDataset } from "../dataset.js";
import { decodeIdx } from "../idx.js";
import { toTensor } from "../loader.js";
import { fashionMnistClasses } from "../sources/labelled.js";
import { dataFolder, type GetDataOptions, getData } from "./cache.js";
import { cifar10Classes, type EmnistSplit, emnistClasses, kmnistClasses } from "./classNames.js";

export interface OpenOptions {
  /** The folder (or archive) with the official files; default the one that `data get` fills. */
  readonly root?: string;
  /** The training part (default) or the test part. */
  readonly train?: boolean;
  /** Fetch what is missing, where no `root` is given; default false. */
  readonly download?: boolean | GetDataOptions;
}

/** Pictures, uint8, and labels, int32, as examples `[image, label]`. */
export class VisionDataset extends TensorDataset<[Tensor, Tensor]> {
  /** What each class is called. */
  readonly classes: readonly string[];

  constructor(images: ArrayData, labels: Int32Array, classes: readonly string[]) {
    super(toTensor(images), toTensor({ shape: [labels.length], dtype: "int32", data: labels }));
    this.classes = classes;
  }

  /** All pictures: `[N, H, W]` or `[N, C, H, W]`. */
  get data(): Tensor {
    return this.tensors[0];
  }

  /** All labels: `[N]`. */
  get targets(): Tensor {
    return this.tensors[1];
  }

  /** The number of each class by its name. */
  get classToIdx(): ReadonlyMap<string, number> {
    return new Map(this.classes.map((name, i) => [name, i]));
  }
}

const maxBytes = 2 ** 31;

/** Where a data set lies: the path given, or its place in the folder of data sets. */
export async function findRoot(name: string, { root, download }: OpenOptions): Promise<string> {
  if (root !== undefined) {
    if (fs.existsSync(root)) return root;
    throw new FileError("open", root, "no such file or folder; check the path", "ENOENT");
  }
  if (download) return getData(name, download === true ? {} : download);
  const folder = join(dataFolder(), name);
  if (fs.existsSync(folder)) return folder;
  const hint = `get it by: gradus data get ${name}; or give its path as root`;
  throw new FileError("open", folder, `${name} is not there; ${hint}`, "ENOENT");
}

/** The first of some names that is in the folder or in one of torchvision's subfolders. */
function findFile(root: string, names: readonly string[], below: readonly string[] = []): string {
  const folders = [root, ...below.map((folder) => join(root, folder))];
  for (const folder of folders)
    for (const name of names)
      for (const ending of ["", ".gz"]) {
        const path = join(folder, name + ending);
        if (fs.existsSync(path)) return path;
      }
  throw new FileError("open", root, `has none of ${names.join(", ")}, gzipped or not`, "ENOENT");
}

function makeDataset(
  images: ArrayData,
  labels: ArrayData,
  classes: readonly string[],
  [imagesSource, labelsSource]: readonly [string, string],
): VisionDataset {
  const fail = (source: string, message: string): never => {
    throw new FormatError("open", `${source}: ${message}`);
  };
  if (images.dtype !== "uint8" || images.shape.length !== 3)
    fail(imagesSource, `holds ${images.dtype} ${formatShape(images.shape)}; expected [N, H, W]`);
  if (labels.shape.length !== 1 || labels.shape[0] !== images.shape[0])
    fail(labelsSource, `holds ${formatShape(labels.shape)}; expected [${images.shape[0]}] labels`);
  const values = Int32Array.from(labels.data);
  const bad = values.findIndex((label) => label < 0 || label >= classes.length);
  if (bad >= 0)
    fail(labelsSource, `label ${bad} is ${values[bad]}; expected 0 to ${classes.length - 1}`);
  return new VisionDataset(images, values, classes);
}

async function openIdx(
  name: string,
  folder: string,
  classes: readonly string[],
  options: OpenOptions,
): Promise<VisionDataset> {
  const root = await findRoot(name, options);
  const part = (options.train ?? true) ? "train" : "t10k";
  const below = ["raw", join(folder, "raw")];
  const paths = ["images-idx3", "labels-idx1"].map((kind) => {
    const [what, rank] = kind.split("-");
    return findFile(
      root,
      [`${part}-${what}-${rank}-ubyte`, `${part}-${what}.${rank}-ubyte`],
      below,
    );
  }) as [string, string];
  const [images, labels] = await Promise.all(
    paths.map(async (path) =>
      decodeIdx(await readFileGunzip(path, { maxBytes }), { source: path }),
    ),
  );
  return makeDataset(images!, labels!, classes, paths);
}

const digits = Array.from({ length: 10 }, (_, i) => String(i));

/**
 * LeCun, Cortes and Burges' handwritten digits: 60,000 and 10,000 pictures `[28, 28]`.
 *
 * @example
 * ```ts ignore
 * import { MNIST } from "gradus/data/node";
 * const train = await MNIST.open({ download: true });
 * console.log(train.data.shape); // → [ 60000, 28, 28 ]
 * ```
 */
export const MNIST = {
  open: (options: OpenOptions = {}): Promise<VisionDataset> =>
    openIdx("mnist", "MNIST", digits, options),
};

/** Zalando's clothes in MNIST's format. */
export const FashionMNIST = {
  open: (options: OpenOptions = {}): Promise<VisionDataset> =>
    openIdx("fashion-mnist", "FashionMNIST", fashionMnistClasses, options),
};

/** Kuzushiji-MNIST: ten cursive Japanese characters in MNIST's format. */
export const KMNIST = {
  open: (options: OpenOptions = {}): Promise<VisionDataset> =>
    openIdx("kmnist", "KMNIST", kmnistClasses, options),
};

/**
 * Cohen et al.'s extended MNIST (2017), from its zip archive or a folder. Its files hold pictures
 * transposed, torchvision leaves them so; here they stand upright. Labels of `letters` are from 1 in
 * the files, and here, as in torchvision, whose class 0 is "N/A".
 */
export const EMNIST = {
  async open(split: EmnistSplit, options: OpenOptions = {}): Promise<VisionDataset> {
    const classes = emnistClasses[split];
    if (!classes) {
      const known = Object.keys(emnistClasses).join(", ");
      throw new ValueError("EMNIST.open", `split is ${split}; expected one of ${known}`);
    }
    const root = await findRoot("emnist", options);
    const part = (options.train ?? true) ? "train" : "test";
    const names = [`images-idx3`, `labels-idx1`].map(
      (end) => `emnist-${split}-${part}-${end}-ubyte`,
    );
    const archive = fs.statSync(root).isFile() ? root : join(root, "gzip.zip");
    const files = fs.existsSync(archive)
      ? await readZipped(archive, names)
      : names.map((name) => findFile(root, [name], ["gzip", "raw", join("EMNIST", "raw")]));
    const arrays = await Promise.all(
      files.map(async (file) =>
        typeof file === "string"
          ? decodeIdx(await readFileGunzip(file, { maxBytes }), { source: file })
          : decodeIdx(file.bytes, { source: file.source }),
      ),
    );
    const sources = files.map((file) => (typeof file === "string" ? file : file.source));
    const images = transposePictures(arrays[0]!);
    return makeDataset(images, arrays[1]!, classes, sources as [string, string]);
  },
};

async function readZipped(path: string, names: readonly string[]) {
  const { archive, close } = await openZip(path, { maxEntryBytes: maxBytes });
  try {
    const files: { bytes: Uint8Array; source: string }[] = [];
    for (const name of names) {
      const entry = archive.entries.find((e) => e.name.split("/").at(-1) === `${name}.gz`);
      if (!entry) throw new FormatError("EMNIST.open", `${path}: holds no ${name}.gz`);
      const source = `${path}/${entry.name}`;
      const bytes = await gunzip(await archive.read(entry.name), { maxBytes, source });
      files.push({ bytes, source });
    }
    return files;
  } finally {
    close();
  }
}

function transposePictures(images: ArrayData): ArrayData {
  const [count = 0, height = 0, width = 0] = images.shape;
  if (images.shape.length !== 3) return images;
  const data = new Uint8Array(images.data.length);
  for (let n = 0, base = 0; n < count; n++, base += height * width)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        data[base + x * height + y] = images.data[base + y * width + x]!;
  return { shape: [count, width, height], dtype: "uint8", data };
}

const side = 32;
const pictureBytes = 3 * side * side;

interface CifarFormat {
  readonly name: string;
  readonly archive: string;
  readonly folder: string;
  readonly train: readonly string[];
  readonly test: readonly string[];
  /** Bytes before the pixels: CIFAR-100 has the superclass first. */
  readonly labelBytes: number;
  /** The file with the classes' names. */
  readonly names: string;
}

async function openCifar(format: CifarFormat, options: OpenOptions, label: number, names?: string) {
  const root = await findRoot(format.name, options);
  const wanted = (options.train ?? true) ? format.train : format.test;
  const files = await readCifarFiles(root, format, [...wanted, names ?? format.names]);
  const classBytes = files.get(names ?? format.names);
  const classes = classBytes
    ? new TextDecoder()
        .decode(classBytes)
        .split("\n")
        .map((s) => s.trim())
        .filter(Boolean)
    : format.labelBytes === 1
      ? cifar10Classes
      : Array.from({ length: names ? 20 : 100 }, (_, i) => String(i));
  const record = format.labelBytes + pictureBytes;
  const parts = wanted.map((name) => {
    const bytes = files.get(name);
    if (!bytes) throw new FileError("open", root, `has no ${name}`, "ENOENT");
    if (bytes.length === 0 || bytes.length % record !== 0) {
      const message = `${root}: ${name} has ${bytes.length} bytes; expected a multiple of ${record}`;
      throw new FormatError("open", message);
    }
    return { name, bytes };
  });
  const count = parts.reduce((sum, { bytes }) => sum + bytes.length / record, 0);
  const images = new Uint8Array(count * pictureBytes);
  const labels = new Int32Array(count);
  let n = 0;
  for (const { name, bytes } of parts)
    for (let at = 0; at < bytes.length; at += record, n++) {
      labels[n] = bytes[at + label]!;
      if (labels[n]! >= classes.length)
        throw new FormatError("open", `${root}: ${name}: label ${labels[n]} at byte ${at + label}`);
      images.set(bytes.subarray(at + format.labelBytes, at + record), n * pictureBytes);
    }
  return new VisionDataset(
    { shape: [count, 3, side, side], dtype: "uint8", data: images },
    labels,
    classes,
  );
}

/** From the folder of the unpacked archive, or from the archive itself. */
async function readCifarFiles(root: string, format: CifarFormat, names: readonly string[]) {
  const files = new Map<string, Uint8Array>();
  const archive = fs.statSync(root).isFile() ? root : join(root, format.archive);
  const folder = [root, join(root, format.folder)].find((f) => fs.existsSync(join(f, names[0]!)));
  if (folder) {
    for (const name of names) {
      const path = join(folder, name);
      if (fs.existsSync(path)) files.set(name, readFileLimited(path, { maxBytes: 2 ** 28 }));
    }
    return files;
  }
  if (!fs.existsSync(archive))
    throw new FileError("open", root, `has neither ${names[0]} nor ${format.archive}`, "ENOENT");
  const baseOf = (path: string) => path.split("/").at(-1)!;
  const filter = (path: string) => names.includes(baseOf(path));
  for await (const { name, bytes } of readTar(archive, { filter })) files.set(baseOf(name), bytes);
  return files;
}

const cifar10Format: CifarFormat = {
  name: "cifar10",
  archive: "cifar-10-binary.tar.gz",
  folder: "cifar-10-batches-bin",
  train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
  test: ["test_batch.bin"],
  labelBytes: 1,
  names: "batches.meta.txt",
};

const cifar100Format: CifarFormat = {
  name: "cifar100",
  archive: "cifar-100-binary.tar.gz",
  folder: "cifar-100-binary",
  train: ["train.bin"],
  test: ["test.bin"],
  labelBytes: 2,
  names: "fine_label_names.txt",
};

/** Krizhevsky's CIFAR-10: 50,000 and 10,000 pictures `[3, 32, 32]` of ten classes. */
export const CIFAR10 = {
  open: (options: OpenOptions = {}): Promise<VisionDataset> => openCifar(cifar10Format, options, 0),
};

/** CIFAR-100: pictures as CIFAR-10's, of 100 fine classes or 20 coarse ones. */
export const CIFAR100 = {
  open: (options: OpenOptions & { readonly coarse?: boolean } = {}): Promise<VisionDataset> =>
    options.coarse
      ? openCifar(cifar100Format, options, 0, "coarse_label_names.txt")
      : openCifar(cifar100Format, options, 1),
};
