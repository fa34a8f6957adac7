/** Good values at the ends of their ranges: a sign that the space is too small. Read narrow.ts for spaces that are too large. */
import type { Parameters } from "../types.js";
import { isNumeric, scaleOf, unitOf } from "./scale.js";
import type { Space } from "./space.js";

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
  return space.parameters.flatMap(({ name, distribution }): Edge[] => {
    if (!isNumeric(distribution)) return [];
    const { count } = scaleOf(distribution);
    const reach = count === Infinity ? edge : Math.max(edge, 0.5 / count + 1e-9);
    const places = good.flatMap((values) =>
      Object.hasOwn(values, name) ? [unitOf(distribution, values[name]!)] : [],
    );
    const most = (at: (u: number) => boolean) => 2 * places.filter(at).length > places.length;
    if (count > 2 && most((u) => u <= reach)) return [{ parameter: name, end: "low" }];
    return count > 2 && most((u) => u >= 1 - reach) ? [{ parameter: name, end: "high" }] : [];
  });
}
