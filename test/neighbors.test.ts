/** Nearest neighbours against scikit-learn's on real digits; ties, rounding, folds, refusals. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { gatherRows } from "../src/data/dataset.js";
import { loadDigits } from "../src/data/node.js";
import { GradusError, ShapeError, tensor, ValueError } from "../src/index.js";
import type { ArrayData } from "../src/io/arrayData.js";
import {
  crossValidateNeighbors,
  KNeighborsClassifier,
  KNeighborsRegressor,
  kFold,
  type Metric,
  type Weights,
} from "../src/neighbors/index.js";
import { backends, use } from "./support/backends.js";
import { readFixture } from "./support/fixtures.js";

const fast = backends.find(({ backend }) => backend === "native") ?? backends.at(-1)!;
use(fast);

interface Case {
  readonly metric: Metric;
  readonly k: number;
  readonly weights: Weights;
  readonly labels: readonly number[];
  readonly score: number;
  readonly distances: readonly number[];
  readonly indices: readonly number[];
  readonly proba: readonly number[];
}

const fixture = readFixture<{
  cases: readonly Case[];
  regression: readonly number[];
  validation: Record<string, readonly number[]>;
}>("neighbors.json.gz");

const head = (x: ArrayData, count: number): ArrayData =>
  gatherRows(
    x,
    Int32Array.from({ length: count }, (_, i) => i),
  );
const digits = await loadDigits();
const train = { x: head(digits.train.images, 3000), y: head(digits.train.labels, 3000) };
const queries = { x: head(digits.test.images, 300), y: head(digits.test.labels, 300) };

function assertNear(actual: ArrayLike<number>, expected: readonly number[], bound: number): void {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) => {
    const difference = Math.abs(actual[i]! - value);
    assert.ok(difference <= bound * Math.max(1, Math.abs(value)), `${i}: ${actual[i]}, ${value}`);
  });
}

for (const { metric, k, weights, ...expected } of fixture.cases) {
  test(`${k} neighbours by ${metric}, ${weights} votes, as scikit-learn`, async () => {
    const knn = new KNeighborsClassifier({ nNeighbors: k, metric, weights });
    knn.fit(train.x, train.y);
    assert.deepEqual([...(await knn.predict(queries.x)).data], expected.labels);
    assert.equal(await knn.score(queries.x, queries.y), expected.score);
    const few = head(queries.x, 20);
    const { distances, indices } = await knn.kneighbors(few);
    assert.deepEqual([...indices.data], expected.indices);
    assertNear(distances.data, expected.distances, 1e-12);
    const shares = await knn.predictProba(few);
    assert.deepEqual(shares.shape, [20, 10]);
    assertNear(shares.data, expected.proba, 1e-12);
  });
}

test("regression as scikit-learn, for several targets too", async () => {
  const [x, y] = [head(train.x, 500), head(train.y, 500)];
  const knn = new KNeighborsRegressor({ nNeighbors: 4, weights: "distance" }).fit(x, y);
  const few = head(queries.x, 50);
  assertNear((await knn.predict(few)).data, fixture.regression, 1e-12);
  const pairs = Int32Array.from({ length: 1000 }, (_, i) => y.data[i >> 1]! * (i % 2 ? -1 : 1));
  const both = knn.fit(x, tensor(pairs, { shape: [500, 2] }));
  const found = await both.predict(few);
  assert.deepEqual(found.shape, [50, 2]);
  assertNear(
    found.data,
    fixture.regression.flatMap((value) => [value, -value]),
    1e-12,
  );
});

test("cross-validation as scikit-learn, for all k from one search a fold", async () => {
  const seen: number[] = [];
  const { results, best } = await crossValidateNeighbors(head(train.x, 600), head(train.y, 600), {
    ks: [12, 1, 2, 5],
    folds: 4,
    onProgress: (done, total) => seen.push(done / total),
  });
  assert.deepEqual(
    results.map(({ k }) => k),
    [1, 2, 5, 12],
  );
  for (const { k, accuracies } of results) assertNear(accuracies, fixture.validation[k]!, 1e-15);
  const means = results.map(({ mean }) => mean);
  assert.equal(best.mean, Math.max(...means));
  assert.equal(
    best,
    results.find(({ mean }) => mean === best.mean),
  );
  assert.deepEqual(seen, [0.25, 0.5, 0.75, 1]);
});

test("the order is the exact one where float32 cannot tell, on every backend", async () => {
  // A million from the origin, float32 steps by 1/16: the nearest differ by less.
  const x = tensor([[1e6], [1e6 + 1e-3], [1e6 - 2e-3], [1e6 + 4e-3], [0]], { dtype: "float64" });
  for (const backend of backends) {
    use(backend);
    const knn = new KNeighborsClassifier().fit(x, tensor(new Int32Array(5)));
    const query = tensor([[1e6 + 2.4e-3]], { dtype: "float64" });
    const { indices } = await knn.kneighbors(query, { nNeighbors: 4 });
    assert.deepEqual(indices.toArray(), [[1, 3, 0, 2]], backend.name);
  }
  use(fast);
});

test("any rows, many of them equal: the neighbours are those that plain sorting finds", async () => {
  const values = fc.integer({ min: -2, max: 2 });
  const rows = (least: number) =>
    fc.array(fc.tuple(values, values), { minLength: least, maxLength: 40 });
  const metrics = fc.constantFrom<Metric>("l1", "l2");
  await fc.assert(
    fc.asyncProperty(rows(3), rows(1), metrics, async (x, q, metric) => {
      const knn = new KNeighborsClassifier({ metric }).fit(
        tensor(x),
        tensor(new Int32Array(x.length)),
      );
      const { indices } = await knn.kneighbors(tensor(q), { nNeighbors: 3 });
      const distance = (a: readonly number[], b: readonly number[]) =>
        a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!) ** (metric === "l1" ? 1 : 2), 0);
      const expected = q.map((query) =>
        x
          .map((row, i): [number, number] => [distance(query, row), i])
          .sort((a, b) => a[0] - b[0] || a[1] - b[1])
          .slice(0, 3)
          .map(([, i]) => i),
      );
      assert.deepEqual(indices.toArray(), expected);
    }),
    { numRuns: 60 },
  );
});

test("of equally many votes the smallest label wins, whatever the order of the rows", async () => {
  const x = tensor([[0], [1], [2], [3]]);
  const knn = new KNeighborsClassifier({ nNeighbors: 4 });
  knn.fit(x, tensor(new Int32Array([7, -3, 7, -3])));
  assert.deepEqual((await knn.predict(tensor([[0]]))).toArray(), [-3]);
  assert.deepEqual(knn.classes, [-3, 7]);
});

test("folds hold every row out once, shuffled by the seed", () => {
  const plain = kFold(7, { folds: 3 });
  assert.deepEqual(
    plain.map(({ test: held }) => [...held]),
    [
      [0, 1, 2],
      [3, 4],
      [5, 6],
    ],
  );
  assert.deepEqual([...plain[1]!.train], [0, 1, 2, 5, 6]);
  const mixed = kFold(50, { folds: 5, shuffle: true, seed: 3 });
  const all = mixed.flatMap(({ test: held }) => [...held]).sort((a, b) => a - b);
  assert.deepEqual(
    all,
    Array.from({ length: 50 }, (_, i) => i),
  );
  assert.notDeepEqual(mixed, kFold(50, { folds: 5, shuffle: true, seed: 4 }));
});

test("a search can be ended", async () => {
  const knn = new KNeighborsClassifier().fit(train.x, train.y);
  const stop = new AbortController();
  stop.abort(new Error("enough"));
  await assert.rejects(knn.predict(queries.x, { signal: stop.signal }), /enough/);
});

test("what does not fit is refused", async () => {
  const knn = new KNeighborsClassifier({ nNeighbors: 2 });
  await assert.rejects(knn.predict(tensor([[1]])), GradusError);
  const y = tensor(new Int32Array([0, 1]));
  assert.throws(() => knn.fit(tensor([[1], [Number.NaN]]), y), /x holds NaN in row 1/);
  assert.throws(() => knn.fit(tensor([[1]]), y), ShapeError);
  assert.throws(() => knn.fit(tensor([[1], [2]]), tensor([0.5, 1])), /expected class numbers/);
  knn.fit(tensor([[1], [2]]), y);
  await assert.rejects(knn.predict(tensor([[1, 2]])), /2 numbers a row; expected 1/);
  await assert.rejects(knn.predict(tensor([[1]]), { nNeighbors: 3 }), /from 1 to 2/);
  assert.throws(() => new KNeighborsClassifier({ nNeighbors: 0 }), ValueError);
  assert.throws(
    () => new KNeighborsClassifier({ k: 3 } as never),
    /unknown option "k", expected nN/,
  );
  assert.throws(() => new KNeighborsClassifier({ metric: "l3" as Metric }), ValueError);
  assert.throws(() => new KNeighborsClassifier({ weights: "no" as Weights }), ValueError);
  assert.throws(() => kFold(3, { folds: 4 }), ValueError);
  await assert.rejects(crossValidateNeighbors(tensor([[1], [2]]), y, { ks: [] }), ValueError);
});
