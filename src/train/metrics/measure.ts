/** A metric of values at hand, outside of any run. Read metric.ts first. */
import type { Tensor } from "../../tensor/index.js";
import { type Metric, measuresOf, updateOf } from "./metric.js";
import { addBatch, emptySums } from "./sums.js";

/**
 * What a metric says of an output and its target: a number, or numbers by key.
 *
 * output, target: as the metric takes them, with a batch dim.
 *
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { accuracy, measure } from "gradus/train";
 * const scores = tensor([[0.1, 0.9], [0.8, 0.2]]);
 * console.log(measure(accuracy, scores, tensor([1, 1], { dtype: "int32" }))); // → 0.5
 * ```
 */
export function measure(
  metric: Metric,
  output: Tensor,
  target: Tensor,
): number | Record<string, number> {
  const name = "metric";
  const sums = emptySums({ [name]: metric });
  const examples = output.shape[0] ?? 1;
  const metrics = { [name]: updateOf(name, metric, output, target) };
  addBatch(sums, { examples, loss: 0, metrics });
  const measured = measuresOf(name, metric, sums.totals[name]!.read()!, examples);
  if (measured[0]?.[0] === name) return measured[0][1];
  return Object.fromEntries(measured.map(([key, value]) => [key.slice(name.length + 1), value]));
}
