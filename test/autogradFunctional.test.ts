/**
 * Jacobians, Hessians and products with them: equal to torch.autograd.functional, eager and compiled, on every backend; and
 * `grad(outputs, inputs)`. scripts/fixtures/makeAutograd.py makes the numbers.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  compile,
  type FunctionalOptions,
  grad,
  hessian,
  hvp,
  jacobian,
  jvp,
  type Structure,
  Tensor,
  tensor,
  vhp,
  vjp,
} from "../src/index.js";
import { everywhere } from "./support/backends.js";

const expected = JSON.parse(
  readFileSync(new URL("fixtures/autograd.json", import.meta.url), "utf8"),
) as Record<string, unknown>;

const double = (values: number | number[] | number[][]) => tensor(values, { dtype: "float64" });
const a = double([
  [0.5, -1.2, 0.8],
  [1.5, 0.3, -0.7],
]);
const b = double([0.9, -0.4, 1.1]);
const v = double([
  [0.2, 1.0, -0.5],
  [0.7, -0.3, 0.4],
]);
const w = double([-0.6, 0.8, 0.1]);
const u = double([0.3, -1.4]);
const s = double(1.7);

const two = (x: Tensor, y: Tensor): Tensor[] => [
  x.matmul(y).tanh(),
  x.mul(y).exp().sum().mul(y.at(0)),
];
const one = (x: Tensor, y: Tensor): Tensor =>
  x.matmul(y).sin().mul(x.square().sum(1)).sum().add(y.pow(3).sum());

function numbersOf(value: unknown): number[] {
  if (value instanceof Tensor) return [...value.data];
  return Array.isArray(value) ? value.flatMap(numbersOf) : [value as number];
}

function shapeOf(value: unknown): unknown {
  if (value instanceof Tensor) return value.shape;
  return (value as unknown[]).map(shapeOf);
}

function assertClose(got: unknown, want: unknown, bound = 1e-9): void {
  const [found, wanted] = [numbersOf(got), numbersOf(want)];
  assert.equal(found.length, wanted.length);
  found.forEach((x, i) => {
    assert.ok(
      Math.abs(x - wanted[i]!) <= bound * (1 + Math.abs(wanted[i]!)),
      `${i}: ${x}, expected ${wanted[i]}`,
    );
  });
}

const derivatives: Record<string, (options: FunctionalOptions) => unknown> = {
  jacobianTwo: (options) => jacobian(two, [a, b], options),
  jacobianOne: (options) => jacobian((y) => a.matmul(y).tanh(), b, options),
  vjp: (options) => vjp(two, [a, b], [u, s], options),
  jvp: (options) => jvp(two, [a, b], [v, w], options),
  hessian: (options) => hessian(one, [a, b], options),
  hvp: (options) => hvp(one, [a, b], [v, w], options),
  vhp: (options) => vhp(one, [a, b], [v, w], options),
};

for (const [name, derivative] of Object.entries(derivatives)) {
  everywhere(`${name} equals PyTorch's, eager and compiled`, async () => {
    assertClose(derivative({}), expected[name]);
    assertClose(derivative({ createGraph: true }), expected[name]);
    const compiled = compile<[], Structure>(() => derivative({}) as Structure);
    assertClose(await compiled(), expected[name]);
    assertClose(await compiled(), expected[name]);
  });
}

test("structures and shapes are those of the inputs and outputs", () => {
  assert.deepEqual(shapeOf(jacobian(two, [a, b])), [
    [
      [2, 2, 3],
      [2, 3],
    ],
    [[2, 3], [3]],
  ]);
  assert.deepEqual(shapeOf(hessian(one, [a, b])), [
    [
      [2, 3, 2, 3],
      [2, 3, 3],
    ],
    [
      [3, 2, 3],
      [3, 3],
    ],
  ]);
  assert.deepEqual(jacobian((x) => x.sum(), b).shape, [3]);
  assert.deepEqual(jacobian((x) => x, tensor([]).to("float64")).shape, [0, 0]);
});

test("with createGraph a result can be differentiated with regard to the inputs, without it not", () => {
  const x = double([1, 2]).requiresGrad_();
  const J = jacobian((y) => y.pow(3), x, { createGraph: true });
  J.sum().backward();
  assert.deepEqual(x.grad!.toArray(), [6, 12]);
  assert.ok(!jacobian((y) => y.pow(3), x).requiresGrad);
  assert.ok(!hvp((y) => y.pow(3).sum(), x, double([1, 0]))[1].requiresGrad);
  const weight = double([2, 3]).requiresGrad_();
  const [, pushed] = jvp((y) => y.mul(weight), double([1, 1]), double([5, 7]), {
    createGraph: true,
  });
  pushed.sum().backward();
  assert.deepEqual(weight.grad!.toArray(), [5, 7]);
});

test("an output that depends on no input gives zeros, or under strict an error", () => {
  const flat = (x: Tensor) => [x.mul(2), b];
  assert.deepEqual((jacobian(flat, b)[1] as Tensor).toArray(), [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ]);
  assert.throws(
    () => jacobian(flat, b, { strict: true }),
    /^GradusError: jacobian: output 1 depends on no input/,
  );
});

test("vectors that do not fit and inputs that have no gradient are refused", () => {
  assert.throws(() => vjp(two, [a, b], u), /^ValueError: vjp: 2 output\(s\), but 1 vector/);
  assert.throws(
    () => vjp((x) => x, b, u),
    /^ShapeError: vjp: the vector for output 0 is float64\[2\]/,
  );
  assert.throws(() => vjp((x) => x, b), /^ShapeError: vjp: the function must give one number/);
  assert.throws(() => jvp((x) => x, b, u), /^ShapeError: jvp: the vector for input 0/);
  assert.throws(() => hessian((x) => x, b), /^ShapeError: hessian: the function must give one/);
  assert.throws(
    () => jacobian((x) => x, tensor([1], { dtype: "int32" })),
    /^DTypeError: jacobian: input 0 must be float/,
  );
});

everywhere("grad gives gradients of several outputs, of leaves and of values between", async () => {
  const results = (x: Tensor, y: Tensor) => {
    const hidden = x.mul(y);
    const outputs = [hidden.square(), hidden.sum()];
    return grad(outputs, [x, hidden], { gradOutputs: [double([1, 10]), null] });
  };
  const x = double([1, 2]).requiresGrad_();
  const y = double([3, 4]);
  const wanted = [21, 644, 7, 161];
  assertClose(results(x, y), wanted);
  assert.equal(x.grad, null);
  assertClose(await compile(results)(x, y), wanted);
});

test("grad is a second time possible with retainGraph, and differentiable with createGraph", () => {
  const x = double([1, 2]).requiresGrad_();
  const y = x.pow(3).sum();
  const [kept] = grad(y, x, { retainGraph: true });
  assert.ok(!kept!.requiresGrad);
  const [first] = grad(y, x, { createGraph: true });
  assert.deepEqual(grad(first!.sum(), x)[0]!.toArray(), [6, 12]);
  grad(y, x);
  assert.throws(() => grad(y, x), /freed by an earlier backward/);
});

test("grad refuses what does not require grad and, unless allowed, what is not used", () => {
  const [x, y] = [double([1, 2]).requiresGrad_(), double([3, 4]).requiresGrad_()];
  assert.throws(() => grad(double(1), x), /^GradusError: grad: this tensor does not require grad/);
  assert.throws(() => grad(x.sum(), double(1)), /^GradusError: grad: input 0 does not require/);
  assert.throws(
    () => grad(x.sum(), [x, y]),
    /^GradusError: grad: the outputs do not depend on input 1/,
  );
  assert.throws(() => grad(x.mul(2), x), /^ShapeError: grad: needs a tensor with one element/);
  assert.throws(
    () => grad([x.sum(), x.sum()], x, { gradOutputs: double(1) }),
    /2 output\(s\), but 1/,
  );
  assert.deepEqual(
    grad(x.sum(), [x, y], { allowUnused: true }).map((g) => g?.toArray() ?? null),
    [[1, 1], null],
  );
});

everywhere(
  "an inner derivative does not count the outer function's uses of its argument",
  async () => {
    const slope = (x: Tensor) => grad((y: Tensor) => x.mul(y))(x);
    assert.equal(slope(double(3)).item(), 3);
    assert.equal((await compile(slope)(double(3))).item(), 3);
    assert.equal(grad((x: Tensor) => x.mul(slope(x)))(double(3)).item(), 6);
  },
);
