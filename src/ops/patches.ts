/** Patches of images as columns and back, and channels as places and back. Read patchesSamples.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, normalizeDim } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { type WindowAttributes, windowSize } from "../ir/primitives/contract.js";
import { applyOne, checkTensors, type OpSpec } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { squeeze, unsqueeze } from "./movement.js";
import { asLine } from "./scan.js";
import { type Pair, spread } from "./window.js";

export interface UnfoldOptions {
  /** Distance of the window's places; default 1. */
  readonly dilation?: Pair;
  /** Zeros put around the images; default 0. */
  readonly padding?: Pair;
  /** Step of the window; default 1. */
  readonly stride?: Pair;
}

interface Patches extends WindowAttributes {
  readonly kernel: readonly number[];
  /** Height and width of the images. */
  readonly sizes: readonly number[];
  /** How many windows there are in each direction. */
  readonly counts: readonly number[];
}
type PatchAttributes = Patches & Record<string, unknown>;

const pair = (op: string, name: string, value: Pair, least: number): number[] =>
  spread(op, name, value, { least, rank: 2 });

function patchesOf(
  op: string,
  sizes: readonly number[],
  kernelSize: Pair,
  options: UnfoldOptions,
): PatchAttributes {
  const kernel = pair(op, "kernelSize", kernelSize, 1);
  const padding = pair(op, "padding", options.padding ?? 0, 0);
  const window = {
    strides: pair(op, "stride", options.stride ?? 1, 1),
    dilation: pair(op, "dilation", options.dilation ?? 1, 1),
    padLow: padding,
    padHigh: padding,
  };
  const counts = sizes.map((n, i) => windowSize(n, kernel[i]!, i, window));
  if (counts.some((n) => n < 1))
    throw new ShapeError(
      op,
      `a window of ${formatShape(kernel)} does not fit images of ${formatShape(sizes)}`,
    );
  return { ...window, kernel, sizes, counts };
}

/** The place in the padded, flattened image of each element of each window: int32 [kH·kW·windows]. */
function patchIndices(b: Builder, { kernel, counts, strides, dilation, ...rest }: Patches): Node {
  const shape = [...kernel, ...counts];
  const along = (i: number): Node => {
    const inside = b.multiply(b.iota(i, shape), dilation[i]!);
    return b.add(inside, b.multiply(b.iota(2 + i, shape), strides[i]!));
  };
  const width = rest.sizes[1]! + rest.padLow[1]! + rest.padHigh[1]!;
  const flat = b.add(b.multiply(along(0), width), along(1));
  return b.reshape(flat, [shape.reduce((n, m) => n * m, 1)]);
}

const padded = ({ sizes, padLow, padHigh }: Patches): number[] =>
  sizes.map((n, i) => n + padLow[i]! + padHigh[i]!);

const product = (list: readonly number[]): number => list.reduce((n, m) => n * m, 1);

const unfoldSpec: OpSpec<PatchAttributes> = {
  name: "unfold",
  lower(b, [x], patches) {
    const [n, c] = x!.shape as [number, number];
    const { padLow, padHigh, kernel, counts } = patches;
    const hasPadding = [...padLow, ...padHigh].some((p) => p > 0);
    const around = hasPadding
      ? b.make("pad", [x!], {
          low: [0, 0, ...padLow],
          high: [0, 0, ...padHigh],
          interior: [0, 0, 0, 0],
          value: 0,
        })
      : x!;
    const flat = b.reshape(around, [n, c, product(padded(patches))]);
    const columns = b.make("indexSelect", [flat, patchIndices(b, patches)], { dim: 2 });
    return b.reshape(columns, [n, c * product(kernel), product(counts)]);
  },
};

const foldSpec: OpSpec<PatchAttributes> = {
  name: "fold",
  lower(b, [x], patches) {
    const { kernel, counts, sizes, padLow } = patches;
    const n = x!.shape[0]!;
    const c = x!.shape[1]! / product(kernel);
    const flat = b.reshape(x!, [n, c, product(kernel) * product(counts)]);
    const size = product(padded(patches));
    const sums = b.make("indexAdd", [flat, patchIndices(b, patches)], { dim: 2, size });
    const images = b.reshape(sums, [n, c, ...padded(patches)]);
    return b.slice(images, [0, 0, ...padLow], [n, c, ...sizes.map((s, i) => s + padLow[i]!)]);
  },
};

/**
 * The patches under a window that slides over images, each as a column (im2col):
 * [B, C, H, W] → [B, C·kH·kW, L] with L windows.
 *
 * @throws ShapeError if the window does not fit.
 * @example
 * ```ts
 * import { arange, unfold } from "gradus";
 * console.log(unfold(arange(9).reshape([1, 1, 3, 3]), 2).at(0, ":", 0).toArray()); // → [ 0, 1, 3, 4 ]
 * ```
 */
