/** The distributions of random numbers: normal, truncated normal, uniform, whole numbers, classes, Gumbel's softmax. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compile,
  data,
  Generator,
  GradusError,
  multinomial,
  nn,
  normal,
  rand,
  randint,
  randperm,
  setBackend,
  type Tensor,
  tensor,
  truncNormal,
  uniform,
  zeros,
} from "../src/index.js";
import { ColorJitter, MixUp, functional as T } from "../src/vision/index.js";
import { backends, use } from "./support/backends.js";

setBackend("interpreter");

const count = 20_000;

function moments(x: Tensor): { mean: number; std: number } {
  const numbers = [...x.data];
  const mean = numbers.reduce((sum, v) => sum + v, 0) / numbers.length;
  const square = numbers.reduce((sum, v) => sum + (v - mean) ** 2, 0) / numbers.length;
  return { mean, std: Math.sqrt(square) };
}

/** Within five standard errors of the mean, and as near for the standard deviation. */
function assertMoments(x: Tensor, mean: number, std: number): void {
  const got = moments(x);
  const bound = (5 * std) / Math.sqrt(x.size);
  assert.ok(Math.abs(got.mean - mean) < bound, `mean ${got.mean}, expected ${mean}`);
  assert.ok(Math.abs(got.std - std) < bound, `std ${got.std}, expected ${std}`);
}

/** Counts within five standard deviations of what shares say. */
function assertShares(drawn: ArrayLike<number>, shares: readonly number[]): void {
  const counts = shares.map(() => 0);
  for (const k of Array.from(drawn)) counts[k]!++;
  const total = shares.reduce((sum, s) => sum + s, 0);
  for (const [k, share] of shares.entries()) {
    const p = share / total;
    const bound = 5 * Math.sqrt(drawn.length * p * (1 - p));
    assert.ok(
      Math.abs(counts[k]! - drawn.length * p) <= bound,
      `class ${k}: ${counts[k]} of ${drawn.length}, expected ${drawn.length * p} ± ${bound}`,
    );
  }
}

const seeded = (seed: number) => ({ generator: new Generator(seed) });

test("normal has the mean and standard deviation asked for, numbers or tensors", () => {
  assertMoments(normal(3, 2, { shape: [count], ...seeded(1) }), 3, 2);
  const means = tensor([0, 100]).reshape([2, 1]).expand([2, count]);
  const both = normal(means, tensor([1, 5]).reshape([2, 1]), seeded(2));
  assertMoments(both.select(0, 0), 0, 1);
  assertMoments(both.select(0, 1), 100, 5);
});

test("truncNormal stays inside its bounds and has the moments of the truncated distribution", () => {
  const plain = truncNormal([count], seeded(3));
  assert.ok(plain.data.every((v: number) => v >= -2 && v <= 2));
  // The variance of the standard normal distribution on [−2, 2] is 1 − 4 φ(2) / (2 Φ(2) − 1).
  assertMoments(plain, 0, Math.sqrt(1 - (4 * 0.05399096651318806) / 0.9544997361036416));
  const tail = truncNormal([count], { a: 3, b: 9, dtype: "float64", ...seeded(4) });
  assert.ok(tail.data.every((v: number) => v >= 3 && v <= 9));
  // φ(3) / (1 − Φ(3)), the mean beyond 3.
  const mean = 0.0044318484119380075 / 0.0013498980316300946;
  assertMoments(tail, mean, Math.sqrt(1 + 3 * mean - mean ** 2));
});

test("uniform and randint cover their ranges evenly", () => {
  const x = uniform([count], -1, 3, seeded(5));
  assert.ok(x.data.every((v: number) => v >= -1 && v < 3));
  assertMoments(x, 1, 4 / Math.sqrt(12));
  assertShares(randint(2, 7, [count], seeded(6)).sub(2).data, [1, 1, 1, 1, 1]);
  const wide = randint(-(2 ** 31), 2 ** 31, [count], seeded(7));
  assert.ok(Math.abs(moments(wide).mean) < (5 * 2 ** 32) / Math.sqrt(12 * count));
});

test("multinomial draws classes by their weights", () => {
  const weights = tensor([1, 2, 0, 3, 4]);
  const many = multinomial(weights, count, { replacement: true, ...seeded(8) });
  assertShares(many.data, [1, 2, 0, 3, 4]);
  const pairs = multinomial(weights.expand([count, 5]), 2, seeded(9));
  assertShares(pairs.select(1, 0).data, [1, 2, 0, 3, 4]);
  assert.ok(
    pairs
      .select(1, 0)
      .ne(pairs.select(1, 1))
      .data.every((v: number) => v === 1),
  );
  // P(second = k) = Σ over other firsts j of wⱼ / 10 · wₖ / (10 − wⱼ).
  const w = [1, 2, 0, 3, 4];
  const second = w.map((wk, k) =>
    w.reduce((sum, wj, j) => (j === k ? sum : sum + ((wj / 10) * wk) / (10 - wj)), 0),
  );
  assertShares(pairs.select(1, 1).data, second);
});

