/** Metrics of numbers and of tokens: errors of a regression, R², perplexity. Read metric.ts first. */
import { ShapeError } from "../../core/errors.js";
import { formatShape, sameShape } from "../../core/shape.js";
import { crossEntropy, mean, ne, reshape, stack, sum } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { MetricFunction, MetricObject } from "./metric.js";

/** Both as float64 [B, values an example]. */
function valueRows(op: string, output: Tensor, target: Tensor): [given: Tensor, wanted: Tensor] {
  const same = sameShape(output.shape, target.shape);
  // One value an example may come with or without a dim of its own, but [B] and [B, 1] must not broadcast to [B, B].
  const [size] = output.shape;
  const column = output.size === size && target.size === size && target.shape[0] === size;
  if (output.ndim === 0 || target.ndim === 0 || !(same || column)) {
    const [came, expected] = [output, target].map(({ shape }) => formatShape(shape));
    throw new ShapeError(op, `outputs are ${came}, targets ${expected}; expected the same shape`);
  }
  const rows = (x: Tensor) => reshape(x.to("float64"), [output.shape[0]!, -1]);
  return [rows(output), rows(target)];
}

/**
 * |output − target|, the mean over the values of an example, summed over examples: as a measure, the mean absolute error.
 *
 * output and target: [B, …], of the same shape.
 *
 * @throws ShapeError for shapes that differ.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { meanAbsoluteError, measure } from "gradus/train";
 * console.log(measure(meanAbsoluteError, tensor([1, 2, 3]), tensor([1, 4, 4]))); // → 1
 * ```
 */
export const meanAbsoluteError: MetricFunction = (output, target) => {
  const [given, wanted] = valueRows("meanAbsoluteError", output, target);
  return sum(mean(given.sub(wanted).abs(), 1));
};

/**
 * (output − target)², the mean over the values of an example, summed over examples: as a measure, the mean squared error.
 *
 * output and target: [B, …], of the same shape.
 *
 * @throws ShapeError for shapes that differ.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { meanSquaredError, measure } from "gradus/train";
 * console.log(measure(meanSquaredError, tensor([1, 2]), tensor([1, 4]))); // → 2
 * ```
 */
export const meanSquaredError: MetricFunction = (output, target) => {
  const [given, wanted] = valueRows("meanSquaredError", output, target);
  return sum(mean(given.sub(wanted).square(), 1));
};

/**
 * R² = 1 − Σ (y − ŷ)² / Σ (y − ȳ)²: the share of the targets' variance that the outputs explain; the mean over the values
 * of an example. A value that is the same in all targets gives 1 where it is always met, else 0, as in scikit-learn; NaN
 * for fewer than two examples. Sums are float64, so about 16 − 2 log₁₀(|mean| / std of the targets) digits are right.
 *
 * output and target: [B, …], of the same shape.
 *
 * @throws ShapeError for shapes that differ.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { measure, r2 } from "gradus/train";
 * console.log(measure(r2(), tensor([2.5, 0, 2, 8]), tensor([3, -0.5, 2, 7]))); // ≈ 0.9486
 * ```
 */
export function r2(): MetricObject {
  return {
    update(output, target) {
      const [given, wanted] = valueRows("r2", output, target);
      const missed = given.sub(wanted).square();
      return stack([sum(missed, 0), sum(wanted, 0), sum(wanted.square(), 0)]);
    },
    compute({ shape, values }, examples) {
      if (examples < 2) return Number.NaN;
      const width = shape[1]!;
      let all = 0;
      for (let i = 0; i < width; i++) {
        const [missed, first, second] = [values[i]!, values[width + i]!, values[2 * width + i]!];
        const variance = second - first ** 2 / examples;
        // What rounding leaves of targets that are all the same.
        const isConstant = variance <= 4 * Number.EPSILON * second;
        all += isConstant ? Number(missed === 0) : 1 - missed / variance;
      }
      return all / width;
    },
  };
}

/**
 * exp of the mean negative log likelihood of the tokens that count: how many equally probable ones the model is left to
 * choose from.
 *
 * output: logits [B, V, …], target: token indices [B, …], or probabilities [B, V, …]. NaN where no token counts.
 *
 * @param options `ignoreIndex`: targets that do not count, such as padding; default -100.
 * @throws ShapeError where output and target do not fit; ValueError for a target that is no token.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { measure, perplexity } from "gradus/train";
 * const logits = tensor([[0, 0, 0, 0], [9, 9, 9, 9]]);
 * console.log(measure(perplexity(), logits, tensor([2, -100], { dtype: "int32" }))); // ≈ 4
 * ```
 */
export function perplexity({
  ignoreIndex = -100,
}: {
  readonly ignoreIndex?: number;
} = {}): MetricObject {
  return {
    update(output, target) {
      const losses = crossEntropy(output.to("float64"), target, { ignoreIndex, reduction: "none" });
      const isSoft = losses.ndim !== target.ndim;
      const counted = isSoft ? losses.mul(0).add(1) : ne(target, ignoreIndex).to("float64");
      return stack([sum(losses), sum(counted)]);
    },
    compute: ({ values }) => Math.exp(values[0]! / values[1]!),
  };
}
