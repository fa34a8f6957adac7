/** From coarse to fine: the part of a space where the best trials lie. Read space.ts for spaces. */
import { ValueError } from "../../core/errors.js";
import type { Direction, ParameterValue, TrialRecord } from "../types.js";
import type {
  Condition,
  Distribution,
  GridDistribution,
  NumericDistribution,
} from "./distribution.js";
import { gridValues, isNumeric, unitOf, valueAt } from "./scale.js";
import { Space, type SpaceJson } from "./space.js";

export interface NarrowOptions {
  readonly direction: Direction;
  /** The share of the complete trials that counts as the best; default 0.25, but at least two trials. */
  readonly keep?: number;
}

/** Beyond the best values on each side, as a share of what they span, and of the whole range. */
const [spanMargin, rangeMargin] = [0.1, 0.05];

/** The best trials, the best first. */
export function bestTrials(
  trials: readonly TrialRecord[],
  { direction, keep = 0.25 }: NarrowOptions,
): TrialRecord[] {
  if (!(keep > 0 && keep <= 1))
    throw new ValueError("narrow", `keep is ${keep}; expected a share above 0 and at most 1`);
  const sign = direction === "minimize" ? 1 : -1;
  const complete = trials.filter(({ state }) => state === "complete");
  const ranked = complete.sort((a, b) => sign * (a.value! - b.value!) || a.number - b.number);
  return ranked.slice(0, Math.max(2, Math.ceil(keep * ranked.length)));
}

/**
 * Narrows a space to where its best trials lie: ranges to what these span and a little more, choices to what they chose, grids
 * to as many points around the best ones.
 *
 * @throws ValueError where fewer than two trials are complete.
 * @example
 * ```ts
 * import { narrow, Space, uniform } from "gradus/tune";
 * const space = new Space({ x: uniform(0, 10) });
 * const trials = [1, 4, 5, 9].map((x, number) => ({
 *   ...{ number, state: "complete" as const, parameters: { x }, value: (x - 4.4) ** 2 },
 *   ...{ attempt: 1, reports: [], attributes: {} },
 * }));
 * const { x } = narrow(space, trials, { direction: "minimize", keep: 0.5 }).toJSON();
 * console.log(x); // → { kind: 'uniform', low: 3.5, high: 5.5 }
 * ```
 */
export function narrow(
  space: Space,
  trials: readonly TrialRecord[],
  options: NarrowOptions,
): Space {
  const best = bestTrials(trials, options);
  if (best.length < 2)
    throw new ValueError("narrow", `${best.length} complete trials; expected at least 2`);
  const narrowed: Record<string, SpaceJson[string]> = {};
  for (const { name, distribution, when } of space.parameters) {
    const conditions = when.flatMap((condition) => stillPossible(condition, narrowed));
    if (conditions.length < when.length) continue;
    const values = best.flatMap(({ parameters }) =>
      Object.hasOwn(parameters, name) ? [parameters[name]!] : [],
    );
    const found = values.length > 0 ? narrowOne(distribution, values) : distribution;
    narrowed[name] = conditions.length > 0 ? { ...found, when: conditions } : found;
  }
  return new Space(narrowed);
}

/** What is left of a condition; nothing where it can hold no more. */
function stillPossible({ parameter, is }: Condition, narrowed: SpaceJson): Condition[] {
  const other = narrowed[parameter];
  if (!other) return [];
  const left = other.kind === "choice" ? is.filter((value) => other.values.includes(value)) : is;
  return left.length > 0 ? [{ parameter, is: left }] : [];
}

function narrowOne(distribution: Distribution, values: readonly ParameterValue[]): Distribution {
  if (!isNumeric(distribution)) {
    const { values: all } = distribution;
    return { kind: "choice", values: all.filter((value) => values.includes(value)) };
  }
  const units = values.map((value) => unitOf(distribution, value));
  const [first, last] = [Math.min(...units), Math.max(...units)];
  const margin = isGrid(distribution)
    ? 1 / distribution.count
    : Math.max((last - first) * spanMargin, rangeMargin);
  const [low, high] = [first - margin, last + margin].map(
    (u) => valueAt(distribution, Math.min(Math.max(u, 0), 1)) as number,
  ) as [number, number];
  return between(distribution, low, high);
}

const isGrid = (d: NumericDistribution): d is GridDistribution =>
  d.kind === "linearGrid" || d.kind === "logGrid";

function between(distribution: NumericDistribution, low: number, high: number): Distribution {
  if (low >= high) return { kind: "choice", values: [low] };
  if (!isGrid(distribution)) return { ...distribution, low, high };
  const points = gridValues(distribution) as readonly number[];
  // Between whole numbers there may be nothing: a width of 12.5 is none.
  if (points.every(Number.isInteger))
    return { kind: "choice", values: points.filter((value) => value >= low && value <= high) };
  return { ...distribution, low, high };
}
