/** A case: a program, the arrays it runs on, and what the arrays must hold afterwards. */
import type { TypedArray } from "../../src/core/dtype.js";
import type { EncodedProgram } from "./program.js";

export interface Expected {
  readonly slot: number;
  readonly values: ArrayLike<number>;
  /** Largest difference, relative to the larger of 1 and the expected size; 0: exactly equal. */
  readonly tolerance: number;
}

export interface Case {
  readonly name: string;
  readonly program: EncodedProgram;
  readonly arrays: readonly TypedArray[];
  readonly expected: readonly Expected[];
}

/** The first difference between what came and what was expected, or undefined. */
export function difference(array: TypedArray, { values, tolerance }: Expected): string | undefined {
  if (array.length !== values.length) return `${array.length} elements, expected ${values.length}`;
  for (let i = 0; i < array.length; i++) {
    const [got, wanted] = [array[i]!, values[i]!];
    if (Object.is(got, wanted) || got === wanted) continue;
    const limit = tolerance * Math.max(1, Math.abs(wanted));
    if (!(Math.abs(got - wanted) <= limit)) return `element ${i} is ${got}, expected ${wanted}`;
  }
  return undefined;
}
