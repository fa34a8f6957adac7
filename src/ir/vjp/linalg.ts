/**
 * Gradient rules of linear algebra (Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
 * differentiation", 2008). Matrices are the last two dims.
 */
import type { Builder } from "../builder.js";
import type { Node } from "../graph.js";
import type { Rule, Rules } from "../vjp.js";

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Batched product of the last two dims. */
export function product(b: Builder, x: Node, y: Node): Node {
  const rank = x.shape.length;
  const batch = range(rank - 2);
  return b.make("dotGeneral", [x, y], {
    lhsBatch: batch,
    rhsBatch: batch,
    lhsContract: [rank - 1],
    rhsContract: [rank - 2],
  });
}

/** The last two dims swapped. */
export function transposed(b: Builder, x: Node): Node {
  const rank = x.shape.length;
  return b.transpose(x, [...range(rank - 2), rank - 1, rank - 2]);
}

/** Rows `from` to `to` of the last two dims. */
export function rows(b: Builder, x: Node, from: number, to: number): Node {
  const start = x.shape.map((_, i) => (i === x.shape.length - 2 ? from : 0));
  const limit = x.shape.map((n, i) => (i === x.shape.length - 2 ? to : n));
  return b.slice(x, start, limit);
}

/** 1 where row > column (or ≥, with `diagonal`), else 0. */
function lowerMask(b: Builder, like: Node, diagonal: number): Node {
  const rank = like.shape.length;
  const [row, column] = [b.iota(rank - 2, like.shape), b.iota(rank - 1, like.shape)];
  const below = b.pointwise("greater", row, column);
  const weight = b.select(b.equal(row, column), b.constant(diagonal, like.dtype, like.shape), 0);
  return b.select(below, b.constant(1, like.dtype, like.shape), weight);
}

/** A⁻ᵀ·g. */
const solveTransposed = (b: Builder, a: Node, g: Node): Node =>
  b.make("solve", [transposed(b, a), g], {});

const cholesky: Rule<"cholesky"> = (b, l, g) => {
  // Φ(Lᵀ·g): the lower triangle with half of the diagonal; dA = sym(L⁻ᵀ·Φ·L⁻¹).
  const inner = product(b, transposed(b, l), g);
  const phi = b.multiply(inner, lowerMask(b, inner, 0.5));
  const solveWith = (x: Node) =>
    b.make("triangularSolve", [l, x], { lower: true, unitDiagonal: false, transpose: true });
  const half = solveWith(phi);
  const whole = transposed(b, solveWith(transposed(b, half)));
  return [b.multiply(b.add(whole, transposed(b, whole)), 0.5)];
};

const identityLike = (b: Builder, a: Node): Node => {
  const rank = a.shape.length;
  const isDiagonal = b.equal(b.iota(rank - 2, a.shape), b.iota(rank - 1, a.shape));
  return b.convert(isDiagonal, a.dtype);
};

/** g·det(A)·A⁻ᵀ; a singular matrix has no gradient here and fails. */
const determinant: Rule<"determinant"> = (b, node, g) => {
  const a = node.inputs[0]!;
  const scale = b.reshape(b.multiply(g, node), [...g.shape, 1, 1]);
  return [b.multiply(solveTransposed(b, a, identityLike(b, a)), scale)];
};

const solve: Rule<"solve"> = (b, x, g) => {
  const db = solveTransposed(b, x.inputs[0]!, g);
  return [b.negate(product(b, db, transposed(b, x))), db];
};

const triangularSolve: Rule<"triangularSolve"> = (b, x, g) => {
  const { attributes } = x;
  const db = b.make("triangularSolve", [x.inputs[0]!, g], {
    ...attributes,
    transpose: !attributes.transpose,
  });
  const outer = attributes.transpose
    ? product(b, x, transposed(b, db))
    : product(b, db, transposed(b, x));
  const full = b.negate(outer);
  const diagonal = attributes.unitDiagonal ? 0 : 1;
  const mask = lowerMask(b, full, diagonal);
  return [b.multiply(full, attributes.lower ? mask : transposed(b, mask)), db];
};

