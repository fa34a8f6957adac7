/** The normal distribution between two ends, and the mass of a cell under it. */
import type { IndexSource } from "../../data/order.js";
import { erfc } from "../../ir/errorFunction.js";

/** Φ(b) − Φ(a) for standard normal Φ, a < b, without a loss of digits far from 0. */
export function normalMass(a: number, b: number): number {
  if (a > 0) return normalMass(-b, -a);
  return (erfc(-b / Math.SQRT2) - erfc(-a / Math.SQRT2)) / 2;
}

const logRootTwoPi = Math.log(2 * Math.PI) / 2;

/** In sigmas. */
const farthest = 8;

/** A normal distribution cut off below `low` and above `high`; its mean lies between them. */
export class TruncatedNormal {
  readonly mean: number;
  readonly sigma: number;
  readonly #low: number;
  readonly #high: number;
  /** Logarithm of the share that is not cut off. */
  readonly #logShare: number;
  /** Logarithm of the density at the mean. */
  readonly #logPeak: number;

  constructor(mean: number, sigma: number, low: number, high: number) {
    this.mean = mean;
    this.sigma = sigma;
    this.#low = low;
    this.#high = high;
    this.#logShare = Math.log(normalMass((low - mean) / sigma, (high - mean) / sigma));
    this.#logPeak = -logRootTwoPi - Math.log(sigma) - this.#logShare;
  }

  /** The logarithm of the density at x between the ends. */
  logDensity(x: number): number {
    const z = (x - this.mean) / this.sigma;
    return this.#logPeak - 0.5 * z * z;
  }

  /** The logarithm of the mass between two places; of none beyond some sigmas, where it is less than 1e-15. */
  logMass(from: number, to: number): number {
    const [a, b] = [(from - this.mean) / this.sigma, (to - this.mean) / this.sigma];
    if (a > farthest || b < -farthest) return -Infinity;
    return Math.log(normalMass(a, b)) - this.#logShare;
  }

  sample(source: IndexSource): number {
    // The mean is inside and sigma at most the width, so a third of the draws or more are inside.
    for (;;) {
      const radius = Math.sqrt(-2 * Math.log(1 - source.uniform()));
      const x = this.mean + this.sigma * radius * Math.cos(2 * Math.PI * source.uniform());
      if (x >= this.#low && x <= this.#high) return x;
    }
  }
}
