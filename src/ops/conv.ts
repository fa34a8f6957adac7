/** Convolution and pooling over the two spatial dims of [B, C, H, W]. Read loss.ts next. */
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import { type WindowAttributes, windowSize } from "../ir/primitives/contract.js";
import { apply, applyOne, type OpSpec } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { isFloat } from "../core/dtype.js";
import { unsqueeze, squeeze } from "./movement.js";

/** One number for both spatial dims, or [height, width]. */
export type Pair = number | readonly [number, number];

export interface Conv2dOptions {
  /** Step of the window; default 1. */
  readonly stride?: Pair;
  /** Zeros put around the input, "valid" for none, "same" for as many as keep the size; default 0. */
  readonly padding?: Pair | "same" | "valid";
  /** Distance of the window's places; default 1. */
  readonly dilation?: Pair;
  /** Parts into which channels are split, each convolved by itself; default 1. */
  readonly groups?: number;
}

export function pair(op: string, name: string, value: Pair, least: number): [number, number] {
  const both = typeof value === "number" ? [value, value] : [...value];
  if (both.length !== 2 || !both.every((n) => Number.isInteger(n) && n >= least))
    throw new ValueError(
      op,
      `${name} must be a whole number ≥ ${least} or a pair of such, got ${JSON.stringify(value)}`,
    );
  return both as [number, number];
}

/** Padding before and after each spatial dim. */
function paddings(
  op: string,
  padding: Pair | "same" | "valid",
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): Pick<WindowAttributes, "padLow" | "padHigh"> {
  if (padding === "valid") return { padLow: [0, 0], padHigh: [0, 0] };
  if (padding !== "same") {
    const both = pair(op, "padding", padding, 0);
    return { padLow: both, padHigh: both };
  }
  if (stride.some((s) => s !== 1))
    throw new ValueError(op, `padding "same" needs stride 1, got ${formatShape(stride)}`);
  const total = kernel.map((k, i) => dilation[i]! * (k - 1));
  const padLow = total.map((n) => Math.floor(n / 2));
  return { padLow, padHigh: total.map((n, i) => n - padLow[i]!) };
}

type ConvAttributes = WindowAttributes & { readonly groups: number };

const conv2dSpec: OpSpec<ConvAttributes & Record<string, unknown>> = {
  name: "conv2d",
  lower(b, [x, weight, bias], { groups, strides, padLow, padHigh, dilation }) {
    const attributes = { groups, strides, padLow, padHigh, dilation };
    const y = b.make("convolution", [x!, weight!], attributes);
    return bias ? b.add(y, b.reshape(bias, [bias.shape[0]!, 1, 1])) : y;
  },
};

/**
 * Cross-correlation of images with kernels, as deep learning's convolution is.
 *
 * x: [B, C, H, W] or [C, H, W], weight: [O, C/groups, kH, kW], bias: [O] → [B, O, H′, W′] with
 * H′ = ⌊(H + 2·padding − dilation·(kH − 1) − 1) / stride⌋ + 1.
 *
 * @throws ShapeError if channels or sizes do not fit.
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: Conv2dOptions = {},
): Tensor {
  if (x.ndim === 3) return squeeze(conv2d(unsqueeze(x, 0), weight, bias, options), 0);
  if (x.ndim !== 4 || weight.ndim !== 4)
    throw new ShapeError(
      "conv2d",
      `expected input [B, C, H, W] and weight [O, C/groups, kH, kW], got ` +
        `${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    );
  if (bias && (bias.ndim !== 1 || bias.shape[0] !== weight.shape[0]))
    throw new ShapeError(
      "conv2d",
      `bias ${formatShape(bias.shape)} does not fit weight ${formatShape(weight.shape)}: ` +
        `expected [${weight.shape[0]}]`,
    );
  const { groups = 1 } = options;
  if (!Number.isInteger(groups) || groups < 1)
    throw new ValueError("conv2d", `groups must be a whole number ≥ 1, got ${groups}`);
  const strides = pair("conv2d", "stride", options.stride ?? 1, 1);
  const dilation = pair("conv2d", "dilation", options.dilation ?? 1, 1);
  const kernel = weight.shape.slice(2);
  const padding = paddings("conv2d", options.padding ?? 0, kernel, strides, dilation);
  const inputs = bias ? [x, weight, bias] : [x, weight];
  return applyOne(conv2dSpec, inputs, { groups, strides, dilation, ...padding });
}

export interface MaxPool2dOptions {
  /** Step of the window; default its size. */
  readonly stride?: Pair;
  /** Places around the input that are never chosen; at most half the window. Default 0. */
  readonly padding?: Pair;
  readonly dilation?: Pair;
  /** Lets windows that begin inside the input end outside of it. */
  readonly ceilMode?: boolean;
}

