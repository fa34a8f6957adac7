/**
 * Training pictures moved at random, so that a network learns shapes and not places. The moves depend on seed, epoch and
 * batch alone: a resumed run sees the same pictures.
 */
import { ShapeError, ValueError } from "../core/errors.js";
import { philox } from "../core/random.js";
import { formatShape } from "../core/shape.js";
import { fromTypedArray } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { mapBatches } from "./mapBatches.js";
import type { BatchSource } from "./steps.js";

export interface ShiftOptions {
  /** The farthest move along each side, in pixels. */
  readonly pixels: number;
  /** Decides the moves: a whole number from 0 to 2⁵³ − 1. */
  readonly seed: number;
}

/** Sets these draws apart from all others under the same seed. */
const shiftStream = 0x73686966;

/**
 * A loader whose pictures [B, C, H, W] are each moved by up to so many pixels up or down, left or right. The outermost rows
 * and columns are repeated where a picture was moved away from.
 *
 * @throws ValueError unless `pixels` is a whole number ≥ 0.
 */
export function shiftImages(source: BatchSource, { pixels, seed }: ShiftOptions): BatchSource {
  if (!Number.isInteger(pixels) || pixels < 0)
    throw new ValueError("shiftImages", `pixels is ${pixels}; expected a whole number ≥ 0`);
  return mapBatches(source, ([images, ...rest], { epoch, batch }) => [
    shiftBatch(images!, pixels, seed, [shiftStream, epoch, batch]),
    ...rest,
  ]);
}

function shiftBatch(
  images: Tensor,
  pixels: number,
  seed: number,
  [stream, epoch, batch]: readonly [number, number, number],
): Tensor {
  const { shape, data } = images;
  if (shape.length !== 4 || !(data instanceof Float32Array)) {
    const came = `${images.dtype} ${formatShape(shape)}`;
    throw new ShapeError("shiftImages", `pictures are ${came}; expected float32 [B, C, H, W]`);
  }
  const [count, channels, height, width] = shape as readonly [number, number, number, number];
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0] as const;
  const words = new Uint32Array(4);
  const out = new Float32Array(data.length);
  const size = height * width;
  for (let i = 0; i < count; i++) {
    philox(key, [i, stream, epoch, batch], words);
    const [down, right] = [0, 1].map((k) => (words[k]! % (2 * pixels + 1)) - pixels);
    for (let c = 0; c < channels; c++) {
      const start = (i * channels + c) * size;
      const plane = { from: data.subarray(start, start + size), to: out.subarray(start) };
      shiftPlane(plane, height, width, down!, right!);
    }
  }
  return fromTypedArray(out, { shape });
}

interface Plane {
  readonly from: Float32Array;
  readonly to: Float32Array;
}

function shiftPlane(
  { from, to }: Plane,
  height: number,
  width: number,
  down: number,
  right: number,
): void {
  for (let y = 0; y < height; y++) {
    const row = Math.min(Math.max(y - down, 0), height - 1) * width;
    for (let x = 0; x < width; x++)
      to[y * width + x] = from[row + Math.min(Math.max(x - right, 0), width - 1)]!;
  }
}
