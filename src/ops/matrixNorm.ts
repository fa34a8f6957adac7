/** Norms of matrices: of their elements, rows, columns or singular values. Read pseudoinverse.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, normalizeDim } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, input, type SampleSet, sample } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { svdNodes } from "./decomposition.js";
import { lengthNodes } from "./lengths.js";
import { needFloatTensor } from "./norm.js";
import type { KeepDim } from "./reduce.js";

const orders = ["fro", "nuc", 1, -1, 2, -2, Infinity, -Infinity] as const;
export type MatrixOrder = (typeof orders)[number];

export interface MatrixNormOptions extends KeepDim {
  /** The dims of rows and columns; default the last two. */
  readonly dim?: readonly [number, number];
}

type Attributes = {
  readonly ord: MatrixOrder;
  readonly dims: readonly number[];
  readonly keepDim: boolean;
};

/** Of matrices in the last two dims; those stay with size 1. */
function normNodes(b: Builder, x: Node, ord: MatrixOrder): Node {
  const last = x.shape.length - 1;
  if (ord === "fro") return lengthNodes(b, x, 2, [last - 1, last], true);
  const extreme = typeof ord === "number" && ord < 0 ? "reduceMin" : "reduceMax";
  if (ord === "nuc" || Math.abs(ord) === 2) {
    const { s } = svdNodes(b, x);
    const folded = b.reduce(ord === "nuc" ? "reduceSum" : extreme, s, [last - 1], true);
    return b.reshape(folded, [...folded.shape, 1]);
  }
  // 1: the sums of columns; ∞: of rows.
  const [along, over] = Math.abs(ord) === 1 ? [last - 1, last] : [last, last - 1];
  const sums = b.reduce("reduceSum", b.pointwise("abs", x), [along], true);
  return b.reduce(extreme, sums, [over], true);
}

const matrixNormSpec: OpSpec<Attributes> = {
  name: "matrixNorm",
  lower(b, [x], { ord, dims, keepDim }) {
    const others = x!.shape.map((_, i) => i).filter((i) => !dims.includes(i));
    const norms = normNodes(b, b.transpose(x!, [...others, ...dims]), ord);
    const kept = x!.shape.map((n, i) => (dims.includes(i) ? 1 : n));
    return b.reshape(norms, keepDim ? kept : others.map((i) => x!.shape[i]!));
  },
};

/**
 * Norms of matrices [..., n, m] → [...] by order: "fro" the root of the sum of squares, "nuc" the sum of singular values, 2 and −2
 * the largest and smallest of them, 1 and −1 the largest and smallest sum of a column's |x|, Infinity and -Infinity of a row's.
 *
 * @throws ValueError for another order; ShapeError for fewer than two dims; DTypeError unless x is a float tensor.
 * @example
 * ```ts
 * import { matrixNorm, tensor } from "gradus";
 * const x = tensor([[1, -2], [3, 4]]);
 * console.log(matrixNorm(x, 1).item(), matrixNorm(x, Infinity).item()); // → 6 7
 * ```
 */
export function matrixNorm(
  x: Tensor,
  ord: MatrixOrder = "fro",
  { dim = [-2, -1], keepDim = false }: MatrixNormOptions = {},
): Tensor {
  const op = "matrixNorm";
  if (!orders.includes(ord))
    throw new ValueError(op, `ord must be one of ${orders.join(", ")}, got ${ord}`);
  needFloatTensor(op, x);
  if (x.ndim < 2 || dim.length !== 2)
    throw new ShapeError(op, `needs two dims of x for matrices, got ${formatShape(x.shape)}`);
  const dims = dim.map((d) => normalizeDim(op, d, x.ndim));
  if (dims[0] === dims[1]) throw new ValueError(op, `dim [${dim}] names a dimension twice`);
  if (ord !== "fro" && dims.some((d) => x.shape[d] === 0))
    throw new ShapeError(op, `order ${ord} needs elements, got ${formatShape(x.shape)}`);
  return applyOne(matrixNormSpec, [x], { ord, dims, keepDim });
}

const spelled = (ord: MatrixOrder): string =>
  typeof ord === "string" ? `"${ord}"` : `${ord}`.replace("Infinity", 'float("inf")');

export const matrixNormSamples: SampleSet = () => [
  {
    op: "matrixNorm",
    samples: [
      ...orders.flatMap((ord) => [
        sample(
          [input([3, 4])],
          (a) => matrixNorm(a, ord),
          `torch.linalg.matrix_norm(a, ${spelled(ord)})`,
        ),
        sample(
          [input([3, 2, 4])],
          (a) => matrixNorm(a, ord, { dim: [2, 0], keepDim: true }),
          `torch.linalg.matrix_norm(a, ${spelled(ord)}, (2, 0), keepdim=True)`,
        ),
      ]),
      sample(
        [input([2, 3, 3])],
        (a) => matrixNorm(a.transpose(1, 2), "nuc"),
        "torch.linalg.matrix_norm(a.mT, 'nuc')",
      ),
      sample([input([2, 0, 3])], (a) => matrixNorm(a), "torch.linalg.matrix_norm(a)"),
    ],
    bad: [
      bad(() => matrixNorm(zeros([2])), /^matrixNorm: needs two dims of x for matrices, got \[2\]/),
      bad(
        () => matrixNorm(zeros([2, 2]), 3 as 2),
        /^matrixNorm: ord must be one of fro, nuc, 1, -1/,
      ),
      bad(
        () => matrixNorm(zeros([2, 2]), 1, { dim: [0, -2] }),
        /^matrixNorm: dim \[0,-2\] names a dimension twice/,
      ),
      bad(() => matrixNorm(zeros([2, 0]), 2), /^matrixNorm: order 2 needs elements, got \[2, 0\]/),
    ],
  },
];
