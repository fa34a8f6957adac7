/** Activations: what neurons do to a number. Read gate.ts next for those of several numbers. */
import { ValueError } from "../core/errors.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpAttributes, type OpSpec } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { needFloat } from "./reduce.js";

/** An activation without settings, for floats. */
function plain(name: string, lower: (b: Builder, x: Node) => Node): (x: Tensor) => Tensor {
  const spec: OpSpec = {
    name,
    lower(b, [x]) {
      needFloat(name, x!);
      return lower(b, x!);
    },
  };
  return (x) => applyOne(spec, [x], {});
}

/** An activation with settings, each with its default. */
function withSettings<A extends OpAttributes>(
  name: string,
  defaults: A,
  lower: (b: Builder, x: Node, settings: A) => Node,
  check: (settings: A) => string | null = () => null,
): (x: Tensor, options?: Partial<A>) => Tensor {
  const spec: OpSpec<A> = {
    name,
    lower(b, [x], settings) {
      needFloat(name, x!);
      return lower(b, x!, settings);
    },
  };
  return (x, options = {}) => {
    const settings = { ...defaults, ...options };
    const problem = check(settings);
    if (problem !== null) throw new ValueError(name, problem);
    return applyOne(spec, [x], settings);
  };
}

/**
 * log(1 + eˣ) up to rounding: beyond 40 it is x itself in float64. The select is around the argument too, since the
 * gradient of the branch that is not taken must be a number.
 */
export function softplusNodes(b: Builder, x: Node, threshold = 40): Node {
  const isLarge = b.pointwise("greater", x, threshold);
  const safe = b.select(isLarge, 0, x);
  return b.select(isLarge, x, b.pointwise("logPlusOne", b.pointwise("exponential", safe)));
}

/** log(sigmoid(x)). */
export const logSigmoidNodes = (b: Builder, x: Node): Node =>
  b.negate(softplusNodes(b, b.negate(x)));

/** x where it is above 0, else low · (e^(x · rate) − 1). */
function exponentialLinear(b: Builder, x: Node, low: number, rate: number): Node {
  const isAbove = b.pointwise("greater", x, 0);
  const below = b.multiply(b.select(isAbove, 0, x), rate);
  return b.select(isAbove, x, b.multiply(b.pointwise("exponentialMinusOne", below), low));
}

/**
 * x where it is above 0, else negativeSlope · x (Maas et al., 2013); the slope is 0.01 by default.
 *
 * @example
 * ```ts
 * import { leakyRelu, tensor } from "gradus";
 * console.log(leakyRelu(tensor([-4, 2]), { negativeSlope: 0.25 }).toArray()); // → [ -1, 2 ]
 * ```
 */
export const leakyRelu = withSettings(
  "leakyRelu",
  { negativeSlope: 0.01 },
  (b, x, { negativeSlope }) =>
    b.select(b.pointwise("greater", x, 0), x, b.multiply(x, negativeSlope)),
);

/**
 * x where it is above 0, else alpha · (eˣ − 1) (Clevert et al., 2015); alpha is 1 by default.
 *
 * @example
 * ```ts
 * import { elu, tensor } from "gradus";
 * console.log(elu(tensor(-1)).item().toFixed(4)); // → -0.6321
 * ```
 */
export const elu = withSettings("elu", { alpha: 1 }, (b, x, { alpha }) =>
  exponentialLinear(b, x, alpha, 1),
);

const [seluScale, seluAlpha] = [1.0507009873554805, 1.6732632423543772];

/**
 * scale · elu(x, alpha) with the constants that keep mean 0 and variance 1 (Klambauer et al., 2017).
 *
 * @example
 * ```ts
 * import { selu, tensor } from "gradus";
 * console.log(selu(tensor(1)).item().toFixed(4)); // → 1.0507
 * ```
 */
export const selu = plain("selu", (b, x) =>
  b.multiply(exponentialLinear(b, x, seluAlpha, 1), seluScale),
);

/**
 * x where it is above 0, else alpha · (e^(x / alpha) − 1) (Barron, 2017); alpha is 1 by default.
 *
 * @example
 * ```ts
 * import { celu, tensor } from "gradus";
 * console.log(celu(tensor(-1), { alpha: 2 }).item().toFixed(4)); // → -0.7869
 * ```
 */
export const celu = withSettings(
  "celu",
  { alpha: 1 },
  (b, x, { alpha }) => exponentialLinear(b, x, alpha, 1 / alpha),
  ({ alpha }) => (alpha === 0 ? "alpha must not be 0" : null),
);

