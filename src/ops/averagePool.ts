/** Pooling by means and lengths of windows. Read adaptivePool.ts next. */
import { ValueError } from "../core/errors.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, byName, type OpSpec } from "../tensor/apply.js";
import type { Tensor } from "../tensor/tensor.js";
import { batched, checkSpatial, planesOf } from "./pool.js";
import {
  type Pair,
  type PoolAttributes,
  poolWindow,
  type Single,
  type Sizes,
  type Triple,
} from "./window.js";

export interface AvgPoolOptions<S extends Sizes = Sizes> {
  /** Step of the window; default its size. */
  readonly stride?: S;
  /** Zeros around the input; at most half the window. Default 0. */
  readonly padding?: S;
  /** Lets windows that begin inside the input end outside of it. */
  readonly ceilMode?: boolean;
  /** Whether the padding counts as elements of the mean; default true. */
  readonly countIncludePad?: boolean;
  /** What sums are divided by, instead of the count of elements. */
  readonly divisorOverride?: number;
}

type AvgAttributes = PoolAttributes & {
  /** The padding that was asked for; padHigh may be more. */
  readonly padding: readonly number[];
  readonly countIncludePad: boolean;
  readonly divisorOverride: number | null;
};

/** How many elements of a dim each window has. */
function countNodes(b: Builder, n: number, out: number, d: number, a: AvgAttributes): Node {
  const pad = a.padding[d]!;
  const place = b.iota(0, [out]);
  const start = b.subtract(b.multiply(place, a.strides[d]!), pad);
  const end = b.add(start, a.kernelSizes[d]!);
  if (a.countIncludePad) return b.subtract(b.pointwise("minimum", end, n + pad), start);
  return b.subtract(b.pointwise("minimum", end, n), b.pointwise("maximum", start, 0));
}

/** The sums of windows divided by how many elements each has. */
function averageNodes(b: Builder, x: Node, attributes: AvgAttributes): Node {
  const { kernelSizes, strides, padLow, padHigh, dilation, divisorOverride } = attributes;
  const rank = strides.length;
  const window = { kernelSizes, strides, padLow, padHigh, dilation };
  const sums = b.make("windowSum", [planesOf(b, x, rank)], window);
  const sizes = sums.shape.slice(1);
  const y = b.reshape(sums, [...x.shape.slice(0, -rank), ...sizes]);
  if (divisorOverride !== null) return b.divide(y, divisorOverride);
  const isFull = padHigh.every(
    (pad, d) => pad === 0 || (pad === attributes.padding[d] && attributes.countIncludePad),
  );
  if (isFull)
    return b.divide(
      y,
      kernelSizes.reduce((n, k) => n * k, 1),
    );
  const counts = sizes.map((out, d) => {
    const count = countNodes(b, x.shape.at(d - rank)!, out, d, attributes);
    return b.reshape(count, [out, ...sizes.slice(d + 1).map(() => 1)]);
  });
  return b.divide(
    y,
    b.convert(
      counts.reduce((product, n) => b.multiply(product, n)),
      x.dtype,
    ),
  );
}

const avgPoolSpec = byName(
  (name): OpSpec<AvgAttributes & Record<string, unknown>> => ({
    name,
    lower: (b, [x], attributes) => averageNodes(b, x!, attributes),
  }),
);

function averageWindow(
  op: string,
  x: Tensor,
  kernel: Sizes,
  rank: number,
  options: AvgPoolOptions,
) {
  const { countIncludePad = true, divisorOverride = null, ...settings } = options;
  const window = poolWindow(op, x.shape, kernel, rank, settings);
  return { ...window, padding: window.padLow, countIncludePad, divisorOverride };
}

const avgPool = (x: Tensor, rank: number, kernelSize: Sizes, options: AvgPoolOptions): Tensor =>
  batched(x, rank, (batch) => {
    const op = `avgPool${rank}d`;
    checkSpatial(op, rank, batch);
    if (options.divisorOverride === 0) throw new ValueError(op, "divisorOverride must not be 0");
    const attributes = averageWindow(op, batch, kernelSize, rank, options);
    return applyOne(avgPoolSpec(op), [batch], attributes);
  });

/**
 * The mean of each window. x: [B, C, L] or [C, L] → the same with L′ = ⌊(L + 2·padding − k) / stride⌋ + 1.
 *
 * @throws ShapeError if the window does not fit.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * console.log(nn.functional.avgPool1d(tensor([[1, 3, 2, 0]]), 2).toArray()); // → [ [ 2, 1 ] ]
 * ```
 */
