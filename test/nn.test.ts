/** Modules: how they find what they hold, state under PyTorch's names, modes, initial values, printing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Generator,
  manualSeed,
  nn,
  ones,
  ShapeError,
  setBackend,
  Tensor,
  tensor,
  vision,
  zeros,
} from "../src/index.js";

setBackend("interpreter");

class Block extends nn.Module {
  readonly layers = [new nn.Linear(3, 3), new nn.Linear(3, 2)];
  readonly runningMean = new nn.Buffer(zeros([2]));
  readonly scale = new nn.Parameter(tensor([2]));
  readonly note = "not a part";
  forward(x: Tensor): Tensor {
    return this.layers.reduce((value, layer) => layer.forward(value), x).mul(this.scale);
  }
}

class Net extends nn.Module {
  readonly block = new Block();
  readonly head = new nn.Sequential(
    new nn.Linear(2, 2, { bias: false }),
    new nn.ReLU(),
    new nn.Dropout(),
  );
  forward(x: Tensor): Tensor {
    return this.head.forward(this.block.forward(x));
  }
}

const keys = [
  ...["block.running_mean", "block.scale", "block.layers.0.weight", "block.layers.0.bias"],
  ...["block.layers.1.weight", "block.layers.1.bias", "head.0.weight"],
];

test("a module finds parameters, buffers and parts in fields and arrays, under PyTorch's names", () => {
  const net = new Net();
  assert.deepEqual([...net.stateDict().keys()], keys);
  assert.deepEqual(
    [...net.namedParameters()].map(([name]) => name),
    keys.slice(1),
  );
  assert.deepEqual(
    [...net.namedBuffers()].map(([name]) => name),
    ["block.running_mean"],
  );
  assert.deepEqual(
    [...net.namedModules()].map(([name]) => name),
    ["", "block", "block.layers.0", "block.layers.1", "head", "head.0", "head.1", "head.2"],
  );
  assert.ok(net.parameters().every((p) => p.requiresGrad && p instanceof Tensor));
});

test("a shared parameter or module comes once among the parameters", () => {
  class Shared extends nn.Module {
    readonly a = new nn.Linear(2, 2);
    readonly b = this.a;
    forward(x: Tensor): Tensor {
      return this.b.forward(this.a.forward(x));
    }
  }
  const shared = new Shared();
  assert.equal(shared.parameters().length, 2);
  shared
    .forward(ones([1, 2]))
    .sum()
    .backward();
  assert.ok(shared.a.weight.grad);
});

test("loadStateDict copies by name, and changes nothing unless all fits", () => {
  const [source, target] = [new Net(), new Net()];
  const report = target.loadStateDict(source.stateDict());
  assert.deepEqual(report, { missingKeys: [], unexpectedKeys: [] });
  for (const [key, value] of target.stateDict()) {
    assert.deepEqual(value.toArray(), source.stateDict().get(key)!.toArray());
    assert.notEqual(value.data, source.stateDict().get(key)!.data);
  }
  const before = target.block.scale.toArray();
  const state = new Map(new Net().stateDict());
  state.set("block.scale", tensor([9]));
  state.set("head.0.weight", zeros([3, 2]));
  assert.throws(
    () => target.loadStateDict(state),
    (error: Error) => {
      assert.ok(error instanceof ShapeError);
      assert.match(
        error.message,
        /^loadStateDict: head\.0\.weight: expected float32\[2, 2\], got float32\[3, 2\]/,
      );
      return true;
    },
  );
  state.delete("head.0.weight");
  state.set("extra", tensor([1]));
  assert.throws(
    () => target.loadStateDict(state),
    /missing keys: head\.0\.weight; unexpected keys: extra/,
  );
  assert.deepEqual(target.block.scale.toArray(), before);
  const loose = target.loadStateDict(state, { strict: false });
  assert.deepEqual(loose, { missingKeys: ["head.0.weight"], unexpectedKeys: ["extra"] });
  assert.deepEqual(target.block.scale.toArray(), [9]);
});

test("train and eval reach all modules; requiresGrad and zeroGrad all parameters", () => {
  const net = new Net();
  assert.ok(net.training);
  net.eval();
  assert.ok([...net.namedModules()].every(([, module]) => !module.training));
  assert.deepEqual(
    net.head.forward(ones([1, 2])).toArray(),
    net.head.forward(ones([1, 2])).toArray(),
  );
  assert.ok([...net.train().namedModules()].every(([, module]) => module.training));
  net
    .forward(ones([1, 3]))
    .sum()
    .backward();
  assert.ok(net.block.scale.grad);
  net.zeroGrad();
  assert.equal(net.block.scale.grad, null);
  assert.ok(
    net
      .requiresGrad(false)
      .parameters()
      .every((p) => !p.requiresGrad),
  );
});

test("linear and convolutional layers begin as PyTorch's: uniform within 1 / √fanIn", () => {
  manualSeed(1);
  const layers = [
    [new nn.Linear(100, 50), 100],
    [new nn.Conv2d(4, 16, 5, { groups: 2 }), 50],
  ] as const;
  for (const [layer, fanIn] of layers) {
    const bound = 1 / Math.sqrt(fanIn);
    for (const p of [layer.weight, layer.bias!]) {
      assert.ok(p.data.every((v: number) => Math.abs(v) <= bound));
      assert.ok(Math.max(...p.data) > bound * 0.6 && Math.min(...p.data) < -bound * 0.6);
    }
    const { data } = layer.weight;
    const variance = [...data].reduce((sum, v) => sum + v * v, 0) / data.length;
    assert.ok(Math.abs(variance / (bound ** 2 / 3) - 1) < 0.1);
  }
  const gain = nn.init.kaimingUniform([64, 64], { generator: new Generator(1) });
  assert.ok(gain.data.every((v: number) => Math.abs(v) <= Math.sqrt(6 / 64)));
  assert.deepEqual(nn.init.fans([8, 4, 3, 3]), { fanIn: 36, fanOut: 72 });
  assert.throws(() => nn.init.fans([3]), /^ShapeError: .*at least two dims, got \[3\]/);
});

test("the same seed makes the same model", () => {
  const make = () => {
    manualSeed(42);
    return [...new Net().stateDict().values()].map((x) => x.toArray());
  };
  assert.deepEqual(make(), make());
});

test("modules print as an indented list", () => {
  assert.equal(
    new nn.Sequential(
      new nn.Linear(2, 3, { bias: false }),
      new nn.Sequential(new nn.ReLU(), new nn.Dropout(0.1)),
    ).toString(),
    "Sequential(\n  (0): Linear(2, 3, bias: false)\n  (1): Sequential(\n    (0): ReLU()\n    (1): Dropout(0.1)\n  )\n)",
  );
  assert.equal(String(new nn.Conv2d(1, 6, 5, { padding: 2 })), "Conv2d(1, 6, [5, 5], padding: 2)");
  assert.equal(String(new nn.MaxPool2d(2, { stride: 1 })), "MaxPool2d(2, stride: 1)");
});

test("layers refuse sizes that are none", () => {
  assert.throws(
    () => new nn.Linear(0, 2),
    /^ValueError: Linear: inFeatures must be a whole number ≥ 1, got 0/,
  );
  assert.throws(
    () => new nn.Conv2d(3, 4, 3, { groups: 2 }),
    /^ValueError: Conv2d: 2 groups do not divide 3 and 4 channels/,
  );
  assert.throws(() => new nn.Dropout(2), /^ValueError: Dropout: p must be from 0 to 1, got 2/);
  assert.throws(
    () => new nn.MaxPool2d(1.5),
    /^ValueError: MaxPool2d: kernelSize must be a whole number/,
  );
});

test("each layer computes what its function does", () => {
  const x = tensor([
    [-1, 2],
    [3, -4],
  ]);
  const pairs: [Tensor, Tensor][] = [
    [new nn.ReLU().forward(x), x.relu()],
    [new nn.Tanh().forward(x), x.tanh()],
    [new nn.Sigmoid().forward(x), x.sigmoid()],
    [new nn.Identity().forward(x), x],
    [new nn.Flatten(0).forward(x), x.reshape([4])],
    [new nn.Flatten().forward(ones([2, 3, 4])), ones([2, 12])],
    [new nn.MSELoss().forward(x, zeros([2, 2])), nn.functional.mseLoss(x, zeros([2, 2]))],
    [
      new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }).forward(x, tensor(Int32Array.of(0, 1))),
      nn.functional.crossEntropy(x, tensor(Int32Array.of(0, 1)), { labelSmoothing: 0.1 }),
    ],
  ];
  for (const [got, expected] of pairs) assert.deepEqual(got.toArray(), expected.toArray());
});

test("LeNet-5 has 61,706 parameters under torchvision-style names", () => {
  const model = new vision.LeNet5();
  assert.equal(
    model.parameters().reduce((n, p) => n + p.size, 0),
    61706,
  );
  assert.deepEqual([...model.stateDict().keys()].slice(0, 3), [
    "conv1.weight",
    "conv1.bias",
    "conv2.weight",
  ]);
});
