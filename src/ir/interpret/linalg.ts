/**
 * The interpreter's dense linear algebra: textbook algorithms on small matrices in float64 (Golub and Van Loan, "Matrix
 * Computations", 4th ed.: 3.4, 4.2, 5.2, 8.5, 8.6).
 */
import { ValueError } from "../../core/errors.js";
import { sizeOf } from "../../core/shape.js";
import type { Node } from "../graph.js";

/** Runs `compute` on each matrix of a batch; what it gives is put one after another. */
function batched(
  node: Node,
  x: Float64Array,
  compute: (a: Float64Array, n: number, m: number, batch: number) => ArrayLike<number>,
): Float64Array {
  const [n, m] = node.inputs[0]!.shape.slice(-2) as [number, number];
  const count = sizeOf(node.inputs[0]!.shape.slice(0, -2));
  const out = new Float64Array(sizeOf(node.shape));
  const size = count === 0 ? 0 : out.length / count;
  for (let i = 0; i < count; i++)
    out.set(compute(x.slice(i * n * m, (i + 1) * n * m), n, m, i), i * size);
  return out;
}

function cholesky(node: Node, [x]: readonly Float64Array[]): Float64Array {
  return batched(node, x!, (a, n, _, batch) => {
    const l = new Float64Array(n * n);
    for (let j = 0; j < n; j++)
      for (let i = j; i < n; i++) {
        let sum = a[i * n + j]!;
        for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
        if (i === j && !(sum > 0))
          throw new ValueError(
            node.origin,
            `matrix ${batch} of the batch is not positive definite`,
          );
        l[i * n + j] = i === j ? Math.sqrt(sum) : sum / l[j * n + j]!;
      }
    return l;
  });
}

/** In place: L below the diagonal, U on and above it; the row order, and its sign, 0 if A is singular. */
function factorLu(a: Float64Array, n: number): { order: number[]; sign: number } {
  const order = Array.from({ length: n }, (_, i) => i);
  let sign = 1;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++)
      if (Math.abs(a[i * n + k]!) > Math.abs(a[pivot * n + k]!)) pivot = i;
    if (a[pivot * n + k] === 0) return { order, sign: 0 };
    if (pivot !== k) {
      sign = -sign;
      [order[k], order[pivot]] = [order[pivot]!, order[k]!];
      for (let j = 0; j < n; j++)
        [a[k * n + j], a[pivot * n + j]] = [a[pivot * n + j]!, a[k * n + j]!];
    }
    for (let i = k + 1; i < n; i++) {
      a[i * n + k]! /= a[k * n + k]!;
      for (let j = k + 1; j < n; j++) a[i * n + j]! -= a[i * n + k]! * a[k * n + j]!;
    }
  }
  return { order, sign };
}

function determinant(node: Node, [x]: readonly Float64Array[]): Float64Array {
  return batched(node, x!, (a, n) => {
    let product = factorLu(a, n).sign;
    for (let i = 0; i < n; i++) product *= a[i * n + i]!;
    return [product];
  });
}

interface Triangle {
  readonly lower: boolean;
  readonly unitDiagonal: boolean;
  readonly transpose: boolean;
}

/** Overwrites b [n, k] by the solution with a triangle of a. */
function substitute(a: Float64Array, b: Float64Array, n: number, k: number, form: Triangle): void {
  const { lower, unitDiagonal, transpose } = form;
  const at = (i: number, j: number) => a[transpose ? j * n + i : i * n + j]!;
  const isForward = lower !== transpose;
  for (let c = 0; c < k; c++)
    for (let step = 0; step < n; step++) {
      const i = isForward ? step : n - 1 - step;
      let sum = b[i * k + c]!;
      for (let j = isForward ? 0 : i + 1; j < (isForward ? i : n); j++)
        sum -= at(i, j) * b[j * k + c]!;
      b[i * k + c] = unitDiagonal ? sum : sum / at(i, i);
    }
}

/** Solves for each matrix of the batch; `solveOne` overwrites its right side. */
function solveBatch(
  node: Node,
  [a, b]: readonly Float64Array[],
  solveOne: (a: Float64Array, b: Float64Array, n: number, k: number, batch: number) => void,
): Float64Array {
  const [n, k] = node.shape.slice(-2) as [number, number];
  const out = b!.slice();
  for (let i = 0; i < sizeOf(node.shape.slice(0, -2)); i++)
    solveOne(
      a!.slice(i * n * n, (i + 1) * n * n),
      out.subarray(i * n * k, (i + 1) * n * k),
      n,
      k,
      i,
    );
  return out;
}

