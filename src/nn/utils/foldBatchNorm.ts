/** Batch norms as what they are at inference: part of the linear layer before them. */
import { GradusError } from "../../core/errors.js";
import "../../ops/index.js";
import { noGrad } from "../../tensor/context.js";
import { Tensor } from "../../tensor/tensor.js";
import {
  Conv1d,
  Conv2d,
  Conv3d,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
} from "../conv.js";
import { Identity } from "../layers.js";
import { Linear } from "../linear.js";
import { type Module, Parameter } from "../module.js";
import { BatchNorm } from "../norm.js";
import { Sequential } from "../sequential.js";
import { cloneModule } from "./clone.js";
import type { Fields } from "./parametrize.js";
import { replaceModule } from "./replaceModule.js";

const transposed = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d] as const;
const plain = [Linear, Conv1d, Conv2d, Conv3d] as const;

type LinearLayer = InstanceType<(typeof plain)[number] | (typeof transposed)[number]>;
type Pair = readonly [layer: LinearLayer, norm: BatchNorm];

const isTransposed = (module: Module): boolean => transposed.some((kind) => module instanceof kind);

/**
 * A linear map and nothing else: a class of the user's that computes more is none. Computed weights (weight norm and the like) are left
 * alone as well: there is nothing to write the result to.
 */
const isLinear = (module: Module): module is LinearLayer =>
  [...plain, ...transposed].some((kind) => module.forward === kind.prototype.forward) &&
  (module as LinearLayer).weight instanceof Parameter;

const isFoldable = (module: Module): module is BatchNorm =>
  module.forward === BatchNorm.prototype.forward && (module as BatchNorm).runningMean !== null;

/** Channels that come out: a transposed convolution's weight has those of one group in dim 1. */
function sizeOut(layer: LinearLayer): number {
  const isWide = layer instanceof Linear || !isTransposed(layer);
  return isWide ? layer.weight.shape[0]! : layer.weight.shape[1]! * layer.groups;
}

const count = <T>(all: Iterable<T>): Map<T, number> => {
  const counts = new Map<T, number>();
  for (const one of all) counts.set(one, (counts.get(one) ?? 0) + 1);
  return counts;
};

/** Whether nothing else computes with the tensors of a pair, which a fold changes; `uses` says how often each is used. */
const isOwn = ([layer, norm]: Pair, uses: ReadonlyMap<unknown, number>): boolean =>
  [layer.weight, layer.bias, norm.runningMean].every((x) => !x || uses.get(x) === 1);

/** Neighbours in chains; that is all that can be told without a run. */
function neighbours(model: Module): Pair[] {
  // A part that has two names may run twice.
  const uses = count(model.stateDict().values());
  const pairs = model.modules().flatMap((part) => {
    if (!(part instanceof Sequential)) return [];
    const layers = [...part];
    return layers.flatMap((layer, i): Pair[] => {
      const next = layers[i + 1];
      return next && isLinear(layer) && isFoldable(next) ? [[layer, next]] : [];
    });
  });
  return pairs.filter((pair) => isOwn(pair, uses));
}

/** Linear layers whose output goes into a batch norm when the model runs, each of the two running once. */
function connected(model: Module, run: () => unknown): { pairs: Pair[]; output: unknown } {
  const makers = new Map<Tensor, LinearLayer>();
  const calls: Module[] = [];
  const pairs: Pair[] = [];
  const parts = model.modules();
  const hooks = parts.flatMap((part) => {
    // Asked now, for with a hook its forward is another.
    const [linear, norm] = [isLinear(part) ? part : null, isFoldable(part) ? part : null];
    if (!linear && !norm) return [];
    return part.registerForwardHook(([x], output) => {
      calls.push(part);
      // A batch norm's channels are dim 1, a linear layer's outputs the last.
      if (linear && (!(part instanceof Linear) || (output as Tensor).ndim === 2))
        makers.set(output as Tensor, linear);
      const layer = norm && makers.get(x as Tensor);
      if (layer) pairs.push([layer, norm]);
    });
  });
  try {
    const output = run();
    const runs = count<Module>(calls);
    const uses = count(parts.flatMap((part) => Object.values(part) as unknown[]));
    const isOnce = ([layer, norm]: Pair) => runs.get(layer) === 1 && runs.get(norm) === 1;
    return { pairs: pairs.filter((pair) => isOnce(pair) && isOwn(pair, uses)), output };
  } finally {
    for (const hook of hooks) hook.remove();
  }
}

