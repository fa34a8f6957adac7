/** The watched step: the same update bit for bit, and numbers that agree with those taken by hand in eager mode. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compile,
  Generator,
  manualSeed,
  nn,
  optim,
  randn,
  type Tensor,
  tensor,
} from "../src/index.js";
import { type Health, makeMonitoredStep } from "../src/train/index.js";
import { makeTrainStep } from "../src/train/loop/trainStep.js";

class Net extends nn.Module {
  readonly conv = new nn.Conv2d(1, 3, 3, { padding: 1 });
  readonly norm = new nn.BatchNorm2d(3);
  readonly drop = new nn.Dropout(0.3);
  readonly act = new nn.Tanh();
  readonly fc = new nn.Linear(48, 3);

  forward(x: Tensor): Tensor {
    const hidden = this.norm.forward(this.conv.forward(x)).relu();
    return this.fc.forward(this.act.forward(this.drop.forward(hidden).flatten(1)));
  }
}

function setUp() {
  manualSeed(5);
  const model = new Net();
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01, weightDecay: 0.1 });
  return { model, optimizer };
}

/** Batches of different sizes. */
const batches = [6, 6, 4, 6, 5, 6].map((size, i) => {
  const generator = new Generator(i + 1);
  const labels = Int32Array.from({ length: size }, (_, k) => (k * 7 + i) % 3);
  return [randn([size, 1, 4, 4], { generator }), tensor(labels)] as const;
});

const stateOf = (model: nn.Module, optimizer: optim.Optimizer): number[][] => [
  ...[...model.stateDict().values()].map((x) => [...x.data]),
  ...Object.values(optimizer.stateDict().state).flatMap((own) =>
    Object.values(own).map((x) => [...x.data]),
  ),
];

test("a watched step makes the same update, bit for bit, with dropout and batch norm", async () => {
  const plain = setUp();
  const step = makeTrainStep(plain.model, plain.optimizer, {});
  const expected: unknown[] = [];
  for (const batch of batches) expected.push(await step([batch]));
  const before = stateOf(plain.model, plain.optimizer);

  const { model, optimizer } = setUp();
  const ordinary = makeTrainStep(model, optimizer, {});
  const watched = makeMonitoredStep(model, optimizer, { step: ordinary });
  const got: unknown[] = [];
  for (const [i, batch] of batches.entries())
    got.push(i % 2 ? await ordinary([batch]) : (await watched([batch])).outcome);
  assert.deepEqual(got, expected);
  assert.deepEqual(stateOf(model, optimizer), before);
  assert.equal(Object.hasOwn(model.conv, "forward"), false);
});

const norm = (values: Iterable<number>): number =>
  Math.sqrt([...values].reduce((sum, v) => sum + v * v, 0));

const close = (got: number | null, expected: number, what: string): void =>
  assert.ok(
    got !== null && Math.abs(got - expected) <= 2e-4 * Math.abs(expected) + 1e-6,
    `${what}: ${got}, expected ${expected}`,
  );

test("its numbers are those of the same step done by hand", async () => {
  const { model, optimizer } = setUp();
  const [x, y] = batches[0]!;
  const { health } = await makeMonitoredStep(model, optimizer, {})([[x, y]]);

  const { model: twin, optimizer: own } = setUp();
  const outputs = new Map<string, number[]>();
  for (const [name, module] of twin.namedModules())
    if (name)
      module.registerForwardHook((_, output) => {
        outputs.set(name, [...(output as Tensor).data]);
      });
  nn.functional.crossEntropy(twin.forward(x), y).backward();
  const before = [...twin.namedParameters()].map(([name, p]) => [name, [...p.data]] as const);
  own.step();
  assert.deepEqual(
    health.parameters.map(({ name }) => name),
    before.map(([name]) => name),
  );
  for (const [i, [name, values]] of before.entries()) {
    const p = twin.stateDict().get(name)!;
    const one = health.parameters[i]!;
    close(one.norm, norm(values), `${name}: norm`);
    close(one.gradientNorm, norm(p.grad!.data), `${name}: gradient`);
    const change = norm(values.map((v, k) => p.data[k]! - v));
    if (norm(values) > 0) close(one.updateRatio, change / norm(values), `${name}: ratio`);
    assert.equal(one.trainable, true);
  }
  assert.deepEqual(
    health.activations.map(({ name, kind }) => `${name} ${kind}`),
    ["conv Conv2d", "norm BatchNorm2d", "relu relu", "drop Dropout", "act Tanh", "fc Linear"],
  );
  for (const { name, mean, std } of health.activations) {
    const values = outputs.get(name);
    if (!values) continue;
    const average = values.reduce((a, b) => a + b, 0) / values.length;
    close(mean, average, `${name}: mean`);
    close(std, norm(values.map((v) => v - average)) / Math.sqrt(values.length), `${name}: std`);
  }
  const squashed = outputs.get("act")!;
  const saturated = squashed.filter((v) => Math.abs(v) > 0.98).length / squashed.length;
  close(health.activations[4]!.saturated, saturated, "saturated");
  const input = [...x.data];
  assert.equal(health.input?.min, Math.min(...input));
  assert.equal(health.input?.max, Math.max(...input));
  assert.deepEqual(health.evalModules, []);
});

async function healthOf(change: (model: Net) => void, params?: (model: Net) => Tensor[]) {
  const { model } = setUp();
  change(model);
  const optimizer = new optim.SGD(params?.(model) ?? model.parameters(), { lr: 0.1 });
  return (await makeMonitoredStep(model, optimizer, {})([batches[0]!])).health;
}

const parameter = (health: Health, wanted: string) =>
  health.parameters.find(({ name }) => name === wanted)!;

test("dead channels, frozen parameters and layers in eval mode show", async () => {
  const dead = await healthOf((model) => {
    model.norm.bias!.assign(tensor([-100, 0, 0]));
  });
  close(dead.activations[2]!.dead, 1 / 3, "dead");
  const all = await healthOf((model) => void model.eval());
  assert.deepEqual(all.evalModules, ["norm", "drop"]);
  const frozen = await healthOf((model) => void model.conv.requiresGrad(false));
  assert.deepEqual(parameter(frozen, "conv.weight"), {
    ...parameter(frozen, "conv.weight"),
    ...{ trainable: false, gradientNorm: null, updateRatio: 0 },
  });
  const forgotten = await healthOf(
    () => undefined,
    (model) => model.fc.parameters(),
  );
  const { trainable, gradientNorm, updateRatio } = parameter(forgotten, "conv.weight");
  assert.ok(!trainable && gradientNorm !== null && gradientNorm > 0 && updateRatio === 0);
});

test("a compiled look assigns nothing, leaves no gradient and draws no numbers", async () => {
  const w = tensor([2], { requiresGrad: true });
  const count = tensor(0);
  const look = compile(
    (x) => {
      count.assign(count.add(1));
      const loss = w
        .mul(x)
        .add(randn([1]))
        .square()
        .sum();
      loss.backward();
      return { loss, gradient: w.grad!, count: count.add(0) } as never;
    },
    { commit: false },
  );
  manualSeed(1);
  const first = (await look(tensor([3]))) as unknown as Record<string, Tensor>;
  const again = (await look(tensor([3]))) as unknown as Record<string, Tensor>;
  assert.equal(first.count!.item(), 1);
  assert.equal(again.loss!.item(), first.loss!.item());
  assert.notEqual(first.gradient!.item(), 0);
  assert.deepEqual([count.item(), w.grad], [0, null]);
});
