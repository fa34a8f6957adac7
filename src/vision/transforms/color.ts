/** Colours, number for number as torchvision's functions on floats. Read filter.ts next. */
import { isFloat } from "../../core/dtype.js";
import { DTypeError, ValueError } from "../../core/errors.js";
import { amax, amin, cat, fmod, maximum, minimum, stack, where } from "../../ops/index.js";
import { tensor } from "../../tensor/create.js";
import { Tensor } from "../../tensor/tensor.js";
import { checkChannels, onBatch, type PerPicture, spread, type White } from "./pictures.js";

/**
 * Bytes as floats from 0 to 1; floats stay as they are.
 *
 * @throws DTypeError for whole numbers that are not bytes.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.toFloat(tensor(new Uint8Array([0, 255]))).toArray()); // → [ 0, 1 ]
 * ```
 */
export function toFloat(x: Tensor): Tensor {
  if (isFloat(x.dtype)) return x;
  if (x.dtype !== "uint8")
    throw new DTypeError("toFloat", `pictures are ${x.dtype}; expected uint8 or floats`);
  return x.float().div(255);
}

/**
 * Floats from 0 to 1 as bytes: rounded, cut off outside; bytes stay as they are.
 *
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.toBytes(tensor([-1, 0.5, 1])).toArray()); // → [ 0, 128, 255 ]
 * ```
 */
export function toBytes(x: Tensor): Tensor {
  if (x.dtype === "uint8") return x;
  if (!isFloat(x.dtype))
    throw new DTypeError("toBytes", `pictures are ${x.dtype}; expected floats or uint8`);
  return x.mul(255).round().clamp(0, 255).byte();
}

/** ratio·a + (1 − ratio)·b, cut off at black and white. */
export function blend(a: Tensor, b: Tensor, ratio: Tensor | number, white: White): Tensor {
  const rest = typeof ratio === "number" ? 1 - ratio : ratio.neg().add(1);
  return a.mul(ratio).add(b.mul(rest)).clamp(0, white);
}

const channel = (x: Tensor, c: number): Tensor => x.narrow(1, c, 1);

/** Luma of [B, 3, H, W] as [B, 1, H, W] (ITU-R BT.601), whole numbers of bytes; grey pictures as they are. */
function lumaOf(op: string, x: Tensor, white: White): Tensor {
  if (checkChannels(op, x) === 1) return x;
  const parts = [0.2989, 0.587, 0.114].map((share, c) => channel(x, c).mul(share));
  const luma = parts.reduce((sum, part) => sum.add(part));
  return white === 1 ? luma : luma.trunc();
}

/**
 * Grey pictures, of one channel or of three alike.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.rgbToGrayscale(tensor([[[1]], [[0]], [[0]]])).flatten().toArray()); // ≈ [ 0.2989 ]
 * ```
 */
export function rgbToGrayscale(
  x: Tensor,
  { numOutputChannels = 1 }: { readonly numOutputChannels?: 1 | 3 } = {},
): Tensor {
  const op = "rgbToGrayscale";
  if (numOutputChannels !== 1 && numOutputChannels !== 3)
    throw new ValueError(op, `numOutputChannels is ${numOutputChannels}; expected 1 or 3`);
  const grey = (batch: Tensor, white: White) => {
    const luma = lumaOf(op, batch, white);
    const [count, , height, width] = batch.shape as [number, number, number, number];
    return numOutputChannels === 1 ? luma : luma.expand([count, 3, height, width]);
  };
  return onBatch(op, x, grey, "truncated");
}

/** Throws unless a factor is a number ≥ 0, or one a picture. */
export function checkFactor(op: string, factor: PerPicture): void {
  if (typeof factor === "number" && !(factor >= 0 && factor < Number.POSITIVE_INFINITY))
    throw new ValueError(op, `the factor is ${factor}; expected a number ≥ 0`);
}

/** A function of pictures and a factor ≥ 0. */
function adjusting(op: string, run: (x: Tensor, factor: Tensor | number, white: White) => Tensor) {
  return (x: Tensor, factor: PerPicture): Tensor => {
    checkFactor(op, factor);
    const adjust = (batch: Tensor, white: White) =>
      run(batch, spread(op, "factor", factor, batch), white);
    return onBatch(op, x, adjust, "truncated");
  };
}

/**
 * Brightness times a factor: 0 is black, 1 the picture.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.adjustBrightness(tensor([[[0.25, 0.75]]]), 2).flatten().toArray()); // → [ 0.5, 1 ]
 * ```
 */
export const adjustBrightness = adjusting("adjustBrightness", (x, factor, white) =>
  x.mul(factor).clamp(0, white),
);

/**
 * Away from the mean grey of the picture by a factor: 0 is grey, 1 the picture.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.adjustContrast(tensor([[[0.25, 0.75]]]), 0).flatten().toArray()); // → [ 0.5, 0.5 ]
 * ```
 */
export const adjustContrast = adjusting("adjustContrast", (x, factor, white) => {
  const mean = lumaOf("adjustContrast", x, white).mean([1, 2, 3], { keepDim: true });
  return blend(x, mean, factor, white);
});

