/**
 * compile(): when a program is traced again, what is read and written, what a traced function may not do, and what a run that
 * fails or is under way leaves. Everything on every backend.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BackendError,
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
  TraceError,
  tensor,
  ValueError,
  zeros,
} from "../src/index.js";
import { backends, use } from "./support/backends.js";
import { labels, Mlp, numbers, optimizers, settle, trainingStep } from "./support/models.js";

/** A test on every backend. */
function everywhere(name: string, body: () => Promise<void>): void {
  for (const place of backends)
    test(`${name} (${place.backend})`, async () => {
      use(place);
      await body();
    });
}

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

everywhere("reading a value while tracing is refused, with a hint", async () => {
  const hint =
    /a value was read while compile\(\) traces the function.*float32\[2\].*where\(\) instead of if/;
  await assert.rejects(compile((x: Tensor) => x.mul(2).data[0] ?? 0)(ones([2])), hint);
  await assert.rejects(compile((x: Tensor) => x.toArray() as number[])(ones([2])), TraceError);
  await assert.rejects(
    compile((x: Tensor) => x.sum().item())(ones([2])),
    /^TraceError: item: a value was read/,
  );
  await assert.rejects(
    compile((x: Tensor) => ((x.sum() as unknown as number) > 0 ? x : x.neg()))(ones([2])),
    /^TraceError: comparison: a value was read while compile\(\) traces/,
  );
  const w = tensor([3]);
  await assert.rejects(
    compile((x: Tensor) => x.mul(w).mul(w.item()))(ones([2])),
    /read as a number, which would freeze today's value into the program/,
  );
  assert.equal(
    `${await compile((x: Tensor) => String(x))(ones([2]))}`,
    "tensor(traced, shape=[2], dtype=float32)",
  );
});

everywhere("a traced value that was kept elsewhere is refused", async () => {
  let kept: Tensor | null = null;
  const f = compile((x: Tensor) => {
    const y = kept ? x.add(kept) : x.mul(2);
    kept = x.mul(3);
    return y;
  });
  await f(ones([2]));
  await assert.rejects(
    f(ones([3])),
    /^TraceError: .*a value of type float32\[2\] was kept from an earlier trace/,
  );
  assert.throws(() => kept!.add(1), TraceError);
  assert.throws(() => kept!.item(), TraceError);
});

everywhere("an async function is refused", async () => {
  await assert.rejects(
    compile((async (x: Tensor) => x) as never)(),
    /^TraceError: compile: the function is async/,
  );
});

everywhere("a compiled function inside another is part of it", async () => {
  const inner = compile((x: Tensor) => x.mul(2));
  const outer = compile((x: Tensor) => (inner(x) as unknown as Tensor).add(1));
  assert.deepEqual((await outer(tensor([1, 2]))).toArray(), [3, 5]);
  assert.equal(inner.programCount, 0);
});

everywhere("a trace that throws leaves nothing behind", async () => {
  const w = leaf([1, 2]);
  const f = compile((x: Tensor) => {
    w.assign(w.mul(2));
    w.grad = x;
    return x.add(zeros([3]));
  });
  await assert.rejects(f(ones([2])), /^ShapeError: add: shapes \[2\] and \[3\] do not broadcast/);
  assert.deepEqual([w.toArray(), w.grad], [[1, 2], null]);
  assert.deepEqual(w.add(1).toArray(), [2, 3]);
});

for (const [name, make] of Object.entries(optimizers))
  everywhere(
    `a label out of range leaves parameters and state of ${name} as they were`,
    async () => {
      const model = settle(new Mlp());
      const optimizer = make(model.parameters());
      const step = compile(trainingStep(model, optimizer));
      const x = numbers("x", [4, 6]);
      manualSeed(3);
      await step(x, labels("y", 4, 5));
      const all = () => [
        ...[...model.stateDict(), ...optimizer.stateDict().state].map(([key, v]) => [
          key,
          v.toArray(),
        ]),
        ...model.parameters().map((p) => p.grad?.toArray()),
        defaultGenerator.getState(),
      ];
      const before = structuredClone(all());
      const wrong = tensor(Int32Array.of(1, 7, 0, 2));
      await assert.rejects(step(x, wrong), (error: Error) => {
        assert.ok(error instanceof ValueError, String(error));
        assert.match(error.message, /^crossEntropy: index 7 is out of range: expected 0 to 4/);
        return true;
      });
      assert.deepEqual(all(), before);
      await step(x, labels("y", 4, 5));
      assert.notDeepEqual(all(), before);
    },
  );

everywhere("concurrent calls run in the order of the calls", async () => {
  const p = tensor(1);
  const double = compile(() => p.assign(p.mul(2)));
  const add = compile((x: Tensor) => {
    p.assign(p.add(x));
    return p.mul(1);
  });
  const results = [double(), add(tensor(3)), double(), add(tensor(1))];
  await Promise.all(results);
  assert.equal(p.item(), 11);
  assert.deepEqual(
    [((await results[1]) as Tensor).item(), ((await results[3]) as Tensor).item()],
    [5, 11],
  );
});

everywhere("a failed call does not stop those after it", async () => {
  const f = compile((x: Tensor) => x.add(zeros([2])));
  const [bad, good] = await Promise.allSettled([f(ones([3])), f(ones([2]))]);
  assert.deepEqual([bad!.status, good!.status], ["rejected", "fulfilled"]);
});

everywhere("a parameter that a run is writing says so when it is read", async () => {
  const w = leaf([1, 2]);
  const f = compile(() => w.assign(w.mul(2)));
  const running = f();
  assert.throws(
    () => w.toArray(),
    (error: Error) => {
      assert.ok(error instanceof BackendError);
      assert.match(
        error.message,
        /a compiled function that updates this tensor is still running; await its result first/,
      );
      return true;
    },
  );
  assert.throws(() => w.add(1), BackendError);
  await running;
  assert.deepEqual(w.toArray(), [2, 4]);
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