export function unfold(x: Tensor, kernelSize: Pair, options: UnfoldOptions = {}): Tensor {
  if (x.ndim === 3) return squeeze(unfold(unsqueeze(x, 0), kernelSize, options), 0);
  if (x.ndim !== 4)
    throw new ShapeError("unfold", `expected [B, C, H, W], got ${formatShape(x.shape)}`);
  return applyOne(unfoldSpec, [x], patchesOf("unfold", x.shape.slice(2), kernelSize, options));
}

/**
 * Adds columns up to the images that they are patches of (col2im), so that what patches share is summed:
 * [B, C·kH·kW, L] → [B, C, H, W].
 *
 * @throws ShapeError if the number of columns is not that of the windows.
 * @example
 * ```ts
 * import { fold, ones } from "gradus";
 * console.log(fold(ones([1, 4, 4]), [3, 3], 2).at(0, 0, 1).toArray()); // → [ 2, 4, 2 ]
 * ```
 */
export function fold(
  x: Tensor,
  outputSize: Pair,
  kernelSize: Pair,
  options: UnfoldOptions = {},
): Tensor {
  if (x.ndim === 2) return squeeze(fold(unsqueeze(x, 0), outputSize, kernelSize, options), 0);
  const patches = patchesOf("fold", pair("fold", "outputSize", outputSize, 1), kernelSize, options);
  const [rows, columns] = [product(patches.kernel), product(patches.counts)];
  if (x.ndim !== 3 || x.shape[1]! % rows !== 0 || x.shape[2] !== columns)
    throw new ShapeError(
      "fold",
      `expected [B, C·${rows}, ${columns}] for ${formatShape(patches.kernel)} windows over ` +
        `${formatShape(patches.sizes)}, got ${formatShape(x.shape)}`,
    );
  return applyOne(foldSpec, [x], patches);
}

type Windows = { readonly dim: number; readonly size: number; readonly step: number };

const windowsSpec: OpSpec<Windows> = {
  name: "unfold along a dim",
  lower(b, [x], { dim, size, step }) {
    const line = asLine(b, x!);
    const count = Math.floor((line.shape[dim]! - size) / step) + 1;
    const pair = [count, size];
    const places = b.add(b.multiply(b.iota(0, pair), step), b.iota(1, pair));
    const flat = b.make("indexSelect", [line, b.reshape(places, [count * size])], { dim });
    const [before, after] = [line.shape.slice(0, dim), line.shape.slice(dim + 1)];
    const split = b.reshape(flat, [...before, ...pair, ...after]);
    const order = split.shape.map((_, i) => i).filter((i) => i !== dim + 1);
    const windows = b.transpose(split, [...order, dim + 1]);
    return x!.shape.length === 0 ? b.reshape(windows, [size]) : windows;
  },
};

/** Windows of `size` elements along a dim, `step` apart: their number takes the dim's place, they are the last dim. */
function windowsAlong(x: Tensor, dim: number, size: number, step: number): Tensor {
  const place = normalizeDim("unfold", dim, x.ndim);
  const length = x.shape[place] ?? 1;
  if (!Number.isInteger(size) || size < 0 || size > length)
    throw new ValueError(
      "unfold",
      `size must be a whole number from 0 to the dim's ${length}, got ${size}`,
    );
  if (!Number.isSafeInteger(step) || step < 1)
    throw new ValueError("unfold", `step must be a whole number ≥ 1, got ${step}`);
  return applyOne(windowsSpec, [x], { dim: place, size, step: Math.min(step, length + 1) });
}

install({ unfold: windowsAlong });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /**
     * Windows of `size` elements along a dim, `step` apart: [.., n, ..] → [.., ⌊(n − size) / step⌋ + 1, .., size].
     *
     * @throws ValueError unless the size fits the dim and the step is ≥ 1.
     */
    unfold(dim: number, size: number, step: number): Tensor;
  }
}

type Factor = { readonly factor: number };

/** Splits the last three dims [C, H, W] by `parts`, orders the six, and joins them again. */
function shuffle(b: Builder, x: Node, parts: readonly number[], order: readonly number[]): Node {
  const outer = x.shape.slice(0, -3);
  const split = b.reshape(x, [...outer, ...parts]);
  return b.transpose(split, [...outer.map((_, i) => i), ...order.map((d) => outer.length + d)]);
}

