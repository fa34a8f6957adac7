/** Ops that part tensors and name dims anew: split, chunk, unbind, unflatten, movedim. Read pad.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import {
  broadcastShapes,
  checkList,
  formatShape,
  inferShape,
  normalizeDim,
  type Shape,
} from "../core/shape.js";
import { apply, checkTensors, type OpSpec } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { expand, permute, reshape, transpose } from "./movement.js";
import { range } from "./order.js";

type PartAttributes = {
  readonly dim: number;
  /** From where to where each part goes. */
  readonly bounds: readonly (readonly [number, number])[];
  /** Parts of one place that lose the dim. */
  readonly drop: boolean;
};

const partSpec = (name: string): OpSpec<PartAttributes> => ({
  name,
  lower: (b, [x], { dim, bounds, drop }) =>
    bounds.map(([from, to]) => {
      const part = range(b, x!, dim, from, to);
      const rest = part.shape.filter((_, i) => i !== dim);
      return drop ? b.reshape(part, rest) : part;
    }),
});

const [splitSpec, chunkSpec, tensorSplitSpec, unbindSpec] = [
  partSpec("split"),
  partSpec("chunk"),
  partSpec("tensorSplit"),
  partSpec("unbind"),
];

function placeOf(op: string, x: Tensor, dim: number): [place: number, size: number] {
  checkTensors(op, [x]);
  if (x.ndim === 0) throw new ShapeError(op, "needs at least one dim, got a tensor without dims");
  const place = normalizeDim(op, dim, x.ndim);
  return [place, x.shape[place]!];
}

/** Parts of `step` places each; the last may be smaller. At least one. */
function evenBounds(size: number, step: number): [number, number][] {
  const count = Math.max(1, Math.ceil(size / Math.max(1, step)));
  return Array.from({ length: count }, (_, i) => [i * step, Math.min(size, (i + 1) * step)]);
}

/** More tensors than anybody can use; without a limit empty parts would fill the memory. */
const mostParts = 65536;

/**
 * Parts along a dim: of `sizes` places each (the last may be smaller), or of the sizes in a list.
 *
 * @throws ValueError unless listed sizes add up to the dim's size.
 * @example
 * ```ts
 * import { arange, split } from "gradus";
 * console.log(split(arange(5), 2).map((x) => x.toArray())); // → [ [ 0, 1 ], [ 2, 3 ], [ 4 ] ]
 * console.log(split(arange(5), [1, 4]).map((x) => x.shape)); // → [ [ 1 ], [ 4 ] ]
 * ```
 */
export function split(x: Tensor, sizes: number | readonly number[], dim = 0): Tensor[] {
  const [place, size] = placeOf("split", x, dim);
  const list = typeof sizes === "number" ? [sizes] : sizes;
  if (!Array.isArray(list) || !list.every((n) => Number.isInteger(n) && n >= 0))
    throw new ValueError("split", `sizes must be whole numbers ≥ 0, got ${formatShape(list)}`);
  if (typeof sizes === "number") {
    if (sizes === 0 && size > 0) throw new ValueError("split", `parts of 0 places never end`);
    return apply(splitSpec, [x], { dim: place, bounds: evenBounds(size, sizes), drop: false });
  }
  if (list.reduce((sum, n) => sum + n, 0) !== size)
    throw new ValueError(
      "split",
      `sizes ${formatShape(list)} do not add up to size ${size} at dim ${dim}`,
    );
  let from = 0;
  const bounds = list.map((n) => {
    from += n;
    return [from - n, from] as const;
  });
  return apply(splitSpec, [x], { dim: place, bounds, drop: false });
}

/**
 * At most `chunks` parts along a dim, equal but for the last: of ⌈size / chunks⌉ places each.
 *
 * @example
 * ```ts
 * import { arange, chunk } from "gradus";
 * console.log(chunk(arange(5), 2).map((x) => x.toArray())); // → [ [ 0, 1, 2 ], [ 3, 4 ] ]
 * ```
 */
