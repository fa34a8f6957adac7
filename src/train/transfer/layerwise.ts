/**
 * Learning rates that fall with the distance from the output: trained layers near the input hold what is general and should
 * change least. Read gradual.ts for layers that join one after another.
 */
import { ValueError } from "../../core/errors.js";
import type { Module, Parameter } from "../../nn/module.js";
import type { GroupOptions } from "../../optim/optimizer.js";
import { depthLayers } from "./layers.js";
import { checkPatterns, type NamePatterns } from "./names.js";

export interface LayerwiseOptions {
  /** The last layer's learning rate. */
  readonly lr: number;
  /** Factor from a layer to the one before it; 0.65 to 0.9 for transformers, 1 / 2.6 in ULMFiT. */
  readonly decay: number;
  /** Layers from input to output, where the model's own ({@link depthLayers}) are not meant. */
  readonly layers?: readonly NamePatterns[];
  /** Weight decay of all groups but those of `noDecay`; default the optimizer's. */
  readonly weightDecay?: number;
  /** Parameters without weight decay: those with one dim or none ("vectors": biases and norms), or patterns. */
  readonly noDecay?: "vectors" | NamePatterns;
}

/** A parameter group for an optimizer that knows which layer it is. */
export interface LayerGroup extends GroupOptions {
  readonly params: readonly Parameter[];
  readonly lr: number;
}

function checkOptions({ lr, decay, weightDecay = 0 }: LayerwiseOptions): void {
  for (const [name, value] of Object.entries({ lr, weightDecay }))
    if (!(Number.isFinite(value) && value >= 0))
      throw new ValueError("layerwiseGroups", `${name} must be a number ≥ 0, got ${value}`);
  if (!(decay > 0 && decay <= 1))
    throw new ValueError("layerwiseGroups", `decay must be above 0 and at most 1, got ${decay}`);
}

function decayChooser(model: Module, noDecay: LayerwiseOptions["noDecay"]) {
  if (noDecay === undefined) return () => true;
  if (noDecay === "vectors") return (_: string, parameter: Parameter) => parameter.ndim > 1;
  const names = [...model.namedParameters()].map(([name]) => name);
  const matches = checkPatterns("layerwiseGroups", noDecay, names);
  return (name: string) => !matches(name);
}

/**
 * Parameter groups whose learning rate is lr·decay^(n − 1 − i) for layer i of n, counted from the input (Howard and Ruder,
 * "Universal Language Model Fine-tuning", 2018; Bao et al., "BEiT", 2021). Schedules multiply each group's own rate. Frozen
 * parameters are in their group too, so that they can be unfrozen.
 *
 * @throws ValueError for rates out of range, a pattern that fits no name, or a parameter that no layer takes.
 * @example
 * ```ts
 * import { nn, optim } from "gradus";
 * import { layerwiseGroups } from "gradus/train";
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * const optimizer = new optim.AdamW(layerwiseGroups(model, { lr: 1e-2, decay: 0.5 }));
 * console.log(optimizer.paramGroups.map(({ lr }) => lr)); // → [ 0.005, 0.01 ]
 * ```
 */
export function layerwiseGroups(model: Module, options: LayerwiseOptions): LayerGroup[] {
  checkOptions(options);
  const { lr, decay, layers, weightDecay, noDecay } = options;
  const found = depthLayers(model, layers, "layerwiseGroups");
  const isDecayed = decayChooser(model, noDecay);
  return found.flatMap(({ parameters }, i): LayerGroup[] => {
    const rate = lr * decay ** (found.length - 1 - i);
    const [decayed, plain]: [Parameter[], Parameter[]] = [[], []];
    for (const [name, parameter] of parameters)
      (isDecayed(name, parameter) ? decayed : plain).push(parameter);
    return [
      { params: decayed, lr: rate, ...(weightDecay !== undefined && { weightDecay }) },
      { params: plain, lr: rate, weightDecay: 0 },
    ].filter(({ params }) => params.length > 0);
  });
}
