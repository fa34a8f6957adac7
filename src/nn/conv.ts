/** Convolution layers over sequences, images and volumes. Read pool.ts next. */
import { ValueError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from "../ops/conv.js";
import { pad } from "../ops/pad.js";
import {
  type Pair,
  paddings,
  type Single,
  type Sizes,
  spread,
  type Triple,
} from "../ops/window.js";
import type { Tensor } from "../tensor/tensor.js";
import { defaultBias, defaultWeight } from "./init.js";
import { checkSize } from "./linear.js";
import { Layer, Parameter } from "./module.js";

/** What is put around an input: zeros, its mirror image, its last values, or its other end. */
export type PaddingMode = "zeros" | "reflect" | "replicate" | "circular";

const paddingModes: readonly string[] = ["zeros", "reflect", "replicate", "circular"];

export interface ConvLayerOptions<S extends Sizes> extends ConvOptions<S> {
  /** Whether a bias is learned; default true. */
  readonly bias?: boolean;
  /** What the padding is made of; default "zeros". */
  readonly paddingMode?: PaddingMode;
}

export type Conv1dLayerOptions = ConvLayerOptions<Single>;
export type Conv2dLayerOptions = ConvLayerOptions<Pair>;
export type Conv3dLayerOptions = ConvLayerOptions<Triple>;

export const describeOptions = (options: object): string =>
  Object.entries(options)
    .map(([key, value]) => `, ${key}: ${JSON.stringify(value)}`)
    .join("");

function checkChannels(op: string, into: number, out: number, groups: number): void {
  checkSize(op, "inChannels", into);
  checkSize(op, "outChannels", out);
  checkSize(op, "groups", groups);
  if (into % groups !== 0 || out % groups !== 0)
    throw new ValueError(op, `${groups} groups do not divide ${into} and ${out} channels`);
}

type Convolve<O> = (x: Tensor, weight: Tensor, bias: Tensor | null, options: O) => Tensor;

abstract class Conv<S extends Sizes> extends Layer {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  private readonly options: ConvOptions<S>;
  private readonly paddingMode: PaddingMode;

  constructor(
    [inChannels, outChannels, kernelSize]: readonly [number, number, S],
    rank: number,
    { bias = true, paddingMode = "zeros", ...options }: ConvLayerOptions<S>,
  ) {
    super();
    const op = new.target.name;
    const { groups = 1 } = options;
    checkChannels(op, inChannels, outChannels, groups);
    if (!paddingModes.includes(paddingMode))
      throw new ValueError(
        op,
        `paddingMode must be one of ${paddingModes.join(", ")}, got "${paddingMode}"`,
      );
    const kernel = spread(op, "kernelSize", kernelSize, { least: 1, rank });
    const shape = [outChannels, inChannels / groups, ...kernel];
    this.weight = new Parameter(defaultWeight(shape));
    this.bias = bias ? new Parameter(defaultBias(shape)) : null;
    this.options = options;
    this.paddingMode = paddingMode;
  }

  protected abstract readonly convolve: Convolve<ConvOptions<S>>;

  /** Into how many parts the channels are cut that do not see one another. */
  get groups(): number {
    return this.options.groups ?? 1;
  }

  forward(x: Tensor): Tensor {
    // Read once: a weight may be computed anew at each reading (utils/parametrize.ts).
    const { weight } = this;
    if (this.paddingMode === "zeros") return this.convolve(x, weight, this.bias, this.options);
    const op = this.constructor.name;
    const kernel = weight.shape.slice(2);
    const rank = kernel.length;
    const stride = spread(op, "stride", this.options.stride ?? 1, { least: 1, rank });
    const dilation = spread(op, "dilation", this.options.dilation ?? 1, { least: 1, rank });
    const window = { kernel, stride, dilation };
    const { padLow, padHigh } = paddings(op, this.options.padding ?? 0, window);
    const around = padLow.flatMap((low, i) => [low, padHigh[i]!]).reverse();
    // From the last dim to the first, before and after each.
    const order = around.map((_, i) => around[i % 2 === 0 ? i + 1 : i - 1]!);
    const padded = pad(x, order, { mode: this.paddingMode });
    return this.convolve(padded, weight, this.bias, { ...this.options, padding: "valid" });
  }

  protected override describe(): string {
    const [out, into, ...kernel] = this.weight.shape;
    const channels = into! * this.groups;
    const mode = this.paddingMode === "zeros" ? "" : `, paddingMode: "${this.paddingMode}"`;
    const bias = this.bias ? "" : ", bias: false";
    return `${channels}, ${out}, ${formatShape(kernel)}${describeOptions(this.options)}${mode}${bias}`;
  }
}

/**
 * Cross-correlation of sequences with learned kernels. x: [B, inChannels, L] → [B, outChannels, L′]; weight:
 * [outChannels, inChannels / groups, k].
 *
 * @throws ValueError for settings out of range.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const conv = new nn.Conv1d(1, 2, 3, { padding: 1, paddingMode: "circular" });
 * console.log(conv.forward(ones([1, 1, 8])).shape); // → [ 1, 2, 8 ]
 * ```
 */
export class Conv1d extends Conv<Single> {
  protected readonly convolve = conv1d;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Single,
    options: Conv1dLayerOptions = {},
  ) {
    super([inChannels, outChannels, kernelSize], 1, options);
  }
}