export function chunk(x: Tensor, chunks: number, dim = 0): Tensor[] {
  const [place, size] = placeOf("chunk", x, dim);
  if (!Number.isInteger(chunks) || chunks < 1 || chunks > mostParts)
    throw new ValueError(
      "chunk",
      `chunks must be a whole number from 1 to ${mostParts}, got ${chunks}`,
    );
  const bounds: (readonly [number, number])[] =
    size === 0
      ? Array.from({ length: chunks }, () => [0, 0])
      : evenBounds(size, Math.ceil(size / chunks));
  return apply(chunkSpec, [x], { dim: place, bounds, drop: false });
}

/**
 * Parts along a dim: so many, the first ones larger by 1 where the size does not divide, or cut at the indices in a list.
 *
 * @example
 * ```ts
 * import { arange, tensorSplit } from "gradus";
 * console.log(tensorSplit(arange(5), 3).map((x) => x.shape[0])); // → [ 2, 2, 1 ]
 * console.log(tensorSplit(arange(5), [1, -1]).map((x) => x.toArray())); // → [ [ 0 ], [ 1, 2, 3 ], [ 4 ] ]
 * ```
 */
export function tensorSplit(x: Tensor, sections: number | readonly number[], dim = 0): Tensor[] {
  const [place, size] = placeOf("tensorSplit", x, dim);
  const isValid =
    typeof sections === "number" ? sections >= 1 && sections <= mostParts : Array.isArray(sections);
  if (!isValid || !(typeof sections === "number" ? [sections] : sections).every(Number.isInteger))
    throw new ValueError(
      "tensorSplit",
      `expected a whole number from 1 to ${mostParts} or a list of indices, got ${JSON.stringify(sections)}`,
    );
  const clip = (i: number) => Math.min(size, Math.max(0, i < 0 ? i + size : i));
  const cuts =
    typeof sections === "number"
      ? Array.from({ length: sections - 1 }, (_, i) => {
          const [even, rest] = [Math.floor(size / sections), size % sections];
          return (i + 1) * even + Math.min(i + 1, rest);
        })
      : sections.map(clip);
  const bounds = [...cuts, size].map((to, i) => {
    const from = i === 0 ? 0 : cuts[i - 1]!;
    return [from, Math.max(from, to)] as const;
  });
  return apply(tensorSplitSpec, [x], { dim: place, bounds, drop: false });
}

/**
 * The parts at each index of a dim, without that dim.
 *
 * @example
 * ```ts
 * import { tensor, unbind } from "gradus";
 * console.log(unbind(tensor([[1, 2], [3, 4]]), 1).map((x) => x.toArray())); // → [ [ 1, 3 ], [ 2, 4 ] ]
 * ```
 */
export function unbind(x: Tensor, dim = 0): Tensor[] {
  const [place, size] = placeOf("unbind", x, dim);
  const bounds = Array.from({ length: size }, (_, i) => [i, i + 1] as const);
  return apply(unbindSpec, [x], { dim: place, bounds, drop: true });
}

/**
 * Parts one dim into several; one of their sizes may be -1.
 *
 * @throws ShapeError if the sizes do not make up the dim's.
 * @example
 * ```ts
 * import { unflatten, zeros } from "gradus";
 * console.log(unflatten(zeros([2, 6]), 1, [3, -1]).shape); // → [ 2, 3, 2 ]
 * ```
 */
export function unflatten(x: Tensor, dim: number, sizes: Shape): Tensor {
  const [place, size] = placeOf("unflatten", x, dim);
  if (sizes.length === 0) throw new ShapeError("unflatten", "needs at least one size, got none");
  const parts = inferShape("unflatten", sizes, size);
  return reshape(x, [...x.shape.slice(0, place), ...parts, ...x.shape.slice(place + 1)]);
}

const asList = (x: number | readonly number[]): readonly number[] =>
  typeof x === "number" ? [x] : x;

/**
 * Moves dims to other places; the others keep their order.
 *
 * @throws ValueError unless source and destination name equally many different dims.
 * @example
 * ```ts
 * import { movedim, zeros } from "gradus";
 * console.log(movedim(zeros([2, 3, 4]), 0, -1).shape); // → [ 3, 4, 2 ]
 * ```
 */
