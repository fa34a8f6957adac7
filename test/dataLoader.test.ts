/** Data sets and loaders: the order, resuming, making batches ahead, and normalizing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DTypeError, GradusError, ShapeError, ValueError } from "../src/core/errors.js";
import { type Dataset, randomSplit, Subset, TensorDataset } from "../src/data/dataset.js";
import { DataLoader } from "../src/data/loader.js";
import { normalizeImages } from "../src/data/normalize.js";
import { permutation } from "../src/data/order.js";
import { prefetchBatches } from "../src/data/prefetch.js";
import type { ArrayData } from "../src/io/arrayData.js";
import { tensor } from "../src/tensor/create.js";
import { Generator } from "../src/tensor/random.js";
import { Tensor } from "../src/tensor/tensor.js";

const count = (n: number) => tensor(Int32Array.from({ length: n }, (_, i) => i));
const numbers = (n: number) => new TensorDataset(count(n));
type Batches = Iterable<readonly Tensor[]>;
const valuesOf = (batches: Batches) => Array.from(batches, ([x]) => [...x!.data]);

async function valuesOfAsync(batches: AsyncIterable<readonly Tensor[]>): Promise<number[][]> {
  const result: number[][] = [];
  for await (const [x] of batches) result.push([...x!.data]);
  return result;
}

test("a permutation holds every index once and depends on seed and epoch alone", () => {
  const seeds = fc.nat(Number.MAX_SAFE_INTEGER);
  fc.assert(
    fc.property(fc.nat(200), seeds, fc.nat(2 ** 32 - 1), (n, seed, epoch) => {
      const order = permutation(n, seed, epoch);
      assert.deepEqual(
        [...order].sort((a, b) => a - b),
        [...Array(n).keys()],
      );
      assert.deepEqual(permutation(n, seed, epoch), order);
    }),
  );
  const others = [permutation(50, 1, 0), permutation(50, 1, 1), permutation(50, 2 ** 32 + 1, 0)];
  assert.equal(new Set(others.map(String)).size, 3);
  assert.throws(() => permutation(3, -1), ValueError);
  assert.throws(() => permutation(3, 0, 2 ** 32), ValueError);
});

test("permutations of four are equally likely", () => {
  const draws = 24_000;
  const seen = new Map<string, number>();
  for (let epoch = 0; epoch < draws; epoch++) {
    const key = String(permutation(4, 7, epoch));
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  assert.equal(seen.size, 24);
  const expected = draws / 24;
  const chiSquare = [...seen.values()].reduce((s, n) => s + (n - expected) ** 2 / expected, 0);
  // 23 degrees of freedom: 49.7 is passed once in a thousand seeds.
  assert.ok(chiSquare < 49.7, `chi-square ${chiSquare}`);
});

test("batches hold the rows of every tensor, in order", () => {
  const x = tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  const y = tensor(Int32Array.of(7, 8, 9));
  const loader = new DataLoader(new TensorDataset(x, y), { batchSize: 2 });
  const batches = [...loader];
  assert.equal(loader.length, 2);
  assert.deepEqual(
    batches.map(([a, b]) => [a.shape, a.dtype, b.shape, b.dtype]),
    [
      [[2, 2], "float32", [2], "int32"],
      [[1, 2], "float32", [1], "int32"],
    ],
  );
  assert.deepEqual([...batches[0]![0].data, ...batches[1]![1].data], [1, 2, 3, 4, 9]);
  assert.ok(batches[0]![0] instanceof Tensor);
  const dropping = new DataLoader(new TensorDataset(x, y), { batchSize: 2, dropLast: true });
  assert.deepEqual([dropping.length, [...dropping].length], [1, 1]);
});

test("shuffling is another order each epoch, and the same one again for the same epoch", () => {
  const options = { batchSize: 3, shuffle: true, seed: 5 };
  const loader = new DataLoader(numbers(10), options);
  const [first, second] = [valuesOf(loader), valuesOf(loader)];
  assert.equal(loader.epoch, 2);
  assert.notDeepEqual(first, second);
  assert.deepEqual(first.flat().sort(), [...Array(10).keys()]);
  loader.setEpoch(0);
  assert.deepEqual([valuesOf(loader), valuesOf(loader)], [first, second]);
  const again = new DataLoader(numbers(10), options);
  again.setEpoch(1);
  assert.deepEqual(valuesOf(again), second);
});

test("a walk that begins in the middle gives what a whole one has there", async () => {
  const loader = new DataLoader(numbers(20), { batchSize: 3, shuffle: true, seed: 2 });
  const whole = valuesOf(loader);
  for (let from = 0; from <= loader.length; from++) {
    loader.setEpoch(0);
    assert.deepEqual(valuesOf(loader.iterate({ from })), whole.slice(from));
    loader.setEpoch(0);
    assert.deepEqual(await valuesOfAsync(loader.iterateAsync({ from })), whole.slice(from));
  }
  assert.throws(() => loader.iterate({ from: 8 }), /from is 8; expected 0 to 7/);
  assert.throws(() => loader.iterate({ from: -1 }), ValueError);
});

test("a seed that is left out is drawn from the generator", () => {
  const make = (seed: number) =>
    new DataLoader(numbers(9), { shuffle: true, generator: new Generator(seed) });
  assert.equal(make(1).seed, make(1).seed);
  assert.notEqual(make(1).seed, make(2).seed);
  assert.deepEqual(valuesOf(make(1)), valuesOf(make(1)));
});

test("batches made ahead are the same ones, and made while the program waits", async () => {
  for (const prefetch of [0, 1, 5]) {
    const loader = new DataLoader(numbers(11), { batchSize: 2, shuffle: true, seed: 1, prefetch });
    assert.deepEqual(await valuesOfAsync(loader), valuesOf(loader.iterate.call(reset(loader))));
  }
  const made: number[] = [];
  const batches = prefetchBatches((batch) => made.push(batch), 3, 10, 2);
  await batches.next();
  assert.deepEqual(made, [3]);
  await turns(10);
  assert.deepEqual(made, [3, 4, 5]);
  await batches.return?.();
  await turns(10);
  assert.deepEqual(made, [3, 4, 5]);
  assert.deepEqual(await batches.next(), { done: true, value: undefined });
});

/** Waits for so many turns of the event loop: a time would pass at another pace on a busy machine. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

function reset<L extends { setEpoch(epoch: number): void }>(loader: L): L {
  loader.setEpoch(0);
  return loader;
}

test("data sets may give single examples, also as promises", async () => {
  const row = (i: number): ArrayData => ({
    shape: [2],
    dtype: "float32",
    data: Float32Array.of(i, -i),
  });
  const plain: Dataset<[ArrayData, number]> = { length: 5, get: (i) => [row(i), i * i] };
  const [[x, y] = []] = new DataLoader(plain, { batchSize: 5 });
  assert.deepEqual([x?.shape, y?.dtype], [[5, 2], "int32"]);
  assert.deepEqual([...y!.data], [0, 1, 4, 9, 16]);
  const slow: Dataset<[ArrayData, number]> = { length: 5, get: async (i) => [row(i), i * i] };
  const walked: number[] = [];
  for await (const [, labels] of new DataLoader(slow, { batchSize: 2 }))
    walked.push(...labels.data);
  assert.deepEqual(walked, [0, 1, 4, 9, 16]);
  assert.throws(() => [...new DataLoader(slow)], /walk over it with for await/);
  const fraction: Dataset<[number]> = { length: 2, get: () => [0.5] };
  assert.throws(() => [...new DataLoader(fraction)], /is the number 0.5; expected an int32 label/);
  const ragged: Dataset<[ArrayData]> = {
    length: 2,
    get: (i) => [{ shape: [i], dtype: "uint8", data: new Uint8Array(i) }],
  };
  assert.throws(() => [...new DataLoader(ragged, { batchSize: 2 })], ShapeError);
});

test("an error in the data reaches the one who asked for the batch", async () => {
  const broken: Dataset<[number]> = {
    length: 6,
    get(i) {
      if (i === 3) throw new GradusError("broken", "example 3");
      return [i];
    },
  };
  const seen: number[] = [];
  const walk = async () => {
    for await (const [x] of new DataLoader(broken)) seen.push(x.item());
  };
  await assert.rejects(walk(), /broken: example 3/);
  assert.deepEqual(seen, [0, 1, 2]);
});

test("subsets and splits hold what they should, without overlap", () => {
  const subset = new Subset(numbers(10), [9, 0, 5]);
  assert.deepEqual(valuesOf(new DataLoader(subset, { batchSize: 2 })), [[9, 0], [5]]);
  const nested = new Subset(subset, [2, 0]);
  assert.deepEqual(valuesOf(new DataLoader(nested, { batchSize: 2 })), [[5, 9]]);
  assert.throws(() => new Subset(numbers(3), [3]), /index 3 is out of range for 3 examples/);
  const parts = randomSplit(numbers(10), [0.5, 0.25, 0.25], { seed: 3 });
  assert.deepEqual(
    parts.map((part) => part.length),
    [6, 2, 2],
  );
  const all = parts.flatMap((part) => [...part.indices]);
  assert.deepEqual(all.sort(), [...Array(10).keys()]);
  const [whole] = randomSplit(numbers(4), [4], { seed: 1 });
  assert.equal(whole?.length, 4);
  assert.deepEqual(
    randomSplit(numbers(9), [3, 6], { seed: 3 }).map((p) => p.length),
    [3, 6],
  );
  assert.throws(() => randomSplit(numbers(9), [3, 5]), /sum to 8; expected 9, or fractions/);
  assert.throws(() => randomSplit(numbers(9), [-1, 10]), ValueError);
});

test("tensors that do not belong together are refused", () => {
  assert.throws(() => new TensorDataset(count(3), count(4)), /first dims differ: \[3\], \[4\]/);
  assert.throws(() => new TensorDataset(), ShapeError);
  assert.throws(() => new TensorDataset(tensor(1)), /expected tensors \[N, …\]/);
  assert.throws(() => new DataLoader(numbers(3), { batchSize: 0 }), /batchSize is 0/);
  assert.throws(() => new DataLoader(numbers(3), { batchSize: 1.5 }), ValueError);
  assert.throws(() => new DataLoader(numbers(3), { shuffle: true, seed: -1 }), /seed is -1/);
});

test("pictures are normalized a channel at a time", () => {
  const data = new Uint8Array(2 * 3 * 2 * 2).map((_, i) => i * 10);
  const batch: [ArrayData, ArrayData] = [{ shape: [2, 3, 2, 2], dtype: "uint8", data }, count(2)];
  const [mean, std] = [
    [0.1, 0.2, 0.3],
    [0.5, 0.25, 1],
  ];
  const [images, labels] = normalizeImages({ mean, std })(batch);
  assert.equal(labels, batch[1]);
  images.data.forEach((value, i) => {
    const c = Math.floor(i / 4) % 3;
    assert.equal(value, Math.fround((data[i]! * (1 / 255) - mean[c]!) / std[c]!));
  });
  const grey: [ArrayData] = [{ shape: [2, 3, 4], dtype: "uint8", data }];
  const [channelled] = normalizeImages({ addChannel: true })(grey);
  assert.deepEqual([channelled.shape, channelled.dtype], [[2, 1, 3, 4], "float32"]);
  assert.throws(() => normalizeImages({ mean: [1, 2] })(grey), ShapeError);
  assert.throws(() => normalizeImages({ addChannel: true })(batch), ShapeError);
  assert.throws(() => normalizeImages()([batch[1]]), DTypeError);
  assert.throws(() => normalizeImages({ mean: [1, 2], std: [1, 2, 3] }), ValueError);
  assert.throws(() => normalizeImages({ std: 0 }), ValueError);
});
