/** A smaller space around good trials: from coarse to fine. Read samplers/coarseToFine.ts for the search that uses it. */
import type { Parameters, ParameterValue } from "../types.js";
import type { ChoiceDistribution, Distribution, NumericDistribution } from "./distribution.js";
import { isNumeric, scaleOf, unitOf } from "./scale.js";
import { Space, type SpaceJson, type SpaceParameter } from "./space.js";

/** Around the range of good values there stays this part of it on each side, and at least that part of the whole range. */
const [marginOfRange, marginOfWhole] = [0.1, 0.02];

const single = (value: ParameterValue): ChoiceDistribution => ({ kind: "choice", values: [value] });

function narrowNumbers(distribution: NumericDistribution, good: readonly number[]): Distribution {
  const { low, high, count, toCoordinate, fromCoordinate } = scaleOf(distribution);
  const places = good.map(toCoordinate);
  const [first, last] = [Math.min(...places), Math.max(...places)];
  const margin = Math.max(marginOfRange * (last - first), marginOfWhole * (high - low));
  const from = fromCoordinate(Math.max(low, first - margin));
  const to = fromCoordinate(Math.min(high, last + margin));
  if (from === to) return single(from);
  const ends = { ...distribution, low: from, high: to };
  if (!("count" in ends) || count === Infinity) return ends;
  return { ...ends, count: Math.round(toCoordinate(to) - toCoordinate(from)) + 1 };
}

function narrow(distribution: Distribution, good: readonly ParameterValue[]): Distribution {
  if (good.length === 0) return distribution;
  if (isNumeric(distribution)) return narrowNumbers(distribution, good as readonly number[]);
  return { ...distribution, values: distribution.values.filter((value) => good.includes(value)) };
}

const valuesOf = ({ name }: SpaceParameter, trials: readonly Parameters[]): ParameterValue[] =>
  trials.flatMap((values) => (Object.hasOwn(values, name) ? [values[name]!] : []));

/**
 * The part of a space in which these parameters lie: ranges around their values with some margin, choices that occur. What no good
 * trial has stays as it is, or goes with the condition that it depends on.
 *
 * @param good the parameters of the best trials.
 * @example
 * ```ts
 * import { choice, logUniform, narrowSpace, Space } from "gradus/tune";
 * const space = new Space({ lr: logUniform(1e-6, 1), name: choice(["sgd", "adam"]) });
 * const finer = narrowSpace(space, [{ lr: 1e-4, name: "adam" }, { lr: 1e-3, name: "adam" }]).toJSON();
 * console.log(finer.name, finer.lr.kind); // → { kind: 'choice', values: [ 'adam' ] } logUniform
 * ```
 */
export function narrowSpace(space: Space, good: readonly Parameters[]): Space {
  const json: Record<string, SpaceJson[string]> = {};
  for (const parameter of space.parameters) {
    const { name, distribution, when } = parameter;
    const kept = when.map((condition) => ({
      ...condition,
      is: condition.is.filter((value) => {
        const parent = json[condition.parameter];
        return parent?.kind !== "choice" ? parent !== undefined : parent.values.includes(value);
      }),
    }));
    if (kept.some(({ is }) => is.length === 0)) continue;
    const narrowed = narrow(distribution, valuesOf(parameter, good));
    json[name] = kept.length > 0 ? { ...narrowed, when: kept } : narrowed;
  }
  return new Space(json);
}

/** A parameter whose good values crowd at an end of its range. */
export interface Edge {
  readonly parameter: string;
  readonly end: "low" | "high";
}

/** Closer to an end than this part of the range counts as at the end. */
const edge = 0.05;

/**
 * Numeric parameters of which most of these values lie at an end of the range: better ones may lie beyond it.
 *
 * @example
 * ```ts
 * import { edgesOf, logUniform, Space } from "gradus/tune";
 * const space = new Space({ lr: logUniform(1e-5, 1e-2) });
 * console.log(edgesOf(space, [{ lr: 0.0099 }, { lr: 0.008 }])); // → [ { parameter: 'lr', end: 'high' } ]
 * ```
 */
export function edgesOf(space: Space, good: readonly Parameters[]): Edge[] {
  return space.parameters.flatMap((parameter): Edge[] => {
    const { name, distribution } = parameter;
    if (!isNumeric(distribution)) return [];
    const { count } = scaleOf(distribution);
    const reach = count === Infinity ? edge : Math.max(edge, 0.5 / count + 1e-9);
    const places = valuesOf(parameter, good).map((value) => unitOf(distribution, value));
    const most = (at: (u: number) => boolean) => 2 * places.filter(at).length > places.length;
    if (count > 2 && most((u) => u <= reach)) return [{ parameter: name, end: "low" }];
    return count > 2 && most((u) => u >= 1 - reach) ? [{ parameter: name, end: "high" }] : [];
  });
}
