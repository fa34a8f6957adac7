/** Safetensors: round trips, the types of other programs, and files that lie. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { allocate, type DType, dtypes } from "../src/core/dtype.js";
import { FormatError, GradusError } from "../src/core/errors.js";
import { sizeOf } from "../src/core/shape.js";
import type { ArrayData } from "../src/io/arrayData.js";
import { decodeSafetensors, encodeSafetensors } from "../src/io/safetensors.js";

/** A file with this header and as many zero bytes behind it. */
function file(header: string | object, valueBytes = 0, claimedLength?: bigint): Uint8Array {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + json.length + valueBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimedLength ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

const refuses = (bytes: Uint8Array, pattern: RegExp) =>
  assert.throws(
    () => decodeSafetensors(bytes),
    (error) => error instanceof FormatError && pattern.test(error.message),
    `${pattern}`,
  );

const arrayOf = (dtype: DType): fc.Arbitrary<ArrayData> =>
  fc
    .array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })
    .chain((shape) =>
      fc
        .uint8Array({ minLength: sizeOf(shape) * 8, maxLength: sizeOf(shape) * 8 })
        .map((bytes) => ({ shape, dtype, data: fill(dtype, sizeOf(shape), bytes) })),
    );

function fill(dtype: DType, length: number, bytes: Uint8Array) {
  const data = allocate(dtype, length);
  const own = new Uint8Array(data.buffer);
  own.set(bytes.subarray(0, own.length));
  if (dtype === "bool") own.forEach((value, i) => own.fill(value & 1, i, i + 1));
  return data;
}

const anyArray = fc.constantFrom(...dtypes).chain(arrayOf);
const wellFormed = fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__");
const content = fc.uniqueArray(fc.tuple(wellFormed, anyArray), { selector: ([name]) => name });
const freeText = fc.dictionary(wellFormed, fc.string({ unit: "grapheme" }));

test("any tensors and metadata come back bit for bit, in order", () => {
  fc.assert(
    fc.property(content, freeText, (tensors, metadata) => {
      const bytes = encodeSafetensors(tensors, metadata);
      const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
      assert.equal(headerBytes % 8, 0);
      const back = decodeSafetensors(bytes);
      assert.deepEqual(
        [...back.tensors.keys()],
        tensors.map(([name]) => name),
      );
      for (const [name, { shape, dtype, data }] of tensors) {
        const came = back.tensors.get(name)!;
        assert.deepEqual([came.shape, came.dtype], [shape, dtype]);
        const raw = (array: ArrayBufferView) =>
          Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("hex");
        assert.equal(raw(came.data), raw(data));
      }
      assert.deepEqual(Object.entries(back.metadata).sort(), Object.entries(metadata).sort());
    }),
    { numRuns: 200 },
  );
});

