/**
 * Shapes: sizes, strides, broadcasting and the checks on dimension numbers. Read errors.ts next.
 */
import { ShapeError, ValueError } from "./errors.js";

/** The sizes of a tensor's dimensions, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** The largest number of elements of a tensor: indices into it are 32-bit. */
export const maxElements = 2 ** 31 - 1;

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

export const formatShape = (shape: Shape): string =>
  Array.isArray(shape) ? `[${shape.join(", ")}]` : String(shape);

export const sameShape = (a: Shape, b: Shape): boolean =>
  Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((n, i) => n === b[i]);

/** Throws unless every size is a whole number ≥ 0 and the whole has at most 2³¹ − 1 elements. */
export function checkShape(op: string, shape: readonly unknown[]): Shape {
  if (!Array.isArray(shape))
    throw new ShapeError(op, `a shape must be a list of sizes, got ${String(shape)}`);
  for (const n of shape) {
    if (!Number.isInteger(n) || (n as number) < 0)
      throw new ShapeError(op, `sizes must be whole numbers ≥ 0, got [${shape.join(", ")}]`);
  }
  // Beside a size of 0 each of the others still has to be one that indices can count.
  const size = Math.max(sizeOf(shape as Shape), ...(shape as Shape));
  if (size > maxElements)
    throw new ShapeError(op, `${formatShape(shape as Shape)} has ${size} elements, over 2^31 - 1`);
  return shape as Shape;
}

/** Throws unless it is a list: what is called without types may give a number for it. */
export function checkList(op: string, name: string, value: unknown): void {
  if (!Array.isArray(value))
    throw new ValueError(
      op,
      `${name} must be a list, got ${typeof value === "object" ? "an object" : String(value)}`,
    );
}

/** The shape that NumPy's broadcasting gives, or an error that names both shapes. */
export function broadcastShapes(op: string, ...shapes: Shape[]): Shape {
  if (!shapes.every(Array.isArray))
    throw new ShapeError(op, "expected tensors, got something else");
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const lead = rank - shape.length;
    shape.forEach((n, i) => {
      const at = lead + i;
      if (n === 1 || result[at] === n) return;
      if (result[at] !== 1) {
        throw new ShapeError(
          op,
          `shapes ${shapes.map(formatShape).join(" and ")} do not broadcast: ` +
            `sizes ${result[at]} and ${n} at dim ${at - rank}`,
        );
      }
      result[at] = n;
    });
  }
  return result;
}

/** Turns a dimension number in [-rank, rank) into one in [0, rank). */
export function normalizeDim(op: string, dim: number, rank: number): number {
  const span = Math.max(rank, 1);
  if (!Number.isInteger(dim) || dim < -span || dim >= span) {
    const range = rank === 0 ? "-1 or 0" : `${-rank} to ${rank - 1}`;
    throw new ValueError(op, `dim ${dim} is out of range: expected ${range} for ${rank} dims`);
  }
  return dim < 0 ? dim + span : dim;
}

/** As {@link normalizeDim} for one, several or all dims; sorted, repeated ones are an error. */
export function normalizeDims(
  op: string,
  dims: number | readonly number[] | undefined,
  rank: number,
): number[] {
  if (dims === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = typeof dims === "number" ? [dims] : dims;
  if (!Array.isArray(list))
    throw new ValueError(op, `dim must be a number or a list of them, got ${String(dims)}`);
  const result = list.map((d) => normalizeDim(op, d, rank)).sort((a, b) => a - b);
  if (result.some((d, i) => i > 0 && d === result[i - 1]))
    throw new ValueError(op, `dim ${formatShape(list)} names a dimension twice`);
  return rank === 0 ? [] : result;
}

/** Replaces one -1 in `shape` by the size that makes the element count `size`. */
export function inferShape(op: string, shape: Shape, size: number): Shape {
  if (!Array.isArray(shape)) checkShape(op, shape);
  const unknown = shape.indexOf(-1);
  let result = shape;
  if (unknown >= 0) {
    const known = shape.reduce((product, n, i) => (i === unknown ? product : product * n), 1);
    const inferred = known === 0 ? Number.NaN : size / known;
    if (!Number.isInteger(inferred) || shape.indexOf(-1, unknown + 1) >= 0)
      throw new ShapeError(op, `cannot infer -1 in ${formatShape(shape)} for ${size} elements`);
    result = shape.map((n, i) => (i === unknown ? inferred : n));
  }
  checkShape(op, result);
  if (sizeOf(result) !== size)
    throw new ShapeError(
      op,
      `${formatShape(result)} has ${sizeOf(result)} elements, the tensor has ${size}`,
    );
  return result;
}

/** Sizes before, at and after a dim, so that element (o, j, i) is at (o·size + j)·inner + i. */
export function around(shape: Shape, dim: number): [outer: number, size: number, inner: number] {
  return [sizeOf(shape.slice(0, dim)), shape[dim]!, sizeOf(shape.slice(dim + 1))];
}
