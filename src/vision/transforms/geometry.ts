/** Pictures moved, turned and bent: each pixel of the result is read at a place of the picture. Read perspective.ts next. */
import { ShapeError, ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import { broadcastTensors, cos, gridSample, sin, stack, where } from "../../ops/index.js";
import { arange, ones, zeros } from "../../tensor/create.js";
import type { Tensor } from "../../tensor/tensor.js";
import {
  asList,
  checkChoice,
  type Fill,
  fillOf,
  onBatch,
  type PerPicture,
  type White,
} from "./pictures.js";

export interface SampleOptions {
  /** Between pixels: linear or the nearest one. Default "nearest", as torchvision's. */
  readonly interpolation?: "nearest" | "bilinear";
  /** The colour outside of the picture; default 0. */
  readonly fill?: Fill;
}

export const sampleModes = ["nearest", "bilinear"];

/**
 * Mirrored left to right.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.horizontalFlip(tensor([[[1, 2]]])).flatten().toArray()); // → [ 2, 1 ]
 * ```
 */
export const horizontalFlip = (x: Tensor): Tensor =>
  onBatch("horizontalFlip", x, (b) => b.flip(3), "kept");

/**
 * Mirrored top to bottom.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { functional as T } from "gradus/vision";
 * console.log(T.verticalFlip(tensor([[[1], [2]]])).flatten().toArray()); // → [ 2, 1 ]
 * ```
 */
export const verticalFlip = (x: Tensor): Tensor =>
  onBatch("verticalFlip", x, (b) => b.flip(2), "kept");

/** A place that is more than a pixel outside of any picture, which reaches from −1 to 1. */
const outside = 4;

/** Reads a batch of floats at places [B or 1, H′, W′, 2], from −1 to 1. */
export function sampleAt(
  op: string,
  x: Tensor,
  places: Tensor,
  { interpolation = "nearest", fill = 0, white }: SampleOptions & { readonly white: White },
): Tensor {
  checkChoice(op, "interpolation", interpolation, sampleModes);
  const [count, , height, width] = x.shape as [number, number, number, number];
  // Farther places are outside as well, and numbers without end would spoil the weights of pixels.
  const near = where(places.abs().le(outside), places, outside);
  const grid = near.to(x.dtype).expand([count, ...places.shape.slice(1)]);
  const result = gridSample(x, grid, { mode: interpolation });
  const isBlack = typeof fill === "number" ? fill === 0 : fill.every((value) => value === 0);
  if (isBlack) return result;
  const colour = fillOf(op, fill, x, white);
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

export const sizeOfPictures = (x: Tensor): [number, number] => [x.shape[2]!, x.shape[3]!];

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
  const move = (batch: Tensor, white: White) => {
    const size = sizeOfPictures(batch);
    const matrix = inverseMatrix(op, parameters, size, batch.shape[0]!);
    const sampling = { ...pick(interpolation, fill), white };
    return sampleAt(op, batch, affinePlaces(matrix, size, size), sampling);
  };
  return onBatch(op, x, move, "rounded");
}

/**
 * A batch moved in one of several ways: picture i by the parameters whose mask [B] is true for it; without masks by the
 * first. All are one reading of the batch. @internal
 */
export function affineEach(
  x: Tensor,
  parameters: readonly AffineParameters[],
  masks: readonly Tensor[] | null,
  sampling: SampleOptions,
): Tensor {
  const op = "affine";
  const size = sizeOfPictures(x);
  const [first, ...others] = parameters.map((one) => inverseMatrix(op, one, size, x.shape[0]!)) as [
    Matrix,
    ...Matrix[],
  ];
  const matrix = others.reduce(
    (chosen, other, i) =>
      chosen.map((part, k) => where(masks![i + 1]!, other[k]!, part)) as unknown as Matrix,
    first,
  );
  const places = affinePlaces(matrix, size, size);
  const move = (batch: Tensor, white: White) => sampleAt(op, batch, places, { ...sampling, white });
  return onBatch(op, x, move, "rounded");
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
  const turn = (batch: Tensor, white: White) => {
    const size = sizeOfPictures(batch);
    const opposite = typeof angle === "number" ? -angle : angle.neg();
    const matrix = inverseMatrix(
      op,
      { angle: opposite, ...(center && { center }) },
      size,
      batch.shape[0]!,
    );
    const out = expand ? turnedSize(angle as number, size) : size;
    const sampling = { ...pick(interpolation, fill), white };
    return sampleAt(op, batch, affinePlaces(matrix, size, out), sampling);
  };
  return onBatch(op, x, turn, "rounded");
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
  const bend = (batch: Tensor, white: White) => {
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
    return sampleAt(op, batch, places, { interpolation: "bilinear", ...options, white });
  };
  return onBatch(op, x, bend, "rounded");
}