const pixelShuffleSpec: OpSpec<Factor> = {
  name: "pixelShuffle",
  lower(b, [x], { factor: r }) {
    const [c, h, w] = x!.shape.slice(-3) as [number, number, number];
    const parts = shuffle(b, x!, [c / (r * r), r, r, h, w], [0, 3, 1, 4, 2]);
    return b.reshape(parts, [...x!.shape.slice(0, -3), c / (r * r), h * r, w * r]);
  },
};

const pixelUnshuffleSpec: OpSpec<Factor> = {
  name: "pixelUnshuffle",
  lower(b, [x], { factor: r }) {
    const [c, h, w] = x!.shape.slice(-3) as [number, number, number];
    const parts = shuffle(b, x!, [c, h / r, r, w / r, r], [0, 2, 4, 1, 3]);
    return b.reshape(parts, [...x!.shape.slice(0, -3), c * r * r, h / r, w / r]);
  },
};

function checkFactor(op: string, x: Tensor, factor: number): void {
  if (!Number.isInteger(factor) || factor < 1)
    throw new ValueError(op, `the factor must be a whole number ≥ 1, got ${factor}`);
  if (x.ndim < 3)
    throw new ShapeError(op, `needs at least 3 dims [C, H, W], got ${formatShape(x.shape)}`);
}

/**
 * Turns channels into places (Shi et al., 2016): [*, C·r², H, W] → [*, C, H·r, W·r].
 *
 * @throws ShapeError unless r² divides the channels.
 * @example
 * ```ts
 * import { arange, pixelShuffle } from "gradus";
 * console.log(pixelShuffle(arange(4).reshape([4, 1, 1]), 2).toArray()); // → [ [ [ 0, 1 ], [ 2, 3 ] ] ]
 * ```
 */
export function pixelShuffle(x: Tensor, upscaleFactor: number): Tensor {
  checkTensors("pixelShuffle", [x]);
  checkFactor("pixelShuffle", x, upscaleFactor);
  if (x.shape.at(-3)! % upscaleFactor ** 2 !== 0)
    throw new ShapeError(
      "pixelShuffle",
      `${upscaleFactor}² does not divide the ${x.shape.at(-3)} channels of ${formatShape(x.shape)}`,
    );
  return applyOne(pixelShuffleSpec, [x], { factor: upscaleFactor });
}

/**
 * Turns places into channels, undoing {@link pixelShuffle}: [*, C, H·r, W·r] → [*, C·r², H, W].
 *
 * @throws ShapeError unless r divides height and width.
 * @example
 * ```ts
 * import { arange, pixelUnshuffle } from "gradus";
 * console.log(pixelUnshuffle(arange(4).reshape([1, 2, 2]), 2).shape); // → [ 4, 1, 1 ]
 * ```
 */
export function pixelUnshuffle(x: Tensor, downscaleFactor: number): Tensor {
  checkTensors("pixelUnshuffle", [x]);
  checkFactor("pixelUnshuffle", x, downscaleFactor);
  if (x.shape.slice(-2).some((n) => n % downscaleFactor !== 0))
    throw new ShapeError(
      "pixelUnshuffle",
      `${downscaleFactor} does not divide height and width of ${formatShape(x.shape)}`,
    );
  return applyOne(pixelUnshuffleSpec, [x], { factor: downscaleFactor });
}

const channelShuffleSpec: OpSpec<{ readonly groups: number }> = {
  name: "channelShuffle",
  lower(b, [x], { groups }) {
    const [n, c, ...spatial] = x!.shape as [number, number, ...number[]];
    const split = b.reshape(x!, [n, groups, c / groups, ...spatial]);
    const order = [0, 2, 1, ...spatial.map((_, i) => 3 + i)];
    return b.reshape(b.transpose(split, order), x!.shape);
  },
};

/**
 * Mixes the channels of groups (Zhang et al., 2018): parts the channels of [B, C, *] into groups and takes the first of
 * each group, then the second of each, and so on.
 *
 * @throws ShapeError unless the number of groups divides the channels.
 * @example
 * ```ts
 * import { arange, channelShuffle } from "gradus";
 * console.log(channelShuffle(arange(4).reshape([1, 4, 1]), 2).flatten().toArray()); // → [ 0, 2, 1, 3 ]
 * ```
 */
export function channelShuffle(x: Tensor, groups: number): Tensor {
  checkTensors("channelShuffle", [x]);
  const channels = x.shape[1];
  if (!Number.isInteger(groups) || groups < 1)
    throw new ValueError("channelShuffle", `groups must be a whole number ≥ 1, got ${groups}`);
  if (x.ndim < 3 || channels! % groups !== 0)
    throw new ShapeError(
      "channelShuffle",
      `expected [B, C, *] with ${groups} groups of channels, got ${formatShape(x.shape)}`,
    );
  return applyOne(channelShuffleSpec, [x], { groups });
}
