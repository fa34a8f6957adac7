/**
 * Ops on each element by itself: arithmetic, comparisons, elementary functions, choice and casts. An op is a lowering to
 * primitives, a method and samples; its gradient follows from the lowering. Read reduce.ts next.
 */
import { type DType, isFloat, resultType } from "../core/dtype.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import type { PointwiseName } from "../ir/primitives.js";
import { applyOne, type OpSpec, scalarLike } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";

/** A tensor or a number that stands for one. */
export type TensorLike = Tensor | number;

/** Brings operands to the dtype that PyTorch's promotion gives them. */
export const promoteNodes = (b: Builder, nodes: readonly Node[], dtype?: DType): Node[] => {
  const common = dtype ?? resultType(nodes);
  return nodes.map((x) => b.convert(x, common));
};

/** Integers become the default float where only floats make sense. */
export const toFloat = (b: Builder, x: Node): Node =>
  isFloat(x.dtype) ? x : b.convert(x, "float32");

type Lowering = OpSpec<Record<string, never>>["lower"];

const noAttributes = {};

function unary(name: string, lower: (b: Builder, x: Node) => Node): (x: Tensor) => Tensor {
  const spec: OpSpec = { name, lower: (b, [x]) => lower(b, x!) };
  return (x) => applyOne(spec, [x], noAttributes);
}

/** A unary op on floats that is one primitive. */
const elementary = (name: string, primitive: PointwiseName) =>
  unary(name, (b, x) => b.pointwise(primitive, toFloat(b, x)));

function binary(name: string, lower: Lowering): (x: Tensor, y: TensorLike) => Tensor {
  const spec: OpSpec = { name, lower: lower as OpSpec["lower"] };
  return (x, y) =>
    applyOne(spec, [x, typeof y === "number" ? scalarLike(y, x) : y], noAttributes);
}

const arithmetic = (name: string, primitive: PointwiseName) =>
  binary(name, (b, nodes) => {
    const [x, y] = promoteNodes(b, nodes) as [Node, Node];
    // PyTorch has no bool arithmetic but or and and; counting with int32 is the nearest of use.
    if (x.dtype !== "bool") return b.pointwise(primitive, x, y);
    return b.pointwise(primitive, b.convert(x, "int32"), b.convert(y, "int32"));
  });

const comparison = (name: string, primitive: PointwiseName) =>
  binary(name, (b, nodes) => b.pointwise(primitive, ...promoteNodes(b, nodes)));

export const add = arithmetic("add", "add");
export const sub = arithmetic("sub", "subtract");
export const mul = arithmetic("mul", "multiply");
export const maximum = comparison("maximum", "maximum");
export const minimum = comparison("minimum", "minimum");

/** True division: integers give floats. */
export const div = binary("div", (b, nodes) => {
  const dtype = resultType(nodes);
  const [x, y] = promoteNodes(b, nodes, isFloat(dtype) ? dtype : "float32") as [Node, Node];
  return b.divide(x, y);
});

export const eq = comparison("eq", "equal");
export const ne = comparison("ne", "notEqual");
export const lt = comparison("lt", "less");
export const le = comparison("le", "lessEqual");
export const gt = comparison("gt", "greater");
export const ge = comparison("ge", "greaterEqual");

const powerSpec: OpSpec = {
  name: "pow",
  lower(b, nodes) {
    const dtype = resultType(nodes);
    const [x, y] = promoteNodes(b, nodes, isFloat(dtype) ? dtype : "float32") as [Node, Node];
    return b.pointwise("power", x, y);
  },
};
const powerOfSpec: OpSpec<{ readonly exponent: number }> = {
  name: "pow",
  lower: (b, [x], { exponent }) => b.pointwise("power", toFloat(b, x!), exponent),
};

/** x to the power of a number or, element by element, of a tensor. */
export const pow = (x: Tensor, exponent: TensorLike): Tensor =>
  typeof exponent === "number"
    ? applyOne(powerOfSpec, [x], { exponent })
    : applyOne(powerSpec, [x, exponent], noAttributes);

const number = (b: Builder, x: Node): Node => (x.dtype === "bool" ? b.convert(x, "int32") : x);

