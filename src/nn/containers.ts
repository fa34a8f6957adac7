/** Containers that hold modules or parameters under names, for models that use them as they like. Read sequential.ts too. */
import { GradusError, ValueError } from "../core/errors.js";
import type { Tensor } from "../tensor/tensor.js";
import { Module, Parameter } from "./module.js";

/** A place in a list; negative ones count from the end. */
function place(op: string, index: number, length: number): number {
  const at = index < 0 ? length + index : index;
  if (!Number.isInteger(index) || at < 0 || at >= length)
    throw new ValueError(op, `index ${index} is out of range for ${length} entries`);
  return at;
}

/** A name that can stand in a state's key. */
function checkKey(op: string, key: string): string {
  if (key === "" || key.includes("."))
    throw new ValueError(op, `a name must not be empty or hold a dot, got "${key}"`);
  return key;
}

abstract class Container extends Module {
  /** Containers have no output of their own. */
  override forward(): never {
    throw new GradusError(this.constructor.name, "has no forward; call the modules in it");
  }
}

/**
 * A list of modules whose parameters are found: named `0`, `1`, …
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const layers = new nn.ModuleList([new nn.Linear(4, 3), new nn.Linear(3, 2)]);
 * let x = ones([1, 4]);
 * for (const layer of layers) x = layer.forward(x);
 * console.log(x.shape, [...layers.stateDict().keys()].slice(0, 2)); // → [ 1, 2 ] [ '0.weight', '0.bias' ]
 * ```
 */
export class ModuleList<M extends Module = Module> extends Container implements Iterable<M> {
  private readonly items: M[] = [];

  constructor(modules: Iterable<M> = []) {
    super();
    this.extend(modules);
  }

  get length(): number {
    return this.items.length;
  }

  /** The module at an index; negative ones count from the end. */
  at(index: number): M {
    return this.items[place("ModuleList", index, this.items.length)]!;
  }

  append(module: M): this {
    if (!(module instanceof Module)) throw new ValueError("ModuleList", "entries must be modules");
    this.items.push(module);
    return this;
  }

  extend(modules: Iterable<M>): this {
    for (const module of modules) this.append(module);
    return this;
  }

  /** Puts a module before the one at `index`. */
  insert(index: number, module: M): void {
    if (!(module instanceof Module)) throw new ValueError("ModuleList", "entries must be modules");
    this.items.splice(place("ModuleList", index, this.items.length + 1), 0, module);
  }

  override *namedChildren(): Generator<[name: string, module: Module]> {
    for (const [i, module] of this.items.entries()) yield [String(i), module];
  }

  [Symbol.iterator](): Iterator<M> {
    return this.items[Symbol.iterator]();
  }
}

/**
 * Modules by name, in the order in which they were put in.
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const heads = new nn.ModuleDict({ small: new nn.Linear(4, 2), large: new nn.Linear(4, 8) });
 * console.log(heads.get("large").forward(ones([1, 4])).shape); // → [ 1, 8 ]
 * ```
 */
export class ModuleDict<M extends Module = Module>
  extends Container
  implements Iterable<[name: string, module: M]>
{
  private readonly items = new Map<string, M>();

  constructor(modules: Readonly<Record<string, M>> | Iterable<readonly [string, M]> = {}) {
    super();
    const isIterable = Symbol.iterator in modules;
    const entries = isIterable
      ? (modules as Iterable<readonly [string, M]>)
      : Object.entries(modules);
    for (const [name, module] of entries) this.set(name, module);
  }

  get size(): number {
    return this.items.size;
  }

  has(name: string): boolean {
    return this.items.has(name);
  }

  /** @throws ValueError for a name that is not there. */
  get(name: string): M {
    const module = this.items.get(name);
    if (!module)
      throw new ValueError(
        "ModuleDict",
        `has no "${name}", only ${[...this.items.keys()].join(", ")}`,
      );
    return module;
  }

  set(name: string, module: M): this {
    if (!(module instanceof Module)) throw new ValueError("ModuleDict", "entries must be modules");
    this.items.set(checkKey("ModuleDict", name), module);
    return this;
  }

  delete(name: string): boolean {
    return this.items.delete(name);
  }

  keys(): IterableIterator<string> {
    return this.items.keys();
  }

  values(): IterableIterator<M> {
    return this.items.values();
  }

  override *namedChildren(): Generator<[name: string, module: Module]> {
    yield* this.items;
  }

  [Symbol.iterator](): Iterator<[name: string, module: M]> {
    return this.items[Symbol.iterator]();
  }
}

const asParameter = (x: Tensor): Parameter => (x instanceof Parameter ? x : new Parameter(x));

/**
 * A list of parameters, named `0`, `1`, …; other tensors become parameters.
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const scales = new nn.ParameterList([ones([2]), ones([3])]);
 * console.log(scales.at(1).shape, scales.parameters().length); // → [ 3 ] 2
 * ```
 */
export class ParameterList extends Container implements Iterable<Parameter> {
  private readonly items: Parameter[] = [];

  constructor(parameters: Iterable<Tensor> = []) {
    super();
    this.extend(parameters);
  }

  get length(): number {
    return this.items.length;
  }

  /** The parameter at an index; negative ones count from the end. */
  at(index: number): Parameter {
    return this.items[place("ParameterList", index, this.items.length)]!;
  }

  append(parameter: Tensor): this {
    this.items.push(asParameter(parameter));
    return this;
  }

  extend(parameters: Iterable<Tensor>): this {
    for (const parameter of parameters) this.append(parameter);
    return this;
  }

  protected override *parts(): Generator<[name: string, part: Tensor | Module]> {
    for (const [i, parameter] of this.items.entries()) yield [String(i), parameter];
  }

  [Symbol.iterator](): Iterator<Parameter> {
    return this.items[Symbol.iterator]();
  }
}

/**
 * Parameters by name, in the order in which they were put in; other tensors become parameters.
 *
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * const scales = new nn.ParameterDict({ left: ones([2]), right: ones([3]) });
 * console.log([...scales.stateDict().keys()]); // → [ 'left', 'right' ]
 * ```
 */
export class ParameterDict extends Container implements Iterable<[name: string, x: Parameter]> {
  private readonly items = new Map<string, Parameter>();

  constructor(parameters: Readonly<Record<string, Tensor>> = {}) {
    super();
    for (const [name, parameter] of Object.entries(parameters)) this.set(name, parameter);
  }

  get size(): number {
    return this.items.size;
  }

  has(name: string): boolean {
    return this.items.has(name);
  }

  /** @throws ValueError for a name that is not there. */
  get(name: string): Parameter {
    const parameter = this.items.get(name);
    if (!parameter)
      throw new ValueError(
        "ParameterDict",
        `has no "${name}", only ${[...this.items.keys()].join(", ")}`,
      );
    return parameter;
  }

  set(name: string, parameter: Tensor): this {
    this.items.set(checkKey("ParameterDict", name), asParameter(parameter));
    return this;
  }

  delete(name: string): boolean {
    return this.items.delete(name);
  }

  keys(): IterableIterator<string> {
    return this.items.keys();
  }

  protected override *parts(): Generator<[name: string, part: Tensor | Module]> {
    yield* this.items;
  }

  [Symbol.iterator](): Iterator<[name: string, x: Parameter]> {
    return this.items[Symbol.iterator]();
  }
}
