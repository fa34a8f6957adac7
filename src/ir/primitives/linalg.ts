/**
 * Primitives of dense linear algebra on batches of matrices [..., n, m]. A factorization with several parts gives them stacked in
 * one matrix, from which slices take them.
 */
import { isFloat } from "../../core/dtype.js";
import { DTypeError, ShapeError } from "../../core/errors.js";
import { formatShape, sameShape } from "../../core/shape.js";
import type { Primitive, ValueType } from "../primitives.js";

export interface TriangularSolveAttributes {
  /** Which triangle of the matrix is read. */
  readonly lower: boolean;
  /** Takes the diagonal as ones. */
  readonly unitDiagonal: boolean;
  /** Solves with the transposed matrix. */
  readonly transpose: boolean;
}

type NoAttributes = Record<string, never>;

function matrix(x: ValueType, isSquare: boolean): [batch: number[], n: number, m: number] {
  const [n, m] = x.shape.slice(-2) as [number, number];
  if (!isFloat(x.dtype)) throw new DTypeError("", `needs a float matrix, got ${x.dtype}`);
  if (x.shape.length < 2 || (isSquare && n !== m))
    throw new ShapeError(
      "",
      `needs ${isSquare ? "square " : ""}matrices, got ${formatShape(x.shape)}`,
    );
  return [x.shape.slice(0, -2), n, m];
}

const factor = (
  isSquare: boolean,
  result: (n: number, m: number) => readonly number[],
): Primitive<NoAttributes> => ({
  class: "linalg",
  arity: 1,
  infer([x]) {
    const [batch, n, m] = matrix(x!, isSquare);
    return { dtype: x!.dtype, shape: [...batch, ...result(n, m)] };
  },
});

function inferSolve([a, b]: readonly ValueType[]): ValueType {
  const [batch, n] = matrix(a!, true);
  const [others, rows] = matrix(b!, false);
  if (rows !== n || !sameShape(batch, others) || a!.dtype !== b!.dtype)
    throw new ShapeError(
      "",
      `cannot solve ${a!.dtype}${formatShape(a!.shape)} · x = ${b!.dtype}${formatShape(b!.shape)}`,
    );
  return { dtype: b!.dtype, shape: b!.shape };
}

export const linalgPrimitives = {
  /** The lower triangle L with L·Lᵀ = A, reading A's lower triangle; fails unless A is positive definite. */
  cholesky: factor(true, (n) => [n, n]),
  /** The determinant, 0 for a singular matrix. */
  determinant: factor(true, () => []),
  /** A symmetric matrix's eigenvalues, rising, in row 0, and eigenvectors as columns of rows 1 … n. */
  eigh: factor(true, (n) => [n + 1, n]),
  /** A = Q·R with k = min(n, m): Q in rows 0 … n − 1, Rᵀ (m × k) below. R's diagonal may be of either sign, as in LAPACK. */
  qr: factor(false, (n, m) => [n + m, Math.min(n, m)]),
  /** A = U·diag(S)·Vᵀ, k = min(n, m): U in rows 0 … n − 1, S falling in row n, V in the m rows below. */
  svd: factor(false, (n, m) => [n + 1 + m, Math.min(n, m)]),
  /** inputs: A [..., n, n], B [..., n, k] → X with A·X = B; fails if A is singular. */
  solve: { class: "linalg", arity: 2, infer: inferSolve } as Primitive<NoAttributes>,
  triangularSolve: {
    class: "linalg",
    arity: 2,
    infer: inferSolve,
  } as Primitive<TriangularSolveAttributes>,
};
