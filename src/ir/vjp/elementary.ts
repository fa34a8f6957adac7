/** Gradient rules of functions of one number, and of the angle of two. */
import type { Builder } from "../builder.js";
import type { Node } from "../graph.js";
import type { PrimitiveName } from "../primitives.js";
import type { Rule, Rules } from "../vjp.js";

/** g times the derivative at x; y is the value. */
const derivative =
  <P extends PrimitiveName>(slope: (b: Builder, x: Node, y: Node) => Node): Rule<P> =>
  (b, node, g) => [b.multiply(g, slope(b, node.inputs[0]!, node))];

/** g divided by the inverse of the derivative at x. */
const reciprocal =
  <P extends PrimitiveName>(inverse: (b: Builder, x: Node) => Node): Rule<P> =>
  (b, { inputs: [x] }, g) => [b.divide(g, inverse(b, x!))];

const square = (b: Builder, x: Node): Node => b.multiply(x, x);
const root = (b: Builder, x: Node): Node => b.pointwise("sqrt", x);

/** 2/√π · e^(−x²), the derivative of erf. */
const bell = (b: Builder, x: Node): Node =>
  b.multiply(b.pointwise("exponential", b.negate(square(b, x))), 2 / Math.sqrt(Math.PI));

type Elementary =
  | ("exponential" | "exponentialMinusOne" | "log" | "logPlusOne" | "log2" | "log10")
  | ("sqrt" | "rsqrt" | "tanh" | "logistic" | "sine" | "cosine" | "tan" | "asin" | "acos" | "atan")
  | ("sinh" | "cosh" | "asinh" | "acosh" | "atanh" | "erf" | "erfc" | "atan2");

export const elementaryRules: Pick<Rules, Elementary> = {
  exponential: derivative((_, __, y) => y),
  exponentialMinusOne: derivative((b, _, y) => b.add(y, 1)),
  log: reciprocal((_, x) => x),
  logPlusOne: reciprocal((b, x) => b.add(x, 1)),
  log2: reciprocal((b, x) => b.multiply(x, Math.LN2)),
  log10: reciprocal((b, x) => b.multiply(x, Math.LN10)),
  sqrt: (b, y, g) => [b.divide(b.multiply(g, 0.5), y)],
  rsqrt: derivative((b, _, y) => b.multiply(b.multiply(square(b, y), y), -0.5)),
  tanh: derivative((b, _, y) => b.subtract(1, square(b, y))),
  logistic: derivative((b, _, y) => b.multiply(y, b.subtract(1, y))),
  sine: derivative((b, x) => b.pointwise("cosine", x)),
  cosine: derivative((b, x) => b.negate(b.pointwise("sine", x))),
  tan: derivative((b, _, y) => b.add(square(b, y), 1)),
  asin: reciprocal((b, x) => root(b, b.subtract(1, square(b, x)))),
  acos: reciprocal((b, x) => b.negate(root(b, b.subtract(1, square(b, x))))),
  atan: reciprocal((b, x) => b.add(square(b, x), 1)),
  sinh: derivative((b, x) => b.pointwise("cosh", x)),
  cosh: derivative((b, x) => b.pointwise("sinh", x)),
  asinh: reciprocal((b, x) => root(b, b.add(square(b, x), 1))),
  acosh: reciprocal((b, x) => root(b, b.subtract(square(b, x), 1))),
  atanh: reciprocal((b, x) => b.subtract(1, square(b, x))),
  erf: derivative((b, x) => bell(b, x)),
  erfc: derivative((b, x) => b.negate(bell(b, x))),
  atan2: (b, { inputs: [y, x] }, g) => {
    const scaled = b.divide(g, b.add(square(b, x!), square(b, y!)));
    return [b.multiply(scaled, x!), b.negate(b.multiply(scaled, y!))];
  },
};
