/** Samplers, loaders that resume or skip, streams, and batches made in worker threads. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { packTar } from "modern-tar";
import { FormatError, GradusError, ValueError } from "../src/core/errors.js";
import type { Dataset } from "../src/data/dataset.js";
import { DataLoader, type LoaderState } from "../src/data/loader.js";
import { readShard, shardSamples, WorkerDataset } from "../src/data/node.js";
import { exampleGenerator } from "../src/data/order.js";
import {
  BatchSampler,
  DistributedSampler,
  RandomSampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from "../src/data/sampler.js";
import { ConcatDataset, type IterableDataset, shuffleBuffer } from "../src/data/transformed.js";
import { makeDataset, makeDecoder } from "./support/workerSource.js";
import { temporaryFolder } from "./trainSupport.js";

const folder = temporaryFolder();

/** Written by scripts/fixtures/makeShares.py. */
const torchShares = JSON.parse(
  readFileSync(new URL("fixtures/shares.json", import.meta.url), "utf8"),
) as { length: number; numReplicas: number; dropLast: boolean; shares: number[][] }[];

const numbers = (length: number): Dataset<[number]> => ({ length, get: (i) => [i] });
const module = new URL("support/workerSource.ts", import.meta.url);
const opened: WorkerDataset<never>[] = [];
after(() => Promise.all(opened.map((dataset) => dataset.close())));

async function walk(loader: DataLoader<never>): Promise<number[][]> {
  const batches: number[][] = [];
  for await (const parts of loader as AsyncIterable<readonly { data: ArrayLike<number> }[]>)
    batches.push(parts.flatMap(({ data }) => Array.from(data)));
  return batches;
}

const loaderOf = (dataset: unknown, options: object) =>
  new DataLoader(dataset as Dataset<never>, options);

async function openWorkers(count: number, args: object, name = "makeDataset") {
  const dataset = await WorkerDataset.open<never>(module, { count, args, name });
  opened.push(dataset);
  return dataset;
}

test("samplers take what they say, a function of the epoch", () => {
  assert.deepEqual([...new SequentialSampler(3).order()], [0, 1, 2]);
  const drawn = new RandomSampler(5, { numSamples: 1000, replacement: true, seed: 1 });
  assert.equal(new Set(drawn.order(0)).size, 5);
  assert.notDeepEqual(drawn.order(0), drawn.order(1));
  assert.deepEqual(drawn.order(3), drawn.order(3));
  const twice = [...new RandomSampler(4, { numSamples: 8, seed: 2 }).order(0)];
  assert.deepEqual([...twice.slice(0, 4)].sort(), [0, 1, 2, 3]);
  assert.deepEqual([...twice.slice(4)].sort(), [0, 1, 2, 3]);
  assert.deepEqual([...new SubsetRandomSampler([7, 9], { seed: 1 }).order(0)].sort(), [7, 9]);
  const cut = new BatchSampler(new SequentialSampler(5), 2, true);
  assert.deepEqual(
    cut.batches(0).map((b) => [...b]),
    [
      [0, 1],
      [2, 3],
    ],
  );
  assert.throws(() => new RandomSampler(0, { numSamples: 1 }), /no examples to draw from/);
});

test("weighted draws come in proportion to their weights", () => {
  const weights = [1, 0, 3, 6];
  const counts = [0, 0, 0, 0];
  for (const i of new WeightedRandomSampler(weights, 20_000, { seed: 5 }).order(0)) counts[i]!++;
  assert.equal(counts[1], 0);
  // Five standard deviations of a binomial.
  weights.forEach((w, i) => {
    const p = w / 10;
    assert.ok(
      Math.abs(counts[i]! - 20_000 * p) <= 5 * Math.sqrt(20_000 * p * (1 - p)),
      `${counts}`,
    );
  });
  const distinct = new WeightedRandomSampler(weights, 3, { seed: 5, replacement: false });
  const first = [0, 0, 0, 0];
  for (let epoch = 0; epoch < 5000; epoch++) {
    const order = distinct.order(epoch);
    assert.deepEqual([...order].sort(), [0, 2, 3]);
    first[order[0]!]!++;
  }
  assert.ok(Math.abs(first[3]! - 3000) < 175, `${first}`);
  assert.throws(
    () => new WeightedRandomSampler([1, 0], 2, { replacement: false }),
    /cannot draw 2/,
  );
  assert.throws(() => new WeightedRandomSampler([1, -1], 2), ValueError);
});

