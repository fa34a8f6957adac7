/** Archives of pictures: files chosen among others, and decoded pictures that are kept. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { packTar } from "modern-tar";
import { loadImageArchive } from "../src/data/node.js";
import { encodePng } from "../src/io/index.js";
import { readTar } from "../src/io/tarFile.js";
import { temporaryFolder } from "./trainSupport.js";

const folder = temporaryFolder();
const path = join(folder, "pictures.tar.gz");

const entry = (name: string, body: Uint8Array) => ({ header: { name, size: body.length }, body });

before(async () => {
  const names = ["train/dog/0.png", "train/cat/0.png", "test/cat/0.png"];
  const files = names.map(async (name, i) => {
    const data = new Uint8Array(2 * 3 * 3).fill(40 * i);
    return entry(`all/${name}`, await encodePng({ width: 2, height: 3, channels: 3, data }));
  });
  fs.writeFileSync(path, gzipSync(await packTar(await Promise.all(files))));
});

test("files wanted among many that are not come all, to the archive's end", async () => {
  const files = Array.from({ length: 3000 }, (_, i) =>
    entry(`a/${i % 10}/${i}.bin`, new Uint8Array(900).fill(i)),
  );
  const archive = join(folder, "many.tar.gz");
  fs.writeFileSync(archive, gzipSync(await packTar(files)));
  const got: string[] = [];
  for await (const { name, bytes } of readTar(archive, { filter: (n) => n.startsWith("a/3/") })) {
    got.push(name);
    assert.equal(bytes[899], Number(/(\d+)\.bin$/.exec(name)![1]) % 256);
  }
  assert.deepEqual([got.length, got.at(-1)], [300, "a/3/2993.bin"]);
});

test("decoded pictures are kept, and made anew where the archive changes or the copy is damaged", async () => {
  const cache = join(folder, "decoded");
  let decoded = 0;
  const onProgress = (done: number) => {
    decoded = done;
  };
  const load = () => loadImageArchive(path, { cache, onProgress });
  const first = await load();
  assert.deepEqual([decoded, fs.readdirSync(cache).length], [3, 1]);
  decoded = 0;
  const again = await load();
  assert.equal(decoded, 0);
  assert.deepEqual([again.files, again.classes], [first.files, ["cat", "dog"]]);
  assert.deepEqual([...again.targets.data], [1, 0, 0]);
  assert.deepEqual(again.data.data, first.data.data);
  const [copy] = fs.readdirSync(cache);
  fs.truncateSync(join(cache, copy!), 200);
  assert.deepEqual([(await load()).length, decoded], [3, 3]);
  fs.utimesSync(path, 1, 1);
  await load();
  assert.equal(fs.readdirSync(cache).length, 2);
  const part = await loadImageArchive(path, { cache, part: "train" });
  assert.deepEqual([part.length, fs.readdirSync(cache).length], [2, 3]);
  const one = await loadImageArchive(path, { cache, filter: (name) => name.includes("test") });
  assert.deepEqual([one.files, fs.readdirSync(cache).length], [["all/test/cat/0.png"], 3]);
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(loadImageArchive(path, { signal }), /enough/);
});
