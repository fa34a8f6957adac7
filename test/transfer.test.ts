/** Transfer learning: weights by name, freezing, new heads, learning rates by depth, embeddings; beside PyTorch's numbers. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  compile,
  data,
  GradusError,
  manualSeed,
  nn,
  ones,
  optim,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "../src/index.js";
import { saveSafetensors } from "../src/io/index.js";
import {
  depthLayers,
  describeWeights,
  embed,
  fit,
  freeze,
  gradualUnfreezing,
  layerwiseGroups,
  loadWeights,
  replaceHead,
  type TrainEvent,
  trainableReport,
  unfreeze,
} from "../src/train/index.js";
import { CheckpointFolder, loadWeightsFile } from "../src/train/node/index.js";
import { backends, use } from "./support/backends.js";
import { differ } from "./support/compare.js";
import { fill, wave } from "./support/golden.js";

const folder = mkdtempSync(join(tmpdir(), "gradus-transfer-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Expected {
  readonly losses: readonly number[];
  readonly state: Readonly<Record<string, readonly number[]>>;
  readonly embedding?: readonly (readonly number[])[];
}

const fixtures = JSON.parse(
  readFileSync(new URL("fixtures/transfer.json", import.meta.url), "utf8"),
) as Record<"layerwise" | "frozenEval" | "frozenTrain" | "gradual", Expected>;

const bounds = { relative: 2e-4, absolute: 2e-5 };

const mlp = () =>
  new nn.Sequential(
    ...[new nn.Linear(6, 8), new nn.Tanh(), new nn.Linear(8, 8), new nn.Tanh()],
    new nn.Linear(8, 3),
  );

const normed = () =>
  new nn.Sequential(
    ...[new nn.Linear(6, 8), new nn.BatchNorm1d(8), new nn.ReLU()],
    ...[new nn.Linear(8, 8), new nn.BatchNorm1d(8), new nn.ReLU()],
    new nn.Linear(8, 3),
  );

const targets = tensor(Int32Array.from({ length: 12 }, (_, i) => i % 3));

async function trainLike(
  expected: Expected,
  model: nn.Sequential,
  optimizer: optim.Optimizer,
  before: (step: number) => void = () => {},
): Promise<void> {
  const step = compile((x: Tensor) => {
    const loss = nn.functional.crossEntropy(model.forward(x), targets);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  const losses: number[] = [];
  for (let i = 0; i < expected.losses.length; i++) {
    before(i);
    losses.push((await step(wave([12, 6], 0.9 * i, 1))).item());
  }
  assert.equal(differ(losses, expected.losses, bounds), null);
  for (const [name, x] of model.stateDict())
    assert.equal(differ(x.data, expected.state[name]!, bounds), null, name);
}

for (const place of backends) {
  test(`learning rates by depth, as PyTorch's groups (${place.backend})`, async () => {
    use(place);
    const model = fill(mlp());
    const options = { lr: 0.05, decay: 0.4, weightDecay: 0.2, noDecay: "vectors" } as const;
    const groups = layerwiseGroups(model, options);
    assert.deepEqual(
      groups.map(({ params, lr }) => [params.length, Number(lr.toPrecision(6))]),
      [0.008, 0.008, 0.02, 0.02, 0.05, 0.05].map((lr) => [1, lr]),
    );
    await trainLike(fixtures.layerwise, model, new optim.AdamW(groups));
  });

  test(`frozen layers and batch norms, as PyTorch's (${place.backend})`, async () => {
    use(place);
    for (const batchNorm of ["eval", "train"] as const) {
      const model = fill(normed()).train();
      const report = freeze(model, ["0", "1"], { batchNorm });
      assert.deepEqual([report.frozen, report.trainable], [72, 115]);
      assert.deepEqual(report.heldInEval, batchNorm === "eval" ? ["1"] : []);
      model.train();
      const optimizer = new optim.SGD(model.parameters(), {
        lr: 0.1,
        momentum: 0.9,
        weightDecay: 0.01,
      });
      const expected = fixtures[batchNorm === "eval" ? "frozenEval" : "frozenTrain"];
      await trainLike(expected, model, optimizer);
      // No state for what is frozen: its parameters were passed by.
      assert.deepEqual(Object.keys(optimizer.stateDict().state), ["4", "5", "6", "7", "8", "9"]);
      const x = wave([4, 6], 3, 1);
      const loader = new data.DataLoader(new data.TensorDataset(x), { batchSize: 3 });
      const { embeddings, labels } = await embed(model, loader);
      assert.equal(labels, null);
      assert.deepEqual(embeddings.shape, [4, 8]);
      assert.equal(differ(embeddings.data, expected.embedding!.flat(), bounds), null);
    }
  });

  test(`layers that join one after another, as PyTorch's (${place.backend})`, async () => {
    use(place);
    const model = fill(mlp());
    const unfreezing = gradualUnfreezing(model, { everyEpochs: 2 });
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
    await trainLike(fixtures.gradual, model, optimizer, (step) => unfreezing.apply(step + 1));
  });
}

test("weights are loaded by name, renamed, and reported; nothing changes on an error", () => {
  const source = fill(mlp());
  const wrapped = [...source.stateDict()].map(([name, x]) => [`module.${name}`, x] as const);
  const model = mlp();
  const before = [...model.stateDict()].map(([, x]) => [...x.data]);
  const unchanged = () =>
    assert.deepEqual(
      [...model.stateDict()].map(([, x]) => [...x.data]),
      before,
    );
  assert.throws(() => loadWeights(model, wrapped), {
    name: "GradusError",
    message: /rename: \[\["module\.",""\]\] 6 more would fit/,
  });
  assert.throws(() => loadWeights(model, wrapped, { strict: false }), /nothing fits/);
  const nan = new Map<string, Tensor>([
    ...source.stateDict(),
    ["4.bias", tensor([1, Number.NaN, 2])],
  ]);
  assert.throws(() => loadWeights(model, nan), /4\.bias holds NaN at 1/);
  const large = tensor([1, 1e300, 2], { dtype: "float64" });
  const huge = new Map<string, Tensor>([...source.stateDict(), ["4.bias", large]]);
  assert.throws(() => loadWeights(model, huge), /4\.bias holds Infinity/);
  const other = new Map<string, Tensor>([...source.stateDict(), ["4.bias", ones([5])]]);
  assert.throws(
    () => loadWeights(model, other),
    (error) =>
      error instanceof ShapeError &&
      /4\.bias: expected float32\[3\], got float32\[5\]/.test(error.message),
  );
  const twice = { rename: [[/^.*weight$/, "0.weight"]] } as const;
  assert.throws(() => loadWeights(model, source.stateDict(), twice), /two tensors are called/);
  assert.throws(() => loadWeights(model, source.stateDict(), { only: "fc" }), ValueError);
  unchanged();
  const report = loadWeights(model, wrapped, { rename: [["module.", ""]], exclude: "4" });
  assert.deepEqual(report.loaded, ["0.weight", "0.bias", "2.weight", "2.bias"]);
  assert.deepEqual(report.excluded, ["4.weight", "4.bias"]);
  assert.deepEqual(
    [...model.stateDict().get("2.bias")!.data],
    [...source.stateDict().get("2.bias")!.data],
  );
  const partial = loadWeights(model, [...other, ["extra", ones([1])]], { strict: false });
  assert.deepEqual(partial.wrongShape, [
    { name: "4.bias", expected: "float32[3]", got: "float32[5]" },
  ]);
  assert.deepEqual([partial.missing, partial.unexpected], [[], ["extra"]]);
  assert.match(describeWeights(partial), /^5 tensors loaded\n1 unexpected, left out: extra\n/);
  const wide = new Map([...source.stateDict()].map(([k, x]) => [k, x.detach().to("float64")]));
  assert.equal(loadWeights(model, wide).loaded.length, 6);
});

test("a shared tensor is not missing where one of its names is given", () => {
  class Tied extends nn.Module {
    into = new nn.Linear(3, 3, { bias: false });
    out = this.into;
    forward(x: Tensor): Tensor {
      return this.out.forward(this.into.forward(x));
    }
  }
  const report = loadWeights(new Tied(), [["into.weight", ones([3, 3])]]);
  assert.deepEqual([report.loaded, report.missing], [["into.weight"], []]);
});

test("weights come from safetensors files, checkpoints and run folders", async () => {
  const source = fill(mlp());
  const file = join(folder, "model.safetensors");
  saveSafetensors(file, source.stateDict());
  assert.equal(loadWeightsFile(mlp(), file).loaded.length, 6);
  assert.equal(loadWeightsFile(mlp(), folder).loaded.length, 6);
  const checkpoint = join(folder, "checkpoint.safetensors");
  const examples = new data.TensorDataset(wave([12, 6], 0, 1), targets);
  await fit(source, {
    optimizer: new optim.Adam(source.parameters()),
    train: new data.DataLoader(examples, { batchSize: 6 }),
    epochs: 1,
    checkpoint: {
      save: ({ tensors, metadata }) => saveSafetensors(checkpoint, tensors, { metadata }),
    },
  });
  const model = mlp();
  assert.deepEqual(loadWeightsFile(model, checkpoint).loaded.length, 6);
  assert.deepEqual([...model.parameters()[0]!.data], [...source.parameters()[0]!.data]);
  const run = join(folder, "run");
  const kept = new CheckpointFolder(join(run, "checkpoints"));
  await fit(source, {
    optimizer: new optim.Adam(source.parameters(), { lr: 0.01 }),
    train: new data.DataLoader(examples, { batchSize: 6 }),
    epochs: 2,
    checkpoint: { save: kept.save },
  });
  loadWeightsFile(model, run);
  assert.deepEqual([...model.parameters()[0]!.data], [...source.parameters()[0]!.data]);
  writeFileSync(join(folder, "old.pt"), "PK");
  assert.throws(() => loadWeightsFile(model, join(folder, "old.pt")), /safetensors\.torch/);
  writeFileSync(join(folder, "broken.safetensors"), new Uint8Array(40).fill(255));
  assert.throws(() => loadWeightsFile(model, join(folder, "broken.safetensors")), GradusError);
  assert.throws(() => loadWeightsFile(model, join(folder, "nowhere")), /ENOENT/);
});

test("patterns choose parameters; one that fits nothing is an error and freezes nothing", () => {
  const model = normed();
  assert.throws(() => freeze(model, ["0", "head"]), /"head" fits no name/);
  assert.equal(trainableReport(model).frozen, 0);
  assert.equal(
    freeze(model, /bias$/).names.every((name) => name.endsWith("weight")),
    true,
  );
  assert.deepEqual(unfreeze(model).frozen, 0);
  assert.deepEqual(freeze(model, "?.weight").frozen, 48 + 8 + 64 + 8 + 24);
  unfreeze(model);
  const held = freeze(model, "*");
  assert.deepEqual([held.trainable, held.heldInEval], [0, ["1", "4"]]);
  model.train();
  const modes = [...model.namedModules()].filter(([, { training }]) => !training);
  assert.deepEqual(
    modes.map(([name]) => name),
    ["1", "4"],
  );
  assert.deepEqual(unfreeze(model, "4").heldInEval, ["1"]);
  assert.equal(model.getSubmodule("4").training, true);
  assert.deepEqual(nn.utils.cloneModule(model).train().getSubmodule("1").training, false);
});

test("a gradient from before is not used once its parameter is frozen", () => {
  const model = new nn.Linear(2, 2);
  model
    .forward(ones([1, 2]))
    .sum()
    .backward();
  freeze(model, "weight");
  const before = [...model.weight.data];
  new optim.SGD(model.parameters(), { lr: 1 }).step();
  assert.deepEqual([...model.weight.data], before);
  assert.equal(model.bias!.grad !== null, true);
});

test("a head is replaced by name or as the last layer, with its settings", () => {
  class Net extends nn.Module {
    body = new nn.Conv2d(1, 4, 3, { padding: 1, stride: 2, bias: false });
    heads = [new nn.Linear(4, 10), new nn.Linear(4, 7, { bias: false })];
    forward(x: Tensor): Tensor {
      return this.heads[1]!.forward(this.body.forward(x).mean([2, 3]));
    }
  }
  const model = new Net();
  const { name, head, old } = replaceHead(model, 3, { init: "zeros" });
  assert.equal(name, "heads.1");
  assert.deepEqual([head.weight.shape, head.bias, old.weight.shape], [[3, 4], null, [7, 4]]);
  assert.deepEqual(model.forward(ones([1, 1, 4, 4])).toArray(), [[0, 0, 0]]);
  const body = replaceHead(model, 4, { name: "body", init: "small" });
  assert.deepEqual(model.body.forward(ones([1, 1, 4, 4])).shape, [1, 4, 2, 2]);
  const most = body.head.weight.abs().max().item();
  assert.ok(most > 0 && most <= 0.02);
  assert.throws(
    () => replaceHead(model, 3, { name: "neck" }),
    /"neck" is no .* body, heads\.0, heads\.1/,
  );
  assert.throws(() => replaceHead(model, 0), ValueError);
  assert.throws(() => replaceHead(new nn.Sequential(new nn.ReLU()), 3), ValueError);
  const grouped = new nn.Sequential(new nn.Conv2d(4, 4, 1, { groups: 2 }));
  assert.throws(() => replaceHead(grouped, 3), /2 groups of "0" do not divide 3/);
});

test("layers are found in a model's fields, or cut by patterns", () => {
  class Vit extends nn.Module {
    token = new nn.Parameter(zeros([1, 1, 4]));
    embed = new nn.Linear(8, 4);
    blocks = new nn.ModuleList([new nn.MultiheadAttention(4, 1), new nn.MultiheadAttention(4, 1)]);
    norm = new nn.LayerNorm(4);
    head = new nn.Linear(4, 2);
    forward(x: Tensor): Tensor {
      return x;
    }
  }
  const model = new Vit();
  const shown = depthLayers(model).map(({ name, parameters }) => [name, parameters.length]);
  assert.deepEqual(shown, [
    ["embed", 3],
    ["blocks.0", 4],
    ["blocks.1", 6],
    ["head", 2],
  ]);
  const cut = depthLayers(model, [["token", "embed"], "blocks.*", ["norm", "head"]]);
  assert.deepEqual(
    cut.map(({ parameters }) => parameters.length),
    [3, 8, 4],
  );
  assert.throws(() => depthLayers(model, ["blocks", "head"]), /no layer takes token, embed/);
  assert.throws(() => layerwiseGroups(model, { lr: 1, decay: 0 }), ValueError);
  const groups = layerwiseGroups(model, {
    lr: 1,
    decay: 0.5,
    weightDecay: 0.1,
    noDecay: ["token", "*bias"],
  });
  const count = groups.reduce((n, { params }) => n + params.length, 0);
  assert.equal(count, model.parameters().length);
});

test("gradual unfreezing follows fit's epochs, and a resumed run goes on where it was", async () => {
  const run = async (resumeAt?: number) => {
    manualSeed(3);
    const model = fill(normed());
    const examples = new data.TensorDataset(wave([12, 6], 0, 1), targets);
    const train = () => new data.DataLoader(examples, { batchSize: 4, shuffle: true, seed: 1 });
    const unfreezing = gradualUnfreezing(model);
    const seen: number[] = [];
    const controller = new AbortController();
    const options = {
      optimizer: new optim.Adam(model.parameters(), { lr: 0.05 }),
      train: train(),
      epochs: 4,
      callbacks: [unfreezing],
      onEvent: (event: TrainEvent) => {
        if (event.type !== "step") return;
        seen.push(trainableReport(model).trainable);
        if (event.step === resumeAt) controller.abort();
      },
    };
    let last: data.SafetensorsContent | undefined;
    const copy = (x: data.ArrayData) => ({ ...x, data: x.data.slice() });
    const checkpoint = {
      save: ({ tensors, metadata }: data.SafetensorsContent) => {
        last = { tensors: new Map([...tensors].map(([k, x]) => [k, copy(x)])), metadata };
      },
    };
    await fit(model, { ...options, checkpoint, signal: controller.signal });
    if (resumeAt === undefined) return { model, seen };
    const next = fill(normed());
    const again = gradualUnfreezing(next);
    await fit(next, {
      optimizer: new optim.Adam(next.parameters(), { lr: 0.05 }),
      train: train(),
      epochs: 4,
      resume: last!,
      callbacks: [again],
      onEvent: (event) => {
        if (event.type === "step") seen.push(trainableReport(next).trainable);
      },
    });
    return { model: next, seen };
  };
  const whole = await run();
  assert.deepEqual(whole.seen, [27, 27, 27, 115, 115, 115, 187, 187, 187, 187, 187, 187]);
  const resumed = await run(5);
  assert.deepEqual(resumed.seen, whole.seen);
  for (const [name, x] of whole.model.stateDict())
    assert.deepEqual([...resumed.model.stateDict().get(name)!.data], [...x.data], name);
});
