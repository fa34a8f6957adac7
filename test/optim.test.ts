/** Optimizers against PyTorch's, tensor by tensor, eager and compiled on every backend; groups, state, refusals. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compile,
  nn,
  noGrad,
  ones,
  optim,
  ShapeError,
  setBackend,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "../src/index.js";
import { backends, use } from "./support/backends.js";
import { differ } from "./support/compare.js";
import { golden, toys, wave } from "./support/golden.js";

const narrow = { relative: 2e-5, absolute: 2e-6 };
const wide = { relative: 1e-8, absolute: 1e-9 };

const flatState = (optimizer: optim.Optimizer): Map<string, Tensor> =>
  new Map(
    Object.entries(optimizer.stateDict().state).flatMap(([number, own]) =>
      Object.entries(own).map(([name, x]) => [`${number}.${name}`, x] as const),
    ),
  );

/** Twenty steps of golden.py's toy: the parameters after steps 1, 2, 5 and 20, and the state at the end. */
async function runToy(name: string, compiled: boolean) {
  const p = wave([3, 2], 0.5, 1);
  const q = wave([4], 2.5, 1, "float64");
  for (const x of [p, q]) x.requiresGrad = true;
  const optimizer = toys[name]!([p, q]);
  const run = (a: Tensor, b: Tensor) => {
    noGrad(() => {
      p.grad = a.add(p.mul(0.1));
      q.grad = b.add(q.mul(0.1));
    });
    optimizer.step();
  };
  const step = compiled ? compile(run) : run;
  const path: number[][][] = [];
  for (let i = 0; i < 20; i++) {
    await step(wave([3, 2], 0.9 * i, 1), wave([4], 0.9 * i + 1, 1, "float64"));
    if ([0, 1, 4, 19].includes(i)) path.push([[...p.data], [...q.data]]);
  }
  return { path, state: flatState(optimizer) };
}

for (const place of backends)
  for (const name of Object.keys(toys))
    for (const compiled of [false, true])
      test(`${name} moves parameters and state as PyTorch does (${place.backend}, ${compiled ? "compiled" : "eager"})`, async () => {
        use(place);
        const { path, state } = await runToy(name, compiled);
        const expected = golden.toys[name]!;
        path.forEach(([p, q], i) => {
          assert.equal(differ(p!, expected.path[i]![0]!, narrow), null);
          assert.equal(differ(q!, expected.path[i]![1]!, wide), null);
        });
        const own = [...state.keys()].filter(
          (key) => name !== "dampening" || !key.endsWith(".step"),
        );
        assert.deepEqual(own.sort(), Object.keys(expected.state).sort());
        for (const [key, values] of Object.entries(expected.state)) {
          const got = state.get(key)!;
          const bounds = got.dtype === "float64" ? wide : narrow;
          assert.equal(differ(got.data, values, bounds), null, key);
        }
      });

test("groups have numbers of their own", () => {
  setBackend("interpreter");
  const [a, b] = [tensor([1], { requiresGrad: true }), tensor([1], { requiresGrad: true })];
  const optimizer = new optim.SGD([{ params: [a], lr: 0.5 }, { params: [b] }], { lr: 0.1 });
  for (const x of [a, b]) x.grad = ones([1]);
  optimizer.step();
  assert.deepEqual([a.item(), Math.fround(b.item())], [0.5, Math.fround(0.9)]);
  assert.deepEqual(
    optimizer.paramGroups.map(({ lr }) => lr),
    [0.5, 0.1],
  );
  optimizer.paramGroups[1]!.lr = 1;
  optimizer.step();
  assert.equal(b.item(), Math.fround(Math.fround(0.9) - 1));
});

test("parameters without a gradient stay as they are, and get no state", () => {
  setBackend("interpreter");
  const [a, b] = [tensor([1], { requiresGrad: true }), tensor([1], { requiresGrad: true })];
  const optimizer = new optim.Adam([a, b]);
  a.grad = ones([1]);
  optimizer.step();
  assert.equal(b.item(), 1);
  assert.deepEqual([...flatState(optimizer).keys()], ["0.step", "0.exp_avg", "0.exp_avg_sq"]);
  optimizer.zeroGrad();
  assert.equal(a.grad, null);
});

