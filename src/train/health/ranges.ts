/** The range of a tensor's values and what is wrong with them. Read causes.ts for what is concluded from it. */
import { isFloat } from "../../core/dtype.js";
import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../tensor/tensor.js";

/** What the values of a tensor are like. */
export interface ValueRange {
  /** What it is to the op: `input 0`, or the name of a parameter. */
  readonly name: string;
  readonly shape: Shape;
  /** Of the finite values; NaN where there is none. */
  readonly min: number;
  readonly max: number;
  readonly zeros: number;
  readonly nans: number;
  readonly infinities: number;
}

/** The first value that is not finite, or null. */
export function badValue(x: Tensor): { readonly index: number; readonly value: number } | null {
  if (!isFloat(x.dtype)) return null;
  const { data } = x.storageFor("findAnomaly");
  for (let index = 0; index < data.length; index++)
    if (!Number.isFinite(data[index])) return { index, value: data[index]! };
  return null;
}

/** Walks over the values once. */
export function rangeOf(name: string, x: Tensor): ValueRange {
  let [min, max, zeros, nans, infinities] = [Number.POSITIVE_INFINITY, -Infinity, 0, 0, 0];
  for (const value of x.storageFor("findAnomaly").data) {
    if (Number.isNaN(value)) nans++;
    else if (!Number.isFinite(value)) infinities++;
    else {
      min = Math.min(min, value);
      max = Math.max(max, value);
      zeros += Number(value === 0);
    }
  }
  const isEmpty = min > max;
  return {
    ...{ name, shape: x.shape, zeros, nans, infinities },
    min: isEmpty ? Number.NaN : min,
    max: isEmpty ? Number.NaN : max,
  };
}

/** A few digits. */
export const shortNumber = (x: number): string =>
  x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e5)
    ? x.toExponential(2)
    : String(Number(x.toPrecision(4)));

/** `input 1 [8, 3]: from -2.1 to 4, with 3 zeros, 1 NaN`. */
export function spellRange({ name, shape, min, max, zeros, nans, infinities }: ValueRange): string {
  const counts = [
    zeros > 0 && `${zeros} zero${zeros === 1 ? "" : "s"}`,
    nans > 0 && `${nans} NaN`,
    infinities > 0 && `${infinities} infinite`,
  ].filter((part) => part !== false);
  const span = Number.isNaN(min)
    ? "nothing finite"
    : `from ${shortNumber(min)} to ${shortNumber(max)}`;
  const rest = counts.length > 0 ? `, with ${counts.join(", ")}` : "";
  return `${name} [${shape.join(", ")}]: ${span}${rest}`;
}
