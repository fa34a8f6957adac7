/** Metrics against scikit-learn's, over compiled batches and at once; what is kept in checkpoints; refusals. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { data, nn, ShapeError, type Tensor, tensor, ValueError } from "../src/index.js";
import {
  type Average,
  accuracy,
  averagePrecision,
  averagePrecisionScore,
  confusion,
  confusionMatrix,
  evaluate,
  f1,
  type Metric,
  type Metrics,
  matrixOf,
  meanAbsoluteError,
  meanSquaredError,
  measure,
  perplexity,
  precision,
  precisionRecallCurve,
  precisionRecallF1,
  r2,
  recall,
  rocAuc,
  rocAucScore,
  rocCurve,
  topK,
} from "../src/train/index.js";
import { emptySums } from "../src/train/metrics/sums.js";
import { backends, everywhere, use } from "./support/backends.js";
import { readFixture } from "./support/fixtures.js";
import { assertNear as near } from "./support/near.js";

use(backends.find(({ backend }) => backend === "native") ?? backends.at(-1)!);

type Rows = number[][];
type Scores = { precision: number | number[]; recall: number | number[]; f1: number | number[] };
const fixture = readFixture<{
  classes: {
    logits: Rows;
    target: number[];
    confusion: Rows;
    accuracy: number;
    top2: number;
    top3: number;
    scores: Record<string, Scores>;
  };
  soft: Record<"logits" | "target" | "confusion", Rows> &
    Record<"accuracy" | "f1" | "rocAuc" | "averagePrecision", number>;
  binary: Record<
    "scores" | "target" | "falsePositiveRate" | "truePositiveRate" | "thresholds",
    number[]
  > &
    Record<"accuracy" | "precision" | "recall" | "f1" | "rocAuc" | "averagePrecision", number> & {
      curve: Record<"precision" | "recall" | "thresholds", number[]>;
    };
  multiclass: { logits: Rows; target: number[] } & Record<
    "rocAuc" | "rocAucWeighted" | "averagePrecision" | "averagePrecisionWeighted",
    number
  >;
  regression: { output: Rows; target: Rows } & Record<
    "meanAbsoluteError" | "meanSquaredError" | "r2" | "r2Missed",
    number
  >;
  perplexity: { logits: Rows[]; target: Rows } & Record<
    "perplexity" | "accuracy" | "top3" | "recall",
    number
  >;
}>("metrics.json.gz");

const classes = (values: number[] | number[][]): Tensor => tensor(values, { dtype: "int32" });
const wide = (values: number[] | Rows | Rows[]): Tensor => tensor(values, { dtype: "float64" });

/** Measured by a compiled step, in batches of 7. */
async function inBatches(metrics: Metrics, output: Tensor, target: Tensor) {
  const loader = new data.DataLoader(new data.TensorDataset(output, target), { batchSize: 7 });
  const loss = (x: Tensor) => x.mean();
  return await evaluate(new nn.Identity(), loader, { metrics, loss });
}

function nearAll(actual: ArrayLike<number>, expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) => {
    near(actual[i], value);
  });
}

/** In batches and at once. */
async function check(expected: Record<string, [Metric, number]>, output: Tensor, target: Tensor) {
  const entries = Object.entries(expected);
  const metrics = Object.fromEntries(entries.map(([name, [metric]]) => [name, metric]));
  const measures = await inBatches(metrics, output, target);
  for (const [name, [metric, value]] of entries) {
    near(measures[name], value, 1e-12);
    near(measure(metric, output, target) as number, value, 1e-12);
  }
}

everywhere("accuracy and top k are scikit-learn's", async () => {
  const { logits, target, ...own } = fixture.classes;
  const expected = { accuracy: own.accuracy, top2: own.top2, top3: own.top3 };
  assert.ok(expected.accuracy < expected.top2 && expected.top2 < expected.top3);
  await check(
    {
      accuracy: [accuracy, own.accuracy],
      top1: [topK(1), own.accuracy],
      top2: [topK(2), own.top2],
      top3: [topK(3), own.top3],
    },
    wide(logits),
    classes(target),
  );
});

everywhere("the confusion matrix is scikit-learn's, as measures and from labels", async () => {
  const { logits, target, confusion: expected } = fixture.classes;
  const measures = await inBatches({ seen: confusion(5) }, wide(logits), classes(target));
  assert.deepEqual(matrixOf(measures, "seen"), expected);
  const predictions = logits.map((row) => row.indexOf(Math.max(...row)));
  const counted = confusionMatrix({ labels: target, predictions }, 5);
  assert.deepEqual(
    counted.map((row) => [...row]),
    expected,
  );
});

