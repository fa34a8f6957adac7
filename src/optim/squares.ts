/** Optimizers that scale each weight's step by its squared gradients: Adagrad, RMSprop, Adadelta. */
import type { Node } from "../ir/graph.js";
import { asLike, average, decay, root, square } from "./formula.js";
import { Optimizer, type Params, type UpdateRule } from "./optimizer.js";

export interface AdagradOptions {
  /** Learning rate; default 1e-2. */
  readonly lr?: number;
  /** The rate of step t is lr / (1 + (t − 1)·lrDecay); default 0. */
  readonly lrDecay?: number;
  /** Factor of the parameter that is added to its gradient (L2); default 0. */
  readonly weightDecay?: number;
  /** What the sum of squares starts with; default 0. */
  readonly initialAccumulatorValue?: number;
  /** Added to the divisor; default 1e-10. */
  readonly eps?: number;
  /** Climbs instead; default false. */
  readonly maximize?: boolean;
}

const adagradRule: UpdateRule = {
  settings: {
    name: "Adagrad",
    numbers: { lr: 1e-2, lrDecay: 0, weightDecay: 0, initialAccumulatorValue: 0, eps: 1e-10 },
    optional: ["weightDecay"],
    switches: { maximize: false },
  },
  stateKinds: () => ({ step: "scalar", sum: "parameter" }),
  start: (name, numbers) => (name === "sum" ? numbers.initialAccumulatorValue! : 0),
  apply(b, input, flags) {
    const { parameter, state } = input;
    const n = input.numbers as Record<"lr" | "lrDecay" | "eps", Node>;
    const { g } = decay(b, input, flags);
    const sum = b.add(state.sum!, square(b, g));
    const rate = b.divide(n.lr, b.add(b.multiply(state.step!, n.lrDecay), 1));
    const divisor = b.add(root(b, sum), asLike(b, n.eps, parameter));
    const move = b.multiply(b.divide(g, divisor), asLike(b, rate, parameter));
    return { parameter: b.subtract(parameter, move), state: { step: b.add(state.step!, 1), sum } };
  },
};

/**
 * Adagrad (Duchi, Hazan and Singer, 2011): s ← s + g², p ← p − lr · g / (√s + eps).
 *
 * @throws ValueError for an option that is out of range or unknown.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const p = tensor([1], { requiresGrad: true });
 * const optimizer = new optim.Adagrad([p], { lr: 0.25 });
 * p.mul(p).sum().backward();
 * optimizer.step();
 * console.log(p.item()); // → 0.75
 * ```
 */
export class Adagrad extends Optimizer {
  constructor(params: Params, options: AdagradOptions = {}) {
    super(adagradRule, params, options);
  }
}

export interface RMSpropOptions {
  /** Learning rate; default 1e-2. */
  readonly lr?: number;
  /** Decay rate of the mean of squares; default 0.99. */
  readonly alpha?: number;
  /** Added to the divisor; default 1e-8. */
  readonly eps?: number;
  /** Factor of the parameter that is added to its gradient (L2); default 0. */
  readonly weightDecay?: number;
  /** Share of the last direction that is kept; default 0. */
  readonly momentum?: number;
  /** Divides by the standard deviation of gradients instead of their root mean square; default false. */
  readonly centered?: boolean;
  /** Climbs instead; default false. */
  readonly maximize?: boolean;
}

