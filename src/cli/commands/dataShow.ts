/** `gradus data show`: a sheet of pictures with a row for each class, and how many each has. */
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Command } from "commander";
import { FormatError } from "../../core/errors.js";
import { dataFolder } from "../../data/node/cache.js";
import { loadImageArchive } from "../../data/node/imageArchive.js";
import { type ImageDataset, ImageFolder, Places365 } from "../../data/node/imageFolder.js";
import { Omniglot, type OmniglotDataset } from "../../data/node/omniglot.js";
import { findRemote } from "../../data/node/registry.js";
import {
  CIFAR10,
  CIFAR100,
  EMNIST,
  FashionMNIST,
  KMNIST,
  MNIST,
  type VisionDataset,
} from "../../data/node/visionDataset.js";
import type { ArrayData } from "../../io/arrayData.js";
import { writeFileAtomic } from "../../io/files.js";
import { encodePng } from "../../io/png.js";
import { makeParents } from "../../train/node/runFolder.js";
import { UsageError } from "../errors.js";
import { whole } from "../options.js";
import type { Context } from "../program.js";
import { count, plural } from "../terminal/format.js";
import { bar } from "../terminal/style.js";

interface ShowOptions {
  readonly out?: string;
  readonly test?: boolean;
  readonly perClass: number;
  readonly classes: number;
}

/** Pictures with labels, whatever they come from. */
interface Shown {
  readonly targets: ArrayLike<number>;
  readonly classes: readonly string[];
  get(index: number): Promise<ArrayData>;
}

/** Adds `show` to `gradus data`. */
export function addDataShow(data: Command, context: Context): void {
  data
    .command("show")
    .description("Write a sheet of pictures with labels (SVG), and print how many a class has.")
    .argument(
      "<data>",
      "a name, or a path: MNIST's files, CIFAR's, Omniglot's zip, class folders, also in a tar",
    )
    .option("-o, --out <file>", "where to write the sheet (default: NAME.svg)")
    .option("--test", "the test part instead of the training part")
    .option("--per-class <n>", "pictures of each class", whole(1, 100), 10)
    .option("--classes <n>", "at most so many classes on the sheet", whole(1, 1000), 25)
    .action((wanted: string, options: ShowOptions) => show(wanted, options, context));
}

async function show(wanted: string, options: ShowOptions, { io }: Context): Promise<void> {
  const { out } = io;
  const shown = await openAny(wanted, !options.test);
  const places = shown.classes.map((): number[] => []);
  for (let i = 0; i < shown.targets.length; i++) places[shown.targets[i]!]!.push(i);
  const most = Math.max(...places.map(({ length }) => length));
  const widest = Math.min(32, Math.max(...shown.classes.map(({ length }) => length)));
  const total = plural(shown.targets.length, "picture");
  out.line(`${out.style.bold(total)} of ${plural(shown.classes.length, "class", "classes")}`);
  places.slice(0, 100).forEach(({ length }, label) => {
    const name = shown.classes[label]!.slice(0, widest).padEnd(widest);
    out.line(`  ${name}  ${bar(length / most, 24, out.style)}  ${count(length)}`);
  });
  if (places.length > 100) out.line(out.style.dim(`  and ${places.length - 100} more`));
  const path = options.out ?? `${basename(wanted).replace(/\.(zip|tar\.gz)$/, "")}.svg`;
  const sheet = new TextEncoder().encode(await drawSheet(shown, places, options));
  makeParents(dirname(path));
  writeFileAtomic(path, sheet);
  out.line(`${out.style.good("wrote")} ${path}`);
}

async function openAny(wanted: string, train: boolean): Promise<Shown> {
  const isName = findRemote(wanted) !== undefined && !fs.existsSync(wanted);
  const root = isName ? join(dataFolder(), wanted) : wanted;
  if (!fs.existsSync(root)) {
    const hint = isName ? `; get it by: gradus data get ${wanted}` : "; see gradus data list";
    throw new UsageError(`no data set ${root}${hint}`);
  }
  const open = kindOf(root, isName ? wanted : basename(root));
  return open({ root, train });
}

type Open = (options: { root: string; train: boolean }) => Promise<Shown>;

/** Pictures that are decoded as they are drawn. */
const decoded = (dataset: ImageDataset | OmniglotDataset): Shown => ({
  targets: dataset.targets,
  classes: dataset.classes,
  get: async (index) => (await dataset.get(index))[0],
});

