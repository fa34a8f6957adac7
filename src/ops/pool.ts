/** Pooling by the largest element of windows, and its undoing. Read poolSamples.ts or averagePool.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, type Shape, sizeOf } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { apply, applyOne, type OpSpec } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import { defaultGenerator, type Generator, rand } from "../tensor/random.js";
import type { Tensor } from "../tensor/tensor.js";
import { indexNodes } from "./indexing.js";
import { squeeze, unsqueeze } from "./movement.js";
import { needFloatTensor } from "./norm.js";
import {
  letters,
  type Pair,
  type PoolAttributes,
  type PoolOptions,
  poolWindow,
  type Single,
  type Sizes,
  spread,
  type Triple,
} from "./window.js";

export type MaxPool1dOptions = PoolOptions<Single>;
export type MaxPool2dOptions = PoolOptions<Pair>;
export type MaxPool3dOptions = PoolOptions<Triple>;

/** [B, C, …] as planes [B · C, …]. */
export const planesOf = (b: Builder, x: Node, rank: number): Node =>
  b.reshape(x, [sizeOf(x.shape.slice(0, -rank)), ...x.shape.slice(-rank)]);

/** x's elements at flat places [planes, …] of its planes. */
export function fromPlaces(b: Builder, planes: Node, places: Node): Node {
  const [count] = planes.shape as [number];
  const flat = b.reshape(places, [count, sizeOf(places.shape.slice(1))]);
  const values = b.reshape(planes, [count, sizeOf(planes.shape.slice(1))]);
  return b.reshape(b.make("gather", [values, flat], { dim: 1 }), places.shape);
}

/** The largest of each window's elements, whose flat places [planes, windows, places] are given, and where it is. */
export function maxOfPlaces(b: Builder, planes: Node, places: Node, shape: Shape): [Node, Node] {
  const [count, windows] = places.shape as [number, number];
  const best = b.make("argMax", [fromPlaces(b, planes, places)], { dim: 2 });
  const chosen = b.make("gather", [places, b.reshape(best, [count, windows, 1])], { dim: 2 });
  const flat = b.reshape(chosen, [count, windows]);
  return [b.reshape(fromPlaces(b, planes, flat), shape), b.reshape(flat, shape)];
}

function maxPoolSpec(name: string): OpSpec<PoolAttributes & Record<string, unknown>> {
  return {
    name,
    lower(b, [x], { kernelSizes, strides, padLow, padHigh, dilation }) {
      const rank = strides.length;
      const attributes = { kernelSizes, strides, padLow, padHigh, dilation };
      const planes = planesOf(b, x!, rank);
      const chosen = b.make("windowArgMax", [planes], attributes);
      const shape = [...x!.shape.slice(0, -rank), ...chosen.shape.slice(1)];
      return [b.reshape(fromPlaces(b, planes, chosen), shape), b.reshape(chosen, shape)];
    },
  };
}

export function checkSpatial(op: string, rank: number, x: Tensor): void {
  if (x.ndim !== rank + 2)
    throw new ShapeError(op, `expected [B, C, ${letters[rank - 1]}], got ${formatShape(x.shape)}`);
  needFloatTensor(op, x);
}

/** Calls `fn` on an input with a batch, and takes the batch away again where there was none. */
export function batched(x: Tensor, rank: number, fn: (x: Tensor) => Tensor): Tensor {
  return x.ndim === rank + 1 ? squeeze(fn(unsqueeze(x, 0)), 0) : fn(x);
}

type ValuesAndIndices = [values: Tensor, indices: Tensor];

/** As {@link batched}, for values and indices. */
function batchedPair(
  x: Tensor,
  rank: number,
  fn: (x: Tensor) => ValuesAndIndices,
): ValuesAndIndices {
  if (x.ndim !== rank + 1) return fn(x);
  const [values, indices] = fn(unsqueeze(x, 0));
  return [squeeze(values, 0), squeeze(indices, 0)];
}

const maxPool = (
  x: Tensor,
  rank: number,
  kernelSize: Sizes,
  options: PoolOptions,
): ValuesAndIndices =>
  batchedPair(x, rank, (batch) => {
    const op = `maxPool${rank}d`;
    checkSpatial(op, rank, batch);
    const attributes = poolWindow(op, batch.shape, kernelSize, rank, options);
    return apply(
      maxPoolSpec(op),
      [batch],
      attributes as PoolAttributes & Record<string, unknown>,
    ) as ValuesAndIndices;
  });

