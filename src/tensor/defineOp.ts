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

/** One call of an op, and the same call in PyTorch. */
export interface Sample {
  readonly inputs: readonly SampleInput[];
  readonly call: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  /** In PyTorch, with the inputs named a, b, c, …; null where it has no equal. int32 stands for its int64. */
  readonly torch: string | null;
  /** Why there is no PyTorch to compare with. */
  readonly reason?: string;
  /** False at kinks, ties and values that are not finite: no central differences, only PyTorch's gradient. */
  readonly smooth?: boolean;
}

/** A call that must be refused, and what the message must say. */
export interface BadCall {
  readonly call: () => unknown;
  readonly error: RegExp;
}

/** The samples of one op, under the name that it is exported or installed by. */
export interface OpSamples {
  readonly op: string;
  readonly samples: readonly Sample[];
  readonly bad?: readonly BadCall[];
  /** Why gradients, or gradients of gradients, are not compared; left out where they are. */
  readonly noGradient?: string;
  readonly noSecondGradient?: string;
  /** Why it is not run compiled: its result's shape or kind depends on values. A trace must then refuse it. */
  readonly eagerOnly?: string;
}

/** A family's samples: a function, so that programs that never call it do not carry them. */
export type SampleSet = () => readonly OpSamples[];

/** Random float input of a shape, from -2 to 2 unless told. */
export const input = (shape: Shape, low = -2, high = 2): SampleInput => ({ shape, low, high });

/** Input with the given values, in row-major order. */
export const given = (
  shape: Shape,
  values: readonly number[],
  dtype: DType = "float32",
): SampleInput => ({ shape, values, dtype });

/** Random input of another dtype; whole numbers from `low` to `high` for integers. */
export const typed = (dtype: DType, shape: Shape, low = 0, high = 9): SampleInput => ({
  ...{ shape, low, high },
  dtype,
});

export const sample = (
  inputs: readonly SampleInput[],
  call: Sample["call"],
  torch: string,
): Sample => ({ inputs, call, torch });

/** A sample at a kink, a tie or a value that is not finite. */
export const kink: typeof sample = (...parts) => ({ ...sample(...parts), smooth: false });

/** A sample that PyTorch cannot say anything about, and why. */
export const unlike = (
  inputs: readonly SampleInput[],
  call: Sample["call"],
  reason: string,
): Sample => ({ inputs, call, torch: null, reason });

export const bad = (call: () => unknown, error: RegExp): BadCall => ({ call, error });

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
