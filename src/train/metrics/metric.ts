/**
 * What a metric is: what one batch adds, worked out inside the compiled step, and the number that all batches give
 * together. Read sums.ts for what is kept between the batches, classes.ts for metrics.
 */
import { ShapeError } from "../../core/errors.js";
import { formatShape, type Shape } from "../../core/shape.js";
import { noGrad, type Tensor } from "../../tensor/index.js";

/** Measures a batch: (output, target) → the sum over its examples, a tensor with one element. Its mean is the measure. */
export type MetricFunction = (output: Tensor, target: Tensor) => Tensor;

/** What the batches gave together: their sum in float64, or all their rows. */
export interface MetricTotal {
  readonly shape: Shape;
  readonly values: Float64Array;
}

/** A metric that is no mean over examples. */
export interface MetricObject {
  /** What a batch adds. Runs inside the compiled step, without gradients. */
  update(output: Tensor, target: Tensor): Tensor;
  /** `sum` (default) adds the tensors of all batches, in float64; `gather` puts them one behind another along dim 0. */
  readonly reduce?: "sum" | "gather";
  /** Whether it is given after every step too, over the epoch so far. Default: where it sums. */
  readonly running?: boolean;
  /** The measure; those of a record are called `name.key`. */
  compute(total: MetricTotal, examples: number): number | Readonly<Record<string, number>>;
}

export type Metric = MetricFunction | MetricObject;

/** Metrics by name. */
export type Metrics = Readonly<Record<string, Metric>>;

/** What a metric makes of one batch. */
export function updateOf(name: string, metric: Metric, output: Tensor, target: Tensor): Tensor {
  const given = noGrad(() =>
    typeof metric === "function" ? metric(output, target) : metric.update(output, target),
  );
  if (typeof metric === "function" && given.size !== 1) {
    const came = formatShape(given.shape);
    throw new ShapeError(
      "metrics",
      `${name} gave ${came} for a batch; expected one number, the sum over its examples`,
    );
  }
  if (typeof metric !== "function" && metric.reduce === "gather" && given.ndim === 0)
    throw new ShapeError("metrics", `${name} gave a single value; expected rows to gather, [B, …]`);
  return given;
}

/** The measures of a total by their full names. */
export function measuresOf(
  name: string,
  metric: Metric,
  total: MetricTotal,
  examples: number,
): [name: string, value: number][] {
  if (typeof metric === "function") return [[name, total.values[0]! / examples]];
  const measured = metric.compute(total, examples);
  if (typeof measured === "number") return [[name, measured]];
  return Object.entries(measured).map(([key, value]) => [`${name}.${key}`, value]);
}
