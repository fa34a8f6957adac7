/** CIFAR-10 from its official files, or from an archive of JPEGs, `cifar10/{train,test}/CLASS/NNNN.jpg`, decoded once. */
import { basename, join } from "node:path";
import { tensor } from "gradus";
import { CIFAR10, dataFolder, loadImageArchive, type VisionDataset } from "gradus/data/node";
import type { LabOptions } from "../lab.js";
import { head, type Part, type Parts } from "./pictures.js";

/** How many pictures of each class the short form takes. */
const short = { train: 80, test: 20 } as const;

const numberOf = (file: string): number => Number.parseInt(basename(file), 10);

/** Krizhevsky's own files, which `gradus data get cifar10` fetches. */
async function loadOfficial({ data, short: isShort, log }: LabOptions): Promise<Parts> {
  const open = (train: boolean) => CIFAR10.open({ train, ...(data && { root: data }) });
  const [train, test] = [await open(true), await open(false)];
  const part = ({ data: images, targets: labels }: VisionDataset, most: number): Part =>
    head({ images, labels }, isShort ? most : labels.size);
  log?.(`${train.length} + ${test.length} pictures read`);
  return {
    train: part(train, 10 * short.train),
    test: part(test, 10 * short.test),
    classNames: train.classes,
  };
}

/** A part of an archive, all classes in turn, so that a beginning has all of them. */
async function loadPart(path: string, part: "train" | "test", options: LabOptions) {
  const most = options.short ? short[part] : Number.POSITIVE_INFINITY;
  const pictures = await loadImageArchive(path, {
    part,
    cache: join(dataFolder(), "decoded"),
    ...(options.short && { filter: (name: string) => numberOf(name) < most }),
    ...(options.signal && { signal: options.signal }),
  });
  const { files } = pictures;
  const keys = files.map((file) => file.split("/").slice(-2).reverse().join("/"));
  const order = files.map((_, i) => i).sort((a, b) => (keys[a]! < keys[b]! ? -1 : 1));
  const rows = tensor(Int32Array.from(order));
  return {
    classes: pictures.classes,
    images: pictures.data.indexSelect(0, rows),
    labels: pictures.targets.indexSelect(0, rows),
  };
}

/** uint8 pictures [N, 3, 32, 32], from the official files or from an archive of JPEGs. */
export async function loadCifar(options: LabOptions): Promise<Parts> {
  const { data, log } = options;
  const isArchive = data !== undefined && /images.*\.tar\.gz$/.test(basename(data));
  if (!isArchive) return loadOfficial(options);
  const { classes, ...train } = await loadPart(data, "train", options);
  const { images, labels } = await loadPart(data, "test", options);
  log?.(`${train.labels.size} + ${labels.size} pictures read`);
  return { train, test: { images, labels }, classNames: classes };
}
