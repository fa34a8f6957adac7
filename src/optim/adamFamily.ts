/** Adam's relatives: Adamax, NAdam, RAdam. */
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { asLike, average, correction, decay, root, square } from "./formula.js";
import { Optimizer, type Params, type UpdateRule } from "./optimizer.js";

export interface AdamaxOptions {
  /** Learning rate; default 2e-3. */
  readonly lr?: number;
  /** Decay rates of the mean of gradients and of their largest size; default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to each gradient's size; default 1e-8. */
  readonly eps?: number;
  /** Factor of the parameter that is added to its gradient (L2); default 0. */
  readonly weightDecay?: number;
  /** Climbs instead; default false. */
  readonly maximize?: boolean;
}

type Numbers = Record<"lr" | "beta1" | "beta2" | "eps" | "momentumDecay", Node>;

const adamaxRule: UpdateRule = {
  settings: {
    name: "Adamax",
    numbers: { lr: 2e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0 },
    below: { beta1: 1, beta2: 1 },
    optional: ["weightDecay"],
    switches: { maximize: false },
  },
  stateKinds: () => ({ step: "scalar", exp_avg: "parameter", exp_inf: "parameter" }),
  apply(b, input, flags) {
    const { parameter, state } = input;
    const n = input.numbers as Numbers;
    const step = b.add(state.step!, 1);
    const { p, g } = decay(b, input, flags);
    const mean = average(b, state.exp_avg!, g, n.beta1);
    const size = b.add(b.pointwise("abs", g), asLike(b, n.eps, parameter));
    const before = b.multiply(state.exp_inf!, asLike(b, n.beta2, parameter));
    const largest = b.pointwise("maximum", before, size);
    const rate = asLike(b, b.divide(n.lr, correction(b, n.beta1, step)), parameter);
    return {
      parameter: b.subtract(p, b.multiply(b.divide(mean, largest), rate)),
      state: { step, exp_avg: mean, exp_inf: largest },
    };
  },
};

/**
 * Adam with the largest gradient in place of the root mean square (Kingma and Ba, 2015):
 * u ← max(β₂u, |g| + eps), p ← p − lr · m̂ / u.
 *
 * @throws ValueError for an option that is out of range or unknown.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const p = tensor([1], { requiresGrad: true });
 * const optimizer = new optim.Adamax([p], { lr: 0.25 });
 * p.mul(p).sum().backward();
 * optimizer.step();
 * console.log(p.item().toFixed(3)); // → 0.750
 * ```
 */
export class Adamax extends Optimizer {
  constructor(params: Params, options: AdamaxOptions = {}) {
    super(adamaxRule, params, options);
  }
}

export interface RAdamOptions {
  /** Learning rate; default 1e-3, NAdam 2e-3. */
  readonly lr?: number;
  /** Decay rates of the mean of gradients and of their squares; default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the divisor; default 1e-8. */
  readonly eps?: number;
  /** Default 0. */
  readonly weightDecay?: number;
  /** Takes the decay off the weight, as AdamW does, instead of adding it to the gradient; default false. */
  readonly decoupledWeightDecay?: boolean;
  /** Climbs instead; default false. */
  readonly maximize?: boolean;
}

export interface NAdamOptions extends RAdamOptions {
  /** How fast the momentum reaches beta1; default 4e-3. */
  readonly momentumDecay?: number;
}

const nadamRule: UpdateRule = {
  settings: {
    name: "NAdam",
    numbers: { lr: 2e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0, momentumDecay: 4e-3 },
    below: { beta1: 1, beta2: 1 },
    optional: ["weightDecay"],
    switches: { decoupledWeightDecay: false, maximize: false },
  },
  stateKinds: () => ({
    step: "scalar",
    mu_product: "scalar",
    exp_avg: "parameter",
    exp_avg_sq: "parameter",
  }),
  start: (name) => (name === "mu_product" ? 1 : 0),
  apply(b, input, flags) {
    const { parameter, state } = input;
    const n = input.numbers as Numbers;
    const like = (x: Node) => asLike(b, x, parameter);
    const step = b.add(state.step!, 1);
    const { p, g } = decay(b, input, flags, Boolean(flags.decoupledWeightDecay));
    // β₁·(1 − 0.96^(t·momentumDecay) / 2)
    const momentumAt = (t: Node) => {
      const exponent = b.multiply(b.multiply(t, n.momentumDecay), Math.log(0.96));
      const shortfall = b.multiply(b.pointwise("exponential", exponent), 0.5);
      return b.multiply(n.beta1, b.subtract(1, shortfall));
    };
    const [mu, next] = [momentumAt(step), momentumAt(b.add(step, 1))];
    const product = b.multiply(state.mu_product!, mu);
    const mean = average(b, state.exp_avg!, g, n.beta1);
    const squares = average(b, state.exp_avg_sq!, square(b, g), n.beta2);
    const corrected = b.divide(squares, like(correction(b, n.beta2, step)));
    const divisor = b.add(root(b, corrected), like(n.eps));
    const rate = (share: Node, of: Node) =>
      like(b.divide(b.multiply(n.lr, share), b.subtract(1, of)));
    const now = b.multiply(g, rate(b.subtract(1, mu), product));
    const ahead = b.multiply(mean, rate(next, b.multiply(product, next)));
    return {
      parameter: b.subtract(p, b.divide(b.add(now, ahead), divisor)),
      state: { step, mu_product: product, exp_avg: mean, exp_avg_sq: squares },
    };
  },
};

