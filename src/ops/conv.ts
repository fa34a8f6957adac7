/** Convolution over one, two or three spatial dims, and its transpose. Read convSamples.ts or pool.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, type Shape } from "../core/shape.js";
import type { WindowAttributes } from "../ir/primitives/contract.js";
import { applyOne, byName, type OpSpec } from "../tensor/apply.js";
import type { Tensor } from "../tensor/tensor.js";
import { squeeze, unsqueeze } from "./movement.js";
import {
  letters,
  type Pair,
  paddings,
  type Single,
  type Sizes,
  spread,
  type Triple,
} from "./window.js";

export type { Pair, Single, Triple } from "./window.js";

export interface ConvOptions<S extends Sizes = Sizes> {
  /** Step of the window; default 1. */
  readonly stride?: S;
  /** Zeros put around the input, "valid" for none, "same" for as many as keep the size; default 0. */
  readonly padding?: S | "same" | "valid";
  /** Distance of the window's places; default 1. */
  readonly dilation?: S;
  /** Parts into which channels are split, each convolved by itself; default 1. */
  readonly groups?: number;
}

export type Conv1dOptions = ConvOptions<Single>;
export type Conv2dOptions = ConvOptions<Pair>;
export type Conv3dOptions = ConvOptions<Triple>;

type ConvAttributes = WindowAttributes & { readonly groups: number };

const addBias = (bias: Shape, rank: number): number[] => [
  bias[0]!,
  ...new Array<number>(rank).fill(1),
];

const convSpec = byName(
  (name): OpSpec<ConvAttributes & Record<string, unknown>> => ({
    name,
    lower(b, [x, weight, bias], { groups, strides, padLow, padHigh, dilation }) {
      const attributes = { groups, strides, padLow, padHigh, dilation };
      const y = b.make("convolution", [x!, weight!], attributes);
      return bias ? b.add(y, b.reshape(bias, addBias(bias.shape, strides.length))) : y;
    },
  }),
);

