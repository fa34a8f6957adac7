/** Functions of one element: signs, powers of e, roots, circular and squashing functions. Read choice.ts next. */
import { isFloat } from "../core/dtype.js";
import { DTypeError } from "../core/errors.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import type { PointwiseName } from "../ir/primitives.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  install,
  kink,
  type Sample,
  type SampleSet,
  sample,
  typed,
} from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { toFloat } from "./pointwise.js";

/** A function of one element from its lowering. */
export function unary(name: string, lower: (b: Builder, x: Node) => Node): (x: Tensor) => Tensor {
  const spec: OpSpec = { name, lower: (b, [x]) => lower(b, x!) };
  return (x) => applyOne(spec, [x], {});
}

/** A unary op on floats that is one primitive. */
export const elementary = (name: string, primitive: PointwiseName) =>
  unary(name, (b, x) => b.pointwise(primitive, toFloat(b, x)));

const number = (b: Builder, x: Node): Node => (x.dtype === "bool" ? b.convert(x, "int32") : x);

const needNumbers = (b: Builder, x: Node): Node => {
  if (x.dtype !== "bool") return x;
  throw new DTypeError(b.origin, "does not take bool; use logicalNot(), or convert it first");
};

export const neg = unary("neg", (b, x) => b.negate(needNumbers(b, x)));
export const abs = unary("abs", (b, x) => b.pointwise("abs", number(b, x)));
/** NaN has the sign 0, as in PyTorch. */
export const sign = unary("sign", (b, x) => {
  if (x.dtype === "bool") return x;
  const found = b.pointwise("sign", x);
  return isFloat(x.dtype) ? b.select(b.equal(x, x), found, 0) : found;
});
export const exp = elementary("exp", "exponential");
export const log = elementary("log", "log");
export const sqrt = elementary("sqrt", "sqrt");
export const rsqrt = elementary("rsqrt", "rsqrt");
export const sin = elementary("sin", "sine");
export const cos = elementary("cos", "cosine");
export const tanh = elementary("tanh", "tanh");
export const sigmoid = elementary("sigmoid", "logistic");
/** A function that whole numbers stay as they are under. */
export const rounding = (name: string, primitive: PointwiseName) =>
  unary(name, (b, x) => (isFloat(x.dtype) ? b.pointwise(primitive, x) : number(b, x)));

export const floor = rounding("floor", "floor");
export const square = unary("square", (b, x) => b.multiply(x, x));
export const reciprocal = unary("reciprocal", (b, x) => b.divide(1, toFloat(b, x)));
/** max(x, 0); the gradient at 0 is 0, and NaN stays NaN. */
export const relu = unary("relu", (b, x) => b.select(b.pointwise("lessEqual", x, 0), 0, x));
export const logicalNot = unary("logicalNot", (b, x) => b.equal(x, 0));

install({
  ...{ neg, abs, sign, exp, log, sqrt, rsqrt, sin, cos, tanh, sigmoid, floor, square, reciprocal },
  ...{ relu, logicalNot },
});

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** −x. */
    neg(): Tensor;
    /** |x|. */
    abs(): Tensor;
    /** −1, 0 or 1. */
    sign(): Tensor;
    /** eˣ. */
    exp(): Tensor;
    /** Natural logarithm. */
    log(): Tensor;
    /** √x. */
    sqrt(): Tensor;
    /** 1 / √x. */
    rsqrt(): Tensor;
    /** x². */
    square(): Tensor;
    /** 1 / x. */
    reciprocal(): Tensor;
    /** Sine of an angle in radians. */
    sin(): Tensor;
    /** Cosine of an angle in radians. */
    cos(): Tensor;
    /** Hyperbolic tangent. */
    tanh(): Tensor;
    /** 1 / (1 + e⁻ˣ). */
    sigmoid(): Tensor;
    /** The largest whole number ≤ x. */
    floor(): Tensor;
    /** max(x, 0). */
    relu(): Tensor;
    /** true where x is 0. */
    logicalNot(): Tensor;
  }
}

export type Unary = (x: Tensor) => Tensor;

const [nan, infinity] = [Number.NaN, Number.POSITIVE_INFINITY];

