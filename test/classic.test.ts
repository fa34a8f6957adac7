/** Linear classifiers and features against scikit-learn, scikit-image, NumPy and PyTorch; states, refusals. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  ColorHistogram,
  FeatureUnion,
  Hog,
  type HogOptions,
  HueHistogram,
  PCA,
  Pipeline,
  StandardScaler,
  ZCA,
} from "../src/features/index.js";
import {
  eye,
  grad,
  manualSeed,
  randn,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
} from "../src/index.js";
import { decodeSafetensors, encodeSafetensors } from "../src/io/browser.js";
import {
  LinearClassifier,
  multiclassHinge,
  type Penalty,
  Perceptron,
  templateImages,
  weightPenalty,
} from "../src/linear/index.js";
import { drawSheet } from "../src/train/index.js";
import { backends, use } from "./support/backends.js";
import { readFixture } from "./support/fixtures.js";

use(backends.find(({ backend }) => backend === "native") ?? backends.at(-1)!);

type Numbers = readonly number[];

interface Projection {
  readonly components: Numbers;
  readonly variance: Numbers;
  readonly ratio: Numbers;
  readonly transform: Numbers;
  readonly inverse: Numbers;
}

const fixture = readFixture<{
  hog: readonly { shape: Numbers; options: Record<string, unknown>; values: Numbers }[];
  hues: Numbers;
  colors: Record<"channels" | "joint" | "borders", Numbers>;
  losses: Record<"1" | "2", { loss: number; gradient: Numbers }>;
  perceptrons: readonly {
    keep: number;
    epochs: number;
    weight: Numbers;
    bias: Numbers;
    labels: Numbers;
  }[];
  projections: {
    plain: Projection;
    whiten: Projection;
    zca: Numbers;
    scaled: Numbers;
    centered: Numbers;
  };
  wide: Record<"components" | "variance" | "ratio" | "transform" | "zca", Numbers>;
  regressions: Record<
    "l1" | "l2" | "elastic",
    { weight: Numbers; bias: Numbers; objective: number }
  >;
}>("classic.json.gz");

/** As in scripts/fixtures/makeClassic.py. */
function wave(
  shape: readonly number[],
  start: number,
  change = (v: number, _i: number) => v,
): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const values = Float64Array.from({ length: count }, (_, i) =>
    change(Math.sin(start + 0.37 * i + ((0.001 * i ** 2) % 7)), i),
  );
  return tensor(values, { shape });
}

function pixels(shape: readonly number[], start: number): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const values = Uint8Array.from(
    { length: count },
    (_, i) => (i * 73 + ((i * i) % 251) + start) % 256,
  );
  return tensor(values, { shape });
}

function assertNear(actual: Tensor, expected: Numbers, bound = 1e-6): void {
  assert.equal(actual.size, expected.length);
  expected.forEach((value, i) => {
    const came = actual.data[i]!;
    assert.ok(
      Math.abs(came - value) <= bound * Math.max(1, Math.abs(value)),
      `${i}: ${came}, ${value}`,
    );
  });
}

for (const { shape, options, values } of fixture.hog) {
  test(`HOG of ${shape.join(" × ")} with ${JSON.stringify(options)} as scikit-image`, () => {
    const named: [string, unknown][] = Object.entries(options).map(([name, value]) => [
      name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]);
    const hog = new Hog(Object.fromEntries(named) as HogOptions);
    assertNear(hog.transform(pixels(shape, 5)), values, 1e-7);
  });
}

test("shares of hues as CS231n's, with Matplotlib's and NumPy's functions", () => {
  assertNear(new HueHistogram().transform(pixels([3, 3, 9, 7], 11)), fixture.hues);
});

