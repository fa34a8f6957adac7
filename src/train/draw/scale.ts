/**
 * Axes: from values to places on paper, and the round numbers to mark on the way. Read chart.ts
 * next.
 */

export type ScaleKind = "linear" | "log";

export interface Scale {
  /** The place of a value. */
  at(value: number): number;
  readonly ticks: readonly number[];
  /** A tick as text, with as many decimals as its neighbours need. */
  label(tick: number): string;
}

const roundSteps = [1, 2, 5, 10] as const;

/** The smallest of 1, 2 or 5 · 10ⁿ that is at least `step`. */
function roundUp(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const factor = roundSteps.find((f) => f * power >= step * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Thousands as k, millions as M; small numbers with the decimals of the step. */
function formatTick(tick: number, step: number): string {
  const size = Math.abs(tick);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return tick.toExponential(0).replace("e+", "e");
  for (const [unit, letter] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (size >= unit * 10 || (size >= unit && step >= unit / 10))
      return `${Number((tick / unit).toPrecision(4))}${letter}`;
  }
  const decimals = Math.max(0, Math.min(8, Math.ceil(-Math.log10(step) - 1e-9)));
  return tick.toFixed(decimals);
}

/** A linear axis over [low, high], widened to round numbers where `nice`. */
function linearScale(
  low: number,
  high: number,
  from: number,
  to: number,
  wanted: number,
  whole: boolean,
): Scale {
  const step = Math.max(roundUp((high - low) / wanted), whole ? 1 : 0);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const ticks = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
  const at = (value: number) => from + ((value - low) / (high - low)) * (to - from);
  return { at, ticks, label: (tick) => formatTick(tick, step) };
}

/**
 * A logarithmic axis over [low, high], both over 0: powers of ten, with 2 and 5 between if there
 * are few.
 */
function logScale(low: number, high: number, from: number, to: number): Scale {
  const decades = Math.log10(high) - Math.log10(low);
  const factors = decades <= 2.5 ? [1, 2, 5] : [1];
  const stride = Math.max(1, Math.ceil(decades / 8));
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    if (power % stride !== 0) continue;
    for (const factor of factors) {
      const tick = factor * 10 ** power;
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  const share = (value: number) => (Math.log10(value) - Math.log10(low)) / decades;
  const at = (value: number) => from + share(value) * (to - from);
  return { at, ticks, label: (tick) => formatTick(tick, tick) };
}

export interface ScaleOptions {
  readonly kind?: ScaleKind;
  /** Where on paper the lowest and the highest value are. */
  readonly from: number;
  readonly to: number;
  /** About how many ticks; default 5. */
  readonly ticks?: number;
  /** Ticks only at whole numbers, as for epochs. */
  readonly whole?: boolean;
}

/**
 * An axis that shows `low` to `high`; equal or missing ends are spread so that there is something
 * to show.
 */
export function makeScale(low: number, high: number, options: ScaleOptions): Scale {
  const { kind = "linear", from, to, ticks = 5, whole = false } = options;
  const finite = Number.isFinite(low) && Number.isFinite(high);
  if (kind === "log") {
    const [a, b] = finite && low > 0 ? [low, high] : [0.1, 1];
    return a === b ? logScale(a / 2, b * 2, from, to) : logScale(a, b, from, to);
  }
  const [a, b] = finite ? [low, high] : [0, 1];
  const size = Math.max(Math.abs(a), Math.abs(b));
  // Differences near the precision of numbers are noise, and their ticks would all look the same.
  const flat = b - a <= Math.max(size, 1e-12) * 1e-9;
  const spread = flat ? Math.max(size * 0.1, whole ? 1 : 1e-6) : 0;
  return linearScale(a - spread, b + spread, from, to, ticks, whole);
}

/** An axis for things that have names: the i-th is at i, each in the middle of its share of the paper. */
export function nameScale(
  names: readonly string[],
  { from, to }: Pick<ScaleOptions, "from" | "to">,
): Scale {
  const at = (value: number) => from + ((value + 0.5) / Math.max(1, names.length)) * (to - from);
  return { at, ticks: names.map((_, i) => i), label: (tick) => names[tick] ?? "" };
}

/** The least and greatest of the finite values, or not-a-numbers where there is none. */
export function extent(values: Iterable<number>): [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : [Number.NaN, Number.NaN];
}
