/**
 * compile(): when a program is traced again, and what it reads, writes, draws and gives. Everything on every backend. Read
 * compileRefusals.test.ts next.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compile,
  defaultGenerator,
  Generator,
  grad,
  manualSeed,
  nn,
  noGrad,
  ones,
  optim,
  rand,
  randn,
  type Tensor,
  tensor,
  zeros,
} from "../src/index.js";
import { backends, everywhere, use } from "./support/backends.js";
import { labels, Mlp, numbers, optimizers, settle, trainingStep } from "./support/models.js";

const leaf = (values: number | number[]) => tensor(values, { requiresGrad: true });

everywhere(
  "one program serves all calls of one signature; shapes and dtypes make others",
  async () => {
    let traces = 0;
    const f = compile((x: Tensor) => {
      traces++;
      return x.mul(2).sum();
    });
    assert.equal((await f(ones([4]))).item(), 8);
    assert.equal((await f(tensor([1, 2, 3, 4]))).item(), 20);
    assert.deepEqual([f.programCount, traces], [1, 1]);
    assert.equal((await f(ones([3]))).item(), 6);
    assert.equal((await f(ones([4], { dtype: "float64" }))).dtype, "float64");
    assert.equal((await f(ones([2, 2]))).item(), 8);
    assert.equal(f.programCount, 4);
    await f(ones([4]));
    assert.deepEqual([f.programCount, traces], [4, 4]);
  },
);

everywhere(
  "plain arguments, lists and records are part of the signature and of the result",
  async () => {
    const f = compile((parts: { xs: Tensor[]; scale: number; name: string }) => ({
      sum: parts.xs[0]!.add(parts.xs[1]!).mul(parts.scale),
      pair: [parts.xs[0]!, parts.name, null] as const,
    }));
    const xs = [tensor([1, 2]), tensor([3, 4])];
    const first = await f({ xs, scale: 2, name: "a" });
    assert.deepEqual(first.sum.toArray(), [8, 12]);
    assert.deepEqual(
      [(first.pair[0] as Tensor).toArray(), first.pair[1], first.pair[2]],
      [[1, 2], "a", null],
    );
    assert.deepEqual((await f({ xs, scale: 3, name: "a" })).sum.toArray(), [12, 18]);
    await f({ xs, scale: 2, name: "a" });
    assert.equal(f.programCount, 2);
    await assert.rejects(
      f({ xs, scale: new Map() as never, name: "" }),
      /^ValueError: compile: arguments and results must be tensors/,
    );
  },
);

everywhere("train and eval mode have programs of their own", async () => {
  const net = settle(new Mlp());
  const f = compile((x: Tensor) => net.forward(x));
  const x = numbers("x", [7, 6]);
  const training = (await f(x)).toArray();
  net.eval();
  const evaluated = (await f(x)).toArray();
  assert.notDeepEqual(training, evaluated);
  assert.deepEqual((await f(x)).toArray(), evaluated);
  net.train();
  await f(x);
  assert.equal(f.programCount, 2);
});

everywhere("requiresGrad and whether there is a gradient have programs of their own", async () => {
  const [w, v] = [leaf([1, 2]), leaf([3, 4])];
  const f = compile(() => {
    const loss = w.mul(v).sum();
    loss.backward();
    return loss;
  });
  await f();
  assert.deepEqual([w.grad!.toArray(), v.grad!.toArray(), f.programCount], [[3, 4], [1, 2], 1]);
  await f();
  assert.deepEqual([w.grad!.toArray(), f.programCount], [[6, 8], 2]);
  await f();
  assert.deepEqual([w.grad!.toArray(), f.programCount], [[9, 12], 2]);
  v.requiresGrad = false;
  const before = v.grad!.toArray();
  await f();
  assert.deepEqual([v.grad!.toArray(), w.grad!.toArray(), f.programCount], [before, [12, 16], 3]);
});

everywhere("gradients can be set, cleared and handed over", async () => {
  const [w, v] = [leaf([1, 2]), leaf([3, 4])];
  await compile((g: Tensor) => {
    w.grad = g;
    v.grad = g.mul(2);
  })(tensor([5, 6]));
  assert.deepEqual(
    [w.grad?.toArray(), v.grad?.toArray()],
    [
      [5, 6],
      [10, 12],
    ],
  );
  await compile(() => {
    w.grad = v.grad;
    v.grad = null;
  })();
  assert.deepEqual([w.grad?.toArray(), v.grad], [[10, 12], null]);
});

everywhere("the learning rate changes without another trace", async () => {
  const w = leaf(1);
  const optimizer = new optim.SGD([w], { lr: 0.5 });
  const step = compile(() => {
    optimizer.zeroGrad();
    w.mul(w).sum().backward();
    optimizer.step();
  });
  await step();
  assert.equal(w.item(), 0);
  noGrad(() => w.assign(tensor(1)));
  await step();
  const { programCount } = step;
  optimizer.paramGroups[0]!.lr = 0.25;
  noGrad(() => w.assign(tensor(1)));
  await step();
  assert.equal(w.item(), 0.5);
  assert.equal(step.programCount, programCount);
});

everywhere("assigned tensors change when the run succeeds, also when they swap", async () => {
  const [p, q] = [tensor([1, 2, 3]), tensor([4, 5, 6])];
  const swap = compile(() => {
    const [a, b] = [p.mul(1), q.mul(1)];
    p.assign(b);
    q.assign(a);
    return p.sub(q);
  });
  assert.deepEqual((await swap()).toArray(), [3, 3, 3]);
  assert.deepEqual(
    [p.toArray(), q.toArray()],
    [
      [4, 5, 6],
      [1, 2, 3],
    ],
  );
  await swap();
  assert.deepEqual(
    [p.toArray(), q.toArray()],
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
  );
});

everywhere("a value read before an assignment keeps what it was", async () => {
  const p = tensor([1, 2, 3]);
  const f = compile(() => {
    const before = p.mul(1);
    const [sum, flipped] = [p.sum(), p.flip(0)];
    p.assign(p.mul(2));
    p.assign(p.add(flipped));
    return [before, sum, p] as const;
  });
  const [before, sum, after] = await f();
  assert.deepEqual([before.toArray(), sum.item()], [[1, 2, 3], 6]);
  assert.deepEqual(
    [after.toArray(), p.toArray()],
    [
      [5, 6, 7],
      [5, 6, 7],
    ],
  );
});

everywhere("an argument may be a tensor that the function assigns, or a view of it", async () => {
  const p = tensor([1, 2, 3, 4]);
  const f = compile((x: Tensor) => {
    p.assign(p.add(1));
    return x.mul(10);
  });
  assert.deepEqual((await f(p)).toArray(), [10, 20, 30, 40]);
  assert.deepEqual((await f(p.reshape([4]))).toArray(), [20, 30, 40, 50]);
  assert.deepEqual(p.toArray(), [3, 4, 5, 6]);
});

everywhere("results stay valid after later runs", async () => {
  const f = compile((x: Tensor) => x.add(1));
  const first = await f(tensor([1, 2]));
  const second = await f(tensor([5, 6]));
  assert.deepEqual(
    [first.toArray(), second.toArray()],
    [
      [2, 3],
      [6, 7],
    ],
  );
});

everywhere("eager and compiled draw the same bits and leave the generator alike", async () => {
  const draw = () => {
    const x = rand([5]);
    const y = randn([3, 3]);
    return [x, y, nn.functional.dropout(ones([50]), 0.3), rand([2], { dtype: "float64" })] as const;
  };
  manualSeed(11);
  const eager = [draw(), draw()].flat().map((x) => x.toArray());
  const state = defaultGenerator.getState();
  manualSeed(11);
  const f = compile(draw);
  const compiled = [await f(), await f()].flat().map((x) => x.toArray());
  assert.deepEqual(compiled, eager);
  assert.deepEqual(defaultGenerator.getState(), state);
});

test("dropout and rand give the same bits on every backend", async () => {
  const found: unknown[] = [];
  for (const place of backends) {
    use(place);
    const generator = new Generator(99);
    const draw = () => [
      rand([100], { generator }),
      nn.functional.dropout(ones([100]), 0.5, { generator }),
    ];
    const [eager, compiled] = [draw(), await compile(draw)()];
    found.push([...eager, ...compiled].map((x) => x.toArray()));
  }
  for (const other of found) assert.deepEqual(other, found[0]);
});

everywhere("a call number passes 2^32 alike", async () => {
  const generator = new Generator(5);
  generator.setState([5, 0, -1, 7]);
  await compile(() => rand([1], { generator }))();
  const compiled = generator.getState();
  generator.setState([5, 0, -1, 7]);
  rand([1], { generator });
  assert.deepEqual(
    [compiled, generator.getState()],
    [
      [5, 0, 0, 8],
      [5, 0, 0, 8],
    ],
  );
});

everywhere("gradients inside of a program: grad, nested grad, backward of a part", async () => {
  const cube = (x: Tensor) => x.mul(x).mul(x).sum();
  const f = compile(
    (x: Tensor) => [grad(cube)(x), grad((y: Tensor) => grad(cube)(y).sum())(x)] as const,
  );
  const [first, second] = await f(tensor([1, 2]));
  assert.deepEqual(
    [first.toArray(), second.toArray()],
    [
      [3, 12],
      [6, 12],
    ],
  );
  const w = leaf([1, 2]);
  await compile(() => {
    const h = w.mul(w);
    h.detach().mul(w).sum().backward();
    noGrad(() => w.mul(5));
  })();
  assert.deepEqual(w.grad!.toArray(), [1, 4]);
});

everywhere("results do not require grad, and backward on them says so", async () => {
  const w = leaf([1, 2]);
  const y = await compile(() => w.mul(2).sum())();
  assert.ok(!y.requiresGrad);
  assert.throws(() => y.backward(), /does not require grad/);
});

everywhere("one result may be given twice, be an argument, or a constant", async () => {
  const f = compile((x: Tensor) => {
    const y = x.add(1);
    return [y, y, x, zeros([2]), y.reshape([2, 1])] as const;
  });
  const [a, b, x, zero, view] = await f(tensor([1, 2]));
  assert.deepEqual(
    [a.toArray(), b.toArray(), x.toArray()],
    [
      [2, 3],
      [2, 3],
      [1, 2],
    ],
  );
  assert.deepEqual(
    [zero.toArray(), view.toArray()],
    [
      [0, 0],
      [[2], [3]],
    ],
  );
});

everywhere("many signatures do not grow without end, and old ones work again", async () => {
  const f = compile((x: Tensor, n: number) => x.add(n));
  const x = tensor(1);
  for (let n = 0; n < 70; n++) assert.equal((await f(x, n)).item(), n + 1);
  assert.equal((await f(x, 0)).item(), 1);
});

everywhere("two steps of an optimizer in one program are two steps", async () => {
  const make = () => {
    const model = settle(new Mlp().eval());
    return { model, step: trainingStep(model, optimizers.adam(model.parameters())) };
  };
  const [x, y] = [numbers("x", [7, 6]), labels("y", 7, 5)];
  const [one, two] = [make(), make()];
  const losses = [one.step(x, y), one.step(x, y)].map((loss) => loss.item());
  const [first, second] = await compile(() => [two.step(x, y), two.step(x, y)] as const)();
  [first, second].forEach((loss, i) => {
    assert.ok(Math.abs(loss.item() - losses[i]!) < 1e-6);
  });
  assert.ok(losses[1]! < losses[0]!);
});

everywhere("gradients of several batches add up inside of one program", async () => {
  const make = () => settle(new Mlp().eval());
  const loss = (model: Mlp, i: number) =>
    nn.functional.crossEntropy(model.forward(numbers(`x${i}`, [4, 6])), labels(`y${i}`, 4, 5));
  const [eager, compiled] = [make(), make()];
  for (const i of [0, 1, 2]) loss(eager, i).backward();
  await compile(() => {
    for (const i of [0, 1, 2]) loss(compiled, i).backward();
  })();
  const [a, b] = [eager, compiled].map((model) => model.fc1.weight.grad!.data);
  a!.forEach((v: number, i: number) => {
    assert.ok(Math.abs(v - b![i]!) < 1e-6);
  });
});

everywhere(
  "arguments that require grad get theirs, inside of the function and after it",
  async () => {
    const [x, w] = [leaf([1, 2]), leaf([3, 4])];
    const f = compile((a: Tensor) => {
      a.mul(w).sum().backward();
      return a.grad!.mul(1);
    });
    assert.deepEqual((await f(x)).toArray(), [3, 4]);
    assert.deepEqual(
      [x.grad!.toArray(), w.grad!.toArray()],
      [
        [3, 4],
        [1, 2],
      ],
    );
    await f(x);
    assert.deepEqual(
      [x.grad!.toArray(), w.grad!.toArray()],
      [
        [6, 8],
        [2, 4],
      ],
    );
    const plain = tensor([5, 6]);
    await compile((a: Tensor) => a.mul(w).sum().backward())(plain);
    assert.equal(plain.grad, null);
  },
);

everywhere("a number read from outside holds until it changes", async () => {
  const scale = tensor(2);
  const f = compile((x: Tensor) => x.mul(scale.item()));
  assert.equal((await f(tensor(3))).item(), 6);
  assert.equal((await f(tensor(4))).item(), 8);
  assert.equal(f.programCount, 1);
  scale.assign(tensor(5));
  assert.equal((await f(tensor(3))).item(), 15);
  assert.equal(f.programCount, 2);
});

everywhere("a loop over short programs lets timers run", async () => {
  const double = compile((x: Tensor) => x.mul(2));
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  const end = performance.now() + 150;
  while (performance.now() < end) await double(tensor([1, 2]));
  clearInterval(timer);
  assert.ok(ticks >= 2, `${ticks} ticks`);
});