test("damaged bytes give a FormatError or a file, never anything else", () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1 });
  fc.assert(
    fc.property(content, damage, fc.nat(), (tensors, changes, cut) => {
      const bytes = encodeSafetensors(tensors, { a: "b" });
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const damaged = cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
      try {
        decodeSafetensors(damaged);
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test("a header of any text is refused or read, without another error", () => {
  const pieces = ["{", "}", "[", "]", ",", ":", '"', '"a"', '"dtype"', '"shape"', "0", "-1", "1e9"];
  const texts = fc.array(fc.constantFrom(...pieces, '"data_offsets"', '"F32"', "\\", " "));
  fc.assert(
    fc.property(texts, (parts) => {
      try {
        decodeSafetensors(file(`{${parts.join("")}`));
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test("half precision, brain floats and 64-bit integers come as the types Gradus has", () => {
  const bytes = file(
    {
      half: entry("F16", [7], 0, 14),
      brain: entry("BF16", [3], 14, 20),
      long: entry("I64", [3], 20, 44),
    },
    44,
  );
  const values = new DataView(bytes.buffer, bytes.length - 44);
  const halves = [0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x8000, 0x3555];
  for (const [i, half] of halves.entries()) values.setUint16(2 * i, half, true);
  for (const [i, brain] of [0x3f80, 0xc049, 0xff80].entries())
    values.setUint16(14 + 2 * i, brain, true);
  for (const [i, long] of [1n, -2n, 2n ** 31n - 1n].entries())
    values.setBigInt64(20 + 8 * i, long, true);
  const { tensors } = decodeSafetensors(bytes);
  const half = [1, -2, 2 ** -24, 65504, Number.POSITIVE_INFINITY, -0, 0.333251953125];
  assert.deepEqual(tensors.get("half"), {
    shape: [7],
    dtype: "float32",
    data: Float32Array.from(half),
  });
  assert.deepEqual([...tensors.get("brain")!.data], [1, -3.140625, Number.NEGATIVE_INFINITY]);
  assert.deepEqual(tensors.get("long")!.data, Int32Array.of(1, -2, 2 ** 31 - 1));
});

test("an I64 that int32 cannot hold and a BOOL over 1 are refused with their place", () => {
  const long = file({ a: entry("I64", [2], 0, 16) }, 16);
  new DataView(long.buffer).setBigInt64(long.length - 8, 2n ** 31n, true);
  refuses(long, /tensor "a": element 1 .* 2147483648; expected it to fit int32/);
  const bool = file({ a: entry("BOOL", [2], 0, 2) }, 2);
  bool[bool.length - 1] = 2;
  refuses(bool, /element 1 of a BOOL tensor is 2/);
});

test("names that could hurt are only names", () => {
  const array: ArrayData = { shape: [], dtype: "float32", data: Float32Array.of(1) };
  const names = ["__proto__", "constructor", "1", "0", "", 'ü " \\ \n', "toString"];
  const metadata = JSON.parse('{"__proto__":"a","hasOwnProperty":"b"}') as Record<string, string>;
  const back = decodeSafetensors(
    encodeSafetensors(
      names.map((name) => [name, array]),
      metadata,
    ),
  );
  assert.deepEqual([...back.tensors.keys()], names);
  assert.deepEqual(Object.keys(back.metadata), ["__proto__", "hasOwnProperty"]);
  assert.equal(Object.getPrototypeOf(back.metadata), Object.prototype);
});

test("lengths that lie are refused before anything is allocated", () => {
  refuses(new Uint8Array(0), /0 bytes; expected at least 8/);
  refuses(new Uint8Array(8), /begins with byte none; expected \{/);
  refuses(file("{}", 0, 2n ** 63n), /9223372036854775808 bytes long; expected at most 100000000/);
  refuses(file("{}", 0, 100_000_001n), /expected at most 100000000/);
  refuses(file("{}", 0, 3n), /3 bytes long, but the file has 10 bytes/);
  const huge = { a: entry("F32", [2 ** 20, 2 ** 20], 0, 4 * 2 ** 40) };
  refuses(file(huge), /over 2\^31 - 1 elements/);
  refuses(file({ a: entry("U8", [0, 2 ** 40], 0, 0) }), /over 2\^31 - 1 elements/);
});

test("tensors that overlap, leave gaps or do not fit their place are refused", () => {
  const two = (b: [number, number], shape = [1]) => ({
    a: entry("U8", [4], 0, 4),
    b: entry("U8", shape, ...b),
  });
  refuses(file(two([3, 4]), 4), /tensor "b" at bytes 3 to 4 overlaps .*begin at 4/);
  refuses(file(two([5, 6]), 6), /leaves a gap before it; expected it to begin at 4/);
  refuses(file(two([4, 5], [2]), 5), /has 1 bytes; expected 2 for U8 \[2\]/);
  refuses(file(two([5, 4]), 5), /has -1 bytes/);
  refuses(file(two([4, 5]), 6), /take 5 bytes, but 6 follow/);
  refuses(file(two([4, 5]), 4), /take 5 bytes, but 4 follow .* cut off/);
  const empty = { a: entry("F32", [1], 0, 4), b: entry("F32", [0], 0, 0) };
  assert.equal(decodeSafetensors(file(empty, 4)).tensors.size, 2);
});

test("headers that say something else are refused with what was expected", () => {
  refuses(file("[]"), /begins with byte 91; expected \{/);
  refuses(file("{"), /its end; expected "/);
  refuses(file('{"a":1}'), /"1" at character 5; expected \{/);
  refuses(file("{} x"), /nothing but spaces/);
  refuses(file(new TextDecoder("latin1").decode(new Uint8Array([0x7b, 0x22]))), /closing "/);
  refuses(file({ a: { dtype: "F32", shape: [] } }), /tensor "a" has no data_offsets/);
  refuses(file({ a: entry("F8", [], 0, 1) }, 1), /dtype "F8"; expected one of F32, F64/);
  refuses(file({ a: entry("U8", [1.5], 0, 1) }, 1), /"1.5".*whole number/);
  refuses(file({ a: entry("U8", [-1], 0, 1) }, 1), /"-1".*whole number/);
  refuses(file('{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}', 1), /whole number/);
  refuses(file({ a: entry("U8", [], 0, 2 ** 53) }), /whole number/);
  refuses(file({ a: { ...entry("U8", [], 0, 1), data_offsets: [0] } }, 1), /1 data_offsets/);
  refuses(file({ a: { ...entry("U8", [], 0, 1), b: 1 } }, 1), /the key "b"/);
  refuses(file({ __metadata__: { a: 1 } }), /expected "/);
  const twice = '"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}';
  refuses(file(`{${twice},${twice}}`, 1), /the header has the key "a" twice/);
  refuses(file('{"__metadata__":{"a":"1","a":"2"}}'), /__metadata__ has the key "a" twice/);
  const invalid = file('{"__":');
  invalid[10] = 0xff;
  refuses(invalid, /not valid UTF-8/);
});

test("the name of the file is in the message", () => {
  const read = () => decodeSafetensors(new Uint8Array(3), { source: "model.safetensors" });
  assert.throws(read, /decodeSafetensors: model\.safetensors: 3 bytes/);
});

test("what cannot be written is refused", () => {
  const array: ArrayData = { shape: [1], dtype: "float32", data: Float32Array.of(1) };
  const refused = (tensors: [string, ArrayData][], pattern: RegExp, metadata = {}) =>
    assert.throws(
      () => encodeSafetensors(tensors, metadata),
      (error) => error instanceof GradusError && pattern.test(error.message),
    );
  refused(
    [
      ["a", array],
      ["a", array],
    ],
    /two tensors are named "a"/,
  );
  refused([["__metadata__", array]], /cannot be named/);
  refused([["\ud800", array]], /not Unicode/);
  refused([["a", { ...array, shape: [2] }]], /shape \[2\] \(2 elements\) but 1 values/);
  refused([["a", { ...array, dtype: "int32" }]], /int32 but its data is a Float32Array/);
  refused([], /metadata "a" is a number/, { a: 1 });
});