export type GeluOptions = {
  /** "none" for Φ itself, "tanh" for the approximation that GPT-2 uses. */
  readonly approximate: "none" | "tanh";
};

/**
 * x · Φ(x) with Φ the normal distribution function (Hendrycks and Gimpel, 2016), or, with `approximate: "tanh"`,
 * x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))).
 *
 * @example
 * ```ts
 * import { gelu, tensor } from "gradus";
 * console.log(gelu(tensor(1)).item().toFixed(4)); // → 0.8413
 * ```
 */
export const gelu = withSettings<GeluOptions>(
  "gelu",
  { approximate: "none" },
  (b, x, { approximate }) => {
    const half = b.multiply(x, 0.5);
    if (approximate === "none")
      return b.multiply(half, b.add(b.pointwise("erf", b.multiply(x, Math.SQRT1_2)), 1));
    const cube = b.multiply(b.multiply(b.multiply(x, x), x), 0.044715);
    const inner = b.multiply(b.add(x, cube), Math.sqrt(2 / Math.PI));
    return b.multiply(half, b.add(b.pointwise("tanh", inner), 1));
  },
  ({ approximate }) =>
    approximate === "none" || approximate === "tanh"
      ? null
      : `approximate must be "none" or "tanh", got ${String(approximate)}`,
);

/**
 * x · sigmoid(x), also called swish (Elfwing et al., 2017).
 *
 * @example
 * ```ts
 * import { silu, tensor } from "gradus";
 * console.log(silu(tensor(1)).item().toFixed(4)); // → 0.7311
 * ```
 */
export const silu = plain("silu", (b, x) => b.multiply(x, b.pointwise("logistic", x)));

/**
 * x · tanh(softplus(x)) (Misra, 2019).
 *
 * @example
 * ```ts
 * import { mish, tensor } from "gradus";
 * console.log(mish(tensor(1)).item().toFixed(4)); // → 0.8651
 * ```
 */
export const mish = plain("mish", (b, x) =>
  b.multiply(x, b.pointwise("tanh", softplusNodes(b, x))),
);

/**
 * log(1 + e^(beta · x)) / beta, and x itself where beta · x is above the threshold (20 by default).
 *
 * @example
 * ```ts
 * import { softplus, tensor } from "gradus";
 * console.log(softplus(tensor(0)).item().toFixed(4)); // → 0.6931
 * ```
 */
export const softplus = withSettings(
  "softplus",
  { beta: 1, threshold: 20 },
  (b, x, { beta, threshold }) => {
    const scaled = b.multiply(x, beta);
    const isLarge = b.pointwise("greater", scaled, threshold);
    const safe = b.select(isLarge, 0, scaled);
    const soft = b.pointwise("logPlusOne", b.pointwise("exponential", safe));
    return b.select(isLarge, x, b.divide(soft, beta));
  },
  ({ beta }) => (beta === 0 ? "beta must not be 0" : null),
);

/**
 * x / (1 + |x|).
 *
 * @example
 * ```ts
 * import { softsign, tensor } from "gradus";
 * console.log(softsign(tensor([-1, 0, 3])).toArray()); // → [ -0.5, 0, 0.75 ]
 * ```
 */
export const softsign = plain("softsign", (b, x) => b.divide(x, b.add(b.pointwise("abs", x), 1)));

/** x moved into [low, high]; at the ends, unlike clamp's, the gradient is 0. */
const limited = (b: Builder, x: Node, low: number, high: number): Node =>
  b.select(
    b.pointwise("lessEqual", x, low),
    low,
    b.select(b.pointwise("greaterEqual", x, high), high, x),
  );

/**
 * x moved into [minVal, maxVal], −1 to 1 by default.
 *
 * @example
 * ```ts
 * import { hardtanh, tensor } from "gradus";
 * console.log(hardtanh(tensor([-3, 0.5, 3])).toArray()); // → [ -1, 0.5, 1 ]
 * ```
 */
export const hardtanh = withSettings(
  "hardtanh",
  { minVal: -1, maxVal: 1 },
  (b, x, { minVal, maxVal }) => limited(b, x, minVal, maxVal),
  ({ minVal, maxVal }) =>
    minVal <= maxVal ? null : `minVal must be ≤ maxVal, got ${minVal} and ${maxVal}`,
);

