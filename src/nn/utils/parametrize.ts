/**
 * Weights that are computed from other tensors each time they are read: the mechanism below weightNorm.ts and
 * spectralNorm.ts. Accessors ask `this`, so that a clone of the module computes from its own tensors.
 */
import { GradusError, ValueError } from "../../core/errors.js";
import { noGrad } from "../../tensor/context.js";
import type { Tensor } from "../../tensor/tensor.js";
import { ModuleDict } from "../containers.js";
import { Module, Parameter } from "../module.js";

/** A module's fields by name, for those that are only known by name. */
export type Fields = Record<string, unknown>;

/** The parameter of a module, or an error that says what came. */
export function ownParameter(op: string, module: Module, name: string): Parameter {
  const value = Object.hasOwn(module, name) ? (module as unknown as Fields)[name] : undefined;
  if (value instanceof Parameter) return value;
  const why = isComputed(module, name) ? `is computed already` : `is no parameter`;
  throw new ValueError(op, `${name} of ${module.constructor.name} ${why}`);
}

const isComputed = (module: Module, name: string): boolean =>
  Object.getOwnPropertyDescriptor(module, name)?.get !== undefined;

/** Takes a parameter's place by an accessor. */
export function compute(module: Module, name: string, get: (this: Module) => Tensor): void {
  Reflect.deleteProperty(module, name);
  Object.defineProperty(module, name, { get, configurable: true, enumerable: false });
}

/** Makes the value that is computed now a parameter again, and drops what it was computed from. */
export function uncompute(op: string, module: Module, name: string, drop: readonly string[]): void {
  if (!isComputed(module, name))
    throw new ValueError(op, `${name} of ${module.constructor.name} is not computed`);
  const fields = module as unknown as Fields;
  const wasTraining = module.training;
  module.train(false);
  const value = noGrad(() => fields[name] as Tensor);
  module.train(wasTraining);
  Reflect.deleteProperty(module, name);
  for (const field of drop) Reflect.deleteProperty(module, field);
  fields[name] = new Parameter(value);
}

/** How a weight follows from its originals, and they from it. */
export abstract class Parametrization extends Module {
  abstract override forward(...originals: Tensor[]): Tensor;

  /** The originals from which `forward` makes a weight; default: the weight itself. */
  rightInverse(weight: Tensor): readonly Tensor[] {
    return [weight];
  }
}

/** The originals of one weight and what is computed from them: PyTorch's names, `original` or `original0`, `original1`, then `0.…`. */
export class ParametrizationList extends Module {
  private readonly originals: readonly Parameter[];
  private readonly steps: Parametrization[];

  constructor(weight: Parameter, parametrization: Parametrization) {
    super();
    const originals = noGrad(() => parametrization.rightInverse(weight));
    const { requiresGrad } = weight;
    this.originals = originals.map((x) => new Parameter(x.mul(1), { requiresGrad }));
    this.steps = [parametrization];
  }

  get count(): number {
    return this.originals.length;
  }

  append(parametrization: Parametrization): void {
    this.steps.push(parametrization);
  }

  override forward(): Tensor {
    const [first, ...rest] = this.steps;
    const value = first!.forward(...this.originals);
    return rest.reduce((x, step) => step.forward(x), value);
  }

  protected override *parts(): Generator<[name: string, part: Tensor | Module]> {
    const single = this.originals.length === 1;
    for (const [i, x] of this.originals.entries()) yield [single ? "original" : `original${i}`, x];
    for (const [i, step] of this.steps.entries()) yield [String(i), step];
  }
}

/** What parametrized modules have besides their own fields. */
export interface Parametrized {
  readonly parametrizations: ModuleDict<ParametrizationList>;
}

/**
 * Computes a module's parameter from others whenever it is read; the state has `parametrizations.<name>.original` in its place.
 *
 * @throws ValueError for what is no parameter; GradusError if the shape changes.
 * @example
 * ```ts
 * import { nn, type Tensor } from "gradus";
 * class Symmetric extends nn.utils.parametrize.Parametrization {
 *   forward(x: Tensor): Tensor {
 *     return x.triu().add(x.triu(1).t());
 *   }
 * }
 * const layer = new nn.Linear(3, 3);
 * nn.utils.parametrize.registerParametrization(layer, "weight", new Symmetric());
 * console.log([...layer.stateDict().keys()]); // → [ 'bias', 'parametrizations.weight.original' ]
 * ```
 */
export function registerParametrization<M extends Module>(
  module: M,
  name: string,
  parametrization: Parametrization,
): M {
  const op = "registerParametrization";
  const fields = module as unknown as { parametrizations?: Parametrized["parametrizations"] };
  const known = fields.parametrizations;
  if (known?.has(name)) {
    known.get(name).append(parametrization);
    return module;
  }
  const weight = ownParameter(op, module, name);
  const list = new ParametrizationList(weight, parametrization);
  const value = noGrad(() => list.forward());
  if (String(value.shape) !== String(weight.shape))
    throw new GradusError(op, `makes [${value.shape}] of ${name}, which is [${weight.shape}]`);
  const dict = known ?? new ModuleDict<ParametrizationList>();
  dict.set(name, list);
  compute(module, name, function () {
    return (this as unknown as Parametrized).parametrizations.get(name).forward();
  });
  if (!known) fields.parametrizations = dict;
  return module;
}

/** Makes the present value a parameter again. */
export function removeParametrizations<M extends Module>(module: M, name: string): M {
  const dict = (module as Partial<Parametrized>).parametrizations;
  if (!dict?.has(name))
    throw new ValueError("removeParametrizations", `${name} has no parametrization`);
  const isLast = dict.size === 1;
  uncompute("removeParametrizations", module, name, isLast ? ["parametrizations"] : []);
  dict.delete(name);
  return module;
}