test("distributed shares are those of PyTorch's sampler", () => {
  for (const { length, shares, ...options } of torchShares)
    for (const [rank, expected] of shares.entries()) {
      const sampler = new DistributedSampler(length, { ...options, rank, shuffle: false });
      assert.deepEqual([...sampler.order(0)], expected, JSON.stringify({ length, ...options }));
      assert.equal(sampler.length, expected.length);
    }
  const all = [0, 1, 2].flatMap((rank) => [
    ...new DistributedSampler(9, { numReplicas: 3, rank, seed: 4 }).order(7),
  ]);
  assert.deepEqual(all.sort(), [...Array(9).keys()]);
});

test("a loader goes on bit for bit from its state, whatever was made ahead", async () => {
  const make = () => loaderOf(numbers(23), { batchSize: 4, shuffle: true, seed: 9, prefetch: 3 });
  const whole = make();
  const expected = [...(await walk(whole)), ...(await walk(whole))];
  for (let stop = 0; stop <= 6; stop++) {
    const loader = make();
    const seen: number[][] = [];
    for await (const parts of loader as AsyncIterable<readonly { data: ArrayLike<number> }[]>) {
      if (seen.length === stop) break;
      seen.push(Array.from(parts[0]!.data));
      if (seen.length === stop) break;
    }
    const state = JSON.parse(JSON.stringify(loader.stateDict())) as LoaderState;
    if (stop === 0) continue;
    const other = loaderOf(numbers(23), { batchSize: 4, shuffle: true, seed: 1 });
    other.loadStateDict(state);
    assert.deepEqual([...seen, ...(await walk(other)), ...(await walk(other))], expected);
  }
  const other = loaderOf(numbers(99), { batchSize: 4 });
  assert.throws(() => other.loadStateDict(whole.stateDict()), /state has 6 batches an epoch/);
});

test("broken examples are left out by name, and the epoch goes on", async () => {
  const dataset = makeDataset({ length: 7, broken: 4 });
  const told: string[] = [];
  const loader = loaderOf(dataset, {
    batchSize: 2,
    onError: "skip",
    onBroken: ({ error }: { error: Error }) => told.push(error.message),
  });
  const batches = await walk(loader);
  assert.deepEqual(
    batches.map((batch) => batch.length),
    [6, 6, 3, 3],
  );
  assert.deepEqual(told, ["decode: picture4.png: is damaged"]);
  assert.deepEqual(
    loader.broken.map(({ index }) => index),
    [4],
  );
  const alone = loaderOf(dataset, { batchSize: 1, onError: "skip" });
  assert.equal((await walk(alone)).length, 6);
  await assert.rejects(walk(loaderOf(dataset, { batchSize: 2 })), FormatError);
});

test("batches from threads are the same for every number of threads", async () => {
  const options = { batchSize: 5, shuffle: true, seed: 3 };
  const here = loaderOf(makeDataset({ length: 33 }), options);
  const expected = [await walk(here), await walk(here)];
  assert.notDeepEqual(expected[0], expected[1]);
  for (const count of [1, 3]) {
    const loader = loaderOf(await openWorkers(count, { length: 33 }), options);
    assert.equal(loader.prefetch, 2 * count);
    assert.deepEqual([await walk(loader), await walk(loader)], expected);
  }
});

test("errors come out of threads by name, and a thread that ends is one", async () => {
  const dataset = await openWorkers(2, { length: 6, broken: 1 });
  await assert.rejects(
    walk(loaderOf(dataset, { batchSize: 2 })),
    (e) => e instanceof FormatError && e.message === "decode: picture1.png: is damaged",
  );
  const skipping = loaderOf(dataset, { batchSize: 2, onError: "skip" });
  assert.equal((await walk(skipping)).flat().length, 15);
  assert.match(skipping.broken[0]!.error.message, /picture1\.png/);
  const crashing = await openWorkers(1, {}, "crash");
  await assert.rejects(walk(loaderOf(crashing, {})), /a worker thread ended with code 3/);
  // A thread that is gone answers nothing more: asking again must not wait for ever.
  await assert.rejects(walk(loaderOf(crashing, {})), /a worker thread ended with code 3/);
  await assert.rejects(openWorkers(1, {}, "missing"), /exports no function missing/);
  await dataset.close();
  await assert.rejects(walk(loaderOf(dataset, {})), GradusError);
});

