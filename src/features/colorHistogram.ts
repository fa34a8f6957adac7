/** How often each hue occurs in a picture. Read pipeline.ts for putting features together. */
import { ShapeError, ValueError } from "../core/errors.js";
import type { ArrayData } from "../io/arrayData.js";
import { fromTypedArray } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { picturesOf } from "./pictures.js";
import { FeatureStep } from "./step.js";

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

  constructor({ bins = 10 }: { readonly bins?: number } = {}) {
    super();
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
