/** Pictures, and parts of them, brought to a size. Read transform.ts for the random forms. */
import { ValueError } from "../../core/errors.js";
import { interpolate, stack, where } from "../../ops/index.js";
import { arange } from "../../tensor/create.js";
import type { Tensor } from "../../tensor/tensor.js";
import { sampleAt } from "./geometry.js";
import { asList, checkChoice, onBatch, type PerPicture, pairOf, type White } from "./pictures.js";

export interface SmoothOptions {
  /** Smooth while shrinking, so that all pixels count; default true, as torchvision's. Without, far smaller pictures get jagged. */
  readonly antialias?: boolean;
}

export interface ResizeOptions extends SmoothOptions {
  /** Default "bilinear". */
  readonly interpolation?: "nearest" | "bilinear" | "bicubic";
  /** The most pixels of the longer side, where the shorter one has its number; it gets fewer then. */
  readonly maxSize?: number;
}

const resizeModes = ["nearest", "bilinear", "bicubic"];

/** Whether a size is that of the shorter side. */
const isShorterSide = (size: number | readonly number[]): boolean =>
  typeof size === "number" || size.length === 1;

/** Throws unless options of {@link resize} go with each other. */
export function checkResize(
  op: string,
  size: number | readonly number[],
  { interpolation, maxSize }: ResizeOptions,
): void {
  const [first] = pairOf(op, "size", size);
  if (interpolation !== undefined) checkChoice(op, "interpolation", interpolation, resizeModes);
  if (
    maxSize !== undefined &&
    !(isShorterSide(size) && Number.isInteger(maxSize) && maxSize > first)
  )
    throw new ValueError(
      op,
      `maxSize is ${maxSize}; expected a whole number over a size that is one number, not ${JSON.stringify(size)}`,
    );
}

/** Height and width of a picture whose shorter side gets `short` pixels, or fewer. */
function shorterTo(
  short: number,
  [height, width]: readonly [number, number],
  maxSize: number = Number.POSITIVE_INFINITY,
): [number, number] {
  const long = Math.max(1, Math.floor((short * Math.max(height, width)) / Math.min(height, width)));
  const sides =
    long > maxSize ? [Math.max(1, Math.floor((maxSize * short) / long)), maxSize] : [short, long];
  return width <= height ? [sides[1]!, sides[0]!] : [sides[0]!, sides[1]!];
}

/**
 * To [height, width], or the shorter side to one number.
 *
 * @throws ValueError for sizes that are no whole numbers ≥ 1.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.resize(tensor([[[0, 1]]]), [1, 4]).flatten().toArray()); // → [ 0, 0.25, 0.75, 1 ]
 * ```
 */
export function resize(
  x: Tensor,
  size: number | readonly number[],
  options: ResizeOptions = {},
): Tensor {
  const op = "resize";
  const { interpolation = "bilinear", antialias = true, maxSize } = options;
  checkResize(op, size, options);
  const pair = pairOf(op, "size", size);
  const scale = (batch: Tensor) => {
    const [height, width] = [batch.shape[2]!, batch.shape[3]!];
    const wanted = isShorterSide(size) ? shorterTo(pair[0], [height, width], maxSize) : pair;
    if (wanted[0] === height && wanted[1] === width) return batch;
    const isSmooth = antialias && interpolation !== "nearest";
    return interpolate(batch, { size: wanted, mode: interpolation, antialias: isSmooth });
  };
  return onBatch(op, x, scale, "rounded");
}

/** Places along a side of `length` read for `out` pixels from `from` on; never beyond the part's own outermost pixels. */
function partPlaces(from: Tensor, length: Tensor, out: number, side: number): Tensor {
  const steps = arange(out, { dtype: "float64" }).add(0.5).div(out).reshape([1, out]);
  const [start, size] = [from.reshape([-1, 1]), length.reshape([-1, 1])];
  const inside = steps.mul(size).sub(0.5).clamp(0, null);
  const last = size.sub(1);
  const place = where(inside.gt(last), last.add(inside.mul(0)), inside).add(start);
  return place.mul(2).add(1).div(side).sub(1);
}

/**
 * What each of `out` pixels takes of a side's pixels `from` … `from + length − 1`: a triangle as wide as it is far to the next, and
 * at least as two pixels. [B or 1, out, side], rows of sum 1.
 */
function partWeights(from: Tensor, length: Tensor, out: number, side: number): Tensor {
  const [start, size] = [from.reshape([-1, 1, 1]), length.reshape([-1, 1, 1])];
  const scale = size.div(out);
  const steps = arange(out, { dtype: "float64" }).add(0.5).reshape([1, out, 1]);
  const pixels = arange(side, { dtype: "float64" }).reshape([1, 1, side]);
  const distance = pixels.add(0.5).sub(start).sub(steps.mul(scale)).abs();
  const isInside = pixels.ge(start).logicalAnd(pixels.lt(start.add(size)));
  const raw = distance.div(scale.clamp(1, null)).neg().add(1).clamp(0, null);
  const weights = raw.mul(isInside.double());
  // A part that lies outside, which only a tensor can ask for, is black, not 0 / 0.
  return weights.div(weights.sum(2, { keepDim: true }).clamp(1e-12, null));
}

/** Throws unless a part of a side, where it is given by numbers, lies inside. */
function checkPart(
  name: string,
  [from, length]: readonly [PerPicture, PerPicture],
  side: number,
): void {
  if (typeof from !== "number" || typeof length !== "number") return;
  if (!(from >= 0 && length >= 1 && from + length <= side))
    throw new ValueError(
      "resizedCrop",
      `${name} ${from} to ${from + length} are not inside of 0 to ${side}; crop and resize add black`,
    );
}

/**
 * Cuts a rectangle out and resizes it, bilinear; rectangles may be tensors [B], one a picture, and must lie inside.
 *
 * @throws ValueError for a rectangle that does not lie inside.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.resizedCrop(tensor([[[9, 0, 1]]]), 0, 1, 1, 2, [1, 4]).flatten().toArray()); // ≈ [ 0, 0.25, 0.75, 1 ]
 * ```
 */
export function resizedCrop(
  x: Tensor,
  top: PerPicture,
  left: PerPicture,
  height: PerPicture,
  width: PerPicture,
  size: number | readonly number[],
  { antialias = true }: SmoothOptions = {},
): Tensor {
  const op = "resizedCrop";
  const [outHeight, outWidth] = pairOf(op, "size", size);
  const take = (batch: Tensor, white: White) => {
    const [count, , rows, columns] = batch.shape as [number, number, number, number];
    const list = (name: string, value: PerPicture) => asList(op, name, value, count);
    checkPart("rows", [top, height], rows);
    checkPart("columns", [left, width], columns);
    const [down, right] = [
      [list("top", top), list("height", height), outHeight, rows],
      [list("left", left), list("width", width), outWidth, columns],
    ] as const;
    if (antialias) {
      const [vertical, horizontal] = [partWeights(...down), partWeights(...right)];
      const wide = (weights: Tensor) => weights.to(batch.dtype).unsqueeze(1);
      return wide(vertical).matmul(batch).matmul(wide(horizontal).transpose(2, 3));
    }
    const [y, across] = [partPlaces(...down), partPlaces(...right)];
    const batches = Math.max(y.shape[0]!, across.shape[0]!);
    const shape = [batches, outHeight, outWidth];
    const places = stack([across.unsqueeze(1).expand(shape), y.unsqueeze(2).expand(shape)], 3);
    return sampleAt(op, batch, places, { interpolation: "bilinear", white });
  };
  return onBatch(op, x, take, "rounded");
}
