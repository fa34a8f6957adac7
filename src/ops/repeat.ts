/** Ops that repeat and turn elements: repeat, tile, repeatInterleave, roll, rot90. Read parting.ts next. */
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { checkList, checkShape, formatShape, normalizeDim, type Shape } from "../core/shape.js";
import { applyOne, checkTensors, type OpSpec } from "../tensor/apply.js";
import { fromTypedArray } from "../tensor/create.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { valuesOf } from "./eager.js";
import { flip, permute, reshape, transpose } from "./movement.js";
import { range } from "./order.js";

type Repeats = { readonly repeats: readonly number[] };

/** Each dim becomes two, of which the first is stretched, and both are joined again. */
const repeatSpec: OpSpec<Repeats> = {
  name: "repeat",
  lower(b, [x], { repeats }) {
    const lead = repeats.length - x!.shape.length;
    const sizes = repeats.map((_, i) => (i < lead ? 1 : x!.shape[i - lead]!));
    const spread = repeats.flatMap((n, i) => [n, sizes[i]!]);
    const dims = x!.shape.map((_, i) => 2 * (lead + i) + 1);
    const stretched = b.make("broadcastInDim", [x!], { shape: spread, dims });
    return b.reshape(
      stretched,
      sizes.map((n, i) => n * repeats[i]!),
    );
  },
};

/**
 * The tensor repeated along each dim; more numbers than dims add dims in front.
 *
 * @throws ShapeError if there are fewer numbers than dims.
 * @example
 * ```ts
 * import { repeat, tensor } from "gradus";
 * console.log(repeat(tensor([1, 2]), [2, 2]).toArray()); // → [ [ 1, 2, 1, 2 ], [ 1, 2, 1, 2 ] ]
 * ```
 */
export function repeat(x: Tensor, repeats: Shape): Tensor {
  checkShape("repeat", repeats);
  if (repeats.length < x.ndim)
    throw new ShapeError(
      "repeat",
      `needs a number for each dim of ${formatShape(x.shape)}, got ${formatShape(repeats)}`,
    );
  return applyOne(repeatSpec, [x], { repeats: [...repeats] });
}

/**
 * As {@link repeat}, but fewer numbers than dims leave the first dims as they are.
 *
 * @example
 * ```ts
 * import { tensor, tile } from "gradus";
 * console.log(tile(tensor([[1], [2]]), [2]).toArray()); // → [ [ 1, 1 ], [ 2, 2 ] ]
 * ```
 */
export function tile(x: Tensor, repeats: Shape): Tensor {
  checkShape("tile", repeats);
  const lead = Array.from({ length: Math.max(0, x.ndim - repeats.length) }, () => 1);
  return repeat(x, [...lead, ...repeats]);
}

const interleaveSpec: OpSpec<{ readonly dim: number; readonly count: number }> = {
  name: "repeatInterleave",
  lower(b, [x], { dim, count }) {
    const shape = [...x!.shape.slice(0, dim + 1), count, ...x!.shape.slice(dim + 1)];
    const dims = x!.shape.map((_, i) => (i <= dim ? i : i + 1));
    const stretched = b.make("broadcastInDim", [x!], { shape, dims });
    return b.reshape(
      stretched,
      x!.shape.map((n, i) => (i === dim ? n * count : n)),
    );
  },
};

const chooseSpec: OpSpec<{ readonly dim: number }> = {
  name: "repeatInterleave",
  lower: (b, [x, indices], { dim }) => b.make("indexSelect", [x!, indices!], { dim }),
};

/** The index of each repeated element. */
function repeatedIndices(repeats: Tensor, size: number): Int32Array {
  const op = "repeatInterleave";
  if (repeats.dtype !== "int32" && repeats.dtype !== "uint8")
    throw new DTypeError(op, `repeats must be int32 or uint8, got ${repeats.dtype}`);
  if (repeats.ndim > 1 || (repeats.size !== 1 && repeats.size !== size))
    throw new ShapeError(
      op,
      `expected 1 or ${size} repeats, one for each element, got ${formatShape(repeats.shape)}`,
    );
  const values = valuesOf(op, repeats);
  const counts = Array.from({ length: size }, (_, i) => values[repeats.size === 1 ? 0 : i]!);
  const negative = counts.find((count) => count < 0);
  if (negative !== undefined) throw new ValueError(op, `repeats must be ≥ 0, got ${negative}`);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const indices = new Int32Array(checkShape(op, [total])[0]!);
  let at = 0;
  counts.forEach((count, i) => {
    indices.fill(i, at, at + count);
    at += count;
  });
  return indices;
}

/**
 * Each element repeated in place along a dim, or along the flattened tensor: as often as `repeats` says, one number for
 * all or a tensor with one for each. A tensor's values decide the shape, so it is not possible in compile().
 *
 * @throws ValueError if a number of repeats is negative or no whole number; TraceError for a tensor in compile().
 * @example
 * ```ts
 * import { repeatInterleave, tensor } from "gradus";
 * console.log(repeatInterleave(tensor([1, 2]), 2).toArray()); // → [ 1, 1, 2, 2 ]
 * ```
 */
