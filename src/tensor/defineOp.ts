/**
 * What an op's file declares besides its lowering: the methods it gives tensors, and the samples that the tests run on every
 * backend. Read ../ops/pointwise.ts for how ops are written.
 */
import type { DType } from "../core/dtype.js";
import type { Shape } from "../core/shape.js";
import { Tensor } from "./tensor.js";

/** An input of a sample: random numbers from `low` to `high`, or given values. */
export interface SampleInput {
  readonly shape: Shape;
  readonly dtype?: DType;
  readonly low?: number;
  readonly high?: number;
  readonly values?: readonly number[];
}

/** One call of an op, and the same call in PyTorch with the inputs named a, b, c, d. */
export interface Sample {
  readonly inputs: readonly SampleInput[];
  readonly call: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  readonly torch: string;
}

/** A call that must be refused, and what the message must say. */
export interface BadCall {
  readonly call: () => unknown;
  readonly error: RegExp;
}

/** The samples of one op. */
export interface OpSamples {
  readonly op: string;
  readonly samples: readonly Sample[];
  readonly bad?: readonly BadCall[];
  /** False where the result does not change smoothly with any input. */
  readonly differentiable?: boolean;
  /** False where the second derivative is not compared (it is zero or has kinds of its own). */
  readonly twice?: boolean;
}

/** Random float input of a shape, from -2 to 2 unless told. */
export const input = (shape: Shape, low = -2, high = 2): SampleInput => ({ shape, low, high });

/** Input with the given values, in row-major order. */
export const given = (
  shape: Shape,
  values: readonly number[],
  dtype: DType = "float32",
): SampleInput => ({ shape, values, dtype });

type Method = (x: Tensor, ...args: never[]) => unknown;

/** Gives tensors methods: `install({ relu })` makes `x.relu(…)` call `relu(x, …)`. */
export function install(methods: Readonly<Record<string, Method>>): void {
  for (const [name, fn] of Object.entries(methods))
    Object.defineProperty(Tensor.prototype, name, {
      value(this: Tensor, ...args: never[]) {
        return fn(this, ...args);
      },
      configurable: true,
      writable: true,
    });
}
