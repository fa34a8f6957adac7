/** Random transforms: seeds, backends, compiled steps, distributions, policies; mixtures and their labels; refusals. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compile,
  Generator,
  nn,
  rand,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
  vision,
} from "../src/index.js";
import { beta } from "../src/vision/transforms/mix.js";
import { policies } from "../src/vision/transforms/policies.js";
import { backends, use } from "./support/backends.js";

const bilinear = { interpolation: "bilinear" } as const;
type Make = (generator: Generator) => vision.Transform;

/** Those that may stand inside compiled functions. */
const transforms: Record<string, Make> = {
  RandomHorizontalFlip: (generator) => new vision.RandomHorizontalFlip({ generator }),
  RandomVerticalFlip: (generator) => new vision.RandomVerticalFlip({ generator }),
  RandomRotation: (generator) =>
    new vision.RandomRotation(30, { ...bilinear, center: [4, 2], generator }),
  RandomAffine: (generator) =>
    new vision.RandomAffine(20, {
      ...bilinear,
      translate: [0.2, 0.1],
      scale: [0.7, 1.3],
      shear: [-5, 5, -9, 9],
      generator,
    }),
  RandomPerspective: (generator) => new vision.RandomPerspective({ p: 0.8, generator }),
  ElasticTransform: (generator) => new vision.ElasticTransform({ alpha: 20, sigma: 2, generator }),
  RandomQuarterTurn: (generator) => new vision.RandomQuarterTurn({ generator }),
  ColorJitter: (generator) =>
    new vision.ColorJitter({
      brightness: 0.4,
      contrast: 0.3,
      saturation: 0.5,
      hue: 0.1,
      generator,
    }),
  RandomGrayscale: (generator) => new vision.RandomGrayscale({ p: 0.5, generator }),
  RandomInvert: (generator) => new vision.RandomInvert({ generator }),
  RandomAutocontrast: (generator) => new vision.RandomAutocontrast({ generator }),
  RandomEqualize: (generator) => new vision.RandomEqualize({ generator }),
  RandomPosterize: (generator) => new vision.RandomPosterize(3, { generator }),
  RandomSolarize: (generator) => new vision.RandomSolarize(0.5, { generator }),
  RandomAdjustSharpness: (generator) => new vision.RandomAdjustSharpness(3, { generator }),
  GaussianBlur: (generator) => new vision.GaussianBlur(5, { generator }),
  GaussianNoise: (generator) => new vision.GaussianNoise({ generator }),
  RandomCrop: (generator) => new vision.RandomCrop(12, { padding: 2, generator }),
  RandomResizedCrop: (generator) => new vision.RandomResizedCrop(10, { generator }),
  RandomErasing: (generator) => new vision.RandomErasing({ p: 0.7, value: "random", generator }),
  Cutout: (generator) => new vision.Cutout(5, { generator }),
  RandomApply: (generator) =>
    new vision.RandomApply(
      [vision.functional.invert, new vision.RandomVerticalFlip({ generator })],
      {
        p: 0.6,
        generator,
      },
    ),
  RandomChoice: (generator) =>
    new vision.RandomChoice(
      [vision.functional.invert, (x) => x, vision.functional.horizontalFlip],
      {
        p: [1, 2, 1],
        generator,
      },
    ),
  Compose: (generator) =>
    new vision.Compose(
      new vision.RandomHorizontalFlip({ generator }),
      new vision.CenterCrop(8),
      new vision.Pad(1),
      new vision.Resize(6),
      new vision.Grayscale(),
      new vision.Normalize(0.5, 0.5),
    ),
  "AutoAugment imagenet": (generator) => new vision.AutoAugment({ generator }),
  "AutoAugment cifar10": (generator) => new vision.AutoAugment({ policy: "cifar10", generator }),
  "AutoAugment svhn": (generator) =>
    new vision.AutoAugment({ policy: "svhn", fill: 0.5, generator }),
  RandAugment: (generator) => new vision.RandAugment({ generator }),
  AugMix: (generator) => new vision.AugMix({ ...bilinear, generator }),
  TrivialAugmentWide: (generator) => new vision.TrivialAugmentWide({ generator }),
};

