/** Gradient accumulation: one optimizer step for several batches. */
import { ValueError } from "../core/errors.js";
import "../ops/index.js";
import { activeTrace } from "../tensor/context.js";
import { zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";

interface Stepper {
  step(): void;
  zeroGrad(): void;
}

/**
 * Adds up the gradients of `steps` batches before the optimizer steps, as if they were one large batch: losses that are means are divided
 * by `steps`. Works in compiled functions too, which then are two or three programs: with and without the optimizer's step.
 *
 * @throws ValueError for steps that are no whole number ≥ 1.
 * @example
 * ```ts
 * import { compile, optim, tensor } from "gradus";
 * const p = tensor([0], { requiresGrad: true });
 * const optimizer = new optim.SGD([p], { lr: 1 });
 * const accumulator = new optim.GradientAccumulator(optimizer, { steps: 2 });
 * const step = compile((x) => {
 *   accumulator.backward(p.mul(x).sum());
 *   accumulator.step();
 * });
 * await step(tensor([1]));
 * console.log(p.item()); // → 0
 * await step(tensor([3]));
 * console.log(p.item()); // → -2
 * ```
 */
export class GradientAccumulator {
  readonly steps: number;
  private readonly optimizer: Stepper;
  /** Batches since the optimizer's last step: a cell, so that a compiled call that fails does not count. */
  private readonly count: Tensor = zeros([], { dtype: "int32" });

  constructor(optimizer: Stepper, { steps }: { readonly steps: number }) {
    if (!Number.isInteger(steps) || steps < 1)
      throw new ValueError(
        "GradientAccumulator",
        `steps must be a whole number ≥ 1, got ${String(steps)}`,
      );
    this.optimizer = optimizer;
    this.steps = steps;
  }

  private get isLast(): boolean {
    return this.count.storageFor("GradientAccumulator").data[0] === this.steps - 1;
  }

  /** Adds the gradients of the loss divided by `steps`. */
  backward(loss: Tensor): void {
    loss.div(this.steps).backward();
  }

  /** Counts the batch; at each `steps`-th the optimizer steps and the gradients are dropped. Gives whether it did. */
  step(): boolean {
    const { isLast } = this;
    activeTrace()?.guard(() => this.isLast === isLast);
    if (isLast) {
      this.optimizer.step();
      this.optimizer.zeroGrad();
      this.count.assign(zeros([], { dtype: "int32" }));
    } else this.count.assign(this.count.add(1));
    return isLast;
  }
}
