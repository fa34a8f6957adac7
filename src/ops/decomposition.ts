/**
 * Decompositions of matrices [..., n, m], and what follows from them: determinants, inverses, solutions. Read
 * pseudoinverse.ts next.
 */
import { ShapeError, ValueError } from "../core/errors.js";
import { broadcastShapes, formatShape, sameShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { product, rows, transposed } from "../ir/vjp/linalg.js";
import { apply, applyOne, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { diagonalNodes } from "./einsum.js";
import { needFloatTensor } from "./norm.js";
import { promoteNodes } from "./pointwise.js";

export function checkMatrix(op: string, x: Tensor, isSquare: boolean): void {
  needFloatTensor(op, x);
  if (x.ndim < 2 || (isSquare && x.shape.at(-1) !== x.shape.at(-2)))
    throw new ShapeError(
      op,
      `needs ${isSquare ? "square " : ""}matrices, got ${formatShape(x.shape)}`,
    );
}

/** An op on matrices with one result. */
function onMatrices(name: string, isSquare: boolean, lower: (b: Builder, x: Node) => Node) {
  const spec: OpSpec = { name, lower: (b, [x]) => lower(b, x!) };
  return (x: Tensor): Tensor => {
    checkMatrix(name, x, isSquare);
    return applyOne(spec, [x], {});
  };
}

const diagonalOf = (b: Builder, x: Node): Node =>
  diagonalNodes(b, x, x.shape.length - 2, x.shape.length - 1);

const identityLike = (b: Builder, x: Node): Node => {
  const rank = x.shape.length;
  return b.convert(b.equal(b.iota(rank - 2, x.shape), b.iota(rank - 1, x.shape)), x.dtype);
};

/** Columns `from` to `to` of the last dim. */
function columns(b: Builder, x: Node, from: number, to: number): Node {
  const last = x.shape.length - 1;
  const at = (list: readonly number[], value: number) =>
    list.map((n, i) => (i === last ? value : n));
  return b.slice(
    x,
    at(
      x.shape.map(() => 0),
      from,
    ),
    at(x.shape, to),
  );
}

const traceSpec: OpSpec = {
  name: "trace",
  lower(b, [x]) {
    const counted = x!.dtype === "bool" || x!.dtype === "uint8" ? b.convert(x!, "int32") : x!;
    return b.reduce("reduceSum", diagonalNodes(b, counted, 0, 1), [0]);
  },
};

/**
 * The sum of the diagonal of a matrix.
 *
 * @throws ShapeError unless there are two dims.
 * @example
 * ```ts
 * import { tensor, trace } from "gradus";
 * console.log(trace(tensor([[1, 2], [3, 4]])).item()); // → 5
 * ```
 */
export function trace(x: Tensor): Tensor {
  if (x.ndim !== 2) throw new ShapeError("trace", `needs a matrix, got ${formatShape(x.shape)}`);
  return applyOne(traceSpec, [x], {});
}

/**
 * The determinants of square matrices [..., n, n] → [...]; 0 for a singular one, which has no gradient here.
 *
 * @throws ShapeError unless the matrices are square.
 * @example
 * ```ts
 * import { det, tensor } from "gradus";
 * console.log(det(tensor([[1, 2], [3, 4]])).item()); // ≈ -2
 * ```
 */
export const det = onMatrices("det", true, (b, x) => b.make("determinant", [x], {}));

/** Q and R of A = Q·R; a wide A has the R of its left square, and Qᵀ times the rest. */
function qrNodes(b: Builder, x: Node): [q: Node, r: Node] {
  const [n, m] = x.shape.slice(-2) as [number, number];
  const k = Math.min(n, m);
  const packed = b.make("qr", [columns(b, x, 0, k)], {});
  const q = rows(b, packed, 0, n);
  const r = transposed(b, rows(b, packed, n, n + k));
  if (n >= m) return [q, r];
  const right = product(b, transposed(b, q), columns(b, x, n, m));
  return [q, b.make("concatenate", [r, right], { dim: x.shape.length - 1 })];
}

const slogdetSpec: OpSpec = {
  name: "slogdet",
  lower(b, [x]) {
    const [q, r] = qrNodes(b, x!);
    const diagonal = diagonalOf(b, r);
    const last = diagonal.shape.length - 1;
    const signs = b.reduce("reduceProduct", b.pointwise("sign", diagonal), [last]);
    const turn = b.pointwise("sign", b.make("determinant", [b.stopGradient(q)], {}));
    const logs = b.pointwise("log", b.pointwise("abs", diagonal));
    return [b.stopGradient(b.multiply(signs, turn)), b.reduce("reduceSum", logs, [last])];
  },
};

/**
 * Sign and logarithm of the absolute value of determinants, where the determinants themselves would overflow.
 *
 * @throws ShapeError unless the matrices are square.
 * @example
 * ```ts
 * import { slogdet, tensor } from "gradus";
 * const { sign, logabsdet } = slogdet(tensor([[0, 1], [1, 0]]));
 * console.log(sign.item(), Math.abs(logabsdet.item())); // ≈ -1 0
 * ```
 */
export function slogdet(x: Tensor): { readonly sign: Tensor; readonly logabsdet: Tensor } {
  checkMatrix("slogdet", x, true);
  const [sign, logabsdet] = apply(slogdetSpec, [x], {}) as [Tensor, Tensor];
  return { sign, logabsdet };
}

/**
 * The inverses of square matrices [..., n, n].
 *
 * @throws ShapeError unless the matrices are square; ValueError if one is singular.
 * @example
 * ```ts
 * import { inverse, tensor } from "gradus";
 * console.log(inverse(tensor([[2, 0], [0, 4]])).toArray()); // → [ [ 0.5, 0 ], [ 0, 0.25 ] ]
 * ```
 */
export const inverse = onMatrices("inverse", true, (b, x) =>
  b.make("solve", [x, identityLike(b, x)], {}),
);

const solveSpec: OpSpec<{ readonly isVector: boolean }> = {
  name: "solve",
  lower(b, nodes, { isVector }) {
    const [a, y] = promoteNodes(b, nodes) as [Node, Node];
    const right = isVector ? b.reshape(y, [...y.shape, 1]) : y;
    const batch = broadcastShapes("solve", a.shape.slice(0, -2), right.shape.slice(0, -2));
    const spread = (z: Node) => b.broadcastTo(z, [...batch, ...z.shape.slice(-2)]);
    const x = b.make("solve", [spread(a), spread(right)], {});
    return isVector ? b.reshape(x, x.shape.slice(0, -1)) : x;
  },
};

/**
 * X with A·X = B. A: [*, n, n]; B: [*, n, k], where batches broadcast, or vectors: [n], or [*, n] with exactly A's batch.
 *
 * @throws ShapeError if sizes do not fit; ValueError if a matrix is singular.
 * @example
 * ```ts
 * import { solve, tensor } from "gradus";
 * console.log(solve(tensor([[2, 0], [0, 4]]), tensor([2, 2])).toArray()); // → [ 1, 0.5 ]
 * ```
 */
export function solve(a: Tensor, b: Tensor): Tensor {
  checkMatrix("solve", a, true);
  needFloatTensor("solve", b);
  const isVector = b.ndim === 1 || sameShape(b.shape, a.shape.slice(0, -1));
  const size = isVector ? b.shape.at(-1) : b.shape.at(-2);
  if (b.ndim === 0 || size !== a.shape.at(-1))
    throw new ShapeError(
      "solve",
      `${formatShape(a.shape)} · x = ${formatShape(b.shape)}: sizes do not fit`,
    );
  return applyOne(solveSpec, [a, b], { isVector });
}

const choleskySpec: OpSpec<{ readonly upper: boolean }> = {
  name: "cholesky",
  lower(b, [x], { upper }) {
    const lower = b.make("cholesky", [x!], {});
    return upper ? transposed(b, lower) : lower;
  },
};

/**
 * The lower triangle L with L·Lᵀ = A for symmetric positive definite A; with `upper` its transpose. Reads A's lower triangle.
 *
 * @throws ShapeError unless the matrices are square; ValueError if one is not positive definite.
 * @example
 * ```ts
 * import { cholesky, tensor } from "gradus";
 * console.log(cholesky(tensor([[4, 2], [2, 2]])).toArray()); // → [ [ 2, 0 ], [ 1, 1 ] ]
 * ```
 */
export function cholesky(x: Tensor, { upper = false }: { readonly upper?: boolean } = {}): Tensor {
  checkMatrix("cholesky", x, true);
  return applyOne(choleskySpec, [x], { upper });
}

/** Orthonormal columns that complete q [..., n, k] to n of them. They follow from no formula in q: no gradient. */
function complementNodes(b: Builder, q: Node): Node {
  const [n, k] = q.shape.slice(-2) as [number, number];
  const square = identityLike(b, b.constant(0, q.dtype, [...q.shape.slice(0, -1), n]));
  const given = b.stopGradient(q);
  const last = q.shape.length - 1;
  // The reflections that make q a triangle leave the other columns orthonormal, whatever is beside it.
  const beside = b.make("concatenate", [given, columns(b, square, 0, n - k)], { dim: last });
  return columns(b, rows(b, b.make("qr", [beside], {}), 0, n), k, n);
}

/** q [..., n, k] with its complement: [..., n, n]. */
function completeNodes(b: Builder, q: Node): Node {
  const [n, k] = q.shape.slice(-2) as [number, number];
  if (n === k) return q;
  return b.make("concatenate", [q, complementNodes(b, q)], { dim: q.shape.length - 1 });
}

const qrModes = ["reduced", "complete", "r"] as const;
type QrMode = (typeof qrModes)[number];

const qrSpec: OpSpec<{ readonly mode: QrMode }> = {
  name: "qr",
  lower(b, [x], { mode }) {
    const [q, r] = qrNodes(b, x!);
    if (mode === "r") return r;
    if (mode === "reduced") return [q, r];
    const [n, m] = x!.shape.slice(-2) as [number, number];
    if (n <= m) return [q, r];
    const low = b.constant(0, x!.dtype, [...x!.shape.slice(0, -2), n - m, m]);
    const tall = b.make("concatenate", [r, low], { dim: x!.shape.length - 2 });
    return [completeNodes(b, q), tall];
  },
};

/**
 * A = Q·R with orthonormal columns in Q [..., n, k] and a triangle R [..., k, m], k = min(n, m). Signs are LAPACK's. Mode
 * "complete" gives Q [..., n, n] and R [..., n, m], where the columns that are added have no gradient; mode "r" an empty Q.
 *
 * @throws ShapeError for fewer than two dims; ValueError for an unknown mode.
 * @example
 * ```ts
 * import { qr, tensor } from "gradus";
 * const { Q, R } = qr(tensor([[3, 1], [4, 2]]));
 * console.log(Q.matmul(R).toArray()); // ≈ [ [ 3, 1 ], [ 4, 2 ] ]
 * ```
 */
export function qr(
  x: Tensor,
  { mode = "reduced" }: { readonly mode?: QrMode } = {},
): { readonly Q: Tensor; readonly R: Tensor } {
  checkMatrix("qr", x, false);
  if (!qrModes.includes(mode))
    throw new ValueError("qr", `mode must be one of ${qrModes.join(", ")}, got "${mode}"`);
  const parts = apply(qrSpec, [x], { mode });
  if (mode === "r") return { Q: zeros([0], { dtype: x.dtype }), R: parts[0]! };
  return { Q: parts[0]!, R: parts[1]! };
}

export interface SvdNodes {
  readonly u: Node;
  readonly s: Node;
  readonly v: Node;
}

/** The parts of a singular value decomposition, vectors as columns. */
export function svdNodes(b: Builder, x: Node): SvdNodes {
  const [n, m] = x.shape.slice(-2) as [number, number];
  const packed = b.make("svd", [x], {});
  const s = rows(b, packed, n, n + 1);
  return {
    u: rows(b, packed, 0, n),
    s: b.reshape(s, [...s.shape.slice(0, -2), s.shape.at(-1)!]),
    v: rows(b, packed, n + 1, n + 1 + m),
  };
}

const svdSpec: OpSpec<{ readonly fullMatrices: boolean }> = {
  name: "svd",
  lower(b, [x], { fullMatrices }) {
    const { u, s, v } = svdNodes(b, x!);
    if (!fullMatrices) return [u, s, transposed(b, v)];
    return [completeNodes(b, u), s, transposed(b, completeNodes(b, v))];
  },
};

/** The parts of A = U·diag(S)·Vh. */
export interface Svd {
  readonly U: Tensor;
  readonly S: Tensor;
  readonly Vh: Tensor;
}

/**
 * A = U·diag(S)·Vh with k = min(n, m) singular values S, falling; U: [..., n, k], Vh: [..., k, m] (PyTorch's `linalg.svd` with
 * `full_matrices=False`). Each pair of columns of U and rows of Vh may have either sign. With `fullMatrices` U is [..., n, n] and
 * Vh [..., m, m]; the vectors that are added have no gradient.
 *
 * @throws ShapeError for fewer than two dims.
 * @example
 * ```ts
 * import { svd, tensor } from "gradus";
 * console.log(svd(tensor([[0, 2], [3, 0]])).S.toArray()); // ≈ [ 3, 2 ]
 * ```
 */
export function svd(
  x: Tensor,
  { fullMatrices = false }: { readonly fullMatrices?: boolean } = {},
): Svd {
  checkMatrix("svd", x, false);
  const [U, S, Vh] = apply(svdSpec, [x], { fullMatrices }) as [Tensor, Tensor, Tensor];
  return { U, S, Vh };
}

const eighSpec: OpSpec = {
  name: "eigh",
  lower(b, [x]) {
    const n = x!.shape.at(-1)!;
    const packed = b.make("eigh", [x!], {});
    return [b.reshape(rows(b, packed, 0, 1), x!.shape.slice(0, -1)), rows(b, packed, 1, n + 1)];
  },
};

/**
 * Eigenvalues of symmetric matrices, rising: [..., n], and eigenvectors as columns: [..., n, n], each of either sign.
 *
 * @throws ShapeError unless the matrices are square.
 * @example
 * ```ts
 * import { eigh, tensor } from "gradus";
 * console.log(eigh(tensor([[2, 1], [1, 2]])).eigenvalues.toArray()); // ≈ [ 1, 3 ]
 * ```
 */
export function eigh(x: Tensor): { readonly eigenvalues: Tensor; readonly eigenvectors: Tensor } {
  checkMatrix("eigh", x, true);
  const [eigenvalues, eigenvectors] = apply(eighSpec, [x], {}) as [Tensor, Tensor];
  return { eigenvalues, eigenvectors };
}

const powerSpec: OpSpec<{ readonly n: number }> = {
  name: "matrixPower",
  lower(b, [x], { n }) {
    const identity = identityLike(b, x!);
    let square = n < 0 ? b.make("solve", [x!, identity], {}) : x!;
    let result: Node | null = null;
    for (let rest = Math.abs(n); rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) result = result ? product(b, result, square) : square;
      if (rest > 1) square = product(b, square, square);
    }
    return result ?? identity;
  },
};

/**
 * The n-th power of square matrices; the identity for 0, the inverse's power for n < 0.
 *
 * @throws ValueError unless n is a whole number, or if an inverse is asked of a singular matrix.
 * @example
 * ```ts
 * import { matrixPower, tensor } from "gradus";
 * console.log(matrixPower(tensor([[1, 1], [0, 1]]), 5).toArray()); // → [ [ 1, 5 ], [ 0, 1 ] ]
 * ```
 */
export function matrixPower(x: Tensor, n: number): Tensor {
  checkMatrix("matrixPower", x, true);
  if (!Number.isSafeInteger(n))
    throw new ValueError("matrixPower", `the power must be a whole number, got ${n}`);
  return applyOne(powerSpec, [x], { n });
}

install({ trace, det, slogdet, inverse, cholesky, qr, svd, matrixPower });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** Sum of the diagonal. */
    trace(): Tensor;
    /** Determinants of the last two dims. */
    det(): Tensor;
    /** Sign and logarithm of determinants. */
    slogdet(): { readonly sign: Tensor; readonly logabsdet: Tensor };
    /** Inverses of the last two dims. */
    inverse(): Tensor;
    /** The triangle L with L·Lᵀ = x. */
    cholesky(options?: { readonly upper?: boolean }): Tensor;
    /** Q and R with Q·R = x. */
    qr(options?: { readonly mode?: QrMode }): { readonly Q: Tensor; readonly R: Tensor };
    /** Singular values and vectors. */
    svd(options?: { readonly fullMatrices?: boolean }): Svd;
    /** The n-th power of matrices. */
    matrixPower(n: number): Tensor;
  }
}
