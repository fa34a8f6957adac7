/** Tensor hooks, leaves, functions with gradients of their own, and specs: eager and compiled, on every backend. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compile,
  customFunction,
  defineOp,
  grad,
  gradCheck,
  gradGradCheck,
  noGrad,
  type Tensor,
  tensor,
} from "../src/index.js";
import { applyOne, byName, type OpSpec } from "../src/tensor/apply.js";
import { everywhere } from "./support/backends.js";

const leaf = (values: number | number[]) => tensor(values, { requiresGrad: true });

everywhere("a hook sees the whole gradient of a value and may replace it", async () => {
  const run = (x: Tensor) => {
    const hidden = x.mul(2);
    hidden.registerHook((g) => g.mul(10));
    const handle = hidden.registerHook(() => tensor([99, 99]));
    handle.remove();
    const y = hidden.mul(hidden).sum().add(hidden.sum());
    y.backward();
    return x.grad!;
  };
  // d/dhidden = 2·hidden + 1 = [5, 9], times 10 by the hook, times 2.
  assert.deepEqual(run(leaf([1, 2])).toArray(), [100, 180]);
  assert.deepEqual((await compile(run)(leaf([1, 2]))).toArray(), [100, 180]);
});

everywhere(
  "hooks of parameters run once a backward, and a program notices when they change",
  async () => {
    const w = leaf([1, 2]);
    const step = compile((x: Tensor) => {
      w.grad = null;
      w.mul(x).sum().add(w.mul(x).sum()).backward();
    });
    const x = tensor([3, 4]);
    await step(x);
    assert.deepEqual(w.grad!.toArray(), [6, 8]);
    const handle = w.registerHook((g) => g.add(1));
    await step(x);
    assert.deepEqual(w.grad!.toArray(), [7, 9]);
    handle.remove();
    await step(x);
    assert.deepEqual(w.grad!.toArray(), [6, 8]);
    let calls = 0;
    w.registerHook(() => {
      calls++;
    });
    w.grad = null;
    w.mul(x).sum().add(w.sum()).backward();
    assert.equal(calls, 1);
  },
);

everywhere("a hook of a reshape that changes nothing is the hook of that value alone", async () => {
  const run = (x: Tensor) => {
    const same = x.reshape([2]);
    same.registerHook((g) => g.mul(10));
    x.add(same).sum().backward();
    return x.grad!;
  };
  assert.deepEqual(run(leaf([1, 2])).toArray(), [11, 11]);
  assert.deepEqual((await compile(run)(leaf([1, 2]))).toArray(), [11, 11]);
});

everywhere("retainGrad keeps the gradient of a value between", async () => {
  const run = (x: Tensor) => {
    const hidden = x.mul(3);
    hidden.retainGrad();
    hidden.registerHook((g) => g.mul(2));
    hidden.mul(hidden).sum().backward();
    return hidden.grad!;
  };
  assert.deepEqual(run(leaf([1, 2])).toArray(), [12, 24]);
  assert.deepEqual((await compile(run)(leaf([1, 2]))).toArray(), [12, 24]);
});

everywhere("a post-accumulate hook updates its parameter at once", async () => {
  const train = (w: Tensor) => {
    w.registerPostAccumulateGradHook((p) => {
      noGrad(() => p.assign(p.sub(p.grad!.mul(0.25))));
      p.grad = null;
    });
    return () => w.mul(w).sum().backward();
  };
  const [eager, compiled] = [leaf([1, 2]), leaf([1, 2])];
  train(eager)();
  await compile<[], void>(train(compiled))();
  for (const w of [eager, compiled]) {
    assert.deepEqual(w.toArray(), [0.5, 1]);
    assert.equal(w.grad, null);
  }
});

test("hooks are refused where no gradient comes", () => {
  assert.throws(
    () => tensor(1).registerHook(() => {}),
    /^GradusError: registerHook: this tensor does/,
  );
  assert.throws(() => tensor(1).retainGrad(), /^GradusError: retainGrad: this tensor does not/);
  assert.throws(
    () =>
      leaf(1)
        .mul(2)
        .registerPostAccumulateGradHook(() => {}),
    /^GradusError: registerPostAccumulateGradHook: only a leaf/,
  );
  const x = leaf([1, 2]);
  x.registerHook(() => tensor(1));
  assert.throws(() => x.sum().backward(), /^ShapeError: registerHook: a hook gave float32\[\]/);
});

test("requiresGrad_ and detach_ make and unmake leaves", () => {
  const x = tensor([1, 2]).requiresGrad_();
  const y = x.mul(2);
  assert.ok(x.isLeaf && !y.isLeaf);
  assert.throws(() => y.requiresGrad_(false), /^GradusError: requiresGrad_: only a leaf/);
  assert.throws(
    () => tensor([1], { dtype: "int32" }).requiresGrad_(),
    /^DTypeError: requiresGrad_/,
  );
  y.detach_();
  assert.ok(y.isLeaf && !y.requiresGrad);
  y.requiresGrad_().sum().backward();
  assert.deepEqual([x.grad, y.grad!.toArray()], [null, [1, 1]]);
});

everywhere("inside a compiled function a detached value can be a leaf", async () => {
  const run = (x: Tensor) => {
    const cut = x.mul(2).detach().requiresGrad_();
    assert.ok(cut.isLeaf);
    cut.mul(cut).sum().backward();
    return cut.grad!;
  };
  assert.deepEqual((await compile(run)(tensor([1, 2]))).toArray(), [4, 8]);
  assert.deepEqual(run(tensor([1, 2])).toArray(), [4, 8]);
  await assert.rejects(
    compile((x: Tensor) => x.mul(2).detach_())(tensor(1)),
    /^TraceError: detach_: a value of a compiled function/,
  );
});

const cube = customFunction({
  name: "cube",
  forward(ctx, x: Tensor) {
    ctx.saveForBackward(x);
    return x.mul(x).mul(x);
  },
  backward(ctx, g) {
    const [x] = ctx.savedTensors as [Tensor];
    return g.mul(x).mul(x).mul(3);
  },
});

const sinCos = customFunction({
  name: "sinCos",
  forward(ctx, x: Tensor, scale: number, y: Tensor) {
    const outputs = [x.mul(scale).sin(), x.mul(scale).cos().mul(y)];
    ctx.values.scale = scale;
    ctx.saveForBackward(x, y, outputs[0]!);
    return outputs;
  },
  backward(ctx, gs, gc) {
    const [x, y, sin] = ctx.savedTensors as [Tensor, Tensor, Tensor];
    const scale = ctx.values.scale as number;
    const cos = x.mul(scale).cos();
    const gx = gs!.mul(cos).sub(gc!.mul(sin).mul(y)).mul(scale);
    return [gx, null, gc!.mul(cos)];
  },
});

test("gradients of custom functions pass gradCheck and gradGradCheck", () => {
  const [x, y] = [tensor([0.3, -1.2, 2]), tensor([1.5, 0.4, -0.6])];
  assert.ok(gradCheck(cube, x).relativeError < 1e-6);
  assert.ok(gradGradCheck(cube, x).passed);
  assert.ok(gradCheck((p, q) => sinCos(p!, 1.7, q!), [x, y]).passed);
  assert.ok(gradGradCheck((p, q) => sinCos(p!, 1.7, q!), [x, y]).passed);
});

everywhere(
  "custom functions have the same gradients of first and second order compiled",
  async () => {
    const run = (x: Tensor) => {
      const value = (t: Tensor) => {
        const [sin, cos] = sinCos(t, 2, t.mul(3)) as [Tensor, Tensor];
        return cube(sin).add(cos).sum();
      };
      const slope = grad(value);
      return [value(x), slope(x), grad((t: Tensor) => slope(t).square().sum())(x)];
    };
    const plain = (x: Tensor) => {
      const value = (t: Tensor) => {
        const sin = t.mul(2).sin();
        return sin
          .pow(3)
          .add(t.mul(2).cos().mul(t.mul(3)))
          .sum();
      };
      const slope = grad(value);
      return [value(x), slope(x), grad((t: Tensor) => slope(t).square().sum())(x)];
    };
    const x = tensor([0.3, -1.2, 2], { dtype: "float64" });
    const [wanted, eager, compiled] = [plain(x), run(x), await compile(run)(x)];
    for (const found of [eager, compiled])
      wanted.forEach((y, i) => {
        y.data.forEach((n, k) => {
          assert.ok(Math.abs(found[i]!.data[k]! - n) < 1e-9 * (1 + Math.abs(n)), `${i} ${k}`);
        });
      });
  },
);

everywhere("a function that gives its input back may reverse the gradient", async () => {
  const reverse = customFunction({ forward: (_, x: Tensor) => x, backward: (_, g) => g.neg() });
  const run = (x: Tensor) => {
    reverse(x).mul(3).sum().add(x.sum()).backward();
    return x.grad!;
  };
  assert.deepEqual(run(leaf([1, 2])).toArray(), [-2, -2]);
  assert.deepEqual((await compile(run)(leaf([1, 2]))).toArray(), [-2, -2]);
});

test("custom functions say what is wrong with their gradients", () => {
  const make = (backward: (g: Tensor) => Tensor | (Tensor | null)[]) =>
    customFunction({
      name: "mine",
      forward: (_, x: Tensor, y: Tensor) => x.mul(y),
      backward: (_, g) => backward(g),
    });
  const run = (fn: (x: Tensor, y: Tensor) => Tensor) =>
    fn(leaf([1, 2]), leaf([3, 4]))
      .sum()
      .backward();
  assert.throws(
    () => run(make((g) => g)),
    /^ValueError: mine: backward gave 1 gradient\(s\) for 2/,
  );
  assert.throws(
    () => run(make(() => [tensor(1), null])),
    /^ShapeError: mine: the gradient of argument 0 is float32\[\], expected float32\[2\]/,
  );
  const x = leaf(2);
  const y = cube(x);
  y.backward();
  assert.throws(() => y.backward(), /values that cube kept for its gradient were freed/);
  const other = tensor([1, 2]);
  const product = customFunction({
    name: "product",
    forward(ctx, p: Tensor, q: Tensor) {
      ctx.saveForBackward(q);
      return p.mul(q);
    },
    backward: (ctx, g) => [g.mul(ctx.savedTensors[0]!), null],
  })(leaf([1, 2]), other);
  other.assign(tensor([0, 0]));
  assert.throws(() => product.sum().backward(), /that the gradient of product needs was changed/);
});

test("two ops of one name do not share programs, and a spec by name is made once", () => {
  const make = (factor: number): OpSpec => ({
    name: "scale",
    lower: (b, [x]) => b.multiply(x!, factor),
  });
  const [twice, thrice] = [make(2), make(3)];
  const x = tensor([1, 2]);
  assert.deepEqual(applyOne(twice, [x], {}).toArray(), [2, 4]);
  assert.deepEqual(applyOne(thrice, [x], {}).toArray(), [3, 6]);
  const named = byName((name) => ({ name }));
  assert.equal(named("a"), named("a"));
  assert.notEqual(named("a"), named("b"));
});

everywhere("an op by its lowering has gradients, attributes and several results", async () => {
  const swish = defineOp<{ beta: number }>({
    name: "swish",
    lower(b, [x], { beta }) {
      const gate = b.pointwise("exponential", b.multiply(x!, -beta));
      return b.divide(x!, b.add(gate, 1));
    },
  });
  const both = defineOp({
    name: "both",
    lower: (b, [x]) => [b.negate(x!), b.multiply(x!, x!)],
  });
  const run = (x: Tensor) => {
    const [negated, squared] = both([x]) as [Tensor, Tensor];
    swish([x], { beta: 2 }).sum().add(negated.mul(squared).sum()).backward();
    return x.grad!;
  };
  const wanted = leaf([0.5, -1]);
  wanted.mul(wanted.mul(2).sigmoid()).sub(wanted.pow(3)).sum().backward();
  for (const got of [run(leaf([0.5, -1])), await compile(run)(leaf([0.5, -1]))])
    assert.ok(got.allclose(wanted.grad!));
  assert.ok(gradCheck((x) => swish([x!], { beta: 3 }), tensor([0.5, -1])).passed);
  assert.throws(
    () => swish([3 as never], { beta: 1 }),
    /^ValueError: swish: input 0 must be a tensor/,
  );
});
