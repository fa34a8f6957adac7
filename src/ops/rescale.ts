/** Ops that divide by the size of a vector or of its neighbourhood. Read normSamples.ts or dropout.ts next. */
import { ValueError } from "../core/errors.js";
import { normalizeDims, sizeOf } from "../core/shape.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkPower, lengthNodes } from "./lengths.js";
import { checkChannels, needFloatTensor } from "./norm.js";

export interface LocalResponseNormOptions {
  /** Factor of the mean square; default 1e-4. */
  readonly alpha?: number;
  /** Exponent; default 0.75. */
  readonly beta?: number;
  /** Added to the mean square; default 1. */
  readonly k?: number;
}

type Response = {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
};

const localResponseSpec: OpSpec<Response> = {
  name: "localResponseNorm",
  lower(b, [x], { size, alpha, beta, k }) {
    const [batch, channels] = x!.shape as [number, number];
    const places = sizeOf(x!.shape.slice(2));
    const squares = b.reshape(b.multiply(x!, x!), [batch, channels, places]);
    const sums = b.make("windowSum", [squares], {
      kernelSizes: [size, 1],
      strides: [1, 1],
      dilation: [1, 1],
      padLow: [Math.floor(size / 2), 0],
      padHigh: [Math.floor((size - 1) / 2), 0],
    });
    const base = b.add(b.multiply(b.reshape(sums, x!.shape), alpha / size), k);
    return b.divide(x!, b.pointwise("power", base, beta));
  },
};

/**
 * x / (k + alpha · m)^beta with m the mean square of `size` neighbouring channels, missing ones counting as 0 (Krizhevsky
 * et al., 2012). x: [B, C, …], with at least three dims.
 *
 * @throws ShapeError for fewer dims; ValueError unless size is a whole number ≥ 1.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.localResponseNorm(ones([1, 3, 2]), 2).shape); // → [ 1, 3, 2 ]
 * ```
 */
export function localResponseNorm(
  x: Tensor,
  size: number,
  { alpha = 1e-4, beta = 0.75, k = 1 }: LocalResponseNormOptions = {},
): Tensor {
  checkChannels("localResponseNorm", x, 3, [null, null]);
  if (!Number.isInteger(size) || size < 1)
    throw new ValueError("localResponseNorm", `size must be a whole number ≥ 1, got ${size}`);
  return applyOne(localResponseSpec, [x], { size, alpha, beta, k });
}

export interface NormalizeOptions {
  /** Which length: (Σ|x|^p)^(1/p); default 2. */
  readonly p?: number;
  /** Along which dims; default 1. */
  readonly dim?: number | readonly number[];
  /** The least length that is divided by; default 1e-12. */
  readonly eps?: number;
}

type Normalize = { readonly p: number; readonly dims: readonly number[]; readonly eps: number };

const normalizeSpec: OpSpec<Normalize> = {
  name: "normalize",
  lower(b, [x], { p, dims, eps }) {
    const length = lengthNodes(b, x!, p, dims, true);
    return b.divide(x!, b.select(b.pointwise("less", length, eps), eps, length));
  },
};

/**
 * x / max(‖x‖ₚ, eps) along a dim.
 *
 * @throws ValueError if the dim is out of range or p is negative.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * console.log(nn.functional.normalize(tensor([[3, 4]])).toArray()); // ≈ [ [ 0.6, 0.8 ] ]
 * ```
 */
export function normalize(x: Tensor, options: NormalizeOptions = {}): Tensor {
  const { p = 2, dim = 1, eps = 1e-12 } = options;
  needFloatTensor("normalize", x);
  const dims = normalizeDims("normalize", dim, x.ndim);
  return applyOne(normalizeSpec, [x], { p: checkPower("normalize", p), dims, eps });
}
