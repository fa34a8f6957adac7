/** Pictures as if seen from the side. Read crop.ts next. */
import { ShapeError, ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import { cat, solve, stack } from "../../ops/index.js";
import { arange, tensor } from "../../tensor/create.js";
import { Tensor } from "../../tensor/tensor.js";
import { type SampleOptions, sampleAt, sizeOfPictures } from "./geometry.js";
import { onBatch, type White } from "./pictures.js";

/** Four points (x, y) in pixels: upper left, upper right, lower right, lower left. */
export type Corners = Tensor | readonly (readonly [x: number, y: number])[];

/** The three corners that are left without one, for each. */
const triples = [0, 1, 2, 3].map((left) => [0, 1, 2, 3].filter((i) => i !== left));

function checkCorners(op: string, name: string, corners: Exclude<Corners, Tensor>): void {
  const isInLine = ([i, j, k]: readonly number[]) => {
    const [[ax, ay], [bx, by], [cx, cy]] = [corners[i!]!, corners[j!]!, corners[k!]!];
    return (bx - ax) * (cy - ay) === (by - ay) * (cx - ax);
  };
  if (corners.length === 4 && triples.some(isInLine))
    throw new ValueError(
      op,
      `${name} is [${corners.join("; ")}]; three of the corners are in a line`,
    );
}

function cornersOf(op: string, name: string, corners: Corners, count: number): Tensor {
  const list = corners instanceof Tensor ? corners.double() : tensor(corners, { dtype: "float64" });
  const all = list.ndim === 2 ? list.unsqueeze(0) : list;
  const [batch, ...rest] = all.shape;
  if (String(rest) !== "4,2" || (batch !== 1 && batch !== count))
    throw new ShapeError(op, `${name} is ${formatShape(list.shape)}; expected [4, 2] or [B, 4, 2]`);
  if (!(corners instanceof Tensor)) checkCorners(op, name, corners);
  return all;
}

/**
 * Whether corners [B, 4, 2] are those of a rectangle seen from the front, as a convex form with its corners in their order: bool [B]. Others
 * have no map, or one that tears the picture.
 */
export function isSeen(corners: Tensor): Tensor {
  const ahead = corners.roll(-1, 1).sub(corners);
  const [x, y] = [ahead.select(2, 0), ahead.select(2, 1)];
  const turns = x.mul(y.roll(-1, 1)).sub(y.mul(x.roll(-1, 1)));
  return turns.gt(0).int().sum(1).eq(4);
}

/** The eight numbers of the projective maps that send `from` to `to`: [B, 8]. */
function projection(from: Tensor, to: Tensor): Tensor {
  const [x, y] = [from.select(2, 0), from.select(2, 1)];
  const [u, v] = [to.select(2, 0), to.select(2, 1)];
  const [zero, one] = [x.mul(0), x.mul(0).add(1)];
  const rows = [
    [x, y, one, zero, zero, zero, x.mul(u).neg(), y.mul(u).neg()],
    [zero, zero, zero, x, y, one, x.mul(v).neg(), y.mul(v).neg()],
  ].map((parts) => stack(parts, 2));
  return solve(cat(rows, 1), cat([u, v], 1).unsqueeze(2)).squeeze(2);
}

/** Where the pixels of the result lie in the picture, [B, H, W, 2] from −1 to 1. */
function projectedPlaces(from: Tensor, to: Tensor, [height, width]: readonly [number, number]) {
  // The eight numbers have the depth of the origin for their unit. In the middle of the corners none is without depth, elsewhere one may be.
  const middle = from.mean(1, { keepDim: true });
  const m = projection(from.sub(middle), to);
  const number = (i: number) => m.narrow(1, i, 1).reshape([-1, 1, 1]);
  const pixels = (side: number, axis: number) =>
    arange(side, { dtype: "float64" })
      .add(0.5)
      .sub(middle.narrow(2, axis, 1).reshape([-1, 1]));
  const across = pixels(width, 0).unsqueeze(1);
  const down = pixels(height, 1).unsqueeze(2);
  const row = (i: number) =>
    number(i)
      .mul(across)
      .add(number(i + 1).mul(down));
  const depth = row(6).add(1);
  const place = (i: number, side: number) =>
    row(i)
      .add(number(i + 2))
      .div(side / 2)
      .div(depth)
      .sub(1);
  return stack([place(0, width), place(3, height)], 3);
}

/**
 * Seen from the side: the points `start` of the picture move to the points `end`.
 *
 * @throws ValueError where three corners are in a line; ShapeError unless there are four.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { functional as T } from "gradus/vision";
 * const corners = [[0, 0], [7, 0], [7, 7], [0, 7]] as const;
 * const seen = [[1, 0], [6, 1], [7, 7], [0, 6]] as const;
 * console.log(T.perspective(rand([3, 8, 8]), corners, seen).shape); // → [ 3, 8, 8 ]
 * ```
 */
export function perspective(
  x: Tensor,
  start: Corners,
  end: Corners,
  options: SampleOptions = {},
): Tensor {
  const op = "perspective";
  const project = (batch: Tensor, white: White) => {
    const count = batch.shape[0]!;
    const [to, from] = [cornersOf(op, "start", start, count), cornersOf(op, "end", end, count)];
    const places = projectedPlaces(
      from.shape[0] === to.shape[0] ? from : from.add(to.mul(0)),
      to.add(from.mul(0)),
      sizeOfPictures(batch),
    );
    return sampleAt(op, batch, places, { interpolation: "bilinear", ...options, white });
  };
  return onBatch(op, x, project, "rounded");
}
