/** Random changes of colours, blur and noise. Read randomGeometry.ts next. */
import { ValueError } from "../../core/errors.js";
import type { Tensor } from "../../tensor/tensor.js";
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  autocontrast,
  checkBits,
  checkFactor,
  checkStatistics,
  equalize,
  invert,
  normalize,
  posterize,
  rgbToGrayscale,
  solarize,
} from "./color.js";
import { adjustSharpness, checkNoise, gaussianBlur, gaussianNoise, kernelOf } from "./filter.js";
import { checkPerPicture } from "./pictures.js";
import {
  type ChanceOptions,
  checkRange,
  type GeneratorOption,
  RandomChange,
  type Range,
  Transform,
} from "./transform.js";

export interface ColorJitterOptions extends GeneratorOption {
  /** Factors from max(0, 1 − n) to 1 + n, or a range; default none. */
  readonly brightness?: number | Range;
  readonly contrast?: number | Range;
  readonly saturation?: number | Range;
  /** Parts of the circle from −n to n, at most 0.5, or a range; default none. */
  readonly hue?: number | Range;
}

/** The range of a jitter; null for none. */
function jitterRange(name: string, value: number | Range, isHue: boolean): Range | null {
  const op = "ColorJitter";
  if (typeof value === "number" && !(value >= 0))
    throw new ValueError(op, `${name} is ${value}; expected ≥ 0`);
  const around = (n: number): Range => (isHue ? [-n, n] : [Math.max(0, 1 - n), 1 + n]);
  const range = typeof value === "number" ? around(value) : value;
  checkRange(op, name, range, isHue ? [-0.5, 0.5] : [0, Number.POSITIVE_INFINITY]);
  const still = isHue ? 0 : 1;
  return range[0] === still && range[1] === still ? null : range;
}

/**
 * Brightness, contrast, saturation and hue changed at random, picture by picture, in this order (torchvision draws an order too, which
 * a compiled program could not).
 *
 * @throws ValueError for ranges out of bounds.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { ColorJitter } from "gradus/vision";
 * const jitter = new ColorJitter({ brightness: 0.4, hue: 0.1 });
 * console.log(jitter.forward(rand([8, 3, 32, 32])).shape); // → [ 8, 3, 32, 32 ]
 * ```
 */
export class ColorJitter extends Transform {
  private readonly ranges: readonly (readonly [typeof adjustHue, Range])[];

  constructor(options: ColorJitterOptions = {}) {
    super(options);
    const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = options;
    const all = [
      [adjustBrightness, jitterRange("brightness", brightness, false)],
      [adjustContrast, jitterRange("contrast", contrast, false)],
      [adjustSaturation, jitterRange("saturation", saturation, false)],
      [adjustHue, jitterRange("hue", hue, true)],
    ] as const;
    this.ranges = all.flatMap(([adjust, range]) => (range ? [[adjust, range] as const] : []));
  }

  protected transform(x: Tensor): Tensor {
    return this.ranges.reduce((y, [adjust, range]) => adjust(y, this.uniform(x, range)), x);
  }
}

/**
 * Makes a share p (default 0.1) of the pictures grey, all channels alike.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandomGrayscale } from "gradus/vision";
 * console.log(new RandomGrayscale().forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandomGrayscale extends RandomChange {
  constructor(options: ChanceOptions = {}) {
    super(options, 0.1);
  }

  protected change(x: Tensor): Tensor {
    return x.shape[1] === 1 ? x : rgbToGrayscale(x, { numOutputChannels: 3 });
  }
}

/**
 * Swaps black and white in a share p of the pictures.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandomInvert } from "gradus/vision";
 * console.log(new RandomInvert().forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandomInvert extends RandomChange {
  constructor(options: ChanceOptions = {}) {
    super(options);
  }

  protected change(x: Tensor): Tensor {
    return invert(x);
  }
}

/**
 * Stretches the channels of a share p of the pictures to 0 … 1.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandomAutocontrast } from "gradus/vision";
 * console.log(new RandomAutocontrast().forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandomAutocontrast extends RandomChange {
  constructor(options: ChanceOptions = {}) {
    super(options);
  }

  protected change(x: Tensor): Tensor {
    return autocontrast(x);
  }
}

/**
 * Makes the levels of a share p of the pictures about equally frequent.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandomEqualize } from "gradus/vision";
 * console.log(new RandomEqualize().forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandomEqualize extends RandomChange {
  constructor(options: ChanceOptions = {}) {
    super(options);
  }

  protected change(x: Tensor): Tensor {
    return equalize(x);
  }
}

/**
 * Keeps 2^bits levels a channel in a share p of the pictures.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandomPosterize } from "gradus/vision";
 * console.log(new RandomPosterize(4).forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandomPosterize extends RandomChange {
  private readonly bits: number;

  constructor(bits: number, options: ChanceOptions = {}) {
    super(options);
    checkBits("RandomPosterize", bits);
    this.bits = bits;
  }

  protected change(x: Tensor): Tensor {
    return posterize(x, this.bits);
  }
}

/**
 * Inverts what is at least as bright as a threshold (0 to 1, of bytes 0 to 255) in a share p of the pictures.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandomSolarize } from "gradus/vision";
 * console.log(new RandomSolarize(0.5).forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandomSolarize extends RandomChange {
  private readonly threshold: number;

  constructor(threshold: number, options: ChanceOptions = {}) {
    super(options);
    checkPerPicture("RandomSolarize", "threshold", threshold, 1);
    this.threshold = threshold;
  }

  protected change(x: Tensor): Tensor {
    return solarize(x, this.threshold);
  }
}

/**
 * Sharpens (factor over 1) or smooths (under 1) a share p of the pictures.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { RandomAdjustSharpness } from "gradus/vision";
 * console.log(new RandomAdjustSharpness(2).forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class RandomAdjustSharpness extends RandomChange {
  private readonly factor: number;

  constructor(factor: number, options: ChanceOptions = {}) {
    super(options);
    checkFactor("RandomAdjustSharpness", factor);
    this.factor = factor;
  }

  protected change(x: Tensor): Tensor {
    return adjustSharpness(x, this.factor);
  }
}

export interface RandomBlurOptions extends GeneratorOption {
  /** Standard deviation in pixels, or its range; default [0.1, 2]. */
  readonly sigma?: number | Range;
}

