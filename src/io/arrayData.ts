/**
 * What files and data sets hold: values of one type with a shape. A Tensor is one too, so whatever
 * takes an `ArrayData` takes tensors. Read safetensors.ts next.
 */
import { type DType, dtypeTable, type TypedArray } from "../core/dtype.js";
import { DTypeError, ShapeError } from "../core/errors.js";
import { formatShape, type Shape, sizeOf } from "../core/shape.js";

/** Values in row-major order with their shape and element type. */
export interface ArrayData {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: TypedArray;
}

/**
 * Throws unless the typed array is of the element type and holds as many values as the shape says.
 */
export function checkArrayData(op: string, name: string, array: ArrayData): void {
  const expected = dtypeTable[array.dtype]?.array;
  if (!expected || !(array.data instanceof expected)) {
    throw new DTypeError(
      op,
      `${name} is said to be ${array.dtype} but its data is a ${array.data?.constructor?.name}`,
    );
  }
  const size = sizeOf(array.shape);
  if (size !== array.data.length) {
    throw new ShapeError(
      op,
      `${name} has shape ${formatShape(array.shape)} (${size} elements) ` +
        `but ${array.data.length} values`,
    );
  }
}

/** The bytes of an array as they lie in memory, without a copy. */
export const bytesOf = (data: TypedArray): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
