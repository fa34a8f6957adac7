/** Histograms as TensorFlow makes them: buckets that grow by a tenth each. Read events.ts for how they are written. */
import type { Histogram } from "./events.js";

/** 10⁻¹², then a tenth more each time up to 10²⁰, and the same below zero (tensorflow/core/lib/histogram). */
const limits: readonly number[] = /* @__PURE__ */ (() => {
  const positive: number[] = [];
  for (let limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push(limit);
  return [...positive.map((limit) => -limit).reverse(), 0, ...positive, Number.MAX_VALUE];
})();

/** The first limit that is over a value. */
function bucketOf(value: number): number {
  let [low, high] = [0, limits.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (limits[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Counts values; those that are not finite are left out.
 *
 * @returns buckets from the first to the last that holds a value; null where there are no finite values.
 */
export function histogramOf(values: ArrayLike<number>): Histogram | null {
  const counts = new Float64Array(limits.length);
  let [count, sum, sumOfSquares] = [0, 0, 0];
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    counts[bucketOf(value)]!++;
    count++;
    sum += value;
    sumOfSquares += value * value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (count === 0) return null;
  // An empty bucket in front gives the first one its lower end.
  const first = Math.max(0, counts.findIndex((n) => n > 0) - 1);
  const last = counts.findLastIndex((n) => n > 0);
  return {
    ...{ min, max, count, sum, sumOfSquares },
    limits: limits.slice(first, last + 1),
    counts: Array.from(counts.subarray(first, last + 1)),
  };
}