const rmspropRule: UpdateRule = {
  settings: {
    name: "RMSprop",
    numbers: { lr: 1e-2, alpha: 0.99, eps: 1e-8, weightDecay: 0, momentum: 0 },
    optional: ["weightDecay", "momentum"],
    switches: { centered: false, maximize: false },
  },
  stateKinds: ({ momentum, centered }) => ({
    step: "scalar",
    square_avg: "parameter",
    ...(momentum && { momentum_buffer: "parameter" as const }),
    ...(centered && { grad_avg: "parameter" as const }),
  }),
  apply(b, input, flags) {
    const { parameter, state } = input;
    const n = input.numbers as Record<"lr" | "alpha" | "eps" | "momentum", Node>;
    const like = (x: Node) => asLike(b, x, parameter);
    const { g } = decay(b, input, flags);
    const squares = average(b, state.square_avg!, square(b, g), n.alpha);
    const mean = flags.centered && average(b, state.grad_avg!, g, n.alpha);
    const spread = mean ? b.subtract(squares, square(b, mean)) : squares;
    const scaled = b.divide(g, b.add(root(b, spread), like(n.eps)));
    const buffer =
      flags.momentum && b.add(b.multiply(state.momentum_buffer!, like(n.momentum)), scaled);
    return {
      parameter: b.subtract(parameter, b.multiply(buffer || scaled, like(n.lr))),
      state: {
        step: b.add(state.step!, 1),
        square_avg: squares,
        ...(buffer && { momentum_buffer: buffer }),
        ...(mean && { grad_avg: mean }),
      },
    };
  },
};

/**
 * RMSprop (Tieleman and Hinton, 2012): s ← α·s + (1 − α)·g², p ← p − lr · g / (√s + eps); with momentum on the quotient, and
 * centred (Graves, 2013) with s − mean² in place of s.
 *
 * @throws ValueError for an option that is out of range or unknown.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const p = tensor([1], { requiresGrad: true });
 * const optimizer = new optim.RMSprop([p], { lr: 0.05 });
 * p.mul(p).sum().backward();
 * optimizer.step();
 * console.log(p.item().toFixed(3)); // → 0.500
 * ```
 */
export class RMSprop extends Optimizer {
  constructor(params: Params, options: RMSpropOptions = {}) {
    super(rmspropRule, params, options);
  }
}

export interface AdadeltaOptions {
  /** Factor of the step; default 1. */
  readonly lr?: number;
  /** Decay rate of both means of squares; default 0.9. */
  readonly rho?: number;
  /** Added under both roots; default 1e-6. */
  readonly eps?: number;
  /** Factor of the parameter that is added to its gradient (L2); default 0. */
  readonly weightDecay?: number;
  /** Climbs instead; default false. */
  readonly maximize?: boolean;
}

const adadeltaRule: UpdateRule = {
  settings: {
    name: "Adadelta",
    numbers: { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0 },
    optional: ["weightDecay"],
    switches: { maximize: false },
  },
  stateKinds: () => ({ step: "scalar", square_avg: "parameter", acc_delta: "parameter" }),
  apply(b, input, flags) {
    const { parameter, state } = input;
    const n = input.numbers as Record<"lr" | "rho" | "eps", Node>;
    const eps = asLike(b, n.eps, parameter);
    const { g } = decay(b, input, flags);
    const squares = average(b, state.square_avg!, square(b, g), n.rho);
    const std = root(b, b.add(squares, eps));
    const delta = b.multiply(b.divide(root(b, b.add(state.acc_delta!, eps)), std), g);
    return {
      parameter: b.subtract(parameter, b.multiply(delta, asLike(b, n.lr, parameter))),
      state: {
        step: b.add(state.step!, 1),
        square_avg: squares,
        acc_delta: average(b, state.acc_delta!, square(b, delta), n.rho),
      },
    };
  },
};

/**
 * Adadelta (Zeiler, 2012): Δ = g · √(d + eps) / √(s + eps) with running means s of g² and d of Δ², p ← p − lr · Δ.
 *
 * @throws ValueError for an option that is out of range or unknown.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const p = tensor([1], { requiresGrad: true });
 * const optimizer = new optim.Adadelta([p], { lr: 100 });
 * p.mul(p).sum().backward();
 * optimizer.step();
 * console.log(p.item().toFixed(3)); // → 0.684
 * ```
 */
export class Adadelta extends Optimizer {
  constructor(params: Params, options: AdadeltaOptions = {}) {
    super(adadeltaRule, params, options);
  }
}
