/** Lion: steps of the same size for every weight. */
import type { Node } from "../ir/graph.js";
import { asLike, average, decay } from "./formula.js";
import { Optimizer, type Params, type UpdateRule } from "./optimizer.js";

export interface LionOptions {
  /** Learning rate; default 1e-4: a third to a tenth of Adam's. */
  readonly lr?: number;
  /** Decay rates of the direction and of the mean that is kept; default [0.9, 0.99]. */
  readonly betas?: readonly [number, number];
  /** Taken off the weight, as in AdamW; default 0. */
  readonly weightDecay?: number;
  /** Climbs instead; default false. */
  readonly maximize?: boolean;
}

const rule: UpdateRule = {
  settings: {
    name: "Lion",
    numbers: { lr: 1e-4, beta1: 0.9, beta2: 0.99, weightDecay: 0 },
    below: { beta1: 1, beta2: 1 },
    optional: ["weightDecay"],
    switches: { maximize: false },
  },
  stateKinds: () => ({ exp_avg: "parameter" }),
  apply(b, input, flags) {
    const { gradient, state } = input;
    const n = input.numbers as Record<"lr" | "beta1" | "beta2", Node>;
    const { p } = decay(b, input, flags, true);
    const direction = b.pointwise("sign", average(b, state.exp_avg!, gradient, n.beta1));
    return {
      parameter: b.subtract(p, b.multiply(direction, asLike(b, n.lr, p))),
      state: { exp_avg: average(b, state.exp_avg!, gradient, n.beta2) },
    };
  },
};

/**
 * Lion (Chen et al., 2023): p ← p·(1 − lr·weightDecay) − lr · sign(β₁m + (1 − β₁)g), then m ← β₂m + (1 − β₂)g.
 *
 * @throws ValueError for an option that is out of range or unknown.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const p = tensor([1, -3], { requiresGrad: true });
 * const optimizer = new optim.Lion([p], { lr: 0.5 });
 * p.mul(p).sum().backward();
 * optimizer.step();
 * console.log(p.toArray()); // → [ 0.5, -2.5 ]
 * ```
 */
export class Lion extends Optimizer {
  constructor(params: Params, options: LionOptions = {}) {
    super(rule, params, options);
  }
}
