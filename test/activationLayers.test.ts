/** Layers of activations and losses are their functions with options kept; PReLU's weight is trained. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Generator, nn, ones, randn, setBackend, type Tensor, tensor } from "../src/index.js";

setBackend("interpreter");

const F = nn.functional;
const random = (seed: number, shape = [4, 6]) => randn(shape, { generator: new Generator(seed) });
const x = random(1);

function assertSame(got: Tensor, expected: Tensor, name: string): void {
  assert.deepEqual([...got.shape], [...expected.shape], name);
  assert.deepEqual([...got.data], [...expected.data], name);
}

test("activation layers do what their functions do", () => {
  const pairs: [{ forward(x: Tensor): Tensor }, Tensor][] = [
    [new nn.LeakyReLU({ negativeSlope: 0.3 }), F.leakyRelu(x, { negativeSlope: 0.3 })],
    [new nn.ELU({ alpha: 2 }), F.elu(x, { alpha: 2 })],
    [new nn.SELU(), F.selu(x)],
    [new nn.CELU({ alpha: 2 }), F.celu(x, { alpha: 2 })],
    [new nn.GELU({ approximate: "tanh" }), F.gelu(x, { approximate: "tanh" })],
    [new nn.SiLU(), F.silu(x)],
    [new nn.Mish(), F.mish(x)],
    [new nn.Softplus({ beta: 2 }), F.softplus(x, { beta: 2 })],
    [new nn.Softsign(), F.softsign(x)],
    [new nn.Hardtanh({ maxVal: 0.5 }), F.hardtanh(x, { maxVal: 0.5 })],
    [new nn.ReLU6(), F.relu6(x)],
    [new nn.Hardswish(), F.hardswish(x)],
    [new nn.Hardsigmoid(), F.hardsigmoid(x)],
    [new nn.LogSigmoid(), F.logSigmoid(x)],
    [new nn.Tanhshrink(), F.tanhshrink(x)],
    [new nn.Softshrink({ lambd: 0.2 }), F.softshrink(x, { lambd: 0.2 })],
    [new nn.Hardshrink({ lambd: 0.2 }), F.hardshrink(x, { lambd: 0.2 })],
    [new nn.Threshold(0.1, 7), F.threshold(x, 0.1, 7)],
    [new nn.GLU(0), F.glu(x, 0)],
    [new nn.Maxout(3), F.maxout(x, 3)],
    [new nn.Softmax(1), F.softmax(x, 1)],
    [new nn.LogSoftmax(0), F.logSoftmax(x, 0)],
    [new nn.Softmin(1), F.softmin(x, 1)],
  ];
  for (const [layer, expected] of pairs)
    assertSame(layer.forward(x), expected, layer.constructor.name);
});

test("a layer's text names its options", () => {
  assert.match(
    String(new nn.LeakyReLU({ negativeSlope: 0.3 })),
    /LeakyReLU\(negativeSlope: 0\.3\)/,
  );
  assert.match(String(new nn.Threshold(0.1, 7)), /Threshold\(0\.1, 7\)/);
  assert.match(String(new nn.PReLU(6)), /PReLU\(6\)/);
});

test("PReLU has one slope a channel in its state, and gradients reach them", () => {
  const layer = new nn.PReLU(6, { init: 0.5 });
  assert.deepEqual([...layer.stateDict().keys()], ["weight"]);
  layer.forward(x.abs().neg()).sum().backward();
  const expected = x.abs().neg().sum(0);
  for (const [i, g] of [...layer.weight.grad!.data].entries())
    assert.ok(Math.abs(g - expected.data[i]!) < 1e-5);
  assert.throws(() => new nn.PReLU(0), /^ValueError: PReLU: numParameters must be a whole number/);
});

test("loss modules do what their functions do", () => {
  const [y, z] = [random(2), random(3)];
  const labels = tensor([0, 5, 2, 1], { dtype: "int32" });
  const signs = tensor([1, -1, 1, -1]);
  const p = y.sigmoid();
  const logs = x.logSoftmax(1);
  const sum = { reduction: "sum" } as const;
  const weight = tensor([1, 2, 3, 4, 5, 6]);
  const pairs: [string, Tensor, Tensor][] = [
    ["NLL", new nn.NLLLoss({ weight }).forward(logs, labels), F.nllLoss(logs, labels, { weight })],
    ["L1", new nn.L1Loss(sum).forward(x, y), F.l1Loss(x, y, sum)],
    ["SmoothL1", new nn.SmoothL1Loss({ beta: 2 }).forward(x, y), F.smoothL1Loss(x, y, { beta: 2 })],
    ["Huber", new nn.HuberLoss({ delta: 2 }).forward(x, y), F.huberLoss(x, y, { delta: 2 })],
    ["KLDiv", new nn.KLDivLoss(sum).forward(logs, p), F.klDiv(logs, p, sum)],
    ["Poisson", new nn.PoissonNLLLoss(sum).forward(x, p), F.poissonNllLoss(x, p, sum)],
    ["Gaussian", new nn.GaussianNLLLoss(sum).forward(x, y, p), F.gaussianNllLoss(x, y, p, sum)],
    ["BCE", new nn.BCELoss(sum).forward(p, p), F.binaryCrossEntropy(p, p, sum)],
    [
      "BCEWithLogits",
      new nn.BCEWithLogitsLoss({ posWeight: weight }).forward(x, p),
      F.binaryCrossEntropyWithLogits(x, p, { posWeight: weight }),
    ],
    [
      "SoftMargin",
      new nn.SoftMarginLoss(sum).forward(x, ones([4, 6])),
      F.softMarginLoss(x, ones([4, 6]), sum),
    ],
    [
      "MultiLabelSoft",
      new nn.MultiLabelSoftMarginLoss(sum).forward(x, p),
      F.multilabelSoftMarginLoss(x, p, sum),
    ],
    [
      "Ranking",
      new nn.MarginRankingLoss({ margin: 1 }).forward(x, y, ones([4, 6])),
      F.marginRankingLoss(x, y, ones([4, 6]), { margin: 1 }),
    ],
    [
      "Hinge",
      new nn.HingeEmbeddingLoss({ margin: 2 }).forward(x, ones([4, 6]).neg()),
      F.hingeEmbeddingLoss(x, ones([4, 6]).neg(), { margin: 2 }),
    ],
    [
      "MultiMargin",
      new nn.MultiMarginLoss({ p: 2 }).forward(x, labels),
      F.multiMarginLoss(x, labels, { p: 2 }),
    ],
    [
      "Cosine",
      new nn.CosineEmbeddingLoss({ margin: 0.1 }).forward(x, y, signs),
      F.cosineEmbeddingLoss(x, y, signs, { margin: 0.1 }),
    ],
    [
      "Triplet",
      new nn.TripletMarginLoss({ swap: true }).forward(x, y, z),
      F.tripletMarginLoss(x, y, z, { swap: true }),
    ],
    [
      "InfoNCE",
      new nn.InfoNCELoss({ temperature: 1 }).forward(x, y),
      F.infoNce(x, y, { temperature: 1 }),
    ],
  ];
  for (const [name, got, expected] of pairs) {
    assert.ok(got.item() > 0, name);
    assertSame(got, expected, name);
  }
});

test("CTC and multi-label margin modules take their own kinds of targets", () => {
  const scores = random(4, [6, 2, 5]).logSoftmax(2);
  const targets = tensor(
    [
      [1, 2],
      [3, 0],
    ],
    { dtype: "int32" },
  );
  assertSame(
    new nn.CTCLoss({ reduction: "sum" }).forward(scores, targets, [6, 5], [2, 1]),
    F.ctcLoss(scores, targets, [6, 5], [2, 1], { reduction: "sum" }),
    "CTC",
  );
  const labels = tensor([2, -1, 0], { dtype: "int32" });
  const row = tensor([0.1, 0.2, 0.4]);
  assertSame(
    new nn.MultiLabelMarginLoss().forward(row, labels),
    F.multilabelMarginLoss(row, labels),
    "labels",
  );
  // (1 − (0.4 − 0.1) + 1 − (0.4 − 0.2)) / 3
  assert.ok(Math.abs(F.multilabelMarginLoss(row, labels).item() - 0.5) < 1e-6);
});