use(backends[0]!);
const batch = rand([6, 3, 18, 18], { generator: new Generator(1) });

function assertNear(name: string, a: Tensor, b: Tensor, bound: number): void {
  assert.deepEqual(a.shape, b.shape, name);
  const worst = Array.from(a.data).reduce((m, v, i) => Math.max(m, Math.abs(v - b.data[i]!)), 0);
  assert.ok(worst <= bound, `${name}: off by ${worst}`);
}

for (const [name, make] of Object.entries(transforms))
  test(`${name}: the same for a seed on every backend, another for each picture`, async () => {
    use(backends[0]!);
    const first = make(new Generator(9)).forward(batch);
    assert.ok(first.data.every((v: number) => Number.isFinite(v)));
    for (const place of backends) {
      use(place);
      const run = make(new Generator(9));
      assertNear(`${name} ${place.name}`, run.forward(batch), first, 5e-6);
      const next = run.forward(batch);
      assert.notDeepEqual([...next.data], [...first.data], "a second call draws anew");
      const compiled = make(new Generator(9));
      const step = compile((x: Tensor) => compiled.forward(x));
      assertNear(`${name} compiled`, await step(batch), first, 5e-6);
      assertNear(`${name} compiled again`, await step(batch), next, 5e-6);
    }
    const alone = make(new Generator(2)).forward(batch.select(0, 0));
    assert.deepEqual(alone.shape, first.shape.slice(1));
  });

test("equal pictures of a batch are changed differently", () => {
  const same = batch.narrow(0, 0, 1).expand([40, 3, 18, 18]);
  for (const [name, make] of Object.entries(transforms)) {
    const { data, shape } = make(new Generator(3)).forward(same);
    const size = shape.slice(1).reduce((a, b) => a * b, 1);
    const kinds = new Set(
      Array.from({ length: 40 }, (_, i) => data.subarray(i * size, (i + 1) * size).join()),
    );
    assert.ok(kinds.size >= 2, `${name}: ${kinds.size} kinds`);
  }
});

test("shares and places are what was asked for", () => {
  const many = tensor([0.25, 0.75]).reshape([1, 1, 1, 2]).expand([4000, 1, 1, 2]);
  const share = (x: vision.Transform) =>
    Array.from(x.forward(many).select(3, 0).data).filter((v) => v > 0.5).length / 4000;
  for (const p of [0, 0.2, 1]) {
    const generator = new Generator(4);
    const came = share(new vision.RandomHorizontalFlip({ p, generator }));
    assert.ok(Math.abs(came - p) < 0.03, `${p}: ${came}`);
  }
  const places = tensor([0, 1, 2, 3]).div(4).reshape([1, 1, 1, 4]).expand([4000, 1, 1, 4]);
  const cut = new vision.RandomCrop([1, 2], { generator: new Generator(5) }).forward(places);
  const counts = [0, 0, 0];
  for (const value of cut.select(3, 0).data) counts[value * 4]!++;
  for (const count of counts) assert.ok(Math.abs(count - 4000 / 3) < 150, String(counts));
});

test("what stays in place, and what is framed as needed", () => {
  const generator = new Generator(2);
  const dot = tensor(Float32Array.from({ length: 81 }, (_, i) => Number(i === 2 * 9 + 4)));
  const pictures = dot.reshape([1, 1, 9, 9]).expand([20, 1, 9, 9]);
  // Pixel (4, 2) has its middle at 4.5, 2.5.
  const options = { center: [4.5, 2.5], generator } as const;
  for (const turn of [
    new vision.RandomRotation(180, options),
    new vision.RandomAffine(90, options),
  ])
    assert.equal(turn.forward(pictures).select(2, 2).select(2, 4).sum().item(), 20);
  const crop = new vision.RandomCrop([9, 12], { padIfNeeded: true, generator }).forward(pictures);
  assert.deepEqual(crop.shape, [20, 1, 9, 12]);
  assert.equal(crop.sum().item(), 20);
});