export function repeatInterleave(x: Tensor, repeats: number | Tensor, dim?: number): Tensor {
  const op = "repeatInterleave";
  checkTensors(op, [x]);
  if (dim === undefined || x.ndim === 0) {
    if (dim !== undefined) normalizeDim(op, dim, x.ndim);
    return repeatInterleave(reshape(x, [x.size]), repeats, 0);
  }
  const place = normalizeDim(op, dim, x.ndim);
  if (typeof repeats === "number") {
    if (!Number.isInteger(repeats) || repeats < 0)
      throw new ValueError(op, `repeats must be a whole number ≥ 0, got ${repeats}`);
    return applyOne(interleaveSpec, [x], { dim: place, count: repeats });
  }
  const indices = repeatedIndices(repeats, x.shape[place]!);
  return applyOne(chooseSpec, [x, fromTypedArray(indices)], {
    dim: place,
  });
}

type RollAttributes = { readonly shifts: readonly number[]; readonly dims: readonly number[] };

const rollSpec: OpSpec<RollAttributes> = {
  name: "roll",
  lower(b, [x], { shifts, dims }) {
    return dims.reduce((rolled, dim, i) => {
      const size = rolled.shape[dim]!;
      const shift = size === 0 ? 0 : ((shifts[i]! % size) + size) % size;
      if (shift === 0) return rolled;
      const parts = [
        range(b, rolled, dim, size - shift, size),
        range(b, rolled, dim, 0, size - shift),
      ];
      return b.make("concatenate", parts, { dim });
    }, x!);
  },
};

const asList = (x: number | readonly number[]): readonly number[] =>
  typeof x === "number" ? [x] : x;

/**
 * Moves elements along dims by `shifts` places; those that leave at one end come in at the other. Without dims it rolls
 * the flattened tensor.
 *
 * @throws ValueError unless there is one shift for each dim.
 * @example
 * ```ts
 * import { roll, tensor } from "gradus";
 * console.log(roll(tensor([1, 2, 3]), 1).toArray()); // → [ 3, 1, 2 ]
 * ```
 */
export function roll(
  x: Tensor,
  shifts: number | readonly number[],
  dims?: number | readonly number[],
): Tensor {
  checkTensors("roll", [x]);
  const by = asList(shifts);
  checkList("roll", "shifts", by);
  checkList("roll", "dims", asList(dims ?? []));
  if (by.length === 0 || !by.every(Number.isInteger))
    throw new ValueError("roll", `shifts must be whole numbers, got ${formatShape(by)}`);
  if (dims === undefined && by.length === 1)
    return reshape(applyOne(rollSpec, [reshape(x, [x.size])], { shifts: by, dims: [0] }), x.shape);
  const places = asList(dims ?? []).map((d) => normalizeDim("roll", d, x.ndim));
  if (places.length !== by.length)
    throw new ValueError("roll", `${by.length} shifts do not fit ${places.length} dims`);
  return x.ndim === 0 ? x : applyOne(rollSpec, [x], { shifts: by, dims: places });
}

/**
 * Turns the plane of two dims by k quarters, from the first dim towards the second.
 *
 * @throws ValueError unless `dims` are two different dims.
 * @example
 * ```ts
 * import { rot90, tensor } from "gradus";
 * console.log(rot90(tensor([[1, 2], [3, 4]])).toArray()); // → [ [ 2, 4 ], [ 1, 3 ] ]
 * ```
 */
export function rot90(x: Tensor, k = 1, dims: readonly number[] = [0, 1]): Tensor {
  checkTensors("rot90", [x]);
  checkList("rot90", "dims", dims);
  const places = dims.map((d) => normalizeDim("rot90", d, x.ndim));
  if (places.length !== 2 || places[0] === places[1] || x.ndim < 2)
    throw new ValueError("rot90", `needs two different dims, got ${formatShape(dims)}`);
  if (!Number.isInteger(k)) throw new ValueError("rot90", `k must be a whole number, got ${k}`);
  const [from, to] = places as [number, number];
  const turns = ((k % 4) + 4) % 4;
  if (turns === 2) return flip(x, [from, to]);
  if (turns === 1) return transpose(flip(x, to), from, to);
  if (turns === 3) return flip(transpose(x, from, to), to);
  return permute(
    x,
    x.shape.map((_, i) => i),
  );
}

install({ repeat, tile, repeatInterleave, roll, rot90 });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** The tensor repeated along each dim. */
    repeat(repeats: Shape): Tensor;
    /** The tensor repeated along the last dims. */
    tile(repeats: Shape): Tensor;
    /** Each element repeated in place. */
    repeatInterleave(repeats: number | Tensor, dim?: number): Tensor;
    /** Moves elements along dims; those that leave at one end come in at the other. */
    roll(shifts: number | readonly number[], dims?: number | readonly number[]): Tensor;
    /** Turns the plane of two dims by k quarters. */
    rot90(k?: number, dims?: readonly number[]): Tensor;
  }
}
