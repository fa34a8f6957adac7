/** Initialisation: gains, fans and fixed patterns as PyTorch's; moments of the random ones; orthogonality; LSUV. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Generator,
  manualSeed,
  nn,
  randn,
  type Shape,
  setBackend,
  type Tensor,
  zeros,
} from "../src/index.js";
import { readFixture } from "./support/fixtures.js";

interface Initial {
  readonly gains: number[];
  readonly slope: number;
  readonly dirac: number[];
  readonly grouped: number[];
  readonly eye: number[];
}

const { initial } = readFixture<{ initial: Initial }>("optimizers.json.gz");
const { init } = nn;
const seeded = (seed: number) => ({ generator: new Generator(seed) });

function moments(x: Tensor): { mean: number; std: number; least: number; greatest: number } {
  const y = x.to("float64");
  const [mean, std] = [y.mean().item(), y.std().item()];
  return { mean, std, least: y.min().item(), greatest: y.max().item() };
}

/** The sample's moments are within five standard errors. */
function assertMoments(x: Tensor, std: number, what: string): void {
  const found = moments(x);
  const error = (5 * std) / Math.sqrt(x.size);
  assert.ok(Math.abs(found.mean) < error, `${what}: mean ${found.mean}`);
  assert.ok(Math.abs(found.std - std) < error, `${what}: std ${found.std}, expected ${std}`);
}

test("gains and fixed patterns are PyTorch's", () => {
  setBackend("interpreter");
  const names = ["linear", "sigmoid", "tanh", "relu", "leakyRelu", "selu"] as const;
  names.forEach((name, i) => {
    assert.ok(Math.abs(init.calculateGain(name) - initial.gains[i]!) < 1e-15, name);
  });
  assert.ok(Math.abs(init.calculateGain("leakyRelu", 0.3) - initial.slope) < 1e-15);
  assert.deepEqual([...init.dirac([4, 3, 3, 2]).data], initial.dirac);
  assert.deepEqual([...init.dirac([4, 2, 3], { groups: 2 }).data], initial.grouped);
  assert.deepEqual([...init.eye([3, 5]).data], initial.eye);
  assert.throws(() => init.calculateGain("cubic" as never), /nonlinearity must be one of linear/);
  assert.throws(() => init.dirac([4, 3]), /needs three to five dims/);
  assert.throws(() => init.dirac([4, 3, 3], { groups: 3 }), /3 groups do not divide 4 outputs/);
});

test("random rules have the moments of their papers", () => {
  setBackend("interpreter");
  const shape: Shape = [48, 30, 3, 3];
  const [fanIn, fanOut] = [270, 432];
  const cases: [string, Tensor, number][] = [
    ["xavierNormal", init.xavierNormal(shape, seeded(1)), Math.sqrt(2 / (fanIn + fanOut))],
    [
      "xavierUniform",
      init.xavierUniform(shape, { gain: 2, ...seeded(2) }),
      2 * Math.sqrt(2 / (fanIn + fanOut)),
    ],
    ["kaimingNormal", init.kaimingNormal(shape, seeded(3)), Math.sqrt(2 / fanIn)],
    [
      "fanOut",
      init.kaimingNormal(shape, { mode: "fanOut", nonlinearity: "relu", ...seeded(4) }),
      Math.sqrt(2 / fanOut),
    ],
    [
      "tanh",
      init.kaimingUniform(shape, { nonlinearity: "tanh", ...seeded(5) }),
      5 / 3 / Math.sqrt(fanIn),
    ],
    ["slope", init.kaimingUniform(shape, { a: 0.5, ...seeded(6) }), Math.sqrt(2 / 1.25 / fanIn)],
    ["lecunNormal", init.lecunNormal(shape, seeded(7)), Math.sqrt(1 / fanIn)],
    ["lecunUniform", init.lecunUniform(shape, seeded(8)), Math.sqrt(1 / fanIn)],
  ];
  for (const [name, x, std] of cases) {
    assertMoments(x, std, name);
    if (/Uniform|tanh|slope/.test(name)) {
      const { least, greatest } = moments(x);
      assert.ok(greatest < std * Math.sqrt(3) && greatest > std * 1.7 && least < -std * 1.7, name);
    }
  }
  // SciPy: truncnorm(-1, 2, scale=0.5).stats("mv").
  const cut = moments(init.truncNormal(shape, { std: 0.5, a: -0.5, b: 1, ...seeded(10) }));
  assert.ok(Math.abs(cut.mean - 0.11481858954566451) < 5 * (cut.std / Math.sqrt(12960)));
  assert.ok(Math.abs(cut.std - 0.3604727934295229) < 0.01, String(cut.std));
  const truncated = moments(init.truncNormal(shape, { std: 0.5, a: -0.5, b: 1, ...seeded(9) }));
  assert.ok(truncated.least >= -0.5 && truncated.greatest <= 1 && truncated.greatest > 0.99);
});

