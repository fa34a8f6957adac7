/** Averages of outputs and of weights, several looks, folds: against other libraries' numbers; refusals. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  arange,
  compile,
  data,
  manualSeed,
  nn,
  optim,
  randn,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
} from "../src/index.js";
import type { SafetensorsContent } from "../src/io/browser.js";
import {
  averageWeights,
  crossValidate,
  Ensemble,
  evaluate,
  type FitOptions,
  fit,
  flipViews,
  greedySoup,
  predict,
  restartSchedule,
  Snapshots,
  shiftViews,
  TestTimeAugmentation,
  tenCropViews,
  uniformSoup,
} from "../src/train/index.js";
import { backends, everywhere, use } from "./support/backends.js";
import { differ, float64Bounds } from "./support/compare.js";
import { copyOf } from "./support/fitRuns.js";
import { readFixture } from "./support/fixtures.js";
import { assertNear as near } from "./support/near.js";

use(backends.find(({ backend }) => backend === "native") ?? backends.at(-1)!);

type Rows = number[][];
const fixture = readFixture<{
  ensemble: { outputs: Rows[] } & Record<"probabilities" | "weighted" | "logits", Rows>;
  folds: { labels: number[]; folds: number; places: number[] }[];
}>("evaluation.json.gz");

const wide = (values: number[] | Rows): Tensor => tensor(values, { dtype: "float64" });

everywhere(
  "an ensemble's probabilities and logits are NumPy's averages, eager and compiled",
  async () => {
    const { outputs, ...expected } = fixture.ensemble;
    class Fixed extends nn.Module {
      readonly values: nn.Buffer;
      constructor(values: Rows) {
        super();
        this.values = new nn.Buffer(wide(values));
      }
      override forward(x: Tensor): Tensor {
        return this.values.add(x.mul(0));
      }
    }
    const members = outputs.map((values) => new Fixed(values));
    const cases = {
      probabilities: new Ensemble(members),
      weighted: new Ensemble(members, { weights: [1, 2, 5] }),
      logits: new Ensemble(members, { average: "logits" }),
    };
    const x = wide(outputs[0]!);
    for (const [name, ensemble] of Object.entries(cases)) {
      const wanted = expected[name as "logits"].flat();
      assert.equal(differ(ensemble.forward(x).data, wanted, float64Bounds), null, name);
      const run = compile((input: Tensor) => ensemble.forward(input));
      assert.equal(differ((await run(x)).data, wanted, float64Bounds), null, name);
    }
    const one = new Ensemble(members.slice(0, 1), { average: "logits" });
    assert.deepEqual([...one.forward(x).data], outputs[0]!.flat());
    assert.deepEqual(
      [...cases.logits.stateDict().keys()],
      [0, 1, 2].map((i) => `members.${i}.values`),
    );
  },
);

everywhere("views are looks at each picture, and their answers are averaged", async () => {
  manualSeed(1);
  const x = randn([2, 1, 6, 6]);
  const net = new nn.Sequential(new nn.Flatten(), new nn.Linear(36, 3));
  const flipped = new TestTimeAugmentation(net, { average: "logits" });
  const mean = net
    .forward(x)
    .add(net.forward(x.flip(3)))
    .div(2);
  assert.equal(
    differ(flipped.forward(x).data, mean.data, { relative: 1e-5, absolute: 1e-6 }),
    null,
  );
  const mirrored = flipped.forward(x.flip(3));
  assert.equal(differ(mirrored.data, mean.data, { relative: 1e-5, absolute: 1e-6 }), null);
  const run = compile((input: Tensor) => flipped.forward(input));
  assert.deepEqual((await run(x)).shape, [2, 3]);
  const crops = new nn.Sequential(new nn.Flatten(), new nn.Linear(16, 3));
  const cut = new TestTimeAugmentation(crops, { views: tenCropViews(4) });
  near(cut.forward(x).exp().sum().item(), 2, 1e-5);
  const ramp = arange(16).float().reshape([1, 1, 1, 16]).expand([1, 1, 16, 16]);
  const enlarged = tenCropViews([8, 8], { enlarge: true })(ramp);
  assert.ok(enlarged.every(({ shape }) => String(shape) === "1,1,16,16"));
  // The mean of a corner's columns 0 to 7, of the middle's 4 to 11, and of the mirrored corner's 15 to 8.
  for (const [i, mean] of [3.5, 11.5, 3.5, 11.5, 7.5, 11.5].entries())
    near(enlarged[i]!.mean().item(), mean, 1e-5);
  const moved = shiftViews(2)(arange(9).reshape([1, 1, 3, 3]));
  assert.deepEqual(
    moved.map((view) => [...view.data]),
    [
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
      [0, 1, 2, 0, 1, 2, 0, 1, 2],
      [6, 7, 8, 6, 7, 8, 6, 7, 8],
      [0, 0, 0, 3, 3, 3, 6, 6, 6],
      [2, 2, 2, 5, 5, 5, 8, 8, 8],
    ],
  );
  assert.equal(flipViews(x).length, 2);
});

const points = new data.TensorDataset(
  tensor([0, 1, 2, 3, 4, 5, 6, 7], { shape: [8, 1] }),
  tensor([0, 0, 0, 0, 1, 1, 1, 1], { dtype: "int32" }),
);
const loader = (batchSize = 4) => new data.DataLoader(points, { batchSize });

test("predictions come in the loader's order, in eval mode, which is put back", async () => {
  const net = new nn.Sequential(new nn.Dropout(0.5));
  const { outputs, targets } = await predict(net, loader(3));
  assert.deepEqual([...outputs.data], [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual([...targets.data], [0, 0, 0, 0, 1, 1, 1, 1]);
  assert.ok(net.training);
  const controller = new AbortController();
  controller.abort();
  await assert.rejects(predict(net, loader(), { signal: controller.signal }), {
    name: "AbortError",
  });
  assert.ok(net.training);
});

/** A linear model with a weight. */
function linear(weight: number): nn.Linear {
  const model = new nn.Linear(1, 1, { bias: false });
  model.weight.assign(tensor([[weight]]));
  return model;
}