export const neg = unary("neg", (b, x) => b.negate(number(b, x)));
export const abs = unary("abs", (b, x) => b.pointwise("abs", number(b, x)));
export const sign = unary("sign", (b, x) => b.pointwise("sign", number(b, x)));
export const exp = elementary("exp", "exponential");
export const log = elementary("log", "log");
export const sqrt = elementary("sqrt", "sqrt");
export const rsqrt = elementary("rsqrt", "rsqrt");
export const sin = elementary("sin", "sine");
export const cos = elementary("cos", "cosine");
export const tanh = elementary("tanh", "tanh");
export const sigmoid = elementary("sigmoid", "logistic");
export const floor = elementary("floor", "floor");
export const square = unary("square", (b, x) => b.multiply(x, x));
export const reciprocal = unary("reciprocal", (b, x) => b.divide(1, toFloat(b, x)));
/** max(x, 0); the gradient at 0 is 0, and NaN stays NaN. */
export const relu = unary("relu", (b, x) => b.select(b.pointwise("lessEqual", x, 0), 0, x));
export const logicalNot = unary("logicalNot", (b, x) => b.equal(x, 0));

const clampSpec: OpSpec<{ readonly min: number | null; readonly max: number | null }> = {
  name: "clamp",
  lower(b, [x], { min, max }) {
    // Written with select so that, as in PyTorch, the gradient at a bound is 1.
    const low = min === null ? x! : b.select(b.pointwise("less", x!, min), min, x!);
    return max === null ? low : b.select(b.pointwise("greater", low, max), max, low);
  },
};

/** Each element moved to the nearest number in [min, max]; either bound may be left out. */
export const clamp = (x: Tensor, min: number | null, max: number | null = null): Tensor =>
  applyOne(clampSpec, [x], { min, max });

const whereSpec: OpSpec = {
  name: "where",
  lower(b, [condition, ...branches]) {
    const [x, y] = promoteNodes(b, branches) as [Node, Node];
    return b.select(b.convert(condition!, "bool"), x, y);
  },
};

/** x where the condition holds, else y; all three broadcast. */
export function where(condition: Tensor, x: Tensor, y: TensorLike): Tensor {
  return applyOne(whereSpec, [condition, x, typeof y === "number" ? scalarLike(y, x) : y], {});
}

const castSpec: OpSpec<{ readonly dtype: DType }> = {
  name: "to",
  lower: (b, [x], { dtype }) => b.convert(x!, dtype),
};

/** The same values in another dtype; floats lose their fraction in integers. */
export const to = (x: Tensor, dtype: DType): Tensor =>
  x.dtype === dtype ? x : applyOne(castSpec, [x], { dtype });

install({
  ...{ add, sub, mul, div, maximum, minimum, pow, eq, ne, lt, le, gt, ge },
  ...{ neg, abs, sign, exp, log, sqrt, rsqrt, sin, cos, tanh, sigmoid, floor, square, reciprocal },
  ...{ relu, logicalNot, clamp, to },
  where: (x: Tensor, condition: Tensor, other: TensorLike) => where(condition, x, other),
});

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** x + y, with broadcasting, as all two-operand methods. */
    add(y: TensorLike): Tensor;
    /** x − y. */
    sub(y: TensorLike): Tensor;
    /** x · y, element by element. */
    mul(y: TensorLike): Tensor;
    /** x / y; integers give floats. */
    div(y: TensorLike): Tensor;
    /** xʸ. */
    pow(exponent: TensorLike): Tensor;
    /** The larger of x and y; NaN if either is. */
    maximum(y: TensorLike): Tensor;
    /** The smaller of x and y; NaN if either is. */
    minimum(y: TensorLike): Tensor;
    /** x = y, as bool. */
    eq(y: TensorLike): Tensor;
    /** x ≠ y, as bool. */
    ne(y: TensorLike): Tensor;
    /** x < y, as bool. */
    lt(y: TensorLike): Tensor;
    /** x ≤ y, as bool. */
    le(y: TensorLike): Tensor;
    /** x > y, as bool. */
    gt(y: TensorLike): Tensor;
    /** x ≥ y, as bool. */
    ge(y: TensorLike): Tensor;
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
    /** x moved into [min, max]; null leaves a side open. */
    clamp(min: number | null, max?: number | null): Tensor;
    /** x where `condition` holds, else `other`. */
    where(condition: Tensor, other: TensorLike): Tensor;
    /** The same values in another dtype. */
    to(dtype: DType): Tensor;
  }
}