export function movedim(
  x: Tensor,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor {
  checkTensors("movedim", [x]);
  checkList("movedim", "source", asList(source));
  checkList("movedim", "destination", asList(destination));
  const [from, to] = [source, destination].map((list) =>
    asList(list).map((d) => normalizeDim("movedim", d, x.ndim)),
  ) as [number[], number[]];
  if (from.length !== to.length || [from, to].some((l) => new Set(l).size !== l.length))
    throw new ValueError(
      "movedim",
      `source ${formatShape(asList(source))} and destination ` +
        `${formatShape(asList(destination))} must name equally many different dims`,
    );
  if (x.ndim === 0) return x;
  const rest = x.shape.map((_, i) => i).filter((i) => !from.includes(i));
  const order = x.shape.map((_, i) => {
    const at = to.indexOf(i);
    return at < 0 ? rest.shift()! : from[at]!;
  });
  return permute(x, order);
}

/**
 * Swaps two dims, as `transpose`.
 *
 * @example
 * ```ts
 * import { swapaxes, zeros } from "gradus";
 * console.log(swapaxes(zeros([2, 3, 4]), 0, 2).shape); // → [ 4, 3, 2 ]
 * ```
 */
export const swapaxes = (x: Tensor, axis0: number, axis1: number): Tensor =>
  transpose(x, axis0, axis1);

/**
 * The tensor stretched to a shape by broadcasting, as `expand`.
 *
 * @throws ShapeError if it does not broadcast to the shape.
 * @example
 * ```ts
 * import { broadcastTo, tensor } from "gradus";
 * console.log(broadcastTo(tensor([1, 2]), [2, 2]).toArray()); // → [ [ 1, 2 ], [ 1, 2 ] ]
 * ```
 */
export const broadcastTo = (x: Tensor, shape: Shape): Tensor => expand(x, shape);

/**
 * All tensors stretched to the shape that they broadcast to.
 *
 * @throws ShapeError if they do not broadcast.
 * @example
 * ```ts
 * import { broadcastTensors, zeros } from "gradus";
 * console.log(broadcastTensors(zeros([2, 1]), zeros([3])).map((x) => x.shape)); // → [ [ 2, 3 ], [ 2, 3 ] ]
 * ```
 */
export function broadcastTensors(...tensors: readonly Tensor[]): Tensor[] {
  checkTensors("broadcastTensors", tensors);
  const shape = broadcastShapes("broadcastTensors", ...tensors.map((x) => x.shape));
  return tensors.map((x) => expand(x, shape));
}

/**
 * A tensor with at least one dim: a number becomes a list of one.
 *
 * @example
 * ```ts
 * import { atLeast1d, tensor } from "gradus";
 * console.log(atLeast1d(tensor(5)).shape); // → [ 1 ]
 * ```
 */
export const atLeast1d = (x: Tensor): Tensor => (x.ndim > 0 ? x : reshape(x, [1]));

/**
 * A tensor with at least two dims: a list becomes a matrix of one row.
 *
 * @example
 * ```ts
 * import { atLeast2d, tensor } from "gradus";
 * console.log(atLeast2d(tensor([1, 2])).shape); // → [ 1, 2 ]
 * ```
 */
export const atLeast2d = (x: Tensor): Tensor => (x.ndim > 1 ? x : reshape(x, [1, x.size]));

install({ split, chunk, tensorSplit, unbind, unflatten, movedim, swapaxes, broadcastTo });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** Parts along a dim, of one size or of listed sizes. */
    split(sizes: number | readonly number[], dim?: number): Tensor[];
    /** At most so many equal parts along a dim. */
    chunk(chunks: number, dim?: number): Tensor[];
    /** So many parts along a dim, or parts cut at indices. */
    tensorSplit(sections: number | readonly number[], dim?: number): Tensor[];
    /** The parts at each index of a dim. */
    unbind(dim?: number): Tensor[];
    /** Parts one dim into several. */
    unflatten(dim: number, sizes: Shape): Tensor;
    /** Moves dims to other places. */
    movedim(source: number | readonly number[], destination: number | readonly number[]): Tensor;
    /** Swaps two dims. */
    swapaxes(axis0: number, axis1: number): Tensor;
    /** Stretched to a shape by broadcasting. */
    broadcastTo(shape: Shape): Tensor;
  }
}
