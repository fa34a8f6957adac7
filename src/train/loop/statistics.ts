/** Batch norms' statistics for weights that were just set: measured over the training data. Read run.ts for when. */
import type { Module } from "../../nn/module.js";
import { withFreshStatistics } from "../../optim/swaUtils.js";
import { compile, noGrad, type Tensor } from "../../tensor/index.js";
import type { FitOptions } from "../options.js";
import { measureBatch } from "../steps.js";
import { transformed } from "./trainStep.js";

/** Takes all training batches through the model, as training does but without a gradient; ends early where `signal` stops. */
export async function measureStatistics(model: Module, options: FitOptions): Promise<void> {
  const { train, signal } = options;
  const { metrics: _, ...forward } = options;
  await withFreshStatistics(model, async () => {
    const step = compile((batch: readonly Tensor[]) => {
      noGrad(() => measureBatch(model, transformed(batch, options), forward));
    });
    train.setEpoch(0);
    for await (const batch of train.iterateAsync()) {
      if (signal?.aborted) return;
      await step(batch);
    }
  });
}
