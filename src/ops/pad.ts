/** Padding, and the parts of matrices beside a diagonal. Read patches.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import { checkList, formatShape, normalizeDim } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, checkTensors, type OpSpec } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";

const padModes = ["constant", "reflect", "replicate", "circular"] as const;

export interface PadOptions {
  /** What the new places hold: a value (default), the mirrored inside, the edge, or the other end. */
  readonly mode?: (typeof padModes)[number];
  /** For "constant"; default 0. */
  readonly value?: number;
}

type PadAttributes = {
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly mode: (typeof padModes)[number];
  readonly value: number;
};

/** Negative padding cuts, positive adds. */
function padConstant(b: Builder, x: Node, { low, high, value }: PadAttributes): Node {
  const cut = b.slice(
    x,
    low.map((n) => Math.max(0, -n)),
    x.shape.map((n, i) => n - Math.max(0, -high[i]!)),
  );
  const [before, after] = [low, high].map((list) => list.map((n) => Math.max(0, n)));
  if ([...before!, ...after!].every((n) => n === 0)) return cut;
  const interior = x.shape.map(() => 0);
  return b.make("pad", [cut], { low: before!, high: after!, interior, value });
}

/** Which place of the inside each place along a dim shows. */
function shownIndices(
  b: Builder,
  size: number,
  [low, high]: readonly [number, number],
  mode: PadAttributes["mode"],
): Node {
  const place = b.subtract(b.iota(0, [size + low + high]), low);
  if (mode === "replicate")
    return b.pointwise("minimum", b.pointwise("maximum", place, 0), size - 1);
  if (mode === "circular") return b.pointwise("remainder", b.add(place, size), size);
  const mirrored = b.pointwise("abs", place);
  return b.subtract(size - 1, b.pointwise("abs", b.subtract(mirrored, size - 1)));
}

const padSpec: OpSpec<PadAttributes> = {
  name: "pad",
  lower(b, [x], attributes) {
    const { low, high, mode } = attributes;
    if (mode === "constant") return padConstant(b, x!, attributes);
    // "circular" goes round what is left; the others look at what was cut, too.
    const cuts = (list: readonly number[]) => list.map((n) => Math.min(0, n));
    const isRound = mode === "circular";
    const inside = isRound
      ? padConstant(b, x!, { ...attributes, low: cuts(low), high: cuts(high) })
      : x!;
    const places = (n: number) => (isRound ? Math.max(0, n) : n);
    return inside.shape.reduce((padded, size, dim) => {
      const [before, after] = [places(low[dim]!), places(high[dim]!)];
      if (before === 0 && after === 0) return padded;
      const indices = shownIndices(b, size, [before, after], mode);
      return b.make("indexSelect", [padded, indices], { dim });
    }, inside);
  },
};

function checkPadding(size: number, dim: number, low: number, high: number, mode: string): void {
  const room = size + low + high;
  if (room < 0 || (mode !== "constant" && room < 1))
    throw new ShapeError("pad", `${low} and ${high} leave nothing of size ${size} at dim ${dim}`);
  if (mode === "constant") return;
  const left = size + Math.min(0, low) + Math.min(0, high);
  const most = mode === "reflect" ? size - 1 : mode === "circular" ? left : Number.MAX_SAFE_INTEGER;
  if (low > most || high > most || size === 0)
    throw new ShapeError(
      "pad",
      `mode "${mode}" has at most ${most} places for size ${size} at dim ${dim}, got ${low} and ${high}`,
    );
}

/**
 * Adds places around dims. `padding`: [before, after] for the last dim, then for the one before it, and so on; negative
 * numbers cut. All modes take any number of dims.
 *
 * @throws ValueError unless padding comes in pairs; ShapeError if "reflect" or "circular" ask for more than there is.
 * @example
 * ```ts
 * import { pad, tensor } from "gradus";
 * console.log(pad(tensor([1, 2, 3]), [1, 2]).toArray()); // → [ 0, 1, 2, 3, 0, 0 ]
 * console.log(pad(tensor([1, 2, 3]), [2, 0], { mode: "reflect" }).toArray()); // → [ 3, 2, 1, 2, 3 ]
 * ```
 */
