/**
 * Files: whole or not at all, with a full disk in the way; logs that survive a kill; gzip with
 * limits.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { FormatError } from "../src/core/errors.js";
import { FileError, type FileSystem, nodeFileSystem } from "../src/io/fileSystem.js";
import { readFileGunzip, readFileLimited, writeFileAtomic } from "../src/io/files.js";
import { gunzip, gzip } from "../src/io/gzip.js";
import { JsonLinesWriter, readJsonLines } from "../src/io/jsonLines.js";
import { loadSafetensors, saveSafetensors } from "../src/io/safetensorsFile.js";

const scratch = fs.mkdtempSync(join(tmpdir(), "gradus-io-"));
after(() => fs.rmSync(scratch, { recursive: true }));
let folders = 0;
function newFolder(): string {
  const folder = join(scratch, String(folders++));
  fs.mkdirSync(folder);
  return folder;
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

/** A disk that takes `room` bytes and then is full. */
function fullDisk(room: number): FileSystem {
  let left = room;
  return {
    ...nodeFileSystem,
    write(file, bytes) {
      if (left === 0) throw systemError("ENOSPC");
      const count = nodeFileSystem.write(file, bytes.subarray(0, left));
      left -= count;
      return count;
    },
  };
}

const failing = (call: keyof FileSystem, code: string): FileSystem => ({
  ...nodeFileSystem,
  [call]: () => {
    throw systemError(code);
  },
});

const isFileError = (code: string, pattern: RegExp) => (error: unknown) =>
  error instanceof FileError && error.code === code && pattern.test(error.message);

test("a file is written in pieces, replaced, and leaves nothing else behind", () => {
  const folder = newFolder();
  const path = join(folder, "a.bin");
  writeFileAtomic(path, [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)]);
  assert.deepEqual(readFileLimited(path, { maxBytes: 3 }), Uint8Array.of(1, 2, 3));
  writeFileAtomic(path, Uint8Array.of(9));
  assert.deepEqual(readFileLimited(path, { maxBytes: 3 }), Uint8Array.of(9));
  assert.deepEqual(fs.readdirSync(folder), ["a.bin"]);
});

test("after any failure the old file is intact and no temporary file remains", () => {
  const cases: [FileSystem, string, RegExp][] = [
    [fullDisk(0), "ENOSPC", /a\.bin: the disk is full; free some space .*ENOSPC/],
    [fullDisk(5), "ENOSPC", /disk is full/],
    [failing("sync", "EIO"), "EIO", /simulated/],
    [failing("rename", "EACCES"), "EACCES", /permission denied; check who owns/],
    [failing("open", "EROFS"), "EROFS", /read-only; choose another folder/],
  ];
  for (const [fileSystem, code, pattern] of cases) {
    const folder = newFolder();
    const path = join(folder, "a.bin");
    fs.writeFileSync(path, "old");
    const write = () => writeFileAtomic(path, new Uint8Array(100), { fileSystem });
    assert.throws(write, isFileError(code, pattern), code);
    assert.equal(fs.readFileSync(path, "utf8"), "old");
    assert.deepEqual(fs.readdirSync(folder), ["a.bin"]);
  }
});

test("a link is kept and the file behind it replaced", () => {
  const folder = newFolder();
  fs.writeFileSync(join(folder, "real"), "old");
  fs.symlinkSync(join(folder, "real"), join(folder, "link"));
  writeFileAtomic(join(folder, "link"), new TextEncoder().encode("new"));
  assert.equal(fs.readFileSync(join(folder, "real"), "utf8"), "new");
  assert.ok(fs.lstatSync(join(folder, "link")).isSymbolicLink());
});

test("paths that cannot be are named with what to do", () => {
  const folder = newFolder();
  const missing = join(folder, "no", "a");
  assert.throws(() => writeFileAtomic(missing, new Uint8Array(1)), isFileError("ENOENT", /no\/a/));
  assert.throws(() => writeFileAtomic(folder, new Uint8Array(1)), FileError);
  assert.throws(() => readFileLimited(missing, { maxBytes: 1 }), isFileError("ENOENT", /check/));
  assert.throws(() => readFileLimited(folder, { maxBytes: 1e6 }), isFileError("EISDIR", /folder/));
  fs.writeFileSync(join(folder, "big"), "12345");
  const read = () => readFileLimited(join(folder, "big"), { maxBytes: 4 });
  assert.throws(read, /big: has 5 bytes; at most 4 are read/);
});

test("safetensors files round trip on disk; damaged ones name the file", () => {
  const path = join(newFolder(), "model.safetensors");
  const weight = { shape: [2, 3], dtype: "float32", data: new Float32Array(6).fill(0.5) } as const;
  const mask = { shape: [3], dtype: "bool", data: Uint8Array.of(1, 0, 1) } as const;
  const tensors = new Map<string, typeof weight | typeof mask>([
    ["mask", mask],
    ["weight", weight],
  ]);
  saveSafetensors(path, tensors, { metadata: { epoch: "3" } });
  const back = loadSafetensors(path);
  assert.deepEqual(back.tensors, tensors);
  assert.deepEqual(back.metadata, { epoch: "3" });
  const full = () => saveSafetensors(path, tensors, { fileSystem: fullDisk(20) });
  assert.throws(full, isFileError("ENOSPC", /model\.safetensors/));
  assert.deepEqual(loadSafetensors(path).tensors, tensors);
  const bytes = fs.readFileSync(path);
  for (const length of [0, 7, 8, 50, bytes.length - 1]) {
    fs.writeFileSync(path, bytes.subarray(0, length));
    assert.throws(
      () => loadSafetensors(path),
      (error) => error instanceof FormatError && error.message.includes("model.safetensors: "),
    );
  }
  assert.throws(() => loadSafetensors(join(scratch, "none")), isFileError("ENOENT", /none/));
});

