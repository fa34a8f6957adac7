/** Blur, sharpness and noise. Read geometry.ts next. */
import { ValueError } from "../../core/errors.js";
import { conv2d, pad, where } from "../../ops/index.js";
import { arange, tensor } from "../../tensor/create.js";
import { type Generator, generatorOf, randn } from "../../tensor/random.js";
import type { Tensor } from "../../tensor/tensor.js";
import { blend, checkFactor } from "./color.js";
import { asList, onBatch, type PerPicture, pairOf, spread, type White } from "./pictures.js";

const planesOf = (x: Tensor): Tensor => {
  const [count, channels, height, width] = x.shape as [number, number, number, number];
  return x.reshape([count * channels, 1, height, width]);
};

/**
 * Between a smoothed picture (0), the picture (1) and a sharper one; the outermost pixels stay.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * const x = tensor([[[0, 0, 0], [0, 1, 0], [0, 0, 0]]]);
 * console.log(T.adjustSharpness(x, 1).at(0, 1, 1).item()); // → 1
 * ```
 */
export function adjustSharpness(x: Tensor, factor: PerPicture): Tensor {
  const op = "adjustSharpness";
  checkFactor(op, factor);
  const sharpen = (batch: Tensor, white: White) => {
    const [height, width] = batch.shape.slice(2) as [number, number];
    if (height <= 2 || width <= 2) return batch;
    const kernel = tensor([1, 1, 1, 1, 5, 1, 1, 1, 1], { dtype: batch.dtype }).div(13);
    const smooth = conv2d(planesOf(batch), kernel.reshape([1, 1, 3, 3]));
    const whole = white === 1 ? smooth : smooth.round();
    const wide = pad(whole, [1, 1, 1, 1]).reshape(batch.shape);
    const inside = new Uint8Array(height * width).map((_, i) => {
      const [row, column] = [Math.floor(i / width), i % width];
      return Number(row > 0 && row < height - 1 && column > 0 && column < width - 1);
    });
    const mask = tensor(inside, { shape: [1, 1, height, width] }).bool();
    return blend(batch, where(mask, wide, batch), spread(op, "factor", factor, batch), white);
  };
  return onBatch(op, x, sharpen, "truncated");
}

/** Gaussian weights of a kernel for each picture: [B, size], each row with sum 1. */
function gaussian(size: number, sigma: Tensor): Tensor {
  const places = arange(size, { dtype: "float64" }).sub((size - 1) / 2);
  const weights = places
    .div(sigma.reshape([-1, 1]))
    .square()
    .mul(-0.5)
    .exp();
  return weights.div(weights.sum(1, { keepDim: true }));
}

/** Rows and columns of a kernel, which has a middle. */
export function kernelOf(op: string, kernelSize: number | readonly number[]): [number, number] {
  const [rows, columns] = pairOf(op, "kernelSize", kernelSize);
  if (rows % 2 === 0 || columns % 2 === 0)
    throw new ValueError(op, `kernelSize is ${rows} × ${columns}; expected odd numbers`);
  return [rows, columns];
}

export interface GaussianBlurOptions {
  /** Standard deviation in pixels > 0; default 0.15·kernelSize + 0.35. */
  readonly sigma?: PerPicture;
}

/**
 * Blurs with a Gaussian kernel of an odd number of pixels; pictures are mirrored at their borders.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * const x = tensor([[[0, 0, 0], [0, 1, 0], [0, 0, 0]]]);
 * console.log(T.gaussianBlur(x, 3, { sigma: 0.5 }).at(0, 1, 1).item()); // ≈ 0.6193
 * ```
 */
export function gaussianBlur(
  x: Tensor,
  kernelSize: number | readonly number[],
  { sigma }: GaussianBlurOptions = {},
): Tensor {
  const op = "gaussianBlur";
  const [rows, columns] = kernelOf(op, kernelSize);
  if (typeof sigma === "number" && !(sigma > 0))
    throw new ValueError(op, `sigma is ${sigma}; expected a number > 0`);
  const blur = (batch: Tensor) => {
    const [count, channels, height, width] = batch.shape as [number, number, number, number];
    if (rows > 2 * height - 1 || columns > 2 * width - 1)
      throw new ValueError(op, `kernel ${rows} × ${columns} is too large for ${height} × ${width}`);
    const [down, right] = [(rows - 1) / 2, (columns - 1) / 2];
    const weights = (size: number) => {
      const list = asList(op, "sigma", sigma ?? 0.15 * size + 0.35, count);
      return gaussian(size, list).to(batch.dtype);
    };
    const wide = pad(batch, [right, right, down, down], { mode: "reflect" });
    const once = filterEach(wide, weights(columns), [1, columns]);
    const result = filterEach(once, weights(rows), [rows, 1]);
    return result.reshape([count, channels, height, width]);
  };
  return onBatch(op, x, blur, "rounded");
}

/** One kernel for all planes, or one for each picture's. */
function filterEach(
  x: Tensor,
  weights: Tensor,
  [rows, columns]: readonly [number, number],
): Tensor {
  const [count, channels, height, width] = x.shape as [number, number, number, number];
  const size = [height - rows + 1, width - columns + 1];
  if (weights.shape[0] === 1)
    return conv2d(planesOf(x), weights.reshape([1, 1, rows, columns])).reshape([
      count,
      channels,
      ...size,
    ]);
  const planes = count * channels;
  const kernels = weights.unsqueeze(1).expand([count, channels, rows * columns]);
  if (planes === 0) return x.narrow(2, 0, size[0]!).narrow(3, 0, size[1]!);
  const flat = x.reshape([1, planes, height, width]);
  const done = conv2d(flat, kernels.reshape([planes, 1, rows, columns]), null, { groups: planes });
  return done.reshape([count, channels, ...size]);
}

export interface GaussianNoiseOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Standard deviation ≥ 0; default 0.1. */
  readonly sigma?: PerPicture;
  /** Cut off at 0 and 1; default true. */
  readonly clip?: boolean;
  readonly generator?: Generator;
}

/** Throws unless mean and deviation are numbers, or the latter one a picture. */
export function checkNoise(op: string, mean: number, sigma: PerPicture): void {
  if (!Number.isFinite(mean)) throw new ValueError(op, `mean is ${mean}; expected a finite number`);
  if (typeof sigma === "number" && !(sigma >= 0 && sigma < Number.POSITIVE_INFINITY))
    throw new ValueError(op, `sigma is ${sigma}; expected a number ≥ 0`);
}

/**
 * Adds a random number of the normal distribution to each value of float pictures.
 * @example
 * ```ts
 * import { zeros } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.gaussianNoise(zeros([1, 2, 2]), { sigma: 0.2 }).shape); // → [ 1, 2, 2 ]
 * ```
 */
export function gaussianNoise(x: Tensor, options: GaussianNoiseOptions = {}): Tensor {
  const op = "gaussianNoise";
  const { mean = 0, sigma = 0.1, clip = true } = options;
  const generator = generatorOf(op, options.generator);
  checkNoise(op, mean, sigma);
  return onBatch(op, x, (batch) => {
    const noise = randn(batch.shape, { dtype: batch.dtype, generator });
    const result = batch.add(noise.mul(spread(op, "sigma", sigma, batch)).add(mean));
    return clip ? result.clamp(0, 1) : result;
  });
}
