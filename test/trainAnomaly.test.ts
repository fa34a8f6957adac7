/** Debug mode: the op that made the first value that is not finite is named, with its module, ranges and cause. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  defaultGenerator,
  manualSeed,
  nn,
  ones,
  optim,
  rand,
  type Tensor,
  tensor,
} from "../src/index.js";
import {
  type Anomaly,
  AnomalyError,
  type FindAnomalyOptions,
  findAnomaly,
  makeGuardedStep,
} from "../src/train/index.js";
import { makeTrainStep } from "../src/train/loop/trainStep.js";

const labels = tensor([0, 1, 1], { dtype: "int32" });
const inputs = tensor([
  [0.5, -1],
  [1, 2],
  [-0.25, 0.75],
]);

/** One function between two linear layers, in a module of its own. */
class Middle extends nn.Module {
  readonly fn: (x: Tensor) => Tensor;
  constructor(fn: (x: Tensor) => Tensor) {
    super();
    this.fn = fn;
  }
  forward(x: Tensor): Tensor {
    return this.fn(x);
  }
}

class Net extends nn.Module {
  readonly before = new nn.Linear(2, 4);
  readonly middle: Middle;
  readonly drop = new nn.Dropout(0.5);
  readonly after = new nn.Linear(4, 2);
  constructor(fn: (x: Tensor) => Tensor) {
    super();
    this.middle = new Middle(fn);
  }
  forward(x: Tensor): Tensor {
    return this.after.forward(this.drop.forward(this.middle.forward(this.before.forward(x))));
  }
}

const weightsOf = (model: nn.Module): unknown => [
  ...[...model.stateDict()].map(([name, x]) => [name, [...x.data]]),
  defaultGenerator.getState(),
  model.parameters().map((p) => p.grad),
];

function find(
  fn: (x: Tensor) => Tensor,
  options: FindAnomalyOptions & { readonly x?: Tensor; readonly change?: (net: Net) => void } = {},
): Anomaly | null {
  manualSeed(2);
  const net = new Net(fn);
  options.change?.(net);
  const before = weightsOf(net);
  const found = findAnomaly(net, [options.x ?? inputs, labels], { step: 7, ...options });
  assert.deepEqual(weightsOf(net), before);
  return found;
}

const expectFound = (found: Anomaly | null, expected: Partial<Anomaly>, cause: RegExp): void => {
  assert.ok(found, "nothing was found");
  const { cause: said, ...rest } = found;
  const keys = Object.keys(expected) as (keyof typeof rest)[];
  assert.deepEqual(Object.fromEntries(keys.map((key) => [key, rest[key]])), expected);
  assert.match(said, cause);
  assert.ok(found.message.startsWith("step 7: ") && found.message.includes(said), found.message);
};

const inMiddle = { module: "middle", kind: "Middle" } as const;

test("what is finite is no anomaly, an infinite mask neither", () => {
  assert.equal(
    find((x) => x.tanh()),
    null,
  );
  const mask = tensor([true, false, false, false]);
  const attend = (x: Tensor) => x.maskedFill(mask, Number.NEGATIVE_INFINITY).softmax(-1);
  assert.equal(find(attend), null);
});