test("tensors are filled in place, and keep their dtype", () => {
  setBackend("interpreter");
  const layer = new nn.Linear(40, 50);
  assert.equal(init.kaimingNormal(layer.weight, seeded(1)), layer.weight);
  assert.equal(layer.weight.requiresGrad, true);
  assertMoments(layer.weight.detach(), Math.sqrt(2 / 40), "in place");
  init.constant(layer.bias!, 0.25);
  assert.ok(layer.bias!.data.every((x) => x === 0.25));
  const wide = zeros([6, 4], { dtype: "float64" });
  for (const fill of [init.orthogonal, init.xavierUniform, init.lecunNormal, init.eye, init.ones])
    assert.equal(fill(wide).dtype, "float64");
});

test("orthogonal weights are", () => {
  setBackend("interpreter");
  for (const [rows, shape] of [
    [4, [4, 2, 3]],
    [7, [7, 3]],
    [5, [5, 5]],
  ] as const) {
    const w = init.orthogonal([...shape], { gain: 2, ...seeded(rows) }).reshape([rows, -1]);
    const product = w.shape[0]! <= w.shape[1]! ? w.matmul(w.t()) : w.t().matmul(w);
    const size = product.shape[0]!;
    product.data.forEach((x, i) => {
      assert.ok(Math.abs(x - (i % (size + 1) === 0 ? 4 : 0)) < 1e-5, `${shape}: ${x} at ${i}`);
    });
  }
  assert.throws(() => init.orthogonal([3]), /needs at least two dims/);
});

test("sparse weights have so many zeros in each column", () => {
  setBackend("interpreter");
  const w = init.sparse([20, 7], { sparsity: 0.33, std: 0.1, ...seeded(1) });
  for (let j = 0; j < 7; j++) {
    const column = Array.from({ length: 20 }, (_, i) => w.data[i * 7 + j]!);
    assert.equal(column.filter((x) => x === 0).length, Math.ceil(0.33 * 20));
  }
  const places = Array.from(
    { length: 20 },
    (_, i) => (w.data[i * 7] === 0) === (w.data[i * 7 + 1] === 0),
  );
  assert.ok(places.includes(false), "columns differ");
  assert.throws(() => init.sparse([2, 2], { sparsity: 2 }), /sparsity must be from 0 to 1/);
});

test("LSUV gives every layer's output variance 1, in the order of the run", () => {
  setBackend("native");
  manualSeed(3);
  const deep = new nn.Sequential(
    ...Array.from({ length: 6 }, () => [new nn.Linear(60, 60), new nn.ReLU()]).flat(),
  );
  const x = randn([200, 60]).mul(7).add(2);
  const variances = init.lsuv(deep, x, { tolerance: 1e-3 });
  assert.deepEqual([...variances.keys()], ["0", "2", "4", "6", "8", "10"]);
  let y = x;
  for (const layer of deep) {
    y = layer.forward(y);
    if (layer instanceof nn.Linear) assert.ok(Math.abs(y.to("float64").var().item() - 1) <= 1.1e-3);
  }
  assert.equal(deep.training, true);
  const conv = new nn.Sequential(new nn.Conv2d(1, 8, 3), new nn.Flatten(), new nn.Linear(72, 4));
  assert.equal(init.lsuv(conv, randn([32, 1, 5, 5])).size, 2);
  assert.throws(() => init.lsuv(new nn.ReLU(), x), /no layer with a weight runs/);
  assert.throws(() => init.lsuv(deep, zeros([4, 60])), /output of Linear has variance 0/);
});
