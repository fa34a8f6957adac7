/**
 * Sizes at which the engines cut work into blocks, panels and threads: values and gradients equal to the interpreter's, and the same
 * bits with one thread as with several.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { DType } from "../src/core/dtype.js";
import {
  cat,
  Generator,
  grad,
  nn,
  setBackend,
  setNumThreads,
  type Tensor,
  tensor,
} from "../src/index.js";
import { places, use } from "./support/backends.js";
import { differ } from "./support/compare.js";
import { randomFrom } from "./support/samples.js";

const { functional: F } = nn;

type Shape = readonly number[];
type Call = (...xs: Tensor[]) => Tensor;

const matmul: Call = (a, b) => a!.matmul(b!);

const whole = (name: string, count: number, below: number): Tensor => {
  const next = randomFrom(name);
  return tensor(Int32Array.from({ length: count }, () => Math.floor(next() * below)));
};

const labels = whole("labels", 300, 200);
const seen130 = whole("seen", 130, 3).gt(0);
const places1000 = whole("places", 40 * 50, 1000).reshape([40, 50]);

const cases: Readonly<Record<string, readonly [readonly Shape[], Call]>> = {
  "matmul 65 × 129 × 33": [
    [
      [65, 129],
      [129, 33],
    ],
    matmul,
  ],
  "matmul 1 × 500 × 300": [
    [
      [1, 500],
      [500, 300],
    ],
    matmul,
  ],
  "matmul 300 × 1 × 200": [
    [
      [300, 1],
      [1, 200],
    ],
    matmul,
  ],
  "matmul of a long inner size": [
    [
      [9, 3001],
      [3001, 7],
    ],
    matmul,
  ],
  "matmul of vectors": [[[5000], [5000]], matmul],
  "matmul of batches": [
    [
      [3, 40, 50],
      [3, 50, 60],
    ],
    matmul,
  ],
  "matmul of a batch with a matrix": [
    [
      [5, 30, 40],
      [40, 20],
    ],
    matmul,
  ],
  "matmul of transposes": [
    [
      [90, 70],
      [50, 90],
    ],
    (a, b) => a!.t().matmul(b!.t()),
  ],
  "matmul of parts": [
    [
      [100, 80],
      [60, 100],
    ],
    (a, b) => a!.at("10:90", "::2").matmul(b!.t().at("3:43", ":")),
  ],
  linear: [[[129, 300], [70, 300], [70]], (x, w, b) => F.linear(x!, w!, b!)],
  "conv2d 3 × 3": [
    [[3, 5, 29, 31], [7, 5, 3, 3], [7]],
    (x, w, b) => F.conv2d(x!, w!, b!, { padding: 1 }),
  ],
  "conv2d 5 × 5, stride 2": [
    [
      [2, 3, 40, 37],
      [9, 3, 5, 5],
    ],
    (x, w) => F.conv2d(x!, w!, null, { stride: 2, padding: 2 }),
  ],
  "conv2d 1 × 1": [
    [
      [4, 16, 14, 14],
      [33, 16, 1, 1],
    ],
    (x, w) => F.conv2d(x!, w!),
  ],
  "conv2d by channel": [
    [
      [2, 8, 20, 21],
      [8, 1, 3, 3],
    ],
    (x, w) => F.conv2d(x!, w!, null, { groups: 8, padding: 1 }),
  ],
  "conv2d in groups": [
    [
      [2, 12, 13, 13],
      [18, 4, 3, 3],
    ],
    (x, w) => F.conv2d(x!, w!, null, { groups: 3, dilation: 2 }),
  ],
  "conv2d of one large image": [
    [
      [1, 1, 90, 95],
      [3, 1, 7, 7],
    ],
    (x, w) => F.conv2d(x!, w!, null, { padding: 3 }),
  ],
  maxPool2d: [[[4, 6, 33, 35]], (x) => x!.maxPool2d(3, { stride: 2, padding: 1 })],
  "a chain on 50,007 elements": [[[50007]], (x) => x!.mul(1.3).tanh().add(0.2).exp().relu().sub(1)],
  "sines and roots on 20,003 elements": [
    [[20003]],
    (x) => x!.sin().square().add(0.1).sqrt().log().cos(),
  ],
  "broadcasting on three sides": [[[100, 1, 70], [90, 1], [70]], (a, b, c) => a!.add(b!).mul(c!)],
  "a transpose added": [
    [
      [130, 170],
      [170, 130],
    ],
    (a, b) => a!.t().mul(0.5).add(b!),
  ],
  "sum of 100,003": [[[100003]], (x) => x!.sum()],
  "sum of rows": [[[500, 301]], (x) => x!.square().sum(1)],
  "sum of columns": [[[500, 301]], (x) => x!.square().sum(0)],
  "sum of a middle dim": [[[20, 200, 30]], (x) => x!.sum(1)],
  "sum of outer and inner dims": [[[20, 51, 30]], (x) => x!.sin().sum([0, 2])],
  "sum of a transpose": [[[211, 190]], (x) => x!.t().sum(1, { keepDim: true })],
  "mean and variance": [[[40, 1001]], (x) => x!.var(1).add(x!.mean(1))],
  "variance by channel": [[[8, 6, 20, 20]], (x) => x!.var([0, 2, 3], { correction: 0 })],
  "largest of rows": [[[100, 700]], (x) => x!.amax(1).sub(x!.amin(1))],
  "largest and where": [[[60, 500]], (x) => x!.max(1).values],
  "softmax of rows": [[[70, 1000]], (x) => x!.softmax(1)],
  "logSoftmax of columns": [[[300, 90]], (x) => x!.logSoftmax(0)],
  attention: [
    [
      [2, 3, 150, 20],
      [2, 3, 203, 20],
      [2, 3, 203, 37],
    ],
    (q, k, v) => F.scaledDotProductAttention(q!, k!, v!),
  ],
  "causal attention of one long head": [
    [
      [330, 64],
      [330, 64],
      [330, 64],
    ],
    (q, k, v) => F.scaledDotProductAttention(q!, k!, v!, null, { isCausal: true }),
  ],
  "attention with dropout and a mask": [
    [
      [1, 4, 100, 16],
      [1, 2, 130, 16],
      [1, 2, 130, 16],
    ],
    (q, k, v) =>
      F.scaledDotProductAttention(q!, k!, v!, seen130, {
        ...{ dropoutP: 0.3, enableGqa: true, generator: new Generator(3) },
      }),
  ],
  crossEntropy: [[[300, 200]], (x) => F.crossEntropy(x!, labels)],
  gather: [[[1000, 50]], (x) => x!.gather(0, places1000)],
  "permute and reshape": [[[20, 30, 40]], (x) => x!.permute([2, 0, 1]).reshape([80, 300]).mul(2)],
  "parts, flips and joins": [
    [
      [200, 120],
      [50, 120],
    ],
    (a, b) => cat([a!.at("::3").flip(1), b!], 0).tanh(),
  ],
  "a mask chosen": [[[300, 100], [100]], (a, b) => a!.where(a!.gt(0), b!)],
};

function inputsOf(name: string, shapes: readonly Shape[], dtype: DType): Tensor[] {
  return shapes.map((shape, i) => {
    const next = randomFrom(`${name} ${i}`);
    const size = shape.reduce((n, m) => n * m, 1);
    return tensor(
      Array.from({ length: size }, () => Math.fround(next() * 2 - 1)),
      { dtype, shape },
    );
  });
}

/** The result and the gradients of its weighted sum. */
function run(name: string, call: Call, inputs: readonly Tensor[]): Tensor[] {
  const weigh = (y: Tensor): Tensor => {
    const next = randomFrom(`${name} weights`);
    const weights = Array.from({ length: y.size }, () => Math.fround(next() * 2 - 1));
    return y.mul(tensor(weights, { dtype: y.dtype, shape: y.shape })).sum();
  };
  const gradients = grad((...xs: Tensor[]) => weigh(call(...xs)), {
    argnums: inputs.map((_, i) => i),
  })(...inputs);
  return [call(...inputs), ...gradients];
}

