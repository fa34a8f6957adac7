/** What linear classifiers and features refuse: misspelt options, data that do not fit, numbers that are none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Hog, HueHistogram, PCA, StandardScaler, ZCA } from "../src/features/index.js";
import { GradusError, ShapeError, tensor, ValueError } from "../src/index.js";
import {
  LinearClassifier,
  type LinearLoss,
  Perceptron,
  type PerceptronRule,
  templateImages,
} from "../src/linear/index.js";
import { backends, use } from "./support/backends.js";

use(backends.find(({ backend }) => backend === "native") ?? backends.at(-1)!);

test("what does not fit is refused", async () => {
  const y = tensor(new Int32Array([0, 1]));
  assert.throws(() => new LinearClassifier(2, 2, { loss: "log" as LinearLoss }), ValueError);
  const model = new LinearClassifier(2, 2);
  await assert.rejects(model.fit(tensor([[1, 2]]), y), ShapeError);
  await assert.rejects(
    model.fit(
      tensor([
        [1, 2],
        [3, 4],
      ]),
      y,
      { lr: 0 },
    ),
    ValueError,
  );
  await assert.rejects(
    model.fit(
      tensor([
        [1, Number.NaN],
        [3, 4],
      ]),
      y,
    ),
    /the loss became NaN in epoch 1/,
  );
  const pair = tensor([
    [1, 2],
    [3, 4],
  ]);
  await assert.rejects(model.fit(pair, tensor([0.5, 1])), /y holds 0.5; expected class numbers/);
  await assert.rejects(model.score(pair, tensor(new Int32Array([0]))), ShapeError);
  await assert.rejects(model.fit(pair, y, { epoch: 1 } as never), /unknown option "epoch"/);
  for (const make of [
    () => new LinearClassifier(2, 2, { C: 1 } as never),
    () => new Perceptron({ learningRate: 1 } as never),
    () => new Hog({ cellSize: 4 } as never),
    () => new PCA({ components: 2 } as never),
    () => new ZCA({ eps: 1 } as never),
    () => new StandardScaler({ mean: true } as never),
    () => new HueHistogram({ nBins: 3 } as never),
  ])
    assert.throws(make, /unknown option ".*", expected /);
  const learned = new Perceptron();
  learned.fit(pair, y);
  assert.throws(() => learned.predict(tensor([[Number.NaN, 1]])), /x holds NaN/);
  assert.throws(() => learned.score(pair, tensor(new Int32Array([0]))), ShapeError);
  assert.throws(() => new Perceptron({ rule: "x" as PerceptronRule }), ValueError);
  assert.throws(() => new Perceptron().predict(tensor([[1]])), GradusError);
  assert.throws(() => new Perceptron().fit(tensor([[1], [2]]), tensor([0.5, 1])), /class numbers/);
  assert.throws(() => new Perceptron().fit(tensor([[1], [Number.NaN]]), y), /NaN/);
  assert.throws(() => templateImages(tensor([[1, 2]]), [1, 2, 2]), ShapeError);
  assert.throws(() => new Hog({ orientations: 0 }), ValueError);
  assert.throws(() => new Hog().transform(tensor([[[1, 2]]])), /have no block/);
  assert.throws(() => new Hog().transform(tensor([1])), ShapeError);
  assert.throws(() => new HueHistogram().transform(tensor([[[1, 2]]])), /1 channels; expected 3/);
  assert.throws(
    () =>
      new PCA({ nComponents: 3 }).fit(
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ),
    ValueError,
  );
  assert.throws(() => new StandardScaler().fit(tensor([[Number.NaN]])), ValueError);
  const scaler = new StandardScaler().fit(
    tensor([
      [1, 2],
      [3, 4],
    ]),
  );
  assert.throws(() => scaler.transform(tensor([[1]])), /1 numbers a row; expected 2/);
  assert.throws(
    () =>
      new ZCA({ epsilon: 0 }).fit(
        tensor([
          [1, 1],
          [2, 2],
        ]),
      ),
    ValueError,
  );
});
