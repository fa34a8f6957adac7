/** What follows from singular values: pseudoinverses, least squares, ranks. Read decompositionSamples.ts or attention.ts next. */
import { ShapeError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { product, transposed } from "../ir/vjp/linalg.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkMatrix, svdNodes } from "./decomposition.js";
import { promoteNodes } from "./pointwise.js";

/** V·diag(1/S)·Uᵀ, singular values up to rcond · the largest counting as 0. */
function pinverseNodes(b: Builder, x: Node, rcond: number): Node {
  const { u, s, v } = svdNodes(b, x);
  const last = s.shape.length - 1;
  const limit = b.multiply(b.stopGradient(b.reduce("reduceMax", s, [last], true)), rcond);
  const isLarge = b.pointwise("greater", s, limit);
  const inverses = b.select(isLarge, b.divide(1, b.select(isLarge, s, 1)), 0);
  const scaled = b.multiply(v, b.reshape(inverses, [...s.shape.slice(0, -1), 1, s.shape[last]!]));
  return product(b, scaled, transposed(b, u));
}

const pinverseSpec: OpSpec<{ readonly rcond: number }> = {
  name: "pinverse",
  lower: (b, [x], { rcond }) => pinverseNodes(b, x!, rcond),
};

/**
 * Moore and Penrose's inverse [..., m, n] of matrices [..., n, m]; singular values up to rcond times the largest count as 0.
 *
 * @throws ShapeError for fewer than two dims or a size of 0.
 * @example
 * ```ts
 * import { pinverse, tensor } from "gradus";
 * console.log(pinverse(tensor([[2], [0]])).toArray()); // ≈ [ [ 0.5, 0 ] ]
 * ```
 */
export function pinverse(x: Tensor, { rcond = 1e-15 }: { readonly rcond?: number } = {}): Tensor {
  checkMatrix("pinverse", x, false);
  return applyOne(pinverseSpec, [x], { rcond });
}

const epsilon = (x: { readonly dtype: string }): number =>
  x.dtype === "float64" ? 2 ** -52 : 2 ** -23;

const rankSpec: OpSpec<{ readonly rtol: number }> = {
  name: "matrixRank",
  lower(b, [x], { rtol }) {
    const { s } = svdNodes(b, x!);
    const last = s.shape.length - 1;
    const limit = b.multiply(b.reduce("reduceMax", s, [last], true), rtol);
    const counted = b.convert(b.pointwise("greater", s, limit), "int32");
    return b.reduce("reduceSum", counted, [last]);
  },
};

/**
 * How many singular values are over rtol times the largest, int32; rtol: by default max(n, m) times the distance from 1 to the next
 * number.
 *
 * @throws ShapeError for fewer than two dims or a size of 0.
 * @example
 * ```ts
 * import { matrixRank, tensor } from "gradus";
 * console.log(matrixRank(tensor([[1, 2], [2, 4]])).item()); // → 1
 * ```
 */
export function matrixRank(x: Tensor, options: { readonly rtol?: number } = {}): Tensor {
  checkMatrix("matrixRank", x, false);
  const rtol = options.rtol ?? Math.max(...x.shape.slice(-2)) * epsilon(x);
  return applyOne(rankSpec, [x], { rtol });
}

const lstsqSpec: OpSpec<{ readonly rcond: number }> = {
  name: "lstsq",
  lower(b, nodes, { rcond }) {
    const [a, y] = promoteNodes(b, nodes) as [Node, Node];
    return product(b, pinverseNodes(b, a, rcond), y);
  },
};

/**
 * The X with least ‖A·X − B‖, and of those the shortest. A: [..., n, m], B: [..., n, k] → solution [..., m, k].
 *
 * @throws ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { lstsq, tensor } from "gradus";
 * const { solution } = lstsq(tensor([[1], [1]]), tensor([[1], [3]]));
 * console.log(solution.toArray()); // ≈ [ [ 2 ] ]
 * ```
 */
export function lstsq(
  a: Tensor,
  b: Tensor,
  options: { readonly rcond?: number } = {},
): { readonly solution: Tensor } {
  checkMatrix("lstsq", a, false);
  checkMatrix("lstsq", b, false);
  if (!sameShape(a.shape.slice(0, -1), b.shape.slice(0, -1)))
    throw new ShapeError(
      "lstsq",
      `expected [..., n, m] and [..., n, k], got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  const rcond = options.rcond ?? Math.max(...a.shape.slice(-2)) * epsilon(a);
  return { solution: applyOne(lstsqSpec, [a, b], { rcond }) };
}

install({ pinverse });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** Moore and Penrose's inverse. */
    pinverse(options?: { readonly rcond?: number }): Tensor;
  }
}
