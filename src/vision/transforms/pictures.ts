/** What every transform shares: pictures alone or in batches, and parameters for all of them or one each. Read color.ts next. */
import { isFloat } from "../../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import "../../ops/index.js";
import { tensor } from "../../tensor/create.js";
import { Tensor } from "../../tensor/tensor.js";

/** One number for all pictures, or a tensor [B] with one for each. */
export type PerPicture = number | Tensor;

/** A colour in the pictures' unit, 0 to 1 or whole numbers to 255: one number for all channels, or one each. */
export type Fill = number | readonly number[];

/**
 * How a function of floats takes bytes: not at all; as they are, where it only moves pixels; or as floats from 0 to 255, whose results
 * are rounded, or lose their fractions as torchvision's colours do.
 */
export type ByteRule = "refused" | "kept" | "rounded" | "truncated";

/** Throws unless x is a picture [C, H, W] or a batch [B, C, H, W], of floats or, where they are taken, bytes. */
export function checkPictures(op: string, x: Tensor, bytes: ByteRule = "refused"): void {
  if (!isFloat(x.dtype) && (x.dtype !== "uint8" || bytes === "refused"))
    throw new DTypeError(
      op,
      x.dtype === "uint8"
        ? "pictures are uint8; expected floats from 0 to 1: toFloat(x) makes them of bytes"
        : `pictures are ${x.dtype}; expected floats from 0 to 1 or uint8`,
    );
  if ((x.ndim !== 3 && x.ndim !== 4) || x.shape.slice(-3).includes(0))
    throw new ShapeError(
      op,
      `pictures are ${formatShape(x.shape)}; expected [C, H, W] or [B, C, H, W], not empty`,
    );
}

/** The number that stands for white: 1 of floats, 255 of bytes. */
export type White = 1 | 255;

export const whiteOf = (x: Tensor): White => (x.dtype === "uint8" ? 255 : 1);

/** Runs a function of batches [B, C, H, W] on a picture or a batch; bytes go by the rule. */
export function onBatch(
  op: string,
  x: Tensor,
  run: (batch: Tensor, white: White) => Tensor,
  bytes: ByteRule = "refused",
): Tensor {
  checkPictures(op, x, bytes);
  const white = whiteOf(x);
  const isKept = white === 1 || bytes === "kept";
  const whole = (result: Tensor) => (bytes === "rounded" ? result.round() : result.trunc());
  const runBatch = (batch: Tensor) =>
    isKept ? run(batch, white) : whole(run(batch.float(), white)).clamp(0, 255).byte();
  return x.ndim === 4 ? runBatch(x) : runBatch(x.unsqueeze(0)).squeeze(0);
}

/** Throws unless a parameter is a finite number or one number a picture. */
export function checkPerPicture(op: string, name: string, value: PerPicture, count: number): void {
  if (value instanceof Tensor) {
    if (value.ndim !== 1 || (value.shape[0] !== count && value.shape[0] !== 1))
      throw new ShapeError(op, `${name} is ${formatShape(value.shape)}; expected [${count}]`);
  } else if (!Number.isFinite(value))
    throw new ValueError(op, `${name} is ${value}; expected a finite number`);
}

/** A parameter in the form [B, 1, 1, 1] that goes with pictures. */
export function spread(op: string, name: string, value: PerPicture, x: Tensor): Tensor | number {
  checkPerPicture(op, name, value, x.shape[0]!);
  return value instanceof Tensor ? value.to(x.dtype).reshape([-1, 1, 1, 1]) : value;
}

/** A parameter as a float64 tensor, [B] or [1]. */
export function asList(op: string, name: string, value: PerPicture, count: number): Tensor {
  checkPerPicture(op, name, value, count);
  return value instanceof Tensor ? value.double() : tensor([value], { dtype: "float64" });
}

/** A colour as a tensor [1, C, 1, 1] in the pictures' dtype. */
export function fillOf(op: string, fill: Fill, x: Tensor, white: White): Tensor {
  const values = typeof fill === "number" ? [fill] : [...fill];
  const channels = x.shape[1]!;
  if ((values.length !== 1 && values.length !== channels) || !values.every(Number.isFinite))
    throw new ValueError(op, `fill is ${JSON.stringify(fill)}; expected 1 or ${channels} numbers`);
  if (white === 255 && !values.every((n) => Number.isInteger(n) && n >= 0 && n <= 255))
    throw new ValueError(
      op,
      `fill is ${JSON.stringify(fill)}; expected whole numbers from 0 to 255, since pictures are bytes`,
    );
  return tensor(values, { dtype: x.dtype }).reshape([1, values.length, 1, 1]);
}

/** Throws unless a name is among those known. */
export function checkChoice(
  op: string,
  name: string,
  value: string,
  known: readonly string[],
): void {
  if (!known.includes(value))
    throw new ValueError(op, `${name} is "${value}"; expected ${known.join(", ")}`);
}

/** Height and width from one number or both. */
export function pairOf(
  op: string,
  name: string,
  size: number | readonly number[],
): [number, number] {
  const list =
    typeof size === "number" ? [size, size] : size.length === 1 ? [size[0]!, size[0]!] : size;
  if (list.length !== 2 || !list.every((n) => Number.isInteger(n) && n >= 1))
    throw new ValueError(op, `${name} is ${JSON.stringify(size)}; expected whole numbers ≥ 1`);
  return [list[0]!, list[1]!];
}

/** Throws unless pictures have one of these numbers of channels. */
export function checkChannels(op: string, x: Tensor, known: readonly number[] = [1, 3]): number {
  const channels = x.shape[1]!;
  if (!known.includes(channels))
    throw new ShapeError(op, `pictures have ${channels} channels; expected ${known.join(" or ")}`);
  return channels;
}
