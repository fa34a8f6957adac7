/** Ops that choose by a mask or by what is not 0. Those whose result's shape depends on values run at once or not at all. */
import { allocate, type TypedArray } from "../core/dtype.js";
import { DTypeError, ShapeError } from "../core/errors.js";
import { broadcastShapes, formatShape, type Shape } from "../core/shape.js";
import { applyOne, fromArray, type OpSpec } from "../tensor/apply.js";
import { noGrad } from "../tensor/context.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { take } from "./byIndex.js";
import { valuesOf } from "./eager.js";
import { expand } from "./movement.js";

const checkMask = (op: string, mask: Tensor): void => {
  if (mask.dtype !== "bool") throw new DTypeError(op, `the mask must be bool, got ${mask.dtype}`);
};

/** A list of whole numbers as a tensor without gradient. */
export function whole(values: readonly number[], shape: Shape = [values.length]): Tensor {
  const data = allocate("int32", values.length);
  data.set(values);
  return fromArray(data, [...shape], "int32");
}

/** Flat places of the values that are not 0. */
function placesOf(values: TypedArray): number[] {
  const places: number[] = [];
  values.forEach((value: number, i: number) => {
    if (value !== 0) places.push(i);
  });
  return places;
}

/**
 * The elements where the mask holds, as a list; x and mask broadcast. Not possible in compile(), where the length of
 * the list would be unknown.
 *
 * @throws DTypeError unless the mask is bool; TraceError in compile().
 * @example
 * ```ts
 * import { maskedSelect, tensor } from "gradus";
 * const x = tensor([1, -2, 3]);
 * console.log(maskedSelect(x, x.gt(0)).toArray()); // → [ 1, 3 ]
 * ```
 */
export function maskedSelect(x: Tensor, mask: Tensor): Tensor {
  checkMask("maskedSelect", mask);
  const shape = broadcastShapes("maskedSelect", x.shape, mask.shape);
  const all = noGrad(() => expand(mask, shape));
  return take(expand(x, shape), whole(placesOf(valuesOf("maskedSelect", all))));
}

const maskedScatterSpec: OpSpec = {
  name: "maskedScatter",
  lower(b, [x, mask, source]) {
    const size = x!.shape.reduce((n, m) => n * m, 1);
    const count = source!.shape.reduce((n, m) => n * m, 1);
    const flat = b.reshape(b.broadcastTo(mask!, x!.shape), [size]);
    if (size === 0) return x!;
    const order = b.make("cumulativeSum", [b.convert(flat, "int32")], { dim: 0, reverse: false });
    // Without any source only an empty mask is right: what it holds at is then out of the range of one.
    const isEmpty = count === 0;
    const list = isEmpty ? b.constant(0, x!.dtype, [1]) : b.reshape(source!, [count]);
    const from = b.select(flat, isEmpty ? order : b.subtract(order, 1), 0);
    const taken = b.make("indexSelect", [list, from], { dim: 0 });
    return b.select(b.reshape(flat, x!.shape), b.reshape(taken, x!.shape), x!);
  },
};

/**
 * x with the source's elements, in order, at the places where the mask holds. The mask broadcasts to x.
 *
 * @throws DTypeError unless the mask is bool and source and x have one dtype; ValueError if the source has too few elements.
 * @example
 * ```ts
 * import { maskedScatter, tensor } from "gradus";
 * const x = tensor([1, -2, -3]);
 * console.log(maskedScatter(x, x.lt(0), tensor([8, 9])).toArray()); // → [ 1, 8, 9 ]
 * ```
 */
export function maskedScatter(x: Tensor, mask: Tensor, source: Tensor): Tensor {
  checkMask("maskedScatter", mask);
  if (source.dtype !== x.dtype)
    throw new DTypeError("maskedScatter", `source must be ${x.dtype} as x is, got ${source.dtype}`);
  const shape = broadcastShapes("maskedScatter", x.shape, mask.shape);
  if (formatShape(shape) !== formatShape(x.shape))
    throw new ShapeError(
      "maskedScatter",
      `the mask ${formatShape(mask.shape)} does not broadcast to ${formatShape(x.shape)}`,
    );
  return applyOne(maskedScatterSpec, [x, mask, source], {});
}

/** The index along each dim of each flat place, a list a dim. */
function unravel(places: readonly number[], shape: Shape): number[][] {
  let inner = shape.reduce((n, m) => n * m, 1);
  return shape.map((n) => {
    inner /= n;
    return places.map((place) => Math.floor(place / inner) % n);
  });
}

/**
 * The indices of the elements that are not 0, one row each: int32 [count, dims]. Not possible in compile().
 *
 * @throws TraceError in compile().
 * @example
 * ```ts
 * import { nonzero, tensor } from "gradus";
 * console.log(nonzero(tensor([[1, 0], [0, 2]])).toArray()); // → [ [ 0, 0 ], [ 1, 1 ] ]
 * ```
 */
export function nonzero(x: Tensor): Tensor {
  const places = placesOf(valuesOf("nonzero", x));
  const lists = unravel(places, x.shape);
  return whole(
    places.flatMap((_, i) => lists.map((list) => list[i]!)),
    [places.length, x.ndim],
  );
}

/** As {@link nonzero}, one list of indices a dim: what indexing takes. */
export const nonzeroLists = (op: string, x: Tensor): Tensor[] =>
  unravel(placesOf(valuesOf(op, x)), x.shape).map((list) => whole(list));

install({ maskedSelect, maskedScatter, nonzero });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** The elements where the mask holds. */
    maskedSelect(mask: Tensor): Tensor;
    /** The source's elements, in order, where the mask holds. */
    maskedScatter(mask: Tensor, source: Tensor): Tensor;
    /** The indices of the elements that are not 0. */
    nonzero(): Tensor;
  }
}