/**
 * The largest element of each window. x: [B, C, L] or [C, L] → the same with
 * L′ = ⌊(L + 2·padding − dilation·(k − 1) − 1) / stride⌋ + 1. The gradient goes to the first maximum.
 *
 * @throws ShapeError if the window does not fit.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * console.log(nn.functional.maxPool1d(tensor([[1, 3, 2, 0]]), 2).toArray()); // → [ [ 3, 2 ] ]
 * ```
 */
export const maxPool1d = (x: Tensor, kernelSize: Single, options: MaxPool1dOptions = {}): Tensor =>
  maxPool(x, 1, kernelSize, options)[0];

/**
 * The largest element of each window. x: [B, C, H, W] or [C, H, W] → the same with
 * H′ = ⌊(H + 2·padding − dilation·(k − 1) − 1) / stride⌋ + 1. The gradient goes to the first maximum.
 */
export const maxPool2d = (x: Tensor, kernelSize: Pair, options: MaxPool2dOptions = {}): Tensor =>
  maxPool(x, 2, kernelSize, options)[0];

/**
 * The largest element of each window of volumes [B, C, D, H, W] or [C, D, H, W], sizes as in {@link maxPool2d}.
 *
 * @throws ShapeError if the window does not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.maxPool3d(ones([1, 1, 4, 4, 4]), 2).shape); // → [ 1, 1, 2, 2, 2 ]
 * ```
 */
export const maxPool3d = (x: Tensor, kernelSize: Triple, options: MaxPool3dOptions = {}): Tensor =>
  maxPool(x, 3, kernelSize, options)[0];

/** {@link maxPool1d} and the index of each maximum in its sequence, int32. */
export const maxPool1dWithIndices = (
  x: Tensor,
  kernelSize: Single,
  options: MaxPool1dOptions = {},
): [values: Tensor, indices: Tensor] => maxPool(x, 1, kernelSize, options);

/** {@link maxPool2d} and the flat index of each maximum in its plane, int32. */
export const maxPool2dWithIndices = (
  x: Tensor,
  kernelSize: Pair,
  options: MaxPool2dOptions = {},
): [values: Tensor, indices: Tensor] => maxPool(x, 2, kernelSize, options);

/** {@link maxPool3d} and the flat index of each maximum in its volume, int32. */
export const maxPool3dWithIndices = (
  x: Tensor,
  kernelSize: Triple,
  options: MaxPool3dOptions = {},
): [values: Tensor, indices: Tensor] => maxPool(x, 3, kernelSize, options);

export interface MaxUnpoolOptions<S extends Sizes = Sizes> {
  readonly stride?: S;
  readonly padding?: S;
  /** Spatial sizes of the result, where several fit. */
  readonly outputSize?: readonly number[];
}

function unpoolSpec(name: string): OpSpec<{ readonly sizes: readonly number[] }> {
  return {
    name,
    lower(b, [x, indices], { sizes }) {
      const lead = x!.shape.slice(0, -sizes.length);
      const planes = sizeOf(lead);
      const flat = (y: Node) => b.reshape(y, [planes, sizeOf(y.shape) / Math.max(planes, 1)]);
      const empty = b.constant(0, x!.dtype, [planes, sizeOf(sizes)]);
      const places = flat(indexNodes(b, name, indices!));
      const y = b.make("scatter", [empty, places, flat(x!)], { dim: 1 });
      return b.reshape(y, [...lead, ...sizes]);
    },
  };
}

function maxUnpool(
  x: Tensor,
  indices: Tensor,
  rank: number,
  kernelSize: Sizes,
  options: MaxUnpoolOptions,
): Tensor {
  const op = `maxUnpool${rank}d`;
  if (x.ndim !== rank + 1) checkSpatial(op, rank, x);
  if (formatShape(x.shape) !== formatShape(indices.shape))
    throw new ShapeError(
      op,
      `indices ${formatShape(indices.shape)} do not fit values ${formatShape(x.shape)}`,
    );
  const setting = (name: string, value: Sizes, least: number) =>
    spread(op, name, value, { least, rank });
  const kernel = setting("kernelSize", kernelSize, 1);
  const stride = setting("stride", options.stride ?? kernel, 1);
  const padding = setting("padding", options.padding ?? 0, 0);
  const natural = kernel.map(
    (k, i) => (x.shape.at(i - rank)! - 1) * stride[i]! - 2 * padding[i]! + k,
  );
  const sizes = options.outputSize?.slice(-rank) ?? natural;
  const fits =
    sizes.length === rank && sizes.every((n, i) => Math.abs(n - natural[i]!) < stride[i]!);
  if (!fits)
    throw new ShapeError(
      op,
      `outputSize ${formatShape(sizes)} does not fit, expected near ${formatShape(natural)}`,
    );
  return applyOne(unpoolSpec(op), [x, indices], { sizes: [...sizes] });
}

