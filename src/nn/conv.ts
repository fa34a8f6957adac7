/** Convolution and pooling layers over images [B, C, H, W]. */
import { ValueError } from "../core/errors.js";
import { type Conv2dOptions, conv2d, type Pair } from "../ops/conv.js";
import { type MaxPool2dOptions, maxPool2d } from "../ops/pool.js";
import { spread } from "../ops/window.js";
import type { Tensor } from "../tensor/tensor.js";
import { defaultBias, defaultWeight } from "./init.js";
import { checkSize } from "./linear.js";
import { Layer, Parameter } from "./module.js";

export interface Conv2dLayerOptions extends Conv2dOptions {
  readonly bias?: boolean;
}

const describeOptions = (options: object): string =>
  Object.entries(options)
    .map(([key, value]) => `, ${key}: ${JSON.stringify(value)}`)
    .join("");

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
export class Conv2d extends Layer {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  private readonly options: Conv2dOptions;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    { bias = true, ...options }: Conv2dLayerOptions = {},
  ) {
    super();
    checkSize("Conv2d", "inChannels", inChannels);
    checkSize("Conv2d", "outChannels", outChannels);
    const groups = checkSize("Conv2d", "groups", options.groups ?? 1);
    if (inChannels % groups !== 0 || outChannels % groups !== 0)
      throw new ValueError(
        "Conv2d",
        `${groups} groups do not divide ${inChannels} and ${outChannels} channels`,
      );
    const shape = [
      outChannels,
      inChannels / groups,
      ...spread("Conv2d", "kernelSize", kernelSize, { least: 1, rank: 2 }),
    ];
    this.weight = new Parameter(defaultWeight(shape));
    this.bias = bias ? new Parameter(defaultBias(shape)) : null;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.options);
  }

  protected override describe(): string {
    const [out, into, height, width] = this.weight.shape;
    const channels = into! * (this.options.groups ?? 1);
    const bias = this.bias ? "" : ", bias: false";
    return `${channels}, ${out}, [${height}, ${width}]${describeOptions(this.options)}${bias}`;
  }
}

/** The largest element of each window. x: [B, C, H, W] → [B, C, H′, W′]. */
export class MaxPool2d extends Layer {
  private readonly kernelSize: Pair;
  private readonly options: MaxPool2dOptions;

  constructor(kernelSize: Pair, options: MaxPool2dOptions = {}) {
    super();
    spread("MaxPool2d", "kernelSize", kernelSize, { least: 1, rank: 2 });
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options);
  }

  protected override describe(): string {
    return `${JSON.stringify(this.kernelSize)}${describeOptions(this.options)}`;
  }
}