test("soups: the mean of all, and only those that help", async () => {
  const weights = [2, 4, 9].map((w) => linear(w).stateDict());
  near(averageWeights(weights).get("weight")!.item(), 5);
  const model = linear(0);
  await uniformSoup(model, weights);
  assert.equal(model.weight.item(), 5);
  const score = () => -Math.abs(model.weight.item() - 3);
  const soup = await greedySoup(model, weights, score);
  assert.deepEqual(soup, { members: [0, 1], score: -0, scores: [-1, -1, -6] });
  assert.equal(model.weight.item(), 3);
  const failing = greedySoup(model, weights, () => Number.NaN);
  await assert.rejects(failing, ValueError);
  assert.equal(model.weight.item(), 3);
});

test("a soup's batch norm is measured anew", async () => {
  const make = () => [new nn.Linear(1, 1), new nn.BatchNorm1d(1)] as const;
  const [[layer, norm], a, b] = [make(), make(), make()];
  const model = new nn.Sequential(layer, norm);
  const members = [a, b].map((parts) => new nn.Sequential(...parts).stateDict());
  const batches = [tensor([[1], [3]]), tensor([[5], [7]])];
  await uniformSoup(model, members, { batches });
  near(layer.weight.item(), (a[0].weight.item() + b[0].weight.item()) / 2, 1e-6);
  near(norm.runningMean!.item(), layer.forward(tensor([[4]])).item(), 1e-5);
});

/** Stops a run after a step and keeps its checkpoint. */
function interrupted(step: number) {
  let saved: SafetensorsContent | undefined;
  const controller = new AbortController();
  const options: Partial<FitOptions> = {
    signal: controller.signal,
    onEvent(event) {
      if (event.type === "step" && event.step === step) controller.abort();
    },
    checkpoint: {
      save(content) {
        saved = copyOf(content);
      },
    },
  };
  return { options, saved: () => saved };
}

test("snapshots are the weights at the ends of the cycles, also across an interruption", async () => {
  const start = async (snapshots: Snapshots, options: Partial<FitOptions> = {}) => {
    manualSeed(4);
    const model = new nn.Linear(1, 2);
    const seen: number[] = [];
    await fit(model, {
      optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
      train: loader(),
      epochs: 6,
      schedule: restartSchedule(3),
      callbacks: [
        snapshots,
        (event) => {
          if (event.type === "epoch" && event.epoch % 2 === 0) seen.push(model.weight.data[0]!);
        },
      ],
      ...options,
    });
    return { model, seen };
  };
  const whole = new Snapshots(3);
  const { model, seen } = await start(whole);
  const kept = (snapshots: Snapshots) => snapshots.weights.map((own) => own.get("weight")!.data[0]);
  assert.equal(new Set(seen).size, 3);
  assert.deepEqual(kept(whole), seen);
  const stopped = interrupted(9);
  await start(new Snapshots(3), stopped.options);
  const resumed = new Snapshots(3);
  await start(resumed, { resume: stopped.saved()! });
  assert.deepEqual(kept(resumed), seen);
  const ensemble = resumed.ensemble(model);
  assert.equal(ensemble.members.length, 3);
  assert.deepEqual((await evaluate(ensemble, loader())).loss > 0, true);
  await assert.rejects(start(new Snapshots(4)), /6 epochs make no 4 cycles/);
  assert.throws(() => new Snapshots(2).ensemble(model), ValueError);
});