/**
 * Puts values back at the indices that {@link maxPool1dWithIndices} gave, zeros elsewhere. x, indices: [B, C, L] or [C, L].
 *
 * @throws ShapeError if sizes do not fit; ValueError if an index is outside of the result.
 * @example
 * ```ts
 * import { maxPool1dWithIndices, maxUnpool1d, tensor } from "gradus";
 * const [values, indices] = maxPool1dWithIndices(tensor([[1, 3, 2, 0]]), 2);
 * console.log(maxUnpool1d(values, indices, 2).toArray()); // → [ [ 0, 3, 2, 0 ] ]
 * ```
 */
export const maxUnpool1d = (
  x: Tensor,
  indices: Tensor,
  kernelSize: Single,
  options: MaxUnpoolOptions<Single> = {},
): Tensor => maxUnpool(x, indices, 1, kernelSize, options);

/**
 * {@link maxUnpool1d} for images [B, C, H, W] or [C, H, W] and flat indices in their planes.
 *
 * @throws ShapeError if sizes do not fit; ValueError if an index is outside of the result.
 */
export const maxUnpool2d = (
  x: Tensor,
  indices: Tensor,
  kernelSize: Pair,
  options: MaxUnpoolOptions<Pair> = {},
): Tensor => maxUnpool(x, indices, 2, kernelSize, options);

/**
 * {@link maxUnpool1d} for volumes [B, C, D, H, W] or [C, D, H, W] and flat indices in them.
 *
 * @throws ShapeError if sizes do not fit; ValueError if an index is outside of the result.
 */
export const maxUnpool3d = (
  x: Tensor,
  indices: Tensor,
  kernelSize: Triple,
  options: MaxUnpoolOptions<Triple> = {},
): Tensor => maxUnpool(x, indices, 3, kernelSize, options);

export interface FractionalMaxPoolOptions<S extends Sizes> {
  /** Spatial sizes of the result. */
  readonly outputSize?: S;
  /** The same as a share of the input's, under 1. */
  readonly outputRatio?: S;
  /** Where windows begin, in [0, 1): [B, C, 2] for width and height, [B, C, 3] for depth, height and width; drawn if missing. */
  readonly randomSamples?: Tensor;
  readonly generator?: Generator;
}

export type FractionalMaxPool2dOptions = FractionalMaxPoolOptions<Pair>;
export type FractionalMaxPool3dOptions = FractionalMaxPoolOptions<Triple>;

type Fractional = { readonly kernel: readonly number[]; readonly sizes: readonly number[] };

/** The first place of each window along a dim, int32 [planes, windows]: ⌊(i + u)·α⌋ − ⌊u·α⌋, the last at the end. */
function startNodes(b: Builder, u: Node, n: number, out: number, k: number): Node {
  const shape = [u.shape[0]!, out];
  const place = b.iota(1, shape);
  const last = b.constant(n - k, "int32", shape);
  if (out === 1) return last;
  const alpha = (n - k) / (out - 1);
  const from = (x: Node) => b.convert(b.pointwise("floor", b.multiply(x, alpha)), "int32");
  const wide = b.broadcastTo(u, shape);
  const start = b.subtract(from(b.add(b.convert(place, u.dtype), wide)), from(wide));
  return b.select(b.equal(place, out - 1), last, start);
}