/** dA = V·(diag(gλ) + (Vᵀ·gV) / (λⱼ − λᵢ))·Vᵀ, symmetric part. */
const eigh: Rule<"eigh"> = (b, node, g) => {
  const n = node.shape.at(-1)!;
  const [values, vectors] = [rows(b, node, 0, 1), rows(b, node, 1, n + 1)];
  const [gValues, gVectors] = [rows(b, g, 0, 1), rows(b, g, 1, n + 1)];
  const eye = identityLike(b, vectors);
  const gaps = b.subtract(values, transposed(b, values));
  const safe = b.select(b.equal(gaps, 0), 1, gaps);
  const factors = b.select(b.equal(gaps, 0), 0, b.divide(b.constant(1, g.dtype, gaps.shape), safe));
  const turned = b.multiply(product(b, transposed(b, vectors), gVectors), factors);
  const inner = b.add(turned, b.multiply(eye, gValues));
  const whole = product(b, product(b, vectors, inner), transposed(b, vectors));
  return [b.multiply(b.add(whole, transposed(b, whole)), 0.5)];
};

/** For n ≥ m (tall or square): dA = (gQ + Q·copyltu(M))·R⁻ᵀ with M = R·gRᵀ − gQᵀ·Q. */
const qr: Rule<"qr"> = (b, node, g) => {
  const [n, m] = node.inputs[0]!.shape.slice(-2) as [number, number];
  if (n < m) return [null];
  const [q, rt] = [rows(b, node, 0, n), rows(b, node, n, n + m)];
  const [gq, grt] = [rows(b, g, 0, n), rows(b, g, n, n + m)];
  const inner = b.subtract(product(b, transposed(b, rt), grt), product(b, transposed(b, gq), q));
  const below = b.multiply(inner, lowerMask(b, inner, 1));
  const strict = b.multiply(inner, lowerMask(b, inner, 0));
  const symmetric = b.add(below, transposed(b, strict));
  const left = b.add(gq, product(b, q, symmetric));
  // X·R⁻ᵀ = (R⁻¹·Xᵀ)ᵀ, and R is the transpose of the lower triangle Rᵀ.
  const solved = b.make("triangularSolve", [rt, transposed(b, left)], {
    lower: true,
    unitDiagonal: false,
    transpose: true,
  });
  return [transposed(b, solved)];
};

const svd: Rule<"svd"> = (b, node, g) => {
  const [n, m] = node.inputs[0]!.shape.slice(-2) as [number, number];
  const parts = (x: Node) => [rows(b, x, 0, n), rows(b, x, n, n + 1), rows(b, x, n + 1, n + 1 + m)];
  const [u, s, v] = parts(node) as [Node, Node, Node];
  const [gu, gs, gv] = parts(g) as [Node, Node, Node];
  const squares = b.multiply(s, s);
  const gaps = b.subtract(squares, transposed(b, squares));
  const isSame = b.equal(gaps, 0);
  const one = b.constant(1, g.dtype, gaps.shape);
  const factors = b.select(isSame, 0, b.divide(one, b.select(isSame, 1, gaps)));
  const [ut, vt] = [transposed(b, u), transposed(b, v)];
  const skew = (x: Node) => b.multiply(b.subtract(x, transposed(b, x)), factors);
  const left = b.multiply(skew(product(b, ut, gu)), s);
  const right = b.multiply(skew(product(b, vt, gv)), transposed(b, s));
  const diagonal = b.multiply(identityLike(b, gaps), gs);
  const core = b.add(b.add(left, right), diagonal);
  let total = product(b, product(b, u, core), vt);
  // The parts of gU and gV outside of the spans of U and V.
  if (n > m) {
    const rest = b.subtract(gu, product(b, u, product(b, ut, gu)));
    total = b.add(total, product(b, b.divide(rest, s), vt));
  }
  if (m > n) {
    const rest = b.subtract(gv, product(b, v, product(b, vt, gv)));
    total = b.add(total, product(b, u, transposed(b, b.divide(rest, s))));
  }
  return [total];
};

export const linalgRules: Pick<
  Rules,
  "cholesky" | "determinant" | "eigh" | "qr" | "svd" | "solve" | "triangularSolve"
> = { cholesky, determinant, eigh, qr, svd, solve, triangularSolve };
