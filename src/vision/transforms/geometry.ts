/** Pictures moved, turned and bent: each pixel of the result is read at a place of the picture. Read crop.ts next. */
import { ShapeError, ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import {
  broadcastTensors,
  cat,
  cos,
  gridSample,
  sin,
  solve,
  stack,
  where,
} from "../../ops/index.js";
import { arange, ones, tensor, zeros } from "../../tensor/create.js";
import { Tensor } from "../../tensor/tensor.js";
import { asList, checkChoice, type Fill, fillOf, onBatch, type PerPicture } from "./pictures.js";

export interface SampleOptions {
  /** Between pixels: linear or the nearest one. Default "nearest", as torchvision's. */
  readonly interpolation?: "nearest" | "bilinear";
  /** The colour outside of the picture; default 0. */
  readonly fill?: Fill;
}

/**
 * Mirrored left to right.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.horizontalFlip(tensor([[[1, 2]]])).flatten().toArray()); // → [ 2, 1 ]
 * ```
 */
export const horizontalFlip = (x: Tensor): Tensor => onBatch("horizontalFlip", x, (b) => b.flip(3));

/**
 * Mirrored top to bottom.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.verticalFlip(tensor([[[1], [2]]])).flatten().toArray()); // → [ 2, 1 ]
 * ```
 */
export const verticalFlip = (x: Tensor): Tensor => onBatch("verticalFlip", x, (b) => b.flip(2));

/** Reads a batch at places [B or 1, H′, W′, 2], from −1 to 1. */
export function sampleAt(
  op: string,
  x: Tensor,
  places: Tensor,
  { interpolation = "nearest", fill = 0 }: SampleOptions,
): Tensor {
  checkChoice(op, "interpolation", interpolation, ["nearest", "bilinear"]);
  const [count, , height, width] = x.shape as [number, number, number, number];
  const grid = places.to(x.dtype).expand([count, ...places.shape.slice(1)]);
  const result = gridSample(x, grid, { mode: interpolation });
  const isBlack = typeof fill === "number" ? fill === 0 : fill.every((value) => value === 0);
  if (isBlack) return result;
  const colour = fillOf(op, fill, x);
  const share = gridSample(ones([count, 1, height, width], { dtype: x.dtype }), grid, {
    mode: interpolation,
  });
  if (interpolation === "nearest") return where(share.lt(0.5), colour, result);
  return result.mul(share).add(colour.mul(share.neg().add(1)));
}

/** The centres of pixels of a side, from the middle of the picture, in float64. */
const centers = (n: number): Tensor => arange(n, { dtype: "float64" }).sub((n - 1) / 2);

/** Affine maps from the result's pixels to the picture's, from its middle: six tensors [B]. */
type Matrix = readonly [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];

function affinePlaces(
  m: Matrix,
  [height, width]: readonly [number, number],
  [outHeight, outWidth]: readonly [number, number],
): Tensor {
  const x = centers(outWidth).reshape([1, 1, outWidth]);
  const y = centers(outHeight).reshape([1, outHeight, 1]);
  const [a, b, c, d, e, f] = m.map((part) => part.reshape([-1, 1, 1])) as unknown as Matrix;
  const across = a
    .mul(x)
    .add(b.mul(y))
    .add(c)
    .div(width / 2);
  const down = d
    .mul(x)
    .add(e.mul(y))
    .add(f)
    .div(height / 2);
  // Where only one of them differs from picture to picture, the other is the same for all.
  return stack(broadcastTensors(across, down), 3);
}

export interface AffineParameters {
  /** Degrees, clockwise; default 0. */
  readonly angle?: PerPicture;
  /** Pixels to the right and down; default 0. */
  readonly translate?: readonly [x: PerPicture, y: PerPicture];
  /** Size factor > 0; default 1. */
  readonly scale?: PerPicture;
  /** Degrees along x and y; default 0. */
  readonly shear?: readonly [x: PerPicture, y: PerPicture];
  /** The pixel (x, y) that stays in place; default the middle. */
  readonly center?: readonly [x: number, y: number];
}

/** The inverse of turn, shear, scale and shift around a centre, as torchvision composes them. */
function inverseMatrix(
  op: string,
  parameters: AffineParameters,
  [height, width]: readonly [number, number],
  count: number,
): Matrix {
  const { angle = 0, translate = [0, 0], scale = 1, shear = [0, 0], center } = parameters;
  if (typeof scale === "number" && !(scale > 0))
    throw new ValueError(op, `scale is ${scale}; expected a number > 0`);
  const list = (name: string, value: PerPicture) => asList(op, name, value, count);
  const radians = (name: string, value: PerPicture) => list(name, value).mul(Math.PI / 180);
  const [turn, sx, sy] = [
    radians("angle", angle),
    radians("shear", shear[0]),
    radians("shear", shear[1]),
  ];
  const [tx, ty] = translate.map((value) => list("translate", value)) as [Tensor, Tensor];
  const [cx, cy] = center ? [center[0] - width / 2, center[1] - height / 2] : [0, 0];
  const rest = turn.sub(sy);
  const tangent = sin(sx).div(cos(sx));
  const a = cos(rest).div(cos(sy));
  const b = a.mul(tangent).neg().sub(sin(turn));
  const c = sin(rest).div(cos(sy));
  const d = c.mul(tangent).neg().add(cos(turn));
  const size = list("scale", scale);
  const [m0, m1, m3, m4] = [d, b.neg(), c.neg(), a].map((part) => part.div(size)) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const [dx, dy] = [tx.add(cx).neg(), ty.add(cy).neg()];
  const m2 = m0.mul(dx).add(m1.mul(dy)).add(cx);
  const m5 = m3.mul(dx).add(m4.mul(dy)).add(cy);
  return [m0, m1, m2, m3, m4, m5];
}

const sizeOfPictures = (x: Tensor): [number, number] => [x.shape[2]!, x.shape[3]!];

/**
 * Turned by `angle`, sheared, scaled and shifted, all at once, around the middle.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.affine(tensor([[[1, 2, 3]]]), { translate: [1, 0] }).flatten().toArray()); // → [ 0, 1, 2 ]
 * ```
 */
export function affine(
  x: Tensor,
  { interpolation, fill, ...parameters }: AffineParameters & SampleOptions = {},
): Tensor {
  const op = "affine";
  return onBatch(op, x, (batch) => {
    const size = sizeOfPictures(batch);
    const matrix = inverseMatrix(op, parameters, size, batch.shape[0]!);
    return sampleAt(op, batch, affinePlaces(matrix, size, size), pick(interpolation, fill));
  });
}

/**
 * A batch moved in one of several ways: picture i by the parameters whose mask [B] is true for it; without masks by the
 * first. All are one reading of the batch. @internal
 */
export function affineEach(
  batch: Tensor,
  parameters: readonly AffineParameters[],
  masks: readonly Tensor[] | null,
  sampling: SampleOptions,
): Tensor {
  const op = "affine";
  const size = sizeOfPictures(batch);
  const [first, ...others] = parameters.map((one) =>
    inverseMatrix(op, one, size, batch.shape[0]!),
  ) as [Matrix, ...Matrix[]];
  const matrix = others.reduce(
    (chosen, other, i) =>
      chosen.map((part, k) => where(masks![i + 1]!, other[k]!, part)) as unknown as Matrix,
    first,
  );
  return sampleAt(op, batch, affinePlaces(matrix, size, size), sampling);
}

const pick = (interpolation: SampleOptions["interpolation"], fill: Fill | undefined) => ({
  ...(interpolation && { interpolation }),
  ...(fill !== undefined && { fill }),
});

export interface RotateOptions extends SampleOptions {
  /** Make the result large enough for the whole turned picture; takes one angle for all. */
  readonly expand?: boolean;
  /** The pixel (x, y) that stays in place; default the middle. */
  readonly center?: readonly [x: number, y: number];
}

/** The size that holds a turned picture. */
function turnedSize(degrees: number, [height, width]: readonly [number, number]): [number, number] {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const corners = [-1, 1].map((sign) => [
    Math.abs((c * width) / 2 + (sign * s * height) / 2),
    Math.abs((s * width) / 2 + (sign * c * height) / 2),
  ]);
  const [halfWidth, halfHeight] = [0, 1].map((i) => Math.max(...corners.map((p) => p[i]!)));
  const whole = (half: number, side: number) => {
    const cutOff = (value: number) => Math.trunc(value / 1e-4) * 1e-4;
    return Math.ceil(cutOff(side / 2 + half)) - Math.floor(cutOff(side / 2 - half));
  };
  return [whole(halfHeight!, height), whole(halfWidth!, width)];
}

/**
 * Turned counter-clockwise by degrees around the middle or another centre.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.rotate(tensor([[[1, 2], [3, 4]]]), 90).flatten().toArray()); // → [ 2, 4, 1, 3 ]
 * ```
 */
export function rotate(x: Tensor, angle: PerPicture, options: RotateOptions = {}): Tensor {
  const op = "rotate";
  const { interpolation, fill, expand = false, center } = options;
  if (expand && (typeof angle !== "number" || center))
    throw new ValueError(op, "expand takes one angle for all pictures, and no center");
  return onBatch(op, x, (batch) => {
    const size = sizeOfPictures(batch);
    const opposite = typeof angle === "number" ? -angle : angle.neg();
    const matrix = inverseMatrix(
      op,
      { angle: opposite, ...(center && { center }) },
      size,
      batch.shape[0]!,
    );
    const out = expand ? turnedSize(angle as number, size) : size;
    return sampleAt(op, batch, affinePlaces(matrix, size, out), pick(interpolation, fill));
  });
}

/** Four points (x, y) in pixels: upper left, upper right, lower right, lower left. */
export type Corners = Tensor | readonly (readonly [x: number, y: number])[];

function cornersOf(op: string, name: string, corners: Corners, count: number): Tensor {
  const list = corners instanceof Tensor ? corners.double() : tensor(corners, { dtype: "float64" });
  const all = list.ndim === 2 ? list.unsqueeze(0) : list;
  const [batch, ...rest] = all.shape;
  if (String(rest) !== "4,2" || (batch !== 1 && batch !== count))
    throw new ShapeError(op, `${name} is ${formatShape(list.shape)}; expected [4, 2] or [B, 4, 2]`);
  return all;
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

/**
 * Seen from the side: the points `start` of the picture move to the points `end`.
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
  return onBatch(op, x, (batch) => {
    const count = batch.shape[0]!;
    const [height, width] = sizeOfPictures(batch);
    const [to, from] = [cornersOf(op, "start", start, count), cornersOf(op, "end", end, count)];
    const m = projection(
      from.shape[0] === to.shape[0] ? from : from.add(to.mul(0)),
      to.add(from.mul(0)),
    );
    const number = (i: number) => m.narrow(1, i, 1).reshape([-1, 1, 1]);
    const across = arange(width, { dtype: "float64" }).add(0.5).reshape([1, 1, width]);
    const down = arange(height, { dtype: "float64" }).add(0.5).reshape([1, height, 1]);
    const row = (i: number) =>
      number(i)
        .mul(across)
        .add(number(i + 1).mul(down));
    const depth = row(6).add(1);
    const places = stack(
      [
        row(0)
          .add(number(2))
          .div(width / 2)
          .div(depth)
          .sub(1),
        row(3)
          .add(number(5))
          .div(height / 2)
          .div(depth)
          .sub(1),
      ],
      3,
    );
    return sampleAt(op, batch, places, { interpolation: "bilinear", ...options });
  });
}

/**
 * Each pixel read beside its place: displacement [B or 1, H, W, 2] as (x, y), where the picture is 2 wide and high.
 * @example
 * ```ts
 * import { rand, zeros } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.elastic(rand([3, 4, 4]), zeros([1, 4, 4, 2])).shape); // → [ 3, 4, 4 ]
 * ```
 */
export function elastic(x: Tensor, displacement: Tensor, options: SampleOptions = {}): Tensor {
  const op = "elastic";
  return onBatch(op, x, (batch) => {
    const [height, width] = sizeOfPictures(batch);
    const [count, ...rest] = displacement.shape;
    if (String(rest) !== `${height},${width},2` || (count !== 1 && count !== batch.shape[0]))
      throw new ShapeError(
        op,
        `displacement is ${formatShape(displacement.shape)}; expected [B, ${height}, ${width}, 2]`,
      );
    const zero = zeros([1], { dtype: "float64" });
    const one = zero.add(1);
    const still = affinePlaces(
      [one, zero, zero, zero, one, zero],
      [height, width],
      [height, width],
    );
    const places = still.add(displacement.double());
    return sampleAt(op, batch, places, { interpolation: "bilinear", ...options });
  });
}
