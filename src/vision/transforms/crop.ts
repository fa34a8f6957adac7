/** Pictures cut, framed and resized. Read transform.ts for the random forms. */
import { ShapeError, ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import { cat, interpolate, pad as padOp, stack, where } from "../../ops/index.js";
import { arange, fullLike } from "../../tensor/create.js";
import { Tensor } from "../../tensor/tensor.js";
import { sampleAt } from "./geometry.js";
import {
  asList,
  checkChoice,
  type Fill,
  fillOf,
  onBatch,
  type PerPicture,
  pairOf,
  type White,
} from "./pictures.js";

/** Pixels on all sides; left and right, top and bottom; or left, top, right, bottom. */
export type Padding =
  | number
  | readonly [number, number]
  | readonly [number, number, number, number];

export interface PadImageOptions {
  /** The new pixels' colour in mode "constant"; default 0. */
  readonly fill?: Fill;
  /** Default "constant". */
  readonly paddingMode?: "constant" | "edge" | "reflect";
}

/** Pixels left, top, right and bottom. */
export function sidesOf(op: string, padding: Padding): [number, number, number, number] {
  const list = typeof padding === "number" ? [padding, padding] : padding;
  const [left, top, right = left, bottom = top] = list as readonly number[];
  const sides = [left!, top!, right!, bottom!] as [number, number, number, number];
  const isWhole = sides.every((n) => Number.isInteger(n) && n >= 0);
  if (!isWhole || (list.length as number) === 3 || list.length > 4)
    throw new ValueError(
      op,
      `padding is ${JSON.stringify(padding)}; expected whole numbers ≥ 0: one, two or four`,
    );
  return sides;
}

/**
 * A frame of new pixels around pictures.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.pad(tensor([[[5]]]), [1, 0]).flatten().toArray()); // → [ 0, 5, 0 ]
 * ```
 */
export function pad(x: Tensor, padding: Padding, options: PadImageOptions = {}): Tensor {
  const op = "pad";
  const { fill = 0, paddingMode = "constant" } = options;
  checkChoice(op, "paddingMode", paddingMode, ["constant", "edge", "reflect"]);
  const [left, top, right, bottom] = sidesOf(op, padding);
  const sides = [left, right, top, bottom];
  const frame = (batch: Tensor, white: White) => {
    if (paddingMode !== "constant")
      return padOp(batch, sides, { mode: paddingMode === "edge" ? "replicate" : "reflect" });
    const colour = fillOf(op, fill, batch, white);
    if (typeof fill === "number") return padOp(batch, sides, { value: fill });
    const inside = padOp(fullLike(batch, 1), sides);
    return where(inside.gt(0), padOp(batch, sides), colour);
  };
  return onBatch(op, x, frame, "kept");
}

/** Rows or columns `from` … `from + length − 1` of each picture, wherever they begin. */
function pickAlong(x: Tensor, dim: 2 | 3, from: Tensor, length: number): Tensor {
  const count = x.shape[0]!;
  const shape = [count, x.shape[1]!, x.shape[2]!, x.shape[3]!];
  shape[dim] = length;
  const places = arange(length, { dtype: "int32" });
  const starts = from.int().reshape([-1, 1]);
  const all = starts.add(places).reshape(dim === 2 ? [-1, 1, length, 1] : [-1, 1, 1, length]);
  return x.gather(dim, all.expand(shape));
}

/**
 * Cuts a rectangle out. Numbers may reach outside, where the result is black; tensors [B], one place a picture, must not.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.crop(tensor([[[1, 2, 3]]]), 0, 1, 1, 2).flatten().toArray()); // → [ 2, 3 ]
 * ```
 */
export function crop(
  x: Tensor,
  top: PerPicture,
  left: PerPicture,
  height: number,
  width: number,
): Tensor {
  const op = "crop";
  pairOf(op, "size", [height, width]);
  const cut = (batch: Tensor) => {
    if (top instanceof Tensor || left instanceof Tensor) {
      const [rows, columns] = [
        asList(op, "top", top, batch.shape[0]!),
        asList(op, "left", left, batch.shape[0]!),
      ];
      return pickAlong(pickAlong(batch, 2, rows, height), 3, columns, width);
    }
    if (!Number.isInteger(top) || !Number.isInteger(left))
      throw new ValueError(op, `the corner is ${top}, ${left}; expected whole numbers`);
    const [rows, columns] = [batch.shape[2]!, batch.shape[3]!];
    const over = (n: number) => Math.max(0, n);
    const [above, before] = [over(-top), over(-left)];
    const [below, behind] = [over(top + height - rows), over(left + width - columns)];
    const wide =
      above + before + below + behind > 0 ? padOp(batch, [before, behind, above, below]) : batch;
    return wide.narrow(2, top + above, height).narrow(3, left + before, width);
  };
  return onBatch(op, x, cut, "kept");
}

/** Python's rounding: halves to the even neighbour. */
function roundEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * Cuts the middle out; smaller pictures are framed in black first.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.centerCrop(tensor([[[1, 2, 3]]]), 1).flatten().toArray()); // → [ 2 ]
 * ```
 */
export function centerCrop(x: Tensor, size: number | readonly number[]): Tensor {
  const [height, width] = pairOf("centerCrop", "size", size);
  const cut = (batch: Tensor) => {
    const [rows, columns] = [batch.shape[2]!, batch.shape[3]!];
    const sides = [
      [width, columns],
      [height, rows],
    ].map(([wanted, has]) => Math.max(0, (wanted! - has!) / 2));
    const [across, down] = sides as [number, number];
    const wide = pad(batch, [
      Math.floor(across),
      Math.floor(down),
      Math.floor(across + 0.5),
      Math.floor(down + 0.5),
    ]);
    const top = roundEven((wide.shape[2]! - height) / 2);
    const left = roundEven((wide.shape[3]! - width) / 2);
    return crop(wide, top, left, height, width);
  };
  return onBatch("centerCrop", x, cut, "kept");
}

export interface SmoothOptions {
  /** Smooth while shrinking, so that all pixels count; default true, as torchvision's. Without, far smaller pictures get jagged. */
  readonly antialias?: boolean;
}

export interface ResizeOptions extends SmoothOptions {
  /** Default "bilinear". */
  readonly interpolation?: "nearest" | "bilinear" | "bicubic";
}

export const resizeModes = ["nearest", "bilinear", "bicubic"];

/**
 * To [height, width], or the shorter side to one number.
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
  { interpolation = "bilinear", antialias = true }: ResizeOptions = {},
): Tensor {
  const op = "resize";
  checkChoice(op, "interpolation", interpolation, resizeModes);
  const pair = pairOf(op, "size", size);
  const scale = (batch: Tensor) => {
    const [height, width] = [batch.shape[2]!, batch.shape[3]!];
    const [short, long] = [Math.min(height, width), Math.max(height, width)];
    const other = Math.max(1, Math.floor((pair[0] * long) / short));
    const single = typeof size === "number" || size.length === 1;
    const wanted = !single ? pair : width <= height ? [other, pair[0]] : [pair[0], other];
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

/**
 * Upper left, upper right, lower left, lower right and middle parts.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.fiveCrop(tensor([[[1, 2, 3]]]), 1).map((part) => part.item())); // → [ 1, 3, 1, 3, 2 ]
 * ```
 */