test("rectangles are as large as asked, and inside", () => {
  const white = tensor([1]).reshape([1, 1, 1, 1]).expand([300, 1, 20, 30]);
  const options = { p: 1, scale: [0.1, 0.3], ratio: [0.5, 2] } as const;
  const erased = new vision.RandomErasing({ ...options, generator: new Generator(6) }).forward(
    white,
  );
  const areas = Array.from(erased.mean([1, 2, 3]).data, (mean) => 1 - mean);
  // Sides are rounded to whole pixels.
  assert.ok(Math.min(...areas) > 0.07 && Math.max(...areas) < 0.34);
  assert.ok(Math.max(...areas) - Math.min(...areas) > 0.15);
  const crop = new vision.RandomResizedCrop(8, { scale: [0.01, 1], ratio: [0.2, 5] });
  const { data } = crop.forward(white);
  assert.ok(
    data.every((v: number) => Math.abs(v - 1) < 1e-6),
    "nothing outside of the picture",
  );
});

test("shares of mixtures follow the beta distribution", () => {
  for (const alpha of [0.2, 1, 3]) {
    const data = Array.from(beta(alpha, 20000, new Generator(8)).data);
    const mean = data.reduce((s, v) => s + v, 0) / 20000;
    const variance = data.reduce((s, v) => s + (v - mean) ** 2, 0) / 20000;
    assert.ok(Math.abs(mean - 0.5) < 0.012, `mean ${mean}`);
    assert.ok(Math.abs(variance * 4 * (2 * alpha + 1) - 1) < 0.05, `variance ${variance}`);
    assert.ok(data.every((v) => v >= 0 && v <= 1));
  }
});

test("mixtures have the labels of their parts, compiled too", async () => {
  const flat = tensor([0, 1, 2, 3]).div(4).reshape([4, 1, 1, 1]).expand([4, 1, 10, 10]);
  const y = tensor(new Int32Array([0, 1, 2, 3]));
  for (const place of backends) {
    use(place);
    for (const Kind of [vision.MixUp, vision.CutMix]) {
      const make = () => new Kind({ alpha: 0.8, numClasses: 4, generator: new Generator(11) });
      const { images, labels } = make().forward(flat, y);
      const compiled = make();
      const step = compile((a: Tensor, b: Tensor) => ({ ...compiled.forward(a, b) }));
      const result = await step(flat, y);
      assertNear("images", result.images, images, 1e-6);
      assertNear("labels", result.labels, labels, 1e-6);
      // The mean of pictures of one value says how much of each there is.
      const expected = labels.matmul(tensor([0, 0.25, 0.5, 0.75]));
      assertNear(Kind.name, images.mean([1, 2, 3]), expected, 1e-6);
      assertNear("shares", labels.sum(1), tensor([1, 1, 1, 1]), 1e-6);
      assert.ok(nn.functional.crossEntropy(labels.mul(0), labels).item() > 1.38);
    }
  }
});

test("the policies are whole", () => {
  for (const [name, pairs] of Object.entries(policies)) {
    assert.equal(pairs.length, 25, name);
    for (const [, p, magnitude] of pairs.flat())
      assert.ok(p >= 0 && p <= 1 && (magnitude === null || (magnitude >= 0 && magnitude <= 9)));
  }
});

