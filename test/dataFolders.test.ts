/** Folders of pictures: classes, order, and small copies that are kept. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ImageFolder } from "../src/data/node.js";
import { FileError } from "../src/io/fileSystem.js";
import { encodePng } from "../src/io/png.js";
import { temporaryFolder } from "./trainSupport.js";

const folder = temporaryFolder();

function make(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  fs.mkdirSync(join(path, ".."), { recursive: true });
  fs.writeFileSync(path, content);
  return path;
}

const grey = (size: number, value: number) => {
  const data = new Uint8Array(size * size).fill(value);
  return encodePng({ width: size, height: size, channels: 1, data });
};

test("a folder of pictures has torchvision's classes and order; thumbnails are kept", async () => {
  const rows: [string, number][] = [
    ["b/2.png", 3],
    ["b/10.png", 2],
    ["a/deep/x.PNG", 1],
    ["B/y.png", 4],
  ];
  for (const [name, value] of rows) make(`pics/${name}`, await grey(8, value));
  make("pics/a/notes.txt", "no picture");
  const root = join(folder, "pics");
  const thumbnails = join(folder, "thumbs");
  const dataset = ImageFolder.open(root, { mode: "grey", size: 4, thumbnails });
  assert.deepEqual(dataset.classes, ["B", "a", "b"]);
  assert.deepEqual([...dataset.targets], [0, 1, 2, 2]);
  const values = async () => {
    const pairs = await Promise.all([0, 1, 2, 3].map((i) => dataset.get(i)));
    return pairs.map(([{ shape, data }]) => [shape.join(), data[0]]);
  };
  const expected = [4, 1, 2, 3].map((value) => ["1,4,4", value]);
  assert.deepEqual(await values(), expected);
  const kept = fs.readdirSync(thumbnails, { recursive: true, encoding: "utf8" });
  const copies = kept.filter((name) => name.endsWith(".npz"));
  assert.equal(copies.length, 4);
  // A damaged copy is made anew, also where only a pixel differs.
  fs.writeFileSync(join(thumbnails, copies[0]!), "damaged");
  const flipped = fs.readFileSync(join(thumbnails, copies[1]!));
  flipped[flipped.indexOf("NUMPY") + 140]! ^= 4;
  fs.writeFileSync(join(thumbnails, copies[1]!), flipped);
  assert.deepEqual(await values(), expected);
  // So is one of a file that changed; and what is kept is what is read.
  const before = fs.statSync(join(root, rows[0]![0]));
  make("pics/b/2.png", await grey(8, 7));
  fs.utimesSync(join(root, rows[0]![0]), before.atime, new Date(before.mtimeMs + 2000));
  assert.deepEqual((await values())[3], ["1,4,4", 7]);
  const wide = ImageFolder.open(root, { mode: "grey", size: [2, 3], thumbnails });
  assert.deepEqual((await wide.get(3))[0].shape, [1, 2, 3]);
  fs.mkdirSync(join(root, "empty"));
  assert.throws(() => ImageFolder.open(root), /empty: holds no pictures/);
  assert.equal(ImageFolder.open(root, { allowEmpty: true }).classes.length, 4);
  assert.throws(() => ImageFolder.open(join(root, "b")), /has no subfolders/);
  assert.throws(
    () => ImageFolder.open(root, { thumbnails, allowEmpty: true }),
    /thumbnails need a size/,
  );
});

test("files below a class come in torchvision's order", async () => {
  const names = ["k/b/1.png", "k/a.png", "k/b-c/2.png", "k/z.png", "k/b/c/3.png", "k/b/0.png"];
  for (const name of names) make(`order/${name}`, "");
  fs.symlinkSync(join(folder, "order/k"), join(folder, "order/k/b/again"));
  // What Python's sorted(os.walk(…)) with sorted names gives.
  const expected = ["k/a.png", "k/z.png", "k/b/0.png", "k/b/1.png", "k/b-c/2.png", "k/b/c/3.png"];
  const root = join(folder, "order");
  assert.deepEqual(
    ImageFolder.open(root).samples.map(([path]) => path.slice(root.length + 1)),
    expected,
  );
});

test("thumbnails that cannot be kept are a warning, and the pictures come", async () => {
  make("full/a/1.png", await grey(4, 1));
  make("full/a/2.png", await grey(4, 2));
  const thumbnails = join(folder, "full-thumbnails");
  const dataset = ImageFolder.open(join(folder, "full"), { size: 2, mode: "grey", thumbnails });
  // A file in the place of the folder, since the superuser may write to any.
  fs.rmdirSync(thumbnails);
  fs.writeFileSync(thumbnails, "");
  const warned: string[] = [];
  const listen = ({ name, message }: Error) => warned.push(`${name}: ${message}`);
  process.on("warning", listen);
  for (const value of [1, 2]) assert.equal((await dataset.get(value - 1))[0].data[0], value);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", listen);
  assert.equal(warned.length, 1);
  assert.match(warned[0]!, /GradusWarning: thumbnails: .*full-thumbnails: .*nothing is kept/);
  assert.throws(() => ImageFolder.open(join(folder, "full"), { size: 2, thumbnails }), FileError);
});
