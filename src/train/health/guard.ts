/**
 * Debug mode: a step that keeps what was before it, and when loss or weights are no longer finite goes back, runs the step op by op, and
 * says which op of which module it was. Read anomaly.ts for how.
 */
import type { Optimizer } from "../../optim/index.js";
import type { Tensor } from "../../tensor/tensor.js";
import { DivergedError, type Place } from "../errors.js";
import type { Loss, Model } from "../steps.js";
import { type Anomaly, findAnomaly } from "./anomaly.js";
import { badValue } from "./ranges.js";
import { Snapshot } from "./snapshot.js";

/** A step gave what is not finite, and this is the op that made it. */
export class AnomalyError extends DivergedError {
  readonly anomaly: Anomaly;
  constructor(anomaly: Anomaly, place: Place) {
    super(anomaly.message, place);
    this.anomaly = anomaly;
  }
}

export interface GuardOptions<M> {
  /** The step to guard. */
  readonly step: (x: Tensor, y: Tensor) => Promise<M>;
  /** Default `functional.crossEntropy`: what the step minimises. */
  readonly loss?: Loss;
  /** Where the run stands, for the error. */
  readonly place: () => Place;
}

/**
 * Debug mode of a training step. It runs as ever; when the loss or a weight is not finite after it, everything is put back to the state
 * before the step, the step runs again op by op, and an {@link AnomalyError} says where the first such value came from. Costs a copy of the
 * weights and of the optimizer's state for each step.
 *
 * @throws AnomalyError, with the model as it was before the step; DivergedError where the step alone gives it, but not its ops.
 * @example
 * ```ts
 * import { nn, optim, tensor } from "gradus";
 * import { makeGuardedStep } from "gradus/train";
 * const model = new nn.Linear(1, 2);
 * const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
 * const place = () => ({ epoch: 1, step: 1 });
 * const guarded = makeGuardedStep(model, optimizer, {
 *   place,
 *   step: async (x, y) => ({ loss: nn.functional.crossEntropy(model.forward(x), y).item() }),
 * });
 * const bad = guarded(tensor([[Number.NaN]]), tensor([0], { dtype: "int32" }));
 * console.log(await bad.catch((error) => error.anomaly.place)); // → data
 * ```
 */
export function makeGuardedStep<M extends { readonly loss: number }>(
  model: Model,
  optimizer: Optimizer,
  { step, loss, place }: GuardOptions<M>,
): (x: Tensor, y: Tensor) => Promise<M> {
  return async (x, y) => {
    const before = new Snapshot(model, optimizer);
    const measures = await step(x, y);
    const isFine = Number.isFinite(measures.loss) && !model.parameters().some((p) => badValue(p));
    if (isFine) return measures;
    before.restore();
    const where = place();
    const options = { optimizer, step: where.step, ...(loss && { loss }) };
    const anomaly = findAnomaly(model, [x, y], options);
    if (anomaly) throw new AnomalyError(anomaly, where);
    throw new DivergedError(
      `step ${where.step} gave the loss ${measures.loss} or weights that are not finite, but run op by op ` +
        "everything stays finite: what the step does besides (clipping, accumulated gradients) made it",
      where,
    );
  };
}