for (const place of backends)
  test(`a saved state goes on where it stopped, bit for bit (${place.backend})`, async () => {
    use(place);
    const make = () => {
      const net = new nn.Linear(3, 2);
      noGrad(() => net.weight.assign(wave([2, 3], 1, 1)));
      noGrad(() => net.bias!.assign(zeros([2])));
      return { net, optimizer: new optim.AdamW(net.parameters(), { lr: 0.05 }) };
    };
    const stepOf = ({ net, optimizer }: ReturnType<typeof make>) =>
      compile((x: Tensor) => {
        optimizer.zeroGrad();
        net.forward(x).square().sum().backward();
        optimizer.step();
      });
    const [whole, first, second] = [make(), make(), make()];
    const [a, b] = [stepOf(whole), stepOf(first)];
    for (let i = 0; i < 6; i++) await a(wave([4, 3], i, 1));
    for (let i = 0; i < 3; i++) await b(wave([4, 3], i, 1));
    second.net.loadStateDict(first.net.stateDict());
    second.optimizer.loadStateDict(first.optimizer.stateDict());
    const c = stepOf(second);
    for (let i = 3; i < 6; i++) await c(wave([4, 3], i, 1));
    assert.deepEqual(second.net.weight.toArray(), whole.net.weight.toArray());
  });

test("loadStateDict refuses what does not fit and changes nothing then", () => {
  setBackend("interpreter");
  const p = tensor([1, 2], { requiresGrad: true });
  const optimizer = new optim.Adam([p], { lr: 0.1 });
  p.grad = ones([2]);
  optimizer.step();
  const values = () => [...flatState(optimizer)].map(([key, x]) => [key, x.toArray()]);
  const before = values();
  const { state, paramGroups } = optimizer.stateDict();
  const [group] = paramGroups;
  const own = state[0]!;
  const wrong: [unknown, unknown, RegExp][] = [
    [
      { 0: { ...own, exp_avg: ones([3]) } },
      paramGroups,
      /^Adam: 0\.exp_avg: expected float32\[2\], got float32\[3\]/,
    ],
    [
      { 0: { ...own, other: ones([2]) } },
      paramGroups,
      /^Adam: the state has "0\.other", which this optimizer does not know/,
    ],
    [{ 0: { step: own.step } }, paramGroups, /^Adam: the state lacks "0\.exp_avg"/],
    [{ 7: own }, paramGroups, /the state has parameter 7, the optimizer 1 parameters/],
    [state, [], /^Adam: the state has 0 groups, the optimizer 1/],
    [state, [{ ...group, params: [0, 1] }], /group 0 of the state has 2 parameters/],
    [state, [{ ...group, lr: 0.7, speed: 1 }], /unknown option "speed"/],
    [state, [{ ...group, amsgrad: true }], /group 0 of the state was made with amsgrad/],
    [state, [{ ...group, lr: Number.NaN }], /lr must be a number ≥ 0, got NaN/],
    [state, [{ ...group, betas: [0.9] }], /betas must be two numbers/],
  ];
  for (const [tensors, groups, message] of wrong) {
    assert.throws(
      () => optimizer.loadStateDict({ state: tensors as never, paramGroups: groups as never }),
      (error: Error) => {
        assert.ok(error instanceof ValueError || error instanceof ShapeError, String(error));
        assert.match(error.message, message);
        return true;
      },
    );
    assert.deepEqual(values(), before);
    assert.equal(optimizer.paramGroups[0]!.lr, 0.1);
  }
});

test("optimizers refuse options that are out of range or misspelt, and parameters that are none", async () => {
  setBackend("interpreter");
  const p = tensor([1], { requiresGrad: true });
  const refused: [() => unknown, RegExp][] = [
    [() => new optim.SGD([p], { lr: -1 }), /^SGD: lr must be a number ≥ 0, got -1/],
    [
      () => new optim.SGD([p], { learningRate: 1 } as never),
      /^SGD: unknown option "learningRate", expected lr, momentum/,
    ],
    [
      () => new optim.SGD([p], { nesterov: true }),
      /^SGD: nesterov needs momentum > 0 and dampening 0/,
    ],
    [
      () => new optim.Adam([p], { betas: [0.9, 1] }),
      /^Adam: betas must be a number in \[0, 1\), got 1/,
    ],
    [() => new optim.AdamW([p], { eps: Number.NaN }), /^AdamW: eps must be a number ≥ 0, got NaN/],
    [() => new optim.SGD([]), /^SGD: got no parameters; pass model\.parameters\(\)/],
    [() => new optim.SGD([p, p]), /^SGD: a parameter is given twice/],
    [
      () => new optim.SGD([tensor([1], { dtype: "int32" })]),
      /^SGD: parameters must be float tensors/,
    ],
    [() => new optim.SGD([{ params: [p], speed: 2 }]), /^SGD: unknown option "speed"/],
  ];
  for (const [call, message] of refused)
    assert.throws(
      call,
      (error: Error) => error instanceof ValueError && message.test(error.message),
      String(message),
    );
  const optimizer = new optim.SGD([p]);
  await assert.rejects(
    compile(() => {
      optimizer.paramGroups[0]!.lr = 0.5;
    })(),
    /^GradusError: ParamGroup: lr was set to a number inside a compiled function/,
  );
});