/** What every function of one element is tried on, with arguments from `low` to `high`. */
export function unarySamples(
  fn: Unary,
  torch: (x: string) => string,
  [low, high]: readonly [number, number] = [-2, 2],
  special: readonly number[] = [infinity, -infinity, 0, 1],
): Sample[] {
  const text = torch("a");
  return [
    ...[[2, 3], [], [0, 2], [33]].map((shape) => sample([input(shape, low, high)], fn, text)),
    sample(
      [input([2, 1, 3], low, high)],
      (a) => fn(a.transpose(0, -1).flip(0)),
      torch("a.transpose(0, -1).flip(0)"),
    ),
    sample([input([4, 3], low, high)], (a) => fn(a.at("1::2", 1)), torch("a[1::2, 1]")),
    sample([input([1, 3], low, high)], (a) => fn(a.expand([2, 3])), torch("a.expand(2, 3)")),
    kink([given([special.length], special)], fn, text),
    kink([given([2], [nan, 1])], fn, text),
  ];
}

/** The same on whole numbers and bools, for functions that take them. */
export const wholeSamples = (fn: Unary, torch: (x: string) => string, low = -5): Sample[] => [
  sample([typed("int32", [2, 3], low, 5)], fn, torch("a")),
  sample([typed("uint8", [3], Math.max(low, 0))], fn, torch("a")),
  sample([typed("int32", [3, 2], low, 5)], (a) => fn(a.t()), torch("a.t()")),
];

export const named = (name: string) => (x: string) => `torch.${name}(${x})`;
const noSlope = "the result does not change smoothly";

/** Functions that turn whole numbers into floats. */
const floatSamples: SampleSet = () => {
  const positive = [0.2, 3] as const;
  const rows: [string, Unary, (readonly [number, number])?][] = [
    ...([
      ["exp", exp],
      ["sin", sin],
      ["cos", cos],
      ["tanh", tanh],
      ["sigmoid", sigmoid],
    ] as [string, Unary][]),
    ...([
      ["log", log, positive],
      ["sqrt", sqrt, positive],
      ["rsqrt", rsqrt, positive],
    ] as [string, Unary, [number, number]][]),
    ["reciprocal", reciprocal, positive],
  ];
  return rows.map(([op, fn, range]) => ({
    op,
    samples: [
      ...unarySamples(fn, named(op), range),
      ...wholeSamples(fn, named(op), 1),
      sample(
        [typed("bool", [4])],
        (a) => fn(a.logicalNot().mul(0).add(1)),
        `torch.${op}(a * 0 + 1)`,
      ),
      ...(range
        ? []
        : [kink([given([6], [-100, 100, -30, 30, 1e-5, -1e-5])], fn, `torch.${op}(a)`)]),
    ],
  }));
};

const plainSamples: SampleSet = () => [
  {
    op: "neg",
    samples: [...unarySamples(neg, named("neg")), ...wholeSamples(neg, named("neg"))],
    bad: [
      bad(
        () => neg(zeros([2], { dtype: "bool" })),
        /^neg: does not take bool; use logicalNot\(\), or convert it first/,
      ),
    ],
  },
  { op: "abs", samples: [...unarySamples(abs, named("abs")), ...wholeSamples(abs, named("abs"))] },
  {
    op: "square",
    samples: [...unarySamples(square, named("square")), ...wholeSamples(square, named("square"))],
  },
  {
    op: "relu",
    samples: [
      ...unarySamples(relu, named("relu"), [-2, 2], [infinity, -infinity, 0, -0, 1]),
      ...wholeSamples(relu, named("relu")),
    ],
  },
];

const stepSamples: SampleSet = () => [
  {
    op: "sign",
    samples: [
      ...unarySamples(sign, named("sign"), [-2, 2], [infinity, -infinity, 0, -0, 1]),
      ...wholeSamples(sign, named("sign")),
      sample([typed("bool", [3])], sign, "torch.sign(a)"),
    ],
  },
  {
    op: "floor",
    samples: [
      ...unarySamples(floor, named("floor"), [-3, 3], [infinity, -infinity, -0.5, -2, 2, 1e20]),
      ...wholeSamples(floor, named("floor")),
    ],
  },
  {
    op: "logicalNot",
    samples: [
      ...unarySamples(logicalNot, named("logical_not")),
      ...wholeSamples(logicalNot, named("logical_not"), -1),
      sample([typed("bool", [4])], logicalNot, "torch.logical_not(a)"),
    ],
    noGradient: noSlope,
  },
];

export const elementarySamples: SampleSet = () => [
  ...floatSamples(),
  ...plainSamples(),
  ...stepSamples(),
];
