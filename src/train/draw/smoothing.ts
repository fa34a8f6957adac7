/** Makes long and noisy lines readable: averages along them, and fewer points. Read curves.ts for a use. */
import type { Point } from "./chart.js";

/** A line has at most so many points: more than two a dot of the paper cannot be seen. */
const maxPoints = 1000;

/** No smoothing for a few steps, about a fiftieth of the run for many. */
export function defaultSmoothing(count: number): number {
  return count < 30 ? 0 : 1 - 1 / Math.min(200, Math.max(5, count / 50));
}

/**
 * An exponential moving average that starts unbiased, as Adam's moments do; it leaves out what is
 * not finite.
 */
export function smooth(points: readonly Point[], weight: number): Point[] {
  let [sum, total] = [0, 0];
  return points.map(([step, loss]) => {
    if (!Number.isFinite(loss)) return [step, Number.NaN];
    sum = weight * sum + (1 - weight) * loss;
    total = weight * total + (1 - weight);
    return [step, sum / total];
  });
}

/** Keeps the least and the greatest value of each stretch of a long line, so that peaks stay. */
export function thin(points: readonly Point[]): readonly Point[] {
  if (points.length <= maxPoints) return points;
  const stretch = Math.ceil((2 * points.length) / maxPoints);
  const kept: Point[] = [];
  for (let start = 0; start < points.length; start += stretch) {
    let [low, high] = [start, start];
    const end = Math.min(start + stretch, points.length);
    for (let i = start + 1; i < end; i++) {
      if (points[i]![1] < points[low]![1]) low = i;
      if (points[i]![1] > points[high]![1]) high = i;
    }
    const gap = points.slice(start, end).find(([, y]) => !Number.isFinite(y));
    if (gap) kept.push(gap);
    for (const i of low === high ? [low] : [Math.min(low, high), Math.max(low, high)])
      kept.push(points[i]!);
  }
  return kept;
}