export function fiveCrop(x: Tensor, size: number | readonly number[]): Tensor[] {
  const op = "fiveCrop";
  const [height, width] = pairOf(op, "size", size);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  if (height > rows || width > columns)
    throw new ShapeError(op, `${height} × ${width} does not fit into ${formatShape(x.shape)}`);
  const corners = [
    [0, 0],
    [0, columns - width],
    [rows - height, 0],
    [rows - height, columns - width],
  ] as const;
  return [...corners.map(([top, left]) => crop(x, top, left, height, width)), centerCrop(x, size)];
}

export interface TenCropOptions {
  /** Mirror top to bottom instead of left to right; default false. */
  readonly vertical?: boolean;
}

/**
 * {@link fiveCrop} of the picture and of its mirror image.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.tenCrop(tensor([[[1, 2, 3]]]), 1).length); // → 10
 * ```
 */
export function tenCrop(
  x: Tensor,
  size: number | readonly number[],
  { vertical = false }: TenCropOptions = {},
): Tensor[] {
  const mirrored = onBatch("tenCrop", x, (batch) => batch.flip(vertical ? 2 : 3), "kept");
  return [...fiveCrop(x, size), ...fiveCrop(mirrored, size)];
}

/**
 * The mean of a model's outputs over five or ten parts of each picture, as classifiers are tested (Krizhevsky et al., 2012). All parts go
 * through the model as one batch.
 *
 * @example
 * ```ts
 * import { rand, type Tensor } from "gradus";
 * import { averageCrops } from "gradus/vision";
 * const brightness = (x: Tensor) => x.mean([1, 2, 3]);
 * console.log(averageCrops(brightness, rand([2, 3, 8, 8]), 6, { crops: 10 }).shape); // → [ 2 ]
 * ```
 */
export function averageCrops(
  model: (x: Tensor) => Tensor,
  x: Tensor,
  size: number | readonly number[],
  { crops = 5 }: { readonly crops?: 5 | 10 } = {},
): Tensor {
  const op = "averageCrops";
  if (crops !== 5 && crops !== 10) throw new ValueError(op, `crops is ${crops}; expected 5 or 10`);
  if (x.ndim !== 4) throw new ShapeError(op, `x is ${formatShape(x.shape)}; expected [B, C, H, W]`);
  const parts = crops === 5 ? fiveCrop(x, size) : tenCrop(x, size);
  const out = model(cat(parts, 0));
  return out.reshape([crops, x.shape[0]!, ...out.shape.slice(1)]).mean(0);
}

/**
 * Sets a rectangle to a value or a colour.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.erase(tensor([[[1, 2, 3]]]), 0, 1, 1, 1).flatten().toArray()); // → [ 1, 0, 3 ]
 * ```
 */
export function erase(
  x: Tensor,
  top: PerPicture,
  left: PerPicture,
  height: PerPicture,
  width: PerPicture,
  value: Fill | Tensor = 0,
): Tensor {
  const op = "erase";
  const blot = (batch: Tensor, white: White) => {
    const [count, , rows, columns] = batch.shape as [number, number, number, number];
    const list = (name: string, part: PerPicture) =>
      asList(op, name, part, count).reshape([-1, 1, 1, 1]);
    const within = (from: Tensor, length: Tensor, side: number, shape: readonly number[]) => {
      const places = arange(side, { dtype: "float64" }).reshape(shape);
      return places.ge(from).logicalAnd(places.lt(from.add(length)));
    };
    const inRows = within(list("top", top), list("height", height), rows, [1, 1, rows, 1]);
    const inColumns = within(list("left", left), list("width", width), columns, [1, 1, 1, columns]);
    const colour =
      value instanceof Tensor ? value.to(batch.dtype) : fillOf(op, value, batch, white);
    return where(inRows.logicalAnd(inColumns), colour, batch);
  };
  return onBatch(op, x, blot, "kept");
}
