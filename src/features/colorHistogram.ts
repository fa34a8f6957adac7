/** How often each colour, and each hue, occurs in a picture. Read pipeline.ts for putting features together. */
import { ShapeError, ValueError } from "../core/errors.js";
import { checkNames as checkOptions } from "../core/options.js";
import type { ArrayData } from "../io/arrayData.js";
import { fromTypedArray } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { picturesOf } from "./pictures.js";
import { FeatureStep } from "./step.js";

/** Numbers of one result, at most: 8 GB. */
const largest = 2 ** 31;

/** Hue from 0 to 1 (Smith, 1978); 0 for greys. */
export function hueOf(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue);
  const span = most - Math.min(red, green, blue);
  if (span === 0) return 0;
  // Of several largest channels the last counts.
  let sixths = (green - blue) / span;
  if (green === most) sixths = 2 + (blue - red) / span;
  if (blue === most) sixths = 4 + (red - green) / span;
  const hue = (sixths / 6) % 1;
  return hue < 0 ? hue + 1 : hue;
}

/**
 * The shares of pixels by hue, as in the exercise on features of Stanford's CS231n: bins of equal width over the circle of hues, greys with
 * red. Pictures [N, 3, H, W], uint8 or of any scale → float32 [N, bins], each row with sum 1.
 *
 * @throws ValueError for options out of range; ShapeError for pictures that are not red-green-blue.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { HueHistogram } from "gradus/features";
 * const green = tensor([[[[0]], [[1]], [[0]]]]);
 * console.log(new HueHistogram({ bins: 3 }).transform(green).toArray()); // → [ [ 0, 1, 0 ] ]
 * ```
 */
export class HueHistogram extends FeatureStep {
  readonly #bins: number;

  constructor(options: { readonly bins?: number } = {}) {
    super();
    checkOptions("HueHistogram", options, ["bins"]);
    const { bins = 10 } = options;
    if (!Number.isInteger(bins) || bins < 1)
      throw new ValueError("HueHistogram", `bins is ${bins}; expected a whole number ≥ 1`);
    this.#bins = bins;
  }

  transform(x: ArrayData): Tensor {
    const { data, count, channels, height, width } = picturesOf("HueHistogram", x);
    if (channels !== 3)
      throw new ShapeError("HueHistogram", `pictures have ${channels} channels; expected 3`);
    const plane = height * width;
    const bins = this.#bins;
    const out = new Float32Array(count * bins);
    for (let i = 0; i < count; i++) {
      const from = i * 3 * plane;
      const counts = new Float64Array(bins);
      for (let p = from; p < from + plane; p++) {
        const hue = hueOf(data[p]!, data[p + plane]!, data[p + 2 * plane]!);
        if (!(hue >= 0)) throw new ValueError("HueHistogram", "a pixel is not a finite number");
        counts[Math.min(bins - 1, Math.floor(hue * bins))]!++;
      }
      out.set(
        counts.map((n) => n / plane),
        i * bins,
      );
    }
    return fromTypedArray(out, { shape: [count, bins] });
  }
}

export interface ColorHistogramOptions {
  /** Bins of each channel; default 8. */
  readonly bins?: number;
  /** Count combinations of all channels, bins to the power of channels, instead of each channel alone; default false. */
  readonly joint?: boolean;
  /** The least and the greatest value; default [0, 256] for uint8, [0, 1] for all else. */
  readonly range?: readonly [least: number, greatest: number];
}

/**
 * The shares of pixels by colour, in bins of equal width (Swain and Ballard, 1991), the last one with its upper border, as NumPy's `histogram`
 * and `histogramdd`: each channel's shares, one channel after another, or those of all combinations. Pictures [N, H, W] or [N, C, H, W] →
 * float32 [N, C · bins], or [N, binsᶜ]; the shares of a channel, or of all combinations, have sum 1.
 *
 * @throws ValueError for options out of range, and for a pixel outside of the range.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { ColorHistogram } from "gradus/features";
 * const pictures = tensor([[[[0, 1]], [[0, 0]]]]);
 * console.log(new ColorHistogram({ bins: 2 }).transform(pictures).toArray()); // → [ [ 0.5, 0.5, 1, 0 ] ]
 * console.log(new ColorHistogram({ bins: 2, joint: true }).transform(pictures).toArray()); // → [ [ 0.5, 0, 0.5, 0 ] ]
 * ```
 */
export class ColorHistogram extends FeatureStep {
  readonly #options: ColorHistogramOptions;
  readonly #bins: number;

  constructor(options: ColorHistogramOptions = {}) {
    super();
    const op = "ColorHistogram";
    checkOptions(op, options, ["bins", "joint", "range"]);
    const { bins = 8, range = [0, 1] } = options;
    if (!Number.isInteger(bins) || bins < 1)
      throw new ValueError(op, `bins is ${bins}; expected a whole number ≥ 1`);
    if (!(range[0] < range[1]) || !range.every(Number.isFinite))
      throw new ValueError(op, `range is ${range.join(" to ")}; expected two numbers that rise`);
    this.#options = options;
    this.#bins = bins;
  }

  transform(x: ArrayData): Tensor {
    const op = "ColorHistogram";
    const { data, count, channels, height, width } = picturesOf(op, x);
    const { joint = false, range = x.dtype === "uint8" ? [0, 256] : [0, 1] } = this.#options;
    const bins = this.#bins;
    const size = joint ? bins ** channels : bins * channels;
    if (count * size > largest)
      throw new ShapeError(
        op,
        `${count} pictures of ${size} bins; take fewer bins, or no joint ones`,
      );
    const plane = height * width;
    const out = new Float32Array(count * size);
    for (let i = 0; i < count; i++) {
      const counts = new Float64Array(size);
      for (let p = 0; p < plane; p++) {
        let cell = 0;
        for (let c = 0; c < channels; c++) {
          const bin = this.#bin(data[(i * channels + c) * plane + p]!, range);
          if (joint) cell = cell * bins + bin;
          else counts[c * bins + bin]!++;
        }
        if (joint) counts[cell]!++;
      }
      out.set(
        counts.map((n) => n / plane),
        i * size,
      );
    }
    return fromTypedArray(out, { shape: [count, size] });
  }

  #bin(value: number, [least, greatest]: readonly [number, number]): number {
    if (!(value >= least && value <= greatest))
      throw new ValueError(
        "ColorHistogram",
        `a pixel is ${value}; expected ${least} to ${greatest}, or give another range`,
      );
    const last = this.#bins - 1;
    const bin = Math.min(last, Math.floor(((value - least) / (greatest - least)) * this.#bins));
    // The quotient may round to the other side of a border.
    const border = (i: number) => least + i * ((greatest - least) / this.#bins);
    if (value < border(bin)) return bin - 1;
    return bin < last && value >= border(bin + 1) ? bin + 1 : bin;
  }
}
