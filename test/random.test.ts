/** The generator: published vectors of Philox, the distributions drawn, and the same bits everywhere. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { philox, randomBits } from "../src/core/random.js";
import {
  bernoulli,
  defaultGenerator,
  full,
  Generator,
  manualSeed,
  nn,
  ones,
  rand,
  randn,
  randperm,
  setBackend,
  type Tensor,
} from "../src/index.js";
import { backends, places, use } from "./support/backends.js";

setBackend("interpreter");

type Words = readonly [number, number, number, number];

test("Philox4x32-10 gives the vectors that Random123 publishes", () => {
  const all = 0xffffffff;
  const vectors: [[number, number], Words, Words][] = [
    [
      [0, 0],
      [0, 0, 0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [all, all],
      [all, all, all, all],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0xa4093822, 0x299f31d0],
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ];
  for (const [key, counter, expected] of vectors) {
    const out = new Uint32Array(4);
    philox(key, counter, out);
    assert.deepEqual([...out], expected);
  }
});

test("element i of a call is word i mod 4 of block i / 4", () => {
  const state = Int32Array.of(1, 2, 3, 4);
  const [long, short, block] = [new Int32Array(11), new Int32Array(6), new Int32Array(4)];
  randomBits(state, long);
  randomBits(state, short);
  assert.deepEqual([...long.subarray(0, 6)], [...short]);
  philox([1, 2], [2, 0, 3, 4], block);
  assert.deepEqual([...long.subarray(8)], [...block.subarray(0, 3)]);
});

function moments(x: Tensor): { mean: number; variance: number; skew: number; kurtosis: number } {
  const values = [...(x.data as Float32Array)];
  const average = (f: (v: number) => number) =>
    values.reduce((sum, v) => sum + f(v), 0) / values.length;
  const mean = average((v) => v);
  const variance = average((v) => (v - mean) ** 2);
  const deviation = Math.sqrt(variance);
  return {
    ...{ mean, variance },
    skew: average((v) => ((v - mean) / deviation) ** 3),
    kurtosis: average((v) => ((v - mean) / deviation) ** 4),
  };
}

const near = (got: number, expected: number, within: number, what: string) =>
  assert.ok(
    Math.abs(got - expected) < within,
    `${what} is ${got}, expected ${expected} ± ${within}`,
  );

for (const dtype of ["float32", "float64"] as const)
  test(`rand is uniform in [0, 1) in ${dtype}`, () => {
    const x = rand([40000], { generator: new Generator(1), dtype });
    assert.equal(x.dtype, dtype);
    const { mean, variance, kurtosis } = moments(x);
    near(mean, 0.5, 0.006, "mean");
    near(variance, 1 / 12, 0.002, "variance");
    near(kurtosis, 1.8, 0.05, "kurtosis");
    assert.ok(x.data.every((v: number) => v >= 0 && v < 1));
    const bins = new Array<number>(10).fill(0);
    for (const v of x.data) bins[Math.floor(v * 10)]!++;
    const chiSquare = bins.reduce((sum, n) => sum + (n - 4000) ** 2 / 4000, 0);
    assert.ok(chiSquare < 27.9, `χ² of 9 degrees is ${chiSquare}`);
  });

for (const dtype of ["float32", "float64"] as const)
  test(`randn is normal in ${dtype}`, () => {
    const x = randn([200, 200], { generator: new Generator(2), dtype });
    const { mean, variance, skew, kurtosis } = moments(x);
    near(mean, 0, 0.02, "mean");
    near(variance, 1, 0.03, "variance");
    near(skew, 0, 0.05, "skew");
    near(kurtosis, 3, 0.1, "kurtosis");
    const beyond = x.data.filter((v: number) => Math.abs(v) > 1.959964).length / x.size;
    near(beyond, 0.05, 0.004, "share beyond 1.96");
    assert.ok(x.data.every(Number.isFinite));
  });

test("randperm gives every order as often", () => {
  const generator = new Generator(3);
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = randperm(4, { generator }).data.join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 24);
  const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - 250) ** 2 / 250, 0);
  assert.ok(chiSquare < 49.7, `χ² of 23 degrees is ${chiSquare}`);
  const long = randperm(1000, { generator });
  assert.equal(new Set(long.data).size, 1000);
  assert.deepEqual([randperm(0).shape, randperm(1).toArray()], [[0], [0]]);
});

test("dropout drops with probability p and keeps the mean; bernoulli follows its argument", () => {
  const generator = new Generator(4);
  const x = nn.functional.dropout(ones([40000]), 0.3, { generator });
  near(x.data.filter((v: number) => v === 0).length / 40000, 0.3, 0.01, "share dropped");
  near(x.mean().item(), 1, 0.02, "mean");
  near(
    bernoulli(full([40000], 0.2), { generator })
      .mean()
      .item(),
    0.2,
    0.01,
    "mean",
  );
});

test("seeds give the same draws again, others do not", () => {
  const draw = (seed: number) => rand([4], { generator: new Generator(seed) }).toArray();
  assert.deepEqual(draw(7), draw(7));
  const seeds = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1];
  assert.equal(new Set(seeds.map((seed) => JSON.stringify(draw(seed)))).size, seeds.length);
  manualSeed(5);
  const [first, second] = [rand([4]).toArray(), rand([4]).toArray()];
  assert.notDeepEqual(first, second);
  const state = defaultGenerator.getState();
  const third = rand([4]).toArray();
  defaultGenerator.setState(state);
  assert.deepEqual(rand([4]).toArray(), third);
  for (const seed of [-1, 1.5, 2 ** 53, Number.NaN])
    assert.throws(
      () => manualSeed(seed),
      /^ValueError: manualSeed: seed must be a whole number from 0 to 2\^53 - 1/,
    );
  assert.throws(
    () => defaultGenerator.setState([1, 2]),
    /^ValueError: setState: expected 4 int32 words/,
  );
});

test("every backend and instruction set draws the same bits", () => {
  const found = places.map((place) => {
    use(place);
    const generator = new Generator(123);
    return [
      rand([1003], { generator }),
      rand([77], { generator, dtype: "float64" }),
      nn.functional.dropout(ones([501]), 0.4, { generator }),
      bernoulli(full([99], 0.5), { generator }),
    ].map((x) => [...x.data]);
  });
  setBackend("interpreter");
  found.forEach((values, i) => {
    assert.deepEqual(values, found[0], places[i]!.name);
  });
});

test("randn is the same to the last bits on every backend, float32 bit for bit", () => {
  const found = backends.map((place) => {
    use(place);
    return randn([2000], { generator: new Generator(9) }).data;
  });
  setBackend("interpreter");
  for (const [i, values] of found.entries()) {
    const other = values.findIndex((v: number, j: number) => v !== found[0]![j]);
    assert.equal(
      other,
      -1,
      `${backends[i]!.name}: ${values[other]} and ${found[0]![other]} at ${other}`,
    );
  }
});