test("shares of colours as NumPy's histogram and histogramdd", () => {
  const { channels, joint, borders } = fixture.colors;
  const pictures = pixels([2, 3, 9, 7], 3);
  assertNear(new ColorHistogram().transform(pictures), channels);
  const cube = new ColorHistogram({ bins: 4, joint: true });
  assertNear(cube.transform(pictures), joint);
  const line = tensor(
    Float64Array.from({ length: 11 }, (_, i) => (i - 5) / 5),
    {
      shape: [1, 1, 11],
    },
  );
  assertNear(new ColorHistogram({ bins: 5, range: [-1, 1] }).transform(line), borders);
  assert.throws(() => new ColorHistogram().transform(line), /a pixel is -1; expected 0 to 1, or/);
  assert.throws(() => new ColorHistogram({ bins: 0 }), ValueError);
  assert.throws(() => new ColorHistogram({ range: [1, 1] }), ValueError);
  const many = new ColorHistogram({ bins: 64, joint: true });
  assert.throws(
    () => many.transform(tensor(new Uint8Array(8), { shape: [1, 8, 1, 1] })),
    ShapeError,
  );
});

test("the multiclass hinge and its square, with gradients, as PyTorch", () => {
  const scores = wave([5, 4], 0.3);
  const labels = tensor(new Int32Array([0, 3, 1, 1, 2]));
  for (const p of ["1", "2"] as const) {
    const loss = (x: Tensor) => multiclassHinge(x, labels, { margin: 0.7, squared: p === "2" });
    assertNear(loss(scores), [fixture.losses[p].loss], 1e-12);
    assertNear(grad(loss)(scores) as Tensor, fixture.losses[p].gradient, 1e-12);
  }
});

test("penalties and their gradients", () => {
  const w = tensor([1, -2, 0], { dtype: "float64" });
  const of = (penalty: Penalty) => (x: Tensor) =>
    weightPenalty(x, { penalty, alpha: 0.1, l1Ratio: 0.25 });
  const expected = { none: 0, l1: 0.3, l2: 0.25, elastic: 0.1 * (0.25 * 3 + 0.75 * 2.5) };
  const slopes = {
    none: [0, 0, 0],
    l1: [0.1, -0.1, 0],
    l2: [0.1, -0.2, 0],
    elastic: [0.1, -0.175, 0],
  };
  for (const penalty of ["none", "l1", "l2", "elastic"] as const) {
    assertNear(of(penalty)(w), [expected[penalty]], 1e-12);
    assertNear(grad(of(penalty))(w) as Tensor, slopes[penalty], 1e-12);
  }
  assert.throws(() => weightPenalty(w, { alpha: -1 }), ValueError);
  assert.throws(() => weightPenalty(w, { penalty: "l3" as Penalty }), ValueError);
});

const centredList = (values: Numbers): Numbers => {
  const mean = values.reduce((a, b) => a + b) / values.length;
  return values.map((value) => value - mean);
};

const iris = readFileSync(new URL("fixtures/iris.csv", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => line.split(",").map(Number));
const irisPart = (count: number) => ({
  x: tensor(
    iris.slice(0, count).map((row) => row.slice(0, 4)),
    { dtype: "float64" },
  ),
  y: tensor(Int32Array.from(iris.slice(0, count), (row) => row[4]!)),
});

test("the perceptron learns weight for weight as scikit-learn's", () => {
  for (const { keep, epochs, ...expected } of fixture.perceptrons) {
    const { x, y } = irisPart(keep);
    const model = new Perceptron({ epochs });
    model.fit(x, y);
    assertNear(model.weight, expected.weight, 1e-9);
    assertNear(model.bias, expected.bias, 1e-9);
    assert.deepEqual([...model.predict(irisPart(150).x).data], expected.labels);
    const { tensors } = decodeSafetensors(encodeSafetensors(model.stateDict()));
    const loaded = new Perceptron();
    loaded.loadStateDict(tensors);
    assert.deepEqual([...loaded.predict(irisPart(150).x).data], expected.labels);
    tensors.delete("bias");
    assert.throws(() => loaded.loadStateDict(tensors), /got weight \[.*expected weight/);
  }
});

test("the multiclass rule separates what is separable, and ends", () => {
  const x = tensor([
    [0, 2],
    [0.1, 3],
    [2, 0],
    [3, 0.2],
    [-2, -2],
    [-3, -2.5],
  ]);
  const y = tensor(new Int32Array([0, 0, 1, 1, 2, 2]));
  for (const shuffle of [false, true]) {
    const model = new Perceptron({ rule: "multiclass", shuffle });
    const { mistakes, converged } = model.fit(x, y);
    assert.ok(converged && mistakes.at(-1) === 0 && mistakes.length < 100);
    assert.equal(model.score(x, y), 1);
    assert.deepEqual(model.weight.shape, [3, 2]);
  }
  const xor = new Perceptron({ epochs: 5 });
  const square = tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]);
  const fit = xor.fit(square, tensor(new Int32Array([0, 1, 1, 0])));
  assert.equal(fit.converged, false);
  assert.equal(fit.mistakes.length, 5);
});

