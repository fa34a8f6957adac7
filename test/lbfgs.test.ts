/** LBFGS beside PyTorch's: with and without a line search, with an eager and a compiled closure, resumed, and on Rosenbrock's valley. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compile,
  nn,
  noGrad,
  optim,
  setBackend,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "../src/index.js";
import { backends, use } from "./support/backends.js";
import { differ } from "./support/compare.js";
import { readFixture } from "./support/fixtures.js";
import { wave } from "./support/golden.js";

interface Expected {
  readonly steps: readonly (readonly number[])[];
  readonly calls: number;
  readonly iterations: number;
  readonly d: readonly number[];
}

const { lbfgs: fixtures } = readFixture<{ lbfgs: Record<string, Expected> }>("optimizers.json.gz");
const cases: Readonly<Record<string, optim.LBFGSOptions>> = {
  plain: { maxIter: 3 },
  wolfe: { maxIter: 3, lineSearchFn: "strongWolfe" },
  short: { maxIter: 4, historySize: 2, lr: 0.5, lineSearchFn: "strongWolfe" },
  whole: { lineSearchFn: "strongWolfe" },
};
const bounds = { relative: 1e-9, absolute: 1e-10 };

/** The problem of makeOptimizers.py. */
function problem(options: optim.LBFGSOptions, compiled: boolean) {
  const x = wave([12, 3], 0.2, 1, "float64");
  const labels = Array.from({ length: 12 }, (_, i) => Number((i * i) % 3 === 1));
  const sign = tensor(labels, { dtype: "float64" }).mul(2).sub(1);
  const w = wave([3], 1, 1, "float64");
  const b = zeros([1], { dtype: "float64" });
  for (const p of [w, b]) p.requiresGrad = true;
  const make = () => {
    const optimizer = new optim.LBFGS([w, b], options);
    const body = () => {
      optimizer.zeroGrad();
      const score = sign.mul(x.matmul(w).add(b));
      const loss = nn.functional.softplus(score.neg()).mean().add(w.mul(w).sum().mul(0.01));
      loss.backward();
      return loss;
    };
    return { optimizer, closure: compiled ? compile(body) : body };
  };
  return { w, b, make };
}

for (const [name, options] of Object.entries(cases))
  test(`as PyTorch: ${name}`, async () => {
    const expected = fixtures[name]!;
    for (const place of backends) {
      use(place);
      for (const compiled of [false, true]) {
        const { w, b, make } = problem(options, compiled);
        let now = make();
        for (let i = 0; i < 6; i++) {
          if (i === 3) {
            const next = make();
            next.optimizer.loadStateDict(now.optimizer.stateDict());
            now = next;
          }
          const loss = (await now.optimizer.step(now.closure)).item();
          const where = `${name} step ${i}, compiled ${compiled}, ${place.name}`;
          const found = [loss, ...w.data, ...b.data];
          assert.equal(differ(found, expected.steps[i]!, bounds), null, where);
        }
        const state = now.optimizer.stateDict().state[0]!;
        assert.equal(state.func_evals, expected.calls);
        assert.equal(state.n_iter, expected.iterations);
      }
    }
  });

test("LBFGS finds the end of Rosenbrock's valley, and leaves it where PyTorch's rules say", async () => {
  setBackend("interpreter");
  const p = tensor([-1.5, 2], { requiresGrad: true, dtype: "float64" });
  const optimizer = new optim.LBFGS([p], { lineSearchFn: "strongWolfe", maxIter: 100 });
  const closure = () => {
    optimizer.zeroGrad();
    const [x, y] = [p.at(0), p.at(1)];
    const loss = x.neg().add(1).square().add(y.sub(x.square()).square().mul(100));
    loss.backward();
    return loss;
  };
  await optimizer.step(closure);
  p.data.forEach((x) => {
    assert.ok(Math.abs(x - 1) < 1e-5, String(p.data));
  });
});

test("LBFGS refuses what it cannot use", async () => {
  setBackend("interpreter");
  const p = tensor([1], { requiresGrad: true });
  const q = tensor([1], { requiresGrad: true, dtype: "float64" });
  const refused: [() => unknown, RegExp][] = [
    [() => new optim.LBFGS([]), /LBFGS: got no parameters/],
    [() => new optim.LBFGS([p, q]), /must be of one dtype/],
    [() => new optim.LBFGS([p], { maxIter: 0 }), /maxIter must be a whole number ≥ 1/],
    [
      () => new optim.LBFGS([p], { lineSearchFn: "armijo" as never }),
      /must be strongWolfe or null/,
    ],
    [() => new optim.LBFGS([p], { momentum: 1 } as never), /unknown option "momentum"/],
  ];
  for (const [call, message] of refused)
    assert.throws(
      call,
      (error: Error) => error instanceof ValueError && message.test(error.message),
    );
  const optimizer = new optim.LBFGS([p], { lr: 1e30, maxIter: 5 });
  const closure = (): Tensor => {
    optimizer.zeroGrad();
    const loss = p.mul(p).sum();
    loss.backward();
    return loss;
  };
  await assert.rejects(optimizer.step(closure), /the closure's loss is Infinity|loss is NaN/);
  const { paramGroups } = optimizer.stateDict();
  assert.throws(() => optimizer.loadStateDict({ state: {}, paramGroups: [] }), /0 groups/);
  const long = { ...optimizer.stateDict().state[0]!, d: zeros([9]) };
  assert.throws(() => optimizer.loadStateDict({ state: { 0: long }, paramGroups }), /1 elements/);
  noGrad(() => p.assign(tensor([2])));
  const scheduler = new optim.lrScheduler.ExponentialLR(optimizer, { gamma: 0.5 });
  scheduler.step();
  assert.equal(optimizer.paramGroups[0]!.lr, 0.5e30);
});
