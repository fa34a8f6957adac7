/** Attention in tiles: memory, views read where they are, dropping made again, masks; read tableLarge.test.ts for sizes and threads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileProgram } from "../src/backend/cpu/index.js";
import {
  compile,
  Generator,
  grad,
  manualSeed,
  nn,
  ones,
  randn,
  type Tensor,
  tensor,
  zeros,
} from "../src/index.js";
import { Builder } from "../src/ir/builder.js";
import { materialize } from "../src/ir/passes/materialize.js";
import { plan } from "../src/ir/passes/plan.js";
import { simplify } from "../src/ir/passes/simplify.js";
import { attend } from "../src/ops/attention.js";
import { attentionLayer } from "./support/attentionLayer.js";
import { places, use } from "./support/backends.js";

const { functional: F } = nn;

/** Forward and backward. */
const layerGraph = (steps: number) => attentionLayer([2, 4, steps, 32]);

const arenaBytes = (steps: number): number => compileProgram(layerGraph(steps)).words[6]! * 64;

test("the memory of forward and backward grows with T, not with T²", () => {
  const [short, long] = [arenaBytes(256), arenaBytes(1024)];
  assert.ok(long <= 4.01 * short, `${short} bytes at 256 steps, ${long} at 1024`);
  // The scores would be 32 MiB; queries, keys and values are 1 MiB each.
  assert.ok(long < 16 * 2 ** 20, `${long} bytes`);
});

test("queries, keys and values are read out of the projection without a copy", () => {
  const { kernels } = plan(materialize(new Builder(), simplify(layerGraph(64))));
  const attention = kernels.findIndex(
    (k) => k.kind === "single" && k.node.primitive === "attention",
  );
  assert.equal(attention, 0);
  const names = kernels.map((k) => (k.kind === "single" ? k.node.primitive : k.kind));
  const before = names.slice(0, names.indexOf("attentionGrad"));
  // The one fused kernel is the copy to the graph's output.
  assert.deepEqual(
    before.filter((name) => name !== "attention" && name !== "fused"),
    [],
  );
  assert.ok(before.filter((name) => name === "fused").length <= 1, before.join());
});

const random = (shape: readonly number[], seed: number): Tensor =>
  randn(shape, { generator: new Generator(seed) });

/** Result and gradients, in tiles (needWeights false) or plainly. */
function run(parts: readonly [Tensor, Tensor, Tensor], needWeights: boolean, dropoutP: number) {
  const call = (q: Tensor, k: Tensor, v: Tensor) =>
    attend([q, k, v], null, {
      ...{ isCausal: true, dropoutP, needWeights, generator: new Generator(9) },
    })[0]!;
  const weigh = (...xs: [Tensor, Tensor, Tensor]) =>
    call(...xs)
      .square()
      .sum();
  return [call(...parts), ...grad(weigh, { argnums: [0, 1, 2] })(...parts)];
}

const largest = (x: Tensor): number => x.abs().max().item();