/**
 * x moved into [0, 6].
 *
 * @example
 * ```ts
 * import { relu6, tensor } from "gradus";
 * console.log(relu6(tensor([-1, 3, 9])).toArray()); // → [ 0, 3, 6 ]
 * ```
 */
export const relu6 = plain("relu6", (b, x) => limited(b, x, 0, 6));

/**
 * 0 up to −3, x from 3 on, x · (x + 3) / 6 between (Howard et al., 2019).
 *
 * @example
 * ```ts
 * import { hardswish, tensor } from "gradus";
 * console.log(hardswish(tensor([-4, 3, 5])).toArray()); // → [ -0, 3, 5 ]
 * ```
 */
export const hardswish = plain("hardswish", (b, x) => {
  const between = b.divide(b.multiply(x, b.add(x, 3)), 6);
  const up = b.select(b.pointwise("less", x, 3), between, x);
  return b.select(b.pointwise("less", x, -3), b.multiply(x, 0), up);
});

/**
 * 0 up to −3, 1 from 3 on, (x + 3) / 6 between.
 *
 * @example
 * ```ts
 * import { hardsigmoid, tensor } from "gradus";
 * console.log(hardsigmoid(tensor([-4, 0, 4])).toArray()); // → [ 0, 0.5, 1 ]
 * ```
 */
export const hardsigmoid = plain("hardsigmoid", (b, x) =>
  b.divide(limited(b, b.add(x, 3), 0, 6), 6),
);

/**
 * log(sigmoid(x)) without loss of precision.
 *
 * @example
 * ```ts
 * import { logSigmoid, tensor } from "gradus";
 * console.log(logSigmoid(tensor(0)).item().toFixed(4)); // → -0.6931
 * ```
 */
export const logSigmoid = plain("logSigmoid", logSigmoidNodes);

/**
 * x − tanh(x).
 *
 * @example
 * ```ts
 * import { tanhshrink, tensor } from "gradus";
 * console.log(tanhshrink(tensor(1)).item().toFixed(4)); // → 0.2384
 * ```
 */
export const tanhshrink = plain("tanhshrink", (b, x) => b.subtract(x, b.pointwise("tanh", x)));

/**
 * x moved towards 0 by lambd (0.5 by default), and 0 where it would cross it.
 *
 * @example
 * ```ts
 * import { softshrink, tensor } from "gradus";
 * console.log(softshrink(tensor([-2, 0.25, 2])).toArray()); // → [ -1.5, 0, 1.5 ]
 * ```
 */
export const softshrink = withSettings(
  "softshrink",
  { lambd: 0.5 },
  (b, x, { lambd }) => {
    const below = b.select(b.pointwise("less", x, -lambd), b.add(x, lambd), 0);
    return b.select(b.pointwise("greater", x, lambd), b.subtract(x, lambd), below);
  },
  ({ lambd }) => (lambd >= 0 ? null : `lambd must be ≥ 0, got ${lambd}`),
);

/**
 * x, and 0 where it lies in [−lambd, lambd] (0.5 by default).
 *
 * @example
 * ```ts
 * import { hardshrink, tensor } from "gradus";
 * console.log(hardshrink(tensor([-2, 0.25, 2])).toArray()); // → [ -2, 0, 2 ]
 * ```
 */
export const hardshrink = withSettings("hardshrink", { lambd: 0.5 }, (b, x, { lambd }) => {
  const isAbove = b.pointwise("greaterEqual", x, -lambd);
  return b.select(b.pointwise("and", isAbove, b.pointwise("lessEqual", x, lambd)), 0, x);
});

const thresholdSpec: OpSpec<{ readonly threshold: number; readonly value: number }> = {
  name: "threshold",
  lower: (b, [x], { threshold, value }) =>
    b.select(b.pointwise("lessEqual", x!, threshold), value, x!),
};

/**
 * x where it is above the threshold, else `value`.
 *
 * @example
 * ```ts
 * import { tensor, threshold } from "gradus";
 * console.log(threshold(tensor([-1, 0.5, 2]), 1, 9).toArray()); // → [ 9, 9, 2 ]
 * ```
 */
export const threshold = (x: Tensor, threshold: number, value: number): Tensor =>
  applyOne(thresholdSpec, [x], { threshold, value });

install({ hardshrink });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** x, and 0 where it lies in [−lambd, lambd]. */
    hardshrink(options?: { readonly lambd?: number }): Tensor;
  }
}