test("each loss and penalty trains, the same each time for a seed", async () => {
  const { x, y } = irisPart(150);
  const features = new StandardScaler().fitTransform(x);
  for (const loss of ["softmax", "hinge", "squaredHinge"] as const) {
    for (const penalty of ["none", "l1", "l2", "elastic"] as const) {
      const train = async () => {
        const model = new LinearClassifier(4, 3, { loss, penalty, alpha: 1e-3 });
        await model.fit(features, y, { epochs: 30, lr: 0.05, batchSize: 32 });
        return model;
      };
      const [a, b] = [await train(), await train()];
      assert.deepEqual(a.weight.data, b.weight.data);
      assert.ok((await a.score(features, y)) > 0.93, `${loss} ${penalty}`);
    }
  }
});

test("softmax regression ends where scikit-learn's does, for each penalty", async () => {
  const { x, y } = irisPart(150);
  const features = new StandardScaler().fitTransform(x);
  for (const [penalty, expected] of Object.entries(fixture.regressions)) {
    const model = new LinearClassifier(4, 3, {
      ...{ penalty: penalty as Penalty, alpha: 0.02, l1Ratio: 0.3 },
    });
    await model.fit(features, y, { epochs: 600, lr: 0.1, batchSize: 150 });
    const reached = model.loss(model.forward(features), y).item();
    // Nothing is below the least; L1 has no slope at 0, around which a weight wavers.
    const above = reached - expected.objective;
    assert.ok(above > -1e-6 && above < (penalty === "l1" ? 2e-3 : 1e-4), `${penalty}: ${reached}`);
    if (penalty === "l1") continue;
    assertNear(model.weight, expected.weight, 5e-3);
    // Of the biases only the differences count.
    assertNear(model.bias.sub(model.bias.mean()), centredList(expected.bias), 5e-3);
  }
});

test("a strong L1 penalty leaves fewer weights than L2", async () => {
  const { x, y } = irisPart(150);
  const features = new StandardScaler().fitTransform(x);
  const small = async (penalty: Penalty) => {
    const model = new LinearClassifier(4, 3, { penalty, alpha: 0.1 });
    await model.fit(features, y, { epochs: 60, lr: 0.02 });
    return Array.from(model.weight.data).filter((w) => Math.abs(w) < 0.02).length;
  };
  assert.ok((await small("l1")) > (await small("l2")));
});

test("principal components, whitening and scaling as scikit-learn and NumPy", () => {
  const x = wave([40, 6], 0.1, (v, i) => v * ((i % 6) + 1) + 3);
  const other = wave([5, 6], 2, (v) => v * 4);
  for (const whiten of [false, true]) {
    const expected = fixture.projections[whiten ? "whiten" : "plain"];
    const pca = new PCA({ nComponents: 4, whiten }).fit(x);
    assertNear(pca.components, expected.components, 1e-9);
    assertNear(pca.explainedVariance, expected.variance, 1e-9);
    assertNear(pca.explainedVarianceRatio, expected.ratio, 1e-9);
    assertNear(pca.transform(other), expected.transform);
    assertNear(pca.inverseTransform(pca.transform(other)), expected.inverse, 1e-5);
  }
  assertNear(new ZCA({ epsilon: 0.1 }).fit(x).transform(other), fixture.projections.zca);
  assertNear(new StandardScaler().fit(x).transform(other), fixture.projections.scaled);
  const center = new StandardScaler({ withStd: false });
  assertNear(center.fit(x).transform(other), fixture.projections.centered);
});

