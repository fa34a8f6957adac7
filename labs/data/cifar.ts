/** CIFAR-10 from its official files, or from an archive of JPEGs, `cifar10/{train,test}/CLASS/NNNN.jpg`, decoded with sharp. */
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { createGunzip } from "node:zlib";
import { tensor } from "gradus";
import { CIFAR10, type VisionDataset } from "gradus/data/node";
import sharp from "sharp";
import type { LabOptions } from "../lab.js";
import { head, type Part, type Parts } from "./pictures.js";

interface Entry {
  readonly name: string;
  readonly bytes: Buffer;
}

const block = 512;

/** The files of a gzipped tar archive in POSIX's ustar form. */
async function* readTar(path: string): AsyncGenerator<Entry> {
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(path).pipe(createGunzip())) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    for (;;) {
      if (rest.length < block) break;
      const name = rest.toString("utf8", 0, 100).replace(/\0.*$/s, "");
      const size = Number.parseInt(rest.toString("latin1", 124, 136), 8) || 0;
      const end = block + Math.ceil(size / block) * block;
      if (!(size >= 0 && size < 2 ** 24))
        throw new Error(`${path}: "${name}" claims ${size} bytes`);
      if (rest.length < end) break;
      // Type "0" or NUL is an ordinary file.
      if (name && (rest[156] === 48 || rest[156] === 0))
        yield { name, bytes: Buffer.from(rest.subarray(block, block + size)) };
      rest = rest.subarray(end);
    }
  }
}

const side = 32;

/** Red, green and blue planes. */
async function decode({ name, bytes }: Entry): Promise<Uint8Array> {
  const { data, info } = await sharp(bytes)
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.width !== side || info.height !== side || info.channels !== 3)
    throw new Error(`${name} is ${info.width} × ${info.height} × ${info.channels}`);
  const plane = side * side;
  const out = new Uint8Array(3 * plane);
  for (let p = 0; p < plane; p++) for (let c = 0; c < 3; c++) out[c * plane + p] = data[p * 3 + c]!;
  return out;
}

async function decodeAll(entries: readonly Entry[]): Promise<Uint8Array> {
  const out = new Uint8Array(entries.length * 3 * side * side);
  let next = 0;
  const work = async () => {
    for (let i = next++; i < entries.length; i = next++)
      out.set(await decode(entries[i]!), i * 3 * side * side);
  };
  await Promise.all(Array.from({ length: 16 }, work));
  return out;
}

/** Takes every class in turn, so that a short form has all of them. */
const byNumber = (a: Entry, b: Entry): number => {
  const [x, y] = [a, b].map(({ name }) => name.split("/").slice(-2).reverse().join("/"));
  return x! < y! ? -1 : 1;
};

const labelOf = ({ name }: Entry): string => name.split("/").at(-2)!;

/** Krizhevsky's own files, which `gradus data get cifar10` fetches. */
async function loadOfficial({ data, short, log }: LabOptions): Promise<Parts> {
  const open = (train: boolean) => CIFAR10.open({ train, ...(data && { root: data }) });
  const [train, test] = [await open(true), await open(false)];
  const part = ({ data: images, targets: labels }: VisionDataset, most: number): Part =>
    head({ images, labels }, short ? most : labels.size);
  log?.(`${train.length} + ${test.length} pictures read`);
  return { train: part(train, 800), test: part(test, 200), classNames: train.classes };
}

/** uint8 pictures [N, 3, 32, 32], from the official files or from an archive of JPEGs. */
export async function loadCifar(options: LabOptions): Promise<Parts> {
  const { data, short, log } = options;
  const isArchive = data !== undefined && /images.*\.tar\.gz$/.test(basename(data));
  if (!isArchive) return loadOfficial(options);
  const entries: Entry[] = [];
  for await (const entry of readTar(data)) if (entry.name.endsWith(".jpg")) entries.push(entry);
  const classNames = [...new Set(entries.map(labelOf))].sort();
  const part = async (name: string, most: number): Promise<Part> => {
    const all = entries.filter((entry) => entry.name.includes(`/${name}/`)).sort(byNumber);
    const chosen = short ? all.slice(0, most) : all;
    const pixels = await decodeAll(chosen);
    return {
      images: tensor(pixels, { shape: [chosen.length, 3, side, side] }),
      labels: tensor(Int32Array.from(chosen, (entry) => classNames.indexOf(labelOf(entry)))),
    };
  };
  const parts = { train: await part("train", 800), test: await part("test", 200), classNames };
  log?.(`${parts.train.labels.size} + ${parts.test.labels.size} pictures decoded`);
  return parts;
}