const inMemory =
  (source: { open(options: { root: string; train: boolean }): Promise<VisionDataset> }): Open =>
  async (options) => {
    const dataset = await source.open(options);
    const get = async (index: number) => dataset.get(index)[0];
    return { targets: dataset.targets.data, classes: dataset.classes, get };
  };

/** Which data set a folder or archive is, by the files in it. */
function kindOf(root: string, name: string): Open {
  const isFile = fs.statSync(root).isFile();
  const names = isFile ? [basename(root)] : fs.readdirSync(root);
  const has = (pattern: RegExp) => names.some((file) => pattern.test(file));
  if (has(/^emnist-|^gzip(\.zip)?$/))
    return inMemory({ open: (options) => EMNIST.open("balanced", options) });
  if (has(/^(train|t10k)-images/))
    return inMemory({ "fashion-mnist": FashionMNIST, kmnist: KMNIST }[name] ?? MNIST);
  if (has(/^cifar-100|^fine_label_names/)) return inMemory(CIFAR100);
  if (has(/^cifar-10|^data_batch_|^test_batch/)) return inMemory(CIFAR10);
  if (has(/\.zip$/))
    return async (options) =>
      decoded(await Omniglot.open({ root: options.root, background: options.train }));
  if (has(/\.(tar|tgz|tar\.gz)$/) && isFile) return inMemory({ open: openArchive });
  if (isFile) throw new UsageError(`${root}: no data set that is known by its name`);
  const size = [cell, cell] as const;
  if (has(/^categories_places365\.txt$/))
    return async (options) => {
      const parts = ["train-standard", "train-challenge"] as const;
      const part = parts.find((name) => has(new RegExp(`^data_(256|large)_${name.slice(6)}$`)));
      const split = (options.train && part) || "val";
      const small = has(/^(val|data)_256/);
      return decoded(Places365.open(options.root, { split, small, size }));
    };
  return async (options) => {
    const part = join(options.root, options.train ? "train" : "test");
    const folder = fs.existsSync(part) ? part : options.root;
    return decoded(ImageFolder.open(folder, { size, allowEmpty: true }));
  };
}

/** Pictures in class folders of a tar archive; those of the part, if it has such. */
async function openArchive({ root, train }: { root: string; train: boolean }) {
  const cache = join(dataFolder(), "decoded");
  try {
    return await loadImageArchive(root, { part: train ? "train" : "test", cache });
  } catch (error) {
    if (!(error instanceof FormatError && /holds no pictures/.test(error.message))) throw error;
    return await loadImageArchive(root, { cache });
  }
}

const cell = 64;
const gap = 4;
const labelWidth = 180;

const escape = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

async function drawSheet(
  shown: Shown,
  places: readonly (readonly number[])[],
  { perClass, classes }: ShowOptions,
): Promise<string> {
  const rows = places.slice(0, classes);
  const width = labelWidth + perClass * (cell + gap) + gap;
  const height = rows.length * (cell + gap) + gap;
  const parts: string[] = [];
  for (const [row, indices] of rows.entries()) {
    const y = gap + row * (cell + gap);
    const name = escape(shown.classes[row]!.slice(0, 24));
    parts.push(`<text x="${gap}" y="${y + cell / 2 + 5}">${name}</text>`);
    for (const [i, index] of indices.slice(0, perClass).entries()) {
      const png = Buffer.from(await toPng(await shown.get(index))).toString("base64");
      const x = labelWidth + i * (cell + gap);
      parts.push(
        `<image x="${x}" y="${y}" width="${cell}" height="${cell}" href="data:image/png;base64,${png}"/>`,
      );
    }
  }
  const style = "font:14px sans-serif;image-rendering:pixelated;background:#fff";
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" style="${style}">\n` +
    `<rect width="100%" height="100%" fill="#fff"/>\n${parts.join("\n")}\n</svg>\n`
  );
}

/** From channels after one another to pixels, as PNG. */
function toPng({ shape, data }: ArrayData): Promise<Uint8Array> {
  const [height, width] = shape.slice(-2) as [number, number];
  const channels = shape.length === 3 && shape[0] === 3 ? 3 : 1;
  const pixels = new Uint8Array(channels * height * width);
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < height * width; i++)
      pixels[i * channels + c] = data[c * height * width + i]!;
  return encodePng({ width, height, channels, data: pixels });
}
