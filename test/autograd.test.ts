/** Gradients in eager mode: the tape's life, higher orders, what cuts them off, and what goes wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  enableGrad,
  GradusError,
  grad,
  nn,
  noGrad,
  setBackend,
  type Tensor,
  tensor,
  zeros,
} from "../src/index.js";

setBackend("interpreter");

const leaf = (values: number | number[]) => tensor(values, { requiresGrad: true });

test("gradients add up over uses and over calls of backward", () => {
  const x = leaf([1, 2]);
  x.mul(x).add(x).sum().backward();
  assert.deepEqual(x.grad!.toArray(), [3, 5]);
  x.mul(2).sum().backward();
  assert.deepEqual(x.grad!.toArray(), [5, 7]);
  x.grad = null;
  x.sum().backward();
  assert.deepEqual(x.grad, x.grad);
  assert.deepEqual((x.grad as Tensor | null)?.toArray(), [1, 1]);
});

test("a given cotangent is used and not kept", () => {
  const x = leaf([1, 2]);
  const direction = tensor([10, 20]);
  x.backward({ gradient: direction });
  x.backward({ gradient: direction });
  assert.deepEqual(x.grad!.toArray(), [20, 40]);
  assert.deepEqual(direction.toArray(), [10, 20]);
  assert.throws(
    () => x.mul(2).backward({ gradient: tensor(1) }),
    /gradient has shape \[\], the tensor \[2\]/,
  );
});

test("backward needs one element and something that requires grad", () => {
  assert.throws(
    () => leaf([1, 2]).mul(2).backward(),
    /^ShapeError: backward: needs a tensor with one element, got \[2\]; reduce it/,
  );
  assert.throws(
    () => tensor(1).backward(),
    /^GradusError: backward: this tensor does not require grad/,
  );
});

test("backward twice needs retainGraph", () => {
  const x = leaf(3);
  const y = x.mul(x);
  y.backward();
  assert.throws(
    () => y.backward(),
    (error: Error) => {
      assert.ok(error instanceof GradusError);
      assert.match(
        error.message,
        /the values that mul kept for its gradient were freed.*retainGraph: true/,
      );
      return true;
    },
  );
  const z = x.mul(x);
  z.backward({ retainGraph: true });
  z.backward();
  assert.equal(x.grad!.item(), 18);
});

test("createGraph makes gradients that can be differentiated", () => {
  const x = leaf(2);
  x.pow(4).backward({ createGraph: true });
  const first = x.grad!;
  assert.ok(first.requiresGrad);
  x.grad = null;
  first.backward();
  assert.equal(x.grad!.item(), 48);
});

test("grad nests to any order", () => {
  const quartic = (x: Tensor) => x.mul(x).mul(x).mul(x);
  let derivative: (x: Tensor) => Tensor = quartic;
  const found: number[] = [];
  for (let i = 0; i < 4; i++) {
    derivative = grad(derivative);
    found.push(derivative(tensor(3, { dtype: "float64" })).item());
  }
  assert.deepEqual(found, [108, 108, 72, 24]);
});

test("grad takes argnums, gives zeros where nothing flows, and leaves the arguments alone", () => {
  const [x, y] = [tensor([1, 2]), tensor([3, 4])];
  const [gx, gy] = grad((a: Tensor, b: Tensor) => a.mul(b).sum(), { argnums: [0, 1] })(x, y) as [
    Tensor,
    Tensor,
  ];
  assert.deepEqual(
    [gx.toArray(), gy.toArray()],
    [
      [3, 4],
      [1, 2],
    ],
  );
  assert.deepEqual(grad((_: Tensor, b: Tensor) => b.sum())(x, y).toArray(), [0, 0]);
  assert.ok(!x.requiresGrad && x.grad === null && !gx.requiresGrad);
});

test("grad of a function that uses a leaf from outside can be differentiated with regard to it", () => {
  const w = leaf(3);
  const slope = grad((x: Tensor) => x.mul(x).mul(w))(tensor(5));
  slope.backward();
  assert.equal(w.grad!.item(), 10);
});

test("noGrad records nothing, enableGrad inside of it does", () => {
  const x = leaf([1, 2]);
  assert.ok(!noGrad(() => x.mul(2)).requiresGrad);
  assert.ok(noGrad(() => enableGrad(() => x.mul(2))).requiresGrad);
  assert.throws(
    () =>
      noGrad(() => {
        throw new Error("inside");
      }),
    /inside/,
  );
  assert.ok(x.mul(2).requiresGrad);
});

test("detach cuts the gradient off and shares the values", () => {
  const x = leaf([1, 2]);
  x.mul(x.detach()).sum().backward();
  assert.deepEqual(x.grad!.toArray(), [1, 2]);
  assert.equal(x.detach().data, x.data);
});

test("a value that a gradient needs and that was changed in place is noticed", () => {
  const [x, y] = [leaf([1, 2]), tensor([3, 4])];
  const product = x.mul(y).sum();
  y.assign(tensor([5, 6]));
  assert.throws(
    () => product.backward(),
    /^GradusError: backward: a value that the gradient of mul needs was changed in place/,
  );
  const sum = x.add(y).sum();
  y.assign(tensor([7, 8]));
  sum.backward();
  assert.deepEqual(x.grad!.toArray(), [1, 1]);
  const view = x.reshape([2, 1]);
  const squared = view.mul(view).sum();
  x.assign(tensor([0, 0]));
  assert.throws(() => squared.backward(), /changed in place/);
});

test("only leaves get a gradient, and whole numbers never do", () => {
  const x = leaf([1, 2]);
  const y = x.mul(2);
  const index = tensor([1], { dtype: "int32" });
  y.gather(0, index).sum().backward();
  assert.deepEqual([y.grad, index.grad, x.grad!.toArray()], [null, null, [0, 2]]);
  assert.ok(x.isLeaf && !y.isLeaf);
});

test("a long chain does not overflow the stack", () => {
  const x = leaf(1);
  let y: Tensor = x;
  for (let i = 0; i < 3000; i++) y = y.add(0.001);
  y.backward();
  assert.equal(x.grad!.item(), 1);
});

test("a diamond is walked once for each call", () => {
  const x = leaf(1);
  let y: Tensor = x;
  for (let i = 0; i < 40; i++) y = y.mul(0.5).add(y.mul(0.5));
  y.backward();
  assert.ok(Math.abs(x.grad!.item() - 1) < 1e-6);
});

test("frozen parameters get none, the others do", () => {
  const net = new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 1));
  const [first, second] = [...net] as [nn.Linear, nn.Linear];
  first.requiresGrad(false);
  net
    .forward(zeros([1, 2]))
    .sum()
    .backward();
  assert.equal(first.weight.grad, null);
  assert.deepEqual(second.bias!.grad!.toArray(), [1]);
});
