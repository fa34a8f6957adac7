/** What configurations build: data held back and changed, models, optimizers, schedules, loaders of one's own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  arange,
  data as dataRoom,
  manualSeed,
  nn,
  rand,
  type Tensor,
  tensor,
  vision,
} from "../src/index.js";
import { transforms } from "../src/train/config/augmentations.js";
import { type Examples, splitExamples } from "../src/train/config/data.js";
import { resolveConfig } from "../src/train/config/resolve.js";
import { schedules } from "../src/train/config/schedules.js";
import { buildExperiment, defineRun } from "../src/train/index.js";

const least = { model: "mlp", data: "digits" };

const pictures = (count: number, shape: readonly number[], seed = 1): Examples => {
  manualSeed(seed);
  const pixels = Uint8Array.from(rand([count, ...shape]).data, (value) => value * 256);
  const x = tensor(pixels, { shape: [count, ...shape] });
  const y = tensor(Int32Array.from({ length: count }, (_, i) => i % 3));
  return { train: { x, y }, test: { x, y }, classNames: ["a", "b", "c"], title: "pictures" };
};

const build = (raw: object, examples: Examples) => {
  const { config, parts } = resolveConfig({ data: "digits", ...raw }, "run");
  return buildExperiment(config, { parts, examples });
};

test("every schedule steps through a run, by steps or epochs, after a warm-up", async () => {
  const needed: Record<string, object> = {
    cyclic: { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 2 },
    cosineAnnealingWarmRestarts: { t0: 2 },
    exponential: { gamma: 0.5 },
    inverseSqrt: { warmupSteps: 2 },
    multiStep: { milestones: [1, 2] },
    step: { stepSize: 1 },
  };
  for (const name of Object.keys(schedules)) {
    const { config } = resolveConfig({ ...least, schedule: { name, ...needed[name] } }, "run");
    const built = await build({ model: "mlp", schedule: config.schedule }, pictures(12, [4, 4]));
    const { optimizer, schedule } = built.options;
    if (typeof schedule === "function") assert.ok(schedule(0.5) > 0, name);
    else if (schedule && "make" in schedule) {
      const made = schedule.make(optimizer, 10);
      for (let i = 0; i < 9; i++) made.step();
      assert.ok(
        made.lastLr.every((lr) => lr >= 0 && lr <= 1),
        name,
      );
    } else assert.equal(name, "plateau");
  }
  const warm = await build(
    {
      model: "mlp",
      optim: { name: "sgd", lr: 1 },
      schedule: { name: "cosineAnnealing", warmup: 0.4 },
    },
    pictures(12, [4, 4]),
  );
  const { schedule, optimizer } = warm.options;
  assert.ok(schedule && typeof schedule === "object" && "make" in schedule);
  const made = schedule.make(optimizer, 10);
  const rates = [made.lastLr[0]!];
  for (let i = 0; i < 9; i++) {
    made.step();
    rates.push(made.lastLr[0]!);
  }
  // Four steps up in equal parts, then half a cosine over six.
  const cosine = [0, 1, 2, 3, 4, 5].map((t) => (1 + Math.cos((Math.PI * t) / 6)) / 2);
  for (const [i, expected] of [0.2, 0.4, 0.6, 0.8, ...cosine].entries())
    assert.ok(Math.abs(rates[i]! - expected) < 1e-9, `${i}: ${rates[i]}`);
});

test("every change of pictures runs, and what it draws depends on seed, epoch and batch alone", async () => {
  const needed: Record<string, object> = {
    ...{ randomCrop: { size: 8, padding: 1 }, randomResizedCrop: { size: 8 } },
    ...{ cutout: { length: 3 }, randomRotation: { degrees: 20 }, randomAffine: { degrees: 5 } },
    ...{ randomPosterize: { bits: 3 }, randomSolarize: { threshold: 0.5 } },
    ...{ randomAdjustSharpness: { factor: 2 }, gaussianBlur: { kernelSize: 3 } },
    colorJitter: { brightness: 0.3 },
  };
  for (const name of [...Object.keys(transforms), "shift"]) {
    const raw = {
      model: { name: "mlp", hidden: [] },
      data: { name: "digits", validation: "test", augment: [{ name, ...needed[name] }] },
      train: { batchSize: 4, seed: 3 },
    };
    const first = await build(raw, pictures(12, [3, 8, 8]));
    // Compiling is slow: that a new process sees the same is tried with a few.
    const isNew = ["augMix", "randomHorizontalFlip", "randomCrop", "shift"].includes(name);
    const read = async (from: number, epoch: number) => {
      const { options } = isNew ? await build(raw, pictures(12, [3, 8, 8])) : first;
      options.train.setEpoch(epoch);
      const batches: number[][] = [];
      for await (const [x] of options.train.iterateAsync({ from })) {
        assert.deepEqual(x!.shape, [4, 3, 8, 8], name);
        assert.ok(x!.data.every(Number.isFinite), name);
        batches.push([...x!.data]);
      }
      return batches;
    };
    const whole = await read(0, 1);
    assert.deepEqual(await read(2, 1), whole.slice(2), `${name}: from the middle of an epoch`);
    if (name === "randomHorizontalFlip") assert.notDeepEqual(await read(0, 2), whole);
  }
});

test("augmentation is normalised after, and leaves validation alone", async () => {
  const raw = {
    model: { name: "mlp", hidden: [] },
    data: {
      ...{ name: "digits", validation: "test" },
      augment: [{ name: "randomInvert", p: 1 }],
      normalize: { mean: 0.5, std: 0.25 },
    },
    train: { batchSize: 12, evaluationBatchSize: 12 },
  };
  const examples = pictures(12, [8, 8]);
  const { options } = await build(raw, examples);
  const expected = (invert: boolean) =>
    [...examples.train.x.data].map((byte) => ((invert ? 1 - byte / 255 : byte / 255) - 0.5) / 0.25);
  const check = async (source: typeof options.train, wanted: number[]) => {
    for await (const [x] of source.iterateAsync()) {
      const sorted = (values: ArrayLike<number>) => Array.from(values).sort((a, b) => a - b);
      const [got, want] = [sorted(x!.data), sorted(wanted)];
      got.forEach((value, i) => {
        assert.ok(Math.abs(value - want[i]!) < 1e-5);
      });
    }
  };
  await check(options.train, expected(true));
  await check(options.validation!, expected(false));
});

test("a share is held back, the rest measured; a limit draws from what is left", () => {
  const examples = pictures(50, [2, 4, 4]);
  const split = splitExamples(examples, { validation: 0.2, splitSeed: 7 });
  const rowsOf = ({ x }: { x: Tensor }) => {
    const size = x.size / x.shape[0]!;
    return Array.from({ length: x.shape[0]! }, (_, i) =>
      x.data.slice(i * size, (i + 1) * size).join(),
    );
  };
  const [train, held] = [rowsOf(split.train), rowsOf(split.validation!)];
  assert.deepEqual([train.length, held.length], [40, 10]);
  assert.deepEqual([...train, ...held].sort(), rowsOf(examples.train).sort());
  const floats = split.train.x.float().div(255);
  const { mean, std } = split.normalization;
  const check = (got: unknown, wanted: Tensor) =>
    (got as number[]).forEach((value, c) => {
      assert.ok(Math.abs(value - (wanted.data[c] as number)) < 1e-6);
    });
  check(mean, floats.mean([0, 2, 3]));
  check(std, floats.std([0, 2, 3], { correction: 0 }));
  assert.deepEqual(rowsOf(splitExamples(examples, { validation: 0.2, splitSeed: 7 }).train), train);
  assert.notDeepEqual(
    rowsOf(splitExamples(examples, { validation: 0.2, splitSeed: 8 }).train),
    train,
  );
  assert.equal(
    splitExamples(examples, { validation: "test", splitSeed: 0 }).validation,
    examples.test,
  );
  const { test: _, ...untested } = examples;
  assert.throws(
    () => splitExamples(untested, { validation: "test", splitSeed: 0 }),
    /has no test part/,
  );
  assert.throws(
    () => splitExamples(pictures(3, [4, 4]), { validation: 0.01, splitSeed: 0 }),
    /leaves 3/,
  );
});

test("limit takes so many training examples, whatever is held back", async () => {
  const at = async (limit: number | undefined) => {
    const data = { name: "digits", validation: 0.2, ...(limit && { limit }) };
    const { options } = await build({ model: "mlp", data }, pictures(50, [4, 4]));
    return [options.train.dataset.length, options.validation!.dataset.length];
  };
  assert.deepEqual(await at(undefined), [40, 10]);
  assert.deepEqual(await at(7), [7, 10]);
  assert.deepEqual(await at(400), [40, 10]);
});

test("models are what their layers are, with the same first weights", async () => {
  const examples = pictures(12, [4, 4]);
  const { model } = await build(
    {
      model: { name: "mlp", hidden: [5], norm: "layer", activation: "tanh", dropout: 0.5 },
      train: { seed: 4 },
    },
    examples,
  );
  manualSeed(4);
  const same = new nn.Sequential(
    ...[new nn.Flatten(), new nn.Linear(16, 5), new nn.LayerNorm(5), new nn.Tanh()],
    ...[new nn.Dropout(0.5), new nn.Linear(5, 3)],
  );
  assert.deepEqual(
    [...model.stateDict()].map(([name, x]) => [name, ...x.data]),
    [...same.stateDict()].map(([name, x]) => [name, ...x.data]),
  );
  const zeros = await build({ model: { name: "mlp", hidden: [4], init: "zeros" } }, examples);
  assert.ok(zeros.model.parameters().every((p) => p.data.every((v: number) => v === 0)));
  const cnn = await build(
    {
      model: {
        name: "cnn",
        channels: [4, 6],
        convolutions: 2,
        head: "average",
        init: "kaimingNormal",
      },
    },
    pictures(6, [3, 12, 12]),
  );
  assert.deepEqual(cnn.model.forward(rand([2, 3, 12, 12])).shape, [2, 3]);
  await assert.rejects(build({ model: "lenet" }, examples), /4 × 4; LeNet-5 takes 28 × 28/);
  await assert.rejects(
    build({ model: { name: "cnn", channels: [2, 2, 2] } }, examples),
    /to nothing/,
  );
});

test("residual networks for small pictures have the sizes that are known of them", () => {
  const size = (model: nn.Module) => model.parameters().reduce((sum, p) => sum + p.size, 0);
  // He et al., table 6: 0.27 and 0.46 million; the 1 × 1 convolutions of option B add 2,752.
  assert.equal(size(new vision.CifarResNet({ depth: 20 })), 269_722 + 2752);
  assert.equal(size(new vision.CifarResNet({ depth: 32 })), 464_154 + 2752);
  assert.throws(() => new vision.CifarResNet({ depth: 21 }), /depth is 21; expected 6n \+ 2/);
});

test("decay: weights leaves biases and norms alone", async () => {
  const { options } = await build(
    { model: { name: "mlp", norm: "layer" }, optim: { name: "adamw", decay: "weights" } },
    pictures(12, [4, 4]),
  );
  const groups = options.optimizer.paramGroups;
  assert.deepEqual(
    groups.map((group) => group.get("weightDecay")),
    [0.01, 0],
  );
  assert.ok(groups[0]!.params.every((p) => p.ndim === 2));
  assert.ok(groups[1]!.params.every((p) => p.ndim === 1));
});

test("rows of numbers: regression by mse, columns normalised", async () => {
  const x = arange(20, { dtype: "float32" }).reshape([10, 2]);
  const y = arange(10, { dtype: "float32" }).reshape([10, 1]);
  const examples: Examples = { train: { x, y }, title: "rows" };
  const built = await build({ model: { name: "mlp", hidden: [] }, metrics: ["r2"] }, examples);
  assert.equal(built.config.loss?.name, "mse");
  assert.equal(built.classes, undefined);
  assert.equal(built.card, undefined);
  for await (const [input, target] of built.options.train.iterateAsync()) {
    assert.deepEqual(target!.shape, [9, 1]);
    for (const column of [0, 1]) {
      const values = Array.from({ length: 9 }, (_, i) => input!.data[2 * i + column] as number);
      assert.ok(Math.abs(values.reduce((a, b) => a + b, 0)) < 1e-5);
    }
  }
  await assert.rejects(
    build({ model: "mlp", data: { name: "digits", augment: ["shift"] } }, examples),
    /augment changes pictures; rows are numbers/,
  );
  await assert.rejects(build({ model: "mlp", train: { mix: "mixup" } }, examples), /no classes/);
});

test("loaders, loss and metrics of its own", async () => {
  const x = rand([8, 2]);
  const loader = new dataRoom.DataLoader(new dataRoom.TensorDataset(x, x), { batchSize: 4 });
  const given: unknown[] = [];
  const raw = defineRun({
    model: { name: "mlp", hidden: [] },
    data: {
      limit: 3,
      load(info) {
        given.push(info);
        return { train: loader, inputShape: [2], outputs: 2 };
      },
    },
    loss: (output, target) => output.sub(target).abs().mean(),
    metrics: { error: (output, target) => output.sub(target).abs().mean([1]).sum() },
    train: { seed: 5, batchSize: 4 },
  });
  const { config, parts } = resolveConfig(raw, "run.ts");
  const built = await buildExperiment(config, { parts });
  assert.deepEqual(given, [
    { batchSize: 4, evaluationBatchSize: 250, seed: 5, augment: true, limit: 3 },
  ]);
  assert.equal(built.options.train, loader);
  assert.deepEqual(Object.keys(built.options.metrics ?? {}), ["error"]);
  assert.equal(built.options.loss!(x, x).item(), 0);
  await assert.rejects(
    buildExperiment(resolveConfig({ ...raw, train: { earlyStopping: {} } }, "run.ts").config, {
      parts,
    }),
    /measure of validation/,
  );
});