export function pad(
  x: Tensor,
  padding: readonly number[],
  { mode = "constant", value = 0 }: PadOptions = {},
): Tensor {
  if (!padModes.includes(mode))
    throw new ValueError("pad", `mode must be ${padModes.join(", ")}, got "${mode}"`);
  checkTensors("pad", [x]);
  checkList("pad", "padding", padding);
  const isPaired = padding.length % 2 === 0 && padding.length / 2 <= x.ndim;
  if (!isPaired || !padding.every(Number.isInteger))
    throw new ValueError(
      "pad",
      `expected up to ${x.ndim} pairs of whole numbers, last dim first, got ${formatShape(padding)}`,
    );
  const side = (offset: number) =>
    x.shape.map((_, i) => padding[2 * (x.ndim - 1 - i) + offset] ?? 0);
  const [low, high] = [side(0), side(1)];
  x.shape.forEach((size, i) => {
    if (low[i] !== 0 || high[i] !== 0) checkPadding(size, i, low[i]!, high[i]!, mode);
  });
  return applyOne(padSpec, [x], { low, high, mode, value });
}

type TriangleAttributes = { readonly diagonal: number };

const triangleSpec = (name: "triu" | "tril"): OpSpec<TriangleAttributes> => ({
  name,
  lower(b, [x], { diagonal }) {
    const rank = x!.shape.length;
    const [row, column] = [b.iota(rank - 2, x!.shape), b.iota(rank - 1, x!.shape)];
    const kept = name === "triu" ? "greaterEqual" : "lessEqual";
    return b.select(b.pointwise(kept, b.subtract(column, row), diagonal), x!, 0);
  },
});

const triangle = (spec: OpSpec<TriangleAttributes>) => {
  return (x: Tensor, diagonal = 0): Tensor => {
    if (x.ndim < 2)
      throw new ShapeError(spec.name, `needs at least 2 dims, got ${formatShape(x.shape)}`);
    if (!Number.isInteger(diagonal))
      throw new ValueError(spec.name, `diagonal must be a whole number, got ${diagonal}`);
    return applyOne(spec, [x], { diagonal });
  };
};

/**
 * The upper triangles of matrices (the last two dims): 0 below the diagonal, which `diagonal` moves up.
 *
 * @example
 * ```ts
 * import { tensor, triu } from "gradus";
 * console.log(triu(tensor([[1, 2], [3, 4]])).toArray()); // → [ [ 1, 2 ], [ 0, 4 ] ]
 * ```
 */
export const triu = triangle(triangleSpec("triu"));

/**
 * The lower triangles of matrices (the last two dims): 0 above the diagonal, which `diagonal` moves up.
 *
 * @example
 * ```ts
 * import { tensor, tril } from "gradus";
 * console.log(tril(tensor([[1, 2], [3, 4]])).toArray()); // → [ [ 1, 0 ], [ 3, 4 ] ]
 * ```
 */
export const tril = triangle(triangleSpec("tril"));

type DiagonalAttributes = {
  readonly offset: number;
  readonly dim1: number;
  readonly dim2: number;
};

/** The dims but two, in order. */
const otherDims = (rank: number, dim1: number, dim2: number): number[] =>
  Array.from({ length: rank }, (_, i) => i).filter((i) => i !== dim1 && i !== dim2);

