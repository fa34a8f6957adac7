/** Pooling to a given size: window i of n places goes from ⌊i·n / out⌋ to ⌈(i + 1)·n / out⌉. Read interpolate.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, stridesOf } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { apply, applyOne, byName, type OpSpec } from "../tensor/apply.js";
import type { Tensor } from "../tensor/tensor.js";
import { squeeze, unsqueeze } from "./movement.js";
import { batched, checkSpatial, fromPlaces, maxOfPlaces, planesOf } from "./pool.js";

type Size = number | null;
/** Spatial sizes of a result: one for all, or one a dim; null keeps the input's. */
export type OutputSize = Size | readonly Size[];

type Adaptive = { readonly sizes: readonly number[] };

function outputSizes(op: string, x: Tensor, rank: number, size: OutputSize): number[] {
  checkSpatial(op, rank, x);
  const list = Array.isArray(size) ? size : new Array<Size>(rank).fill(size as Size);
  const full = list.map((n: Size, i: number) => n ?? x.shape[2 + i]!);
  if (full.length !== rank || !full.every((n) => Number.isInteger(n) && n >= 1))
    throw new ValueError(
      op,
      `outputSize must be whole numbers ≥ 1 or null, one a spatial dim, got ${JSON.stringify(size)}`,
    );
  if (x.shape.slice(2).includes(0))
    throw new ShapeError(op, `needs spatial sizes ≥ 1, got ${formatShape(x.shape)}`);
  return full;
}

/** First places of the windows, and the first ones after them, as int32 of a shape whose dim `dim` counts windows. */
function rangeNodes(b: Builder, dim: number, shape: readonly number[], n: number, out: number) {
  const place = b.iota(dim, shape);
  const start = b.divide(b.multiply(place, n), out);
  const end = b.divide(b.add(b.multiply(b.add(place, 1), n), out - 1), out);
  return { start, end };
}

/** Means along one dim, as a product with a matrix [windows, places] of shares. */
function averageDim(b: Builder, x: Node, dim: number, out: number): Node {
  const n = x.shape[dim]!;
  if (out === n) return x;
  const shape = [out, n];
  const { start, end } = rangeNodes(b, 0, shape, n, out);
  const place = b.iota(1, shape);
  const inside = b.pointwise(
    "and",
    b.pointwise("greaterEqual", place, start),
    b.pointwise("less", place, end),
  );
  const share = b.divide(b.constant(1, x.dtype, shape), b.convert(b.subtract(end, start), x.dtype));
  const product = b.make("dotGeneral", [x, b.select(inside, share, 0)], {
    lhsBatch: [],
    rhsBatch: [],
    lhsContract: [dim],
    rhsContract: [1],
  });
  const last = x.shape.length - 1;
  return b.transpose(
    product,
    x.shape.map((_, i) => (i === dim ? last : i < dim ? i : i - 1)),
  );
}

/** Windows of equal sizes side by side, if that is what the sizes come to. */
function evenWindow(spatial: readonly number[], sizes: readonly number[]) {
  if (!spatial.every((n, i) => n % sizes[i]! === 0)) return null;
  const kernelSizes = spatial.map((n, i) => n / sizes[i]!);
  const none = sizes.map(() => 0);
  const dilation = sizes.map(() => 1);
  return { kernelSizes, strides: kernelSizes, dilation, padLow: none, padHigh: none };
}

/** Also interpolation's mode "area". */
export function adaptiveAverageNodes(b: Builder, x: Node, sizes: readonly number[]): Node {
  const rank = sizes.length;
  const even = evenWindow(x.shape.slice(-rank), sizes);
  if (!even)
    return sizes.reduce((y, out, i) => averageDim(b, y, y.shape.length - rank + i, out), x);
  const sums = b.make("windowSum", [planesOf(b, x, rank)], even);
  const count = even.kernelSizes.reduce((n, k) => n * k, 1);
  return b.reshape(b.divide(sums, count), [...x.shape.slice(0, -rank), ...sizes]);
}

const averageSpec = byName(
  (name): OpSpec<Adaptive> => ({
    name,
    lower: (b, [x], { sizes }) => adaptiveAverageNodes(b, x!, sizes),
  }),
);

/** The flat places of all windows, int32 [windows, places]; short windows name their last place again. */
function placeNodes(b: Builder, spatial: readonly number[], sizes: readonly number[]): Node {
  const rank = sizes.length;
  const most = spatial.map((n, i) => Math.min(n, Math.ceil(n / sizes[i]!) + 1));
  const shape = [...sizes, ...most];
  const strides = stridesOf(spatial);
  const terms = spatial.map((n, i) => {
    const { start, end } = rangeNodes(b, i, shape, n, sizes[i]!);
    const inside = b.add(start, b.iota(rank + i, shape));
    return b.multiply(b.pointwise("minimum", inside, b.subtract(end, 1)), strides[i]!);
  });
  const total = terms.reduce((sum, term) => b.add(sum, term));
  const product = (list: readonly number[]) => list.reduce((a, c) => a * c, 1);
  return b.reshape(total, [product(sizes), product(most)]);
}

