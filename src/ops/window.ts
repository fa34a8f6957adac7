/** Sizes and settings of windows over one to three spatial dims, which convolution and pooling share. Read conv.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, type Shape } from "../core/shape.js";
import { type WindowAttributes, windowSize } from "../ir/primitives/contract.js";

/** One number for both spatial dims, or [height, width]. */
export type Pair = number | readonly [number, number];
/** One number, or a list with it. */
export type Single = number | readonly [number];
/** One number for all three spatial dims, or [depth, height, width]. */
export type Triple = number | readonly [number, number, number];
/** One number for all spatial dims, or one for each. */
export type Sizes = number | readonly number[];

const listNames = ["a list of one", "a pair of such", "three of such"];

/** A setting as one number for each of `rank` spatial dims. */
export function spread(
  op: string,
  name: string,
  value: Sizes,
  { least, rank }: { readonly least: number; readonly rank: number },
): number[] {
  const all = Array.isArray(value) ? [...value] : new Array<number>(rank).fill(value as number);
  if (all.length !== rank || !all.every((n) => Number.isInteger(n) && n >= least))
    throw new ValueError(
      op,
      `${name} must be a whole number ≥ ${least} or ${listNames[rank - 1]}, ` +
        `got ${JSON.stringify(value)}`,
    );
  return all;
}

export const letters = ["L", "H, W", "D, H, W"] as const;

/** Padding before and after each spatial dim. */
export function paddings(
  op: string,
  padding: Sizes | "same" | "valid",
  window: {
    readonly kernel: readonly number[];
    readonly stride: readonly number[];
    readonly dilation: readonly number[];
  },
): Pick<WindowAttributes, "padLow" | "padHigh"> {
  const { kernel, stride, dilation } = window;
  if (padding === "valid") return { padLow: kernel.map(() => 0), padHigh: kernel.map(() => 0) };
  if (padding !== "same") {
    const both = spread(op, "padding", padding, { least: 0, rank: kernel.length });
    return { padLow: both, padHigh: both };
  }
  if (stride.some((s) => s !== 1))
    throw new ValueError(op, `padding "same" needs stride 1, got ${formatShape(stride)}`);
  const total = kernel.map((k, i) => dilation[i]! * (k - 1));
  const padLow = total.map((n) => Math.floor(n / 2));
  return { padLow, padHigh: total.map((n, i) => n - padLow[i]!) };
}

/** With ceilMode, the padding after the input that lets the last window end outside. */
export function ceilPadding(n: number, k: number, i: number, window: WindowAttributes): number {
  const { strides, dilation, padLow, padHigh } = window;
  const span = dilation[i]! * (k - 1) + 1;
  const steps = Math.ceil((n + padLow[i]! + padHigh[i]! - span) / strides[i]!);
  // A window must begin inside the input or the padding before it.
  const last = steps * strides[i]! >= n + padLow[i]! ? steps - 1 : steps;
  return Math.max(padHigh[i]!, last * strides[i]! + span - n - padLow[i]!);
}

export interface PoolOptions<S extends Sizes = Sizes> {
  /** Step of the window; default its size. */
  readonly stride?: S;
  /** Places around the input; at most half the window. Default 0. */
  readonly padding?: S;
  /** Distance of the window's places; default 1. */
  readonly dilation?: S;
  /** Lets windows that begin inside the input end outside of it. */
  readonly ceilMode?: boolean;
}

export type PoolAttributes = WindowAttributes & { readonly kernelSizes: readonly number[] };

/** The geometry of pooling over the last `rank` dims. */
export function poolWindow(
  op: string,
  shape: Shape,
  kernelSize: Sizes,
  rank: number,
  options: PoolOptions,
): PoolAttributes {
  const setting = (name: string, value: Sizes, least: number) =>
    spread(op, name, value, { least, rank });
  const kernelSizes = setting("kernelSize", kernelSize, 1);
  const strides = setting("stride", options.stride ?? kernelSizes, 1);
  const dilation = setting("dilation", options.dilation ?? 1, 1);
  const padding = setting("padding", options.padding ?? 0, 0);
  padding.forEach((pad, i) => {
    if (pad > kernelSizes[i]! / 2)
      throw new ShapeError(
        op,
        `padding ${pad} is over half of the window ${kernelSizes[i]} at spatial dim ${i}`,
      );
  });
  const window = { strides, dilation, padLow: padding, padHigh: padding };
  const sizes = shape.slice(-rank);
  const padHigh = options.ceilMode
    ? sizes.map((n, i) => ceilPadding(n, kernelSizes[i]!, i, window))
    : padding;
  sizes.forEach((n, i) => {
    if (n < 1 || windowSize(n, kernelSizes[i]!, i, { ...window, padHigh }) < 1)
      throw new ShapeError(
        op,
        `a window of ${formatShape(kernelSizes)} does not fit ${formatShape(shape)}`,
      );
  });
  return { kernelSizes, ...window, padHigh };
}
