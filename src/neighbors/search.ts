/**
 * Exact search by brute force: blocks of scores from one compiled program, the best few of each query kept while the next block is
 * computed, then the float64 distances of those. Read classifier.ts for what is made of it.
 */
import { ShapeError, ValueError } from "../core/errors.js";
import { fromTypedArray } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import {
  blockOf,
  centerOf,
  type Metric,
  type MetricRule,
  type Prepared,
  ruleOf,
} from "./metric.js";
import type { Rows } from "./rows.js";

export interface SearchOptions {
  /** Told after each block of queries how many are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the search early: it throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Row-major `[queries, k]`, the nearest first; of equal distances the smaller index comes first. */
export interface Found {
  readonly k: number;
  readonly distances: Float64Array;
  readonly indices: Int32Array;
}

interface ReferenceBlock {
  readonly first: number;
  readonly rows: Tensor;
  readonly squares: Tensor;
}

/** References, made ready once for all searches among them. */
export class References {
  readonly rows: Rows;
  readonly rule: MetricRule;
  readonly center: Float64Array;
  readonly largestNorm: number;
  readonly blocks: readonly ReferenceBlock[];

  constructor(rows: Rows, metric: Metric) {
    this.rows = rows;
    this.rule = ruleOf(metric);
    this.center = centerOf(rows);
    const prepared = this.rule.prepare(rows, this.center);
    this.largestNorm = prepared.norms.reduce((most, norm) => Math.max(most, norm), 0);
    const step = this.rule.block[1];
    const count = Math.ceil(rows.count / step);
    this.blocks = Array.from({ length: count }, (_, i) => this.#block(prepared, i * step, step));
  }

  #block({ data, norms }: Prepared, first: number, step: number): ReferenceBlock {
    const { count, dim } = this.rows;
    const end = Math.min(count, first + step);
    const squares = Float32Array.from(norms.subarray(first, end), (norm) => norm * norm);
    return { first, rows: blockOf(data, dim, first, end), squares: fromTypedArray(squares) };
  }
}

/** The best candidates of each query of a block by rounded score, in order. */
class Candidates {
  readonly size: number;
  readonly scores: Float32Array;
  readonly indices: Int32Array;

  constructor(queries: number, size: number) {
    this.size = size;
    this.scores = new Float32Array(queries * size).fill(Number.POSITIVE_INFINITY);
    this.indices = new Int32Array(queries * size).fill(-1);
  }

  /** Looks through scores [queries, width] of the references from `first` on. */
  take(values: ArrayLike<number>, queries: number, width: number, first: number): void {
    const { size, scores } = this;
    for (let q = 0; q < queries; q++) {
      const last = (q + 1) * size - 1;
      let worst = scores[last]!;
      for (let j = 0, at = q * width; j < width; j++, at++) {
        const value = values[at]!;
        if (value < worst) {
          this.#insert(q * size, last, value, first + j);
          worst = scores[last]!;
        }
      }
    }
  }

  #insert(start: number, last: number, value: number, index: number): void {
    const { scores, indices } = this;
    let at = last;
    for (; at > start && scores[at - 1]! > value; at--) {
      scores[at] = scores[at - 1]!;
      indices[at] = indices[at - 1]!;
    }
    scores[at] = value;
    indices[at] = index;
  }
}

interface QueryBlock {
  readonly first: number;
  readonly count: number;
  readonly rows: Tensor;
}

async function collect(
  references: References,
  queries: QueryBlock,
  size: number,
  signal: AbortSignal | undefined,
): Promise<Candidates> {
  const { blocks, rule } = references;
  const found = new Candidates(queries.count, size);
  const start = (i: number) => {
    const block = blocks[i];
    return block && rule.scores(queries.rows, block.rows, block.squares);
  };
  let running = start(0);
  for (let i = 0; i < blocks.length; i++) {
    const scores = await running!;
    // The next block is computed while this one is looked through.
    running = signal?.aborted ? undefined : start(i + 1);
    found.take(scores.data, queries.count, scores.shape[1]!, blocks[i]!.first);
    signal?.throwIfAborted();
  }
  return found;
}

/** The k nearest by (exact score, index) among some references. */
function nearest(
  { rule, rows }: References,
  queries: Rows,
  query: number,
  among: Iterable<number>,
  k: number,
): [score: number, index: number][] {
  const scored = Array.from(among, (j): [number, number] => [
    rule.exact(queries, query, rows, j),
    j,
  ]);
  return scored.sort((a, b) => a[0] - b[0] || a[1] - b[1]).slice(0, k);
}

const everyRow = function* (count: number): Generator<number> {
  for (let j = 0; j < count; j++) yield j;
};

/**
 * Settles one query: the candidates' exact order is the answer if no reference that was left out can come before the k-th, by the bound on
 * rounding; else all are measured exactly.
 */
function settle(
  references: References,
  queries: Rows,
  query: number,
  candidates: { readonly indices: Int32Array; readonly worst: number },
  norm: number,
  k: number,
): [score: number, index: number][] {
  const { rule, rows, largestNorm } = references;
  const best = nearest(references, queries, query, candidates.indices, k);
  if (candidates.indices.length === rows.count) return best;
  const worst = rule.complete(candidates.worst, norm);
  const least = worst - rule.bound(rows.dim, norm, largestNorm, worst);
  if (best.at(-1)![0] < least) return best;
  return nearest(references, queries, query, everyRow(rows.count), k);
}

/** A few more than asked for, so that rounding seldom leaves a query open. */
const candidateCount = (k: number, count: number): number =>
  Math.min(count, k + Math.max(8, k >> 2));

/** The k nearest references of each query. */
export async function search(
  op: string,
  references: References,
  queries: Rows,
  k: number,
  { onProgress, signal }: SearchOptions = {},
): Promise<Found> {
  const { rows, rule, center } = references;
  checkSearch(op, rows, queries, k);
  const distances = new Float64Array(queries.count * k);
  const indices = new Int32Array(queries.count * k);
  const step = rule.block[0];
  const size = candidateCount(k, rows.count);
  for (let first = 0; first < queries.count; first += step) {
    signal?.throwIfAborted();
    const count = Math.min(step, queries.count - first);
    const from = first * rows.dim;
    const part = {
      count,
      dim: rows.dim,
      data: queries.data.subarray(from, from + count * rows.dim),
    };
    const { data, norms } = rule.prepare(part, center);
    const block = { first, count, rows: blockOf(data, rows.dim, 0, count) };
    const found = await collect(references, block, size, signal);
    for (let q = 0; q < count; q++) {
      const chosen = found.indices.subarray(q * size, (q + 1) * size);
      const candidates = { indices: chosen, worst: found.scores[(q + 1) * size - 1]! };
      settle(references, part, q, candidates, norms[q]!, k).forEach(([score, index], i) => {
        distances[(first + q) * k + i] = rule.distance(score);
        indices[(first + q) * k + i] = index;
      });
    }
    onProgress?.(first + count, queries.count);
  }
  return { k, distances, indices };
}

function checkSearch(op: string, rows: Rows, queries: Rows, k: number): void {
  if (queries.dim !== rows.dim) {
    const message = `queries have ${queries.dim} numbers a row; expected ${rows.dim}, as in fit`;
    throw new ShapeError(op, message);
  }
  if (!Number.isInteger(k) || k < 1 || k > rows.count) {
    const message = `nNeighbors is ${k}; expected a whole number from 1 to ${rows.count}`;
    throw new ValueError(op, `${message}, the number of rows in fit`);
  }
}
