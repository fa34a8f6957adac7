/** vmap: batches of any function, differentiated, nested and compiled. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, grad, jacobian, randn, type Tensor, tensor, vmap, zeros } from "../src/index.js";
import { everywhere } from "./support/backends.js";

everywhere("a batch of dot products, along any dims, eager and compiled", async () => {
  const [x, y] = [randn([4, 3]), randn([3, 4])];
  const wanted = x.mul(y.transpose(0, 1)).sum(1);
  const dots = vmap((a: Tensor, b: Tensor) => a.dot(b), { inDims: [0, -1] });
  for (const got of [dots(x, y), await compile((a: Tensor, b: Tensor) => dots(a, b))(x, y)])
    assert.ok(got.allclose(wanted));
  const outer = vmap((a: Tensor, b: Tensor) => [a.mul(b), a], {
    inDims: [0, null],
    outDims: [1, -1],
  });
  const [products, copies] = outer(x, tensor([1, 2, 3])) as [Tensor, Tensor];
  assert.ok(products.allclose(x.mul(tensor([1, 2, 3])).transpose(0, 1)));
  assert.deepEqual(copies.toArray(), x.transpose(0, 1).toArray());
});

everywhere("gradients of each example, and gradients through a batch", async () => {
  const loss = (w: Tensor, x: Tensor) => w.mul(x).sum().tanh();
  const w = tensor([0.3, -0.2], { dtype: "float64", requiresGrad: true });
  const x = tensor(
    [
      [1, 2],
      [3, 4],
      [0.5, -1],
    ],
    { dtype: "float64" },
  );
  const perExample = (p: Tensor, batch: Tensor) =>
    vmap(grad(loss), { inDims: [null, 0] })(p, batch);
  const rows = jacobian((p) => vmap(loss, { inDims: [null, 0] })(p, x), w.detach());
  for (const got of [perExample(w.detach(), x), await compile(perExample)(w.detach(), x)])
    assert.ok(got.allclose(rows));
  vmap(loss, { inDims: [null, 0] })(w, x)
    .sum()
    .backward();
  assert.ok(w.grad!.allclose(rows.sum(0)));
});

test("vmaps nest", () => {
  const [x, y] = [tensor([1, 2]), tensor([10, 20, 30])];
  const table = vmap((a: Tensor) => vmap((b: Tensor) => a.mul(b))(y))(x);
  assert.deepEqual(table.toArray(), [
    [10, 20, 30],
    [20, 40, 60],
  ]);
});

test("arguments that do not fit are refused", () => {
  const add = vmap((a: Tensor, b: Tensor) => a.add(b));
  assert.throws(
    () => add(zeros([2]), zeros([3])),
    /^ShapeError: vmap: arguments have different numbers/,
  );
  assert.throws(
    () => add(zeros([]), zeros([3])),
    /^ValueError: vmap: inDims\[0\] is 0, but there are 0/,
  );
  assert.throws(() => add(zeros([0]), zeros([0])), /^ShapeError: vmap: there are no examples/);
  assert.throws(
    () => vmap((a: Tensor) => a, { inDims: null })(zeros([2])),
    /^ValueError: vmap: no argument has examples/,
  );
  let calls = 0;
  const uneven = vmap((a: Tensor) => (calls++ === 0 ? a : a.reshape([1])));
  assert.throws(() => uneven(zeros([2])), /^ShapeError: vmap: output 0 differs between examples/);
});
