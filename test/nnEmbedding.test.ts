/** The table of vectors and the layers that only move elements. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allclose,
  arange,
  compile,
  manualSeed,
  nn,
  noGrad,
  optim,
  randn,
  type Tensor,
  tensor,
} from "../src/index.js";
import { everywhere } from "./support/backends.js";

const F = nn.functional;
const ints = (values: number[] | number[][]) => tensor(values, { dtype: "int32" });

test("Embedding starts its padding row at 0, never gives it a gradient, and learns the others", () => {
  manualSeed(3);
  const layer = new nn.Embedding(5, 2, { paddingIdx: -4 });
  assert.equal(layer.weight.at(1).abs().sum().item(), 0);
  assert.ok(layer.weight.at(0).abs().sum().item() > 0);
  const indices = ints([
    [1, 2],
    [2, 4],
  ]);
  layer.forward(indices).sum().backward();
  assert.deepEqual(layer.weight.grad?.toArray(), [
    [0, 0],
    [0, 0],
    [2, 2],
    [0, 0],
    [1, 1],
  ]);
  const before = layer.weight.data.slice();
  new optim.SGD(layer.parameters(), { lr: 0.5 }).step();
  assert.equal(layer.weight.data[2], 0);
  assert.equal(layer.weight.data[4], Math.fround(before[4]! - 1));
  assert.match(`${layer}`, /Embedding\(5, 2, paddingIdx: -4\)/);
});

test("Embedding.fromPretrained copies its rows and freezes them unless told", () => {
  const rows = tensor([
    [1, 2],
    [3, 4],
  ]);
  const frozen = nn.Embedding.fromPretrained(rows);
  assert.equal(frozen.weight.requiresGrad, false);
  assert.deepEqual(frozen.forward(ints([1])).toArray(), [[3, 4]]);
  assert.notEqual(frozen.weight.data, rows.data);
  assert.equal(nn.Embedding.fromPretrained(rows, { freeze: false }).weight.requiresGrad, true);
  assert.throws(
    () => nn.Embedding.fromPretrained(tensor([1, 2])),
    /Embedding: weight must be \[N, F\]/,
  );
  assert.throws(
    () => new nn.Embedding(2, 2, { paddingIdx: 2 }),
    /paddingIdx 2 is out of range: expected -2 to 1/,
  );
  assert.throws(() => new nn.Embedding(0, 2), /numEmbeddings must be a whole number/);
});

test("layers that move elements are their functions", () => {
  const x = randn([2, 4, 4, 6]);
  const same = (a: unknown, b: unknown) => assert.deepEqual(a, b);
  noGrad(() => {
    same(new nn.PixelShuffle(2).forward(x).toArray(), F.pixelShuffle(x, 2).toArray());
    same(new nn.PixelUnshuffle(2).forward(x).toArray(), F.pixelUnshuffle(x, 2).toArray());
    same(new nn.ChannelShuffle(2).forward(x).toArray(), F.channelShuffle(x, 2).toArray());
    same(new nn.Unflatten(1, [2, 2]).forward(x).shape, [2, 2, 2, 4, 6]);
    const columns = new nn.Unfold(2, { stride: 2 }).forward(x);
    same(columns.shape, [2, 16, 6]);
    same(new nn.Fold([4, 6], 2, { stride: 2 }).forward(columns).toArray(), x.toArray());
  });
});

test("padding layers take one number or one a side, last dim first", () => {
  const line = arange(3).reshape([1, 3]);
  const plane = arange(4).reshape([1, 2, 2]);
  assert.deepEqual(new nn.ReflectionPad1d(2).forward(line).toArray(), [[2, 1, 0, 1, 2, 1, 0]]);
  assert.deepEqual(new nn.ReplicationPad1d([1, 2]).forward(line).toArray(), [[0, 0, 1, 2, 2, 2]]);
  assert.deepEqual(new nn.CircularPad1d([1, 2]).forward(line).toArray(), [[2, 0, 1, 2, 0, 1]]);
  assert.deepEqual(new nn.ConstantPad1d([0, 1], 9).forward(line).toArray(), [[0, 1, 2, 9]]);
  assert.deepEqual(new nn.ZeroPad2d([1, 0, 0, 1]).forward(plane).toArray(), [
    [
      [0, 0, 1],
      [0, 2, 3],
      [0, 0, 0],
    ],
  ]);
  assert.deepEqual(new nn.ReflectionPad2d([1, 0, 1, 0]).forward(plane).toArray(), [
    [
      [3, 2, 3],
      [1, 0, 1],
      [3, 2, 3],
    ],
  ]);
  assert.deepEqual(new nn.ReplicationPad2d([0, 1, 0, 0]).forward(plane).toArray(), [
    [
      [0, 1, 1],
      [2, 3, 3],
    ],
  ]);
  assert.deepEqual(new nn.CircularPad2d([0, 1, 1, 0]).forward(plane).toArray(), [
    [
      [2, 3, 2],
      [0, 1, 0],
      [2, 3, 2],
    ],
  ]);
  assert.deepEqual(new nn.ConstantPad2d(1, 7).forward(plane).shape, [1, 4, 4]);
  assert.throws(
    () => new nn.ZeroPad2d([1, 2]),
    /ZeroPad2d: padding must be a whole number or 4 of such/,
  );
});

everywhere("maxNorm shortens the rows that are looked up, in the table itself", async () => {
  const rows = [
    [3, 4],
    [30, 40],
    [0.3, 0.4],
  ];
  const indices = tensor([0, 2, 0], { dtype: "int32" });
  const shortened = [
    [0.6, 0.8],
    [30, 40],
    [0.3, 0.4],
  ];
  const plain = tensor(rows, { requiresGrad: true });
  const look = (weight: Tensor) => nn.functional.embedding(indices, weight, { maxNorm: 1 });
  const found = look(plain);
  assert.ok(allclose(plain, tensor(shortened)));
  assert.ok(allclose(found, tensor([shortened[0]!, shortened[2]!, shortened[0]!])));
  found.sum().backward();
  assert.deepEqual(plain.grad?.toArray(), [
    [2, 2],
    [0, 0],
    [1, 1],
  ]);
  const layer = nn.Embedding.fromPretrained(tensor(rows), { maxNorm: 1, freeze: false });
  layer.forward(indices);
  assert.ok(allclose(layer.weight, plain.detach()));
  const state = tensor(rows);
  await compile(() => look(state))();
  assert.ok(allclose(state, plain.detach()));
  const sums = tensor(rows);
  nn.functional.embedding(indices, sums, { maxNorm: 1, normType: 1 });
  assert.ok(allclose(sums.at(0), tensor([3 / 7, 4 / 7])));
});
