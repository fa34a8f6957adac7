/** Exponentials, logarithms, circular and hyperbolic functions and their inverses. Read rounding.ts next. */
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { install } from "../tensor/defineOp.js";
import { elementary, unary } from "./elementary.js";
import { binary, promoteFloats, type TensorLike, toFloat } from "./pointwise.js";

/**
 * eˣ − 1, exact also near 0.
 *
 * @example
 * ```ts
 * import { expm1, tensor } from "gradus";
 * console.log(expm1(tensor(1e-5)).item().toExponential(4)); // → 1.0000e-5
 * ```
 */
export const expm1 = elementary("expm1", "exponentialMinusOne");
/**
 * log(1 + x), exact also near 0.
 *
 * @example
 * ```ts
 * import { log1p, tensor } from "gradus";
 * console.log(log1p(tensor(1e-5)).item().toExponential(4)); // → 9.9999e-6
 * ```
 */
export const log1p = elementary("log1p", "logPlusOne");
/**
 * Logarithm to base 2.
 *
 * @example
 * ```ts
 * import { log2, tensor } from "gradus";
 * console.log(log2(tensor([1, 8])).toArray()); // → [ 0, 3 ]
 * ```
 */
export const log2 = elementary("log2", "log2");
/**
 * Logarithm to base 10.
 *
 * @example
 * ```ts
 * import { log10, tensor } from "gradus";
 * console.log(log10(tensor([1, 1000])).toArray()); // → [ 0, 3 ]
 * ```
 */
export const log10 = elementary("log10", "log10");
/**
 * Tangent of an angle in radians.
 *
 * @example
 * ```ts
 * import { tan, tensor } from "gradus";
 * console.log(tan(tensor(0.5)).item().toFixed(4)); // → 0.5463
 * ```
 */
export const tan = elementary("tan", "tan");
/**
 * The angle in [−π/2, π/2] with sine x.
 *
 * @example
 * ```ts
 * import { asin, tensor } from "gradus";
 * console.log(asin(tensor(1)).item().toFixed(4)); // → 1.5708
 * ```
 */
export const asin = elementary("asin", "asin");
/**
 * The angle in [0, π] with cosine x.
 *
 * @example
 * ```ts
 * import { acos, tensor } from "gradus";
 * console.log(acos(tensor(-1)).item().toFixed(4)); // → 3.1416
 * ```
 */
export const acos = elementary("acos", "acos");
/**
 * The angle in (−π/2, π/2) with tangent x.
 *
 * @example
 * ```ts
 * import { atan, tensor } from "gradus";
 * console.log(atan(tensor(1)).item().toFixed(4)); // → 0.7854
 * ```
 */
export const atan = elementary("atan", "atan");
/**
 * Hyperbolic sine, (eˣ − e⁻ˣ) / 2.
 *
 * @example
 * ```ts
 * import { sinh, tensor } from "gradus";
 * console.log(sinh(tensor(1)).item().toFixed(4)); // → 1.1752
 * ```
 */
export const sinh = elementary("sinh", "sinh");
/**
 * Hyperbolic cosine, (eˣ + e⁻ˣ) / 2.
 *
 * @example
 * ```ts
 * import { cosh, tensor } from "gradus";
 * console.log(cosh(tensor(1)).item().toFixed(4)); // → 1.5431
 * ```
 */
export const cosh = elementary("cosh", "cosh");
/**
 * Inverse hyperbolic sine.
 *
 * @example
 * ```ts
 * import { asinh, tensor } from "gradus";
 * console.log(asinh(tensor(1)).item().toFixed(4)); // → 0.8814
 * ```
 */
export const asinh = elementary("asinh", "asinh");
/**
 * Inverse hyperbolic cosine of x ≥ 1.
 *
 * @example
 * ```ts
 * import { acosh, tensor } from "gradus";
 * console.log(acosh(tensor(2)).item().toFixed(4)); // → 1.3170
 * ```
 */
export const acosh = elementary("acosh", "acosh");
/**
 * Inverse hyperbolic tangent of −1 < x < 1.
 *
 * @example
 * ```ts
 * import { atanh, tensor } from "gradus";
 * console.log(atanh(tensor(0.5)).item().toFixed(4)); // → 0.5493
 * ```
 */
export const atanh = elementary("atanh", "atanh");
/**
 * The error function, 2/√π · ∫₀ˣ e^(−t²) dt.
 *
 * @example
 * ```ts
 * import { erf, tensor } from "gradus";
 * console.log(erf(tensor(1)).item().toFixed(4)); // → 0.8427
 * ```
 */
export const erf = elementary("erf", "erf");
/**
 * 1 − erf(x), exact also where erf(x) is near 1.
 *
 * @example
 * ```ts
 * import { erfc, tensor } from "gradus";
 * console.log(erfc(tensor(1)).item().toFixed(4)); // → 0.1573
 * ```
 */
export const erfc = elementary("erfc", "erfc");

/**
 * sin(πx) / (πx), and 1 at 0.
 *
 * @example
 * ```ts
 * import { sinc, tensor } from "gradus";
 * console.log(sinc(tensor(0.5)).item().toFixed(4)); // → 0.6366
 * ```
 */
export const sinc = unary("sinc", (b, given) => {
  const x = toFloat(b, given);
  const isZero = b.equal(x, 0);
  const angle = b.multiply(b.select(isZero, 1, x), Math.PI);
  return b.select(isZero, 1, b.divide(b.pointwise("sine", angle), angle));
});

/**
 * The angle in [−π, π] of the point (y, x) from the x axis; the first operand is y.
 *
 * @example
 * ```ts
 * import { atan2, tensor } from "gradus";
 * console.log(atan2(tensor(1), tensor(-1)).item().toFixed(4)); // → 2.3562
 * ```
 */
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

/**
 * √(x² + y²) without overflow on the way.
 *
 * @example
 * ```ts
 * import { hypot, tensor } from "gradus";
 * console.log(hypot(tensor(3), 4).item()); // → 5
 * ```
 */
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

/**
 * log(eˣ + eʸ) without overflow on the way.
 *
 * @example
 * ```ts
 * import { logaddexp, tensor } from "gradus";
 * console.log(logaddexp(tensor(1000), 1000).item().toFixed(4)); // → 1000.6932
 * ```
 */
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

/**
 * x · log y, and 0 where x is 0 (unless y is NaN): the terms of an entropy.
 *
 * @example
 * ```ts
 * import { tensor, xlogy } from "gradus";
 * console.log(xlogy(tensor(2), 3).item().toFixed(4)); // → 2.1972
 * ```
 */
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
