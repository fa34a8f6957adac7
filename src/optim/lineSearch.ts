/**
 * A line search for the strong Wolfe conditions (Nocedal and Wright, "Numerical Optimization", algorithms 3.5 and 3.6): the loss falls
 * enough for the step's length, and its slope is small. Constants and stopping rules are PyTorch's.
 */
import type { Tensor } from "../tensor/tensor.js";

/** A place along the direction: step length, loss, gradient, and the slope along the direction. */
export interface Point {
  readonly t: number;
  readonly loss: number;
  readonly gradient: Tensor;
  readonly slope: number;
}

export interface SearchOptions {
  /** The first step length that is tried. */
  readonly t: number;
  readonly start: Point;
  /** The largest element of the direction. */
  readonly size: number;
  readonly toleranceChange: number;
}

/** The loss must fall by this share of what the slope promises, and the slope to this share of what it was. */
const [enough, flat] = [1e-4, 0.9];
const maxEvaluations = 25;

/** Where the cubic through two points with their slopes is least, within bounds. */
function cubicMinimum(a: Point, b: Point, bounds?: readonly [number, number]): number {
  const [low, high] = bounds ?? [Math.min(a.t, b.t), Math.max(a.t, b.t)];
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.t - b.t);
  const square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const d2 = Math.sqrt(square);
  const [from, to] = a.t <= b.t ? [a, b] : [b, a];
  const share = (to.slope + d2 - d1) / (to.slope - from.slope + 2 * d2);
  return Math.min(Math.max(to.t - (to.t - from.t) * share, low), high);
}

type Evaluate = (t: number) => Promise<Point>;

/** Two points with a good one between them, or one good point; and the evaluations that it took. */
interface Bracket {
  readonly points: [Point, Point] | [Point];
  readonly used: number;
}

async function bracket(at: Evaluate, { t, start }: SearchOptions): Promise<Bracket> {
  let [before, now] = [start, await at(t)];
  for (let used = 0; used < maxEvaluations; used++) {
    const fallsShort = now.loss > start.loss + enough * now.t * start.slope;
    if (fallsShort || (used > 1 && now.loss >= before.loss)) return { points: [before, now], used };
    if (Math.abs(now.slope) <= -flat * start.slope) return { points: [now], used };
    if (now.slope >= 0) return { points: [before, now], used };
    const bounds = [now.t + 0.01 * (now.t - before.t), now.t * 10] as const;
    const next = cubicMinimum(before, now, bounds);
    [before, now] = [now, await at(next)];
  }
  return { points: [start, now], used: maxEvaluations };
}

/** A step within the bracket that makes progress: a tenth away from an end that it came close to twice. */
function trial(pair: readonly [Point, Point], wasClose: boolean): { t: number; isClose: boolean } {
  const t = cubicMinimum(...pair);
  const [low, high] = [Math.min(pair[0].t, pair[1].t), Math.max(pair[0].t, pair[1].t)];
  const room = 0.1 * (high - low);
  if (Math.min(high - t, t - low) >= room) return { t, isClose: false };
  if (!wasClose && t < high && t > low) return { t, isClose: true };
  const moved = Math.abs(t - high) < Math.abs(t - low) ? high - room : low + room;
  return { t: moved, isClose: false };
}

/** Finds a step length that meets the strong Wolfe conditions, or the best that was seen. */
export async function strongWolfe(at: Evaluate, options: SearchOptions): Promise<Point> {
  const { start, size, toleranceChange } = options;
  const { points, used: before } = await bracket(at, options);
  if (points.length === 1) return points[0];
  const pair = points;
  let low: 0 | 1 = pair[0].loss <= pair[1].loss ? 0 : 1;
  let wasClose = false;
  for (let used = before; used < maxEvaluations; used++) {
    const high = low === 0 ? 1 : 0;
    if (Math.abs(pair[1].t - pair[0].t) * size < toleranceChange) break;
    const { t, isClose } = trial(pair, wasClose);
    wasClose = isClose;
    const now = await at(t);
    const fallsShort = now.loss > start.loss + enough * t * start.slope;
    if (fallsShort || now.loss >= pair[low].loss) {
      pair[high] = now;
      low = pair[0].loss <= pair[1].loss ? 0 : 1;
      continue;
    }
    if (Math.abs(now.slope) <= -flat * start.slope) return now;
    if (now.slope * (pair[high].t - pair[low].t) >= 0) pair[high] = pair[low];
    pair[low] = now;
  }
  return pair[low];
}
