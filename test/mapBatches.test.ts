/** Loaders whose batches are changed on their way: the change is told the batch's true place, also after broken ones and in the middle. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DataLoader } from "../src/data/index.js";
import { type Tensor, tensor } from "../src/index.js";
import { type BatchPlace, mapBatches } from "../src/train/mapBatches.js";

/** Eight examples, of which the third and the fourth cannot be read. */
const dataset = {
  length: 8,
  get(index: number): readonly [Tensor, Tensor] {
    if (index === 2 || index === 3) throw new Error(`example ${index} is broken`);
    return [tensor([index]), tensor(index, { dtype: "int32" })];
  },
};

async function walk(from: number) {
  const loader = new DataLoader(dataset, { batchSize: 2, onError: "skip" });
  const places: BatchPlace[] = [];
  const doubled = mapBatches(loader, async ([x, ...rest], place) => {
    places.push(place);
    return [x!.mul(2), ...rest];
  });
  doubled.setEpoch(3);
  const seen: unknown[] = [];
  for await (const [x, label] of doubled.iterateAsync({ from })) {
    seen.push([...x!.data], [...label!.data]);
    assert.equal(doubled.stateDict!().batch, places.at(-1)!.batch + 1);
  }
  return { places, seen };
}

test("the change is told which batch it has, also behind one that is left out", async () => {
  const { places, seen } = await walk(0);
  assert.deepEqual(
    places,
    [0, 2, 3].map((batch) => ({ epoch: 3, batch })),
  );
  assert.deepEqual(seen, [
    [0, 2],
    [0, 1],
    [8, 10],
    [4, 5],
    [12, 14],
    [6, 7],
  ]);
});

test("a walk that begins in the middle has the same places", async () => {
  const [whole, rest] = [await walk(0), await walk(2)];
  assert.deepEqual(rest.places, whole.places.slice(1));
  assert.deepEqual(rest.seen, whole.seen.slice(2));
});