/**
 * Cross-correlation with learned kernels. x: [B, inChannels, H, W] → [B, outChannels, H′, W′]; weight:
 * [outChannels, inChannels / groups, kH, kW].
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const conv = new nn.Conv2d(1, 6, 5, { padding: 2 });
 * console.log(conv.forward(ones([1, 1, 28, 28])).shape); // → [ 1, 6, 28, 28 ]
 * ```
 */
export class Conv2d extends Conv<Pair> {
  protected readonly convolve = conv2d;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    options: Conv2dLayerOptions = {},
  ) {
    super([inChannels, outChannels, kernelSize], 2, options);
  }
}

/**
 * Cross-correlation of volumes with learned kernels. x: [B, inChannels, D, H, W]; weight: [outChannels, inChannels / groups, kD, kH, kW].
 *
 * @throws ValueError for settings out of range.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.Conv3d(1, 2, 3).forward(ones([1, 1, 4, 4, 4])).shape); // → [ 1, 2, 2, 2, 2 ]
 * ```
 */
export class Conv3d extends Conv<Triple> {
  protected readonly convolve = conv3d;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Triple,
    options: Conv3dLayerOptions = {},
  ) {
    super([inChannels, outChannels, kernelSize], 3, options);
  }
}

export interface ConvTransposeLayerOptions<S extends Sizes> extends ConvTransposeOptions<S> {
  readonly bias?: boolean;
}

abstract class ConvTranspose<S extends Sizes> extends Layer {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  private readonly options: ConvTransposeOptions<S>;

  constructor(
    [inChannels, outChannels, kernelSize]: readonly [number, number, S],
    rank: number,
    { bias = true, ...options }: ConvTransposeLayerOptions<S>,
  ) {
    super();
    const op = new.target.name;
    const { groups = 1 } = options;
    checkChannels(op, inChannels, outChannels, groups);
    const kernel = spread(op, "kernelSize", kernelSize, { least: 1, rank });
    const shape = [inChannels, outChannels / groups, ...kernel];
    this.weight = new Parameter(defaultWeight(shape));
    // PyTorch takes the fan-in of the bias from the weight's second dim here too.
    const biasShape = [outChannels, ...shape.slice(1)];
    this.bias = bias ? new Parameter(defaultBias(biasShape)) : null;
    this.options = options;
  }

  protected abstract readonly convolve: Convolve<ConvTransposeOptions<S>>;

  /** Into how many parts the channels are cut that do not see one another. */
  get groups(): number {
    return this.options.groups ?? 1;
  }

  forward(x: Tensor): Tensor {
    return this.convolve(x, this.weight, this.bias, this.options);
  }

  protected override describe(): string {
    const [into, out, ...kernel] = this.weight.shape;
    const channels = out! * this.groups;
    const bias = this.bias ? "" : ", bias: false";
    return `${into}, ${channels}, ${formatShape(kernel)}${describeOptions(this.options)}${bias}`;
  }
}

/**
 * The transpose of {@link Conv1d}, which makes sequences longer. weight: [inChannels, outChannels / groups, k].
 *
 * @throws ValueError for settings out of range.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.ConvTranspose1d(2, 1, 2, { stride: 2 }).forward(ones([1, 2, 4])).shape); // → [ 1, 1, 8 ]
 * ```
 */
export class ConvTranspose1d extends ConvTranspose<Single> {
  protected readonly convolve = convTranspose1d;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Single,
    options: ConvTransposeLayerOptions<Single> = {},
  ) {
    super([inChannels, outChannels, kernelSize], 1, options);
  }
}

/**
 * The transpose of {@link Conv2d}, which makes images larger. weight: [inChannels, outChannels / groups, kH, kW].
 *
 * @throws ValueError for settings out of range.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.ConvTranspose2d(2, 1, 2, { stride: 2 }).forward(ones([1, 2, 4, 4])).shape); // → [ 1, 1, 8, 8 ]
 * ```
 */
export class ConvTranspose2d extends ConvTranspose<Pair> {
  protected readonly convolve = convTranspose2d;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    options: ConvTransposeLayerOptions<Pair> = {},
  ) {
    super([inChannels, outChannels, kernelSize], 2, options);
  }
}

/**
 * The transpose of {@link Conv3d}. weight: [inChannels, outChannels / groups, kD, kH, kW].
 *
 * @throws ValueError for settings out of range.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(new nn.ConvTranspose3d(1, 1, 2).forward(ones([1, 1, 2, 2, 2])).shape); // → [ 1, 1, 3, 3, 3 ]
 * ```
 */
export class ConvTranspose3d extends ConvTranspose<Triple> {
  protected readonly convolve = convTranspose3d;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Triple,
    options: ConvTransposeLayerOptions<Triple> = {},
  ) {
    super([inChannels, outChannels, kernelSize], 3, options);
  }
}