function checkOperands(op: string, rank: number, x: Tensor, weight: Tensor, layout: string): void {
  if (x.ndim === rank + 2 && weight.ndim === rank + 2) return;
  throw new ShapeError(
    op,
    `expected input [B, C, ${letters[rank - 1]}] and weight ${layout}, got ` +
      `${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
  );
}

function checkBias(op: string, bias: Tensor | null, weight: Tensor, channels: number): void {
  if (bias && (bias.ndim !== 1 || bias.shape[0] !== channels))
    throw new ShapeError(
      op,
      `bias ${formatShape(bias.shape)} does not fit weight ${formatShape(weight.shape)}: ` +
        `expected [${channels}]`,
    );
}

function checkGroups(op: string, groups: number): void {
  if (!Number.isInteger(groups) || groups < 1)
    throw new ValueError(op, `groups must be a whole number ≥ 1, got ${groups}`);
}

const kernelLetters = ["kL", "kH, kW", "kD, kH, kW"];

function convolve(
  rank: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: ConvOptions,
): Tensor {
  const op = `conv${rank}d`;
  if (x.ndim === rank + 1)
    return squeeze(convolve(rank, unsqueeze(x, 0), weight, bias, options), 0);
  checkOperands(op, rank, x, weight, `[O, C/groups, ${kernelLetters[rank - 1]}]`);
  checkBias(op, bias, weight, weight.shape[0]!);
  const { groups = 1 } = options;
  checkGroups(op, groups);
  const strides = spread(op, "stride", options.stride ?? 1, { least: 1, rank });
  const dilation = spread(op, "dilation", options.dilation ?? 1, { least: 1, rank });
  const window = { kernel: weight.shape.slice(2), stride: strides, dilation };
  const padding = paddings(op, options.padding ?? 0, window);
  const inputs = bias ? [x, weight, bias] : [x, weight];
  return applyOne(convSpec(op), inputs, { groups, strides, dilation, ...padding });
}

/**
 * Cross-correlation of sequences with kernels, as deep learning's convolution is.
 *
 * x: [B, C, L] or [C, L], weight: [O, C/groups, k], bias: [O] → [B, O, L′] with
 * L′ = ⌊(L + 2·padding − dilation·(k − 1) − 1) / stride⌋ + 1.
 *
 * @throws ShapeError if channels or sizes do not fit.
 * @example
 * ```ts
 * import { conv1d, tensor } from "gradus";
 * console.log(conv1d(tensor([[1, 2, 4]]), tensor([[[-1, 1]]])).toArray()); // → [ [ 1, 2 ] ]
 * ```
 */
export const conv1d = (
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: Conv1dOptions = {},
): Tensor => convolve(1, x, weight, bias, options);

/**
 * Cross-correlation of images with kernels, as deep learning's convolution is.
 *
 * x: [B, C, H, W] or [C, H, W], weight: [O, C/groups, kH, kW], bias: [O] → [B, O, H′, W′] with
 * H′ = ⌊(H + 2·padding − dilation·(kH − 1) − 1) / stride⌋ + 1.
 *
 * @throws ShapeError if channels or sizes do not fit.
 * @example
 * ```ts
 * import { conv2d, ones } from "gradus";
 * console.log(conv2d(ones([1, 2, 5, 5]), ones([3, 2, 3, 3])).shape); // → [ 1, 3, 3, 3 ]
 * ```
 */
export const conv2d = (
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: Conv2dOptions = {},
): Tensor => convolve(2, x, weight, bias, options);

/**
 * Cross-correlation of volumes with kernels. x: [B, C, D, H, W] or [C, D, H, W], weight: [O, C/groups, kD, kH, kW],
 * bias: [O] → [B, O, D′, H′, W′], sizes as in {@link conv2d}.
 *
 * @throws ShapeError if channels or sizes do not fit.
 * @example
 * ```ts
 * import { conv3d, ones } from "gradus";
 * console.log(conv3d(ones([1, 1, 3, 4, 5]), ones([2, 1, 3, 3, 3])).shape); // → [ 1, 2, 1, 2, 3 ]
 * ```
 */
export const conv3d = (
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: Conv3dOptions = {},
): Tensor => convolve(3, x, weight, bias, options);

export interface ConvTransposeOptions<S extends Sizes = Sizes> {
  /** Step of the convolution that this is the transpose of; default 1. */
  readonly stride?: S;
  /** Padding of that convolution: places cut off around the result; default 0. */
  readonly padding?: S;
  /** Places added after the result, under the stride or the dilation; default 0. */
  readonly outputPadding?: S;
  readonly groups?: number;
  readonly dilation?: S;
}

export type ConvTranspose1dOptions = ConvTransposeOptions<Single>;
export type ConvTranspose2dOptions = ConvTransposeOptions<Pair>;
export type ConvTranspose3dOptions = ConvTransposeOptions<Triple>;

type TransposeAttributes = ConvAttributes & { readonly inputSizes: readonly number[] };

const transposeSpec = byName(
  (name): OpSpec<TransposeAttributes & Record<string, unknown>> => ({
    name,
    lower(b, [x, weight, bias], { groups, strides, padLow, padHigh, dilation, inputSizes }) {
      const attributes = { groups, strides, padLow, padHigh, dilation, inputSizes };
      const y = b.make("convolutionInputGrad", [x!, weight!], attributes);
      return bias ? b.add(y, b.reshape(bias, addBias(bias.shape, strides.length))) : y;
    },
  }),
);

function convolveTransposed(
  rank: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: ConvTransposeOptions,
): Tensor {
  const op = `convTranspose${rank}d`;
  if (x.ndim === rank + 1)
    return squeeze(convolveTransposed(rank, unsqueeze(x, 0), weight, bias, options), 0);
  checkOperands(op, rank, x, weight, `[C, O/groups, ${kernelLetters[rank - 1]}]`);
  const { groups = 1 } = options;
  checkGroups(op, groups);
  if (x.shape[1] !== weight.shape[0] || x.shape[1]! % groups !== 0)
    throw new ShapeError(
      op,
      `input ${formatShape(x.shape)} has ${x.shape[1]} channels; weight ` +
        `${formatShape(weight.shape)} in ${groups} group(s) expects ${weight.shape[0]}`,
    );
  checkBias(op, bias, weight, weight.shape[1]! * groups);
  const setting = (name: string, value: Sizes, least: number) =>
    spread(op, name, value, { least, rank });
  const strides = setting("stride", options.stride ?? 1, 1);
  const dilation = setting("dilation", options.dilation ?? 1, 1);
  const padLow = setting("padding", options.padding ?? 0, 0);
  const extra = setting("outputPadding", options.outputPadding ?? 0, 0);
  extra.forEach((n, i) => {
    if (n >= Math.max(strides[i]!, dilation[i]!))
      throw new ValueError(
        op,
        `outputPadding ${n} must be under the stride ${strides[i]} or the dilation ${dilation[i]}`,
      );
  });
  const inputSizes = padLow.map((pad, i) => {
    const span = dilation[i]! * (weight.shape[2 + i]! - 1) + 1;
    return (x.shape[2 + i]! - 1) * strides[i]! - 2 * pad + span + extra[i]!;
  });
  if (inputSizes.some((n) => n < 1))
    throw new ShapeError(op, `the result would have the sizes ${formatShape(inputSizes)}`);
  // The convolution back must meet exactly the places of x, so it leaves the added ones out.
  const padHigh = padLow.map((pad, i) => pad - extra[i]!);
  const attributes = { groups, strides, dilation, padLow, padHigh, inputSizes };
  return applyOne(transposeSpec(op), bias ? [x, weight, bias] : [x, weight], attributes);
}

/**
 * The transpose of {@link conv1d}, which makes sequences longer. x: [B, C, L] or [C, L], weight: [C, O/groups, k], bias: [O] →
 * [B, O, L′] with L′ = (L − 1)·stride − 2·padding + dilation·(k − 1) + outputPadding + 1.
 *
 * @throws ShapeError if channels or sizes do not fit; ValueError for an output padding that is too large.
 * @example
 * ```ts
 * import { convTranspose1d, tensor } from "gradus";
 * const y = convTranspose1d(tensor([[1, 2]]), tensor([[[1, 10]]]), null, { stride: 2 });
 * console.log(y.toArray()); // → [ [ 1, 10, 2, 20 ] ]
 * ```
 */
export const convTranspose1d = (
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvTranspose1dOptions = {},
): Tensor => convolveTransposed(1, x, weight, bias, options);

/**
 * The transpose of {@link conv2d}, which makes images larger. x: [B, C, H, W] or [C, H, W], weight: [C, O/groups, kH, kW],
 * bias: [O] → [B, O, H′, W′], sizes as in {@link convTranspose1d}.
 *
 * @throws ShapeError if channels or sizes do not fit; ValueError for an output padding that is too large.
 * @example
 * ```ts
 * import { convTranspose2d, ones } from "gradus";
 * const y = convTranspose2d(ones([1, 2, 3, 3]), ones([2, 1, 2, 2]), null, { stride: 2 });
 * console.log(y.shape); // → [ 1, 1, 6, 6 ]
 * ```
 */
export const convTranspose2d = (
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvTranspose2dOptions = {},
): Tensor => convolveTransposed(2, x, weight, bias, options);

/**
 * The transpose of {@link conv3d}. x: [B, C, D, H, W] or [C, D, H, W], weight: [C, O/groups, kD, kH, kW], bias: [O] →
 * [B, O, D′, H′, W′], sizes as in {@link convTranspose1d}.
 *
 * @throws ShapeError if channels or sizes do not fit; ValueError for an output padding that is too large.
 * @example
 * ```ts
 * import { convTranspose3d, ones } from "gradus";
 * console.log(convTranspose3d(ones([1, 1, 1, 2, 3]), ones([1, 2, 2, 2, 2])).shape); // → [ 1, 2, 2, 3, 4 ]
 * ```
 */
export const convTranspose3d = (
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvTranspose3dOptions = {},
): Tensor => convolveTransposed(3, x, weight, bias, options);