function solve(node: Node, inputs: readonly Float64Array[]): Float64Array {
  return solveBatch(node, inputs, (a, b, n, k, batch) => {
    const { order, sign } = factorLu(a, n);
    if (sign === 0) throw new ValueError(node.origin, `matrix ${batch} of the batch is singular`);
    const before = b.slice();
    order.forEach((from, i) => b.set(before.subarray(from * k, (from + 1) * k), i * k));
    substitute(a, b, n, k, { lower: true, unitDiagonal: true, transpose: false });
    substitute(a, b, n, k, { lower: false, unitDiagonal: false, transpose: false });
  });
}

function triangularSolve(
  node: Node<"triangularSolve">,
  inputs: readonly Float64Array[],
): Float64Array {
  return solveBatch(node, inputs, (a, b, n, k) => substitute(a, b, n, k, node.attributes));
}

/** Turns columns p and q of a matrix with `rows` rows and `n` columns. */
function turn(
  a: Float64Array,
  rows: number,
  n: number,
  p: number,
  q: number,
  c: number,
  s: number,
) {
  for (let i = 0; i < rows; i++) {
    const [x, y] = [a[i * n + p]!, a[i * n + q]!];
    a[i * n + p] = c * x - s * y;
    a[i * n + q] = s * x + c * y;
  }
}

/** Cosine and sine that make the off-diagonal of [[x, z], [z, y]] vanish. */
function rotation(x: number, y: number, z: number): [c: number, s: number] {
  if (z === 0) return [1, 0];
  const tau = (y - x) / (2 * z);
  const t = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau));
  const c = 1 / Math.sqrt(1 + t * t);
  return [c, t * c];
}

const maxSweeps = 60;

const identity = (n: number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));

/** Each vector's largest element is made positive, so that signs do not depend on the algorithm's path. */
function settleSign(a: Float64Array, rows: number, n: number, column: number): number {
  let largest = 0;
  for (let i = 0; i < rows; i++) {
    const value = a[i * n + column]!;
    if (Math.abs(value) > Math.abs(largest) * (1 + 1e-9)) largest = value;
  }
  return largest < 0 ? -1 : 1;
}

/** Cyclic Jacobi. */
function eigh(node: Node, [x]: readonly Float64Array[]): Float64Array {
  return batched(node, x!, (given, n) => {
    const a = given.map((_, i) => {
      const [row, column] = [Math.floor(i / n), i % n];
      return given[Math.max(row, column) * n + Math.min(row, column)]!;
    });
    const v = identity(n);
    for (let sweep = 0; sweep < maxSweeps; sweep++) {
      let off = 0;
      for (let p = 0; p < n; p++)
        for (let q = p + 1; q < n; q++) {
          const z = a[p * n + q]!;
          off = Math.max(off, Math.abs(z));
          const [c, s] = rotation(a[p * n + p]!, a[q * n + q]!, z);
          turn(a, n, n, p, q, c, s);
          for (let j = 0; j < n; j++) {
            const [y, w] = [a[p * n + j]!, a[q * n + j]!];
            a[p * n + j] = c * y - s * w;
            a[q * n + j] = s * y + c * w;
          }
          turn(v, n, n, p, q, c, s);
        }
      if (off === 0 || off < 1e-300) break;
    }
    const order = Array.from({ length: n }, (_, i) => i).sort(
      (p, q) => a[p * n + p]! - a[q * n + q]!,
    );
    const out = new Float64Array((n + 1) * n);
    order.forEach((from, to) => {
      out[to] = a[from * n + from]!;
      const sign = settleSign(v, n, n, from);
      for (let i = 0; i < n; i++) out[(i + 1) * n + to] = sign * v[i * n + from]!;
    });
    return out;
  });
}

/** Householder's reflections; R's diagonal has the sign that LAPACK gives it. */
function qr(node: Node, [x]: readonly Float64Array[]): Float64Array {
  return batched(node, x!, (a, n, m) => {
    const k = Math.min(n, m);
    const q = identity(n);
    for (let j = 0; j < Math.min(k, n - 1); j++) {
      const column = Array.from({ length: n - j }, (_, i) => a[(j + i) * m + j]!);
      const norm = Math.hypot(...column);
      // Nothing to reflect away: LAPACK leaves the column as it is.
      if (Math.hypot(...column.slice(1)) === 0) continue;
      column[0]! += column[0]! >= 0 ? norm : -norm;
      const scale = 2 / column.reduce((sum, value) => sum + value * value, 0);
      reflect(a, m, column, scale, j, (i, c) => i * m + c);
      reflect(q, n, column, scale, j, (i, c) => c * n + i);
    }
    const out = new Float64Array((n + m) * k);
    for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) out[i * k + j] = q[i * n + j]!;
    for (let j = 0; j < m; j++)
      for (let i = 0; i < Math.min(k, j + 1); i++) out[(n + j) * k + i] = a[i * m + j]!;
    return out;
  });
}

