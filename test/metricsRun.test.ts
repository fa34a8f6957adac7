/** Metrics within runs: what is kept between batches and in checkpoints, mixed targets, own forms of batches. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { data, manualSeed, nn, optim, type Tensor, tensor } from "../src/index.js";
import { Field } from "../src/train/fields.js";
import {
  accuracy,
  confusion,
  type FitOptions,
  f1,
  fit,
  meanSquaredError,
  rocAuc,
  topK,
} from "../src/train/index.js";
import { addBatch, emptySums, meansOf, parseSums } from "../src/train/metrics/sums.js";
import { backends, use } from "./support/backends.js";
import { copyOf } from "./support/fitRuns.js";
import { makeRandom } from "./trainSupport.js";

use(backends.find(({ backend }) => backend === "native") ?? backends.at(-1)!);

const classes = (values: number[]): Tensor => tensor(values, { dtype: "int32" });
const wide = (values: number[][]): Tensor => tensor(values, { dtype: "float64" });

/** Points whose class is told by their first coordinate, with some noise. */
const random = makeRandom(3);
const points = Array.from({ length: 60 }, () => [random() * 4 - 2, random() * 4 - 2]);
const labels = points.map(([x]) => Number(x! + random() - 0.5 > 0));
const dataset = new data.TensorDataset(wide(points).to("float32"), classes(labels));

test("a running measure is given where it is cheap", () => {
  const metrics = { accuracy, f1: f1(2), area: rocAuc(), seen: confusion(2) };
  const sums = emptySums(metrics);
  const batch = {
    f1: tensor([
      [3, 1],
      [1, 3],
    ]),
    accuracy: tensor(6),
    seen: tensor([
      [3, 1],
      [1, 3],
    ]),
  };
  const area = tensor([
    [1, 1],
    [0, 0],
  ]);
  addBatch(sums, { examples: 8, loss: 0.5, metrics: { ...batch, area } });
  assert.deepEqual(meansOf(sums, metrics, "running"), { loss: 0.5, accuracy: 0.75, f1: 0.75 });
  assert.equal(meansOf(sums, metrics).area, 1);
});

test("sums survive JSON with all their bits, and refuse what is damaged", () => {
  const metrics = { f1: f1(2), area: rocAuc() };
  const sums = emptySums(metrics);
  const first = tensor([0.1, Number.NaN, -0, Number.POSITIVE_INFINITY], {
    shape: [2, 2],
    dtype: "float64",
  });
  addBatch(sums, { examples: 2, loss: 1 / 3, metrics: { f1: first, area: first } });
  addBatch(sums, { examples: 1, loss: 1e-9, metrics: { f1: first, area: tensor([[7, 8]]) } });
  const text = JSON.stringify(sums);
  const again = parseSums(Field.parse(text, "checkpoint"));
  assert.deepEqual(again, parseSums(Field.parse(JSON.stringify(again), "checkpoint")));
  const totals = (own: typeof sums) => Object.values(own.totals).map((total) => total.read());
  assert.deepEqual(totals(again), totals(sums));
  assert.equal(again.loss, sums.loss);
  const bad = [
    text.replace('"shape":[2,2]', '"shape":[2,3]'),
    text.replace('"float64":"', '"float64":"*'),
    text.replace('"reduce":"sum"', '"reduce":"sums"'),
    text.replace('"examples":3', '"examples":-3'),
    "{}",
  ];
  for (const damaged of bad)
    assert.throws(() => parseSums(Field.parse(damaged, "checkpoint")), { name: "FormatError" });
});

test("an interrupted epoch measures the same as one that was not", async () => {
  const metrics = { accuracy, f1: f1(2), area: rocAuc(), seen: confusion(2) };
  const run = (stopAt?: number, resume?: Parameters<typeof fit>[1]["resume"]) => {
    manualSeed(1);
    const model = new nn.Linear(2, 2);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const train = new data.DataLoader(dataset, { batchSize: 8, shuffle: true, seed: 2 });
    const validation = new data.DataLoader(dataset, { batchSize: 16 });
    const controller = new AbortController();
    let saved: typeof resume;
    const result = fit(model, {
      ...{ optimizer, train, validation, epochs: 2, metrics, signal: controller.signal },
      ...(resume && { resume }),
      onEvent: (event) => {
        if (event.type === "step" && event.step === stopAt) controller.abort();
      },
      checkpoint: {
        save(content) {
          saved = copyOf(content);
        },
      },
    });
    return result.then(({ history }) => ({ history, saved }));
  };
  const whole = await run();
  const { saved, history } = await run(12);
  assert.equal(history.length, 1);
  const resumed = await run(undefined, saved!);
  const measured = (epochs: typeof whole.history) =>
    epochs.map(({ train, validation }) => ({ train, validation }));
  assert.deepEqual(measured(resumed.history), measured(whole.history));
  assert.ok(whole.history[1]!.validation!.area! > 0.5);
});

test("mixed targets count by their share, in training as in validation", async () => {
  manualSeed(1);
  const model = new nn.Linear(2, 2);
  const weights = model.weight.data.slice();
  const metrics = { accuracy, f1: f1(2), area: rocAuc(), top: topK(2), seen: confusion(2) };
  const options: FitOptions = {
    optimizer: new optim.SGD(model.parameters(), { lr: 0 }),
    train: new data.DataLoader(dataset, { batchSize: 60 }),
    epochs: 1,
    metrics,
    // Each example keeps three quarters of its label and gets a quarter of the next one's.
    batchTransform(x, y) {
      const hot = nn.functional.oneHot(y!, 2).to("float32");
      return [x!, hot.mul(0.75).add(hot.roll(-1, 0).mul(0.25))];
    },
  };
  const { history } = await fit(model, options);
  assert.deepEqual([...model.weight.data], [...weights]);
  const { train } = history[0]!;
  const scores = model.forward(dataset.tensors[0]!).toArray() as number[][];
  const guesses = scores.map(([a, b]) => Number(b! > a!));
  const share = (i: number) =>
    0.75 * Number(labels[i] === guesses[i]) + 0.25 * Number(labels[(i + 1) % 60] === guesses[i]);
  const expected = guesses.reduce((sum, _, i) => sum + share(i), 0) / 60;
  assert.ok(Math.abs(train.accuracy! - expected) < 1e-9, `${train.accuracy}, ${expected}`);
  assert.ok(Math.abs(train.top! - 1) < 1e-12 && train.area! > 0 && train.area! < 1);
  assert.ok(Math.abs(train["seen.0.0"]! + train["seen.1.1"]! - 60 * expected) < 1e-4);
});

test("batches of another form give metrics their output and target", async () => {
  manualSeed(1);
  const model = new nn.Linear(1, 1);
  const triples = new data.TensorDataset(
    tensor([[1], [2], [3], [4]]),
    tensor([2, 4, 6, 8]),
    tensor([1, 1, 1, 0]),
  );
  const { history } = await fit(model, {
    optimizer: new optim.SGD(model.parameters(), { lr: 0.02 }),
    train: new data.DataLoader(triples, { batchSize: 3 }),
    epochs: 2,
    metrics: { meanSquaredError },
    batchLoss(own, x, y, weight) {
      const output = (own as nn.Linear).forward(x!);
      const missed = output.reshape([-1]).sub(y!).square();
      return { loss: missed.mul(weight!).mean(), output, target: y! };
    },
  });
  const [first, second] = history.map(({ train }) => train.meanSquaredError!);
  assert.ok(second! < first! && first! < 60, `${first}, then ${second}`);
});