test("streams are cut into batches, mixed by seed, and resumed", async () => {
  const stream: IterableDataset<[number]> = {
    *iterate() {
      for (let i = 0; i < 10; i++) yield [i];
    },
  };
  assert.deepEqual(await walk(loaderOf(stream, { batchSize: 4 })), [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9],
  ]);
  assert.equal((await walk(loaderOf(stream, { batchSize: 4, dropLast: true }))).length, 2);
  const mixed = () => loaderOf(shuffleBuffer(stream, 4), { batchSize: 3, seed: 2 });
  const expected = await walk(mixed());
  assert.deepEqual(
    expected.flat().sort((a, b) => a - b),
    [...Array(10).keys()],
  );
  assert.notDeepEqual(expected.flat(), [...Array(10).keys()]);
  const resumed = mixed();
  resumed.loadStateDict({ seed: 2, epoch: 0, batch: 2, batches: null });
  assert.deepEqual(await walk(resumed), expected.slice(2));
  assert.throws(() => loaderOf(stream, { shuffle: true }), /mix it with shuffleBuffer/);
  assert.throws(() => loaderOf(stream, {}).length, /is a stream/);
  assert.throws(() => loaderOf(numbers(2), { shuffle: true, sampler: new SequentialSampler(2) }));
});

test("tar shards are decoded in threads, the same for every number of them", async () => {
  const shards = await Promise.all(
    ["a", "b"].map(async (name, shard) => {
      const path = join(folder, `${name}.tar`);
      const labels = Array.from({ length: 9 }, (_, i) => String(9 * shard + i));
      const files = labels.map((body) => ({
        header: { name: `${name}/${body}.cls`, size: body.length },
        body,
      }));
      writeFileSync(path, await packTar(files));
      return path;
    }),
  );
  const { decode } = makeDecoder({});
  const options = { batchSize: 4, seed: 3 };
  const expected: number[][][] = [];
  for (const epoch of [0, 1]) {
    const batches: number[][] = [];
    let index = 0;
    let labels: number[] = [];
    let drawn: number[] = [];
    for (const shard of shards)
      for await (const sample of readShard(shard)) {
        const [label, noise] = decode(sample, exampleGenerator({ seed: 3, epoch }, index++));
        labels.push(label);
        drawn.push(...noise.data);
        if (labels.length < 4 && label < 17) continue;
        batches.push([...labels, ...drawn]);
        [labels, drawn] = [[], []];
      }
    expected.push(batches);
  }
  assert.notDeepEqual(expected[0], expected[1]);
  for (const count of [1, 3]) {
    const workers = await openWorkers(count, {}, "makeDecoder");
    const loader = loaderOf(workers.stream(shardSamples(shards)), options);
    assert.equal(loader.prefetch, 2 * count);
    assert.deepEqual([await walk(loader), await walk(loader)], expected);
    loader.loadStateDict({ seed: 3, epoch: 0, batch: 3, batches: null });
    assert.deepEqual(await walk(loader), expected[0]!.slice(3));
    const mixed = loaderOf(shuffleBuffer(workers.stream(shardSamples(shards)), 5), options);
    const labels = (await walk(mixed)).flatMap((batch) => batch.slice(0, batch.length / 3));
    assert.deepEqual(
      labels.sort((a, b) => a - b),
      [...Array(18).keys()],
    );
    const dataset = loaderOf(workers, options);
    assert.deepEqual(await walk(dataset), []);
  }
  const skipping = await openWorkers(2, { broken: 6 }, "makeDecoder");
  const source = shardSamples([...shards, join(folder, "gone.tar")]);
  const loader = loaderOf(skipping.stream(source), { ...options, onError: "skip" });
  assert.equal((await walk(loader)).flat().length, 3 * 17);
  const told = loader.broken.map(({ error }) => error.message);
  assert.equal(told.length, 2);
  assert.equal(told[0], "decode: a/6: is damaged");
  assert.match(told[1]!, /gone\.tar/);
  await assert.rejects(
    walk(loaderOf(skipping.stream(shardSamples(shards)), options)),
    (e) => e instanceof FormatError && e.message === "decode: a/6: is damaged",
  );
  const other = await openWorkers(1, { length: 3 });
  await assert.rejects(
    walk(loaderOf(other.stream(source), options)),
    /for a stream it makes \{ decode \}/,
  );
  await assert.rejects(skipping.get(0), /walk over the workers' stream/);
});

test("data sets are put one after another", () => {
  const joined = new ConcatDataset([numbers(2), numbers(3)]);
  assert.deepEqual([joined.length, joined.get(1), joined.get(4)], [5, [1], [2]]);
  assert.throws(() => joined.get(5), ValueError);
});
