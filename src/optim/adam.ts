/** Adam, and AdamW, which decays weights apart from the gradient. */
import type { Node } from "../ir/graph.js";
import { asLike, average, correction, decay, moveTowards, root, square } from "./formula.js";
import { Optimizer, type Params, type UpdateRule } from "./optimizer.js";

export interface AdamOptions {
  /** Learning rate; default 1e-3. */
  readonly lr?: number;
  /** Decay rates of the mean of gradients and of their squares; default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the divisor; default 1e-8. */
  readonly eps?: number;
  /** Adam: added to the gradient, default 0. AdamW: taken off the weight, default 0.01. */
  readonly weightDecay?: number;
  /** Divides by the largest mean of squares so far (Reddi et al., 2018); default false. */
  readonly amsgrad?: boolean;
  /** Climbs instead; default false. */
  readonly maximize?: boolean;
}

type AdamNumbers = Record<"lr" | "beta1" | "beta2" | "eps", Node>;

const adamRule = (name: string, weightDecay: number, isDecoupled: boolean): UpdateRule => ({
  settings: {
    name,
    numbers: { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay },
    below: { beta1: 1, beta2: 1 },
    optional: ["weightDecay"],
    switches: { amsgrad: false, maximize: false },
  },
  stateKinds: ({ amsgrad }) => ({
    step: "scalar",
    exp_avg: "parameter",
    exp_avg_sq: "parameter",
    ...(amsgrad && { max_exp_avg_sq: "parameter" as const }),
  }),
  apply(b, input, flags) {
    const { parameter, state } = input;
    const n = input.numbers as AdamNumbers;
    const step = b.add(state.step!, 1);
    const like = (x: Node) => asLike(b, x, parameter);
    const { p, g } = decay(b, input, flags, isDecoupled);
    const mean = moveTowards(b, state.exp_avg!, g, n.beta1);
    const squares = average(b, state.exp_avg_sq!, square(b, g), n.beta2);
    const largest = flags.amsgrad && b.pointwise("maximum", state.max_exp_avg_sq!, squares);
    const scale = like(root(b, correction(b, n.beta2, step)));
    const divisor = b.add(b.divide(root(b, largest || squares), scale), like(n.eps));
    const rate = like(b.divide(n.lr, correction(b, n.beta1, step)));
    return {
      parameter: b.subtract(p, b.divide(b.multiply(mean, rate), divisor)),
      state: {
        step,
        exp_avg: mean,
        exp_avg_sq: squares,
        ...(largest && { max_exp_avg_sq: largest }),
      },
    };
  },
});

const rules = { adam: adamRule("Adam", 0, false), adamW: adamRule("AdamW", 0.01, true) };

/**
 * Adam (Kingma and Ba, 2015): m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g²,
 * p ← p − lr · m̂ / (√v̂ + eps), with m̂ and v̂ corrected for starting at zero.
 *
 * @throws ValueError for an option that is out of range or unknown.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const p = tensor([1], { requiresGrad: true });
 * const optimizer = new optim.Adam([p], { lr: 0.1 });
 * p.mul(p).sum().backward();
 * optimizer.step();
 * console.log(p.item().toFixed(3)); // → 0.900
 * ```
 */
export class Adam extends Optimizer {
  constructor(params: Params, options: AdamOptions = {}) {
    super(rules.adam, params, options);
  }
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, 2019): p ← p·(1 − lr·weightDecay) before the step.
 *
 * @throws ValueError for an option that is out of range or unknown.
 */
export class AdamW extends Optimizer {
  constructor(params: Params, options: AdamOptions = {}) {
    super(rules.adamW, params, options);
  }
}
