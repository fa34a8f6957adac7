/** Every optimizer beside PyTorch's over 20 steps: eager, compiled, and stopped and resumed in the middle. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compile,
  noGrad,
  optim,
  setBackend,
  type Tensor,
  tensor,
  ValueError,
} from "../src/index.js";
import { backends, use } from "./support/backends.js";
import { differ } from "./support/compare.js";
import { readFixture } from "./support/fixtures.js";
import { wave } from "./support/golden.js";
import { optimizerCases } from "./support/optimCases.js";

interface Expected {
  readonly path: readonly (readonly [p: readonly number[], q: readonly number[]])[];
  readonly state: Readonly<Record<string, readonly number[]>>;
}

const { optimizers: fixtures } = readFixture<{ optimizers: Record<string, Expected> }>(
  "optimizers.json.gz",
);
const shownSteps = [0, 1, 4, 9, 19];
const narrow = { relative: 4e-6, absolute: 2e-6 };
const wide = { relative: 1e-12, absolute: 1e-12 };

interface Way {
  readonly compiled: boolean;
  /** Goes on with another optimizer, from the state of this one, after 10 steps. */
  readonly resumed?: boolean;
}

async function run(name: string, { compiled, resumed }: Way) {
  const p = wave([3, 2], 0.5, 1);
  const q = wave([4], 2.5, 1, "float64");
  for (const x of [p, q]) x.requiresGrad = true;
  const make = () => {
    const optimizer = optimizerCases[name]!([p, q]);
    const body = (a: Tensor, b: Tensor) => {
      noGrad(() => {
        p.grad = a.add(p.mul(0.1));
        q.grad = b.add(q.mul(0.1));
      });
      optimizer.step();
    };
    return { optimizer, step: compiled ? compile(body) : body };
  };
  let now = make();
  const path: (readonly [number[], number[]])[] = [];
  for (let i = 0; i < 20; i++) {
    if (resumed && i === 10) {
      const next = make();
      next.optimizer.loadStateDict(now.optimizer.stateDict());
      now = next;
    }
    await now.step(wave([3, 2], 0.9 * i, 1), wave([4], 0.9 * i + 1, 1, "float64"));
    if (shownSteps.includes(i)) path.push([[...p.data], [...q.data]]);
  }
  return { path, state: now.optimizer.stateDict().state };
}

for (const name of Object.keys(optimizerCases))
  test(`as PyTorch: ${name}`, async () => {
    const expected = fixtures[name]!;
    for (const place of backends) {
      use(place);
      const ways: readonly Way[] = [
        { compiled: false },
        { compiled: true },
        { compiled: true, resumed: true },
      ];
      for (const way of ways) {
        const { path, state } = await run(name, way);
        const where = `${name} ${JSON.stringify(way)} on ${place.name}`;
        path.forEach(([p, q], i) => {
          assert.equal(differ(p, expected.path[i]![0], narrow), null, `${where} p ${i}`);
          assert.equal(differ(q, expected.path[i]![1], wide), null, `${where} q ${i}`);
        });
        const isOwn = (key: string) => name.includes("dampening") && key === "step";
        for (const [i, own] of Object.entries(state))
          for (const [key, value] of Object.entries(own)) {
            if (isOwn(key)) continue;
            const bounds = value.dtype === "float64" ? wide : narrow;
            const values = expected.state[`${i}.${key}`];
            assert.ok(values, `${where}: PyTorch has no state ${i}.${key}`);
            assert.equal(differ(value.data, values, bounds), null, `${where} ${i}.${key}`);
          }
        const count = Object.values(state)
          .flatMap((own) => Object.keys(own))
          .filter((key) => !isOwn(key)).length;
        assert.equal(count, Object.keys(expected.state).length, where);
      }
    }
  });

test("L2 in the gradient and decay apart from it are different things", () => {
  setBackend("interpreter");
  const after = (make: (p: Tensor[]) => optim.Optimizer) => {
    const p = tensor([1, 1], { requiresGrad: true, dtype: "float64" });
    const optimizer = make([p]);
    for (let i = 0; i < 50; i++) {
      p.grad = tensor([10, 0.1], { dtype: "float64" }).mul(i % 2 ? 1 : -1);
      optimizer.step();
    }
    return p.toArray() as number[];
  };
  const options = { lr: 0.01, weightDecay: 0.1 };
  const none = after((p) => new optim.Adam(p, { lr: 0.01 }));
  const share = (values: number[]) => values.map((w, i) => w / none[i]!);
  const l2 = share(after((p) => new optim.Adam(p, options)));
  const decoupled = share(after((p) => new optim.AdamW(p, options)));
  // Apart from the gradient both weights shrink by (1 − lr·weightDecay)^50, whatever their gradients are.
  const shrunk = (1 - 0.001) ** 50;
  for (const w of decoupled) assert.ok(Math.abs(w - shrunk) < 0.002, String(decoupled));
  // In Adam's gradient it is divided by the gradient's size: the weight with large ones hardly shrinks, the other far more.
  assert.ok(l2[0]! > 0.99 && l2[1]! < 0.8, String(l2));
  // For plain SGD the two are one formula, so that there is only one option.
  const still = after((p) => new optim.SGD(p, { lr: 0.01 }));
  const sgd = after((p) => new optim.SGD(p, options)).map((w, i) => w / still[i]!);
  assert.ok(Math.abs(sgd[1]! - shrunk) < 0.002, String(sgd));
});

test("groups can be added, also after a step was compiled", async () => {
  setBackend("interpreter");
  const [a, b] = [1, 2].map((x) => tensor([x], { requiresGrad: true })) as [Tensor, Tensor];
  const optimizer = new optim.SGD([a], { lr: 0.5 });
  const step = compile(() => {
    a.mul(b).sum().backward();
    optimizer.step();
    optimizer.zeroGrad();
    b.grad = null;
  });
  await step();
  assert.deepEqual([a.item(), b.item()], [0, 2]);
  optimizer.addParamGroup({ params: [b], lr: 1, momentum: 0 });
  await step();
  assert.deepEqual([a.item(), b.item()], [-1, 2]);
  assert.throws(() => optimizer.addParamGroup({ params: [a] }), /a parameter is given twice/);
});

test("states are in PyTorch's layout, and numbers that the formula lacks cannot be set", () => {
  setBackend("interpreter");
  const [a, b] = [1, 2].map((x) => tensor([x], { requiresGrad: true })) as [Tensor, Tensor];
  const optimizer = new optim.AdamW([{ params: [a] }, { params: [b], lr: 0.5, amsgrad: true }]);
  a.grad = tensor([1]);
  optimizer.step();
  const { state, paramGroups } = optimizer.stateDict();
  assert.deepEqual(Object.keys(state), ["0"]);
  assert.deepEqual(Object.keys(state[0]!), ["step", "exp_avg", "exp_avg_sq"]);
  assert.deepEqual(paramGroups[1], {
    ...{ params: [1], lr: 0.5, eps: 1e-8, weightDecay: 0.01, betas: [0.9, 0.999] },
    ...{ amsgrad: true, maximize: false },
  });
  const sgd = new optim.SGD([a], { lr: 1 });
  assert.throws(
    () => sgd.paramGroups[0]!.set("momentum", 0.9),
    (error: Error) => error instanceof ValueError && /momentum was 0 when/.test(error.message),
  );
});
