/** Ops that build tensors of others: diag and meshgrid; and the samples of tensor/create.ts. Read random.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, checkTensors, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, input, install, type SampleSet, sample, typed } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { expand, reshape, transpose } from "./movement.js";

/** Distances of a diagonal's first element from the matrix's, down and to the right. */
const offsets = (diagonal: number): readonly [number, number] => [
  Math.max(-diagonal, 0),
  Math.max(diagonal, 0),
];

/** [n] → the square matrix with it on a diagonal: padded between neighbours, so that rows come out. */
function spread(b: Builder, x: Node, diagonal: number): Node {
  const [n] = x.shape as [number];
  const low = [...offsets(diagonal)];
  if (n === 0) return b.constant(0, x.dtype, [Math.abs(diagonal), Math.abs(diagonal)]);
  const line = b.make("pad", [x], { low: [0], high: [0], interior: [n], value: 0 });
  const square = b.reshape(line, [n, n]);
  const high = [low[1]!, low[0]!];
  return diagonal === 0
    ? square
    : b.make("pad", [square], { low, high, interior: [0, 0], value: 0 });
}

/** The diagonal of a matrix: every (k + 1)-th element of the k × k part that begins there. */
function pick(b: Builder, x: Node, diagonal: number): Node {
  const [rows, columns] = x.shape as [number, number];
  const [down, right] = offsets(diagonal);
  const n = Math.max(0, Math.min(rows - down, columns - right));
  if (n === 0) return b.constant(0, x.dtype, [0]);
  const square = b.slice(x, [down, right], [down + n, right + n]);
  return b.slice(b.reshape(square, [n * n]), [0], [n * n], [n + 1]);
}

const diagSpec: OpSpec<{ readonly diagonal: number }> = {
  name: "diag",
  lower: (b, [x], { diagonal }) => (x!.shape.length === 1 ? spread : pick)(b, x!, diagonal),
};

/**
 * The matrix with a vector on a diagonal, or a matrix's diagonal as a vector: [n] → [n + |d|, n + |d|], [n, m] → [k].
 * Diagonal d > 0 lies above the main one, d < 0 below it.
 *
 * @throws ShapeError unless x has one or two dims.
 * @example
 * ```ts
 * import { diag, tensor } from "gradus";
 * console.log(diag(tensor([1, 2])).toArray()); // → [ [ 1, 0 ], [ 0, 2 ] ]
 * console.log(diag(tensor([[1, 2], [3, 4]])).toArray()); // → [ 1, 4 ]
 * ```
 */
export function diag(x: Tensor, diagonal = 0): Tensor {
  if (x.ndim !== 1 && x.ndim !== 2)
    throw new ShapeError("diag", `expected one or two dims, got ${formatShape(x.shape)}`);
  if (!Number.isInteger(diagonal))
    throw new ValueError("diag", `the diagonal must be a whole number, got ${diagonal}`);
  return applyOne(diagSpec, [x], { diagonal });
}

export interface MeshgridOptions {
  /** "ij" (the default): dim i follows vector i. "xy": the first two dims are exchanged, as for pictures. */
  readonly indexing?: "ij" | "xy";
}

/**
 * The coordinates of a grid: of vectors [n], [m], … one tensor [n, m, …] each, with the vector along its own dim.
 *
 * @throws ShapeError unless all have at most one dim.
 * @example
 * ```ts
 * import { meshgrid, tensor } from "gradus";
 * const [x] = meshgrid([tensor([1, 2]), tensor([5, 6])]);
 * console.log(x?.toArray()); // → [ [ 1, 1 ], [ 2, 2 ] ]
 * ```
 */
export function meshgrid(vectors: readonly Tensor[], options: MeshgridOptions = {}): Tensor[] {
  const { indexing = "ij" } = options;
  checkTensors("meshgrid", vectors);
  if (vectors.length === 0) throw new ValueError("meshgrid", "needs at least one tensor, got none");
  if (indexing !== "ij" && indexing !== "xy")
    throw new ValueError("meshgrid", `indexing must be "ij" or "xy", got ${String(indexing)}`);
  const deep = vectors.find((x) => x.ndim > 1);
  if (deep) throw new ShapeError("meshgrid", `expected vectors, got ${formatShape(deep.shape)}`);
  const shape = vectors.map((x) => x.size);
  const isTurned = indexing === "xy" && vectors.length > 1;
  return vectors.map((x, i) => {
    const along = reshape(
      x,
      shape.map((n, d) => (d === i ? n : 1)),
    );
    const grid = expand(along, shape);
    return isTurned ? transpose(grid, 0, 1) : grid;
  });
}

install({ diag });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** The matrix with this vector on a diagonal, or this matrix's diagonal. */
    diag(diagonal?: number): Tensor;
  }
}

const diagonals = [0, 1, -1, 2, -2];

export const buildSamples: SampleSet = () => [
  {
    op: "diag",
    samples: [
      ...diagonals.map((d) => sample([input([3])], (a) => diag(a, d), `torch.diag(a, ${d})`)),
      ...diagonals.map((d) => sample([input([3, 3])], (a) => diag(a, d), `torch.diag(a, ${d})`)),
      ...diagonals.map((d) =>
        sample([input([2, 4])], (a) => diag(a.t(), d), `torch.diag(a.t(), ${d})`),
      ),
      sample([input([1])], (a) => a.diag(), "torch.diag(a)"),
      sample([input([0])], (a) => a.diag(), "torch.diag(a)"),
      sample([input([2, 0])], (a) => a.diag(), "torch.diag(a)"),
      sample([typed("int32", [3])], (a) => a.diag(1), "torch.diag(a, 1)"),
      sample([typed("bool", [3, 3])], (a) => a.diag(1), "torch.diag(a, 1)"),
    ],
    bad: [
      bad(() => diag(zeros([])), /^diag: expected one or two dims, got \[\]/),
      bad(() => diag(zeros([2]), 0.5), /^diag: the diagonal must be a whole number/),
    ],
    noSecondGradient: "it is linear",
  },
  {
    op: "meshgrid",
    samples: [
      ...(["ij", "xy"] as const).flatMap((indexing) => [
        sample(
          [input([2]), input([3])],
          (a, b) => meshgrid([a, b], { indexing }),
          `torch.meshgrid(a, b, indexing="${indexing}")`,
        ),
        sample(
          [input([2]), input([]), input([3])],
          (a, b, c) => meshgrid([a, b, c], { indexing }),
          `torch.meshgrid(a, b, c, indexing="${indexing}")`,
        ),
      ]),
      sample([input([2])], (a) => meshgrid([a]), 'torch.meshgrid(a, indexing="ij")'),
    ],
    bad: [
      bad(() => meshgrid([zeros([2, 2])]), /^meshgrid: expected vectors, got \[2, 2\]/),
      bad(() => meshgrid([]), /^meshgrid: needs at least one tensor/),
    ],
    noSecondGradient: "it is linear",
  },
];
