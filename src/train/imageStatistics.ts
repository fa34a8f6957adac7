/** What a set of pictures looks like as a whole: the numbers that normalise them, and how their background is. */
import { ShapeError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import type { ArrayData } from "../io/arrayData.js";

export interface ImageStatistics {
  /** Of all pixels, 0 (black) to 1 (white). */
  readonly mean: number;
  readonly std: number;
  /** Mean of the outermost pixels: what a picture's background is like. */
  readonly background: number;
  /** Mean share of the frame's longer side that what stands out from the background takes. */
  readonly extent: number;
}

/**
 * Mean and standard deviation of the pixels of uint8 pictures [N, H, W], as numbers from 0 to 1. Sums are of whole numbers,
 * so that the result is exact.
 *
 * @throws ShapeError for anything but uint8 [N, H, W].
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { imageStatistics } from "gradus/train";
 * const images = tensor(new Uint8Array([0, 255]), { shape: [1, 1, 2] });
 * console.log(imageStatistics(images).mean); // → 0.5
 * ```
 */
export function imageStatistics({ shape, dtype, data }: ArrayData): ImageStatistics {
  if (dtype !== "uint8" || shape.length !== 3 || data.length === 0) {
    const came = `${dtype} ${formatShape(shape)}`;
    throw new ShapeError("imageStatistics", `pictures are ${came}; expected uint8 [N, H, W]`);
  }
  const [count, height, width] = shape as readonly [number, number, number];
  const histogram = new Float64Array(256);
  for (let i = 0; i < data.length; i++) histogram[data[i]!]!++;
  const sum = (weigh: (byte: number) => number): number =>
    histogram.reduce((total, n, byte) => total + n * weigh(byte), 0);
  const mean = sum((byte) => byte) / data.length;
  const variance = sum((byte) => byte * byte) / data.length - mean * mean;
  const edges = borderPixels(height, width);
  let edge = 0;
  for (let n = 0; n < count; n++) for (const i of edges) edge += data[n * height * width + i]!;
  const background = edge / (edges.length * count);
  const extent = meanExtent(data, count, height, width, background);
  // Pictures that are all alike have no spread to divide by.
  const std = Math.sqrt(Math.max(variance, 0)) / 255 || 1;
  return { mean: mean / 255, std, background: background / 255, extent };
}

/** What differs from the background by more than this belongs to what is shown. */
const visibleBytes = 64;

function meanExtent(
  data: ArrayLike<number>,
  count: number,
  height: number,
  width: number,
  background: number,
): number {
  let sum = 0;
  for (let n = 0; n < count; n++) {
    let [left, right, top, bottom] = [width, 0, height, 0];
    const start = n * height * width;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        if (Math.abs(data[start + y * width + x]! - background) <= visibleBytes) continue;
        if (x < left) left = x;
        if (x >= right) right = x + 1;
        if (y < top) top = y;
        bottom = y + 1;
      }
    // A blank picture fills its frame as much as any other.
    sum += right > left ? Math.max(right - left, bottom - top) : Math.max(height, width);
  }
  return sum / count / Math.max(height, width);
}

/** The places of the outermost pixels of a picture, row-major. */
export function borderPixels(height: number, width: number): number[] {
  return Array.from({ length: height * width }, (_, i) => i).filter((i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    return y === 0 || x === 0 || y === height - 1 || x === width - 1;
  });
}
