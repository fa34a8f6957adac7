/** The normal distribution between two ends, and the mass of a cell under it. */
import type { IndexSource } from "../../data/order.js";
import { erfc } from "../../ir/errorFunction.js";

/** Φ(b) − Φ(a) for standard normal Φ, a < b, without a loss of digits far from 0. */
export function normalMass(a: number, b: number): number {
  if (a > 0) return normalMass(-b, -a);
  return (erfc(-b / Math.SQRT2) - erfc(-a / Math.SQRT2)) / 2;
}

const logRootTwoPi = Math.log(2 * Math.PI) / 2;

/** A normal distribution cut off below `low` and above `high`; its mean lies between them. */
export class TruncatedNormal {
  readonly mean: number;
  readonly sigma: number;
  readonly #low: number;
  readonly #high: number;
  /** Logarithm of the share that is not cut off. */
  readonly #logShare: number;

  constructor(mean: number, sigma: number, low: number, high: number) {
    this.mean = mean;
    this.sigma = sigma;
    this.#low = low;
    this.#high = high;
    this.#logShare = Math.log(normalMass((low - mean) / sigma, (high - mean) / sigma));
  }

  /** The logarithm of the density at x between the ends. */
  logDensity(x: number): number {
    const z = (x - this.mean) / this.sigma;
    return -0.5 * z * z - logRootTwoPi - Math.log(this.sigma) - this.#logShare;
  }

  /** The logarithm of the mass between two places. */
  logMass(from: number, to: number): number {
    const { mean, sigma } = this;
    return Math.log(normalMass((from - mean) / sigma, (to - mean) / sigma)) - this.#logShare;
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