test("the mean of the later epochs' weights is the model's in the end, also across an interruption", async () => {
  const start = async (options: Partial<FitOptions> = {}) => {
    manualSeed(4);
    const model = new nn.Sequential(new nn.Linear(1, 2), new nn.BatchNorm1d(2));
    const seen: Map<string, Tensor>[] = [];
    await fit(model, {
      optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
      train: loader(),
      epochs: 5,
      swa: { start: 0, everyEpochs: 2 },
      callbacks: [
        (event) => {
          if (event.type === "epoch" && event.epoch % 2 === 0)
            seen.push(averageWeights([model.stateDict()]));
        },
      ],
      ...options,
    });
    return { model, seen };
  };
  const { model, seen } = await start();
  assert.equal(seen.length, 2);
  const expected = averageWeights(seen);
  const weightsOf = (own: nn.Module) => [...own.namedParameters()].flatMap(([, x]) => [...x.data]);
  const wanted = [...model.namedParameters()].flatMap(([name]) => [...expected.get(name)!.data]);
  assert.equal(differ(weightsOf(model), wanted, { relative: 1e-6, absolute: 1e-7 }), null);
  const [layer, norm] = [...model] as [nn.Linear, nn.BatchNorm1d];
  const hidden = layer.forward(points.tensors[0]!);
  const means = norm.runningMean!.data;
  assert.equal(differ(means, hidden.mean(0).data, { relative: 1e-5, absolute: 1e-6 }), null);
  const stopped = interrupted(7);
  await start(stopped.options);
  const resumed = await start({ resume: stopped.saved()! });
  assert.deepEqual(weightsOf(resumed.model), weightsOf(model));
  await assert.rejects(start({ swa: { start: -1 } }), ValueError);
});

test("folds have the same share of each class, in scikit-learn's places", () => {
  for (const { labels, folds, places } of fixture.folds) {
    const parts = data.stratifiedKFold(labels, { folds });
    const own = new Int32Array(labels.length).fill(-1);
    for (const [fold, { train, test: held }] of parts.entries()) {
      for (const i of held) own[i] = fold;
      assert.deepEqual(
        [...train, ...held].sort((a, b) => a - b),
        [...labels.keys()],
      );
    }
    assert.deepEqual([...own], places);
    const mixed = data.stratifiedKFold(labels, { folds, shuffle: true, seed: 1 });
    const counts = (held: Int32Array) => {
      const count = new Map<number, number>();
      for (const i of held) count.set(labels[i]!, (count.get(labels[i]!) ?? 0) + 1);
      return [...count.values()];
    };
    for (const kind of new Set(labels)) {
      const sizes = mixed.map(({ test: held }) => held.filter((i) => labels[i] === kind).length);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `${counts(mixed[0]!.test)}`);
    }
    assert.notDeepEqual(mixed, parts);
  }
});

test("cross-validation trains on the rest of each fold and gives mean and spread", async () => {
  const labels = [0, 0, 0, 0, 1, 1, 1, 1];
  const seeds: number[] = [];
  const done: number[] = [];
  const result = await crossValidate(
    points,
    async ({ train, validation, seed, fold }) => {
      seeds.push(seed);
      assert.deepEqual([train.length, validation.length], [6, 2]);
      const held = await Promise.all([0, 1].map(async (i) => (await validation.get(i))[1]));
      assert.deepEqual(
        held.map((y) => (y as Tensor).data[0]),
        [0, 1],
      );
      return { score: fold, twice: 2 * fold };
    },
    { folds: 4, labels, seed: 2, onFold: (count) => done.push(count) },
  );
  assert.deepEqual(result.mean, { score: 1.5, twice: 3 });
  near(result.std.score!, Math.sqrt(1.25));
  assert.deepEqual(seeds, [8, 9, 10, 11]);
  assert.deepEqual(done, [1, 2, 3, 4]);
  const controller = new AbortController();
  const stopped = crossValidate(
    points,
    async () => {
      controller.abort();
      return { score: 1 };
    },
    { folds: 2, signal: controller.signal },
  );
  await assert.rejects(stopped, { name: "AbortError" });
});

test("what makes no sense is refused", async () => {
  const x = tensor([[1, 2]]);
  const one = new nn.Identity();
  for (const make of [
    () => new Ensemble([]),
    () => new Ensemble([one], { weights: [0] }),
    () => new Ensemble([one], { weights: [1, 2] }),
    () => new Ensemble([one], { average: "median" as "logits" }),
    () => new TestTimeAugmentation(one, { views: () => [] }).forward(x),
    () => shiftViews(0),
    () => restartSchedule(0),
    () => new Snapshots(1.5),
    () => averageWeights([]),
    () => averageWeights([linear(1).stateDict(), new nn.Linear(1, 1).stateDict()]),
    () => data.stratifiedKFold([0, 0, 1], { folds: 2 }),
    () => data.kFold(1),
  ])
    assert.throws(make, ValueError);
  for (const make of [
    () =>
      new TestTimeAugmentation(one, { views: (y) => [y.flatten()] }).forward(
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ),
    () => averageWeights([linear(1).stateDict(), new nn.Linear(2, 1, { bias: false }).stateDict()]),
  ])
    assert.throws(make, ShapeError);
  const names = crossValidate(points, async ({ fold }) => ({ [`m${fold}`]: 1 }), { folds: 2 });
  await assert.rejects(names, ValueError);
  await assert.rejects(
    crossValidate(points, async () => ({}), { labels: [1] }),
    ShapeError,
  );
});
