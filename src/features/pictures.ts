/** Pictures as feature steps read them: [N, H, W] or [N, C, H, W]. Read hog.ts next. */
import { ShapeError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import type { ArrayData } from "../io/arrayData.js";

export interface Pictures {
  readonly data: ArrayLike<number>;
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export function picturesOf(op: string, { data, shape }: ArrayData): Pictures {
  const [count = 0, ...rest] = shape;
  const [channels = 0, height = 0, width = 0] = rest.length === 2 ? [1, ...rest] : rest;
  if (rest.length < 2 || rest.length > 3 || count * channels * height * width === 0)
    throw new ShapeError(
      op,
      `pictures are ${formatShape(shape)}; expected [N, H, W] or [N, C, H, W], not empty`,
    );
  return { data, count, channels, height, width };
}
