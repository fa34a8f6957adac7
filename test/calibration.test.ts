/** Calibration and temperature against torchmetrics, scikit-learn and SciPy; refusals. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { data, nn, ShapeError, type Tensor, tensor, ValueError } from "../src/index.js";
import {
  calibration,
  findTemperature,
  scaleTemperature,
  TemperatureScaled,
} from "../src/train/index.js";
import { readFixture } from "./support/fixtures.js";
import { assertNear as near } from "./support/near.js";

type Rows = number[][];
type Numbers = Record<"accuracy" | "confidence" | "brier" | "negativeLogLikelihood", number> &
  Record<"ece" | "mce" | "temperature", number>;
const fixture = readFixture<{
  calibration: (Numbers & { bins: number; logits: Rows; target: number[] })[];
  binary: Numbers & { logits: number[]; target: number[] };
}>("evaluation.json.gz");

const wide = (values: number[] | Rows): Tensor => tensor(values, { dtype: "float64" });

for (const [i, { bins, logits, target, temperature, ...expected }] of fixture.calibration.entries())
  test(`calibration ${i} is as torchmetrics and scikit-learn measure it`, () => {
    const measured = calibration(wide(logits), target, { bins });
    const odds = calibration(wide(logits).softmax(1), target, { bins, from: "probabilities" });
    for (const [name, value] of Object.entries(expected)) {
      // torchmetrics adds up in float32.
      const bound = name === "ece" || name === "mce" ? 1e-6 : 1e-12;
      near(measured[name as "ece"], value, bound);
      near(odds[name as "ece"], value, bound);
    }
    assert.equal(measured.bins.length, bins);
    assert.equal(
      measured.bins.reduce((sum, bin) => sum + bin.count, 0),
      target.length,
    );
  });

test("the temperature is the one with the least loss, and lowers it", () => {
  for (const { logits, target, temperature } of fixture.calibration) {
    const found = findTemperature(wide(logits), target);
    near(found, temperature, 1e-6);
    const scaled = calibration(wide(logits).div(found), target);
    assert.ok(
      scaled.negativeLogLikelihood <= calibration(wide(logits), target).negativeLogLikelihood,
    );
  }
});

test("one number an example is the logit or the probability of class 1", () => {
  const { logits, target, brier, negativeLogLikelihood, temperature } = fixture.binary;
  for (const shape of [[-1], [-1, 1]]) {
    const outputs = wide(logits).reshape(shape);
    const odds = calibration(outputs.sigmoid(), target, { from: "probabilities" });
    for (const measured of [calibration(outputs, target), odds]) {
      near(measured.brier, brier);
      near(measured.negativeLogLikelihood, negativeLogLikelihood);
    }
    near(findTemperature(outputs, target), temperature, 1e-6);
  }
});

test("a temperature without an end is the last one that is tried", () => {
  const logits = wide([
    [3, 0],
    [0, 3],
  ]);
  assert.equal(findTemperature(logits, [0, 1]), 1e-3);
  assert.equal(findTemperature(logits, [1, 0]), 1e3);
  const measured = calibration(wide([[Number.POSITIVE_INFINITY, 0]]), [0]);
  assert.deepEqual([measured.ece, measured.brier, measured.negativeLogLikelihood], [0, 0, 0]);
});

test("a scaled model's temperature is a part of its state, and found over batches", async () => {
  const [{ logits, target, temperature }] = fixture.calibration as [
    (typeof fixture.calibration)[0],
  ];
  const dataset = new data.TensorDataset(tensor(logits), tensor(target, { dtype: "int32" }));
  const batches = new data.DataLoader(dataset, { batchSize: 64 });
  const scaled = await scaleTemperature(new nn.Identity(), batches);
  near(scaled.temperature.item(), temperature, 1e-5);
  const other = new TemperatureScaled(new nn.Identity());
  other.loadStateDict(scaled.stateDict());
  const x = tensor(logits.slice(0, 3));
  assert.deepEqual([...other.forward(x).data], [...scaled.forward(x).data]);
});

test("what cannot be calibrated is refused", () => {
  const x = tensor([[1, 2]]);
  for (const make of [
    () => new TemperatureScaled(new nn.Identity(), 0),
    () => calibration(x, [2]),
    () => calibration(x, [0], { bins: 0 }),
    () => calibration(x, [0], { from: "probabilities" }),
    () => calibration(tensor([[Number.NaN, 1]]), [0]),
    () => findTemperature(tensor([[Number.POSITIVE_INFINITY, 1]]), [0]),
  ])
    assert.throws(make, ValueError);
  assert.throws(() => calibration(x, [0, 1]), ShapeError);
});
