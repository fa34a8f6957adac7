/** Weights as a length times a direction. Read spectralNorm.ts next. */
import { ValueError } from "../../core/errors.js";
import { noGrad } from "../../tensor/context.js";
import type { Tensor } from "../../tensor/tensor.js";
import { type Module, Parameter } from "../module.js";
import {
  compute,
  type Fields,
  ownParameter,
  Parametrization,
  registerParametrization,
  uncompute,
} from "./parametrize.js";

export interface WeightNormOptions {
  /** The parameter; default `weight`. */
  readonly name?: string;
  /** The dim along which each slice has a length of its own, or null: one for all; default 0. */
  readonly dim?: number | null;
}

/** The lengths of the slices along a dim, with their dims kept; without dims for all. */
function lengths(v: Tensor, dim: number | null): Tensor {
  if (dim === null) return v.square().sum().sqrt();
  const others = v.shape.map((_, i) => i).filter((i) => i !== dim);
  return v.square().sum(others, { keepDim: true }).sqrt();
}

function checkDim(weight: Tensor, dim: number | null): number | null {
  if (dim === null) return null;
  const at = dim < 0 ? dim + weight.ndim : dim;
  if (!Number.isInteger(dim) || at < 0 || at >= weight.ndim)
    throw new ValueError("weightNorm", `dim ${dim} is out of range for ${weight.ndim} dims`);
  return at;
}

/** Length times direction: w = g · v / ‖v‖. */
const weightOf = (g: Tensor, v: Tensor, dim: number | null): Tensor =>
  v.mul(g.div(lengths(v, dim)));

const fieldOf = (name: string, letter: "G" | "V"): string => `${name}${letter}`;

/**
 * Splits a module's weight into lengths and directions, w = g · v / ‖v‖, which are trained apart (Salimans and Kingma, 2016). The state
 * has `weight_g` and `weight_v`, as after PyTorch's `nn.utils.weight_norm`. Changes the module and gives it back.
 *
 * @throws ValueError for what is no parameter, or a dim out of range.
 * @example
 * ```ts
 * import { nn } from "gradus";
 * const layer = nn.utils.weightNorm(new nn.Linear(3, 2));
 * console.log([...layer.stateDict().keys()]); // → [ 'bias', 'weight_g', 'weight_v' ]
 * ```
 */
export function weightNorm<M extends Module>(
  module: M,
  { name = "weight", dim: given = 0 }: WeightNormOptions = {},
): M {
  const weight = ownParameter("weightNorm", module, name);
  const dim = checkDim(weight, given);
  const [g, v] = [fieldOf(name, "G"), fieldOf(name, "V")];
  const { requiresGrad } = weight;
  compute(module, name, function () {
    const fields = this as unknown as Record<string, Tensor>;
    return weightOf(fields[g]!, fields[v]!, dim);
  });
  const fields = module as unknown as Fields;
  fields[g] = new Parameter(
    noGrad(() => lengths(weight, dim)),
    { requiresGrad },
  );
  fields[v] = weight;
  return module;
}

/** Undoes {@link weightNorm}: the present weight is a parameter again. */
export function removeWeightNorm<M extends Module>(module: M, name = "weight"): M {
  uncompute("removeWeightNorm", module, name, [fieldOf(name, "G"), fieldOf(name, "V")]);
  return module;
}

class WeightNorm extends Parametrization {
  private readonly dim: number | null;

  constructor(dim: number | null) {
    super();
    this.dim = dim;
  }

  override forward(g: Tensor, v: Tensor): Tensor {
    return weightOf(g, v, this.dim);
  }

  override rightInverse(weight: Tensor): readonly Tensor[] {
    return [lengths(weight, this.dim), weight];
  }
}

/** {@link weightNorm} as a parametrization: the state has `parametrizations.weight.original0` (g) and `.original1` (v). */
export function weightNormParametrization<M extends Module>(
  module: M,
  { name = "weight", dim = 0 }: WeightNormOptions = {},
): M {
  const weight = ownParameter("weightNorm", module, name);
  return registerParametrization(module, name, new WeightNorm(checkDim(weight, dim)));
}
