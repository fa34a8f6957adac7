/** Convolution and pooling over the two spatial dims of [B, C, H, W]. Read loss.ts next. */

import { isFloat } from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import { type WindowAttributes, windowSize } from "../ir/primitives/contract.js";
import { apply, applyOne, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, given, input, install, kink, type SampleSet, sample } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { squeeze, unsqueeze } from "./movement.js";

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

const [x4, w3] = [input([2, 2, 5, 6]), input([4, 2, 3, 3])];

const convSet: SampleSet = () => [
  {
    op: "conv2d",
    samples: [
      sample([x4, w3], (a, b) => conv2d(a, b), "F.conv2d(a, b)"),
      sample([x4, w3, input([4])], (a, b, c) => conv2d(a, b, c), "F.conv2d(a, b, c)"),
      sample([x4, w3], (a, b) => conv2d(a, b, null, { padding: 1 }), "F.conv2d(a, b, padding=1)"),
      sample([x4, w3], (a, b) => conv2d(a, b, null, { stride: 2 }), "F.conv2d(a, b, stride=2)"),
      sample(
        [x4, w3, input([4])],
        (a, b, c) => conv2d(a, b, c, { stride: [2, 1], padding: [0, 2], dilation: [2, 1] }),
        "F.conv2d(a, b, c, stride=(2, 1), padding=(0, 2), dilation=(2, 1))",
      ),
      sample(
        [input([1, 2, 7, 7]), input([2, 2, 2, 3])],
        (a, b) => conv2d(a, b, null, { stride: 3, padding: 2, dilation: 2 }),
        "F.conv2d(a, b, stride=3, padding=2, dilation=2)",
      ),
      sample(
        [input([2, 4, 4, 4]), input([6, 2, 3, 3])],
        (a, b) => conv2d(a, b, null, { groups: 2 }),
        "F.conv2d(a, b, groups=2)",
      ),
      sample(
        [input([2, 3, 4, 4]), input([3, 1, 3, 3]), input([3])],
        (a, b, c) => conv2d(a, b, c, { groups: 3, padding: 1 }),
        "F.conv2d(a, b, c, groups=3, padding=1)",
      ),
      sample([input([2, 3, 4, 5]), input([5, 3, 1, 1])], (a, b) => conv2d(a, b), "F.conv2d(a, b)"),
      sample([input([1, 1, 4, 4]), input([1, 1, 4, 4])], (a, b) => conv2d(a, b), "F.conv2d(a, b)"),
      sample(
        [input([1, 1, 1, 9]), input([2, 1, 1, 4])],
        (a, b) => conv2d(a, b, null, { padding: "same" }),
        'F.conv2d(a, b, padding="same")',
      ),
      sample(
        [x4, w3],
        (a, b) => conv2d(a, b, null, { padding: "same", dilation: 2 }),
        'F.conv2d(a, b, padding="same", dilation=2)',
      ),
      sample(
        [x4, w3],
        (a, b) => conv2d(a, b, null, { padding: "valid" }),
        'F.conv2d(a, b, padding="valid")',
      ),
      sample([input([2, 5, 6]), w3], (a, b) => conv2d(a, b), "F.conv2d(a, b)"),
      sample([input([0, 2, 5, 6]), w3], (a, b) => conv2d(a, b), "F.conv2d(a, b)"),
      sample(
        [input([2, 5, 6, 2]), input([3, 3, 4, 2])],
        (a, b) => conv2d(a.permute([0, 3, 1, 2]), b.permute([2, 3, 1, 0])),
        "F.conv2d(a.permute(0, 3, 1, 2), b.permute(2, 3, 1, 0))",
      ),
      sample(
        [input([2, 3, 14, 14]), input([9, 3, 5, 5])],
        (a, b) => conv2d(a, b, null, { padding: 2 }),
        "F.conv2d(a, b, padding=2)",
      ),
    ],
    bad: [
      bad(
        () => conv2d(zeros([1, 3, 5, 5]), zeros([4, 2, 3, 3])),
        /^conv2d: input \[1, 3, 5, 5\] has 3 channels; weight \[4, 2, 3, 3\] in 1 group\(s\) expects 2/,
      ),
      bad(
        () => conv2d(zeros([1, 2, 2, 5]), zeros([4, 2, 3, 3])),
        /^conv2d: a window of 3 \(dilation 1\) does not fit size 2 with padding 0 \+ 0 at spatial dim 0/,
      ),
      bad(
        () => conv2d(zeros([5, 5]), zeros([4, 2, 3, 3])),
        /^conv2d: expected input \[B, C, H, W\]/,
      ),
      bad(
        () => conv2d(zeros([1, 2, 5, 5]), zeros([4, 2, 3, 3]), zeros([3])),
        /^conv2d: bias \[3\] does not fit weight \[4, 2, 3, 3\]: expected \[4\]/,
      ),
      bad(
        () => conv2d(zeros([1, 2, 5, 5]), zeros([4, 2, 3, 3]), null, { stride: 0 }),
        /^conv2d: stride must be a whole number ≥ 1 or a pair of such, got 0/,
      ),
      bad(
        () =>
          conv2d(zeros([1, 2, 5, 5]), zeros([4, 2, 3, 3]), null, { padding: "same", stride: 2 }),
        /^conv2d: padding "same" needs stride 1, got \[2, 2\]/,
      ),
      bad(
        () => conv2d(zeros([1, 2, 5, 5]), zeros([4, 2, 3, 3]), null, { groups: 0 }),
        /^conv2d: groups must be a whole number ≥ 1, got 0/,
      ),
      bad(
        () => conv2d(zeros([1, 2, 5, 5]), zeros([4, 2, 3, 3], { dtype: "float64" })),
        /^conv2d: needs two operands of one float dtype, got float32, float64/,
      ),
    ],
  },
];