const fractionalSpec = (rank: number): OpSpec<Fractional> => ({
  name: `fractionalMaxPool${rank}d`,
  lower(b, [x, samples], { kernel, sizes }) {
    const planes = planesOf(b, x!, rank);
    const count = planes.shape[0]!;
    const own = b.reshape(samples!, [count, rank]);
    const full = [count, ...sizes, ...kernel];
    let place: Node | undefined;
    sizes.forEach((out, dim) => {
      const n = x!.shape.at(dim - rank)!;
      // PyTorch's order: width and height for images, but depth, height and width for volumes.
      const i = rank === 2 ? 1 - dim : dim;
      const sample = b.slice(own, [0, i], [count, i + 1]);
      const starts = startNodes(b, sample, n, out, kernel[dim]!);
      const along = full.map((size, d) => (d === 0 || d === dim + 1 ? size : 1));
      const spread = b.broadcastTo(b.reshape(starts, along), full);
      const at = b.add(spread, b.iota(1 + rank + dim, full));
      place = place ? b.add(b.multiply(place, n), at) : at;
    });
    const places = b.reshape(place!, [count, sizeOf(sizes), sizeOf(kernel)]);
    return maxOfPlaces(b, planes, places, [...x!.shape.slice(0, -rank), ...sizes]);
  },
});

/**
 * The largest element of windows that begin at random places, so that sizes may shrink by any ratio (Graham, 2014);
 * gives values and flat indices. x: [B, C, H, W] or [C, H, W].
 *
 * @throws ValueError unless exactly one of outputSize and outputRatio is given; ShapeError if the window does not fit.
 * @example
 * ```ts
 * import { fractionalMaxPool2d, ones } from "gradus";
 * const [y] = fractionalMaxPool2d(ones([1, 1, 5, 5]), 2, { outputSize: 3 });
 * console.log(y.shape); // → [ 1, 1, 3, 3 ]
 * ```
 */
export const fractionalMaxPool2d = (
  x: Tensor,
  kernelSize: Pair,
  options: FractionalMaxPool2dOptions,
): [values: Tensor, indices: Tensor] => fractionalMaxPool(x, 2, kernelSize, options);

/**
 * {@link fractionalMaxPool2d} for volumes. x: [B, C, D, H, W] or [C, D, H, W].
 *
 * @throws ValueError unless exactly one of outputSize and outputRatio is given; ShapeError if the window does not fit.
 */
export const fractionalMaxPool3d = (
  x: Tensor,
  kernelSize: Triple,
  options: FractionalMaxPool3dOptions,
): [values: Tensor, indices: Tensor] => fractionalMaxPool(x, 3, kernelSize, options);

function fractionalMaxPool<S extends Sizes>(
  x: Tensor,
  rank: number,
  kernelSize: S,
  options: FractionalMaxPoolOptions<S>,
): ValuesAndIndices {
  const op = `fractionalMaxPool${rank}d`;
  return batchedPair(x, rank, (batch) => {
    checkSpatial(op, rank, batch);
    const { outputSize, outputRatio } = options;
    if ((outputSize === undefined) === (outputRatio === undefined))
      throw new ValueError(op, "expected exactly one of outputSize and outputRatio");
    const kernel = spread(op, "kernelSize", kernelSize, { least: 1, rank });
    const sizes = outputSize
      ? spread(op, "outputSize", outputSize, { least: 1, rank })
      : ratioSizes(op, batch.shape.slice(-rank), outputRatio!);
    const fits = sizes.every((n, i) => n >= 1 && n + kernel[i]! - 1 <= batch.shape[2 + i]!);
    if (!fits)
      throw new ShapeError(
        op,
        `windows of ${formatShape(kernel)} for ${formatShape(sizes)} do not fit ${formatShape(x.shape)}`,
      );
    const samplesShape = [...batch.shape.slice(0, 2), rank];
    const samples =
      options.randomSamples ??
      rand(samplesShape, { dtype: batch.dtype, generator: options.generator ?? defaultGenerator });
    if (sizeOf(samples.shape) !== sizeOf(samplesShape))
      throw new ShapeError(
        op,
        `randomSamples ${formatShape(samples.shape)}, expected ${formatShape(samplesShape)}`,
      );
    const attributes = { kernel, sizes };
    return apply(fractionalSpec(rank), [batch, samples.detach()], attributes) as ValuesAndIndices;
  });
}

function ratioSizes(op: string, spatial: Shape, ratio: Sizes): number[] {
  const all = typeof ratio === "number" ? spatial.map(() => ratio) : [...ratio];
  if (all.length !== spatial.length || !all.every((r) => r > 0 && r < 1))
    throw new ValueError(op, `outputRatio must be from 0 to 1, got ${all}`);
  return all.map((r, i) => Math.floor(spatial[i]! * r));
}

install({ maxPool2d });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** The largest element of each window of the last two dims. */
    maxPool2d(kernelSize: Pair, options?: MaxPool2dOptions): Tensor;
  }
}
