/** IDX files: round trips, damage, and folders of MNIST's four files. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { allocate } from "../src/core/dtype.js";
import { FormatError, ShapeError } from "../src/core/errors.js";
import { sizeOf } from "../src/core/shape.js";
import { decodeIdx, encodeIdx } from "../src/data/idx.js";
import { loadDigits, loadIdxFolder } from "../src/data/node.js";
import { fashionMnistClasses } from "../src/data/sources/labelled.js";
import type { ArrayData } from "../src/io/arrayData.js";
import { FileError } from "../src/io/fileSystem.js";

const scratch = fs.mkdtempSync(join(tmpdir(), "gradus-idx-"));
after(() => fs.rmSync(scratch, { recursive: true }));
const fashion = fileURLToPath(new URL("../../shared/data/fashion-mnist", import.meta.url));
const noFashion = fs.existsSync(fashion) ? false : "data: Fashion-MNIST is not there";

const arrays = fc
  .record({
    dtype: fc.constantFrom(
      "uint8" as const,
      "int32" as const,
      "float32" as const,
      "float64" as const,
    ),
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    seed: fc.integer(),
  })
  .map(({ dtype, shape, seed }): ArrayData => {
    const data = allocate(dtype, sizeOf(shape));
    for (let i = 0; i < data.length; i++) data[i] = Math.sin(seed + i) * 2 ** ((seed + i) % 31);
    return { dtype, shape, data };
  });

test("any array comes back", () => {
  fc.assert(fc.property(arrays, (array) => assert.deepEqual(decodeIdx(encodeIdx(array)), array)));
});

test("damaged bytes give a FormatError or an array, never anything else", () => {
  const changes = fc.array(fc.tuple(fc.nat(30), fc.nat(255)));
  fc.assert(
    fc.property(arrays, changes, fc.nat(), (array, list, cut) => {
      const bytes = encodeIdx(array);
      for (const [at, value] of list) bytes[at % bytes.length] = value;
      try {
        decodeIdx(cut % 2 ? bytes : bytes.subarray(0, cut % bytes.length));
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test("small signed integers become int32", () => {
  const int8 = Uint8Array.of(0, 0, 9, 1, 0, 0, 0, 2, 0x80, 0x7f);
  assert.deepEqual(decodeIdx(int8), { shape: [2], dtype: "int32", data: Int32Array.of(-128, 127) });
  const int16 = Uint8Array.of(0, 0, 11, 1, 0, 0, 0, 1, 0xff, 0xfe);
  assert.deepEqual(decodeIdx(int16).data, Int32Array.of(-2));
});

test("files that are not exactly IDX are refused with what was expected", () => {
  const refuses = (bytes: number[], pattern: RegExp) =>
    assert.throws(
      () => decodeIdx(Uint8Array.from(bytes), { source: "a-ubyte" }),
      (error) => error instanceof FormatError && pattern.test(error.message),
    );
  refuses([0, 0], /a-ubyte: 2 bytes; expected at least 4/);
  refuses([1, 0, 8, 1, 0, 0, 0, 0], /magic number 0x01000801; expected 0x0000TTDD/);
  refuses([0, 0, 0x0a, 1, 0, 0, 0, 0], /magic number 0x00000a01/);
  refuses([0x1f, 0x8b, 8, 0], /gzip file: inflate it first/);
  refuses([0, 0, 8, 255, 0, 0, 0, 0], /cut off: 8 bytes; expected 1024 for the sizes of 255 dims/);
  refuses([0, 0, 8, 1, 0, 0, 0, 3, 1, 2], /cut off: 10 bytes; expected 11 for uint8 \[3\]/);
  refuses([0, 0, 8, 1, 0, 0, 0, 1, 1, 2], /too long: 10 bytes; expected 9/);
  const huge = [255, 255, 255, 255];
  refuses([0, 0, 8, 2, ...huge, ...huge], /over 2\^31 - 1 elements/);
  refuses([0, 0, 8, 2, 0, 0, 0, 0, ...huge], /over 2\^31 - 1 elements/);
  const wrong: ArrayData = { shape: [3], dtype: "uint8", data: new Uint8Array(2) };
  assert.throws(() => encodeIdx(wrong), ShapeError);
});

interface Files {
  trainImages?: Uint8Array;
  trainLabels?: Uint8Array;
  testImages?: Uint8Array;
  testLabels?: Uint8Array;
}

const images = (count: number, side = 2): Uint8Array =>
  encodeIdx({
    shape: [count, side, side],
    dtype: "uint8",
    data: new Uint8Array(count * side * side).map((_, i) => i),
  });
const labels = (...values: number[]): Uint8Array =>
  encodeIdx({ shape: [values.length], dtype: "uint8", data: Uint8Array.from(values) });

let folders = 0;
function makeFolder(files: Files): string {
  const folder = join(scratch, String(folders++));
  fs.mkdirSync(folder);
  const write = (name: string, bytes: Uint8Array) => fs.writeFileSync(join(folder, name), bytes);
  write("train-images-idx3-ubyte.gz", gzipSync(files.trainImages ?? images(3)));
  write("train-labels-idx1-ubyte", files.trainLabels ?? labels(0, 2, 1));
  write("t10k-images.idx3-ubyte", files.testImages ?? images(2));
  write("t10k-labels.idx1-ubyte.gz", gzipSync(files.testLabels ?? labels(1, 0)));
  return folder;
}

test("a folder is loaded, whatever of the usual names its files have", async () => {
  const { train, test: held, classes, classNames } = await loadIdxFolder(makeFolder({}));
  assert.deepEqual([train.images.shape, train.images.dtype], [[3, 2, 2], "uint8"]);
  assert.deepEqual(
    train.images.data,
    new Uint8Array(12).map((_, i) => i),
  );
  assert.deepEqual([held.labels.shape, held.labels.dtype], [[2], "int32"]);
  assert.deepEqual(train.labels.data, Int32Array.of(0, 2, 1));
  assert.deepEqual([classes, classNames], [3, ["0", "1", "2"]]);
  assert.equal(train.dataset.length, 3);
});

test("parts that do not fit are refused by file and index", async () => {
  const refuses = (files: Files, pattern: RegExp, options = {}) =>
    assert.rejects(
      loadIdxFolder(makeFolder(files), options),
      (error) => error instanceof FormatError && pattern.test(error.message),
    );
  await refuses({ testLabels: labels(1) }, /t10k-labels.idx1-ubyte.gz: has 1 labels; expected 2/);
  await refuses({ testLabels: labels(1, 3) }, /t10k-labels.*: label 1 is 3; expected 0 to 2/);
  await refuses({}, /train-labels.*label 1 is 2; expected 0 to 1/, { classes: 2 });
  await refuses({}, /2 names; expected 5/, { classes: 5, classNames: ["a", "b"] });
  await refuses({ testImages: images(2, 3) }, /t10k-images.*are \[3, 3\]; expected \[2, 2\]/);
  await refuses(
    { trainImages: labels(1, 2, 3) },
    /uint8 \[3\]; expected uint8 pictures \[N, H, W\]/,
  );
  await refuses({ trainLabels: images(3) }, /expected uint8 or int32 labels \[N\]/);
  await refuses({ trainImages: images(0), trainLabels: labels() }, /is empty/);
  await refuses({ testImages: images(2).subarray(0, 20) }, /t10k-images.idx3-ubyte: cut off/);
  const large = { trainImages: images(3, 100) };
  await refuses(large, /train-images.*gz: holds more than the 2000 bytes/, { maxBytes: 2000 });
});

test("a folder without the files says which", async () => {
  const empty = join(scratch, "empty");
  fs.mkdirSync(empty);
  const isMissing = (pattern: RegExp) => (error: unknown) =>
    error instanceof FileError && error.code === "ENOENT" && pattern.test(error.message);
  await assert.rejects(loadIdxFolder(empty), isMissing(/has none of train-images-idx3-ubyte, /));
  await assert.rejects(loadIdxFolder(join(scratch, "none")), isMissing(/no such folder/));
});

test("the digits that come along are 10,000 different ones, 200 a class to test", async () => {
  const { train, test: held, classes } = await loadDigits();
  assert.deepEqual(train.images.shape, [8000, 28, 28]);
  assert.deepEqual(held.images.shape, [2000, 28, 28]);
  const count = (values: ArrayLike<number>) =>
    Array.from({ length: classes }, (_, c) => Array.from(values).filter((v) => v === c).length);
  assert.deepEqual(count(train.labels.data), [801, 927, 791, 832, 780, 663, 814, 870, 744, 778]);
  assert.deepEqual(count(held.labels.data), new Array(10).fill(200));
  const seen = new Set<string>();
  for (const { images: tensor } of [train, held])
    for (let i = 0; i < tensor.shape[0]!; i++)
      seen.add(Buffer.from(tensor.data.subarray(i * 784, (i + 1) * 784)).toString("latin1"));
  assert.equal(seen.size, 10_000);
});

test("Fashion-MNIST loads", { skip: noFashion }, async () => {
  const {
    train,
    test: held,
    classes,
  } = await loadIdxFolder(fashion, {
    classNames: fashionMnistClasses,
  });
  assert.deepEqual(train.images.shape, [60000, 28, 28]);
  assert.deepEqual([held.labels.shape, classes], [[10000], 10]);
});
