/** Medians, spreads and the timing of single steps, for all benchmarks. */

export const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;

/** Half the distance of the outer quartiles, as a share of the median. */
export function spread(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return (at(0.75) - at(0.25)) / 2 / median(list);
}

/** Times of single steps in ms. A step of over a second is timed once, and so is none less than three times. */
export async function timeSteps(step: () => Promise<unknown>, seconds: number): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + 1000 * seconds;
  const enough = () => times.length > 0 && (times.length >= 3 || times[0]! > 1000);
  while (performance.now() < end || !enough()) {
    const start = performance.now();
    await step();
    times.push(performance.now() - start);
  }
  return times;
}

export const rounded = (value: number): number => Number(value.toPrecision(4));

/** Numbers of the first steps that differ by more than the tolerance; null if they agree. */
export function disagreement(
  own: readonly number[],
  other: readonly number[],
  tolerance: number,
): string | null {
  if (own.length !== other.length) return `${own.length} numbers against ${other.length}`;
  for (const [i, value] of own.entries()) {
    const scale = Math.max(1, Math.abs(other[i]!));
    // Also true for NaN, which agrees with nothing.
    if (!(Math.abs(value - other[i]!) <= tolerance * scale))
      return `step ${i}: ${value} against ${other[i]}, tolerance ${tolerance}`;
  }
  return null;
}