export const avgPool1d = (
  x: Tensor,
  kernelSize: Single,
  options: AvgPoolOptions<Single> = {},
): Tensor => avgPool(x, 1, kernelSize, options);

/**
 * The mean of each window of images [B, C, H, W] or [C, H, W], sizes as in {@link avgPool1d}.
 *
 * @throws ShapeError if the window does not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.avgPool2d(ones([1, 1, 4, 6]), 2).shape); // → [ 1, 1, 2, 3 ]
 * ```
 */
export const avgPool2d = (
  x: Tensor,
  kernelSize: Pair,
  options: AvgPoolOptions<Pair> = {},
): Tensor => avgPool(x, 2, kernelSize, options);

/**
 * The mean of each window of volumes [B, C, D, H, W] or [C, D, H, W], sizes as in {@link avgPool1d}.
 *
 * @throws ShapeError if the window does not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.avgPool3d(ones([1, 1, 2, 4, 6]), 2).shape); // → [ 1, 1, 1, 2, 3 ]
 * ```
 */
export const avgPool3d = (
  x: Tensor,
  kernelSize: Triple,
  options: AvgPoolOptions<Triple> = {},
): Tensor => avgPool(x, 3, kernelSize, options);

export interface LpPoolOptions<S extends Sizes = Sizes> {
  readonly stride?: S;
  readonly ceilMode?: boolean;
}

type LpAttributes = AvgAttributes & { readonly p: number };

const lpPoolSpec = byName(
  (name): OpSpec<LpAttributes & Record<string, unknown>> => ({
    name,
    lower(b, [x], { p, ...attributes }) {
      const mean = averageNodes(b, b.pointwise("power", x!, p), attributes);
      const count = attributes.kernelSizes.reduce((n, k) => n * k, 1);
      return b.pointwise("power", b.multiply(mean, count), 1 / p);
    },
  }),
);

const lpPool = (
  x: Tensor,
  rank: number,
  [p, kernelSize]: readonly [number, Sizes],
  options: LpPoolOptions,
): Tensor =>
  batched(x, rank, (batch) => {
    const op = `lpPool${rank}d`;
    checkSpatial(op, rank, batch);
    if (!(p > 0)) throw new ValueError(op, `normType must be > 0, got ${p}`);
    const attributes = averageWindow(op, batch, kernelSize, rank, options);
    return applyOne(lpPoolSpec(op), [batch], { ...attributes, p });
  });

/**
 * (Σ xᵖ)^(1/p) over each window, p = `normType`. x: [B, C, L] or [C, L]. A window that ends outside (`ceilMode`) counts as if
 * its mean went on there.
 *
 * @throws ValueError unless p > 0; ShapeError if the window does not fit.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * console.log(nn.functional.lpPool1d(tensor([[3, 4]]), 2, 2).toArray()); // ≈ [ [ 5 ] ]
 * ```
 */
export const lpPool1d = (
  x: Tensor,
  normType: number,
  kernelSize: Single,
  options: LpPoolOptions<Single> = {},
): Tensor => lpPool(x, 1, [normType, kernelSize], options);

/**
 * {@link lpPool1d} for images [B, C, H, W] or [C, H, W].
 *
 * @throws ValueError unless p > 0; ShapeError if the window does not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.lpPool2d(ones([1, 1, 2, 2]), 2, 2).flatten().toArray()); // ≈ [ 2 ]
 * ```
 */
export const lpPool2d = (
  x: Tensor,
  normType: number,
  kernelSize: Pair,
  options: LpPoolOptions<Pair> = {},
): Tensor => lpPool(x, 2, [normType, kernelSize], options);

/**
 * {@link lpPool1d} for volumes [B, C, D, H, W] or [C, D, H, W].
 *
 * @throws ValueError unless p > 0; ShapeError if the window does not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.lpPool3d(ones([1, 1, 2, 2, 4]), 2, [2, 2, 4]).flatten().toArray()); // ≈ [ 4 ]
 * ```
 */
export const lpPool3d = (
  x: Tensor,
  normType: number,
  kernelSize: Triple,
  options: LpPoolOptions<Triple> = {},
): Tensor => lpPool(x, 3, [normType, kernelSize], options);
