/**
 * The three distances. Each has a form that is fast over blocks and rounds (float32, matrix products where there are any), a bound on
 * what that form may be off by, and the exact form in float64 that has the last word. Read search.ts next.
 */
import type { TypedArray } from "../core/dtype.js";
import { abs } from "../ops/elementary.js";
import "../ops/index.js";
import { compile } from "../tensor/compile.js";
import { fromTypedArray } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Rows } from "./rows.js";

/** L1 Σ|a − b|, L2 √Σ(a − b)², cosine 1 − a·b / (‖a‖·‖b‖), which is 1 where a vector is zero. */
export type Metric = "l1" | "l2" | "cosine";

/** Rows as float32 in a form that a block program takes, with their float64 lengths. */
export interface Prepared {
  readonly data: Float32Array;
  readonly norms: Float64Array;
}

/** Scores of a block: queries [Q, D], references [R, D] and their squared lengths [R] → [Q, R]. */
type BlockProgram = (queries: Tensor, references: Tensor, squares: Tensor) => Promise<Tensor>;

export interface MetricRule {
  /** Queries and references of one block; chosen so that a block's scores stay in the cache. */
  readonly block: readonly [queries: number, references: number];
  prepare(rows: Rows, center: Float64Array): Prepared;
  /** Smaller is nearer; a function of the distance but for a part that depends on the query alone. */
  readonly scores: BlockProgram;
  /** The score in the units of {@link exact}: adds the query's part. */
  complete(score: number, queryNorm: number): number;
  /** The most by which a completed score may differ from {@link exact}. */
  bound(dim: number, queryNorm: number, largestNorm: number, score: number): number;
  /** Between row i of a and row j of b, in float64; squared for L2. */
  exact(a: Rows, i: number, b: Rows, j: number): number;
  /** From the exact score to the distance. */
  distance(score: number): number;
}

/** Half the distance from 1 to the next float32. */
const unit = 2 ** -24;

function prepareRows(
  { data, count, dim }: Rows,
  center: Float64Array | null,
  hasUnitLength: boolean,
): Prepared {
  const out = new Float32Array(count * dim);
  const norms = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const start = i * dim;
    let sum = 0;
    for (let d = 0; d < dim; d++) {
      const value = data[start + d]! - (center ? center[d]! : 0);
      out[start + d] = value;
      sum += value * value;
    }
    const norm = Math.sqrt(sum);
    norms[i] = hasUnitLength ? Math.sign(norm) : norm;
    if (hasUnitLength && norm > 0)
      for (let d = 0; d < dim; d++) out[start + d] = data[start + d]! / norm;
  }
  return { data: out, norms };
}

const rules: Record<Metric, () => MetricRule> = {
  l2: () => ({
    block: [512, 8192],
    // Taking the references' mean away changes no distance, and makes all numbers, so all errors, smaller.
    prepare: (rows, center) => prepareRows(rows, center, false),
    scores: compile((q, r, squares) => squares.sub(q.matmul(r.t()).mul(2))),
    complete: (score, queryNorm) => score + queryNorm * queryNorm,
    bound: (dim, query, largest) =>
      2 * (dim + 8) * unit * query * largest + 8 * unit * (largest * largest + query * query),
    exact: (a, i, b, j) => sumOver(a, i, b, j, (x, y) => (x - y) * (x - y)),
    distance: Math.sqrt,
  }),
  cosine: () => ({
    block: [512, 8192],
    prepare: (rows) => prepareRows(rows, null, true),
    scores: compile((q, r, _squares) => q.matmul(r.t()).neg()),
    complete: (score) => score + 1,
    bound: (dim) => (dim + 8) * unit,
    exact: exactCosine,
    distance: (score) => score,
  }),
  l1: () => ({
    block: [64, 2048],
    prepare: (rows) => prepareRows(rows, null, false),
    scores: compile((q, r, _squares) => abs(q.unsqueeze(1).sub(r.unsqueeze(0))).sum(2)),
    complete: (score) => score,
    bound: (dim, _query, _largest, score) => (dim + 8) * unit * score,
    exact: (a, i, b, j) => sumOver(a, i, b, j, (x, y) => Math.abs(x - y)),
    distance: (score) => score,
  }),
};

const made = new Map<Metric, MetricRule>();

/** Whether a name is a metric's. */
export const isMetric = (name: unknown): name is Metric => Object.hasOwn(rules, name as string);

/** The rule of a metric, its program kept between searches. */
export function ruleOf(metric: Metric): MetricRule {
  const known = made.get(metric);
  if (known) return known;
  const rule = rules[metric]();
  made.set(metric, rule);
  return rule;
}

function sumOver(
  a: Rows,
  i: number,
  b: Rows,
  j: number,
  term: (x: number, y: number) => number,
): number {
  const { dim } = a;
  const [x, y]: [TypedArray, TypedArray] = [a.data, b.data];
  let sum = 0;
  for (let d = 0, p = i * dim, q = j * dim; d < dim; d++) sum += term(x[p + d]!, y[q + d]!);
  return sum;
}

function exactCosine(a: Rows, i: number, b: Rows, j: number): number {
  const { dim } = a;
  const [x, y]: [TypedArray, TypedArray] = [a.data, b.data];
  let [product, first, second] = [0, 0, 0];
  for (let d = 0, p = i * dim, q = j * dim; d < dim; d++) {
    const [u, v] = [x[p + d]!, y[q + d]!];
    product += u * v;
    first += u * u;
    second += v * v;
  }
  return first > 0 && second > 0 ? 1 - product / Math.sqrt(first * second) : 1;
}

/** The mean of all rows. */
export function centerOf({ data, count, dim }: Rows): Float64Array {
  const center = new Float64Array(dim);
  for (let i = 0; i < count; i++)
    for (let d = 0; d < dim; d++) center[d]! += data[i * dim + d]! / count;
  return center;
}

/** A view of rows `from` to `to` as a tensor. */
export function blockOf(data: Float32Array, dim: number, from: number, to: number): Tensor {
  return fromTypedArray(data.subarray(from * dim, to * dim), { shape: [to - from, dim] });
}