const maxSpec = byName(
  (name): OpSpec<Adaptive> => ({
    name,
    lower(b, [x], { sizes }) {
      const rank = sizes.length;
      const planes = planesOf(b, x!, rank);
      const spatial = planes.shape.slice(1);
      const shape = [...x!.shape.slice(0, -rank), ...sizes];
      const even = evenWindow(spatial, sizes);
      if (even) {
        const chosen = b.make("windowArgMax", [planes], even);
        return [b.reshape(fromPlaces(b, planes, chosen), shape), b.reshape(chosen, shape)];
      }
      const table = placeNodes(b, spatial, sizes);
      return maxOfPlaces(
        b,
        planes,
        b.broadcastTo(table, [planes.shape[0]!, ...table.shape]),
        shape,
      );
    },
  }),
);

const adaptiveAverage = (x: Tensor, rank: number, size: OutputSize): Tensor =>
  batched(x, rank, (batch) => {
    const op = `adaptiveAvgPool${rank}d`;
    return applyOne(averageSpec(op), [batch], { sizes: outputSizes(op, batch, rank, size) });
  });

function adaptiveMax(x: Tensor, rank: number, size: OutputSize): [values: Tensor, indices: Tensor] {
  if (x.ndim === rank + 1) {
    const [values, indices] = adaptiveMax(unsqueeze(x, 0), rank, size);
    return [squeeze(values, 0), squeeze(indices, 0)];
  }
  const op = `adaptiveMaxPool${rank}d`;
  const sizes = outputSizes(op, x, rank, size);
  return apply(maxSpec(op), [x], { sizes }) as [Tensor, Tensor];
}

/**
 * Means of windows that divide the input evenly into `outputSize` parts. x: [B, C, L] or [C, L] → [B, C, outputSize].
 *
 * @throws ValueError unless the size is a whole number ≥ 1 or null.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * console.log(nn.functional.adaptiveAvgPool1d(tensor([[1, 3, 5]]), 2).toArray()); // → [ [ 2, 4 ] ]
 * ```
 */
export const adaptiveAvgPool1d = (x: Tensor, outputSize: OutputSize): Tensor =>
  adaptiveAverage(x, 1, outputSize);

/**
 * {@link adaptiveAvgPool1d} for images [B, C, H, W] or [C, H, W].
 *
 * @throws ValueError unless the sizes are whole numbers ≥ 1 or null.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.adaptiveAvgPool2d(ones([1, 8, 7, 5]), 1).shape); // → [ 1, 8, 1, 1 ]
 * ```
 */
export const adaptiveAvgPool2d = (x: Tensor, outputSize: OutputSize): Tensor =>
  adaptiveAverage(x, 2, outputSize);

/**
 * {@link adaptiveAvgPool1d} for volumes [B, C, D, H, W] or [C, D, H, W].
 *
 * @throws ValueError unless the sizes are whole numbers ≥ 1 or null.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.adaptiveAvgPool3d(ones([1, 2, 3, 4, 5]), [2, null, 1]).shape); // → [ 1, 2, 2, 4, 1 ]
 * ```
 */
export const adaptiveAvgPool3d = (x: Tensor, outputSize: OutputSize): Tensor =>
  adaptiveAverage(x, 3, outputSize);

/**
 * Largest elements of windows that divide the input evenly into `outputSize` parts. x: [B, C, L] or [C, L].
 *
 * @throws ValueError unless the size is a whole number ≥ 1 or null.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * console.log(nn.functional.adaptiveMaxPool1d(tensor([[1, 3, 5]]), 2).toArray()); // → [ [ 3, 5 ] ]
 * ```
 */
export const adaptiveMaxPool1d = (x: Tensor, outputSize: OutputSize): Tensor =>
  adaptiveMax(x, 1, outputSize)[0];

/**
 * {@link adaptiveMaxPool1d} for images [B, C, H, W] or [C, H, W].
 *
 * @throws ValueError unless the sizes are whole numbers ≥ 1 or null.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.adaptiveMaxPool2d(ones([1, 8, 7, 5]), [3, 2]).shape); // → [ 1, 8, 3, 2 ]
 * ```
 */
export const adaptiveMaxPool2d = (x: Tensor, outputSize: OutputSize): Tensor =>
  adaptiveMax(x, 2, outputSize)[0];

/**
 * {@link adaptiveMaxPool1d} for volumes [B, C, D, H, W] or [C, D, H, W].
 *
 * @throws ValueError unless the sizes are whole numbers ≥ 1 or null.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.adaptiveMaxPool3d(ones([1, 1, 3, 3, 3]), 2).shape); // → [ 1, 1, 2, 2, 2 ]
 * ```
 */
export const adaptiveMaxPool3d = (x: Tensor, outputSize: OutputSize): Tensor =>
  adaptiveMax(x, 3, outputSize)[0];

/** {@link adaptiveMaxPool1d} and the index of each maximum, int32. */
export const adaptiveMaxPool1dWithIndices = (x: Tensor, outputSize: OutputSize) =>
  adaptiveMax(x, 1, outputSize);

/** {@link adaptiveMaxPool2d} and the flat index of each maximum in its plane, int32. */
export const adaptiveMaxPool2dWithIndices = (x: Tensor, outputSize: OutputSize) =>
  adaptiveMax(x, 2, outputSize);

/** {@link adaptiveMaxPool3d} and the flat index of each maximum in its volume, int32. */
export const adaptiveMaxPool3dWithIndices = (x: Tensor, outputSize: OutputSize) =>
  adaptiveMax(x, 3, outputSize);
