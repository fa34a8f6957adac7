/**
 * The compiled step of training: forward, loss, gradients, clipping and update as one program, or as two or three where
 * gradients of several batches are averaged. Read ../steps.ts for what is measured of a batch.
 */
import { ValueError } from "../../core/errors.js";
import type { Module } from "../../nn/module.js";
import { clipGradNorm, clipGradValue } from "../../nn/utils/clipGrad.js";
import type { Optimizer } from "../../optim/index.js";
import { compile, noGrad, type Tensor, tensor } from "../../tensor/index.js";
import type { BatchMeasures } from "../metrics/sums.js";
import type { FitOptions } from "../options.js";
import { measureBatch, readMeasures } from "../steps.js";

/** What one step of the optimizer gave. */
export interface StepOutcome {
  /** Of each batch, in order. */
  readonly batches: readonly BatchMeasures[];
  /** Norm of all gradients before clipping. */
  readonly gradientNorm?: number;
}

/** Takes the batches of one optimizer step; stops with what there is when a batch's loss is not finite. */
export type TrainStep = (batches: readonly (readonly Tensor[])[]) => Promise<StepOutcome>;

export type TrainStepOptions = Pick<
  FitOptions,
  "batchLoss" | "batchTransform" | "clip" | "loss" | "metrics"
> & {
  /** Called in the program after the optimizer's step. */
  readonly afterUpdate?: (model: Module) => void;
};

/** Clips the gradients of all parameters of an optimizer; gives their norm before, where it was asked for. */
function clipGradients(optimizer: Optimizer, clip: FitOptions["clip"]): Tensor | null {
  if (!clip) return null;
  const params = optimizer.paramGroups.flatMap((group) => [...group.params]);
  if ("norm" in clip)
    return clipGradNorm(params, clip.norm, clip.normType ? { normType: clip.normType } : {});
  clipGradValue(params, clip.value);
  return null;
}

/** The batch as `batchTransform` makes it. */
export function transformed(
  batch: readonly Tensor[],
  { batchTransform }: TrainStepOptions,
): readonly Tensor[] {
  if (!batchTransform) return batch;
  const result = noGrad(() => batchTransform(...batch));
  if (!Array.isArray(result) || result.length === 0)
    throw new ValueError("fit", "batchTransform must give a list of tensors, such as [x, y]");
  return result as readonly Tensor[];
}

/** Which part of a step a batch is: gradients are begun with the first one, the optimizer steps with the last one. */
type Part = { readonly isFirst: boolean; readonly isLast: boolean };

export function makeTrainStep(
  model: Module,
  optimizer: Optimizer,
  options: TrainStepOptions,
): TrainStep {
  const { clip, afterUpdate } = options;
  /** `share` is the batch's share of the step's examples; null for all of them. */
  const program = compile(
    (batch: readonly Tensor[], { isFirst, isLast }: Part, share: Tensor | null) => {
      const results = measureBatch(model, transformed(batch, options), options);
      if (isFirst) optimizer.zeroGrad();
      (share ? results.loss.mul(share.to(results.loss.dtype)) : results.loss).backward();
      if (!isLast) return { results, norm: null };
      const norm = clipGradients(optimizer, clip);
      optimizer.step();
      // Nobody reads the gradients after the step, so the program need not write them out.
      optimizer.zeroGrad();
      afterUpdate?.(model);
      return { results, norm };
    },
  );
  return async (batches) => {
    const counts = batches.map((batch) => batch[0]!.shape[0]!);
    const total = counts.reduce((sum, n) => sum + n, 0);
    const done: BatchMeasures[] = [];
    for (const [i, batch] of batches.entries()) {
      const part = { isFirst: i === 0, isLast: i === batches.length - 1 };
      const share = batches.length === 1 ? null : tensor(counts[i]! / total, { dtype: "float64" });
      const { results, norm } = await program(batch, part, share);
      done.push(readMeasures(results, batch));
      if (!Number.isFinite(done.at(-1)!.loss)) break;
      if (norm) return { batches: done, gradientNorm: norm.item() };
    }
    return { batches: done };
  };
}