/**
 * Blurs each picture by another standard deviation.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { GaussianBlur } from "gradus/vision";
 * console.log(new GaussianBlur(5).forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class GaussianBlur extends Transform {
  private readonly kernelSize: readonly [number, number];
  private readonly sigma: Range;

  constructor(kernelSize: number | readonly number[], options: RandomBlurOptions = {}) {
    super(options);
    const { sigma = [0.1, 2] } = options;
    this.kernelSize = kernelOf("GaussianBlur", kernelSize);
    const range: Range = typeof sigma === "number" ? [sigma, sigma] : sigma;
    this.sigma = checkRange("GaussianBlur", "sigma", range, [1e-6, Number.POSITIVE_INFINITY]);
  }

  protected transform(x: Tensor): Tensor {
    return gaussianBlur(x, this.kernelSize, { sigma: this.uniform(x, this.sigma) });
  }
}

export interface RandomNoiseOptions extends GeneratorOption {
  /** Default 0. */
  readonly mean?: number;
  /** Default 0.1. */
  readonly sigma?: number;
  /** Cut off at 0 and 1; default true. */
  readonly clip?: boolean;
}

/**
 * Adds a random number of the normal distribution to each value of float pictures.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { GaussianNoise } from "gradus/vision";
 * console.log(new GaussianNoise().forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class GaussianNoise extends Transform {
  private readonly options: RandomNoiseOptions;

  constructor(options: RandomNoiseOptions = {}) {
    super(options);
    checkNoise("GaussianNoise", options.mean ?? 0, options.sigma ?? 0.1);
    this.options = options;
  }

  protected transform(x: Tensor): Tensor {
    return gaussianNoise(x, { ...this.options, generator: this.generator });
  }
}

/**
 * Makes pictures grey, of one channel or of three alike.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { Grayscale } from "gradus/vision";
 * console.log(new Grayscale().forward(rand([4, 3, 8, 8])).shape); // → [ 4, 1, 8, 8 ]
 * ```
 */
export class Grayscale extends Transform {
  private readonly numOutputChannels: 1 | 3;

  constructor({ numOutputChannels = 1 }: { readonly numOutputChannels?: 1 | 3 } = {}) {
    super();
    this.numOutputChannels = numOutputChannels;
  }

  protected transform(x: Tensor): Tensor {
    return rgbToGrayscale(x, { numOutputChannels: this.numOutputChannels });
  }
}

/**
 * (x − mean) / std of float pictures, one number each or one a channel.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { Normalize } from "gradus/vision";
 * console.log(new Normalize(0.5, 0.25).forward(rand([4, 3, 8, 8])).shape); // → [ 4, 3, 8, 8 ]
 * ```
 */
export class Normalize extends Transform {
  private readonly mean: number | readonly number[];
  private readonly std: number | readonly number[];

  constructor(mean: number | readonly number[], std: number | readonly number[]) {
    super();
    checkStatistics("Normalize", "mean", mean);
    checkStatistics("Normalize", "std", std);
    this.mean = mean;
    this.std = std;
  }

  protected transform(x: Tensor): Tensor {
    return normalize(x, this.mean, this.std);
  }
}
