/** Cases for factorizations and solvers: equal to the interpreter's, signs included. */
import { builtCase, type Input, random } from "./builtCase.js";
import type { Case } from "./case.js";

type Float = "float32" | "float64";
type Size = readonly [batch: number, n: number, m: number];

const tolerance = (dtype: Float) => (dtype === "float32" ? 2e-6 : 1e-10);

/** A + Aᵀ, or A·Aᵀ + I, for each matrix of a batch. */
function symmetric(dtype: Float, [batch, n]: Size, positive: boolean): Input {
  const { array, shape } = random(dtype, [batch, n, n], 3);
  const result = array.slice();
  for (let z = 0; z < batch; z++)
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) {
        const at = (p: number, q: number) => (z * n + p) * n + q;
        let sum = array[at(i, j)]! + array[at(j, i)]!;
        if (positive) {
          sum = Number(i === j);
          for (let k = 0; k < n; k++) sum += array[at(i, k)]! * array[at(j, k)]!;
        }
        result[at(i, j)] = result[at(j, i)] = sum;
      }
  return { dtype, shape, array: result };
}

const squares: readonly Size[] = [
  ...([1, 2, 3, 5, 8, 17, 40] as const).map((n) => [2, n, n] as const),
  ...([
    [0, 4, 4],
    [3, 0, 0],
    [200, 6, 6],
  ] as const),
];
const oblongs: readonly Size[] = [
  ...([
    [2, 5, 3],
    [2, 3, 5],
    [1, 1, 6],
    [1, 6, 1],
    [3, 40, 7],
    [3, 7, 40],
    [70, 9, 5],
  ] as const),
  ...([
    [2, 0, 3],
    [2, 3, 0],
  ] as const),
];

function squareCases(dtype: Float, size: Size): Case[] {
  const positive = symmetric(dtype, size, true);
  const general = random(dtype, [...size], 5);
  const [, n] = size;
  const large = tolerance(dtype) * 1.5 ** Math.min(n, 12);
  return [
    builtCase("factor cholesky", [positive], (b, x) => b.make("cholesky", [x], {}), large),
    builtCase("factor determinant", [general], (b, x) => b.make("determinant", [x], {}), large),
    builtCase(
      "factor eigh",
      [symmetric(dtype, size, false)],
      (b, x) => b.make("eigh", [x], {}),
      large,
    ),
    ...[1, 2, 11].flatMap((k) => solveCases(dtype, positive, size, k)),
  ];
}

function solveCases(dtype: Float, a: Input, [batch, n]: Size, k: number): Case[] {
  const right = random(dtype, [batch, n, k], 6);
  const general = random(dtype, [batch, n, n], 7);
  // A diagonal of some size keeps the triangles well conditioned.
  for (let i = 0; i < general.array.length; i++)
    if (Math.floor(i / n) % n === i % n) general.array[i]! += 3;
  const flags = [0, 1, 2, 3, 4, 5, 6, 7].filter((mask) => k === 2 || mask % 3 === 0);
  return [
    builtCase("solve", [a, right], (b, x, y) => b.make("solve", [x, y], {}), tolerance(dtype) * 10),
    ...flags.map((mask) => {
      const [lower, unitDiagonal, transpose] = [1, 2, 4].map((bit) => (mask & bit) > 0);
      // With ones on the diagonal, solutions of many rows grow beyond all bounds.
      const inputs = unitDiagonal ? [{ ...general, array: general.array.map((v) => v / 20) }] : [];
      return builtCase(
        `solve triangular ${mask}`,
        [(inputs[0] ?? general) as Input, right],
        (b, x, y) =>
          b.make("triangularSolve", [x, y], {
            ...{ lower: lower!, unitDiagonal: unitDiagonal!, transpose: transpose! },
          }),
        tolerance(dtype) * 10,
      );
    }),
  ];
}

function oblongCases(dtype: Float, size: Size): Case[] {
  const x = random(dtype, [...size], 8);
  return [
    builtCase("factor qr", [x], (b, a) => b.make("qr", [a], {}), 4 * tolerance(dtype)),
    builtCase("factor svd", [x], (b, a) => b.make("svd", [a], {}), 20 * tolerance(dtype)),
  ];
}

/** Of a size where the engine no longer takes Jacobi's way. */
const largeCase = (): Case =>
  builtCase(
    "factor eigh",
    [symmetric("float64", [1, 61, 61], false)],
    (b, x) => b.make("eigh", [x], {}),
    1e-9,
  );

export const matrixCases = (): Case[] => [largeCase(), ...smallCases()];

const smallCases = (): Case[] =>
  (["float32", "float64"] as const).flatMap((dtype) => [
    ...squares.flatMap((size) => squareCases(dtype, size)),
    ...[...oblongs, ...squares.filter(([, n]) => n < 9)].flatMap((size) =>
      oblongCases(dtype, size),
    ),
  ]);

/** The largest difference of columns (of a stacked matrix with k columns) from an orthonormal set. */
function skewness(stacked: ArrayLike<number>, from: number, rows: number, k: number): number {
  let worst = 0;
  for (let p = 0; p < k; p++)
    for (let q = 0; q <= p; q++) {
      let dot = 0;
      for (let i = from; i < from + rows; i++) dot += stacked[i * k + p]! * stacked[i * k + q]!;
      worst = Math.max(worst, Math.abs(dot - Number(p === q)));
    }
  return worst;
}

/** How far the eigenvectors of a symmetric matrix are from A·V = V·diag(λ) with orthonormal V and rising λ. */
export function eighError(a: Float64Array, n: number, eigh: Float64Array): number {
  let worst = skewness(eigh, 1, n, n);
  for (let i = 1; i < n; i++) worst = Math.max(worst, eigh[i - 1]! - eigh[i]!);
  for (let i = 0; i < n; i++)
    for (let c = 0; c < n; c++) {
      let sum = -eigh[c]! * eigh[(i + 1) * n + c]!;
      for (let j = 0; j < n; j++) sum += a[i * n + j]! * eigh[(j + 1) * n + c]!;
      worst = Math.max(worst, Math.abs(sum));
    }
  return worst;
}

/** How far the svd of a matrix is from A = U·S·Vᵀ with orthonormal U and V. */
export function svdError(
  a: Float64Array,
  [n, m]: readonly [number, number],
  svd: Float64Array,
): number {
  const k = Math.min(n, m);
  let worst = Math.max(skewness(svd, 0, n, k), skewness(svd, n + 1, m, k));
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) {
      let sum = -a[i * m + j]!;
      for (let c = 0; c < k; c++)
        sum += svd[i * k + c]! * svd[n * k + c]! * svd[(n + 1 + j) * k + c]!;
      worst = Math.max(worst, Math.abs(sum));
    }
  return worst;
}
