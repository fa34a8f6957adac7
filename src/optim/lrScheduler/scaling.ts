/** How the learning rate follows the batch size. */
import { ValueError } from "../../core/errors.js";

export interface ScalingOptions {
  readonly batchSize: number;
  /** The batch size that `lr` was found for. */
  readonly baseBatchSize: number;
  /** `linear` for SGD (Goyal et al., 2017), `sqrt` for Adam's family (Malladi et al., 2022); default `linear`. */
  readonly rule?: "linear" | "sqrt";
}

/**
 * The learning rate for another batch size: lr · batchSize / baseBatchSize, or its root.
 *
 * @throws ValueError for sizes that are not above 0.
 * @example
 * ```ts
 * import { optim } from "gradus";
 * console.log(optim.lrScheduler.scaleLr(0.1, { batchSize: 1024, baseBatchSize: 256 })); // → 0.4
 * ```
 */
export function scaleLr(lr: number, { batchSize, baseBatchSize, rule }: ScalingOptions): number {
  for (const [name, value] of Object.entries({ lr, batchSize, baseBatchSize }))
    if (!(value > 0 && Number.isFinite(value)))
      throw new ValueError("scaleLr", `${name} must be a number above 0, got ${value}`);
  if (rule !== undefined && rule !== "linear" && rule !== "sqrt")
    throw new ValueError("scaleLr", `rule must be linear or sqrt, got ${String(rule)}`);
  const ratio = batchSize / baseBatchSize;
  return lr * (rule === "sqrt" ? Math.sqrt(ratio) : ratio);
}