test("fewer rows than features: the same components, without a matrix of features by features", () => {
  const x = wave([7, 12], 0.1, (v, i) => v * ((i % 12) + 1) + 3);
  const other = wave([3, 12], 2, (v) => v * 4);
  const { wide } = fixture;
  const pca = new PCA({ nComponents: 6 }).fit(x);
  assertNear(pca.components, wide.components, 1e-9);
  assertNear(pca.explainedVariance, wide.variance, 1e-9);
  assertNear(pca.explainedVarianceRatio, wide.ratio, 1e-9);
  assertNear(pca.transform(other), wide.transform);
  assertNear(new ZCA({ epsilon: 0.1 }).fit(x).transform(other), wide.zca);
  // All seven, and rows that are equal: what no row varies along is orthogonal to the rest all the same.
  for (const rows of [x, x.narrow(0, 0, 3).repeat([2, 1]), x.narrow(0, 0, 1).repeat([3, 1])]) {
    const { components, explainedVariance } = new PCA().fit(rows);
    const count = rows.shape[0]!;
    assertNear(components.matmul(components.t()), [...eye(count).data], 1e-9);
    assert.ok(explainedVariance.data.at(-1)! < 1e-12 * (1 + explainedVariance.data[0]!));
  }
  assert.throws(() => new ZCA({ epsilon: 0 }).fit(x), /a direction has no variance/);
  // A matrix of all features would take 28 GB.
  const faces = new PCA({ nComponents: 3 }).fit(randn([5, 60_000]));
  assert.deepEqual(faces.components.shape, [3, 60_000]);
});

test("a pipeline keeps what training data said, and its state can be saved and read", async () => {
  manualSeed(3);
  const make = () =>
    new Pipeline(
      new FeatureUnion(new Hog({ cellsPerBlock: [1, 1] }), new HueHistogram()),
      new StandardScaler(),
      new PCA({ nComponents: 4 }),
      new ZCA(),
    );
  const [train, test1] = [randn([30, 3, 16, 16]), randn([4, 3, 16, 16])];
  const pipeline = make();
  const made = pipeline.fitTransform(train);
  assert.deepEqual(pipeline.transform(train).data, made.data);
  const features = pipeline.transform(test1);
  assert.deepEqual(features.shape, [4, 4]);
  // Neither transform learned anything.
  assert.deepEqual(pipeline.transform(test1).data, features.data);
  const { tensors } = decodeSafetensors(encodeSafetensors(pipeline.stateDict()));
  const loaded = make();
  loaded.loadStateDict(tensors);
  assert.deepEqual(loaded.transform(test1).data, features.data);
  assert.throws(() => make().transform(test1), /nothing is learned yet/);
  assert.throws(() => loaded.loadStateDict(new Map([["9.mean", made]])), /names none of 4 steps/);
  assert.throws(() => loaded.loadStateDict(new Map([["1.mean", made]])), /missing: scale/);
  const broken = new Map(pipeline.fit(test1.mul(2)).stateDict());
  broken.delete("3.map");
  assert.throws(() => loaded.loadStateDict(broken), /missing: map/);
  assert.deepEqual(loaded.transform(test1).data, features.data, "a bad state changes nothing");
});

test("templates are pictures from black to white", () => {
  const images = templateImages(wave([4, 12], 1), [3, 2, 2]);
  assert.deepEqual(images.shape, [4, 3, 2, 2]);
  for (let i = 0; i < 4; i++) {
    const { data } = images.select(0, i);
    assert.equal(Math.min(...data), 0);
    assert.equal(Math.max(...data), 1);
  }
  assert.deepEqual([...templateImages(tensor([[2, 2]]), [1, 1, 2]).data], [0.5, 0.5]);
  const sheet = drawSheet(
    [0, 1, 2].map((i) => ({ image: images.select(0, i), caption: `class ${i}` })),
  );
  assert.equal(sheet.data.length, sheet.width * sheet.height * 3);
  assert.ok(new Set(sheet.data).size > 5);
  assert.throws(() => drawSheet([]), ValueError);
  assert.throws(() => drawSheet([{ image: tensor([1]) }]), ShapeError);
});
