/** Archives of pictures: files chosen among others, decoded pictures that are kept, and tar shards as streams. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { packTar } from "modern-tar";
import { FormatError } from "../src/core/errors.js";
import type { Dataset } from "../src/data/dataset.js";
import { DataLoader } from "../src/data/loader.js";
import { loadImageArchive, webDataset } from "../src/data/node.js";
import { shuffleBuffer } from "../src/data/transformed.js";
import { FileError } from "../src/io/fileSystem.js";
import { encodePng } from "../src/io/index.js";
import { readTar } from "../src/io/tarFile.js";
import { temporaryFolder } from "./trainSupport.js";

const folder = temporaryFolder();
const path = join(folder, "pictures.tar.gz");

function make(name: string, content: Uint8Array): string {
  const place = join(folder, name);
  fs.mkdirSync(join(place, ".."), { recursive: true });
  fs.writeFileSync(place, content);
  return place;
}

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
  const unwritable = await loadImageArchive(path, { cache: path });
  assert.deepEqual(unwritable.data.data, first.data.data);
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(loadImageArchive(path, { signal }), /enough/);
});

test("tar shards are streams of examples; archives with lies in them are refused", async () => {
  const files = [0, 1, 2].flatMap((i) => [
    { header: { name: `s/${i}.seg.png`, size: 1 }, body: Uint8Array.of(i) },
    { header: { name: `s/${i}.cls`, size: 1 }, body: String(i) },
  ]);
  const tar = await packTar(files);
  const shard = make("a.tar", tar);
  const zipped = make("b.tar.gz", gzipSync(tar));
  const stream = (onError: "throw" | "skip" = "throw") =>
    webDataset([shard, zipped], {
      onError,
      decode: ({ key, files: parts }) => {
        if (key === "s/1" && onError === "skip") throw new Error("bad");
        return [Number(new TextDecoder().decode(parts.get("cls")))] as const;
      },
    });
  const walk = async (dataset: unknown) => {
    const seen: number[] = [];
    const loader = new DataLoader(dataset as Dataset<[number]>, { batchSize: 2 });
    for await (const [x] of loader) seen.push(...x.data);
    return seen;
  };
  assert.deepEqual(await walk(stream()), [0, 1, 2, 0, 1, 2]);
  assert.deepEqual(await walk(stream("skip")), [0, 2, 0, 2]);
  const all = async (path: string, options = {}) => {
    for await (const _ of readTar(path, options));
  };
  await assert.rejects(all(make("cut.tar", tar.subarray(0, 700))), FormatError);
  await assert.rejects(
    all(
      make(
        "no.tar",
        new Uint8Array(2048).map((_, i) => (i * 2654435761) >>> 13),
      ),
    ),
    FormatError,
  );
  await assert.rejects(all(shard, { maxEntryBytes: 0 }), /at most 0 are read/);
  const evil = await packTar([{ header: { name: "../up.txt", size: 1 }, body: "x" }]);
  await assert.rejects(all(make("evil.tar", evil)), FormatError);
  await assert.rejects(all(join(folder, "gone.tar")), FileError);
});

test("damaged shards and examples are named, and the epoch goes on", async () => {
  const pack = (name: string, numbers: readonly number[]) =>
    packTar(
      numbers.map((i) => ({
        header: { name: `${name}/${i}.cls`, size: 600 },
        body: `${i}`.padEnd(600),
      })),
    );
  const cut = (await pack("b", [4, 5, 6])).subarray(0, 1536 + 1536 + 600);
  const shards = [
    make("shards/a.tar", await pack("a", [1, 2, 3])),
    make("shards/b.tar", cut),
    make("shards/c.tar", await pack("c", [7, 8, 9])),
    join(folder, "shards/gone.tar"),
  ];
  const told: (string | undefined)[] = [];
  const stream = webDataset(shards, {
    async decode({ files }) {
      const value = Number(new TextDecoder().decode(files.get("cls")));
      // Later ones are ready first; the order is the archive's all the same.
      await new Promise((resolve) => setTimeout(resolve, 10 - value));
      if (value === 8) throw new Error("is no label");
      return [value] as const;
    },
    onBroken: ({ key }) => told.push(key),
  });
  const loader = new DataLoader(stream, { batchSize: 2, onError: "skip" });
  for (const _ of [0, 1]) {
    const batches: number[][] = [];
    for await (const [x] of loader) batches.push([...x.data]);
    assert.deepEqual(batches, [
      [1, 2],
      [3, 4],
      [7, 9],
    ]);
    const messages = loader.broken.map(({ error }) => error.message);
    assert.equal(messages.length, 3);
    assert.match(messages[0]!, /b\.tar: is damaged, cut off/);
    assert.match(messages[1]!, /c\.tar\/c\/8: is no label/);
    assert.match(messages[2]!, /gone\.tar: .*no such file/);
    assert.deepEqual(told.splice(0), [undefined, "c/8", undefined]);
  }
  const mixed = new DataLoader(shuffleBuffer(stream, 3), { seed: 1, onError: "skip" });
  let count = 0;
  for await (const _ of mixed) count++;
  assert.deepEqual([count, mixed.broken.length], [6, 3]);
  const strict = async () => {
    for await (const _ of new DataLoader(stream));
  };
  await assert.rejects(strict(), (e) => e instanceof FormatError && /b\.tar/.test(e.message));
  const share = { numReplicas: 2, rank: 2 };
  assert.throws(
    () => webDataset(shards, { decode: () => [0], share }),
    /rank is 2; expected 0 to 1/,
  );
});
