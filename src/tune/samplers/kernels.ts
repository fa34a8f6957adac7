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
  /** Logarithms of each kernel's density, or mass, at a value. */
  logDensities(value: ParameterValue): Float64Array;
}

/** How wide kernels are. */
export interface Width {
  /** How many parameters the estimator has together. */
  readonly dims: number;
  /** The weight of the prior beside an observation's. */
  readonly priorWeight: number;
}

/** Kernels around a parameter's observed values. */
export function kernelsFor(
  distribution: Distribution,
  observed: readonly ParameterValue[],
  width: Width,
): Kernels {
  return isNumeric(distribution)
    ? new NormalKernels(scaleOf(distribution), observed as readonly number[])
    : new ChoiceKernels(distribution, observed, width);
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
  /** Values that come again, as discrete ones do. */
  readonly #known = new Map<number, Float64Array>();

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

  logDensities(value: ParameterValue): Float64Array {
    const { cell, toCoordinate } = this.#scale;
    const x = value as number;
    const known = this.#known.get(x);
    if (known) return known;
    const [from, to] = cell?.(x) ?? [0, 0];
    const at = toCoordinate(x);
    const densities = Float64Array.from(this.#normals, (normal) =>
      cell ? normal.logMass(from, to) : normal.logDensity(at),
    );
    if (cell) this.#known.set(x, densities);
    return densities;
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
    { priorWeight }: Width,
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

  logDensities(value: ParameterValue): Float64Array {
    const prior = -Math.log(this.#values.length);
    const densities = new Float64Array(this.#observed.length + 1).fill(prior);
    for (const [i, own] of this.#observed.entries())
      densities[i] = own === value ? this.#own : this.#other;
    return densities;
  }
}