everywhere(
  "precision, recall and F1 are scikit-learn's for each average and each 0/0",
  async () => {
    const { logits, target, scores, confusion: matrix } = fixture.classes;
    const kinds = { precision, recall, f1 };
    for (const [key, expected] of Object.entries(scores)) {
      const [average, zero] = key.split(" ") as [Average, string];
      const options = { average, zeroDivision: Number(zero) };
      const metrics = Object.fromEntries(
        Object.entries(kinds).map(([kind, make]) => [kind, make(5, options)]),
      );
      const measures = await inBatches(metrics, wide(logits), classes(target));
      const direct = precisionRecallF1(matrix, options);
      for (const kind of ["precision", "recall", "f1"] as const) {
        const value = expected[kind];
        const own =
          typeof value === "number"
            ? [measures[kind]!]
            : value.map((_, i) => measures[`${kind}.${i}`]!);
        nearAll(own, [value].flat());
        nearAll([direct[kind]].flat() as number[], [value].flat());
      }
    }
  },
);

everywhere(
  "targets of probabilities count by their share, as scikit-learn's sample weights",
  async () => {
    const { logits, target, confusion: matrix, ...own } = fixture.soft;
    await check(
      {
        accuracy: [accuracy, own.accuracy],
        top1: [topK(1), own.accuracy],
        top3: [topK(3), 1],
        f1: [f1(3), own.f1],
        rocAuc: [rocAuc(), own.rocAuc],
        averagePrecision: [averagePrecision(), own.averagePrecision],
      },
      wide(logits),
      wide(target),
    );
    const measures = await inBatches({ seen: confusion(3) }, wide(logits), wide(target));
    nearAll(matrixOf(measures, "seen").flat(), matrix.flat());
  },
);

everywhere(
  "binary scores: one number an example or two classes, labels or probabilities",
  async () => {
    const { scores, target, ...own } = fixture.binary;
    const binary = { average: "binary" } as const;
    const expected: Record<string, [Metric, number]> = {
      accuracy: [accuracy, own.accuracy],
      precision: [precision(2, binary), own.precision],
      recall: [recall(2, binary), own.recall],
      f1: [f1(2, binary), own.f1],
      rocAuc: [rocAuc(), own.rocAuc],
      averagePrecision: [averagePrecision(), own.averagePrecision],
    };
    await check(expected, wide(scores), classes(target));
    await check(expected, wide(scores).reshape([-1, 1]), wide(target).reshape([-1, 1]));
    await check(expected, wide(scores.map((x) => [1, 1 + x])), classes(target));
    near(rocAucScore(scores, target), own.rocAuc);
    near(averagePrecisionScore(wide(scores), classes(target)), own.averagePrecision);
  },
);

test("curves are scikit-learn's, point by point", () => {
  const { scores, target, curve, ...own } = fixture.binary;
  const roc = rocCurve(scores, target);
  nearAll(roc.falsePositiveRate, own.falsePositiveRate);
  nearAll(roc.truePositiveRate, own.truePositiveRate);
  assert.equal(roc.thresholds[0], Number.POSITIVE_INFINITY);
  nearAll(roc.thresholds.slice(1), own.thresholds);
  near(roc.area, own.rocAuc);
  const recalled = precisionRecallCurve(scores, target);
  nearAll(recalled.precision, curve.precision);
  nearAll(recalled.recall, curve.recall);
  nearAll(recalled.thresholds, curve.thresholds);
  near(recalled.averagePrecision, own.averagePrecision);
});

everywhere("areas of several classes are scikit-learn's, each against the rest", async () => {
  const { logits, target, ...own } = fixture.multiclass;
  const weighted = { average: "weighted" } as const;
  await check(
    {
      rocAuc: [rocAuc(), own.rocAuc],
      rocAucWeighted: [rocAuc(weighted), own.rocAucWeighted],
      averagePrecision: [averagePrecision(), own.averagePrecision],
      averagePrecisionWeighted: [averagePrecision(weighted), own.averagePrecisionWeighted],
    },
    wide(logits),
    classes(target),
  );
  const probabilities = wide(logits).softmax(1);
  near(measure(rocAuc({ from: "scores" }), probabilities, classes(target)) as number, own.rocAuc);
});

