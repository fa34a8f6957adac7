/**
 * One parameter's share of a Parzen estimator: a kernel for each observation, and the prior's as the last. Numbers have normal
 * kernels cut off at the ends of the range (discrete ones the mass of their cells), choices a table.
 */
import type { IndexSource } from "../../data/order.js";
import type { ChoiceDistribution, Distribution } from "../space/distribution.js";
import { isNumeric, type Scale, scaleOf } from "../space/scale.js";
import type { ParameterValue } from "../types.js";
import { TruncatedNormal } from "./normal.js";

/** The kernels of one parameter, as many as the estimator has. */
export interface Kernels {
  sample(kernel: number, source: IndexSource): ParameterValue;
  /** Adds the logarithm of each kernel's density, or mass, at a value. */
  addLogDensities(value: ParameterValue, sums: Float64Array): void;
}

/** Kernels around a parameter's observed values; the prior's weight is beside that of one observation. */
export function kernelsFor(
  distribution: Distribution,
  observed: readonly ParameterValue[],
  priorWeight: number,
): Kernels {
  return isNumeric(distribution)
    ? new NormalKernels(scaleOf(distribution), observed as readonly number[])
    : new ChoiceKernels(distribution, observed, priorWeight);
}

/**
 * As wide as the greater distance to a neighbour (Bergstra et al. 2011), but neither wider than the range nor narrower than a share of
 * it that falls with the number of observations.
 */
function sigmasOf(places: readonly number[], low: number, high: number): number[] {
  const order = places.map((_, i) => i).sort((a, b) => places[a]! - places[b]!);
  const range = high - low;
  const least = range / Math.min(100, places.length + 2);
  const sigmas = new Array<number>(places.length);
  for (const [rank, i] of order.entries()) {
    const [before, after] = [order[rank - 1], order[rank + 1]];
    // Beyond the outermost there is nothing to be near to: the ends of a range say nothing about the function.
    const left = before === undefined ? 0 : places[i]! - places[before]!;
    const right = after === undefined ? 0 : places[after]! - places[i]!;
    sigmas[i] = Math.min(Math.max(left, right, least), range);
  }
  return sigmas;
}

class NormalKernels implements Kernels {
  readonly #scale: Scale;
  readonly #normals: readonly TruncatedNormal[];
  /** Of discrete values, which come again. */
  readonly #masses = new Map<number, Float64Array>();

  constructor(scale: Scale, observed: readonly number[]) {
    const { low, high } = scale;
    const [middle, range] = [(low + high) / 2, high - low];
    this.#scale = scale;
    const places = observed.map(scale.toCoordinate);
    const sigmas = sigmasOf([...places, middle], low, high);
    const make = (place: number, i: number) => new TruncatedNormal(place, sigmas[i]!, low, high);
    this.#normals = [...places.map(make), new TruncatedNormal(middle, range, low, high)];
  }

  sample(kernel: number, source: IndexSource): number {
    return this.#scale.fromCoordinate(this.#normals[kernel]!.sample(source));
  }

  addLogDensities(value: ParameterValue, sums: Float64Array): void {
    const x = value as number;
    if (this.#scale.cell) {
      for (const [i, mass] of this.#massesOf(x).entries()) sums[i]! += mass;
      return;
    }
    const at = this.#scale.toCoordinate(x);
    for (let i = 0; i < sums.length; i++) sums[i]! += this.#normals[i]!.logDensity(at);
  }

  #massesOf(x: number): Float64Array {
    const known = this.#masses.get(x);
    if (known) return known;
    const [from, to] = this.#scale.cell!(x);
    const masses = Float64Array.from(this.#normals, (normal) => normal.logMass(from, to));
    this.#masses.set(x, masses);
    return masses;
  }
}

/** Each observation's kernel gives its own value 1 and every value a small share, which falls with the number of observations. */
class ChoiceKernels implements Kernels {
  readonly #values: readonly ParameterValue[];
  readonly #observed: readonly ParameterValue[];
  /** Logarithms of the chances that a kernel gives its own value, and each other one. */
  readonly #own: number;
  readonly #other: number;

  constructor(
    { values }: ChoiceDistribution,
    observed: readonly ParameterValue[],
    priorWeight: number,
  ) {
    const share = priorWeight / (observed.length + 1);
    const whole = 1 + values.length * share;
    this.#values = values;
    this.#observed = observed;
    this.#own = Math.log((1 + share) / whole);
    this.#other = Math.log(share / whole);
  }

  sample(kernel: number, source: IndexSource): ParameterValue {
    const own = this.#observed[kernel];
    if (own === undefined) return this.#values[source.below(this.#values.length)]!;
    let rest = source.uniform();
    for (const value of this.#values) {
      rest -= Math.exp(value === own ? this.#own : this.#other);
      if (rest < 0) return value;
    }
    return own;
  }

  addLogDensities(value: ParameterValue, sums: Float64Array): void {
    for (const [i, own] of this.#observed.entries())
      sums[i]! += own === value ? this.#own : this.#other;
    sums[this.#observed.length]! -= Math.log(this.#values.length);
  }
}
