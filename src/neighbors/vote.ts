/** From neighbours to answers: votes of classes and means of targets. Read classifier.ts next. */
import { ValueError } from "../core/errors.js";
import type { Found } from "./search.js";

/**
 * `uniform`: each neighbour counts alike; `distance`: as 1 / distance, and where some lie at distance 0 only those
 * count.
 */
export type Weights = "uniform" | "distance";

export function checkWeights(op: string, weights: Weights): Weights {
  if (weights !== "uniform" && weights !== "distance")
    throw new ValueError(op, `weights is "${weights}"; expected "uniform" or "distance"`);
  return weights;
}

/** The weights of the first k neighbours of one query. */
export function weightsOf({ distances, k: width }: Found, query: number, k: number, kind: Weights) {
  const part = distances.subarray(query * width, query * width + k);
  if (kind === "uniform") return part.map(() => 1);
  const hasZero = part.includes(0);
  return part.map((distance) => (hasZero ? Number(distance === 0) : 1 / distance));
}

/** The distinct labels in rising order, and each row's place among them. */
export interface Classes {
  readonly values: Int32Array;
  readonly places: Int32Array;
}

export function classesOf(labels: ArrayLike<number>): Classes {
  const values = Int32Array.from(new Set(Array.from(labels))).sort();
  const placeOf = new Map(Array.from(values, (value, i) => [value, i]));
  return { values, places: Int32Array.from(labels, (label) => placeOf.get(label)!) };
}

/** Votes of the first k neighbours for each class: row-major [queries, classes], each row with sum 1. */
export function countVotes(found: Found, classes: Classes, k: number, kind: Weights): Float64Array {
  const width = classes.values.length;
  const queries = found.indices.length / found.k;
  const votes = new Float64Array(queries * width);
  for (let q = 0; q < queries; q++) {
    const weights = weightsOf(found, q, k, kind);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let i = 0; i < k; i++) {
      const place = classes.places[found.indices[q * found.k + i]!]!;
      votes[q * width + place]! += weights[i]! / total;
    }
  }
  return votes;
}

/** The class with the most votes in each row; of several the smallest label. */
export function elect(votes: Float64Array, { values }: Classes): Int32Array {
  const width = values.length;
  // Sums of thirds and the like differ in the last digits by their order: such votes are equal.
  const slack = 1e-12;
  return Int32Array.from({ length: votes.length / width }, (_, q) => {
    let best = 0;
    for (let c = 1; c < width; c++)
      if (votes[q * width + c]! > votes[q * width + best]! + slack) best = c;
    return values[best]!;
  });
}