test("forward: log of 0, of a negative number, division by 0, overflow of exp, root of what is below 0", () => {
  const place = "forward";
  expectFound(
    find((x) => x.relu().log()),
    { op: "log", place, value: "-Infinity", ...inMiddle },
    /^log of 0/,
  );
  expectFound(
    find((x) => x.log().sum(1, { keepDim: true }).add(x)),
    { op: "log", place, ...inMiddle },
    /^log of a negative number \(-/,
  );
  expectFound(
    find((x) => x.div(x.relu())),
    { op: "div", place, ...inMiddle },
    /^division by 0/,
  );
  expectFound(
    find((x) => x.mul(200).exp().softmax(-1)),
    { op: "exp", place, value: "Infinity", ...inMiddle },
    /^overflow of exp: its input reaches \d+/,
  );
  expectFound(
    find((x) => x.sqrt()),
    { op: "sqrt", place, value: "NaN", ...inMiddle },
    /^root of a negative number/,
  );
});

test("a loss that gives it is told from the model, and a row that is masked whole", () => {
  const loss = (output: Tensor) => output.softmax(1).sub(output.softmax(1)).log().mean();
  expectFound(
    find((x) => x, { loss }),
    { op: "log", place: "forward", module: null, kind: null },
    /^log of 0/,
  );
  const mask = tensor([true, true, true, true]);
  expectFound(
    find((x) => x.maskedFill(mask, Number.NEGATIVE_INFINITY).softmax(-1)),
    { op: "softmax", place: "forward", value: "NaN", ...inMiddle },
    /everything is masked/,
  );
  const none = (output: Tensor) =>
    nn.functional.crossEntropy(output, labels.mul(0), { ignoreIndex: 0 });
  expectFound(
    find((x) => x, { loss: none }),
    { op: "crossEntropy", place: "forward", value: "NaN" },
    /no target of the batch counts/,
  );
});

test("backward: the root's slope at 0, the log behind where(), exploding gradients", () => {
  const place = "backward";
  expectFound(
    find((x) => x.sub(x).sqrt()),
    { op: "sqrt", place, ...inMiddle },
    /^the gradient of a root \(or norm\) at 0 is infinite/,
  );
  expectFound(
    find((x) => {
      const kept = x.mul(0);
      return kept.log().where(kept.gt(0), kept);
    }),
    { op: "log", place, value: "NaN", ...inMiddle },
    /where\(\) does not help/,
  );
  const steep = find((x) => x.mul(1e30).sin().mul(1e30).sin());
  assert.equal(steep?.place, "backward");
  assert.match(steep.cause, /^exploding gradients: they arrive as large as \d/);
  const { inputs: ranges } = steep;
  assert.ok(
    ranges.some(({ name, max }) => name === "gradient that arrives" && Math.abs(max) > 1e6),
  );
});

test("NaN in the data and in weights is told with its place", () => {
  const x = tensor([
    [0.5, -1],
    [1, Number.NaN],
    [0, 0],
  ]);
  expectFound(
    find((h) => h.relu(), { x }),
    { op: null, module: null, place: "data", value: "NaN" },
    /^clean the data/,
  );
  assert.match(
    find((h) => h, { x })!.message,
    /the input of example 1 of the batch holds it, at element 1/,
  );
  const spoil = (net: Net) => void net.before.bias!.assign(tensor([1, 1, 1, 1]).div(0));
  expectFound(
    find((h) => h, { change: spoil }),
    { op: null, place: "parameters", value: "Infinity" },
    /came earlier/,
  );
  const explode = (net: Net) => void net.after.weight.assign(ones([2, 4]).mul(3e38));
  const found = find((h) => h.mul(100), { change: explode });
  expectFound(
    found,
    { op: "linear", place: "forward", module: "after", kind: "Linear" },
    /^exploding values: inputs are as large as 3\.00e\+38/,
  );
  assert.ok(found!.inputs.some(({ name }) => name === "after.weight"));
});

test("an update that overflows is found in the update", () => {
  manualSeed(0);
  const net = new Net((x) => x);
  const optimizer = new optim.SGD(net.parameters(), { lr: 1e39 });
  const before = weightsOf(net);
  const found = findAnomaly(net, [inputs, labels], { optimizer, step: 7 });
  assert.deepEqual(weightsOf(net), before);
  expectFound(found, { place: "update", op: "SGD" }, /overflows with the learning rate 1\.00e\+39/);
});

test("a guarded step is the step; when it goes bad the model is put back and the op named", async () => {
  const make = () => {
    manualSeed(4);
    const net = new Net((x) => x.mul(x.gt(0).to("float32")).sqrt());
    net.before.bias!.assign(tensor([9, 9, 9, 9]));
    return { net, optimizer: new optim.Adam(net.parameters(), { lr: 0.1 }) };
  };
  const plain = make();
  const step = makeTrainStep(plain.net, plain.optimizer, {});
  const expected: unknown[] = [];
  for (let i = 0; i < 3; i++) expected.push(await step([[inputs, labels]]));
  const after = weightsOf(plain.net);
  const { net, optimizer } = make();
  let number = 0;
  const guarded = makeGuardedStep(net, optimizer, {
    step: makeTrainStep(net, optimizer, {}),
    place: () => ({ epoch: 1, step: number }),
  });
  for (number = 1; number <= 3; number++)
    assert.deepEqual(await guarded([[inputs, labels]]), expected[number - 1]);
  assert.deepEqual(weightsOf(net), after);
  const before = weightsOf(net);
  const bad = guarded([[inputs.mul(-1e3), labels]]);
  await assert.rejects(bad, (error) => {
    assert.ok(error instanceof AnomalyError);
    assert.deepEqual([error.epoch, error.step], [1, 4]);
    assert.deepEqual([error.anomaly.op, error.anomaly.place], ["sqrt", "backward"]);
    assert.match(
      error.message,
      /step 4: sqrt gives (NaN|Infinity) in middle \(Middle\), in the backward/,
    );
    return true;
  });
  assert.deepEqual(weightsOf(net), before);
});

test("of accumulated batches each meets its own random numbers when the step runs again", async () => {
  manualSeed(6);
  // The dropout of the first batch draws between the two.
  const [, , second] = [rand([1]), rand([1]), rand([1]).item()];
  const batchTransform = (x: Tensor, y: Tensor): Tensor[] => [x.div(rand([1]).sub(second)), y];
  const net = new Net((x) => x);
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
  const guarded = makeGuardedStep(net, optimizer, {
    step: makeTrainStep(net, optimizer, { batchTransform }),
    place: () => ({ epoch: 1, step: 1 }),
    batchTransform,
  });
  manualSeed(6);
  const state = defaultGenerator.getState();
  const bad = guarded([
    [inputs, labels],
    [inputs.mul(2), labels],
  ]);
  await assert.rejects(bad, (error) => {
    assert.ok(error instanceof AnomalyError, String(error));
    assert.deepEqual([error.anomaly.op, error.anomaly.module], ["div", null]);
    assert.match(error.message, /step 1: div gives -?Infinity in batchTransform: division by 0/);
    return true;
  });
  assert.deepEqual(defaultGenerator.getState(), state);
});