function largestOf({ data }: Tensor): number {
  let largest = 0;
  for (const v of data) largest = Math.max(largest, Math.abs(v));
  return largest;
}

let compared = 0;

for (const [name, [shapes, call]] of Object.entries(cases))
  test(`large: ${name}`, () => {
    for (const dtype of ["float32", "float64"] as const) {
      const inputs = inputsOf(name, shapes, dtype);
      setBackend("interpreter");
      const expected = run(name, call, inputs);
      for (const place of places.slice(1)) {
        use(place);
        setNumThreads(1);
        const alone = run(name, call, inputs);
        setNumThreads(3);
        const together = run(name, call, inputs);
        alone.forEach((got, i) => {
          const relative = dtype === "float32" ? 2e-5 : 1e-12;
          const bounds = { relative, absolute: relative * largestOf(expected[i]!) };
          const what = `${place.name} ${dtype} result ${i}`;
          assert.equal(differ(got.data, expected[i]!.data, bounds), null, what);
          assert.deepEqual(
            Buffer.from(together[i]!.data.buffer),
            Buffer.from(got.data.buffer),
            `${what}, threads`,
          );
          compared++;
        });
      }
    }
    setBackend("interpreter");
  });

after(() =>
  console.log(`${compared} large results compared with the interpreter and between thread counts`),
);