const poolSet: SampleSet = () => [
  {
    op: "maxPool2d",
    samples: [
      sample([x4], (a) => a.maxPool2d(2), "F.max_pool2d(a, 2)"),
      sample([x4], (a) => a.maxPool2d([2, 3], { stride: 1 }), "F.max_pool2d(a, (2, 3), stride=1)"),
      sample(
        [x4],
        (a) => a.maxPool2d(3, { stride: 2, padding: 1 }),
        "F.max_pool2d(a, 3, stride=2, padding=1)",
      ),
      sample(
        [x4],
        (a) => a.maxPool2d(2, { stride: 1, dilation: [2, 3] }),
        "F.max_pool2d(a, 2, stride=1, dilation=(2, 3))",
      ),
      sample([x4], (a) => a.maxPool2d(2, { ceilMode: true }), "F.max_pool2d(a, 2, ceil_mode=True)"),
      sample(
        [input([1, 1, 6, 7])],
        (a) => a.maxPool2d(3, { stride: 2, padding: 1, ceilMode: true }),
        "F.max_pool2d(a, 3, stride=2, padding=1, ceil_mode=True)",
      ),
      sample(
        [input([1, 1, 5, 5])],
        (a) => a.maxPool2d(2, { stride: 3, ceilMode: true }),
        "F.max_pool2d(a, 2, stride=3, ceil_mode=True)",
      ),
      sample([input([2, 4, 4])], (a) => a.maxPool2d(2), "F.max_pool2d(a, 2)"),
      sample(
        [input([4, 2, 6, 2])],
        (a) => a.transpose(1, 3).maxPool2d(2),
        "F.max_pool2d(a.transpose(1, 3), 2)",
      ),
      sample([input([2, 3, 12, 12])], (a) => a.relu().maxPool2d(2), "F.max_pool2d(a.relu(), 2)"),
      kink(
        [given([1, 1, 2, 4], [1, 1, 0, 0, 1, 1, -1, 0])],
        (a) => a.maxPool2d(2),
        "F.max_pool2d(a, 2)",
      ),
      kink(
        [
          given(
            [1, 1, 2, 4],
            [
              1,
              Number.NaN,
              Number.NEGATIVE_INFINITY,
              Number.NEGATIVE_INFINITY,
              5,
              1,
              -3,
              Number.NEGATIVE_INFINITY,
            ],
          ),
        ],
        (a) => a.maxPool2d(2),
        "F.max_pool2d(a, 2)",
      ),
    ],
    bad: [
      bad(() => zeros([4, 4]).maxPool2d(2), /^maxPool2d: expected \[B, C, H, W\], got \[4, 4\]/),
      bad(
        () => zeros([1, 1, 2, 2]).maxPool2d(3),
        /^maxPool2d: a window of \[3, 3\] does not fit \[1, 1, 2, 2\]/,
      ),
      bad(
        () => zeros([1, 1, 4, 4]).maxPool2d(2, { padding: 2 }),
        /^maxPool2d: padding 2 is over half of the window 2/,
      ),
      bad(
        () => zeros([1, 1, 4, 4]).maxPool2d(0),
        /^maxPool2d: kernelSize must be a whole number ≥ 1/,
      ),
      bad(
        () => zeros([1, 1, 4, 4], { dtype: "int32" }).maxPool2d(2),
        /^maxPool2d: needs a float tensor, got int32/,
      ),
    ],
  },
  {
    op: "maxPool2dWithIndices",
    samples: [
      sample([x4], (a) => maxPool2dWithIndices(a, 2), "F.max_pool2d(a, 2, return_indices=True)"),
      sample(
        [x4],
        (a) => maxPool2dWithIndices(a, 3, { stride: 2, padding: 1 }),
        "F.max_pool2d(a, 3, stride=2, padding=1, return_indices=True)",
      ),
    ],
    bad: [bad(() => maxPool2dWithIndices(zeros([2, 2]), 2), /^maxPool2d: expected \[B, C, H, W\]/)],
  },
];

export const convSamples: SampleSet = () => [...convSet(), ...poolSet()];
