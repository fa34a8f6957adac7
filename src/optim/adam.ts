/** Adam, and AdamW, which decays weights apart from the gradient. */
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { checkNames, checkNumber } from "./numbers.js";
import { Optimizer, type Params, type UpdateRule } from "./optimizer.js";
import { asLike, decayed } from "./sgd.js";

export interface AdamOptions {
  /** Learning rate; default 1e-3. */
  readonly lr?: number;
  /** Decay rates of the mean of gradients and of their squares; default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the divisor; default 1e-8. */
  readonly eps?: number;
  /** Adam: added to the gradient, default 0. AdamW: taken off the weight, default 0.01. */
  readonly weightDecay?: number;
}

type AdamNumbers = Record<"lr" | "beta1" | "beta2" | "eps" | "weightDecay", Node>;

/** 1 − betaᵗ in float64. */
const correction = (b: Builder, beta: Node, step: Node): Node =>
  b.subtract(1, b.pointwise("power", beta, step));

/** average + (value − average)·(1 − beta). */
function average(b: Builder, before: Node, value: Node, beta: Node): Node {
  const share = asLike(b, b.subtract(1, beta), before);
  return b.add(before, b.multiply(b.subtract(value, before), share));
}

const adamRule = (name: string, isDecoupled: boolean): UpdateRule => ({
  name,
  stateKinds: () => ({ step: "scalar", exp_avg: "parameter", exp_avg_sq: "parameter" }),
  apply(b, { parameter, gradient, state, numbers }, flags) {
    const { lr, beta1, beta2, eps, weightDecay } = numbers as AdamNumbers;
    const step = b.add(state.step!, 1);
    const like = (x: Node) => asLike(b, x, parameter);
    let [p, g] = [parameter, gradient];
    if (flags.weightDecay && isDecoupled)
      p = b.multiply(p, like(b.subtract(1, b.multiply(lr, weightDecay))));
    else if (flags.weightDecay) g = decayed(b, g, p, weightDecay);
    const mean = average(b, state.exp_avg!, g, beta1);
    const squares = b.add(
      b.multiply(state.exp_avg_sq!, like(beta2)),
      b.multiply(b.multiply(g, g), like(b.subtract(1, beta2))),
    );
    const scale = b.pointwise("sqrt", correction(b, beta2, step));
    const root = b.divide(b.pointwise("sqrt", squares), like(scale));
    const rate = like(b.divide(lr, correction(b, beta1, step)));
    const change = b.divide(b.multiply(mean, rate), b.add(root, like(eps)));
    return {
      parameter: b.subtract(p, change),
      state: { step, exp_avg: mean, exp_avg_sq: squares },
    };
  },
});

// Made once: optimizers of one rule share their programs.
const adam = adamRule("Adam", false);
const adamW = adamRule("AdamW", true);

const known = ["lr", "betas", "eps", "weightDecay"];

function settle(op: string, defaults: AdamOptions, options: AdamOptions) {
  checkNames(op, options, known);
  const merged = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, ...defaults, ...options } as const;
  const { lr, eps, weightDecay = 0 } = merged;
  const [beta1, beta2] = merged.betas;
  for (const [name, value] of Object.entries({ lr, eps, weightDecay }))
    checkNumber(op, name, value);
  for (const value of [beta1, beta2]) checkNumber(op, "betas", value, { below: 1 });
  return {
    numbers: { lr, beta1: beta1!, beta2: beta2!, eps, weightDecay },
    flags: { weightDecay: weightDecay !== 0 },
  };
}

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
    super(adam, params, (group) => settle("Adam", {}, { ...options, ...group }));
  }
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, 2019): p ← p·(1 − lr·weightDecay) before the step.
 *
 * @throws ValueError for an option that is out of range or unknown.
 */
export class AdamW extends Optimizer {
  constructor(params: Params, options: AdamOptions = {}) {
    super(adamW, params, (group) =>
      settle("AdamW", { weightDecay: 0.01 }, { ...options, ...group }),
    );
  }
}