/**
 * Adam with Nesterov's momentum (Dozat, 2016):
 * p ← p − lr · (μₜ₊₁m / (1 − Πᵢ₌₁ᵗ⁺¹ μᵢ) + (1 − μₜ)g / (1 − Πᵢ₌₁ᵗ μᵢ)) / (√v̂ + eps), μₜ = β₁(1 − 0.96^(t·momentumDecay) / 2).
 *
 * @throws ValueError for an option that is out of range or unknown.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const p = tensor([1], { requiresGrad: true });
 * const optimizer = new optim.NAdam([p], { lr: 0.1 });
 * p.mul(p).sum().backward();
 * optimizer.step();
 * console.log(p.item() < 1); // → true
 * ```
 */
export class NAdam extends Optimizer {
  constructor(params: Params, options: NAdamOptions = {}) {
    super(nadamRule, params, options);
  }
}

/** The variance of the step is tractable from here on (Liu et al., 2020). */
const tractable = 5;

const radamRule: UpdateRule = {
  settings: {
    name: "RAdam",
    numbers: { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0 },
    below: { beta1: 1, beta2: 1 },
    optional: ["weightDecay"],
    switches: { decoupledWeightDecay: false, maximize: false },
  },
  stateKinds: () => ({ step: "scalar", exp_avg: "parameter", exp_avg_sq: "parameter" }),
  apply(b, input, flags) {
    const { parameter, state } = input;
    const n = input.numbers as Numbers;
    const like = (x: Node) => asLike(b, x, parameter);
    const step = b.add(state.step!, 1);
    const { p, g } = decay(b, input, flags, Boolean(flags.decoupledWeightDecay));
    const mean = average(b, state.exp_avg!, g, n.beta1);
    const squares = average(b, state.exp_avg_sq!, square(b, g), n.beta2);
    const shortfall = correction(b, n.beta2, step);
    const { isTractable, rectification } = rectify(b, n.beta2, step, shortfall);
    const rate = b.divide(n.lr, correction(b, n.beta1, step));
    const adaptive = like(b.multiply(rate, b.multiply(rectification, root(b, shortfall))));
    const divisor = b.add(root(b, squares), like(n.eps));
    const isAdaptive = b.broadcastTo(isTractable, parameter.shape);
    const factor = b.select(isAdaptive, b.divide(adaptive, divisor), like(rate));
    return {
      parameter: b.subtract(p, b.multiply(mean, factor)),
      state: { step, exp_avg: mean, exp_avg_sq: squares },
    };
  },
};

/** ρ∞ = 2 / (1 − β₂) − 1, ρₜ = ρ∞ − 2t·β₂ᵗ / (1 − β₂ᵗ), and the root of (ρₜ−4)(ρₜ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρₜ). */
function rectify(b: Builder, beta2: Node, step: Node, shortfall: Node) {
  const limit = b.subtract(b.divide(2, b.subtract(1, beta2)), 1);
  const power = b.subtract(1, shortfall);
  const length = b.subtract(limit, b.divide(b.multiply(b.multiply(step, 2), power), shortfall));
  const part = (rho: Node) => b.multiply(b.subtract(rho, 4), b.subtract(rho, 2));
  const above = b.multiply(part(length), limit);
  const ratio = b.divide(above, b.multiply(part(limit), length));
  const isTractable = b.pointwise("greater", length, tractable);
  return { isTractable, rectification: root(b, b.select(isTractable, ratio, 1)) };
}

/**
 * Adam that waits until the variance of its step can be told (Liu et al., 2020): while ρₜ ≤ 5 it moves by lr · m̂, then by
 * lr · r · m̂ / (√v̂ + eps) with the rectification r, which rises to 1.
 *
 * @throws ValueError for an option that is out of range or unknown.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const p = tensor([1], { requiresGrad: true });
 * const optimizer = new optim.RAdam([p], { lr: 0.25 });
 * p.mul(p).sum().backward();
 * optimizer.step();
 * console.log(p.item().toFixed(3)); // → 0.500
 * ```
 */
export class RAdam extends Optimizer {
  constructor(params: Params, options: RAdamOptions = {}) {
    super(radamRule, params, options);
  }
}