type PoolAttributes = WindowAttributes & { readonly kernelSizes: readonly number[] };

const maxPool2dSpec: OpSpec<PoolAttributes & Record<string, unknown>> = {
  name: "maxPool2d",
  lower(b, [x], { kernelSizes, strides, padLow, padHigh, dilation }) {
    const [batch, channels, height, width] = x!.shape as [number, number, number, number];
    const planes = batch * channels;
    const attributes = { kernelSizes, strides, padLow, padHigh, dilation };
    const chosen = b.make("windowArgMax", [b.reshape(x!, [planes, height, width])], attributes);
    const [, rows, columns] = chosen.shape as [number, number, number];
    const flat = b.reshape(chosen, [planes, rows * columns]);
    const values = b.make("gather", [b.reshape(x!, [planes, height * width]), flat], { dim: 1 });
    const shape = [batch, channels, rows, columns];
    return [b.reshape(values, shape), b.reshape(chosen, shape)];
  },
};

/** With ceilMode, the padding after the input that lets the last window end outside. */
function ceilPadding(n: number, k: number, i: number, window: WindowAttributes): number {
  const { strides, dilation, padLow, padHigh } = window;
  const span = dilation[i]! * (k - 1) + 1;
  const steps = Math.ceil((n + padLow[i]! + padHigh[i]! - span) / strides[i]!);
  // A window must begin inside the input or the padding before it.
  const last = steps * strides[i]! >= n + padLow[i]! ? steps - 1 : steps;
  return Math.max(padHigh[i]!, last * strides[i]! + span - n - padLow[i]!);
}

/** The maxima of windows and the flat index of each in its plane. */
function maxPool(x: Tensor, kernelSize: Pair, options: MaxPool2dOptions): [Tensor, Tensor] {
  if (x.ndim !== 4)
    throw new ShapeError("maxPool2d", `expected [B, C, H, W], got ${formatShape(x.shape)}`);
  if (!isFloat(x.dtype)) throw new DTypeError("maxPool2d", `needs a float tensor, got ${x.dtype}`);
  const kernelSizes = pair("maxPool2d", "kernelSize", kernelSize, 1);
  const strides = pair("maxPool2d", "stride", options.stride ?? kernelSizes, 1);
  const dilation = pair("maxPool2d", "dilation", options.dilation ?? 1, 1);
  const padding = pair("maxPool2d", "padding", options.padding ?? 0, 0);
  const window = { strides, dilation, padLow: padding, padHigh: padding };
  const sizes = x.shape.slice(2);
  const padHigh = options.ceilMode
    ? sizes.map((n, i) => ceilPadding(n, kernelSizes[i]!, i, window))
    : padding;
  sizes.forEach((n, i) => {
    if (windowSize(n, kernelSizes[i]!, i, { ...window, padHigh }) < 1)
      throw new ShapeError(
        "maxPool2d",
        `a window of ${formatShape(kernelSizes)} does not fit ${formatShape(x.shape)}`,
      );
  });
  const attributes = { kernelSizes, ...window, padHigh };
  return apply(maxPool2dSpec, [x], attributes) as [Tensor, Tensor];
}

/**
 * The largest element of each window. x: [B, C, H, W] or [C, H, W] → the same with
 * H′ = ⌊(H + 2·padding − dilation·(k − 1) − 1) / stride⌋ + 1. The gradient goes to the first maximum.
 */
export function maxPool2d(x: Tensor, kernelSize: Pair, options: MaxPool2dOptions = {}): Tensor {
  if (x.ndim === 3) return squeeze(maxPool2d(unsqueeze(x, 0), kernelSize, options), 0);
  return maxPool(x, kernelSize, options)[0];
}

/** {@link maxPool2d} and the flat index of each maximum in its plane, int32, for [B, C, H, W]. */
export const maxPool2dWithIndices = (
  x: Tensor,
  kernelSize: Pair,
  options: MaxPool2dOptions = {},
): [values: Tensor, indices: Tensor] => maxPool(x, kernelSize, options);

install({ maxPool2d });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** The largest element of each window of the last two dims. */
    maxPool2d(kernelSize: Pair, options?: MaxPool2dOptions): Tensor;
  }
}
