/**
 * A model's layers from input to output, each with its parameters: what learning rates by depth and gradual unfreezing count in.
 * Read layerwise.ts next.
 */
import { ValueError } from "../../core/errors.js";
import { ModuleDict, ModuleList } from "../../nn/containers.js";
import type { Module, Parameter } from "../../nn/module.js";
import { GroupNorm, LayerNorm, RMSNorm, RunningNorm } from "../../nn/norm.js";
import { Sequential } from "../../nn/sequential.js";
import {
  allParameterNames,
  checkPatterns,
  type NamePatterns,
  patternList,
  showNames,
} from "./names.js";

/** Parameters that count as one layer. */
export interface DepthLayer {
  /** Name of the layer's first module, or the pattern that chose it. */
  readonly name: string;
  readonly parameters: readonly (readonly [name: string, parameter: Parameter])[];
}

const norms = [RunningNorm, LayerNorm, GroupNorm, RMSNorm] as const;

const isContainer = (module: Module): boolean =>
  module instanceof Sequential || module instanceof ModuleList || module instanceof ModuleDict;

interface Unit {
  readonly name: string;
  readonly module: Module;
}

/** Children, with those of containers in their place. */
function* units(module: Module, prefix: string): Generator<Unit> {
  for (const [key, child] of module.namedChildren()) {
    const name = prefix ? `${prefix}.${key}` : key;
    if (isContainer(child)) yield* units(child, name);
    else yield { name, module: child };
  }
}

/** Layers as a model's fields have them. A norm belongs to what stands before it, tensors of the model itself to the first layer. */
function ownLayers(model: Module): DepthLayer[] {
  const layers: { name: string; parameters: [string, Parameter][] }[] = [];
  const children = [...units(model, "")];
  const taken = new Set<Parameter>();
  for (const { name, module } of children) {
    const parameters = [...module.namedParameters()]
      .filter(([, x]) => !taken.has(x))
      .map(([own, x]): [string, Parameter] => [`${name}.${own}`, x]);
    for (const [, x] of parameters) taken.add(x);
    if (parameters.length === 0) continue;
    const last = layers.at(-1);
    if (last && norms.some((kind) => module instanceof kind)) last.parameters.push(...parameters);
    else layers.push({ name, parameters });
  }
  const own = [...model.namedParameters()].filter(([, x]) => !taken.has(x));
  if (own.length > 0 && layers[0]) layers[0].parameters.unshift(...own);
  else if (own.length > 0) layers.push({ name: "", parameters: own });
  return layers;
}

/** Layers as patterns cut them: each parameter belongs to the first that fits. */
function chosenLayers(op: string, model: Module, patterns: readonly NamePatterns[]): DepthLayer[] {
  const names = [...allParameterNames(model)].map(([name]) => name);
  const layers = patterns.map((layer) => ({
    name: patternList(layer).map(String).join(" "),
    matches: checkPatterns(op, layer, names),
    parameters: [] as [string, Parameter][],
  }));
  const left: string[] = [];
  for (const [name, parameter] of model.namedParameters()) {
    const layer = layers.find(({ matches }) => matches(name));
    if (layer) layer.parameters.push([name, parameter]);
    else left.push(name);
  }
  if (left.length > 0)
    throw new ValueError(op, `no layer takes ${showNames(left)}; every parameter needs one`);
  return layers.map(({ name, parameters }) => ({ name, parameters }));
}

/**
 * The layers of a model from input to output. By default they are its children in the order of the fields, with the blocks of
 * `Sequential` and `ModuleList` in their place; a norm counts with the layer before it, and parameters of the model itself
 * (a class token, positions) with the first.
 *
 * @param layers patterns for each layer instead, from input to output; together they must take every parameter.
 * @throws ValueError for a pattern that fits no name, a parameter that no layer takes, or a model without parameters.
 * @example
 * ```ts
 * import { nn } from "gradus";
 * import { depthLayers } from "gradus/train";
 * const body = new nn.Sequential(new nn.Linear(4, 8), new nn.LayerNorm(8), new nn.ReLU());
 * const model = new nn.Sequential(body, new nn.Linear(8, 2));
 * console.log(depthLayers(model).map(({ name }) => name)); // → [ '0.0', '1' ]
 * ```
 */
export function depthLayers(
  model: Module,
  layers?: readonly NamePatterns[],
  op = "depthLayers",
): DepthLayer[] {
  const found = (layers ? chosenLayers(op, model, layers) : ownLayers(model)).filter(
    ({ parameters }) => parameters.length > 0,
  );
  if (found.length === 0) throw new ValueError(op, "the model has no parameters");
  return found;
}
