/** Batch norms folded into the layers before them: which are, which must not be, and outputs that stay equal. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { GradusError, nn, noGrad, setBackend, type Tensor } from "../src/index.js";
import { differ } from "./support/compare.js";
import { wave } from "./support/golden.js";

const { utils } = nn;

/** Running statistics and affine parameters that differ from what batch norms begin with. */
function stir(model: nn.Module): void {
  for (const [i, [name, x]] of [...model.stateDict()].entries()) {
    if (x.dtype === "int32") continue;
    const value = wave(x.shape, i, 0.5);
    noGrad(() => x.assign(name.endsWith("running_var") ? value.abs().add(0.2) : value));
  }
}

class Residual extends nn.Layer {
  readonly conv = new nn.Conv2d(2, 2, 3, { padding: 1, bias: false });
  readonly bn = new nn.BatchNorm2d(2);
  /** Whether the convolution's output is used beside its norm. */
  readonly leaks: boolean;

  constructor(leaks: boolean) {
    super();
    this.leaks = leaks;
  }

  forward(x: Tensor): Tensor {
    const y = this.conv.forward(x);
    return this.bn.forward(y).add(this.leaks ? y : x);
  }
}

test("batch norms are folded into the layers before them, with equal outputs", () => {
  setBackend("interpreter");
  const image = wave([2, 2, 5, 5], 0.3, 1);
  const cases: [nn.Layer, Tensor, number][] = [
    [new nn.Sequential(new nn.Conv2d(2, 3, 3), new nn.BatchNorm2d(3), new nn.ReLU()), image, 1],
    [new nn.Sequential(new nn.Linear(4, 3), new nn.BatchNorm1d(3)), wave([5, 4], 0, 1), 1],
    [
      new nn.Sequential(
        new nn.ConvTranspose2d(2, 4, 2, { groups: 2, bias: false }),
        new nn.BatchNorm2d(4, { affine: false }),
      ),
      image,
      1,
    ],
    [
      new nn.Sequential(
        new nn.BatchNorm2d(2),
        new nn.Sequential(new nn.Conv2d(2, 4, 3, { groups: 2 }), new nn.BatchNorm2d(4)),
      ),
      image,
      1,
    ],
    [new nn.Sequential(new Residual(false), new nn.ReLU(), new Residual(false)), image, 2],
    [new nn.Sequential(new nn.Linear(4, 3), new nn.BatchNorm1d(3)), wave([5, 3, 4], 0, 1), 0],
  ];
  for (const [model, x, count] of cases) {
    stir(model);
    const norms = (m: nn.Module) =>
      [...m.namedModules()].filter(([, p]) => /^BatchNorm/.test(p.constructor.name));
    const before = norms(model).length;
    const folded = utils.foldBatchNorm(model, x);
    assert.equal(norms(folded).length, before - count, String(model));
    assert.equal(norms(model).length, before);
    assert.equal(model.training, true);
    const expected = model.eval().forward(x);
    assert.equal(
      differ(folded.forward(x).data, [...expected.data], { relative: 1e-4, absolute: 1e-5 }),
      null,
    );
  }
  const chain = new nn.Sequential(new nn.Conv2d(2, 3, 3), new nn.BatchNorm2d(3));
  stir(chain);
  const folded = utils.foldBatchNorm(chain);
  assert.deepEqual([...folded.stateDict().keys()], ["0.weight", "0.bias"]);
  const expected = chain.eval().forward(image);
  assert.equal(
    differ(folded.forward(image).data, [...expected.data], { relative: 1e-4, absolute: 1e-5 }),
    null,
  );
  const leaking = new Residual(true);
  stir(leaking);
  assert.throws(
    () => utils.foldBatchNorm(leaking, image),
    (error: Error) => error instanceof GradusError && /is used elsewhere too/.test(error.message),
  );
});

test("what a fold would change for others too is left as it is, and outputs stay equal", () => {
  setBackend("interpreter");
  class Doubled extends nn.Linear {
    override forward(x: Tensor): Tensor {
      return super.forward(x).mul(2).relu();
    }
  }
  class Squared extends nn.BatchNorm1d {
    override forward(x: Tensor): Tensor {
      return super.forward(x).square();
    }
  }
  const linear = () => new nn.Linear(3, 3);
  const norm = () => new nn.BatchNorm1d(3);
  const [twice, normTwice] = [linear(), norm()];
  const [first, second] = [linear(), linear()];
  (second as { weight: nn.Parameter }).weight = first.weight;
  const x = wave([4, 3], 0.3, 1);
  for (const layers of [
    [twice, norm(), twice, norm()],
    [linear(), normTwice, linear(), normTwice],
    [first, norm(), second],
    [new Doubled(3, 3), norm()],
    [linear(), new Squared(3)],
    [utils.weightNorm(linear()), norm()],
    [linear(), new nn.BatchNorm1d(3, { trackRunningStats: false })],
  ]) {
    const model = new nn.Sequential(...layers);
    stir(model);
    const expected = model.eval().forward(x).toArray();
    for (const examples of [[], [x]] as const) {
      const folded = utils.foldBatchNorm(model, ...examples);
      assert.deepEqual(folded.forward(x).toArray(), expected, String(model));
      const keys = (m: nn.Module) => [...m.stateDict().keys()];
      assert.deepEqual(keys(folded), keys(model));
    }
  }
  const misfit = new nn.Sequential(new nn.ConvTranspose2d(2, 4, 2), new nn.BatchNorm2d(3));
  assert.match(String(utils.foldBatchNorm(misfit)), /BatchNorm2d/);
});
