/** Vectors as the search sees them: rows of a flat array, checked once. Read metric.ts next. */
import type { TypedArray } from "../core/dtype.js";
import { isFloat } from "../core/dtype.js";
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import type { ArrayData } from "../io/arrayData.js";

/** `count` vectors of `dim` numbers each, one after the other. */
export interface Rows {
  readonly data: TypedArray;
  readonly count: number;
  readonly dim: number;
}

/** Takes `[N, …]` as N rows; what follows the first dim is flattened. */
export function rowsOf(op: string, name: string, x: ArrayData): Rows {
  const [count, ...inner] = x.shape;
  const dim = sizeOf(inner);
  if (count === undefined || count === 0 || dim === 0) {
    const came = formatShape(x.shape);
    throw new ShapeError(op, `${name} is ${came}; expected [N, …] with at least one number a row`);
  }
  const { data } = x;
  if (isFloat(x.dtype)) {
    const bad = data.findIndex((value: number) => !Number.isFinite(value));
    if (bad >= 0) {
      const row = Math.floor(bad / dim);
      throw new ValueError(
        op,
        `${name} holds ${data[bad]} in row ${row}; distances need finite numbers`,
      );
    }
  }
  return { data, count, dim };
}

/** Labels or targets, one a row. */
export function checkTargets(op: string, y: ArrayData, count: number): void {
  if (y.shape[0] !== count)
    throw new ShapeError(op, `y is ${formatShape(y.shape)}; expected ${count} rows, as x has`);
}

/** Throws unless class labels are whole numbers `[N]`. */
export function checkLabels(op: string, y: ArrayData, count: number): void {
  checkTargets(op, y, count);
  if (y.shape.length !== 1 || isFloat(y.dtype)) {
    const came = `${y.dtype} ${formatShape(y.shape)}`;
    throw new ShapeError(op, `y is ${came}; expected class numbers, int32 or uint8 [${count}]`);
  }
}
