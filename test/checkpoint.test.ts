/** Checkpoints: the same gradients and random numbers, less held; and checks of gradients against differences. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkpoint,
  compile,
  grad,
  gradCheck,
  gradGradCheck,
  manualSeed,
  nn,
  numericalGradient,
  randn,
  type Tensor,
  tensor,
  zeros,
} from "../src/index.js";
import { backends, everywhere, use } from "./support/backends.js";

const { functional: F } = nn;

function net() {
  manualSeed(3);
  const [first, second] = [new nn.Linear(4, 8), new nn.Linear(8, 4)];
  const block = (h: Tensor) =>
    F.dropout(second.forward(F.dropout(first.forward(h).tanh(), 0.5)), 0.5);
  const parameters = [...first.parameters(), ...second.parameters()];
  const run = (isKept: boolean) => (x: Tensor) => {
    for (const p of parameters) p.grad = null;
    const h = isKept ? block(x) : checkpoint(block, x);
    const loss = h.mul(h).sum().add(F.dropout(h, 0.3).sum());
    loss.backward();
    return loss;
  };
  return { parameters, run };
}

everywhere("gradients and random numbers are those without a checkpoint", async () => {
  const { parameters, run } = net();
  const x = randn([5, 4]);
  const wanted: number[][] = [];
  for (const step of [run(true), run(false), compile(run(true)), compile(run(false))]) {
    manualSeed(11);
    const seen: number[] = [];
    for (let i = 0; i < 2; i++) {
      seen.push((await step(x)).item());
      for (const p of parameters) seen.push(...p.grad!.data);
    }
    wanted.push(seen);
  }
  for (const seen of wanted.slice(1))
    seen.forEach((v, i) => {
      assert.ok(Math.abs(v - wanted[0]![i]!) < 1e-5 * (1 + Math.abs(v)), `${i}: ${v}`);
    });
});

everywhere("gradients of gradients flow through a checkpoint", async () => {
  const slopes = (isKept: boolean) => (x: Tensor) => {
    const part = (t: Tensor) => t.sin().mul(t.exp()).cumsum(0);
    const value = (t: Tensor) => (isKept ? part(t) : checkpoint(part, t)).square().sum();
    return grad((t: Tensor) => grad(value)(t).square().sum())(x);
  };
  const x = tensor([0.3, -0.8, 1.1], { dtype: "float64" });
  const wanted = slopes(true)(x).data;
  for (const got of [slopes(false)(x), await compile(slopes(false))(x)])
    got.data.forEach((v, i) => {
      assert.ok(Math.abs(v - wanted[i]!) < 1e-9 * (1 + Math.abs(v)));
    });
});

everywhere("running statistics change once, and inputs may be values between", async () => {
  const once = async (isCompiled: boolean) => {
    const norm = new nn.BatchNorm1d(3);
    const w = tensor([1, 2, 3], { requiresGrad: true });
    const run = (x: Tensor) => {
      const h = checkpoint((t: Tensor) => norm.forward(t).tanh(), x.mul(w));
      h.mul(x).sum().backward();
      return norm.runningMean!.mul(1);
    };
    const x = tensor([
      [1, 2, 3],
      [4, 6, 5],
    ]);
    await (isCompiled ? compile(run)(x) : run(x));
    return [...norm.runningMean!.data, ...w.grad!.data];
  };
  const [eager, compiled] = [await once(false), await once(true)];
  eager.forEach((v, i) => {
    assert.ok(Math.abs(v - compiled[i]!) < 1e-5);
  });
  assert.ok(Math.abs(eager[0]! - 0.25) < 1e-6);
});

test("eager, the function runs again at backward, and once", () => {
  let runs = 0;
  const x = tensor([1, 2], { requiresGrad: true });
  const y = checkpoint((t: Tensor) => {
    runs++;
    return t.exp().tanh().mul(t).exp();
  }, x);
  assert.equal(runs, 1);
  y.sum().backward();
  assert.equal(runs, 2);
  assert.throws(() => y.sum().backward(), /freed by an earlier backward/);
});

test("a function that differs when it runs again, or reads what was changed, is named", () => {
  let runs = 0;
  const x = tensor([1, 2], { requiresGrad: true });
  const odd = checkpoint((t: Tensor) => (runs++ === 0 ? t.exp() : t.exp().sin()), x).sum();
  assert.throws(() => odd.backward(), /^GradusError: checkpoint: the function ran 1 recorded ops/);
  const w = tensor([3, 4], { requiresGrad: true });
  const y = checkpoint((t: Tensor) => t.mul(w).exp(), x).sum();
  w.assign(zeros([2]));
  assert.throws(
    () => y.backward(),
    /^GradusError: checkpoint: a tensor that the function reads was/,
  );
});

test("compiled, a checkpointed chain needs less memory", async () => {
  const native = backends.find(({ backend }) => backend !== "interpreter");
  if (native) use(native);
  const { arenaOf } = await import("./support/arena.js");
  const chain = (isKept: boolean) => (x: Tensor) => {
    const block = (t: Tensor) => {
      let h = t;
      for (let i = 0; i < 6; i++) h = h.matmul(h).tanh();
      return h;
    };
    let h = x;
    for (let i = 0; i < 6; i++) h = isKept ? block(h) : checkpoint(block, h);
    h.sum().backward();
    return x.grad!;
  };
  const [all, less] = [arenaOf(chain(true), [64, 64]), arenaOf(chain(false), [64, 64])];
  assert.ok(less < all * 0.6, `${less} of ${all}`);
});

test("numerical gradients, and checks that pass, fail and name kinks", () => {
  const slopes = numericalGradient((x) => x.pow(3).sum(), tensor([1, 2]));
  assert.equal(slopes.dtype, "float64");
  assert.ok(Math.abs(slopes.data[1]! - 12) < 1e-6);
  const report = gradCheck((x) => x.relu().mul(2), tensor([[-1, 0, 2]]));
  assert.deepEqual(
    report.kinks.map(({ input, element }) => [input, element]),
    [[0, [0, 1]]],
  );
  assert.match(report.messages[0]!, /^kink at input 0, element \[0, 1\]: slope 0\.0+ to the left/);
  assert.ok(report.passed && report.relativeError < 1e-6);
  assert.equal(gradCheck((x) => x.abs(), tensor([0])).kinks.length, 1);
  assert.equal(gradCheck((x) => x.square().mul(1e4), tensor([1e-4, 0])).kinks.length, 0);
  assert.equal(gradCheck((x) => x.relu(), tensor(3e-7), { raise: false }).kinks.length, 1);
  const wrong = (x: Tensor) => x.mul(x.detach());
  assert.throws(() => gradCheck(wrong, tensor([1, 2])), /gradient 2\.0+, difference quotient 4\.0/);
  const failed = gradCheck(wrong, tensor([1, 2]), { raise: false });
  assert.ok(!failed.passed && Math.abs(failed.relativeError - 0.5) < 1e-6);
  assert.ok(gradGradCheck((x, y) => x!.mul(y!).exp(), [tensor([0.5, 1]), tensor([1, -1])]).passed);
  assert.throws(
    () => gradCheck((x) => x, tensor([1], { dtype: "int32" })),
    /^DTypeError: gradCheck/,
  );
  assert.throws(() => numericalGradient((x) => x, tensor(1), { eps: 0 }), /^ValueError: numerical/);
});
