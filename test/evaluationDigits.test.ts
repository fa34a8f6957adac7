/** Evaluation of real networks on real digits: several looks, ensembles, soups and temperatures do what they are for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Dataset, gatherRows } from "../src/data/dataset.js";
import { loadDigits } from "../src/data/node.js";
import { data, manualSeed, nn, optim, tensor } from "../src/index.js";
import type { Measures } from "../src/train/events.js";
import {
  accuracy,
  type Callback,
  calibration,
  cosineSchedule,
  crossValidate,
  Ensemble,
  evaluate,
  f1,
  fit,
  greedySoup,
  type Model,
  precisionRecallCurve,
  precisionRecallSvg,
  predict,
  reliabilitySvg,
  restartSchedule,
  rocAuc,
  rocCurve,
  rocSvg,
  type Schedule,
  Snapshots,
  scaleTemperature,
  shiftViews,
  TestTimeAugmentation,
} from "../src/train/index.js";
import { backends, use } from "./support/backends.js";

use(backends.find(({ backend }) => backend === "native") ?? backends.at(-1)!);

const digits = await loadDigits();

/** Some of the digits, as pixels about 0. */
function part({ images, labels }: typeof digits.train, from: number, to: number) {
  const rows = Int32Array.from({ length: to - from }, (_, i) => from + i);
  const pixels = Float32Array.from(gatherRows(images, rows).data, (x) => (x / 255 - 0.13) / 0.31);
  const classes = Int32Array.from(gatherRows(labels, rows).data as ArrayLike<number>);
  return new data.TensorDataset(
    tensor(pixels, { shape: [rows.length, 1, 28, 28] }),
    tensor(classes),
  );
}

const training = part(digits.train, 0, 1200);
const validation = part(digits.test, 0, 1000);
const held = part(digits.test, 1000, 2000);
const inOrder = (dataset: Dataset) =>
  new data.DataLoader(dataset as typeof training, { batchSize: 250 });

const makeNet = (): Model =>
  new nn.Sequential(
    ...[
      new nn.Conv2d(1, 6, 5, { stride: 2 }),
      new nn.ReLU(),
      new nn.Conv2d(6, 12, 3, { stride: 2 }),
    ],
    ...[new nn.ReLU(), new nn.Flatten(), new nn.Linear(300, 10)],
  );

interface Settings {
  readonly epochs: number;
  readonly dataset?: Dataset;
  readonly schedule?: Schedule;
  readonly callbacks?: readonly Callback[];
}

async function trainNet(seed: number, settings: Settings): Promise<Model> {
  const { epochs, dataset = training, schedule = cosineSchedule(), callbacks = [] } = settings;
  manualSeed(seed);
  const model = makeNet();
  await fit(model, {
    ...{ epochs, schedule, callbacks },
    optimizer: new optim.Adam(model.parameters(), { lr: 5e-3 }),
    train: new data.DataLoader(dataset as typeof training, {
      batchSize: 50,
      shuffle: true,
      seed,
    }),
  });
  return model;
}

const metrics = { accuracy };
const measure = (model: Model, dataset: Dataset = held) =>
  evaluate(model, inOrder(dataset), { metrics });

const members: Model[] = [];
for (let seed = 0; seed < 4; seed++) members.push(await trainNet(seed, { epochs: 4 }));
const alone = await Promise.all(members.map((member) => measure(member)));

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
const accuracyOf = (measured: readonly Measures[]) => mean(measured.map((own) => own.accuracy!));
const lossOf = (measured: readonly { readonly loss: number }[]) =>
  mean(measured.map(({ loss }) => loss));

test("an ensemble is better than its members", async () => {
  for (const average of ["probabilities", "logits"] as const) {
    const together = await measure(new Ensemble(members, { average }));
    assert.ok(accuracyOf(alone) > 0.8);
    assert.ok(together.accuracy! >= accuracyOf(alone) + 0.005, `${together.accuracy} ${average}`);
    // −log is convex, so that this holds for any members at all.
    assert.ok(together.loss <= lossOf(alone), `${together.loss}, members ${lossOf(alone)}`);
  }
});

