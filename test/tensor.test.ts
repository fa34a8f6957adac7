/** Making, reading and printing tensors, changing them in place, and errors at the caller's line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import {
  arange,
  DTypeError,
  eye,
  fromTypedArray,
  full,
  fullLike,
  nn,
  ones,
  onesLike,
  rand,
  ShapeError,
  setBackend,
  type Tensor,
  tensor,
  ValueError,
  zeros,
  zerosLike,
} from "../src/index.js";

setBackend("interpreter");

test("tensor takes numbers, booleans, nested arrays and typed arrays", () => {
  const cases: [Tensor, string, number[], unknown][] = [
    [tensor(3), "float32", [], 3],
    [tensor(true), "bool", [], 1],
    [tensor([]), "float32", [0], []],
    [tensor([[], []]), "float32", [2, 0], [[], []]],
    [
      tensor([
        [1, 2],
        [3, 4],
      ]),
      "float32",
      [2, 2],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [tensor([true, false]), "bool", [2], [1, 0]],
    [tensor([1, true]), "float32", [2], [1, 1]],
    [
      tensor(Int32Array.of(1, 2, 3, 4), { shape: [2, 2] }),
      "int32",
      [2, 2],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [tensor(Uint8Array.of(1, 2)), "uint8", [2], [1, 2]],
    [tensor([0, 2, -1], { dtype: "bool" }), "bool", [3], [0, 1, 1]],
    [tensor([1, 2], { dtype: "int32" }), "int32", [2], [1, 2]],
    [tensor(0.1, { dtype: "float64" }), "float64", [], 0.1],
    [tensor(0.1), "float32", [], Math.fround(0.1)],
    [
      tensor([1, 2, 3, 4], { shape: [2, 2] }),
      "float32",
      [2, 2],
      [
        [1, 2],
        [3, 4],
      ],
    ],
  ];
  for (const [x, dtype, shape, values] of cases) {
    assert.equal(x.dtype, dtype);
    assert.deepEqual(x.shape, shape);
    assert.deepEqual(x.toArray(), values);
    assert.equal(x.ndim, shape.length);
    assert.equal(
      x.size,
      shape.reduce((n, m) => n * m, 1),
    );
  }
});

test("tensor copies its values; fromTypedArray does not", () => {
  const data = Float32Array.of(1, 2);
  const [copied, shared] = [tensor(data), fromTypedArray(data)];
  data[0] = 9;
  assert.deepEqual(
    [copied.toArray(), shared.toArray()],
    [
      [1, 2],
      [9, 2],
    ],
  );
  assert.equal(shared.data, data);
});

test("tensor refuses ragged rows, values that do not fit, wrong sizes and dtypes", () => {
  const refused: [() => unknown, new (...args: never[]) => Error, RegExp][] = [
    [
      () => tensor([[1, 2], [3]]),
      ShapeError,
      /^tensor: rows differ in length at dim 1: expected 2, got 1/,
    ],
    [() => tensor([[1], 2]), ShapeError, /^tensor: rows differ in depth/],
    [() => tensor([1, [2]]), ShapeError, /^tensor: rows differ/],
    [
      () => tensor([300], { dtype: "uint8" }),
      ValueError,
      /^tensor: 300 at position 0 does not fit uint8/,
    ],
    [
      () => tensor([1, 1.5], { dtype: "int32" }),
      ValueError,
      /^tensor: 1\.5 at position 1 does not fit int32/,
    ],
    [() => tensor([2 ** 31], { dtype: "int32" }), ValueError, /does not fit int32/],
    [
      () => tensor([Number.NaN], { dtype: "int32" }),
      ValueError,
      /NaN at position 0 does not fit int32/,
    ],
    [() => tensor([1, 2, 3], { shape: [2] }), ShapeError, /^tensor: 3 values do not fill \[2\]/],
    [
      () => tensor(["1"] as never),
      ValueError,
      /^tensor: elements must be numbers or booleans, got string/,
    ],
    [
      () => tensor(1, { dtype: "float16" as never }),
      DTypeError,
      /^tensor: unknown dtype "float16", expected float32/,
    ],
    [
      () => tensor(1, { dtype: "int32", requiresGrad: true }),
      DTypeError,
      /only float tensors can require grad, got int32/,
    ],
    [
      () => zeros([-1]),
      ShapeError,
      /^full: sizes must be whole numbers ≥ 0, got \[-1\]|^zeros: sizes/,
    ],
    [() => zeros([2 ** 20, 2 ** 20]), ShapeError, /over 2\^31 - 1/],
    [
      () => fromTypedArray(new Float32Array(3), { shape: [2] }),
      ShapeError,
      /3 values do not fill \[2\]/,
    ],
    [
      () => fromTypedArray(new Float32Array(3), { dtype: "int32" }),
      DTypeError,
      /a Float32Array cannot hold int32/,
    ],
    [() => arange(0, 5, 0), ValueError, /^arange: cannot count from 0 to 5 by 0/],
    [() => arange(0, "5" as never), ValueError, /^arange: end must be a number, got 5/],
    [() => arange([3] as never), ValueError, /^arange: end must be a number, got an array/],
    [() => rand([2], { dtype: "int32" }), DTypeError, /^rand: needs a float dtype, got int32/],
  ];
  for (const [call, Kind, message] of refused)
    assert.throws(call, (error: Error) => {
      assert.ok(error instanceof Kind, `${error}`);
      assert.match(error.message, message);
      return true;
    });
});

test("zeros, ones, full, arange, eye and the …Like forms", () => {
  assert.deepEqual(zeros([2]).toArray(), [0, 0]);
  assert.deepEqual(ones([2], { dtype: "uint8" }).dtype, "uint8");
  assert.deepEqual(full([2], 7).toArray(), [7, 7]);
  assert.deepEqual(eye(2, 3).toArray(), [
    [1, 0, 0],
    [0, 1, 0],
  ]);
  assert.deepEqual([arange(3).dtype, arange(0, 1, 0.5).dtype], ["int32", "float32"]);
  assert.deepEqual(arange(5, 0, -2).toArray(), [5, 3, 1]);
  assert.deepEqual(arange(3, 3).shape, [0]);
  const dtype = "uint8";
  for (const counted of [
    arange(3, { dtype }),
    arange(0, 3, { dtype }),
    arange(0, 3, 1, { dtype }),
    arange(3, undefined, 1, { dtype }),
  ])
    assert.deepEqual([counted.dtype, counted.toArray()], [dtype, [0, 1, 2]]);
  assert.deepEqual(arange(1, 2, { requiresGrad: true, dtype: "float64" }).requiresGrad, true);
  for (const square of [eye(2, { dtype }), eye(2, 2, { dtype }), eye(2, undefined, { dtype })])
    assert.deepEqual([square.dtype, [...square.data]], [dtype, [1, 0, 0, 1]]);
  const like = tensor([1, 2], { dtype: "int32" });
  assert.deepEqual([zerosLike(like).dtype, onesLike(like).toArray()], ["int32", [1, 1]]);
  assert.deepEqual(fullLike(like, 4, { dtype: "float64" }).dtype, "float64");
});

test("item reads one element and refuses more; a tensor compares as its number", () => {
  assert.equal(tensor([[5]]).item(), 5);
  assert.throws(
    () => tensor([1, 2]).item(),
    /^ValueError: item: needs a tensor with one element, got shape \[2\]/,
  );
  assert.throws(() => zeros([0]).item(), /needs a tensor with one element, got shape \[0\]/);
  assert.ok((tensor(3) as unknown as number) > 2);
  assert.throws(
    () => (tensor([1, 2]) as unknown as number) > 0,
    /not one number; compare with gt\(\)/,
  );
});

test("tensors print as NumPy prints arrays", () => {
  const printed: [Tensor, string][] = [
    [tensor(1), "tensor(1., shape=[], dtype=float32)"],
    [tensor(true), "tensor(true, shape=[], dtype=bool)"],
    [tensor([1, 2.5]), "tensor([1.0, 2.5], shape=[2], dtype=float32)"],
    [tensor([1, -10, 100], { dtype: "int32" }), "tensor([  1, -10, 100], shape=[3], dtype=int32)"],
    [tensor([true, false]), "tensor([ true, false], shape=[2], dtype=bool)"],
    [
      tensor([
        [1, 2],
        [3, 4],
      ]),
      "tensor([[1., 2.],\n        [3., 4.]], shape=[2, 2], dtype=float32)",
    ],
    [
      tensor([
        [[1], [2]],
        [[3], [4]],
      ]),
      "tensor([[[1.],\n         [2.]],\n\n        [[3.],\n         [4.]]], shape=[2, 2, 1], dtype=float32)",
    ],
    [
      tensor([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1]),
      "tensor([ nan,  inf, -inf,   1.], shape=[4], dtype=float32)",
    ],
    [tensor([1e-7, 1]), "tensor([1.0000e-7, 1.0000e+0], shape=[2], dtype=float32)"],
    [tensor([0, 0.00001]), "tensor([0.0000e+0, 1.0000e-5], shape=[2], dtype=float32)"],
    [zeros([0, 3]), "tensor([], shape=[0, 3], dtype=float32)"],
    [zeros([2, 0]), "tensor([[],\n        []], shape=[2, 0], dtype=float32)"],
    [arange(1001), "tensor([   0,    1,    2, ...,  998,  999, 1000], shape=[1001], dtype=int32)"],
    [tensor(2, { requiresGrad: true }), "tensor(2., shape=[], dtype=float32, requiresGrad)"],
  ];
  for (const [x, text] of printed) {
    assert.equal(x.toString(), text);
    assert.equal(inspect(x), text);
    assert.equal(`${x}`, text);
  }
  const long = zeros([100, 100]).toString();
  assert.equal(long.split("\n").length, 7);
  assert.match(long, /\[0\., 0\., 0\., \.\.\., 0\., 0\., 0\.\],\n\s+\.\.\.,\n/);
});

test("an error's stack begins at the caller's line", () => {
  const thrown = (call: () => unknown): Error => {
    try {
      call();
    } catch (error) {
      return error as Error;
    }
    return assert.fail("nothing was thrown");
  };
  const deep = new nn.Sequential(
    new nn.Sequential(new nn.Sequential(new nn.Sequential(new nn.Linear(3, 2)))),
  );
  const calls = [
    () => tensor([[1], [2, 3]]),
    () => zeros([2, 3]).matmul(zeros([2, 3])),
    () => zeros([2]).add(zeros([3])),
    () => zeros([2]).sum(4),
    () => new nn.Linear(3, 2).forward(zeros([1, 4])),
    () => deep.forward(zeros([1, 4])),
    () => zeros([2]).backward(),
  ];
  for (const call of calls) {
    const { message, stack } = thrown(call);
    const frame = stack!.split("\n").find((line) => /^\s+at /.test(line));
    assert.match(frame!, /tensor\.test\.ts/, `${message}\n${stack}`);
  }
});

test("assign overwrites values, seen through every tensor that shares them", () => {
  const x = tensor([1, 2, 3, 4]);
  const view = x.reshape([2, 2]);
  x.assign(tensor([5, 6, 7, 8]));
  assert.deepEqual(view.toArray(), [
    [5, 6],
    [7, 8],
  ]);
  assert.throws(
    () => x.assign(tensor([1])),
    /^ShapeError: assign: expected float32\[4\], got float32\[1\]/,
  );
  assert.throws(
    () => x.assign(zeros([4], { dtype: "int32" })),
    /expected float32\[4\], got int32\[4\]/,
  );
});

test("setting a gradient checks its shape", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  x.grad = tensor([3, 4]);
  assert.deepEqual(x.grad?.toArray(), [3, 4]);
  assert.throws(() => {
    x.grad = tensor([1]);
  }, /^ShapeError: grad: expected shape \[2\], got \[1\]/);
});

test("a plain number that whole numbers cannot hold is refused, not wrapped", () => {
  const [x, small] = [tensor([1, 2], { dtype: "int32" }), tensor([200], { dtype: "uint8" })];
  assert.throws(() => x.lt(3e9), /^ValueError: lt: 3000000000 does not fit int32; convert/);
  assert.throws(() => small.add(300), /^ValueError: add: 300 does not fit uint8; convert/);
  assert.throws(() => small.gt(-1), /^ValueError: gt: -1 does not fit uint8; convert/);
  assert.deepEqual(small.add(55).toArray(), [255]);
  assert.equal(x.mul(0.5).dtype, "float32");
});
