/** Compares numbers: equal bits for whole numbers, within bounds for floats, NaN equal to NaN. */
import { isFloat } from "../../src/core/dtype.js";
import { formatShape } from "../../src/core/shape.js";
import type { Tensor } from "../../src/index.js";

export interface Bounds {
  readonly relative: number;
  readonly absolute: number;
}

export const exact: Bounds = { relative: 0, absolute: 0 };

/** Rounding of float32 over a few operations, of float64, and of numbers printed with nine digits. */
export const float32Bounds: Bounds = { relative: 1e-5, absolute: 2e-6 };
export const float64Bounds: Bounds = { relative: 1e-11, absolute: 1e-12 };
export const printedBounds: Bounds = { relative: 4e-7, absolute: 4e-7 };

export const isClose = (a: number, b: number, { relative, absolute }: Bounds): boolean =>
  Object.is(a, b) || a === b || Math.abs(a - b) <= absolute + relative * Math.abs(b);

/** Bounds for sums: what is small beside the largest number may be off as much as that one. */
export function scaled(bounds: Bounds, numbers: ArrayLike<number>): Bounds {
  let largest = 1;
  for (let i = 0; i < numbers.length; i++)
    if (Math.abs(numbers[i]!) < Number.POSITIVE_INFINITY)
      largest = Math.max(largest, Math.abs(numbers[i]!));
  return { ...bounds, absolute: bounds.absolute * Math.min(largest, 100) };
}

/** Where two lists of numbers differ first, as text; null if they are equal within bounds. */
export function differ(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  bounds: Bounds,
): string | null {
  if (got.length !== expected.length) return `${got.length} numbers, expected ${expected.length}`;
  for (let i = 0; i < got.length; i++)
    if (!isClose(got[i]!, expected[i]!, bounds))
      return `[${i}] is ${got[i]}, expected ${expected[i]} (of ${got.length})`;
  return null;
}

/**
 * As {@link differ} for tensors, with type and shape; whole numbers must be equal. `narrow` says that the numbers went
 * through float32.
 */
export function differTensors(got: Tensor, expected: Tensor, narrow = false): string | null {
  const [a, b] = [got, expected].map((x) => x.dtype + formatShape(x.shape));
  if (a !== b) return `is ${a}, expected ${b}`;
  const bounds = got.dtype === "float32" || narrow ? float32Bounds : float64Bounds;
  const limit = isFloat(got.dtype) ? scaled(bounds, expected.data) : exact;
  return differ(got.data, expected.data, limit);
}

export const hasNaN = (x: { readonly data: ArrayLike<number> }): boolean =>
  Array.from(x.data).some(Number.isNaN);

export const allFinite = (x: Tensor): boolean => x.data.every((v: number) => Number.isFinite(v));