test("looking at moved digits too loses no accuracy", async () => {
  const views = shiftViews(1);
  const looked = await Promise.all(
    members.map((model) => measure(new TestTimeAugmentation(model, { views }))),
  );
  assert.ok(accuracyOf(looked) >= accuracyOf(alone), `${accuracyOf(looked)}`);
});

test("an overfitted network is too sure; a temperature from other data mends it", async () => {
  const model = await trainNet(9, { epochs: 30, schedule: () => 1 });
  const scaled = await scaleTemperature(model, inOrder(validation));
  const [before, after] = await Promise.all(
    [model, scaled].map(async (own) => {
      const { outputs, targets } = await predict(own, inOrder(held));
      return calibration(outputs, targets);
    }),
  );
  assert.ok(scaled.temperature.item() > 1.3);
  assert.ok(before!.confidence > before!.accuracy);
  assert.ok(after!.ece < 0.75 * before!.ece, `ECE ${before!.ece}, then ${after!.ece}`);
  assert.ok(after!.negativeLogLikelihood < before!.negativeLogLikelihood);
  assert.ok(after!.brier < before!.brier);
  assert.equal(after!.accuracy, before!.accuracy);
  const svg = reliabilitySvg(before!, { title: "Digits & confidence" });
  assert.match(svg, /^<svg.*Digits &amp; confidence.*<\/svg>\s*$/s);
  assert.ok(svg.includes(`ECE ${(100 * before!.ece).toFixed(2)}%`));
  assert.ok(!/NaN|undefined|Infinity/.test(svg));
});

test("snapshots of one run: as an ensemble better than each, as a greedy soup no worse than the best", async () => {
  const snapshots = new Snapshots(3);
  const schedule = restartSchedule(3);
  const model = await trainNet(5, { epochs: 6, schedule, callbacks: [snapshots] });
  const each = [];
  for (const weights of snapshots.weights) {
    model.loadStateDict(weights);
    each.push(await measure(model));
  }
  const together = await measure(snapshots.ensemble(model));
  assert.ok(together.loss <= lossOf(each));
  assert.ok(together.accuracy! >= accuracyOf(each));
  const score = async () => (await measure(model, validation)).accuracy!;
  const soup = await greedySoup(model, snapshots.weights, score);
  assert.ok(soup.score >= Math.max(...soup.scores));
  assert.equal(await score(), soup.score);
});

test("three folds of digits measure about the same", async () => {
  const dataset = part(digits.train, 1200, 1800);
  const labels = Array.from(digits.train.labels.data.subarray(1200, 1800), Number);
  const options = { folds: 3, labels, shuffle: true, seed: 1 };
  const {
    folds,
    mean: average,
    std,
  } = await crossValidate(
    dataset,
    async ({ train, validation: rest, seed }) => {
      const model = await trainNet(seed, { epochs: 3, dataset: train });
      return await measure(model, rest);
    },
    options,
  );
  assert.equal(folds.length, 3);
  assert.ok(
    average.accuracy! > 0.6 && std.accuracy! < 0.1,
    `${average.accuracy} ± ${std.accuracy}`,
  );
});

test("metrics of a validation set are those of its predictions", async () => {
  const all = { accuracy, f1: f1(10, { average: "none" }), area: rocAuc() };
  const measured = await evaluate(members[0]!, inOrder(held), { metrics: all });
  const { outputs, targets } = await predict(members[0]!, inOrder(held));
  assert.equal(calibration(outputs, targets).accuracy, measured.accuracy);
  const probabilities = outputs.to("float64").softmax(1);
  const areas: number[] = [];
  for (let k = 0; k < 10; k++) {
    const scores = probabilities.select(1, k);
    const labels = Array.from(targets.data, (label) => Number(label === k));
    const roc = rocCurve(scores, labels);
    areas.push(roc.area);
    if (k > 0) continue;
    assert.ok(rocSvg({ zeros: roc }).includes(`zeros (area ${roc.area.toFixed(4)})`));
    const found = precisionRecallCurve(scores, labels);
    const drawn = precisionRecallSvg({ zeros: found }, { title: "Zeros" });
    assert.ok(drawn.includes(found.averagePrecision.toFixed(4)) && !drawn.includes("NaN"));
  }
  assert.ok(Math.abs(mean(areas) - measured.area!) < 1e-9);
  assert.ok(measured.area! > 0.97 && measured["f1.0"]! > 0.8);
});