test("no picture is too small, no batch too short, no view too skew", () => {
  for (const [name, make] of Object.entries(transforms)) {
    if (/Crop|Compose/.test(name)) continue;
    for (const shape of [
      [0, 3, 6, 6],
      [2, 3, 1, 1],
      [2, 3, 2, 2],
      [2, 1, 3, 3],
    ]) {
      if (shape[2]! < 3 && name === "GaussianBlur") continue;
      const { data, shape: out } = make(new Generator(3)).forward(rand(shape));
      assert.deepEqual(out, shape, name);
      assert.ok(data.every(Number.isFinite), name);
    }
  }
  for (const side of [2, 5, 8]) {
    const generator = new Generator(1);
    const skew = new vision.RandomPerspective({ p: 1, distortionScale: 1, generator });
    const { data } = skew.forward(rand([400, 1, side, side]));
    assert.ok(data.every((v: number) => v >= 0 && v <= 1 + 1e-6));
  }
});

test("policies say at once that they need colours or grey", () => {
  const four = rand([2, 4, 6, 6]);
  for (const name of ["AutoAugment", "RandAugment", "TrivialAugmentWide", "AugMix"] as const)
    assert.throws(
      () => new vision[name]().forward(four),
      new RegExp(`^ShapeError: ${name}: .*4 channels`),
    );
});

test("what cannot be is refused", async () => {
  assert.throws(() => new vision.RandomHorizontalFlip({ p: 2 }), ValueError);
  assert.throws(() => new vision.ColorJitter({ hue: 0.7 }), ValueError);
  assert.throws(() => new vision.ColorJitter({ brightness: -1 }), ValueError);
  assert.throws(() => new vision.RandomRotation([3, 1]), ValueError);
  assert.throws(() => new vision.RandomAffine(0, { translate: [2, 0] }), ValueError);
  assert.throws(() => new vision.GaussianBlur(3, { sigma: 0 }), ValueError);
  assert.throws(() => new vision.RandomCrop(40).forward(batch), /does not fit into 18 × 18/);
  assert.throws(() => new vision.RandomResizedCrop(4, { scale: [0.5, 0.1] }), ValueError);
  assert.throws(() => new vision.Cutout(0), ValueError);
  assert.throws(() => new vision.RandomChoice([(x) => x], { p: [1, 2] }), ValueError);
  assert.throws(() => new vision.Compose(), ValueError);
  assert.throws(() => new vision.RandAugment({ magnitude: 31 }), ValueError);
  assert.throws(() => new vision.AutoAugment({ policy: "x" as "svhn" }), ValueError);
  assert.throws(() => new vision.AugMix({ severity: 11 }), ValueError);
  assert.throws(() => new vision.RandomRotation([-Infinity, Infinity]), ValueError);
  assert.throws(() => new vision.ColorJitter({ brightness: Infinity }), ValueError);
  assert.throws(() => new vision.GaussianNoise({ sigma: -1 }), ValueError);
  assert.throws(() => new vision.GaussianNoise({ mean: Number.NaN }), ValueError);
  assert.throws(() => new vision.RandomPosterize(9), ValueError);
  assert.throws(() => new vision.RandomSolarize(Number.NaN), ValueError);
  assert.throws(() => new vision.RandomAdjustSharpness(-1), ValueError);
  assert.throws(() => new vision.GaussianBlur(4), /expected odd/);
  assert.throws(() => new vision.ElasticTransform({ sigma: Infinity }), ValueError);
  assert.throws(
    () => new vision.RandAugment({ interpolation: "bicubic" as "nearest" }),
    ValueError,
  );
  assert.throws(() => new vision.Resize(4, { interpolation: "area" as "nearest" }), ValueError);
  assert.throws(() => new vision.Normalize(0.5, 0), ValueError);
  assert.throws(() => new vision.Pad(-1), ValueError);
  assert.throws(() => new vision.MixUp({ numClasses: 0 }), ValueError);
  assert.throws(() => new vision.RandomRotation(3, { center: [1, Number.NaN] }), ValueError);
  assert.throws(() => new vision.MixUp({ alpha: 0 }), ValueError);
  assert.throws(() => new vision.MixUp().forward(batch, tensor(new Int32Array(6))), /numClasses/);
  assert.throws(() => new vision.CutMix().forward(batch, rand([5, 2])), ShapeError);
});
