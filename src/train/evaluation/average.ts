/** The average of several networks' outputs, or of several looks at one picture: one mechanism for both. Read ensemble.ts next. */
import { ShapeError, ValueError } from "../../core/errors.js";
import { formatShape, sameShape } from "../../core/shape.js";
import { logSoftmax, logsumexp, stack, sum } from "../../ops/index.js";
import type { Tensor } from "../../tensor/index.js";

export interface AverageOptions {
  /**
   * `probabilities` (default): of the softmax over dim 1, given as logarithms, so that the result is a score for
   * `crossEntropy` and `argmax` like any other. `logits`: of the outputs as they are, as for a regression.
   */
  readonly average?: "probabilities" | "logits";
}

export function checkAverageOptions(
  op: string,
  { average = "probabilities" }: AverageOptions,
): void {
  if (average !== "probabilities" && average !== "logits")
    throw new ValueError(op, `average is ${String(average)}; expected probabilities or logits`);
}

/**
 * The average of outputs of the same shape: log (Σ wᵢ softmax(zᵢ)), or Σ wᵢ zᵢ.
 *
 * outputs: [B, K, …] each → [B, K, …].
 *
 * @param weights of the outputs, with the sum 1; default all the same.
 */
export function averageOutputs(
  op: string,
  outputs: readonly Tensor[],
  { average = "probabilities" }: AverageOptions,
  weights: readonly number[] = outputs.map(() => 1 / outputs.length),
): Tensor {
  const odd = outputs.find(({ shape }) => !sameShape(shape, outputs[0]!.shape));
  if (odd) {
    const [first, other] = [outputs[0]!, odd].map(({ shape }) => formatShape(shape));
    throw new ShapeError(op, `outputs are ${first} and ${other}; expected the same shape`);
  }
  if (average === "logits") return sum(stack(outputs.map((x, i) => x.mul(weights[i]!))), 0);
  const logs = outputs.map((x, i) => logSoftmax(x, 1).add(Math.log(weights[i]!)));
  return logsumexp(stack(logs), 0);
}
