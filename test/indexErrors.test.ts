/** Indices that are out of range are refused by name on every backend, at once and in compiled programs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tensor } from "../src/index.js";
import { compile, nn, ones, tensor, ValueError, zeros } from "../src/index.js";
import { backends, use } from "./support/backends.js";

const F = nn.functional;
const places = (...values: number[]): Tensor => tensor(values, { dtype: "int32" });

type Call = (indices: Tensor) => Tensor;

/** Each op on a dim of size 3 (or 3 classes), with the largest index that it knows. */
const calls: Record<string, Call> = {
  gather: (i) => zeros([3]).gather(0, i),
  scatter: (i) => zeros([3]).scatter(0, i, ones([2])),
  scatterAdd: (i) => zeros([3]).scatterAdd(0, i, ones([2])),
  scatterReduce: (i) => zeros([3]).scatterReduce(0, i, ones([2]), "sum"),
  indexSelect: (i) => zeros([3, 2]).indexSelect(0, i),
  indexAdd: (i) => zeros([3]).indexAdd(0, i, ones([2])),
  indexCopy: (i) => zeros([3]).indexCopy(0, i, ones([2])),
  indexFill: (i) => zeros([3]).indexFill(0, i, 1),
  take: (i) => zeros([3]).take(i),
  at: (i) => zeros([2, 3]).at(":", i),
  embedding: (i) => F.embedding(i, zeros([3, 2])),
  oneHot: (i) => F.oneHot(i, 3),
};

const refusal = (op: string, index: number) => (error: unknown) => {
  assert.ok(error instanceof ValueError, `${op}: ${error}`);
  assert.match(error.message, new RegExp(`^${op}: index ${index} .*0 to 2`));
  return true;
};

for (const place of backends)
  test(`an index that is out of range is named with its op and range on ${place.name}`, async () => {
    use(place);
    for (const [op, call] of Object.entries(calls)) {
      assert.throws(() => call(places(0, 3)).data, refusal(op, 3), op);
      await assert.rejects(
        async () => compile(call)(places(3, 0)),
        refusal(op, 3),
        `${op} compiled`,
      );
    }
    for (const op of [
      "gather",
      "scatter",
      "scatterAdd",
      "indexSelect",
      "indexAdd",
      "embedding",
      "oneHot",
    ])
      assert.throws(() => calls[op]!(places(-1, 0)).data, refusal(op, -1), op);
  });

test("several index lists are checked each by itself, not as one place in the whole", () => {
  const x = zeros([2, 3]);
  assert.throws(() => x.at(places(0), places(3)).data, /^ValueError: at: index 3 .*0 to 2/);
  assert.throws(() => x.at(places(2), places(0)).data, /^ValueError: at: index 2 .*0 to 1/);
});

test("a mask with more places than the source has elements is refused", () => {
  const mask = tensor([true, true, true]);
  assert.throws(
    () => zeros([3]).maskedScatter(mask, ones([2])).data,
    /^ValueError: maskedScatter: index 2 .*0 to 1/,
  );
  assert.throws(
    () => zeros([3]).maskedScatter(mask, zeros([0])).data,
    /^ValueError: maskedScatter: /,
  );
});
