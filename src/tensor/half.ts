/** Tensors from and to the 16-bit floats that other programs store. Read ../core/half.ts for the formats. */
import { isFloat } from "../core/dtype.js";
import { DTypeError, ValueError } from "../core/errors.js";
import { fromHalfBits, type HalfType, toHalfBits } from "../core/half.js";
import { checkShape, type Shape } from "../core/shape.js";
import { checkTensors } from "./apply.js";
import { fromTypedArray, type TensorOptions } from "./create.js";
import type { Tensor } from "./tensor.js";

export interface HalfOptions extends Pick<TensorOptions, "requiresGrad"> {
  /** Default [number of values]. */
  readonly shape?: Shape;
}

function encode(op: string, x: Tensor, type: HalfType): Uint16Array {
  checkTensors(op, [x]);
  if (!isFloat(x.dtype)) throw new DTypeError(op, `needs a float tensor, got ${x.dtype}`);
  return toHalfBits(x.storageFor(op).data, type);
}

function decode(op: string, bits: Uint16Array, type: HalfType, options: HalfOptions): Tensor {
  if (!(bits instanceof Uint16Array))
    throw new ValueError(op, "expected the bits of values in a Uint16Array");
  const shape = checkShape(op, options.shape ?? [bits.length]);
  return fromTypedArray(fromHalfBits(bits, type), { ...options, shape });
}

/**
 * The values of a float tensor as bits of float16 (IEEE 754 binary16): rounded to the nearest, halves to even; what is over 65504
 * by half a step becomes infinite. Nothing is computed in float16: {@link fromFloat16} gives a float32 tensor again.
 *
 * @throws DTypeError unless x is a float tensor; TraceError in compile().
 * @example
 * ```ts
 * import { fromFloat16, tensor, toFloat16 } from "gradus";
 * const bits = toFloat16(tensor([1, 0.1]));
 * console.log(bits[0] === 0x3c00, fromFloat16(bits).toArray()); // → true [ 1, 0.0999755859375 ]
 * ```
 */
export const toFloat16 = (x: Tensor): Uint16Array => encode("toFloat16", x, "float16");

/** A float32 tensor of values that are given as bits of float16; exact. */
export const fromFloat16 = (bits: Uint16Array, options: HalfOptions = {}): Tensor =>
  decode("fromFloat16", bits, "float16", options);

/**
 * The values of a float tensor as bits of bfloat16, the upper half of a float32: rounded to the nearest, halves to even.
 *
 * @throws DTypeError unless x is a float tensor; TraceError in compile().
 * @example
 * ```ts
 * import { fromBfloat16, tensor, toBfloat16 } from "gradus";
 * console.log(fromBfloat16(toBfloat16(tensor([1, 0.1]))).toArray()); // → [ 1, 0.10009765625 ]
 * ```
 */
export const toBfloat16 = (x: Tensor): Uint16Array => encode("toBfloat16", x, "bfloat16");

/** A float32 tensor of values that are given as bits of bfloat16; exact. */
export const fromBfloat16 = (bits: Uint16Array, options: HalfOptions = {}): Tensor =>
  decode("fromBfloat16", bits, "bfloat16", options);
