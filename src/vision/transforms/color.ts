/** Colours, number for number as torchvision's functions on floats. Read filter.ts next. */
import { ValueError } from "../../core/errors.js";
import { amax, amin, cat, fmod, maximum, minimum, stack, where } from "../../ops/index.js";
import { tensor } from "../../tensor/create.js";
import { Tensor } from "../../tensor/tensor.js";
import { checkChannels, onBatch, type PerPicture, spread } from "./pictures.js";

/**
 * Bytes as floats from 0 to 1.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.toFloat(tensor(new Uint8Array([0, 255]))).toArray()); // → [ 0, 1 ]
 * ```
 */
export const toFloat = (x: Tensor): Tensor => x.float().div(255);
/**
 * Floats from 0 to 1 as bytes: rounded, cut off outside.
 *
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.toBytes(tensor([-1, 0.5, 1])).toArray()); // → [ 0, 128, 255 ]
 * ```
 */
export const toBytes = (x: Tensor): Tensor => x.mul(255).round().clamp(0, 255).byte();

const cut = (x: Tensor): Tensor => x.clamp(0, 1);

/** ratio·a + (1 − ratio)·b, cut off at 0 and 1. */
export function blend(a: Tensor, b: Tensor, ratio: Tensor | number): Tensor {
  const rest = typeof ratio === "number" ? 1 - ratio : ratio.neg().add(1);
  return cut(a.mul(ratio).add(b.mul(rest)));
}

const channel = (x: Tensor, c: number): Tensor => x.narrow(1, c, 1);

/** Luma of [B, 3, H, W] as [B, 1, H, W] (ITU-R BT.601); grey pictures as they are. */
export function lumaOf(op: string, x: Tensor): Tensor {
  if (checkChannels(op, x) === 1) return x;
  return channel(x, 0).mul(0.2989).add(channel(x, 1).mul(0.587)).add(channel(x, 2).mul(0.114));
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
  return onBatch(op, x, (batch) => {
    const luma = lumaOf(op, batch);
    const [count, , height, width] = batch.shape as [number, number, number, number];
    return numOutputChannels === 1 ? luma : luma.expand([count, 3, height, width]);
  });
}

/** A function of pictures and a factor ≥ 0. */
function adjusting(op: string, run: (x: Tensor, factor: Tensor | number) => Tensor) {
  return (x: Tensor, factor: PerPicture): Tensor => {
    if (typeof factor === "number" && !(factor >= 0))
      throw new ValueError(op, `the factor is ${factor}; expected a number ≥ 0`);
    return onBatch(op, x, (batch) => run(batch, spread(op, "factor", factor, batch)));
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
export const adjustBrightness = adjusting("adjustBrightness", (x, factor) => cut(x.mul(factor)));

/**
 * Away from the mean grey of the picture by a factor: 0 is grey, 1 the picture.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.adjustContrast(tensor([[[0.25, 0.75]]]), 0).flatten().toArray()); // → [ 0.5, 0.5 ]
 * ```
 */
export const adjustContrast = adjusting("adjustContrast", (x, factor) =>
  blend(x, lumaOf("adjustContrast", x).mean([1, 2, 3], { keepDim: true }), factor),
);

/**
 * Away from grey pixel by pixel by a factor: 0 is a grey picture, 1 the picture.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.adjustSaturation(tensor([[[1]], [[0]], [[0]]]), 0).flatten().toArray()); // ≈ [ 0.2989, 0.2989, 0.2989 ]
 * ```
 */
export const adjustSaturation = adjusting("adjustSaturation", (x, factor) => {
  if (checkChannels("adjustSaturation", x) === 1) return x;
  return blend(x, lumaOf("adjustSaturation", x), factor);
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
  const p = cut(v.mul(s.neg().add(1)));
  const q = cut(v.mul(s.mul(part).neg().add(1)));
  const t = cut(v.mul(s.mul(part.neg().add(1)).neg().add(1)));
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
  return onBatch(op, x, (batch) => {
    if (checkChannels(op, batch) === 1) return batch;
    const [h, s, v] = toHsv(batch);
    return fromHsv(h.add(spread(op, "factor", factor, batch)).remainder(1), s, v);
  });
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
export const invert = (x: Tensor): Tensor => onBatch("invert", x, (batch) => batch.neg().add(1));

/**
 * Inverts what is at least as bright as the threshold.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.solarize(tensor([[[0.25, 0.75]]]), 0.5).flatten().toArray()); // → [ 0.25, 0.25 ]
 * ```
 */
export function solarize(x: Tensor, threshold: PerPicture): Tensor {
  return onBatch("solarize", x, (batch) => {
    const level = spread("solarize", "threshold", threshold, batch);
    return where(batch.ge(level), batch.neg().add(1), batch);
  });
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
  if (typeof bits === "number" && !(Number.isInteger(bits) && bits >= 0 && bits <= 8))
    throw new ValueError(op, `bits is ${bits}; expected a whole number from 0 to 8`);
  return onBatch(op, x, (batch) => {
    const power = spread(op, "bits", bits, batch);
    const levels =
      power instanceof Tensor
        ? tensor(2).to(batch.dtype).pow(power)
        : tensor([2 ** power], { dtype: batch.dtype });
    const top = levels.sub(1);
    return minimum(batch.mul(levels).floor().clamp(0, null), top).div(levels);
  });
}

/**
 * Stretches each channel to 0 … 1; one of a single value stays.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.autocontrast(tensor([[[0.25, 0.5, 0.75]]])).flatten().toArray()); // → [ 0, 0.5, 1 ]
 * ```
 */
export function autocontrast(x: Tensor): Tensor {
  return onBatch("autocontrast", x, (batch) => {
    const least = amin(batch, [2, 3], { keepDim: true });
    const span = amax(batch, [2, 3], { keepDim: true }).sub(least);
    const isFlat = span.eq(0);
    const stretched = cut(batch.sub(least).div(where(isFlat, span.add(1), span)));
    return where(isFlat, batch, stretched);
  });
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
  return onBatch("equalize", x, (batch) => {
    const [count, channels, height, width] = batch.shape as [number, number, number, number];
    const [planes, pixels] = [count * channels, height * width];
    const levels = cut(batch).mul(255.999).floor().int().reshape([planes, pixels]);
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
    const table = cat([rising.narrow(1, 0, 1).mul(0), rising], 1).div(255);
    const mapped = table.gather(1, levels).to(batch.dtype).reshape(batch.shape);
    const isFlat = step.eq(0).reshape([count, channels, 1, 1]);
    return where(isFlat, batch, mapped);
  });
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
  return onBatch(op, x, (batch) => {
    const sorted = [...order].sort((a, b) => a - b);
    if (order.length !== batch.shape[1] || sorted.some((place, i) => place !== i))
      throw new ValueError(op, `order is [${order}]; expected each channel once`);
    return stack(
      order.map((c) => batch.select(1, c)),
      1,
    );
  });
}

/**
 * (x − mean) / std, one number each for all channels or one a channel.
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
      const list = typeof value === "number" ? [value] : [...value];
      if (list.length !== 1 && list.length !== batch.shape[1])
        throw new ValueError(op, `${name} has ${list.length} numbers; expected one a channel`);
      if (!list.every(Number.isFinite) || (name === "std" && list.includes(0)))
        throw new ValueError(op, `${name} is [${list}]; expected finite numbers, std not 0`);
      return tensor(list, { dtype: batch.dtype }).reshape([1, list.length, 1, 1]);
    };
    return batch.sub(column("mean", mean)).div(column("std", std));
  });
}
