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

const isClose = (a: number, b: number, { relative, absolute }: Bounds): boolean =>
  Object.is(a, b) || a === b || Math.abs(a - b) <= absolute + relative * Math.abs(b);

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

/** As {@link differ} for tensors, with type and shape; whole numbers must be equal. */
export function differTensors(got: Tensor, expected: Tensor, bounds: Bounds): string | null {
  const [a, b] = [got, expected].map((x) => x.dtype + formatShape(x.shape));
  if (a !== b) return `is ${a}, expected ${b}`;
  return differ(got.data, expected.data, isFloat(got.dtype) ? bounds : exact);
}

export const allFinite = (x: Tensor): boolean => x.data.every((v: number) => Number.isFinite(v));
