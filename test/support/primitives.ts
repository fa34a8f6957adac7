/** Each primitive that has a gradient, on small inputs where it is smooth. Read ../gradients.test.ts next. */
import type { Shape } from "../../src/core/shape.js";
import { attentionResult } from "../../src/ir/attentionNodes.js";
import type { Builder } from "../../src/ir/builder.js";
import type { Node, PrimitiveName } from "../../src/ir/graph.js";
import { attentionSizes } from "../../src/ir/primitives/attention.js";
import type { PointwiseName } from "../../src/ir/primitives.js";

export interface PrimitiveSample {
  readonly primitive: PrimitiveName;
  readonly shapes: readonly Shape[];
  /** Bounds of the random inputs. */
  readonly range: readonly [number, number];
  readonly build: (b: Builder, ...inputs: Node[]) => Node;
}

type Build = PrimitiveSample["build"];

const sample = (
  primitive: PrimitiveName,
  shapes: readonly Shape[],
  build: Build,
  range: readonly [number, number] = [-0.9, 0.9],
): PrimitiveSample => ({ primitive, shapes, range, build });

const ranges: Partial<Record<PointwiseName, readonly [number, number]>> = {
  ...{ log: [0.3, 2], sqrt: [0.3, 2], rsqrt: [0.3, 2], log2: [0.3, 2], log10: [0.3, 2] },
  ...{ acosh: [1.3, 3], power: [0.4, 2], divide: [0.4, 2], remainder: [0.4, 2], atan2: [0.3, 2] },
};

