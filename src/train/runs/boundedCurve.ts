/**
 * A curve that takes any number of values and keeps a bounded number of points: when they become too many, neighbours are
 * joined. Read runHistory.ts for what is kept so.
 */

/** A stretch of a curve: one value as long as there are few, the values of several steps after that. */
export interface Stretch {
  /** Where it begins and ends. */
  readonly first: number;
  readonly last: number;
  /** Of its finite values; NaN where there are none. */
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  /** Values that are not finite. */
  readonly bad: number;
}

interface Growing {
  first: number;
  last: number;
  sum: number;
  count: number;
  min: number;
  max: number;
  bad: number;
}

const defaultCapacity = 2000;

export class BoundedCurve {
  readonly #capacity: number;
  readonly #stretches: Growing[] = [];
  /** Values in a stretch. */
  #width = 1;

  /** @param capacity keeps up to twice as many stretches. */
  constructor(capacity = defaultCapacity) {
    this.#capacity = capacity;
  }

  get last(): number | null {
    return this.#stretches.at(-1)?.last ?? null;
  }

  /** Adds a value at a place, which is at or after the last one; what lay at it or beyond is taken back. */
  add(at: number, value: number): void {
    if (this.#stretches.length > 0 && at <= this.#stretches.at(-1)!.last) this.cutBack(at);
    const open = this.#stretches.at(-1);
    if (open && open.count + open.bad < this.#width) {
      extend(open, at, value);
      return;
    }
    if (this.#stretches.length >= 2 * this.#capacity) this.#join();
    const next = emptyStretch(at);
    extend(next, at, value);
    this.#stretches.push(next);
  }

  /** Forgets the stretches that begin at a place or after it. */
  cutBack(at: number): void {
    while (this.#stretches.length > 0 && this.#stretches.at(-1)!.first >= at) this.#stretches.pop();
    const open = this.#stretches.at(-1);
    if (open && open.last >= at) open.last = at - 1;
  }

  #join(): void {
    const stretches = this.#stretches;
    const half = stretches.length >> 1;
    for (let i = 0; i < half; i++) stretches[i] = joined(stretches[2 * i]!, stretches[2 * i + 1]!);
    stretches.length = half;
    this.#width *= 2;
  }

  get stretches(): readonly Stretch[] {
    return this.#stretches.map(({ first, last, sum, count, min, max, bad }) => ({
      ...{ first, last, bad },
      mean: count > 0 ? sum / count : Number.NaN,
      min: count > 0 ? min : Number.NaN,
      max: count > 0 ? max : Number.NaN,
    }));
  }
}

const emptyStretch = (at: number): Growing => ({
  ...{ first: at, last: at, sum: 0, count: 0, bad: 0 },
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
});

function extend(stretch: Growing, at: number, value: number): void {
  stretch.last = at;
  if (!Number.isFinite(value)) {
    stretch.bad++;
    return;
  }
  stretch.sum += value;
  stretch.count++;
  if (value < stretch.min) stretch.min = value;
  if (value > stretch.max) stretch.max = value;
}

const joined = (a: Growing, b: Growing): Growing => ({
  first: a.first,
  last: b.last,
  sum: a.sum + b.sum,
  count: a.count + b.count,
  min: Math.min(a.min, b.min),
  max: Math.max(a.max, b.max),
  bad: a.bad + b.bad,
});
