/**
 * Debug mode: a step that keeps what was before it, and when loss or weights are no longer finite goes back, runs the step op by op, and
 * says which op of which module it was. Read anomaly.ts for how.
 */
import type { Module } from "../../nn/module.js";
import type { Optimizer } from "../../optim/index.js";
import { noGrad, type Tensor } from "../../tensor/index.js";
import { DivergedError, type Place } from "../errors.js";
import { type TrainStep, transformed } from "../loop/trainStep.js";
import { measureBatch } from "../steps.js";
import { type Anomaly, type FindAnomalyOptions, findAnomaly } from "./anomaly.js";
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

export interface GuardOptions
  extends Pick<FindAnomalyOptions, "batchLoss" | "batchTransform" | "loss"> {
  /** The step to guard. */
  readonly step: TrainStep;
  /** The step under way, for the error. */
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
 * const guarded = makeGuardedStep(model, optimizer, {
 *   place: () => ({ epoch: 1, step: 1 }),
 *   step: async (batches) => {
 *     const [x, y] = batches[0]!;
 *     const loss = nn.functional.crossEntropy(model.forward(x!), y!).item();
 *     return { batches: [{ examples: 1, loss, metrics: {} }] };
 *   },
 * });
 * const bad = guarded([[tensor([[Number.NaN]]), tensor([0], { dtype: "int32" })]]);
 * console.log(await bad.catch((error) => error.anomaly.place)); // → data
 * ```
 */
export function makeGuardedStep(
  model: Module,
  optimizer: Optimizer,
  { step, place, ...options }: GuardOptions,
): TrainStep {
  return async (batches) => {
    const before = new Snapshot(model, optimizer);
    const outcome = await step(batches);
    const bad = outcome.batches.find(({ loss }) => !Number.isFinite(loss));
    if (!bad && !model.parameters().some((p) => badValue(p))) return outcome;
    before.restore();
    const where = place();
    const anomaly = findInStep(model, batches, { ...options, optimizer, step: where.step });
    before.restore();
    if (anomaly) throw new AnomalyError(anomaly, where);
    const seen = bad ? `the loss is ${bad.loss}` : "weights are not finite";
    throw new DivergedError(
      `${seen} after step ${where.step}, but run op by op everything stays finite: what the step does ` +
        "besides (clipping, accumulated gradients) made it",
      where,
    );
  };
}

/** Looks into each batch of a step; an accumulated one meets the random numbers and statistics that those before it left. */
function findInStep(
  model: Module,
  batches: readonly (readonly Tensor[])[],
  { optimizer, ...options }: FindAnomalyOptions & { readonly optimizer: Optimizer },
): Anomaly | null {
  for (const [i, batch] of batches.entries()) {
    const isLast = i === batches.length - 1;
    const anomaly = findAnomaly(model, batch, { ...options, ...(isLast && { optimizer }) });
    if (anomaly || isLast) return anomaly;
    noGrad(() => measureBatch(model, transformed(batch, options), options));
  }
  return null;
}