test("a log goes on after its last whole line", () => {
  const path = join(newFolder(), "events.jsonl");
  const first = new JsonLinesWriter(path, { sync: true });
  first.write({ step: 1 });
  const { position } = first;
  first.write({ step: 2, loss: Number.NaN });
  first.close();
  first.close();
  assert.throws(() => first.write({}), /is closed/);
  fs.appendFileSync(path, '{"step": 3, "lo');
  assert.deepEqual(readJsonLines(path), [{ step: 1 }, { step: 2, loss: "NaN" }]);
  const second = new JsonLinesWriter(path);
  second.write({ step: 3 });
  second.close();
  assert.deepEqual(readJsonLines(path).at(-1), { step: 3 });
  const resumed = new JsonLinesWriter(path, { position });
  resumed.write({ step: 2 });
  resumed.flush();
  resumed.close();
  assert.deepEqual(readJsonLines(path), [{ step: 1 }, { step: 2 }]);
  assert.throws(() => new JsonLinesWriter(path, { position: 1e6 }), /position is 1000000/);
});

test("a log of one unfinished long line is cut to nothing", () => {
  const path = join(newFolder(), "events.jsonl");
  fs.writeFileSync(path, "x".repeat(200_000));
  new JsonLinesWriter(path).close();
  assert.equal(fs.statSync(path).size, 0);
  fs.writeFileSync(path, `{"a":1}\n${"x".repeat(200_000)}`);
  new JsonLinesWriter(path).close();
  assert.deepEqual(readJsonLines(path), [{ a: 1 }]);
});

test("a full disk leaves a log that ends in a whole line", () => {
  const path = join(newFolder(), "events.jsonl");
  const log = new JsonLinesWriter(path, { fileSystem: fullDisk(20) });
  log.write({ step: 1 });
  assert.throws(() => log.write({ step: 2, loss: 0.25 }), isFileError("ENOSPC", /events\.jsonl/));
  log.close();
  assert.equal(fs.readFileSync(path, "utf8"), '{"step":1}\n');
});

test("a device that is always full says so", { skip: !fs.existsSync("/dev/full") }, () => {
  const log = new JsonLinesWriter("/dev/full");
  assert.throws(() => log.write({ step: 1 }), isFileError("ENOSPC", /\/dev\/full/));
  log.close();
});

test("a damaged line of a log is named", () => {
  const path = join(newFolder(), "events.jsonl");
  fs.writeFileSync(path, '{"a":1}\n\n{"a":\n{"a":2}\n');
  assert.throws(() => readJsonLines(path), /events\.jsonl: line 3 is not JSON/);
});

test("gzip inflates what it compressed, and what others did", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (bytes) => {
      const limit = { maxBytes: bytes.length };
      assert.deepEqual(await gunzip(await gzip(bytes), limit), bytes);
      assert.deepEqual(await gunzip(gzipSync(bytes), limit), bytes);
    }),
    { numRuns: 50 },
  );
  const large = new Uint8Array(3_000_000).map((_, i) => (i * i) >> 7);
  assert.deepEqual(await gunzip(await gzip(large), { maxBytes: 3_000_000 }), large);
});

test("damaged gzip is refused, whatever is damaged", async () => {
  const bytes = gzipSync(new TextEncoder().encode("hello".repeat(50)));
  const limit = { maxBytes: 1e6, source: "a.gz" };
  const refuses = (content: Uint8Array, pattern: RegExp) =>
    assert.rejects(
      gunzip(content, limit),
      (error) => error instanceof FormatError && pattern.test(error.message),
    );
  await refuses(new Uint8Array(0), /a\.gz: not gzip: begins with 0 bytes/);
  await refuses(Uint8Array.of(80, 75, 3, 4), /begins with bytes 80, 75; expected 31, 139/);
  for (const length of [2, 9, 12, bytes.length - 1])
    await refuses(bytes.subarray(0, length), /damaged or cut off/);
  const wrongSum = Uint8Array.from(bytes);
  wrongSum[bytes.length - 6]! ^= 1;
  await refuses(wrongSum, /damaged/);
  await refuses(Buffer.concat([bytes, Uint8Array.of(1, 2, 3)]), /damaged/);
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = value;
      await gunzip(damaged, limit).catch((error) => assert.ok(error instanceof FormatError));
    }),
    { numRuns: 100 },
  );
});

test("a gzip bomb is stopped at the limit", async () => {
  const bomb = gzipSync(new Uint8Array(200_000_000));
  const before = process.memoryUsage().rss;
  await assert.rejects(gunzip(bomb, { maxBytes: 1_000_000 }), /more than the 1000000 bytes/);
  assert.ok(process.memoryUsage().rss - before < 120_000_000);
  const path = join(newFolder(), "bomb.gz");
  fs.writeFileSync(path, bomb);
  await assert.rejects(readFileGunzip(path, { maxBytes: 1_000_000 }), /bomb\.gz: holds more than/);
});