/** Subtracts scale·v·(vᵀ·line) from each of `lines` lines, from element `first` on. */
function reflect(
  a: Float64Array,
  lines: number,
  v: readonly number[],
  scale: number,
  first: number,
  place: (i: number, line: number) => number,
): void {
  for (let c = 0; c < lines; c++) {
    let dot = 0;
    for (const [i, value] of v.entries()) dot += value * a[place(first + i, c)]!;
    for (const [i, value] of v.entries()) a[place(first + i, c)]! -= scale * dot * value;
  }
}

/** One-sided Jacobi on the taller form. */
function svd(node: Node, [x]: readonly Float64Array[]): Float64Array {
  return batched(node, x!, (given, n, m) => {
    const isTall = n >= m;
    const [rows, k] = isTall ? [n, m] : [m, n];
    const a = isTall
      ? given.slice()
      : Float64Array.from(given, (_, i) => given[(i % n) * m + Math.floor(i / n)]!);
    const v = identity(k);
    for (let sweep = 0; sweep < maxSweeps; sweep++) if (!sweepColumns(a, v, rows, k)) break;
    const norms = Array.from({ length: k }, (_, j) =>
      Math.hypot(...Array.from({ length: rows }, (_, i) => a[i * k + j]!)),
    );
    const order = norms.map((_, j) => j).sort((p, q) => norms[q]! - norms[p]!);
    const left = orthonormalColumns(a, norms, order, rows, k);
    const right = Float64Array.from(v, (_, i) => v[Math.floor(i / k) * k + order[i % k]!]!);
    for (let j = 0; j < k; j++)
      if (settleSign(left, rows, k, j) < 0)
        for (const side of [left, right])
          for (let i = j; i < side.length; i += k) side[i] = -side[i]!;
    const sorted = order.map((j) => norms[j]!);
    return isTall ? [...left, ...sorted, ...right] : [...right, ...sorted, ...left];
  });
}

/** Makes each pair of columns orthogonal once; says whether any was not. */
function sweepColumns(a: Float64Array, v: Float64Array, rows: number, k: number): boolean {
  let turned = false;
  for (let p = 0; p < k; p++)
    for (let q = p + 1; q < k; q++) {
      let [x, y, z] = [0, 0, 0];
      for (let i = 0; i < rows; i++) {
        const [s, t] = [a[i * k + p]!, a[i * k + q]!];
        [x, y, z] = [x + s * s, y + t * t, z + s * t];
      }
      if (z === 0 || Math.abs(z) <= 1e-16 * Math.sqrt(x * y)) continue;
      turned = true;
      const [c, s] = rotation(x, y, z);
      turn(a, rows, k, p, q, c, s);
      turn(v, k, k, p, q, c, s);
    }
  return turned;
}

/** The columns, in order, divided by their lengths; those without length are completed to an orthonormal set. */
function orthonormalColumns(
  a: Float64Array,
  norms: readonly number[],
  order: readonly number[],
  rows: number,
  k: number,
): Float64Array {
  const out = new Float64Array(rows * k);
  const tiny = 1e-14 * Math.max(...norms, Number.MIN_VALUE);
  let next = 0;
  order.forEach((from, to) => {
    let column = Array.from({ length: rows }, (_, i) => a[i * k + from]! / norms[from]!);
    while (norms[from]! <= tiny || !column.every(Number.isFinite)) {
      column = Array.from({ length: rows }, (_, i) => Number(i === next));
      next++;
      for (let pass = 0; pass < 2; pass++)
        for (let j = 0; j < to; j++) {
          const dot = column.reduce((sum, value, i) => sum + value * out[i * k + j]!, 0);
          column = column.map((value, i) => value - dot * out[i * k + j]!);
        }
      const norm = Math.hypot(...column);
      if (norm < 0.1 / Math.sqrt(rows)) continue;
      column = column.map((value) => value / norm);
      break;
    }
    column.forEach((value, i) => {
      out[i * k + to] = value;
    });
  });
  return out;
}

export const linalgEvaluators = { cholesky, determinant, eigh, qr, svd, solve, triangularSolve };
