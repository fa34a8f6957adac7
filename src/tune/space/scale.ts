/**
 * A numeric distribution as a line: coordinates in which its values are spread evenly. Discrete values are cells around theirs, so
 * that a draw is a coordinate, whatever the kind. All samplers stand on this.
 */
import type { ParameterValue } from "../types.js";
import {
  type ChoiceDistribution,
  type Distribution,
  type GridDistribution,
  type IntegerDistribution,
  type LogIntegerDistribution,
  mostValues,
  type NumericDistribution,
  type RangeDistribution,
} from "./distribution.js";

/** The values of a numeric distribution along a line from `low` to `high`. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  /** How many values there are; infinite for a continuous one. */
  readonly count: number;
  /** Where a value lies. */
  toCoordinate(value: number): number;
  /** The value at a coordinate; beyond the ends the first or last. */
  fromCoordinate(x: number): number;
  /** Of a discrete distribution: the coordinates that give this value. */
  cell?(value: number): readonly [low: number, high: number];
  /** Of a discrete distribution: its values in order, i from 0. */
  at?(i: number): number;
}

export const isNumeric = (d: Distribution): d is NumericDistribution => d.kind !== "choice";

const clamp = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);

function rangeScale({ kind, low, high }: RangeDistribution): Scale {
  if (kind === "uniform") {
    const fromCoordinate = (x: number) => clamp(x, low, high);
    return { low, high, count: Infinity, toCoordinate: (value) => value, fromCoordinate };
  }
  return {
    ...{ low: Math.log(low), high: Math.log(high), count: Infinity },
    toCoordinate: Math.log,
    // The exponential of a logarithm need not be the number again.
    fromCoordinate: (x) => clamp(Math.exp(x), low, high),
  };
}

/** Values `at(0)` … `at(count − 1)` as cells of width 1. */
function stepScale(
  count: number,
  at: (i: number) => number,
  indexOf: (value: number) => number,
): Scale {
  return {
    ...{ low: -0.5, high: count - 0.5, count, at },
    toCoordinate: indexOf,
    fromCoordinate: (x) => at(clamp(Math.round(x), 0, count - 1)),
    cell(value) {
      const i = Math.round(indexOf(value));
      return [i - 0.5, i + 0.5];
    },
  };
}

function integerScale({ low, high, step }: IntegerDistribution): Scale {
  return stepScale(
    (high - low) / step + 1,
    (i) => low + i * step,
    (value) => (value - low) / step,
  );
}

function logIntegerScale({ low, high }: LogIntegerDistribution): Scale {
  return {
    ...{ low: Math.log(low - 0.5), high: Math.log(high + 0.5), count: high - low + 1 },
    at: (i) => low + i,
    toCoordinate: Math.log,
    fromCoordinate: (x) => clamp(Math.round(Math.exp(x)), low, high),
    cell: (value) => [Math.log(value - 0.5), Math.log(value + 0.5)],
  };
}

function gridScale({ kind, low, high, count }: GridDistribution): Scale {
  const last = count - 1;
  if (kind === "linearGrid") {
    const width = (high - low) / last;
    const at = (i: number) => (i === last ? high : tidy(low + i * width));
    return stepScale(count, at, (value) => (value - low) / width);
  }
  const ratio = Math.log(high / low) / last;
  const at = (i: number) => (i === 0 ? low : i === last ? high : tidy(low * Math.exp(i * ratio)));
  return stepScale(count, at, (value) => Math.log(value / low) / ratio);
}

/** 0.001 instead of 0.0010000000000000002: people read a grid's numbers, and write them. */
const tidy = (value: number) => Number(value.toPrecision(12));

/** The line on which a numeric distribution's values lie. */
export function scaleOf(distribution: NumericDistribution): Scale {
  switch (distribution.kind) {
    case "integer":
      return integerScale(distribution);
    case "logInteger":
      return logIntegerScale(distribution);
    case "linearGrid":
    case "logGrid":
      return gridScale(distribution);
    default:
      return rangeScale(distribution);
  }
}

/** Whether a value is one of a distribution's. */
export function contains(distribution: Distribution, value: unknown): boolean {
  if (!isNumeric(distribution)) return distribution.values.some((v) => v === value);
  if (typeof value !== "number" || !Number.isFinite(value)) return false;
  const { low, high } = distribution;
  const scale = scaleOf(distribution);
  if (value < low || value > high) return false;
  return (
    scale.at === undefined || Math.abs(nearest(scale, value) - value) <= 1e-9 * Math.abs(value)
  );
}

const nearest = (scale: Scale, value: number) => scale.fromCoordinate(scale.toCoordinate(value));

/** The value at u of the way through a distribution, u from 0 to 1: uniform u give its draws. */
export function valueAt(distribution: Distribution, u: number): ParameterValue {
  if (!isNumeric(distribution)) return choiceAt(distribution, u);
  const { low, high, fromCoordinate } = scaleOf(distribution);
  return fromCoordinate(low + clamp(u, 0, 1) * (high - low));
}

function choiceAt({ values }: ChoiceDistribution, u: number) {
  return values[clamp(Math.floor(u * values.length), 0, values.length - 1)]!;
}

/** Where from 0 to 1 a value lies in its distribution: the middle of its cell, where it has one. */
export function unitOf(distribution: Distribution, value: ParameterValue): number {
  if (!isNumeric(distribution)) {
    const { values } = distribution;
    return (values.indexOf(value) + 0.5) / values.length;
  }
  const { low, high, toCoordinate } = scaleOf(distribution);
  return clamp((toCoordinate(value as number) - low) / (high - low), 0, 1);
}

/**
 * The values of a distribution that a grid goes through: all of a discrete one, or `resolution` of them where there are more.
 * Undefined for a continuous one without a resolution.
 */
export function gridValues(
  distribution: Distribution,
  resolution?: number,
): readonly ParameterValue[] | undefined {
  if (!isNumeric(distribution)) return distribution.values;
  const { at, count } = scaleOf(distribution);
  if (at && count <= (resolution ?? mostValues))
    return Array.from({ length: count }, (_, i) => at(i));
  if (resolution === undefined) return undefined;
  const places = Array.from({ length: resolution }, (_, i) =>
    resolution === 1 ? 0.5 : i / (resolution - 1),
  );
  return [...new Set(places.map((u) => valueAt(distribution, u)))];
}
