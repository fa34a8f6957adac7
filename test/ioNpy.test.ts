/** NumPy's files: read as NumPy wrote them, written byte for byte the same; hostile headers and archives. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { FormatError, ValueError } from "../src/core/errors.js";
import type { ArrayData } from "../src/io/arrayData.js";
import { decodeNpy, encodeNpy } from "../src/io/npy.js";
import { loadNpy, loadNpz, saveNpy, saveNpz } from "../src/io/npyFile.js";
import { decodeNpz, encodeNpz } from "../src/io/npz.js";
import { memorySource, ZipArchive } from "../src/io/zip.js";
import { inflateEntry } from "../src/io/zipFile.js";
import { encodeZip } from "../src/io/zipWriter.js";
import { temporaryFolder } from "./trainSupport.js";

const folder = temporaryFolder();
const fixtures = JSON.parse(
  readFileSync(new URL("fixtures/arrays.json", import.meta.url), "utf8"),
) as {
  npy: { name: string; file: string; shape: number[]; values: number[] }[];
  npz: string;
  npzCompressed: string;
  refused: Record<string, string>;
};
const bytesFrom = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
const words = (text: string) => new TextEncoder().encode(text);

test("arrays are read as NumPy wrote them, in every type and order", () => {
  for (const { name, file, shape, values } of fixtures.npy) {
    const array = decodeNpy(bytesFrom(file));
    assert.deepEqual(array.shape, shape, name);
    assert.deepEqual([...array.data], values, name);
  }
});

test("arrays are written byte for byte as NumPy does", () => {
  for (const name of [
    "float32",
    "float64",
    "int32",
    "uint8",
    "bool",
    "scalar",
    "empty",
    "vector",
  ]) {
    const bytes = bytesFrom(fixtures.npy.find((f) => f.name === name)!.file);
    assert.deepEqual(encodeNpy(decodeNpy(bytes)), bytes, name);
  }
});

test("archives of arrays are read, and written so that they come back", async () => {
  const x = fixtures.npy.find((f) => f.name === "float32")!;
  for (const file of [fixtures.npz, fixtures.npzCompressed]) {
    for (const options of [{}, { inflate: inflateEntry }]) {
      const arrays = await decodeNpz(bytesFrom(file), options);
      assert.deepEqual([...arrays.keys()], ["x", "y"]);
      assert.deepEqual([...arrays.get("x")!.data], x.values);
    }
  }
  const arrays: [string, ArrayData][] = [["a/b", decodeNpy(bytesFrom(x.file))]];
  for (const compress of [false, true]) {
    const back = await decodeNpz(await encodeNpz(arrays, { compress }));
    assert.deepEqual([...back], arrays);
    await saveNpz(join(folder, "a.npz"), arrays, { compress });
    assert.deepEqual([...(await loadNpz(join(folder, "a.npz")))], arrays);
  }
  saveNpy(join(folder, "a.npy"), arrays[0]![1]);
  assert.deepEqual(loadNpy(join(folder, "a.npy")), arrays[0]![1]);
});

test("what is no array here is refused, and says why", async () => {
  assert.throws(() => decodeNpy(bytesFrom(fixtures.refused.text!)), /type <U1; expected f2/);
  assert.throws(() => decodeNpy(bytesFrom(fixtures.refused.complex!)), /type <c8/);
  assert.throws(
    () => decodeNpy(bytesFrom(fixtures.refused.tooLarge!), { source: "a.npy" }),
    /a\.npy: element 0 .* is 1099511627776; expected it to fit int32/,
  );
  const good = bytesFrom(fixtures.npy.find((f) => f.name === "float32")!.file);
  const edit = (from: string, to: string) => {
    const text = Buffer.from(good).toString("latin1").replace(from, to);
    return new Uint8Array(Buffer.from(text, "latin1"));
  };
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /0 bytes that do not begin/],
    [good.subarray(0, good.length - 1), /cut off: 223 bytes; expected 224/],
    [Uint8Array.of(...good, 0), /too long/],
    [good.with(6, 9), /format version 9\.0/],
    [good.with(9, 255), /cut off in its header|header has/],
    [edit("(2, 3, 4)", "(2, , ,4)"), /cannot read its shape/],
    [edit("'shape'", "'shapo'"), /cannot read its header/],
    [edit("(2, 3, 4), }  ", "(99999,99999)}"), /over 2\^31/],
    [edit("False", "execs"), /cannot read its header/],
  ];
  for (const [bytes, message] of cases)
    assert.throws(
      () => decodeNpy(bytes),
      (e) => e instanceof FormatError && message.test(e.message),
    );
  const text = await encodeZip([["readme.txt", words("hello")]]);
  await assert.rejects(decodeNpz(text), /npz\/readme\.txt: is no array/);
});

test("damaged bytes never do more than throw a FormatError", () => {
  const good = bytesFrom(fixtures.npy.find((f) => f.name === "float32")!.file);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, end) => {
      try {
        decodeNpy(good.with(at, value).subarray(0, end));
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
  );
});

test("zip archives with lies in them are refused", async () => {
  const good = await encodeZip(
    [
      ["a.txt", words("hello, hello, hello, hello")],
      ["b.txt", words("there")],
    ],
    { compress: true },
  );
  const open = (bytes: Uint8Array, options = {}) => ZipArchive.open(memorySource(bytes), options);
  const archive = await open(good);
  assert.equal(new TextDecoder().decode(await archive.read("b.txt")), "there");
  await assert.rejects(archive.read("c.txt"), ValueError);
  const view = (bytes: Uint8Array) => new DataView(bytes.buffer);
  const directory = view(good).getUint32(good.length - 6, true);
  const changed = (change: (v: DataView) => void) => {
    const copy = good.slice();
    change(view(copy));
    return copy;
  };
  const refused = async (bytes: Uint8Array, message: RegExp, options = {}) => {
    const read = async () => {
      const opened = await open(bytes, options);
      for (const { name } of opened.entries) await opened.read(name);
    };
    await assert.rejects(read(), (e) => e instanceof FormatError && message.test(e.message));
  };
  await refused(new Uint8Array(0), /no zip archive/);
  await refused(good.subarray(0, good.length - 30), /no zip archive/);
  // Counts and places that do not fit.
  await refused(
    changed((v) => v.setUint16(good.length - 12, 60_000, true)),
    /does not fit/,
  );
  await refused(
    changed((v) => v.setUint32(good.length - 6, 2 ** 31, true)),
    /does not fit/,
  );
  await refused(good, /at most 1 are read/, { maxEntries: 1 });
  await refused(good, /a\.txt holds 26 bytes; at most 25/, { maxEntryBytes: 25 });
  // Claims less than it inflates to: stops at the claim, with either inflater.
  const small = changed((v) => v.setUint32(directory + 24, 3, true));
  await refused(small, /a\.txt: .*3 bytes allowed/);
  await refused(small, /a\.txt: is damaged/, { inflate: inflateEntry });
  await refused(
    changed((v) => v.setUint32(directory + 24, 900, true)),
    /expected 900/,
  );
  await refused(
    changed((v) => v.setUint32(directory + 16, 1, true)),
    /checksum differs/,
  );
  await refused(
    changed((v) => v.setUint16(directory + 10, 99, true)),
    /method 99/,
  );
  await refused(
    changed((v) => v.setUint16(directory + 8, 1, true)),
    /is encrypted/,
  );
  const second = directory + 46 + 5;
  await refused(
    changed((v) => v.setUint32(second + 42, 0, true)),
    /overlaps/,
  );
  const renamed = (name: string) =>
    changed((v) => words(name).forEach((b, i) => v.setUint8(directory + 46 + i, b)));
  for (const name of ["../up", "/root", "a\\..b", "C:abc"])
    await refused(renamed(name), /would leave its folder/);
  await refused(renamed("b.txt"), /holds b\.txt twice/);
  await assert.rejects(encodeZip([["../x", words("")]]), ValueError);
});