for (const place of places) {
  test(`weights are dropped alike in tiles and plainly, forward and backward (${place.name})`, () => {
    use(place);
    const isSlow = place.backend === "interpreter";
    const [t, s] = isSlow ? [9, 13] : [130, 77];
    const parts = [random([3, t, 8], 1), random([3, s, 8], 2), random([3, s, 8], 3)] as const;
    for (const dropoutP of [0.25, 1]) {
      const [tiled, plain] = [run(parts, false, dropoutP), run(parts, true, dropoutP)];
      tiled.forEach((x, i) => {
        const off = largest(x.sub(plain[i]!));
        assert.ok(off <= 1e-5 * (1 + largest(plain[i]!)), `p ${dropoutP}, part ${i}: ${off}`);
      });
      const again = run(parts, false, dropoutP);
      tiled.forEach((x, i) => {
        assert.deepEqual(again[i]!.data, x.data);
      });
    }
  });

  test(`the share of weights kept is 1 − p, and what is kept grows (${place.name})`, () => {
    use(place);
    const n = place.backend === "interpreter" ? 40 : 200;
    // With equal scores and the identity as values, the result is the weights.
    const [q, v] = [zeros([2, n, 4]), zeros([n, n]).add(tensor(0)).toArray() as number[][]];
    v.forEach((row, i) => {
      row[i] = 1;
    });
    const options = { dropoutP: 0.3, generator: new Generator(5) };
    const y = F.scaledDotProductAttention(q, q, tensor(v), null, options);
    const kept = y.data.filter((x) => x > 0);
    const share = kept.length / y.size;
    assert.ok(Math.abs(share - 0.7) < 4 * Math.sqrt(0.21 / y.size), `${share}`);
    assert.ok(kept.every((x) => Math.abs(x - 1 / (0.7 * n)) < 1e-6));
    const halves = [y.at(0), y.at(1)].map((x) => [...x.data].map((z) => Number(z > 0)).join(""));
    assert.notEqual(halves[0], halves[1]);
  });

  test(`rows that may see nothing give zeros and no gradient (${place.name})`, () => {
    use(place);
    const parts = [random([2, 5, 4], 1), random([2, 6, 4], 2), random([2, 6, 3], 3)] as const;
    const mask = ones([5, 6])
      .mul(tensor([[1], [0], [1], [0], [1]]))
      .to("bool");
    for (const form of [mask, tensor(0).where(mask, tensor(Number.NEGATIVE_INFINITY))]) {
      const call = (q: Tensor, k: Tensor, v: Tensor) => F.scaledDotProductAttention(q, k, v, form);
      const y = call(...parts);
      const gradients = grad(
        (...xs: [Tensor, Tensor, Tensor]) =>
          call(...xs)
            .square()
            .sum(),
        {
          argnums: [0, 1, 2],
        },
      )(...parts);
      for (const row of [1, 3])
        for (const x of [y, gradients[0]!]) assert.equal(largest(x.at(":", row)), 0);
      for (const x of [y, ...gradients]) assert.ok([...x.data].every(Number.isFinite));
      assert.ok(largest(y.at(":", 2)) > 0);
    }
  });

  test(`a layer without weights equals one with them, eager and compiled (${place.name})`, async () => {
    use(place);
    manualSeed(3);
    const layer = new nn.MultiheadAttention(12, 3, { batchFirst: true });
    const x = random([2, 7, 12], 4);
    const keyPaddingMask = tensor([
      [0, 0, 0, 0, 0, 1, 1],
      [0, 0, 0, 0, 0, 0, 1],
    ]).to("bool");
    const attnMask = ones([7, 7]).triu(1).to("bool");
    for (const call of [{}, { keyPaddingMask }, { attnMask }, { attnMask, keyPaddingMask }]) {
      const [plain] = layer.forward(x, x, x, call);
      const forward = (z: Tensor) => layer.forward(z, z, z, { ...call, needWeights: false })[0];
      const results = [forward(x), await compile(forward)(x)];
      for (const y of results) assert.ok(largest(y.sub(plain)) < 1e-5);
    }
  });
}

test("a mask that needs a gradient gets it", () => {
  use(places[0]!);
  const [q, k, v] = [random([2, 3, 4], 1), random([2, 5, 4], 2), random([2, 5, 3], 3)];
  const mask = random([3, 5], 6);
  const total = (m: Tensor) => F.scaledDotProductAttention(q, k, v, m).square().sum();
  const slope = grad(total)(mask);
  const step = 1e-3;
  const bump = zeros([3, 5]).toArray() as number[][];
  bump[1]![2] = step;
  const difference = total(mask.add(tensor(bump)))
    .sub(total(mask.sub(tensor(bump))))
    .item();
  assert.ok(Math.abs(slope.at(1, 2).item() - difference / (2 * step)) < 1e-3);
});
