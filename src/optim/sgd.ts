/** Stochastic gradient descent. */
import { ValueError } from "../core/errors.js";
import type { Node } from "../ir/graph.js";
import { asLike, decay } from "./formula.js";
import { Optimizer, type Params, type UpdateRule } from "./optimizer.js";

export interface SGDOptions {
  /** Learning rate; default 1e-3. */
  readonly lr?: number;
  /** Share of the last direction that is kept; default 0. */
  readonly momentum?: number;
  /** Share of the gradient that is left out of the direction; default 0. */
  readonly dampening?: number;
  /** Factor of the parameter that is added to its gradient (L2); default 0. */
  readonly weightDecay?: number;
  /** Looks one step ahead along the direction; needs momentum and no dampening. */
  readonly nesterov?: boolean;
  /** Climbs instead; default false. */
  readonly maximize?: boolean;
}

const rule: UpdateRule = {
  settings: {
    name: "SGD",
    numbers: { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0 },
    optional: ["momentum", "dampening", "weightDecay"],
    switches: { nesterov: false, maximize: false },
    check({ numbers, switches }) {
      if (switches.nesterov && (numbers.momentum === 0 || numbers.dampening !== 0))
        throw new ValueError("SGD", "nesterov needs momentum > 0 and dampening 0");
    },
  },
  stateKinds: ({ momentum, dampening }) => ({
    ...(momentum && { momentum_buffer: "parameter" as const }),
    ...(momentum && dampening && { step: "scalar" as const }),
  }),
  apply(b, input, flags) {
    const { parameter, state } = input;
    const n = input.numbers as Record<"lr" | "momentum" | "dampening", Node>;
    const { g } = decay(b, input, flags);
    const move = (direction: Node) =>
      b.subtract(parameter, b.multiply(direction, asLike(b, n.lr, parameter)));
    if (!flags.momentum) return { parameter: move(g), state: {} };
    const momentum = asLike(b, n.momentum, parameter);
    const { step } = state;
    // The first gradient is taken whole, as in PyTorch.
    const share = step && b.select(b.equal(step, 0), 1, b.subtract(1, n.dampening));
    const taken = share ? b.multiply(g, asLike(b, share, parameter)) : g;
    const buffer = b.add(b.multiply(state.momentum_buffer!, momentum), taken);
    const direction = flags.nesterov ? b.add(g, b.multiply(buffer, momentum)) : buffer;
    return {
      parameter: move(direction),
      state: { momentum_buffer: buffer, ...(step && { step: b.add(step, 1) }) },
    };
  },
};

/**
 * Gradient descent with momentum, Nesterov's or plain (Sutskever et al., 2013), in PyTorch's form:
 * v ← momentum·v + (1 − dampening)·(g + weightDecay·p), p ← p − lr·v.
 *
 * @throws ValueError for an option that is out of range or unknown.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const p = tensor([1], { requiresGrad: true });
 * const optimizer = new optim.SGD([p], { lr: 0.5 });
 * p.mul(p).sum().backward();
 * optimizer.step();
 * console.log(p.toArray()); // → [ 0 ]
 * ```
 */
export class SGD extends Optimizer {
  constructor(params: Params, options: SGDOptions = {}) {
    super(rule, params, options);
  }
}
