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

/** Computed weights (weight norm and the like) are left alone: there is nothing to write the result to. */
const isLinear = (module: Module): module is LinearLayer =>
  (plain.some((kind) => module instanceof kind) || isTransposed(module)) &&
  (module as LinearLayer).weight instanceof Parameter;

const isFoldable = (module: Module): module is BatchNorm =>
  module instanceof BatchNorm && module.runningMean !== null;

const sizeOut = ({ weight, bias }: LinearLayer): number => bias?.size ?? weight.shape[0]!;

/** Neighbours in chains; that is all that can be told without a run. */
function neighbours(model: Module): Pair[] {
  return [...model.namedModules()].flatMap(([, part]) => {
    if (!(part instanceof Sequential)) return [];
    const layers = [...part];
    return layers.flatMap((layer, i): Pair[] => {
      const next = layers[i + 1];
      return next && isLinear(layer) && isFoldable(next) ? [[layer, next]] : [];
    });
  });
}

/** Linear layers whose output goes into a batch norm when the model runs, each of the two running once. */
function connected(model: Module, run: () => unknown): { pairs: Pair[]; output: unknown } {
  const makers = new Map<Tensor, LinearLayer>();
  const calls = new Map<Module, number>();
  const pairs: Pair[] = [];
  const count = (module: Module) => calls.set(module, (calls.get(module) ?? 0) + 1);
  const hooks = [...model.namedModules()].flatMap(([, part]) => {
    if (!isLinear(part) && !isFoldable(part)) return [];
    return part.registerForwardHook(([x], output) => {
      count(part);
      if (isLinear(part)) {
        // A batch norm's channels are dim 1, a linear layer's outputs the last.
        const fits = !(part instanceof Linear) || (output as Tensor).ndim === 2;
        if (fits) makers.set(output as Tensor, part);
        return;
      }
      const layer = makers.get(x as Tensor);
      if (layer) pairs.push([layer, part as unknown as BatchNorm]);
    });
  });
  try {
    const output = run();
    const once = (module: Module) => calls.get(module) === 1;
    return { pairs: pairs.filter(([layer, norm]) => once(layer) && once(norm)), output };
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
 * Sequentials are.
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
      if (pair[1].runningMean!.size !== sizeOut(pair[0]) && !isTransposed(pair[0])) continue;
      fold(pair);
      replaceModule(copy, pair[1], new Identity().eval());
    }
    if (examples.length > 0) checkEqual(output, run());
    return copy;
  });
}