/**
 * Away from grey pixel by pixel by a factor: 0 is a grey picture, 1 the picture.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.adjustSaturation(tensor([[[1]], [[0]], [[0]]]), 0).flatten().toArray()); // ≈ [ 0.2989, 0.2989, 0.2989 ]
 * ```
 */
export const adjustSaturation = adjusting("adjustSaturation", (x, factor, white) => {
  if (checkChannels("adjustSaturation", x) === 1) return x;
  return blend(x, lumaOf("adjustSaturation", x, white), factor, white);
});

/** [B, 3, H, W] → hue, saturation, value, each [B, 1, H, W] from 0 to 1. */
function toHsv(x: Tensor): [h: Tensor, s: Tensor, v: Tensor] {
  const [r, g, b] = [0, 1, 2].map((c) => channel(x, c)) as [Tensor, Tensor, Tensor];
  const most = maximum(maximum(r, g), b);
  const least = minimum(minimum(r, g), b);
  const isGrey = most.eq(least);
  const span = most.sub(least);
  const divisor = where(isGrey, span.add(1), span);
  const s = span.div(where(isGrey, most.mul(0).add(1), most));
  const [rest1, rest2, rest3] = [r, g, b].map((part) => most.sub(part).div(divisor)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const ofRed = rest3.sub(rest2);
  const ofGreen = rest1.add(2).sub(rest3);
  const ofBlue = rest2.add(4).sub(rest1);
  const sixths = where(r.eq(most), ofRed, where(g.eq(most), ofGreen, ofBlue));
  return [fmod(sixths.div(6).add(1), 1), s, most];
}

function fromHsv(h: Tensor, s: Tensor, v: Tensor): Tensor {
  const whole = h.mul(6).floor();
  const part = h.mul(6).sub(whole);
  const sector = whole.remainder(6);
  const shade = (share: Tensor) => v.mul(share.neg().add(1)).clamp(0, 1);
  const p = shade(s);
  const q = shade(s.mul(part));
  const t = shade(s.mul(part.neg().add(1)));
  const choose = (options: readonly Tensor[]) =>
    options.reduceRight((rest, option, i) => where(sector.eq(i), option, rest));
  return cat(
    [choose([v, q, p, p, t, v]), choose([t, v, v, q, p, p]), choose([p, p, t, v, v, q])],
    1,
  );
}

/**
 * Turns hues by a part of the circle from −0.5 to 0.5.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.adjustHue(tensor([[[1]], [[0]], [[0]]]), 0.5).flatten().toArray()); // ≈ [ 0, 1, 1 ]
 * ```
 */
export function adjustHue(x: Tensor, factor: PerPicture): Tensor {
  const op = "adjustHue";
  if (typeof factor === "number" && !(Math.abs(factor) <= 0.5))
    throw new ValueError(op, `the factor is ${factor}; expected −0.5 to 0.5`);
  const turn = (batch: Tensor, white: White) => {
    if (checkChannels(op, batch) === 1) return batch;
    const [h, s, v] = toHsv(white === 1 ? batch : batch.div(255));
    const result = fromHsv(h.add(spread(op, "factor", factor, batch)).remainder(1), s, v);
    // Each of 256 levels is as wide as the others, as torchvision makes bytes of floats.
    return white === 1 ? result : result.mul(256 - 1e-3);
  };
  return onBatch(op, x, turn, "truncated");
}

/**
 * Black and white swapped.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.invert(tensor([[[0.25, 1]]])).flatten().toArray()); // → [ 0.75, 0 ]
 * ```
 */
export const invert = (x: Tensor): Tensor =>
  onBatch("invert", x, (batch, white) => batch.neg().add(white), "truncated");

/**
 * Inverts what is at least as bright as the threshold, 0 to 1, of bytes 0 to 255.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.solarize(tensor([[[0.25, 0.75]]]), 0.5).flatten().toArray()); // → [ 0.25, 0.25 ]
 * ```
 */
export function solarize(x: Tensor, threshold: PerPicture): Tensor {
  const turn = (batch: Tensor, white: White) => {
    const level = spread("solarize", "threshold", threshold, batch);
    return where(batch.ge(level), batch.neg().add(white), batch);
  };
  return onBatch("solarize", x, turn, "truncated");
}

/** Throws unless bits are a whole number from 0 to 8, or one a picture. */
export function checkBits(op: string, bits: PerPicture): void {
  if (typeof bits === "number" && !(Number.isInteger(bits) && bits >= 0 && bits <= 8))
    throw new ValueError(op, `bits is ${bits}; expected a whole number from 0 to 8`);
}

/**
 * Keeps 2^bits levels a channel, bits from 0 to 8.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.posterize(tensor([[[0.3, 0.75]]]), 1).flatten().toArray()); // → [ 0, 0.5 ]
 * ```
 */
export function posterize(x: Tensor, bits: PerPicture): Tensor {
  const op = "posterize";
  checkBits(op, bits);
  const coarsen = (batch: Tensor, white: White) => {
    const power = spread(op, "bits", bits, batch);
    const levels =
      power instanceof Tensor
        ? tensor(2).to(batch.dtype).pow(power)
        : tensor([2 ** power], { dtype: batch.dtype });
    // Of bytes, a level stands for as many of the 256 as there are in it.
    const all = white === 1 ? 1 : 256;
    const level = batch.div(all).mul(levels).floor().clamp(0, null);
    return minimum(level, levels.sub(1)).div(levels).mul(all);
  };
  return onBatch(op, x, coarsen, "truncated");
}

/**
 * Stretches each channel from black to white; one of a single value stays.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.autocontrast(tensor([[[0.25, 0.5, 0.75]]])).flatten().toArray()); // → [ 0, 0.5, 1 ]
 * ```
 */
export function autocontrast(x: Tensor): Tensor {
  const stretch = (batch: Tensor, white: White) => {
    const least = amin(batch, [2, 3], { keepDim: true });
    const span = amax(batch, [2, 3], { keepDim: true }).sub(least);
    const isFlat = span.eq(0);
    const factor = where(isFlat, span.add(1), span).reciprocal().mul(white);
    return where(isFlat, batch, batch.sub(least).mul(factor).clamp(0, white));
  };
  return onBatch("autocontrast", x, stretch, "truncated");
}

/**
 * Makes all of 256 levels about equally frequent, channel by channel.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.equalize(rand([3, 32, 32])).shape); // → [ 3, 32, 32 ]
 * ```
 */
export function equalize(x: Tensor): Tensor {
  const level = (batch: Tensor, white: White) => {
    const [count, channels, height, width] = batch.shape as [number, number, number, number];
    const [planes, pixels] = [count * channels, height * width];
    const bright = white === 1 ? batch.clamp(0, 1).mul(255.999).floor() : batch;
    const levels = bright.int().reshape([planes, pixels]);
    const blank = tensor(new Float32Array(planes * 256), { shape: [planes, 256] });
    const ones = levels.float().mul(0).add(1);
    const histogram = blank.scatterAdd(1, levels, ones);
    const sums = histogram.cumsum(1);
    // The pixels of the brightest level that occurs do not count towards a step.
    const brightest = amax(levels, [1], { keepDim: true });
    const others = histogram.gather(1, brightest).neg().add(pixels);
    const step = others.div(255).floor();
    const half = step.div(2).floor();
    const divisor = where(step.eq(0), step.add(1), step);
    const rising = sums.narrow(1, 0, 255).add(half).div(divisor).floor().clamp(0, 255);
    const table = cat([rising.narrow(1, 0, 1).mul(0), rising], 1).div(255 / white);
    const mapped = table.gather(1, levels).to(batch.dtype).reshape(batch.shape);
    const isFlat = step.eq(0).reshape([count, channels, 1, 1]);
    return where(isFlat, batch, mapped);
  };
  return onBatch("equalize", x, level, "truncated");
}

/**
 * Channels in another order: for [B, 3, H, W] a list of three places.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.permuteChannels(tensor([[[1]], [[2]], [[3]]]), [2, 0, 1]).flatten().toArray()); // → [ 3, 1, 2 ]
 * ```
 */
export function permuteChannels(x: Tensor, order: readonly number[]): Tensor {
  const op = "permuteChannels";
  const reorder = (batch: Tensor) => {
    const sorted = [...order].sort((a, b) => a - b);
    if (order.length !== batch.shape[1] || sorted.some((place, i) => place !== i))
      throw new ValueError(op, `order is [${order}]; expected each channel once`);
    return stack(
      order.map((c) => batch.select(1, c)),
      1,
    );
  };
  return onBatch(op, x, reorder, "kept");
}

/** Means or deviations, which are no divisors if 0. */
export function checkStatistics(
  op: string,
  name: string,
  value: number | readonly number[],
): readonly number[] {
  const list = typeof value === "number" ? [value] : [...value];
  if (!list.every(Number.isFinite) || (name === "std" && list.includes(0)))
    throw new ValueError(op, `${name} is [${list}]; expected finite numbers, std not 0`);
  return list;
}

/**
 * (x − mean) / std of float pictures, one number each for all channels or one a channel.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.normalize(tensor([[[0.5, 1]]]), 0.5, 0.25).flatten().toArray()); // → [ 0, 2 ]
 * ```
 */
export function normalize(
  x: Tensor,
  mean: number | readonly number[],
  std: number | readonly number[],
): Tensor {
  const op = "normalize";
  return onBatch(op, x, (batch) => {
    const column = (name: string, value: number | readonly number[]) => {
      const list = checkStatistics(op, name, value);
      if (list.length !== 1 && list.length !== batch.shape[1])
        throw new ValueError(op, `${name} has ${list.length} numbers; expected one a channel`);
      return tensor(list, { dtype: batch.dtype }).reshape([1, list.length, 1, 1]);
    };
    return batch.sub(column("mean", mean)).div(column("std", std));
  });
}