const diagonalSpec: OpSpec<DiagonalAttributes> = {
  name: "diagonal",
  lower(b, [x], { offset, dim1, dim2 }) {
    const others = otherDims(x!.shape.length, dim1, dim2);
    const [rows, columns] = [x!.shape[dim1]!, x!.shape[dim2]!];
    const outer = others.map((d) => x!.shape[d]!);
    const flat = b.reshape(b.transpose(x!, [...others, dim1, dim2]), [...outer, rows * columns]);
    const length = Math.max(0, Math.min(rows + Math.min(0, offset), columns - Math.max(0, offset)));
    const first = length === 0 ? 0 : offset >= 0 ? offset : -offset * columns;
    const zeros = outer.map(() => 0);
    return b.slice(
      flat,
      [...zeros, first],
      [...outer, length === 0 ? 0 : first + (length - 1) * (columns + 1) + 1],
      [...outer.map(() => 1), columns + 1],
    );
  },
};

const embedSpec: OpSpec<DiagonalAttributes> = {
  name: "diagEmbed",
  lower(b, [x], { offset, dim1, dim2 }) {
    const outer = x!.shape.slice(0, -1);
    const count = x!.shape.at(-1)!;
    const size = count + Math.abs(offset);
    const zeros = outer.map(() => 0);
    const first = offset >= 0 ? offset : -offset * size;
    const used = count === 0 ? 0 : (count - 1) * (size + 1) + 1;
    const start = count === 0 ? 0 : first;
    const flat = b.make("pad", [x!], {
      low: [...zeros, start],
      high: [...zeros, size * size - start - used],
      interior: [...zeros, size],
      value: 0,
    });
    const rank = outer.length + 2;
    const others = otherDims(rank, dim1, dim2);
    const order = [...others, dim1, dim2];
    return b.transpose(
      b.reshape(flat, [...outer, size, size]),
      order.map((_, d) => order.indexOf(d)),
    );
  },
};

function twoDims(op: string, dim1: number, dim2: number, rank: number): [number, number] {
  const [first, second] = [normalizeDim(op, dim1, rank), normalizeDim(op, dim2, rank)];
  if (first === second)
    throw new ValueError(op, `dim1 and dim2 must differ, got ${dim1} and ${dim2}`);
  return [first, second];
}

const checkOffset = (op: string, offset: number): void => {
  if (!Number.isInteger(offset))
    throw new ValueError(op, `offset must be a whole number, got ${offset}`);
};

/**
 * The diagonals of the planes of two dims, as a new last dim; `offset` moves them up.
 *
 * @example
 * ```ts
 * import { diagonal, tensor } from "gradus";
 * console.log(diagonal(tensor([[1, 2], [3, 4]])).toArray()); // → [ 1, 4 ]
 * ```
 */
export function diagonal(x: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor {
  checkOffset("diagonal", offset);
  const [first, second] = twoDims("diagonal", dim1, dim2, x.ndim);
  return applyOne(diagonalSpec, [x], { offset, dim1: first, dim2: second });
}

/**
 * Matrices with the last dim of x on a diagonal and 0 elsewhere: [*, n] → [*, n + |offset|, n + |offset|], with the
 * two dims of the matrices at `dim1` and `dim2`.
 *
 * @example
 * ```ts
 * import { diagEmbed, tensor } from "gradus";
 * console.log(diagEmbed(tensor([1, 2])).toArray()); // → [ [ 1, 0 ], [ 0, 2 ] ]
 * ```
 */
export function diagEmbed(x: Tensor, offset = 0, dim1 = -2, dim2 = -1): Tensor {
  checkOffset("diagEmbed", offset);
  if (x.ndim === 0) throw new ShapeError("diagEmbed", "needs at least one dim, got none");
  const [first, second] = twoDims("diagEmbed", dim1, dim2, x.ndim + 1);
  return applyOne(embedSpec, [x], { offset, dim1: first, dim2: second });
}

install({ triu, tril, diagonal, diagEmbed });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** The upper triangles of matrices. */
    triu(diagonal?: number): Tensor;
    /** The lower triangles of matrices. */
    tril(diagonal?: number): Tensor;
    /** The diagonals of the planes of two dims. */
    diagonal(offset?: number, dim1?: number, dim2?: number): Tensor;
    /** Matrices with the last dim on a diagonal. */
    diagEmbed(offset?: number, dim1?: number, dim2?: number): Tensor;
  }
}
