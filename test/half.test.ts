/** float16 and bfloat16 as storage: every pattern as PyTorch has it, and safetensors files at half size. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DTypeError, ValueError } from "../src/core/errors.js";
import { fromHalfBits, halfTypes, toHalfBits } from "../src/core/half.js";
import {
  compile,
  fromBfloat16,
  fromFloat16,
  nn,
  type Tensor,
  TraceError,
  tensor,
  toBfloat16,
  toFloat16,
} from "../src/index.js";
import { loadSafetensors, saveSafetensors } from "../src/io/index.js";
import { decodeSafetensors, encodeSafetensors } from "../src/io/safetensors.js";

interface Expected {
  readonly values: string;
  readonly bits: string;
  readonly edges: readonly number[];
}
const fixture = JSON.parse(
  readFileSync(new URL("fixtures/half.json", import.meta.url), "utf8"),
) as { tails: number[]; edges: string[] } & Record<(typeof halfTypes)[number], Expected>;

const patterns = Uint16Array.from({ length: 65536 }, (_, i) => i);
const sha = (x: ArrayBufferView): string =>
  createHash("sha256")
    .update(new Uint8Array(x.buffer, x.byteOffset, x.byteLength))
    .digest("hex");
/** As the fixtures: NaN counts as 0. */
const known = (x: Float32Array): Float32Array => x.map((v) => (Number.isNaN(v) ? 0 : v));

const spelled: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
};

/** Every upper half of a float32 with lower halves around each step. */
function singles(): Float32Array {
  const { tails } = fixture;
  const words = new Uint32Array(65536 * tails.length);
  patterns.forEach((high) => {
    tails.forEach((low, j) => {
      words[high * tails.length + j] = (high << 16) | low;
    });
  });
  return known(new Float32Array(words.buffer));
}

for (const type of halfTypes) {
  test(`${type}: all 65,536 patterns and what rounds to them are PyTorch's`, () => {
    const expected = fixture[type];
    const values = fromHalfBits(patterns, type);
    assert.equal(sha(known(values)), expected.values);
    assert.equal(sha(toHalfBits(singles(), type)), expected.bits);
    const edges = fixture.edges.map((text) => spelled[text] ?? Number(text));
    const bits = toHalfBits(edges, type);
    edges.forEach((edge, i) => {
      // Which NaN it becomes differs between PyTorch's own paths.
      if (!Number.isNaN(edge)) assert.equal(bits[i], expected.edges[i], String(edge));
      else assert.ok(Number.isNaN(fromHalfBits(bits.subarray(i, i + 1), type)[0]!));
    });
    // What is not NaN comes back as it was.
    const back = toHalfBits(values, type);
    patterns.forEach((bits) => {
      if (!Number.isNaN(values[bits]!)) assert.equal(back[bits], bits);
      else assert.ok(Number.isNaN(fromHalfBits(back.subarray(bits, bits + 1), type)[0]!));
    });
  });
}

test("tensors become 16-bit floats and come back with a shape", async () => {
  const x = tensor([
    [1, 0.1],
    [-3.3, 65520],
  ]);
  assert.deepEqual(fromFloat16(toFloat16(x), { shape: [2, 2] }).toArray(), [
    [1, 0.0999755859375],
    [-3.30078125, Number.POSITIVE_INFINITY],
  ]);
  const rough = fromBfloat16(toBfloat16(x), { shape: [2, 2], requiresGrad: true });
  assert.deepEqual(rough.shape, [2, 2]);
  assert.ok(rough.requiresGrad && rough.dtype === "float32");
  assert.throws(() => toFloat16(tensor([1], { dtype: "int32" })), DTypeError);
  assert.throws(() => fromFloat16([1] as never), ValueError);
  assert.throws(() => fromBfloat16(new Uint16Array(3), { shape: [2] }), /do not fill \[2\]/);
  await assert.rejects(async () => compile((y: Tensor) => void toFloat16(y))(x), TraceError);
});

test("a model saved at half size loads as float32, per file or per tensor", () => {
  const folder = mkdtempSync(join(tmpdir(), "gradus-half-"));
  try {
    const model = new nn.Sequential(new nn.Linear(40, 30), new nn.BatchNorm1d(30));
    const state = model.stateDict();
    const path = join(folder, "model.safetensors");
    saveSafetensors(path, state);
    const whole = statSync(path).size;
    for (const dtype of halfTypes) {
      saveSafetensors(path, state, { dtype });
      assert.ok(statSync(path).size < 0.7 * whole);
      const { tensors } = loadSafetensors(path);
      for (const [name, x] of state) {
        const came = tensors.get(name)!;
        assert.equal(came.dtype, x.dtype);
        const rounded =
          x.dtype === "float32" ? fromHalfBits(toHalfBits(x.data, dtype), dtype) : x.data;
        assert.deepEqual([...came.data], [...rounded]);
      }
      model.loadStateDict(
        new Map(
          Array.from(tensors, ([name, { data, shape, dtype: type }]) => [
            name,
            tensor(data, { shape, dtype: type }),
          ]),
        ),
      );
    }
    const some = encodeSafetensors(
      state,
      {},
      {
        dtype: (name) => (name === "0.weight" ? "bfloat16" : undefined),
      },
    );
    const header = Buffer.from(some.buffer, 8, 600).toString();
    assert.match(header, /"0.weight":\{"dtype":"BF16"/);
    assert.match(header, /"0.bias":\{"dtype":"F32"/);
    assert.deepEqual([...decodeSafetensors(some).tensors.keys()], [...state.keys()]);
    assert.throws(
      () => encodeSafetensors(state, {}, { dtype: "float8" as "float16" }),
      /^DTypeError: encodeSafetensors: cannot store "0.weight" as float8, only as float16, bfloat16/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
