/** Exponentials, logarithms, circular and hyperbolic functions and their inverses. Read rounding.ts next. */
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import {
  given,
  install,
  kink,
  type OpSamples,
  type Sample,
  type SampleSet,
  sample,
  typed,
  unlike,
} from "../tensor/defineOp.js";
import { elementary, named, type Unary, unary, unarySamples, wholeSamples } from "./elementary.js";
import {
  type Binary,
  binary,
  binarySamples,
  namedBinary,
  noBroadcast,
  promoteFloats,
  type TensorLike,
  toFloat,
} from "./pointwise.js";

/** eˣ − 1, exact also near 0. */
export const expm1 = elementary("expm1", "exponentialMinusOne");
/** log(1 + x), exact also near 0. */
export const log1p = elementary("log1p", "logPlusOne");
/** Logarithm to base 2. */
export const log2 = elementary("log2", "log2");
/** Logarithm to base 10. */
export const log10 = elementary("log10", "log10");
/** Tangent of an angle in radians. */
export const tan = elementary("tan", "tan");
/** The angle in [−π/2, π/2] with sine x. */
export const asin = elementary("asin", "asin");
/** The angle in [0, π] with cosine x. */
export const acos = elementary("acos", "acos");
/** The angle in (−π/2, π/2) with tangent x. */
export const atan = elementary("atan", "atan");
/** Hyperbolic sine, (eˣ − e⁻ˣ) / 2. */
export const sinh = elementary("sinh", "sinh");
/** Hyperbolic cosine, (eˣ + e⁻ˣ) / 2. */
export const cosh = elementary("cosh", "cosh");
/** Inverse hyperbolic sine. */
export const asinh = elementary("asinh", "asinh");
/** Inverse hyperbolic cosine of x ≥ 1. */
export const acosh = elementary("acosh", "acosh");
/** Inverse hyperbolic tangent of −1 < x < 1. */
export const atanh = elementary("atanh", "atanh");
/** The error function, 2/√π · ∫₀ˣ e^(−t²) dt. */
export const erf = elementary("erf", "erf");
/** 1 − erf(x), exact also where erf(x) is near 1. */
export const erfc = elementary("erfc", "erfc");

/** sin(πx) / (πx), and 1 at 0. */
export const sinc = unary("sinc", (b, given) => {
  const x = toFloat(b, given);
  const isZero = b.equal(x, 0);
  const angle = b.multiply(b.select(isZero, 1, x), Math.PI);
  return b.select(isZero, 1, b.divide(b.pointwise("sine", angle), angle));
});

/** The angle in [−π, π] of the point (y, x) from the x axis; the first operand is y. */
export const atan2 = binary("atan2", (b, nodes) =>
  b.pointwise("atan2", ...promoteFloats(b, nodes)),
);

/** Puts the larger of two first. A branch is right on its own side of x = y and at it, so gradients are too. */
function inOrder(b: Builder, x: Node, y: Node): [large: Node, small: Node] {
  const isFirst = b.pointwise("greaterEqual", x, y);
  return [b.select(isFirst, x, y), b.select(isFirst, y, x)];
}

const isInfinite = (b: Builder, x: Node): Node =>
  b.equal(b.pointwise("abs", x), Number.POSITIVE_INFINITY);

/** √(x² + y²) without overflow on the way. */
export const hypot = binary("hypot", (b, nodes) => {
  const [x, y] = promoteFloats(b, nodes) as [Node, Node];
  const [large, small] = inOrder(b, b.pointwise("abs", x), b.pointwise("abs", y));
  const isPlain = b.pointwise(
    "and",
    b.pointwise("isFinite", large),
    b.pointwise("notEqual", large, 0),
  );
  const ratio = b.select(isPlain, b.divide(small, b.select(isPlain, large, 1)), 0);
  const length = b.multiply(large, b.pointwise("sqrt", b.add(b.multiply(ratio, ratio), 1)));
  const isEndless = b.pointwise("or", isInfinite(b, x), isInfinite(b, y));
  return b.select(isEndless, Number.POSITIVE_INFINITY, length);
});

/** log(eˣ + eʸ) without overflow on the way. */
export const logaddexp = binary("logaddexp", (b, nodes) => {
  const [x, y] = promoteFloats(b, nodes) as [Node, Node];
  const [large, small] = inOrder(b, x, y);
  const gap = b.select(b.pointwise("isFinite", large), b.subtract(small, large), 0);
  return b.add(large, b.pointwise("logPlusOne", b.pointwise("exponential", gap)));
});

/** x · log y in nodes, and 0 where x is 0. */
export function xlogyNodes(b: Builder, x: Node, y: Node): Node {
  const hasNoProduct = b.pointwise(
    "or",
    b.pointwise("lessEqual", y, 0),
    b.equal(y, Number.POSITIVE_INFINITY),
  );
  const isFixed = b.pointwise("and", b.equal(x, 0), hasNoProduct);
  return b.multiply(x, b.pointwise("log", b.select(isFixed, 1, y)));
}

/** x · log y, and 0 where x is 0 (unless y is NaN): the terms of an entropy. */
export const xlogy = binary("xlogy", (b, nodes) => {
  const [x, y] = promoteFloats(b, nodes) as [Node, Node];
  return xlogyNodes(b, x, y);
});

