/** Pictures cut and framed. Read resize.ts next. */
import { ShapeError, ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import { cat, pad as padOp, where } from "../../ops/index.js";
import { arange, fullLike } from "../../tensor/create.js";
import { Tensor } from "../../tensor/tensor.js";
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
  /** Default "constant"; "reflect" mirrors at the outermost pixels, "symmetric" repeats them too. */
  readonly paddingMode?: "constant" | "edge" | "reflect" | "symmetric";
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

/** Pictures with so many pixels more on both ends of a side, mirrored at the borders. */
function mirror(x: Tensor, dim: 2 | 3, before: number, behind: number): Tensor {
  const side = x.shape[dim]!;
  if (before > side || behind > side)
    throw new ValueError(
      "pad",
      `mode "symmetric" has at most ${side} pixels to repeat, got ${before} and ${behind}`,
    );
  const [first, last] = [x.narrow(dim, 0, before), x.narrow(dim, side - behind, behind)];
  return cat([first.flip(dim), x, last.flip(dim)], dim);
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
  checkChoice(op, "paddingMode", paddingMode, ["constant", "edge", "reflect", "symmetric"]);
  const [left, top, right, bottom] = sidesOf(op, padding);
  const sides = [left, right, top, bottom];
  const frame = (batch: Tensor, white: White) => {
    if (paddingMode === "symmetric") return mirror(mirror(batch, 2, top, bottom), 3, left, right);
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