const unary: readonly PointwiseName[] = [
  ...(["negate", "abs", "exponential", "log", "sqrt", "rsqrt", "tanh", "logistic"] as const),
  ...(["exponentialMinusOne", "logPlusOne", "log2", "log10", "sine", "cosine", "tan"] as const),
  ...(["asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "erf", "erfc"] as const),
];
const binary: readonly PointwiseName[] = [
  ...(["add", "subtract", "multiply", "divide", "power", "remainder", "atan2"] as const),
  ...(["maximum", "minimum"] as const),
];

const pointwise: readonly PrimitiveSample[] = [
  ...unary.map((name) => sample(name, [[2, 3]], (b, x) => b.pointwise(name, x), ranges[name])),
  ...binary.map((name) =>
    sample(name, [[5], [5]], (b, x, y) => b.pointwise(name, x, y), ranges[name]),
  ),
  sample("power", [[4]], (b, x) => b.pointwise("power", x, 3)),
  sample("select", [[4], [4]], (b, x, y) =>
    b.select(b.pointwise("less", x, 0.1), b.multiply(x, y), y),
  ),
  sample("convert", [[3]], (b, x) => b.make("convert", [x], { dtype: "float64" })),
];

const views: readonly PrimitiveSample[] = [
  sample("reshape", [[2, 3]], (b, x) => b.reshape(x, [3, 2])),
  sample("transpose", [[2, 3, 2]], (b, x) => b.transpose(x, [2, 0, 1])),
  sample("broadcastInDim", [[3, 1]], (b, x) =>
    b.make("broadcastInDim", [x], { shape: [2, 3, 4], dims: [1, 2] }),
  ),
  sample("slice", [[7, 4]], (b, x) => b.slice(x, [1, 0], [6, 3], [2, 1])),
  sample("reverse", [[3, 2]], (b, x) => b.make("reverse", [x], { dims: [0, 1] })),
  sample("pad", [[3, 2]], (b, x) =>
    b.make("pad", [x], { low: [1, 0], high: [2, 1], interior: [1, 2], value: 0.5 }),
  ),
  sample(
    "concatenate",
    [
      [2, 2],
      [2, 3],
    ],
    (b, x, y) => b.make("concatenate", [x, y, x], { dim: 1 }),
  ),
];

const folds: readonly PrimitiveSample[] = [
  ...(["reduceSum", "reduceProduct", "reduceMax", "reduceMin"] as const).map((name) =>
    sample(name, [[3, 4]], (b, x) => b.reduce(name, x, [0])),
  ),
  sample("reduceSum", [[2, 3, 2]], (b, x) => b.reduce("reduceSum", x, [0, 2])),
  ...[false, true].flatMap((reverse) =>
    (["cumulativeSum", "cumulativeProduct"] as const).map((name) =>
      sample(name, [[3, 4]], (b, x) => b.make(name, [x], { dim: 1, reverse })),
    ),
  ),
];

const window = { strides: [2, 1], dilation: [1, 2], padLow: [1, 0], padHigh: [0, 2] };
const [x4, w4, groups] = [[2, 4, 5, 6], [4, 2, 3, 2], 2];
/** The output of that convolution. */
const y4 = [2, 4, 2, 6];

const contractions: readonly PrimitiveSample[] = [
  sample(
    "dotGeneral",
    [
      [2, 3, 4],
      [4, 2, 5],
    ],
    (b, x, y) =>
      b.make("dotGeneral", [x, y], {
        lhsBatch: [0],
        rhsBatch: [1],
        lhsContract: [2],
        rhsContract: [0],
      }),
  ),
  sample(
    "dotGeneral",
    [
      [2, 3, 4],
      [3, 4],
    ],
    (b, x, y) =>
      b.make("dotGeneral", [x, y], {
        lhsBatch: [],
        rhsBatch: [],
        lhsContract: [2, 1],
        rhsContract: [1, 0],
      }),
  ),
  sample("convolution", [x4, w4], (b, x, w) =>
    b.make("convolution", [x, w], { ...window, groups }),
  ),
  sample("convolutionInputGrad", [y4, w4], (b, g, w) =>
    b.make("convolutionInputGrad", [g, w], { ...window, groups, inputSizes: [5, 6] }),
  ),
  sample("convolutionWeightGrad", [x4, y4], (b, x, g) =>
    b.make("convolutionWeightGrad", [x, g], { ...window, groups, kernelSizes: [3, 2] }),
  ),
  sample("windowSum", [[2, 5, 6]], (b, x) =>
    b.make("windowSum", [x], { ...window, kernelSizes: [3, 2] }),
  ),
  sample("windowSumGrad", [[2, 2, 6]], (b, g) =>
    b.make("windowSumGrad", [g], { ...window, kernelSizes: [3, 2], inputSizes: [5, 6] }),
  ),
];

/** int32 indices 0, step, 2·step … modulo `below`, of a shape. */
const indices = (b: Builder, shape: Shape, step: number, below: number): Node => {
  const count = shape.reduce((n, m) => n * m, 1);
  const places = b.multiply(b.iota(0, [count]), step);
  return b.reshape(b.pointwise("remainder", places, below), shape);
};

const indexed: readonly PrimitiveSample[] = [
  sample("gather", [[3, 4]], (b, x) => b.make("gather", [x, indices(b, [3, 5], 3, 4)], { dim: 1 })),
  sample("scatterAdd", [[3, 5]], (b, x) =>
    b.make("scatterAdd", [x, indices(b, [3, 5], 3, 4)], { dim: 1, size: 4 }),
  ),
  sample("indexSelect", [[4, 3]], (b, x) =>
    b.make("indexSelect", [x, indices(b, [5], 3, 4)], { dim: 0 }),
  ),
  sample("indexAdd", [[5, 3]], (b, x) =>
    b.make("indexAdd", [x, indices(b, [5], 3, 4)], { dim: 0, size: 4 }),
  ),
  sample(
    "scatter",
    [
      [4, 3],
      [2, 3],
    ],
    (b, x, u) => b.make("scatter", [x, indices(b, [2, 3], 1, 4), u], { dim: 0 }),
  ),
  sample("scatter", [[2], [4]], (b, x, u) =>
    b.make("scatter", [x, indices(b, [4], 1, 2), u], { dim: 0 }),
  ),
];

const product = (b: Builder, x: Node, y: Node): Node =>
  b.make("dotGeneral", [x, y], {
    lhsBatch: [0],
    rhsBatch: [0],
    lhsContract: [2],
    rhsContract: [2],
  });

/** X·Xᵀ + 2, symmetric and positive definite. */
const definite = (b: Builder, x: Node): Node => {
  const [, n] = x.shape as [number, number];
  const shape = [1, n, n];
  const diagonal = b.equal(b.iota(1, shape), b.iota(2, shape));
  return b.add(product(b, x, x), b.multiply(b.convert(diagonal, "float64"), 2));
};
const symmetric = (b: Builder, x: Node): Node => b.add(x, b.transpose(x, [0, 2, 1]));

const factorizations: readonly PrimitiveSample[] = [
  sample("cholesky", [[1, 3, 3]], (b, x) => b.make("cholesky", [definite(b, x)], {})),
  sample("determinant", [[2, 3, 3]], (b, x) => b.make("determinant", [x], {})),
  sample("eigh", [[1, 3, 3]], (b, x) => b.make("eigh", [symmetric(b, x)], {})),
  ...[
    [1, 4, 3],
    [1, 3, 3],
  ].map((shape) => sample("qr", [shape], (b, x) => b.make("qr", [x], {}))),
  ...[
    [1, 4, 3],
    [1, 3, 3],
    [1, 2, 4],
  ].map((shape) => sample("svd", [shape], (b, x) => b.make("svd", [x], {}))),
  sample(
    "solve",
    [
      [1, 3, 3],
      [1, 3, 2],
    ],
    (b, x, y) => b.make("solve", [definite(b, x), y], {}),
  ),
  ...[true, false].flatMap((lower) =>
    [true, false].flatMap((transpose) =>
      [true, false].map((unitDiagonal) =>
        sample(
          "triangularSolve",
          [
            [1, 3, 3],
            [1, 3, 2],
          ],
          (b, x, y) =>
            b.make("triangularSolve", [definite(b, x), y], { lower, transpose, unitDiagonal }),
        ),
      ),
    ),
  ),
];

const attributes = { scale: 0.6, causal: true, hasMask: false, dropoutP: 0 };
const three: readonly Shape[] = [
  [2, 1, 3, 2],
  [1, 2, 4, 2],
  [2, 2, 4, 3],
];
const flatOf = (b: Builder, parts: readonly Node[]) => b.make("attention", parts, attributes);

/** Only the result of `attention` is looked at: what its rows keep for the gradient carries none. */
const attentions: readonly PrimitiveSample[] = [
  sample("attention", three, (b, ...parts) =>
    attentionResult(b, flatOf(b, parts), attentionSizes(parts)),
  ),
  sample("attention", [...three, [1, 2, 3, 4]], (b, q, k, v, mask) => {
    const masked = { ...attributes, causal: false, hasMask: true };
    const flat = b.make("attention", [q!, k!, v!, mask!], masked);
    return attentionResult(b, flat, attentionSizes([q!, k!, v!]));
  }),
  sample("attentionGrad", [...three, [2, 2, 3, 3]], (b, q, k, v, g) => {
    const flat = flatOf(b, [q!, k!, v!]);
    return b.make("attentionGrad", [q!, k!, v!, flat, g!], attributes);
  }),
];

export const primitiveSamples: readonly PrimitiveSample[] = [
  ...[...pointwise, ...views, ...folds],
  ...[...contractions, ...indexed, ...factorizations, ...attentions],
];