/** y = s·(Wx + b − mean) + β with s = γ / √(var + eps), as one layer. */
function fold([layer, norm]: Pair): void {
  const wide = (x: Tensor | null) => x?.detach().to("float64") ?? null;
  const inverse = wide(norm.runningVar)!.add(norm.eps).sqrt().reciprocal();
  const scale = wide(norm.weight)?.mul(inverse) ?? inverse;
  const weight = wide(layer.weight)!;
  const { dtype, shape } = layer.weight;
  const before = wide(layer.bias);
  const centred = before ? before.sub(wide(norm.runningMean)!) : wide(norm.runningMean)!.neg();
  const shift = wide(norm.bias);
  const bias = shift ? centred.mul(scale).add(shift) : centred.mul(scale);
  const kernel = shape.slice(2).map(() => 1);
  let scaled: Tensor;
  if (isTransposed(layer)) {
    // [in, out / groups, …]: the inputs of a group are neighbours.
    const groups = scale.size / shape[1]!;
    const split = weight.reshape([groups, shape[0]! / groups, ...shape.slice(1)]);
    scaled = split.mul(scale.reshape([groups, 1, shape[1]!, ...kernel])).reshape([...shape]);
  } else scaled = weight.mul(scale.reshape([shape[0]!, ...shape.slice(1).map(() => 1)]));
  layer.weight.assign(scaled.to(dtype));
  if (layer.bias) layer.bias.assign(bias.to(dtype));
  else (layer as unknown as Fields).bias = new Parameter(bias.to(dtype));
}

const tensorsIn = (value: unknown): Tensor[] => {
  if (value instanceof Tensor) return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(tensorsIn);
};

function checkEqual(before: unknown, after: unknown): void {
  const [a, b] = [tensorsIn(before), tensorsIn(after)];
  a.forEach((x, i) => {
    const scale = Math.max(1, x.abs().max().item());
    const error = x.sub(b[i]!).abs().max().item();
    if (!(error <= 1e-3 * scale))
      throw new GradusError(
        "foldBatchNorm",
        `the outputs differ by ${error}: a layer's output is used elsewhere too, beside its batch norm`,
      );
  });
}

/**
 * A copy of a model, for evaluation, in which batch norms after linear and convolutional layers are part of these:
 * W′ = s·W, b′ = s·(b − mean) + β with s = γ / √(var + eps). An Identity takes the place of each; the model itself does not change.
 * With example inputs the model is run once, so that every such pair is found, and the outputs are compared; without, only neighbours in
 * Sequentials are, whose linear layers are taken to get [B, features]. Layers that run twice or share a weight stay as they are, and so do
 * those of classes with a forward of their own. Forward hooks stay with the model.
 *
 * @throws GradusError if the outputs for the examples differ, as where a layer's output also goes elsewhere.
 * @example
 * ```ts
 * import { nn, randn } from "gradus";
 * const net = new nn.Sequential(new nn.Conv2d(1, 4, 3, { bias: false }), new nn.BatchNorm2d(4));
 * const folded = nn.utils.foldBatchNorm(net);
 * console.log([...folded.stateDict().keys()]); // → [ '0.weight', '0.bias' ]
 * const x = randn([1, 1, 5, 5]);
 * console.log(folded.forward(x).allclose(net.eval().forward(x), { atol: 1e-5 })); // → true
 * ```
 */
export function foldBatchNorm<M extends Module>(
  model: M,
  ...examples: Parameters<M["forward"]> | []
): M {
  const copy = cloneModule(model).eval();
  return noGrad(() => {
    const run = () => copy.forward(...(examples as never[]));
    const { pairs, output } =
      examples.length > 0 ? connected(copy, run) : { pairs: neighbours(copy), output: undefined };
    for (const pair of pairs) {
      if (pair[1].runningMean!.size !== sizeOut(pair[0])) continue;
      fold(pair);
      replaceModule(copy, pair[1], new Identity().eval());
    }
    if (examples.length > 0) checkEqual(output, run());
    return copy;
  });
}
