/** Initialisation that looks at data: every layer's output gets variance 1. */
import { GradusError, ValueError } from "../core/errors.js";
import "../ops/index.js";
import { noGrad } from "../tensor/context.js";
import { Tensor } from "../tensor/tensor.js";
import { Embedding } from "./embedding.js";
import { orthogonal, zeros } from "./init.js";
import { type Module, Parameter } from "./module.js";

export interface LsuvOptions {
  /** How far from 1 a variance may stay; default 0.01. */
  readonly tolerance?: number;
  /** Attempts for each layer; default 10. */
  readonly maxIterations?: number;
  /** Whether weights are made orthogonal and biases 0 first; default true. */
  readonly orthogonal?: boolean;
}

interface Weighted extends Module {
  readonly weight: Parameter;
  readonly bias?: Parameter | null;
}

const isWeighted = (module: Module): module is Weighted => {
  const { weight } = module as unknown as Partial<Weighted>;
  return weight instanceof Parameter && weight.ndim >= 2 && !(module instanceof Embedding);
};

/** Runs the model with an eye on some modules; gives what `look` saw, in the order of their calls. */
function watch(model: Module, x: Tensor, modules: readonly Weighted[]): [Weighted, Tensor][] {
  const seen: [Weighted, Tensor][] = [];
  const hooks = modules.map((module) =>
    module.registerForwardHook((_, output) => {
      if (output instanceof Tensor) seen.push([module, output]);
    }),
  );
  try {
    noGrad(() => (model as { forward(x: Tensor): unknown }).forward(x));
  } finally {
    for (const hook of hooks) hook.remove();
  }
  return seen;
}

function scaleLayer(model: Module, x: Tensor, layer: Weighted, options: LsuvOptions): number {
  const { tolerance = 0.01, maxIterations = 10 } = options;
  for (let i = 0; ; i++) {
    const [, output] = watch(model, x, [layer])[0]!;
    const variance = output.to("float64").var().item();
    if (!(variance > 0 && Number.isFinite(variance)))
      throw new GradusError(
        "lsuv",
        `the output of ${layer.constructor.name} has variance ${variance}; is the batch all the same?`,
      );
    if (Math.abs(variance - 1) <= tolerance || i >= maxIterations) return variance;
    noGrad(() => layer.weight.assign(layer.weight.div(Math.sqrt(variance))));
  }
}

/**
 * Layer-sequential unit-variance initialisation (Mishkin and Matas, 2016): weights become orthogonal, then each layer with a weight, in the
 * order in which they run, is divided by its output's standard deviation on a batch until that is 1. Runs in evaluation mode.
 *
 * @returns the variances that were reached, by the layers' names, in the order of the calls.
 * @throws ValueError if no layer with a weight runs; GradusError for an output without variance.
 * @example
 * ```ts
 * import { nn, randn } from "gradus";
 * const net = new nn.Sequential(new nn.Linear(64, 64), new nn.Tanh(), new nn.Linear(64, 64));
 * const variances = nn.init.lsuv(net, randn([256, 64]));
 * console.log([...variances].map(([name, v]) => `${name}: ${v.toFixed(1)}`)); // → [ '0: 1.0', '2: 1.0' ]
 * ```
 */
export function lsuv(model: Module, x: Tensor, options: LsuvOptions = {}): Map<string, number> {
  const parts = [...model.namedModules()];
  const names = new Map(parts.map(([name, part]) => [part, name]));
  const modes = parts.map(([, part]) => [part, part.training] as const);
  const layers = parts.flatMap(([, part]) => (isWeighted(part) ? [part] : []));
  model.eval();
  try {
    const order = [...new Set(watch(model, x, layers).map(([layer]) => layer))];
    if (order.length === 0) throw new ValueError("lsuv", "no layer with a weight runs");
    const isOrthogonal = options.orthogonal ?? true;
    for (const { weight, bias } of isOrthogonal ? order : []) {
      orthogonal(weight);
      if (bias) zeros(bias);
    }
    const done = new Set<Parameter>();
    const variances = new Map<string, number>();
    for (const layer of order) {
      if (done.has(layer.weight)) continue;
      done.add(layer.weight);
      variances.set(names.get(layer)!, scaleLayer(model, x, layer, options));
    }
    return variances;
  } finally {
    for (const [part, mode] of modes) part.train(mode);
  }
}
