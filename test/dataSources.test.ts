/** Data sets in small files of their official formats, damaged ones, and the real ones where they are. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { packTar } from "modern-tar";
import sharp from "sharp";
import { FormatError, ValueError } from "../src/core/errors.js";
import { encodeIdx } from "../src/data/idx.js";
import { DataLoader } from "../src/data/loader.js";
import {
  CIFAR10,
  CIFAR100,
  EMNIST,
  ImageFolder,
  ImageNet,
  KMNIST,
  loadImageArchive,
  MNIST,
  Omniglot,
  Places365,
  readCsv,
} from "../src/data/node.js";
import { decodeImage, readImage } from "../src/io/decodeImage.js";
import { FileError } from "../src/io/fileSystem.js";
import { encodePng } from "../src/io/png.js";
import { readTar } from "../src/io/tarFile.js";
import { encodeZip } from "../src/io/zipWriter.js";
import { runInProcess, temporaryFolder } from "./trainSupport.js";

const folder = temporaryFolder();
const shared = fileURLToPath(new URL("../../shared/data/", import.meta.url));
const noShared = fs.existsSync(shared) ? false : "data: the real data sets are not there";
const words = (text: string) => new TextEncoder().encode(text);
const noise = (length: number) => new Uint8Array(length).map((_, i) => (i * 2654435761) >>> 13);

function make(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  fs.mkdirSync(join(path, ".."), { recursive: true });
  fs.writeFileSync(path, content);
  return path;
}

const idx = (shape: number[], data: Uint8Array) => encodeIdx({ shape, dtype: "uint8", data });
const grey = (size: number, value: number) =>
  encodePng({
    width: size,
    height: size,
    channels: 1,
    data: new Uint8Array(size * size).fill(value),
  });

test("IDX data sets are read from torchvision's folders too, gzipped or not", async () => {
  const images = noise(2 * 3 * 4);
  make("m/MNIST/raw/train-images-idx3-ubyte", idx([2, 3, 4], images));
  make("m/MNIST/raw/train-labels-idx1-ubyte.gz", gzipSync(idx([2], Uint8Array.of(9, 0))));
  const train = await MNIST.open({ root: join(folder, "m") });
  assert.deepEqual(
    [train.data.shape, [...train.targets.data]],
    [
      [2, 3, 4],
      [9, 0],
    ],
  );
  assert.deepEqual(new Uint8Array(train.data.data as Uint8Array), images);
  assert.equal(train.classToIdx.get("9"), 9);
  await assert.rejects(MNIST.open({ root: join(folder, "m"), train: false }), /has none of t10k-/);
  await assert.rejects(KMNIST.open({ root: join(folder, "gone") }), FileError);
  make("bad/train-images-idx3-ubyte", idx([2, 3, 4], images));
  make("bad/train-labels-idx1-ubyte", idx([2], Uint8Array.of(1, 10)));
  await assert.rejects(
    KMNIST.open({ root: join(folder, "bad") }),
    /label 1 is 10; expected 0 to 9/,
  );
});

test("EMNIST comes out of its zip upright", async () => {
  const stored = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const zip = await encodeZip([
    ["gzip/emnist-letters-train-images-idx3-ubyte.gz", gzipSync(idx([2, 2, 2], stored))],
    ["gzip/emnist-letters-train-labels-idx1-ubyte.gz", gzipSync(idx([2], Uint8Array.of(1, 26)))],
  ]);
  const root = make("emnist/gzip.zip", zip);
  for (const place of [root, join(folder, "emnist")]) {
    const letters = await EMNIST.open("letters", { root: place });
    assert.deepEqual([...letters.data.data], [1, 3, 2, 4, 5, 7, 6, 8]);
    assert.deepEqual(
      Array.from(letters.targets.data, (i) => letters.classes[i]),
      ["a", "z"],
    );
  }
  await assert.rejects(EMNIST.open("digits", { root }), /holds no emnist-digits-train-images/);
  await assert.rejects(EMNIST.open("all" as "digits", { root }), ValueError);
  const { emnistClasses } = await import("../src/data/node/classNames.js");
  const sizes = Object.values(emnistClasses).map((names) => names.length);
  assert.deepEqual(sizes, [62, 47, 47, 27, 10, 10]);
});

test("CIFAR's binary files are read from a folder and from the archive", async () => {
  const picture = noise(3072);
  const record = (...labels: number[]) => Uint8Array.of(...labels, ...picture);
  const cifar10 = [1, 2, 3, 4, 5].map((i) => ({
    header: { name: `cifar-10-batches-bin/data_batch_${i}.bin`, size: 3073 },
    body: record(i),
  }));
  const root = make("cifar-10-binary.tar.gz", gzipSync(await packTar(cifar10)));
  const train = await CIFAR10.open({ root });
  assert.deepEqual(
    [train.data.shape, [...train.targets.data]],
    [
      [5, 3, 32, 32],
      [1, 2, 3, 4, 5],
    ],
  );
  assert.deepEqual(new Uint8Array(train.data.data.subarray(-3072) as Uint8Array), picture);
  assert.equal(train.classes[5], "dog");
  const jpeg = await sharp({ create: { width: 32, height: 32, channels: 3, background: "#fff" } })
    .jpeg()
    .toBuffer();
  const jpegs = ["train/dog/0000.jpg", "train/cat/0000.jpg", "test/cat/0000.jpg"].map((name) => ({
    header: { name: `cifar10/${name}`, size: jpeg.length },
    body: jpeg,
  }));
  const pictures = make("jpegs.tar.gz", gzipSync(await packTar(jpegs)));
  const part = await loadImageArchive(pictures, { part: "train" });
  assert.deepEqual(
    [part.data.shape, part.classes],
    [
      [2, 3, 32, 32],
      ["cat", "dog"],
    ],
  );
  assert.deepEqual([[...part.targets.data], part.data.data[0]], [[1, 0], 255]);
  await assert.rejects(loadImageArchive(pictures, { part: "val" }), /holds no pictures/);
  await assert.rejects(CIFAR10.open({ root, train: false }), /has no test_batch\.bin/);
  make("c100/train.bin", record(19, 99));
  make("c100/coarse_label_names.txt", Array.from({ length: 20 }, (_, i) => `c${i}\n`).join(""));
  const fine = await CIFAR100.open({ root: join(folder, "c100") });
  const coarse = await CIFAR100.open({ root: join(folder, "c100"), coarse: true });
  assert.deepEqual([fine.targets.item(), coarse.targets.item()], [99, 19]);
  assert.equal(coarse.classes[19], "c19");
  make("c10/test_batch.bin", record(1).subarray(1));
  await assert.rejects(
    CIFAR10.open({ root: join(folder, "c10"), train: false }),
    /test_batch\.bin has 3072 bytes; expected a multiple of 3073/,
  );
});

test("a broken picture is reported by name without losing the epoch", async () => {
  make("mixed/a/1.png", await grey(4, 1));
  const cut = (await grey(4, 2)).subarray(0, 40);
  const broken = make("mixed/a/2.png", cut);
  make("mixed/b/3.png", await grey(4, 3));
  const dataset = ImageFolder.open(join(folder, "mixed"));
  const loader = new DataLoader(dataset, { batchSize: 2, onError: "skip" });
  const seen: number[] = [];
  for await (const [x] of loader) for (let i = 0; i < x.shape[0]!; i++) seen.push(x.data[i * 48]!);
  assert.deepEqual(seen, [1, 3]);
  assert.ok(loader.broken[0]!.error.message.includes(broken));
  const strict = async () => {
    for await (const _ of new DataLoader(dataset));
  };
  await assert.rejects(strict(), (e) => e instanceof FormatError && e.message.includes(broken));
});

test("ImageNet's and Places' lists give names and labels", async () => {
  for (const id of ["n02000000", "n01440764"]) make(`net/train/${id}/x.png`, await grey(4, 1));
  make("net/LOC_synset_mapping.txt", "n01440764 tench, Tinca tinca\nn02000000 other\n");
  const net = ImageNet.open(join(folder, "net"));
  assert.deepEqual(
    [net.classes, [...net.targets]],
    [
      ["tench", "other"],
      [0, 1],
    ],
  );
  const json = make("index.json", '{"1": ["n02000000", "two"], "0": ["n01440764", "one"]}');
  const named = ImageNet.open(join(folder, "net"), { synsets: json });
  assert.deepEqual(named.classes, ["one", "two"]);
  const labels = make("val.txt", "a.png 1\nb.png 0\n");
  const flat = ImageNet.open(join(folder, "net"), { split: "val", labels });
  assert.deepEqual([...flat.targets], [1, 0]);
  const rows = [
    "ImageId,PredictionString",
    "v_1,n02000000 1 2 3 4 n02000000 5 6 7 8 ",
    "v_2,n01440764 1 1 1 1",
  ];
  const solutions = make("net/LOC_val_solution.csv", `${rows.join("\n")}\n`);
  const kaggle = ImageNet.open(join(folder, "net"), { split: "val", labels: solutions });
  assert.deepEqual(kaggle.samples, [
    [join(folder, "net/v_1.JPEG"), 1],
    [join(folder, "net/v_2.JPEG"), 0],
  ]);
  const unknown = make("unknown.csv", `${rows[0]}\nv_1,n09999999 1 2 3 4\n`);
  for (const [labels, pattern] of [
    [unknown, /line 2 is "v_1,n09999999.*; expected a picture/],
    [make("x.csv", "a\n"), /expected ImageId/],
  ] as const)
    assert.throws(() => ImageNet.open(join(folder, "net"), { labels }), pattern);
  const evil = make("evil.txt", "../../etc/passwd 0\n");
  assert.throws(() => ImageNet.open(join(folder, "net"), { labels: evil }), /line 1 is/);
  assert.throws(
    () => ImageNet.open(join(folder, "net"), { synsets: evil }),
    /expected ids such as/,
  );
  make("places/categories_places365.txt", "/a/airfield 0\n/b/bar 1\n");
  make("places/places365_val.txt", "v1.png 1\n");
  make("places/val_256/v1.png", await grey(4, 9));
  const places = Places365.open(join(folder, "places"), { split: "val", small: true });
  const [image, label] = await places.get(0);
  const small = { size: [2, 2], thumbnails: join(folder, "small") } as const;
  const thumbnails = [
    Places365.open(join(folder, "places"), { split: "val", small: true, ...small }),
    ImageNet.open(join(folder, "net"), small),
  ];
  for (const dataset of thumbnails)
    for (const _ of [0, 1]) assert.deepEqual((await dataset.get(0))[0].shape, [3, 2, 2]);
  const kept = fs.readdirSync(small.thumbnails, { recursive: true, encoding: "utf8" });
  assert.equal(kept.filter((name) => name.endsWith(".npz")).length, 2);
  assert.deepEqual([image.shape, label, places.classes[label]], [[3, 4, 4], 1, "/b/bar"]);
});

test("Omniglot's zips give characters and one-shot runs", async () => {
  const png = await grey(5, 255);
  const characters = [
    "Greek/character02/1.png",
    "Greek/character01/2.png",
    "Latin/character01/3.png",
  ];
  const zip = await encodeZip(
    characters.map((name) => [`images_background/${name}`, png] as const),
  );
  const dataset = await Omniglot.open({ root: make("images_background.zip", zip) });
  assert.deepEqual(dataset.alphabets, ["Greek", "Latin"]);
  assert.deepEqual([...dataset.targets], [0, 1, 2]);
  assert.deepEqual((await dataset.get(2))[0].shape, [1, 5, 5]);
  dataset.close();
  const list = "run01/test/item01.png run01/training/class02.png\n";
  const files = ["test/item01.png", "training/class01.png", "training/class02.png"];
  const run = (text: string) =>
    encodeZip([
      ["run01/class_labels.txt", words(text)],
      ...files.map((f) => [`run01/${f}`, png] as const),
    ]);
  const [first] = await Omniglot.oneShotRuns(make("runs.zip", await run(list)));
  assert.deepEqual([first!.name, [...first!.answers], first!.train.length], ["run01", [0], 1]);
  const lacking = make("lacking.zip", await run("run01/a.png run01/b.png\n"));
  await assert.rejects(Omniglot.oneShotRuns(lacking), /names run01\/a\.png, which it lacks/);
});

test("pictures of every kind become the channels asked for", async () => {
  const rgb = { width: 2, height: 1, channels: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6) } as const;
  const image = await decodeImage(await encodePng(rgb));
  assert.deepEqual(
    [image.shape, [...image.data]],
    [
      [3, 1, 2],
      [1, 4, 2, 5, 3, 6],
    ],
  );
  const alpha = await decodeImage(await encodePng(rgb), { mode: "rgba" });
  assert.deepEqual([...alpha.data.slice(6)], [255, 255]);
  const raw = { raw: { width: 3, height: 1, channels: 1 } } as const;
  const deep = await sharp(Uint16Array.of(0, 40_000, 65_535), raw)
    .toColourspace("grey16")
    .png()
    .toBuffer();
  const kept = await decodeImage(deep, { mode: "grey", dtype: "int32" });
  assert.deepEqual([...kept.data], [0, 40_000, 65_535]);
  assert.deepEqual([...(await decodeImage(deep, { mode: "grey" })).data], [0, 156, 255]);
  const flat = sharp({ create: { width: 8, height: 8, channels: 3, background: "#c04020" } });
  const cmyk = await decodeImage(await flat.toColourspace("cmyk").jpeg().toBuffer());
  assert.equal(cmyk.shape[0], 3);
  assert.ok(cmyk.data[0]! > cmyk.data[64]! && cmyk.data[64]! > cmyk.data[128]!);
  await assert.rejects(decodeImage(words("hello"), { source: "a.png" }), /a\.png: /);
  await assert.rejects(decodeImage(deep, { size: 0 }), ValueError);
});

test("real data: photographs, awkward files, Omniglot, JPEGs", { skip: noShared }, async () => {
  const images = join(shared, "images");
  assert.deepEqual((await readImage(join(images, "astronaut.png"))).shape, [3, 512, 512]);
  assert.equal((await readImage(join(images, "palette_color.png"))).shape[0], 3);
  const board = await readImage(join(images, "chessboard_GRAY_U16.tif"), {
    mode: "grey",
    dtype: "int32",
  });
  assert.equal(Math.max(...board.data), 255);
  await assert.rejects(readImage(join(images, "truncated.jpg")), /truncated\.jpg: /);
  const small = await Omniglot.open({
    root: join(shared, "omniglot-images_background_small1.zip"),
  });
  assert.deepEqual([small.length, small.classes.length, small.alphabets.length], [2720, 136, 5]);
  const [drawing] = await small.get(0);
  assert.deepEqual([drawing.shape, new Set(drawing.data)], [[1, 105, 105], new Set([255, 0])]);
  small.close();
  const runs = await Omniglot.oneShotRuns(join(shared, "omniglot-one-shot-runs.zip"));
  assert.deepEqual([runs.length, runs[0]!.train.length, runs[0]!.test.length], [20, 20, 20]);
  let count = 0;
  for await (const { bytes } of readTar(join(shared, "cifar10-images.tar.gz"))) {
    if (count++ === 0) assert.deepEqual((await decodeImage(bytes)).shape, [3, 32, 32]);
    if (count === 500) break;
  }
  const iris = await readCsv(join(shared, "iris.csv"));
  assert.equal(iris.length, 150);
});

test("the command draws a sheet and counts", async () => {
  const out = join(folder, "sheet.svg");
  const line = ["data", "show", join(folder, "mixed"), "--out", out];
  fs.rmSync(join(folder, "mixed/a/2.png"));
  const { code, text } = await runInProcess(...line);
  assert.equal(code, 0, text);
  assert.match(text, /2 pictures of 2 classes\n +a +━+ +1\n/);
  const svg = fs.readFileSync(out, "utf8");
  assert.equal(svg.match(/<image /g)?.length, 2);
  assert.match(svg, /<text [^>]*>a<\/text>/);
  const shows = async (path: string, pattern: RegExp) => {
    const shown = await runInProcess("data", "show", join(folder, path), "--out", out);
    assert.match(shown.text, pattern);
  };
  process.env.GRADUS_DATA = join(folder, "data");
  try {
    await shows("places", /1 picture of 2 classes\n.*airfield .* 0\n.*bar .* 1\n/);
    await shows("jpegs.tar.gz", /2 pictures of 2 classes\n +cat .* 1\n +dog .* 1\n/);
  } finally {
    delete process.env.GRADUS_DATA;
  }
});
