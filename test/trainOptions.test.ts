/** What the training loop can do besides plain steps, in PyTorch's numbers (scripts/fixtures/makeFit.py). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { data, nn, optim, type Tensor, tensor, vision } from "../src/index.js";
import {
  accuracy,
  DivergedError,
  type FitOptions,
  fit,
  plateauSchedule,
  scheduler,
  type TrainEvent,
} from "../src/train/index.js";
import { examples, setUp, weightsOf } from "./support/fitRuns.js";
import { fill, wave } from "./support/golden.js";

interface Numbers {
  readonly losses: readonly number[];
  readonly norms: readonly number[];
  readonly rates: readonly number[];
  readonly validation: readonly number[];
  readonly weights: readonly number[];
}

const expected = JSON.parse(
  readFileSync(new URL("./fixtures/fit.json", import.meta.url), "utf8"),
) as Record<string, Numbers>;

const count = 14;
const set = new data.TensorDataset(
  wave([count, 3], 0, 1),
  tensor(Int32Array.from({ length: count }, (_, i) => i % 2)),
);

const mixed = (x: Tensor, y: Tensor): Tensor[] => {
  const labels = nn.functional.oneHot(y, 2).to("float32");
  return [x, labels].map((part) => part.mul(0.7).add(part.roll(1, 0).mul(0.3)));
};

type Case = Partial<FitOptions> & { readonly lr?: number };

const { StepLR } = optim.lrScheduler;
const cases: Readonly<Record<string, Case>> = {
  plain: {},
  accumulate: { accumulate: 3 },
  clipNorm: { clip: { norm: 0.3 } },
  clipValue: { clip: { value: 0.05 }, accumulate: 2 },
  ema: { ema: { decay: 0.8 } },
  emaWarmup: { ema: { decay: 0.5, warmup: true }, accumulate: 2 },
  byEpoch: {
    schedule: scheduler((o) => new StepLR(o, { stepSize: 1, gamma: 0.5 }), { every: "epoch" }),
  },
  plateau: {
    lr: 4,
    schedule: plateauSchedule({ monitor: "validation.loss", factor: 0.3, patience: 0 }),
  },
  mixed: { batchTransform: mixed },
  maxSteps: { accumulate: 2, maxSteps: 5 },
};

function close(actual: readonly number[], wanted: readonly number[], what: string): void {
  assert.equal(actual.length, wanted.length, what);
  for (const [i, value] of actual.entries()) {
    const bound = 2e-4 * Math.max(1, Math.abs(wanted[i]!));
    assert.ok(Math.abs(value - wanted[i]!) < bound, `${what} ${i}: ${value}, not ${wanted[i]}`);
  }
}

const mlp = () => fill(new nn.Sequential(new nn.Linear(3, 4), new nn.Tanh(), new nn.Linear(4, 2)));

function start({ lr = 0.5, ...options }: Case, model: nn.Layer = mlp()) {
  const events: TrainEvent[] = [];
  const all: FitOptions = {
    optimizer: new optim.SGD(model.parameters(), { lr, momentum: 0.9 }),
    train: new data.DataLoader(set, { batchSize: 4 }),
    validation: new data.DataLoader(set, { batchSize: count }),
    epochs: 4,
    onEvent: (event) => void events.push(event),
    ...options,
  };
  return { model, events, run: () => fit(model, all) };
}

for (const [name, options] of Object.entries(cases))
  test(`${name}: losses, norms, rates and weights are PyTorch's`, async () => {
    const { model, events, run } = start(options);
    const { history } = await run();
    const steps = events.flatMap((event) => (event.type === "step" ? [event] : []));
    const wanted = expected[name]!;
    const losses = steps.map(({ loss }) => loss);
    const norms = steps.flatMap(({ gradientNorm }) => gradientNorm ?? []);
    const rates = steps.map(({ lr }) => lr);
    const validation = history.map((epoch) => epoch.validation!.loss);
    close(losses, wanted.losses, "loss of step");
    close(norms, wanted.norms, "norm of step");
    close(rates, wanted.rates, "rate of step");
    close(validation, wanted.validation, "validation loss of epoch");
    const weights = model.parameters().flatMap((p) => [...p.data]);
    close(weights, wanted.weights, "weight");
  });

test("reductions of the rate, and averages that the model got, are events", async () => {
  const plateau = start(cases.plateau!);
  await plateau.run();
  const rates = plateau.events.flatMap((event) =>
    event.type === "rate" ? [[event.epoch, event.from, event.to]] : [],
  );
  assert.equal(rates.length, 2);
  assert.deepEqual(rates[0], [2, 4, 1.2]);
  const averaged = start(cases.ema!);
  await averaged.run();
  const kinds = averaged.events.map(({ type }) => type);
  assert.deepEqual(kinds.slice(-2), ["weights", "finished"]);
  const evaluations = averaged.events.filter((event) => event.type === "evaluation");
  assert.ok(evaluations.every((event) => event.averaged));
});

test("swa: the averages, batch norm's new statistics and the last evaluation are PyTorch's", async () => {
  const model = fill(
    new nn.Sequential(
      ...[new nn.Linear(3, 4), new nn.BatchNorm1d(4), new nn.Tanh(), new nn.Linear(4, 2)],
    ),
  );
  const { events, run } = start({ swa: { start: 2 } }, model);
  await run();
  const wanted = expected.swa!;
  const losses = events.flatMap((event) => (event.type === "step" ? [event.loss] : []));
  const validation = events.flatMap((event) =>
    event.type === "evaluation" ? [event.measures.loss] : [],
  );
  close(losses, wanted.losses, "loss of step");
  close(validation, wanted.validation, "validation loss");
  const state = [...model.stateDict().values()].filter(({ dtype }) => dtype === "float32");
  const values = state.flatMap((x) => [...x.data]);
  close(values, wanted.weights, "value of the state");
  const last = events.slice(-3);
  assert.deepEqual(
    last.map(({ type }) => type),
    ["weights", "evaluation", "finished"],
  );
  assert.ok(last[1]!.type === "evaluation" && last[1].averaged);
});

test("a run of so many steps measures the epoch that it cuts short", async () => {
  const { events, run } = start(cases.maxSteps!);
  const { status, step, reason, history } = await run();
  assert.deepEqual([status, step], ["finished", 5]);
  assert.match(reason!, /5 steps are done/);
  assert.deepEqual(
    history.map((epoch) => epoch.step),
    [2, 4, 5],
  );
  const begin = events[0]!;
  assert.ok(begin.type === "start" && begin.totalSteps === 5);
  assert.ok(!events.some(({ type }) => type === "earlyStop"));
});

test("evaluations within epochs come after so many steps, and once where both fall together", async () => {
  const { events, run } = start({ validateEverySteps: 2, epochs: 2 });
  await run();
  const at = events.flatMap((event) => (event.type === "evaluation" ? [event.step] : []));
  assert.deepEqual(at, [2, 4, 6, 8]);
});

test("metrics cope with mixed targets", async () => {
  const { run } = start({ batchTransform: mixed, metrics: { accuracy } });
  const { history } = await run();
  const { train, validation } = history.at(-1)!;
  for (const value of [train.accuracy!, validation!.accuracy!])
    assert.ok(value > 0 && value <= 1, String(value));
});

test("mixup inside the compiled step draws anew at each step", async () => {
  const mixUp = new vision.MixUp({ numClasses: 2 });
  const { model, options } = setUp({
    batchTransform: (x, y) => {
      const { images, labels } = mixUp.forward(x.reshape([-1, 2, 1, 1]), y);
      return [images.flatten(1), labels];
    },
    epochs: 1,
  });
  const seen: number[] = [];
  const whole = (x: Tensor, y: Tensor) => nn.functional.crossEntropy(x, y);
  await fit(model, {
    ...options,
    loss: whole,
    onEvent: (event) => void (event.type === "step" && seen.push(event.loss)),
  });
  assert.equal(new Set(seen).size, seen.length);
});

test("batches of another form go through batchLoss", async () => {
  class Pair extends nn.Module {
    readonly fc = new nn.Linear(3, 2);
    forward(x: Tensor, scale: Tensor): Tensor {
      return this.fc.forward(x).mul(scale.unsqueeze(1));
    }
  }
  const [x, y] = [wave([count, 3], 0, 1), wave([count], 1, 1)];
  const labels = tensor(Int32Array.from({ length: count }, (_, i) => i % 2));
  const train = new data.DataLoader(new data.TensorDataset(x, y, labels), { batchSize: 4 });
  const model = new Pair();
  const { history } = await fit(model, {
    optimizer: new optim.Adam(model.parameters(), { lr: 0.05 }),
    train,
    validation: train,
    epochs: 30,
    metrics: { accuracy },
    batchLoss(net: Pair, input, scale, target) {
      const output = net.forward(input!, scale!);
      return { loss: nn.functional.crossEntropy(output, target!), output, target: target! };
    },
  });
  const [first, last] = [history[0]!.validation!, history.at(-1)!.validation!];
  assert.ok(last.loss < first.loss, `${first.loss} → ${last.loss}`);
  assert.ok(last.accuracy! > 0);
  const plain = setUp({ train });
  await assert.rejects(fit(plain.model, plain.options), /3 parts; expected \[input, target\]/);
});

test("options out of range and measures that do not exist are refused by name", async () => {
  const refused: [Partial<FitOptions>, RegExp][] = [
    [{ accumulate: 0 }, /accumulate is 0; expected a whole number/],
    [{ maxSteps: 1.5 }, /maxSteps is 1.5/],
    [{ clip: { norm: -1 } }, /clip.norm is -1; expected a number above 0/],
    [{ clip: { value: Number.NaN } }, /clip.value is NaN/],
    [{ ema: { decay: 2 } }, /ema.decay is 2; expected a number from 0 to 1/],
    [{ validateEverySteps: 0 }, /validateEverySteps is 0/],
    [{ earlyStopping: { monitor: "accuracy" } }, /monitor is "accuracy"; expected validation/],
    [
      { earlyStopping: { monitor: "train.speed" }, metrics: { speed: accuracy } },
      /a low or a high speed better\?/,
    ],
    [{ earlyStopping: { monitor: "train.speed" } }, /no measure train.speed; there are loss, acc/],
    [{ earlyStopping: { monitor: "train.loss", patience: 0 } }, /patience is 0/],
    [
      { earlyStopping: { monitor: "validation.f1" } },
      /earlyStopping: there is no measure validation.f1; there are loss, accuracy/,
    ],
    [
      { checkpoint: { best: "validation.acuracy", save() {} } },
      /checkpoint.best: there is no measure validation.acuracy; did you mean "accuracy"\?/,
    ],
    [
      { schedule: plateauSchedule({ monitor: "validation.loss" }), validation: undefined as never },
      /schedule goes by validation.loss, but there is no validation data/,
    ],
    [{ epochs: undefined as never }, /epochs is undefined; expected a whole number ≥ 1/],
    [{ clip: { nrom: 1 } as never }, /clip has nrom; expected { norm } or { value }/],
    [{ metrics: ["accuracy"] as never }, /metrics is a list; expected them by name/],
    [
      { metrics: { accuracy: "accuracy" } as never },
      /metric accuracy is "accuracy"; expected a fun/,
    ],
    [{ train: examples as never }, /train is a TensorDataset; expected a loader/],
    [{ optimizer: undefined as never }, /optimizer is undefined; expected an optimizer/],
    [{ ema: { decay: 0.9 }, swa: { start: 1 } }, /so does ema; choose one/],
    [
      { earlyStopping: { monitor: "train.loss" }, swa: { start: 1 } },
      /so does earlyStopping; say restoreBest: false/,
    ],
    [{ swa: { start: -1 } }, /swa.start is -1/],
    [{ callbacks: [{ name: "a b" }] }, /callback 0 is called "a b"/],
    [{ callbacks: [{ name: "x" }, { name: "x" }] }, /two callbacks are called x/],
    [{ batchTransform: () => [] }, /batchTransform must give a list of tensors/],
  ];
  for (const [changes, message] of refused) {
    const { model, options } = setUp(changes);
    const before = weightsOf(model);
    await assert.rejects(fit(model, options), message);
    assert.equal(weightsOf(model), before);
  }
  const { model, options } = setUp({ validateEverySteps: 2 });
  const { validation: _, ...without } = options;
  await assert.rejects(fit(model, without), /validateEverySteps is given, but no validation data/);
  assert.throws(() => plateauSchedule({ monitor: "loss" }), /monitor is "loss"/);
  const notModel = ((x: Tensor) => x) as never;
  await assert.rejects(fit(notModel, options), /the model is a function; expected a Module/);
});

test("an optimizer that would train in vain, or what no checkpoint holds, is refused", async () => {
  const { model, options } = setUp();
  const other = setUp().model;
  const ofOther = new optim.SGD(other.parameters(), { lr: 0.1 });
  await assert.rejects(
    fit(model, { ...options, optimizer: ofOther }),
    /the optimizer has none of the model's parameters/,
  );
  const extra = tensor([1], { requiresGrad: true });
  const both = new optim.SGD([...model.parameters(), extra], { lr: 0.1 });
  const loss = (output: Tensor, target: Tensor) =>
    nn.functional.crossEntropy(output.mul(extra), target);
  const kept = { ...options, optimizer: both, loss, checkpoint: { save() {} } };
  await assert.rejects(fit(model, kept), /trains a parameter \[1\] that the model does not have/);
  const { checkpoint: _, ...free } = kept;
  assert.equal((await fit(model, free)).status, "finished");
  assert.notEqual(extra.item(), 1);
});

test("weights that the very last step makes infinite are no result", async () => {
  const { model, options } = setUp({ maxSteps: 1 });
  const { validation: _, schedule: __, ...rest } = options;
  const optimizer = new optim.SGD(model.parameters(), { lr: 3e38 });
  const loss = (output: Tensor, target: Tensor) =>
    nn.functional.crossEntropy(output, target).mul(1e3);
  const events: string[] = [];
  const onEvent = ({ type }: { type: string }) => void events.push(type);
  await assert.rejects(fit(model, { ...rest, optimizer, loss, onEvent }), (error) => {
    assert.ok(error instanceof DivergedError);
    assert.match(
      error.message,
      /fc\d\.\w+ holds values that are not finite after the last step, 1/,
    );
    return true;
  });
  assert.deepEqual(events, ["start", "step", "epoch", "failed"]);
});
