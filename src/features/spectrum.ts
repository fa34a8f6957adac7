/** The directions in which data vary, the most first: what principal components and whitening are made of. Read pca.ts next. */
import { ValueError } from "../core/errors.js";
import { qr } from "../ops/decomposition.js";
import { add, eigh, matmul } from "../ops/index.js";
import { fromTypedArray, zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { columnMeans } from "./scaler.js";
import type { Table } from "./step.js";

/** Rows a block, so that large data are never held in float64 as a whole. */
export const blockRows = 2048;

/** Rows from `from` on, a block of them, less the mean. */
export function centered(
  { data, rows, width }: Table,
  mean: ArrayLike<number>,
  from: number,
  block = blockRows,
): Tensor {
  const end = Math.min(rows, from + block);
  const out = new Float64Array((end - from) * width);
  for (let i = from, at = 0, place = from * width; i < end; i++)
    for (let d = 0; d < width; d++) out[at++] = data[place++]! - mean[d]!;
  return fromTypedArray(out, { shape: [end - from, width] });
}

/** As many directions as there are rows or features, whichever are fewer; data do not vary along any other. */
export interface Spectrum {
  readonly mean: Float64Array;
  /** Of Σ xxᵀ, the largest first. */
  readonly values: Float64Array;
  /** Orthonormal; row i belongs to value i, and its largest number by size is positive. */
  readonly vectors: Tensor;
}

/** Throws ValueError for numbers that are not finite. */
export function spectrumOf(op: string, table: Table): Spectrum {
  const mean = columnMeans(table);
  if (!mean.every(Number.isFinite)) throw new ValueError(op, "x holds numbers that are not finite");
  return table.rows < table.width ? ofFewRows(table, mean) : ofFewFeatures(table, mean);
}

/** Rows turned round, with every sign such that it does not depend on the method. */
function finish(mean: Float64Array, rising: Tensor, columns: Tensor): Spectrum {
  const values = Float64Array.from(rising.data, (value) => Math.max(0, value)).reverse();
  return { mean, values, vectors: orient(columns) };
}

/** By the eigenvectors of Σ xxᵀ, features by features. */
function ofFewFeatures(table: Table, mean: Float64Array): Spectrum {
  const { rows, width } = table;
  let scatter = zeros([width, width], { dtype: "float64" });
  for (let from = 0; from < rows; from += blockRows) {
    const block = centered(table, mean, from);
    scatter = add(scatter, matmul(block.t(), block));
  }
  const { eigenvalues, eigenvectors } = eigh(scatter);
  return finish(mean, eigenvalues, eigenvectors.flip(1));
}

/**
 * By those of the rows' inner products, rows by rows (Turk and Pentland, 1991): for an eigenvector u of XXᵀ, Xᵀu is one of XᵀX with the
 * same value. Where that is near 0, so is Xᵀu, and rounding decides its direction; QR makes all orthonormal, the large ones first.
 */
function ofFewRows(table: Table, mean: Float64Array): Spectrum {
  const x = centered(table, mean, 0, table.rows);
  const { eigenvalues, eigenvectors } = eigh(matmul(x, x.t()));
  const directions = matmul(x.t(), eigenvectors.flip(1));
  return finish(mean, eigenvalues, qr(directions).Q);
}

/** Columns as rows, of the sign that makes each one's largest number by size positive. */
function orient(columns: Tensor): Tensor {
  const [width, count] = columns.shape as [number, number];
  const { data } = columns;
  const out = new Float64Array(count * width);
  for (let row = 0; row < count; row++) {
    let strongest = 0;
    for (let d = 0; d < width; d++) {
      const value = data[d * count + row]!;
      if (Math.abs(value) > Math.abs(strongest)) strongest = value;
    }
    const sign = strongest < 0 ? -1 : 1;
    for (let d = 0; d < width; d++) out[row * width + d] = sign * data[d * count + row]!;
  }
  return fromTypedArray(out, { shape: [count, width] });
}
