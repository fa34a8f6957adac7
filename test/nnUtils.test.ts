/** Clipping, averages, accumulation, computed weights, folding, cloning, sharing: what is done to modules as a whole. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compile,
  manualSeed,
  nn,
  noGrad,
  ones,
  optim,
  randn,
  setBackend,
  type Tensor,
  tensor,
  ValueError,
  vision,
} from "../src/index.js";
import { backends, use } from "./support/backends.js";
import { differ } from "./support/compare.js";
import { readFixture } from "./support/fixtures.js";
import { wave } from "./support/golden.js";

interface Fixture {
  readonly clip: Record<string, { norm: number; grads: number[][] }>;
  readonly swa: [string, number[]][];
  readonly ema: [string, number[]][];
  readonly updateBn: [string, number[]][];
  readonly computed: Record<"weight_norm" | "spectral_norm", [string, number[]][]>;
}

const fixtures = readFixture<Fixture>("optimizers.json.gz");
const bounds = { relative: 1e-5, absolute: 1e-6 };
const { utils } = nn;
const { swaUtils } = optim;

test("gradients are clipped by norm as in PyTorch, eager and compiled", async () => {
  for (const place of backends) {
    use(place);
    for (const [type, { norm, grads }] of Object.entries(fixtures.clip)) {
      const normType = type === "inf" ? Number.POSITIVE_INFINITY : Number(type);
      for (const compiled of [false, true]) {
        const p = tensor([0, 0, 0, 0, 0, 0], { requiresGrad: true });
        const q = tensor([0, 0, 0, 0], { requiresGrad: true, dtype: "float64" });
        const run = (a: Tensor, b: Tensor) => {
          p.grad = a;
          q.grad = b.mul(3);
          return utils.clipGradNorm([p, q], 1.5, { normType });
        };
        const call = compiled ? compile(run) : run;
        const total = await call(wave([6], 0.5, 1), wave([4], 2.5, 1, "float64"));
        const where = `${type} ${compiled} on ${place.name}`;
        assert.equal(differ(total.data, [norm], bounds), null, where);
        assert.equal(differ(p.grad!.data, grads[0]!, bounds), null, where);
        assert.equal(differ(q.grad!.data, grads[1]!, bounds), null, where);
      }
    }
  }
});

test("small gradients stay, values are clipped one by one, and what cannot be is refused", async () => {
  setBackend("interpreter");
  const p = tensor([1, 1], { requiresGrad: true });
  p.grad = tensor([0.25, -0.5]);
  utils.clipGradNorm(p, 10);
  assert.deepEqual(p.grad?.toArray(), [0.25, -0.5]);
  utils.clipGradValue(p, 0.375);
  assert.deepEqual(p.grad?.toArray(), [0.25, -0.375]);
  p.grad = tensor([Number.NaN, 1]);
  assert.throws(() => utils.clipGradNorm(p, 1, { errorIfNonfinite: true }), /gradients is NaN/);
  assert.throws(() => utils.clipGradNorm(p, 0), ValueError);
  assert.throws(() => utils.clipGradValue(p, Number.NaN), ValueError);
  await assert.rejects(
    compile(() => utils.clipGradNorm(p, 1, { errorIfNonfinite: true }))(),
    /which a compiled function does not know/,
  );
});

for (const [name, avgFn] of [
  ["swa", swaUtils.getSwaAvgFn()],
  ["ema", swaUtils.getEmaAvgFn(0.9)],
] as const)
  test(`weights are averaged as in PyTorch: ${name}`, async () => {
    for (const place of backends) {
      use(place);
      for (const compiled of [false, true]) {
        const model = new nn.Linear(3, 2);
        const averaged = new swaUtils.AveragedModel(model, { avgFn });
        const run = (w: Tensor, b: Tensor) => {
          noGrad(() => {
            model.weight.assign(w);
            model.bias!.assign(b);
          });
          averaged.updateParameters(model);
        };
        const step = compiled ? compile(run) : run;
        for (let i = 0; i < 5; i++) await step(wave([2, 3], i, 1), wave([2], i + 1, 1));
        const state = [...averaged.stateDict()];
        assert.deepEqual(
          state.map(([key]) => key),
          fixtures[name].map(([key]) => key),
        );
        state.forEach(([key, x], i) => {
          assert.equal(differ(x.data, fixtures[name][i]![1], bounds), null, `${key} ${place.name}`);
        });
      }
    }
  });

test("batch norms are measured anew for averaged weights", async () => {
  setBackend("interpreter");
  const net = new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3), new nn.Dropout(0.5));
  net.eval();
  const norm = [...net][1] as nn.BatchNorm1d;
  const batches = [0, 1, 2].map((i) => wave([4, 2], i, 1));
  await swaUtils.updateBn(batches, net);
  const outputs = batches.map((x) => [...net][0]!.forward(x));
  const means = outputs.map((y) => y.mean(0));
  const mean = means[0]!.add(means[1]!).add(means[2]!).div(3);
  assert.equal(differ(norm.runningMean!.data, [...mean.data], bounds), null);
  assert.equal(norm.momentum, 0.1);
  assert.equal(net.training, false);
  assert.equal(norm.numBatchesTracked?.item(), 3);
});

test("statistics are measured anew as PyTorch's update_bn does, over batches of different sizes", async () => {
  for (const place of backends) {
    use(place);
    const net = new nn.Sequential(
      ...[new nn.BatchNorm1d(2), new nn.Tanh(), new nn.BatchNorm1d(2, { momentum: 0.3 })],
    );
    net.forward(wave([5, 2], 9, 3));
    await swaUtils.updateBn([wave([4, 2], 0, 1), wave([7, 2], 1, 1), wave([3, 2], 2, 1)], net);
    const state = [...net.stateDict()];
    assert.deepEqual(
      state.map(([key]) => key),
      fixtures.updateBn.map(([key]) => key),
    );
    state.forEach(([key, x], i) => {
      assert.equal(differ(x.data, fixtures.updateBn[i]![1], bounds), null, `${key} ${place.name}`);
    });
  }
});

test("gradients reach what weights are computed from, as in PyTorch, eager and compiled", async () => {
  const makers = { weight_norm: utils.weightNorm, spectral_norm: utils.spectralNorm };
  for (const place of backends)
    for (const name of ["weight_norm", "spectral_norm"] as const)
      for (const compiled of [false, true]) {
        use(place);
        const plain = new nn.Linear(3, 2);
        noGrad(() => plain.weight.assign(wave([2, 3], 1, 1)));
        noGrad(() => plain.bias!.assign(wave([2], 2, 1)));
        const layer = makers[name](plain);
        const state = layer.stateDict();
        if (name === "spectral_norm")
          noGrad(() => {
            state.get("weight_u")!.assign(wave([2], 0.3, 1));
            state.get("weight_v")!.assign(wave([3], 0.7, 1));
          });
        const run = (x: Tensor) => layer.forward(x).square().sum().backward();
        await (compiled ? compile(run) : run)(wave([4, 3], 0.1, 1));
        for (const [key, expected] of fixtures.computed[name]) {
          const where = `${name} ${key}, compiled ${compiled}, ${place.name}`;
          assert.equal(differ(state.get(key)!.grad!.data, expected, bounds), null, where);
        }
      }
});

test("accumulated gradients are those of one large batch, eager and compiled", async () => {
  for (const place of backends) {
    use(place);
    const x = wave([8, 3], 0.5, 1);
    const make = () => {
      const net = new nn.Linear(3, 1);
      noGrad(() => net.weight.assign(wave([1, 3], 1, 1)));
      noGrad(() => net.bias!.assign(tensor([0.5])));
      return { net, optimizer: new optim.Adam(net.parameters(), { lr: 0.1 }) };
    };
    const whole = make();
    for (let i = 0; i < 2; i++) {
      whole.optimizer.zeroGrad();
      whole.net.forward(x).square().mean().backward();
      whole.optimizer.step();
    }
    for (const compiled of [false, true]) {
      const { net, optimizer } = make();
      const accumulator = new optim.GradientAccumulator(optimizer, { steps: 4 });
      const run = (part: Tensor) => {
        accumulator.backward(net.forward(part).square().mean());
        accumulator.step();
      };
      const step = compiled ? compile(run) : run;
      for (let i = 0; i < 8; i++) await step(x.narrow(0, 2 * (i % 4), 2));
      const where = `${compiled} ${place.name}`;
      const close = { relative: 2e-5, absolute: 2e-6 };
      assert.equal(differ(net.weight.data, [...whole.net.weight.data], close), null, where);
    }
  }
});

test("computed weights train, are cloned with their module, and can be made plain again", () => {
  setBackend("interpreter");
  manualSeed(1);
  const wraps = [
    (m: nn.Linear) => utils.weightNorm(m),
    (m: nn.Linear) => utils.spectralNorm(m),
    (m: nn.Linear) => utils.parametrizations.weightNorm(m),
    (m: nn.Linear) => utils.parametrizations.spectralNorm(m),
  ];
  for (const wrap of wraps) {
    const layer = wrap(new nn.Linear(3, 2));
    const x = wave([4, 3], 0, 1);
    layer.forward(x).square().sum().backward();
    assert.ok(layer.parameters().every((p) => p.grad !== null));
    layer.eval();
    const copy = utils.cloneModule(layer);
    const before = layer.forward(x).toArray();
    assert.deepEqual(copy.forward(x).toArray(), before);
    for (const p of copy.parameters()) noGrad(() => p.assign(ones([...p.shape])));
    assert.deepEqual(layer.forward(x).toArray(), before);
    assert.notDeepEqual(copy.forward(x).toArray(), before);
  }
  const normed = utils.weightNorm(new nn.Linear(3, 2));
  const weight = normed.weight.toArray();
  utils.removeWeightNorm(normed);
  assert.deepEqual([...normed.stateDict().keys()], ["bias", "weight"]);
  assert.deepEqual(normed.weight.toArray(), weight);
  const spectral = utils.parametrizations.spectralNorm(new nn.Linear(3, 2)).eval();
  const divided = spectral.weight.toArray();
  utils.parametrize.removeParametrizations(spectral, "weight");
  assert.deepEqual([...spectral.stateDict().keys()], ["bias", "weight"]);
  assert.deepEqual(spectral.weight.toArray(), divided);
  assert.throws(() => utils.weightNorm(new nn.Linear(3, 2), { name: "heft" }), /heft of Linear is/);
  assert.throws(() => utils.removeWeightNorm(normed), /weight of Linear is not computed/);
  const twice = utils.weightNorm(new nn.Linear(3, 2));
  assert.throws(() => utils.spectralNorm(twice), /weight of Linear is computed already/);
});

test("spectral norm makes the largest singular value 1", () => {
  setBackend("interpreter");
  manualSeed(2);
  const layer = utils.spectralNorm(new nn.Conv2d(3, 5, 2), { nPowerIterations: 50 });
  const weight = layer.weight.reshape([5, -1]);
  const largest = weight.svd().S.max().item();
  assert.ok(Math.abs(largest - 1) < 1e-4, String(largest));
});

test("a shared parameter is listed once and named twice", () => {
  setBackend("interpreter");
  class Tied extends nn.Module {
    readonly embed = new nn.Embedding(5, 3);
    readonly out = new nn.Linear(3, 5, { bias: false });

    constructor() {
      super();
      (this.out as { weight: nn.Parameter }).weight = this.embed.weight;
    }

    forward(x: Tensor): Tensor {
      return this.out.forward(this.embed.forward(x));
    }
  }
  const model = new Tied();
  assert.equal(model.parameters().length, 1);
  assert.deepEqual([...model.stateDict().keys()], ["embed.weight", "out.weight"]);
  const copy = utils.cloneModule(model);
  assert.equal(copy.out.weight, copy.embed.weight);
  assert.notEqual(copy.out.weight, model.embed.weight);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  model
    .forward(tensor([1, 2], { dtype: "int32" }))
    .sum()
    .backward();
  optimizer.step();
  assert.equal(model.out.weight, model.embed.weight);
  model.loadStateDict(copy.stateDict());
  assert.deepEqual(model.out.weight.toArray(), copy.embed.weight.toArray());
});

test("classes with #private fields are refused when they are copied, not when the copy is used", () => {
  class Hidden extends nn.Linear {
    readonly #factor = 2;

    override forward(x: Tensor): Tensor {
      return super.forward(x).mul(this.#factor);
    }
  }
  const model = new nn.Sequential(new Hidden(2, 2));
  for (const copy of [
    () => utils.cloneModule(model),
    () => new swaUtils.AveragedModel(model),
    () => utils.foldBatchNorm(model),
  ])
    assert.throws(copy, /^ValueError: cloneModule: Hidden has #private fields/);
});

test("hooks see inputs and outputs, may replace these, and go away", () => {
  setBackend("interpreter");
  const net = new vision.LeNet5();
  const seen: string[] = [];
  const hooks = [...net.namedModules()].map(([name, part]) =>
    part.registerForwardHook(() => void seen.push(name)),
  );
  net.forward(randn([1, 1, 28, 28]));
  assert.equal(seen.at(-1), "");
  assert.ok(seen.includes("fc1"));
  for (const hook of hooks) hook.remove();
  net.forward(randn([1, 1, 28, 28]));
  assert.equal(seen.length, hooks.length);
  const layer = new nn.Linear(2, 2);
  const [first, second] = [1, 2].map((k) =>
    layer.registerForwardHook((_, y) => (y as Tensor).mul(0).add(k)),
  );
  assert.deepEqual(layer.forward(ones([1, 2])).toArray(), [[2, 2]]);
  first!.remove();
  second!.remove();
  const y = layer.forward(ones([1, 2]));
  assert.notDeepEqual(y.toArray(), [[2, 2]]);
  assert.equal(Object.hasOwn(layer, "stateDict"), false);
});

test("containers refuse what they do not have", () => {
  const list = new nn.ModuleList([new nn.ReLU()]);
  assert.throws(() => list.at(1), /ModuleList: index 1 is out of range for 1 entries/);
  assert.throws(
    () => new nn.ModuleDict({ "a.b": new nn.ReLU() }),
    /must not be empty or hold a dot/,
  );
  assert.throws(() => new nn.ModuleDict({ a: new nn.ReLU() }).get("b"), /has no "b", only a/);
  assert.throws(() => list.forward(), /ModuleList: has no forward/);
  assert.throws(() => list.append(3 as never), ValueError);
  list.insert(0, new nn.Tanh() as never);
  assert.deepEqual(
    [...list].map((m) => m.constructor.name),
    ["Tanh", "ReLU"],
  );
});