test("gumbelSoftmax draws one-hot rows with the probabilities of its logits", () => {
  const logits = tensor([1, 2, 5]).log().expand([count, 3]);
  const rows = nn.functional.gumbelSoftmax(logits, { hard: true, ...seeded(10) });
  assert.ok(rows.sum(1).data.every((v: number) => Math.abs(v - 1) < 1e-6));
  assertShares(rows.argmax(1).data, [1, 2, 5]);
});

test("initial weights have the spread that their formulas say", () => {
  const shape = [200, 100];
  const { init } = nn;
  assertMoments(init.normal(shape, 1, 0.5, seeded(13)), 1, 0.5);
  assertMoments(init.xavierNormal(shape, { gain: 2, ...seeded(14) }), 0, 2 * Math.sqrt(2 / 300));
  assertMoments(init.kaimingNormal(shape, seeded(15)), 0, Math.sqrt(2 / 100));
  const bound = Math.sqrt(6 / 300);
  const even = init.xavierUniform(shape, seeded(16));
  assert.ok(even.data.every((v: number) => Math.abs(v) <= bound));
  assertMoments(even, 0, bound / Math.sqrt(3));
  const cut = init.truncNormal(shape, { std: 0.02, a: -0.04, b: 0.04, ...seeded(17) });
  assert.ok(cut.data.every((v: number) => Math.abs(v) <= 0.0400001));
  assert.throws(
    () => init.xavierNormal([3]),
    /^ShapeError: fans: a weight needs at least two dims/,
  );
});

test("draws are the same on every backend, eager and compiled", async () => {
  const draw = (generator: Generator): Tensor[] => [
    normal(1, 2, { shape: [9], generator }),
    truncNormal([9], { generator }),
    randint(100, [9], { generator }),
    multinomial(tensor([1, 2, 3]), 2, { generator }),
    multinomial(tensor([1, 2, 3]), 9, { replacement: true, generator }),
  ];
  const expected = draw(new Generator(12)).map((x) => [...x.data]);
  for (const place of backends) {
    use(place);
    const generator = new Generator(12);
    const step = compile(() => draw(generator));
    const ways = [draw(new Generator(12)), await step()];
    for (const got of ways)
      for (const [i, x] of got.entries())
        for (const [j, v] of [...x.data].entries())
          assert.ok(Math.abs(v - expected[i]![j]!) < 1e-6, `${place.name}, draw ${i}`);
  }
  setBackend("interpreter");
});

test("what is no generator is refused by name wherever one may be given", () => {
  const x = zeros([4, 4]).add(0.5);
  const pictures = zeros([1, 1, 4, 4]);
  const { functional: F, init } = nn;
  const uses: Record<string, (options: { generator: Generator }) => unknown> = {
    rand: (o) => rand([2], o),
    randperm: (o) => randperm(3, o),
    randint: (o) => randint(0, 3, [2], o),
    normal: (o) => normal(0, 1, { shape: [2], ...o }),
    truncNormal: (o) => truncNormal([2], o),
    uniform: (o) => uniform([2], 0, 1, o),
    multinomial: (o) => multinomial(x, 2, o),
    bernoulli: (o) => x.bernoulli(o),
    dropout: (o) => F.dropout(x, 0.5, { ...o, training: false }),
    dropout2d: (o) => F.dropout2d(pictures, 0.5, o),
    alphaDropout: (o) => F.alphaDropout(x, 0, o),
    rrelu: (o) => F.rrelu(x, { ...o, training: false }),
    gumbelSoftmax: (o) => F.gumbelSoftmax(x, o),
    fractionalMaxPool2d: (o) => F.fractionalMaxPool2d(pictures, 2, { outputSize: 2, ...o }),
    scaledDotProductAttention: (o) => F.scaledDotProductAttention(x, x, x, null, o),
    orthogonal: (o) => init.orthogonal([2, 2], o),
    RandomSampler: (o) => new data.RandomSampler(3, o),
    ColorJitter: (o) => new ColorJitter(o),
    MixUp: (o) => new MixUp(o),
    gaussianNoise: (o) => T.gaussianNoise(pictures, o),
  };
  for (const [op, call] of Object.entries(uses)) {
    const refused = (got: unknown, words: string) =>
      assert.throws(
        () => call({ generator: got as Generator }),
        (error: Error) => {
          assert.ok(error instanceof GradusError, `${op}: ${error}`);
          assert.equal(error.message, `${op}: generator must be a Generator, got ${words}`);
          return true;
        },
      );
    refused(7, "7; new Generator(7)");
    refused({ bits: 1 }, "an object; make one with new Generator(seed)");
    refused(false, "false; make one with new Generator(seed)");
    call({ generator: new Generator(1) });
  }
});
