/**
 * vmap: a function of one example as a function of a batch of them. It calls the function once an example and stacks the
 * results, so that whatever a function may do, it may do here: read values, draw numbers, be differentiated, be compiled (where
 * the calls become parts of one program, and small kernels of one op are joined).
 */
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import { applyOne, type OpSpec } from "./apply.js";
import { Tensor } from "./tensor.js";

/** A dim for each argument or output, null for an argument that is the same for all; one for all of them. */
export type VmapDims = number | null | readonly (number | null)[];

export interface VmapOptions {
  /** The dim of each argument that examples lie along; null gives it whole to each. Default 0. */
  readonly inDims?: VmapDims;
  /** The dim of each output that results are put along. Default 0. */
  readonly outDims?: number | readonly number[];
}

const pickSpec: OpSpec<{ readonly dim: number; readonly at: number }> = {
  name: "vmap",
  lower(b, [x], { dim, at }) {
    const { shape } = x!;
    const part = b.slice(
      x!,
      shape.map((_, i) => (i === dim ? at : 0)),
      shape.map((n, i) => (i === dim ? at + 1 : n)),
    );
    return b.reshape(
      part,
      shape.filter((_, i) => i !== dim),
    );
  },
};

const stackSpec: OpSpec<{ readonly dim: number }> = {
  name: "vmap",
  lower(b, parts, { dim }) {
    const { shape } = parts[0]!;
    const line = [...shape.slice(0, dim), 1, ...shape.slice(dim)];
    return b.make(
      "concatenate",
      parts.map((x) => b.reshape(x, line)),
      { dim },
    );
  },
};

/** A dim counted from the front; `rank` dims there are. */
function placeOf(what: string, dim: number, rank: number): number {
  const place = dim < 0 ? dim + rank : dim;
  if (!Number.isInteger(dim) || place < 0 || place >= rank)
    throw new ValueError("vmap", `${what} is ${dim}, but there are ${rank} dims`);
  return place;
}

/** Where examples lie in each argument; null for an argument that is given whole. */
function inPlaces(args: readonly unknown[], inDims: VmapDims): (number | null)[] {
  const dims = Array.isArray(inDims)
    ? (inDims as (number | null)[])
    : args.map(() => inDims as number | null);
  if (dims.length !== args.length)
    throw new ValueError("vmap", `${dims.length} inDims for ${args.length} argument(s)`);
  return args.map((x, i) => {
    const dim = dims[i]!;
    if (dim === null || (!(x instanceof Tensor) && !Array.isArray(inDims))) return null;
    if (!(x instanceof Tensor))
      throw new ValueError("vmap", `argument ${i} is no tensor; its inDims must be null`);
    return placeOf(`inDims[${i}]`, dim, x.ndim);
  });
}

function batchSize(args: readonly unknown[], places: readonly (number | null)[]): number {
  const sizes = places.flatMap((dim, i) => (dim === null ? [] : [(args[i] as Tensor).shape[dim]!]));
  const [size] = sizes;
  if (size === undefined)
    throw new ValueError("vmap", "no argument has examples: every one of inDims is null");
  if (sizes.some((n) => n !== size))
    throw new ShapeError(
      "vmap",
      `arguments have different numbers of examples: ${sizes.join(", ")}`,
    );
  if (size === 0)
    throw new ShapeError("vmap", "there are no examples, so there is no result to shape");
  return size;
}

function stackAll(parts: readonly unknown[], dim: number, which: number): Tensor {
  const tensors = parts as readonly Tensor[];
  const [first] = tensors as [Tensor];
  for (const x of tensors) {
    if (!(x instanceof Tensor))
      throw new ValueError(
        "vmap",
        `the function must give tensors, output ${which} is ${typeof x}`,
      );
    if (formatShape(x.shape) !== formatShape(first.shape) || x.dtype !== first.dtype)
      throw new ShapeError(
        "vmap",
        `output ${which} differs between examples: ${first.dtype}${formatShape(first.shape)} and ` +
          `${x.dtype}${formatShape(x.shape)}`,
      );
  }
  return applyOne(stackSpec, tensors, { dim: placeOf("outDims", dim, first.ndim + 1) });
}

/**
 * Turns a function of one example into the function of a batch: each example lies along a dim of the arguments, each result along
 * one of the outputs. Inside the function no tensor has that dim.
 *
 * `fn: [..] → [...]`, arguments [B, ..] → [B, ...]. As torch.func.vmap, computed example by example (its `chunk_size` 1).
 *
 * @throws ShapeError if arguments have different numbers of examples, or results different shapes; ValueError for dims that are not
 * there.
 * @example
 * ```ts
 * import { grad, type Tensor, tensor, vmap } from "gradus";
 * const w = tensor([1, 2]);
 * const loss = (p: Tensor, x: Tensor) => p.mul(x).sum().square();
 * const perExample = vmap(grad(loss), { inDims: [null, 0] });
 * console.log(perExample(w, tensor([[1, 0], [0, 1]])).toArray()); // → [ [ 2, 0 ], [ 0, 4 ] ]
 * ```
 */
export function vmap<A extends unknown[], R extends Tensor | readonly Tensor[]>(
  fn: (...args: A) => R,
  { inDims = 0, outDims = 0 }: VmapOptions = {},
): (...args: A) => R {
  return (...args: A): R => {
    const places = inPlaces(args, inDims);
    const size = batchSize(args, places);
    const results = Array.from({ length: size }, (_, at) => {
      const example = args.map((x, i) => {
        const dim = places[i]!;
        return dim === null ? x : applyOne(pickSpec, [x as Tensor], { dim, at });
      });
      return fn(...(example as A));
    });
    if (results[0] instanceof Tensor) return stackAll(results, dimOf(outDims, 0), 0) as Tensor as R;
    const lists = results as readonly (readonly Tensor[])[];
    const count = lists[0]!.length;
    return Array.from({ length: count }, (_, k) =>
      stackAll(
        lists.map((list) => list[k]),
        dimOf(outDims, k),
        k,
      ),
    ) as readonly Tensor[] as R;
  };
}

const dimOf = (outDims: number | readonly number[], k: number): number =>
  typeof outDims === "number" ? outDims : (outDims[k] ?? 0);
