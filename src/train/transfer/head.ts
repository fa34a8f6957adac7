/**
 * A new head on a trained body: the last linear or convolutional layer, or one that is named, in another size. Read freeze.ts for
 * training it alone.
 */
import { ValueError } from "../../core/errors.js";
import { Conv1d, Conv2d, Conv3d } from "../../nn/conv.js";
import { defaultBias, defaultWeight } from "../../nn/init.js";
import { truncNormal, zeros } from "../../nn/initAll.js";
import { Linear } from "../../nn/linear.js";
import { type Module, Parameter } from "../../nn/module.js";
import { cloneModule, replaceModule } from "../../nn/utils/index.js";
import { showNames } from "./names.js";

/** What a head may be. */
export type HeadLayer = Linear | Conv1d | Conv2d | Conv3d;

export interface ReplaceHeadOptions {
  /** The layer's name, such as `fc`; default the last linear or convolutional layer in the order of the fields. */
  readonly name?: string;
  /**
   * First values: "default" as a new layer has them; "zeros", so that the first outputs are all equal and the first loss is ln K;
   * "small", a normal distribution of std 0.01, cut at ±2 std, with a bias of 0; or a function that sets them.
   */
  readonly init?: "default" | "zeros" | "small" | ((head: HeadLayer) => void);
}

export interface ReplacedHead {
  readonly name: string;
  /** The new layer, which stands in the model now. */
  readonly head: HeadLayer;
  readonly old: HeadLayer;
}

const op = "replaceHead";
const kinds = [Linear, Conv1d, Conv2d, Conv3d] as const;

/** Weights that are computed (weight norm and the like) cannot be taken another size of. */
const isHead = (module: Module): module is HeadLayer =>
  kinds.some((kind) => module instanceof kind) && (module as HeadLayer).weight instanceof Parameter;

/** The linear and convolutional layers of a model by name, in the order of the fields. */
export const headLayers = (model: Module): [name: string, layer: HeadLayer][] =>
  [...model.namedModules()].filter((entry): entry is [string, HeadLayer] => isHead(entry[1]));

function findHead(model: Module, wanted: string | undefined): readonly [string, HeadLayer] {
  const layers = headLayers(model).filter(([name]) => name !== "");
  const found = wanted === undefined ? layers.at(-1) : layers.find(([name]) => name === wanted);
  if (found) return found;
  const names = showNames(layers.map(([name]) => name));
  const what = wanted === undefined ? "the model has no" : `"${wanted}" is no`;
  throw new ValueError(op, `${what} linear or convolutional layer; it has ${names}`);
}

/** Takes the place of a parameter in a layer; the fields are read-only for all others. */
const setParameter = (layer: HeadLayer, name: "weight" | "bias", value: Parameter): void => {
  (layer as { weight: Parameter; bias: Parameter | null })[name] = value;
};

function initialise(head: HeadLayer, init: ReplaceHeadOptions["init"]): void {
  if (typeof init === "function") {
    init(head);
    return;
  }
  if (init === "zeros") zeros(head.weight);
  if (init === "small") truncNormal(head.weight, { std: 0.01, a: -0.02, b: 0.02 });
  if (head.bias && init !== "default") zeros(head.bias);
}

/**
 * Puts a new layer of `size` outputs, with the settings of the old one (bias, kernel, stride, padding), in the place of a model's head.
 * Make the optimizer, and compile, after that: what was made before goes on with the old one.
 *
 * @throws ValueError for a name that is no linear or convolutional layer's, a model without one, or a size below 1.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * import { replaceHead } from "gradus/train";
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 10));
 * const { name } = replaceHead(model, 3, { init: "zeros" });
 * console.log(name, model.forward(ones([1, 4])).toArray()); // → 2 [ [ 0, 0, 0 ] ]
 * ```
 */
export function replaceHead(
  model: Module,
  size: number,
  { name: wanted, init = "default" }: ReplaceHeadOptions = {},
): ReplacedHead {
  if (!Number.isInteger(size) || size < 1)
    throw new ValueError(op, `the size must be a whole number ≥ 1, got ${size}`);
  if (typeof init !== "function" && !["default", "zeros", "small"].includes(init))
    throw new ValueError(
      op,
      `init must be "default", "zeros", "small" or a function, got "${init}"`,
    );
  const [name, old] = findHead(model, wanted);
  if (!(old instanceof Linear) && size % old.groups !== 0)
    throw new ValueError(op, `${old.groups} groups of "${name}" do not divide ${size} outputs`);
  const { dtype } = old.weight;
  const shape = [size, ...old.weight.shape.slice(1)];
  const head = cloneModule(old);
  setParameter(head, "weight", new Parameter(defaultWeight(shape).to(dtype)));
  if (old.bias) setParameter(head, "bias", new Parameter(defaultBias(shape).to(dtype)));
  initialise(head, init);
  replaceModule(model, old, head);
  return { name, head, old };
}
