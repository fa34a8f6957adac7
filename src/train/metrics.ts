/**
 * Measuring a run: exact sums that can be put away and taken up again, accuracy, speed and time left. Read steps.ts next.
 */
import { argmax, eq, sum } from "../ops/index.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Measures } from "./events.js";

/** Measures a batch: (output, target) → the sum over its examples, a tensor with one element. */
export type Metric = (output: Tensor, target: Tensor) => Tensor;

/** Metrics by name. */
export type Metrics = Readonly<Record<string, Metric>>;

/**
 * Counts the examples whose highest score is at the target; as a mean, the accuracy. output: [B, C], target: int32 [B].
 *
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { accuracy } from "gradus/train";
 * const scores = tensor([[0.1, 0.9], [0.8, 0.2]]);
 * console.log(accuracy(scores, tensor([1, 1], { dtype: "int32" })).item()); // → 1
 * ```
 */
export const accuracy: Metric = (output, target) => sum(eq(argmax(output, 1), target));

/** Sums over examples. Float64 additions in the order of the batches, so that a resumed sum ends in the same bits. */
export interface Sums {
  examples: number;
  /** The loss and each metric, summed over the examples. */
  readonly totals: Record<string, number>;
}

export const emptySums = (names: readonly string[]): Sums => ({
  examples: 0,
  totals: Object.fromEntries(["loss", ...names].map((name) => [name, 0])),
});

/** What one batch adds: its mean loss and its metrics' sums. */
export interface BatchMeasures {
  readonly examples: number;
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export function addBatch(sums: Sums, { examples, loss, metrics }: BatchMeasures): void {
  sums.examples += examples;
  sums.totals.loss! += loss * examples;
  for (const [name, value] of Object.entries(metrics)) sums.totals[name]! += value;
}

/** The means over the examples; NaN where there were none. */
export const meansOf = ({ examples, totals }: Sums): Measures =>
  Object.fromEntries(
    Object.entries(totals).map(([name, total]) => [name, total / examples]),
  ) as unknown as Measures;

const windowSeconds = 3;

/** How fast examples go by, over the last seconds. The first step is left out: it compiles the program. */
export class Speedometer {
  private readonly marks: { readonly time: number; readonly examples: number }[] = [];
  private total = 0;

  /** Notes that a step over so many examples ended at `time`, in seconds. */
  mark(time: number, examples: number): void {
    this.total += examples;
    this.marks.push({ time, examples: this.total });
    while (this.marks.length > 2 && time - this.marks[1]!.time >= windowSeconds) this.marks.shift();
  }

  /** Forgets the marks: time passed with something else, such as an evaluation. */
  pause(): void {
    this.marks.length = 0;
  }

  get examplesPerSecond(): number | null {
    const [first, last] = [this.marks[0], this.marks.at(-1)];
    if (!first || !last || last.time <= first.time) return null;
    return (last.examples - first.examples) / (last.time - first.time);
  }
}