install({
  ...{ expm1, log1p, log2, log10, tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh },
  ...{ erf, erfc, sinc, atan2, hypot, logaddexp, xlogy },
});

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** eˣ − 1. */
    expm1(): Tensor;
    /** log(1 + x). */
    log1p(): Tensor;
    /** Logarithm to base 2. */
    log2(): Tensor;
    /** Logarithm to base 10. */
    log10(): Tensor;
    /** Tangent of an angle in radians. */
    tan(): Tensor;
    /** The angle with sine x. */
    asin(): Tensor;
    /** The angle with cosine x. */
    acos(): Tensor;
    /** The angle with tangent x. */
    atan(): Tensor;
    /** Hyperbolic sine. */
    sinh(): Tensor;
    /** Hyperbolic cosine. */
    cosh(): Tensor;
    /** Inverse hyperbolic sine. */
    asinh(): Tensor;
    /** Inverse hyperbolic cosine. */
    acosh(): Tensor;
    /** Inverse hyperbolic tangent. */
    atanh(): Tensor;
    /** The error function. */
    erf(): Tensor;
    /** 1 − erf(x). */
    erfc(): Tensor;
    /** sin(πx) / (πx). */
    sinc(): Tensor;
    /** The angle of the point (this, x) from the x axis. */
    atan2(x: TensorLike): Tensor;
    /** √(x² + y²). */
    hypot(y: TensorLike): Tensor;
    /** log(eˣ + eʸ). */
    logaddexp(y: TensorLike): Tensor;
    /** x · log y, and 0 where x is 0. */
    xlogy(y: TensorLike): Tensor;
  }
}

const infinity = Number.POSITIVE_INFINITY;
const ends = [infinity, -infinity, 0, 1];

type Row = readonly [string, Unary, readonly [number, number], readonly number[], number?];

/** Functions with the range and the special arguments that they are tried on, and the least whole number. */
const rows: readonly Row[] = [
  ["expm1", expm1, [-2, 2], [...ends, 1e-7, -1e-7, 80]],
  ["log1p", log1p, [-0.8, 2], [infinity, -1, 0, 1e-7, -1e-7], 0],
  ["log2", log2, [0.2, 3], [...ends, 8, -1], 1],
  ["log10", log10, [0.2, 3], [...ends, 1000, -1], 1],
  ["tan", tan, [-1.3, 1.3], [...ends, 100]],
  ["asin", asin, [-0.9, 0.9], [1, -1, 0, 2]],
  ["acos", acos, [-0.9, 0.9], [1, -1, 0, 2]],
  ["atan", atan, [-2, 2], ends],
  ["sinh", sinh, [-2, 2], [...ends, 1e-7, 50]],
  ["cosh", cosh, [-2, 2], [...ends, 50]],
  ["asinh", asinh, [-2, 2], [...ends, 1e-7, 1e10, -1e10]],
  ["acosh", acosh, [1.2, 3], [infinity, 1, 0, 1e10], 1],
  ["atanh", atanh, [-0.9, 0.9], [1, -1, 0, 2, 1e-7]],
  ["erf", erf, [-2, 2], [...ends, 1e-7, 4, -4]],
  ["erfc", erfc, [-2, 2], [...ends, 5, -5, 9]],
  ["sinc", sinc, [-2, 2], [...ends, -0.5]],
];

const unarySet = (): OpSamples[] =>
  rows.map(([op, fn, range, special, low]) => ({
    op,
    samples: [
      ...unarySamples(fn, named(op), range, special),
      ...wholeSamples(fn, named(op), low),
      sample([typed("bool", [4])], (a) => fn(a), `torch.${op}(a)`),
    ],
  }));

/** PyTorch's hypot and logaddexp take floats only, and give no gradient at infinity. */
const isPlainSample = ({ inputs }: Sample): boolean =>
  inputs.every(
    ({ dtype = "float32", values = [] }) => dtype.startsWith("float") && !values.includes(infinity),
  );

/** What PyTorch negates on its way back cannot be bool. */
const hasBool = ({ inputs }: Sample): boolean => inputs.some(({ dtype }) => dtype === "bool");

function binarySet(
  op: string,
  fn: Binary,
  range?: readonly [number, number],
  extra: readonly Sample[] = [],
): OpSamples {
  const takesWhole = op === "atan2" || op === "xlogy";
  const samples = binarySamples(fn, namedBinary(op), range);
  return {
    op,
    samples: [
      ...samples.filter((x) => (takesWhole ? op === "xlogy" || !hasBool(x) : isPlainSample(x))),
      ...extra,
    ],
    bad: noBroadcast(op, fn),
  };
}

const pairs = (fn: Binary, op: string, x: readonly number[], y: readonly number[]): Sample =>
  kink([given([x.length], x), given([y.length], y)], fn, `torch.${op}(a, b)`);

export const transcendentalSamples: SampleSet = () => [
  ...unarySet(),
  binarySet("atan2", atan2, undefined, [
    pairs(atan2, "atan2", [1, 1, -1, -1, 0, 1, -1], [1, -1, 1, -1, 2, 0, 0]),
  ]),
  binarySet("hypot", hypot, undefined, [
    pairs(hypot, "hypot", [3, 0, -5, 1e30], [4, 2, 0, 1e30]),
    pairs(hypot, "hypot", [infinity, Number.NaN, 1], [Number.NaN, -infinity, Number.NaN]),
  ]),
  binarySet("logaddexp", logaddexp, undefined, [
    pairs(logaddexp, "logaddexp", [1000, 0, -1000, 2], [1000, 100, -1001, 2]),
    kink(
      [given([2], [1, 2])],
      (a) => logaddexp(a, -infinity),
      "torch.logaddexp(a, torch.tensor(-float('inf')))",
    ),
    unlike(
      [given([2], [infinity, -infinity]), given([2], [infinity, -infinity])],
      logaddexp,
      "PyTorch's gradient is NaN where both are infinite",
    ),
  ]),
  binarySet(
    "xlogy",
    xlogy,
    [0.2, 2],
    [kink([given([4], [0, 1, 2, 0])], (a) => xlogy(a, 3), "torch.xlogy(a, 3)")],
  ),
];