test("the area is the share of pairs in order, for any scores and ties", () => {
  const example = fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: 0, max: 1 }));
  fc.assert(
    fc.property(fc.array(example, { minLength: 2, maxLength: 30 }), (examples) => {
      const positives = examples.filter(([, label]) => label === 1);
      const negatives = examples.filter(([, label]) => label === 0);
      fc.pre(positives.length > 0 && negatives.length > 0);
      let pairs = 0;
      for (const [a] of positives)
        for (const [b] of negatives) pairs += a > b ? 1 : a === b ? 0.5 : 0;
      const area = rocAucScore(
        examples.map(([score]) => score),
        examples.map(([, label]) => label),
      );
      assert.equal(area, pairs / (positives.length * negatives.length));
    }),
  );
});

everywhere("errors of regressions are scikit-learn's", async () => {
  const { output, target, ...own } = fixture.regression;
  await check(
    {
      meanAbsoluteError: [meanAbsoluteError, own.meanAbsoluteError],
      meanSquaredError: [meanSquaredError, own.meanSquaredError],
    },
    wide(output),
    wide(target),
  );
  const measures = await inBatches({ r2: r2() }, wide(output), wide(target));
  near(measures.r2, own.r2, 1e-10);
  const missed = wide(output).add(0.5);
  near(measure(r2(), missed, wide(target)) as number, own.r2Missed, 1e-10);
  assert.throws(() => measure(meanSquaredError, wide([1, 2]), wide([[1, 2]])), ShapeError);
});

everywhere(
  "tokens: perplexity, accuracy, recall over [B, V, T], leaving out what does not count",
  async () => {
    const { logits, target, ...own } = fixture.perplexity;
    await check(
      {
        perplexity: [perplexity(), own.perplexity],
        top1: [topK(1), own.accuracy],
        top3: [topK(3), own.top3],
        recall: [recall(7), own.recall],
      },
      tensor(logits, { dtype: "float64" }),
      classes(target),
    );
    const output = tensor(logits, { dtype: "float64" });
    const area = measure(rocAuc(), output, classes(target)) as number;
    assert.ok(area > 0 && area < 1);
    const nothing = measure(
      perplexity(),
      output,
      classes(target.map((row) => row.map(() => -100))),
    );
    assert.ok(Number.isNaN(nothing));
  },
);

everywhere("accuracy of many decisions an example is the mean over them", async () => {
  const output = wide(
    [
      [1, 2],
      [2, 1],
    ].map((row) => row),
  ).reshape([1, 2, 2]);
  assert.equal(measure(accuracy, output, classes([[1, 1]])), 0.5);
  assert.equal((await inBatches({ accuracy }, output, classes([[1, 1]]))).accuracy, 0.5);
});

everywhere("what cannot be measured is refused", async () => {
  const scores = wide([
    [1, 2],
    [2, 1],
  ]);
  const target = classes([0, 1]);
  for (const make of [
    () => topK(0),
    () => topK(1.5),
    () => f1(1),
    () => f1(3, { average: "binary" }),
    () => f1(2, { average: "mean" as Average }),
    () => rocAuc({ from: "odds" as "logits" }),
    () => measure(topK(3), scores, target),
    () => measure(confusion(2), scores, classes([0, 2])),
    () => measure(rocAuc(), scores, classes([1, 1])),
    () => rocAucScore([1, Number.NaN], [0, 1]),
    () => rocAucScore([1, 2], [0, 2]),
    () => rocAucScore([1, 2], [0, 0]),
    () => averagePrecisionScore([1, 2], [0, 0]),
    () => confusionMatrix({ labels: [0, 2], predictions: [0, 0] }, 2),
    () =>
      precisionRecallF1([
        [-1, 0],
        [0, 1],
      ]),
    () => matrixOf({ "a.0.0": 1 }, "a"),
    () => emptySums({ loss: accuracy }),
  ])
    assert.throws(make, ValueError);
  for (const make of [
    () => measure(accuracy, scores, classes([0, 1, 1])),
    () => measure(confusion(3), scores, target),
    () => rocAucScore([1], [0, 1]),
    () => precisionRecallF1([[1, 2]]),
    () => measure(() => tensor([1, 2]), scores, target),
  ])
    assert.throws(make, ShapeError);
  await assert.rejects(inBatches({ seen: confusion(2) }, scores, classes([0, 2])), ValueError);
});
