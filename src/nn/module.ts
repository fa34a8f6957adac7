/**
 * The base of layers and models. A module finds its parameters, buffers and parts by its own fields; names and layouts of
 * its state are PyTorch's. Read linear.ts for a layer.
 */
import { GradusError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import "../tensor/assign.js";
import { activeTrace } from "../tensor/context.js";
import { Tensor } from "../tensor/tensor.js";

/** A tensor that training changes: a field of a module that `parameters()` finds. Requires grad. */
export class Parameter extends Tensor {
  constructor(value: Tensor, { requiresGrad = true }: { readonly requiresGrad?: boolean } = {}) {
    super(value.shape, value.dtype, value.source, requiresGrad);
  }
}

/** State that is kept with a module but not trained, such as running statistics. */
export class Buffer extends Tensor {
  constructor(value: Tensor) {
    super(value.shape, value.dtype, value.source, false);
  }
}

/** What loading a state found out of place; both empty when all matched. */
export interface LoadReport {
  readonly missingKeys: readonly string[];
  readonly unexpectedKeys: readonly string[];
}

/** Gets a module's inputs and output; may give another output. */
export type ForwardHook = (inputs: readonly unknown[], output: unknown, module: Module) => unknown;

/** Gets a module's inputs before it runs; may give others. */
export type ForwardPreHook = (
  inputs: readonly unknown[],
  module: Module,
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks gives nothing.
) => readonly unknown[] | undefined | void;

/** `runningMean` is `running_mean` in PyTorch's states. */
const stateName = (field: string): string =>
  field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const joinName = (prefix: string, name: string): string => (prefix ? `${prefix}.${name}` : name);

/**
 * A layer or model: fields hold parameters and parts, `forward` computes.
 *
 * @example
 * ```ts
 * import { nn, ones, type Tensor } from "gradus";
 * class Net extends nn.Module {
 *   fc = new nn.Linear(4, 2);
 *   forward(x: Tensor): Tensor {
 *     return this.fc.forward(x).relu();
 *   }
 * }
 * const net = new Net();
 * console.log(net.forward(ones([1, 4])).shape); // → [ 1, 2 ]
 * console.log([...net.stateDict().keys()]); // → [ 'fc.weight', 'fc.bias' ]
 * ```
 */
export abstract class Module {
  private mode = true;
  private held = false;

  /** Computes the module's output. */
  abstract forward(...inputs: never[]): unknown;

  /** Whether the module trains (dropout drops, batch norm uses the batch) or is evaluated. */
  get training(): boolean {
    const value = this.mode;
    // A program traced in one mode must not serve the other.
    activeTrace()?.guard(() => this.mode === value);
    return value;
  }

  /** Fields that are parts of the module, arrays of modules spread out as `name.0`, `name.1`, … */
  protected *parts(): Generator<[name: string, part: Tensor | Module]> {
    for (const [field, value] of Object.entries(this)) {
      const isPart = (x: unknown) =>
        x instanceof Parameter || x instanceof Buffer || x instanceof Module;
      if (isPart(value)) yield [stateName(field), value as Tensor | Module];
      else if (Array.isArray(value))
        for (const [i, x] of value.entries())
          if (isPart(x)) yield [`${stateName(field)}.${i}`, x as Tensor | Module];
    }
  }

  /** The modules that this one is made of, by name, without theirs. */
  *namedChildren(): Generator<[name: string, module: Module]> {
    for (const [name, part] of this.parts()) if (part instanceof Module) yield [name, part];
  }

  /** The modules that this one is made of, without theirs. */
  children(): Module[] {
    return [...this.namedChildren()].map(([, child]) => child);
  }

  /** This module and all below it, by name; this one's is "". A module that is used twice comes once. */
  *namedModules(prefix = "", seen = new Set<Module>()): Generator<[name: string, module: Module]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [name, child] of this.namedChildren())
      yield* child.namedModules(joinName(prefix, name), seen);
  }

  /**
   * This module and all below it, each once.
   *
   * @example
   * ```ts
   * import { nn } from "gradus";
   * const net = new nn.Sequential(new nn.Linear(4, 2), new nn.ReLU());
   * for (const part of net.modules()) if (part instanceof nn.Linear) nn.init.orthogonal(part.weight);
   * console.log(net.modules().length, net.children().length); // → 3 2
   * ```
   */
  modules(): Module[] {
    return [...this.namedModules()].map(([, module]) => module);
  }

  /**
   * The module of a name, such as `layer1.0.conv1`; this one's is "".
   *
   * @throws ValueError for a name that is not there, with those that are where it goes wrong.
   * @example
   * ```ts
   * import { nn } from "gradus";
   * const net = new nn.Sequential(new nn.Sequential(new nn.Linear(4, 2)));
   * console.log(net.getSubmodule("0.0") instanceof nn.Linear); // → true
   * ```
   */
  getSubmodule(name: string): Module {
    if (name === "") return this;
    const children = [...this.namedChildren()];
    // Arrays of modules have names with a dot, so a child may be the longest beginning of a name.
    for (const [key, child] of children)
      if (name === key || name.startsWith(`${key}.`))
        return child.getSubmodule(name.slice(key.length + 1));
    const names = children.map(([key]) => key).join(", ");
    throw new ValueError(
      "getSubmodule",
      `${this.constructor.name} has no module "${name}"; it has ${names || "none"}`,
    );
  }

  private *namedTensors(): Generator<[name: string, tensor: Tensor]> {
    for (const [prefix, module] of this.namedModules())
      for (const [name, part] of module.parts())
        if (part instanceof Tensor) yield [joinName(prefix, name), part];
  }

  /** Every name of every tensor: those of a shared one, or of a shared module, come as often as they are reached. */
  private *allNames(prefix = "", above: readonly Module[] = []): Generator<[string, Tensor]> {
    if (above.includes(this)) return;
    const path = [...above, this];
    for (const [name, part] of this.parts())
      if (part instanceof Tensor) yield [joinName(prefix, name), part];
    for (const [name, child] of this.namedChildren())
      yield* child.allNames(joinName(prefix, name), path);
  }

  /** All parameters by name; one that is shared comes once. */
  *namedParameters(): Generator<[name: string, parameter: Parameter]> {
    const seen = new Set<Tensor>();
    for (const [name, part] of this.namedTensors()) {
      if (!(part instanceof Parameter) || seen.has(part)) continue;
      seen.add(part);
      yield [name, part];
    }
  }

  /** All parameters, in the order of the fields. */
  parameters(): Parameter[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter);
  }

  /** All buffers by name; one that is shared comes once. */
  *namedBuffers(): Generator<[name: string, buffer: Buffer]> {
    const seen = new Set<Tensor>();
    for (const [name, part] of this.namedTensors()) {
      if (!(part instanceof Buffer) || seen.has(part)) continue;
      seen.add(part);
      yield [name, part];
    }
  }

  /** All buffers, in the order of the fields. */
  buffers(): Buffer[] {
    return [...this.namedBuffers()].map(([, buffer]) => buffer);
  }

  /**
   * Parameters and buffers by name, under PyTorch's keys; one that is shared comes under each of its names. The tensors
   * themselves, not copies.
   */
  stateDict(): Map<string, Tensor> {
    return new Map(this.allNames());
  }

  /**
   * Copies values into parameters and buffers by name. Nothing changes if anything is wrong.
   *
   * @throws GradusError if keys are missing or unexpected (unless `strict` is false); ShapeError if a shape or dtype differs.
   */
  loadStateDict(
    state: Iterable<readonly [string, Tensor]>,
    { strict = true }: { readonly strict?: boolean } = {},
  ): LoadReport {
    const given = new Map(state);
    const own = this.stateDict();
    const missingKeys = [...own.keys()].filter((key) => !given.has(key));
    const unexpectedKeys = [...given.keys()].filter((key) => !own.has(key));
    if (strict && missingKeys.length + unexpectedKeys.length > 0)
      throw new GradusError(
        "loadStateDict",
        `missing keys: ${missingKeys.join(", ") || "none"}; ` +
          `unexpected keys: ${unexpectedKeys.join(", ") || "none"}`,
      );
    const pairs = [...own].filter(([key]) => given.has(key));
    for (const [key, target] of pairs) {
      const value = given.get(key)!;
      if (!sameShape(target.shape, value.shape) || target.dtype !== value.dtype) {
        const [want, got] = [target, value].map((x) => x.dtype + formatShape(x.shape));
        throw new ShapeError("loadStateDict", `${key}: expected ${want}, got ${got}`);
      }
    }
    for (const [key, target] of pairs) target.assign(given.get(key)!);
    return { missingKeys, unexpectedKeys };
  }

  /**
   * Calls a function with every module below this one and then with this one, as to initialise them.
   *
   * @example
   * ```ts
   * import { nn } from "gradus";
   * const net = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
   * net.apply((part) => {
   *   if (part instanceof nn.Linear) nn.init.kaimingNormal(part.weight);
   * });
   * ```
   */
  apply(fn: (module: Module) => void): this {
    for (const [, child] of this.namedChildren()) child.apply(fn);
    fn(this);
    return this;
  }

  /**
   * Calls `hook` after each `forward` of this module, until it is removed; what the hook returns, unless undefined, takes the
   * output's place. Functions that were compiled before do not know of it.
   *
   * @example
   * ```ts
   * import { nn, ones } from "gradus";
   * const layer = new nn.Linear(3, 2);
   * const shapes: unknown[] = [];
   * const hook = layer.registerForwardHook((_, output) => void shapes.push(output));
   * layer.forward(ones([1, 3]));
   * hook.remove();
   * console.log(shapes.length); // → 1
   * ```
   */
  registerForwardHook(hook: ForwardHook): { remove(): void } {
    return this.wrapForward((inner, inputs) => {
      const output = inner(inputs);
      const replaced = hook(inputs, output, this);
      return replaced === undefined ? output : replaced;
    });
  }

  /**
   * Calls `hook` before each `forward` of this module, until it is removed; the list that the hook returns, unless undefined, takes
   * the inputs' place.
   *
   * @example
   * ```ts
   * import { nn, ones, type Tensor } from "gradus";
   * const layer = new nn.Identity();
   * layer.registerForwardPreHook(([x]) => [(x as Tensor).mul(2)]);
   * console.log(layer.forward(ones([2])).toArray()); // → [ 2, 2 ]
   * ```
   */
  registerForwardPreHook(hook: ForwardPreHook): { remove(): void } {
    return this.wrapForward((inner, inputs) => inner(hook(inputs, this) ?? inputs));
  }

  /** Puts a function around `forward` until it is removed. */
  private wrapForward(
    around: (inner: (inputs: readonly unknown[]) => unknown, inputs: readonly unknown[]) => unknown,
  ): { remove(): void } {
    const before = Object.getOwnPropertyDescriptor(this, "forward");
    const inner = this.forward as (...inputs: unknown[]) => unknown;
    const call = (inputs: readonly unknown[]): unknown => inner.apply(this, [...inputs]);
    const isActive = { value: true };
    const forward = (...inputs: unknown[]): unknown =>
      isActive.value ? around(call, inputs) : call(inputs);
    Object.defineProperty(this, "forward", { value: forward, configurable: true, writable: true });
    return {
      remove: () => {
        isActive.value = false;
        // Hooks that were put on later stay: they call this one, which is silent now.
        if (this.forward !== (forward as unknown)) return;
        if (before) Object.defineProperty(this, "forward", before);
        else Reflect.deleteProperty(this, "forward");
      },
    };
  }

  /** Sets the mode of this module and all below it; those that {@link holdEval} holds stay in eval mode. */
  train(mode = true): this {
    for (const [, module] of this.namedModules()) module.mode = mode && !module.held;
    return this;
  }

  /**
   * Keeps this module, not those below it, in eval mode whatever `train()` says, as a batch norm that is frozen with the
   * statistics it has; `false` lets go of it, and the next `train()` counts again.
   *
   * @example
   * ```ts
   * import { nn } from "gradus";
   * const net = new nn.Sequential(new nn.Linear(4, 8), new nn.BatchNorm1d(8));
   * net.getSubmodule("1").holdEval();
   * console.log([...net.train()].map(({ training }) => training)); // → [ true, false ]
   * ```
   */
  holdEval(value = true): this {
    this.held = value;
    if (value) this.mode = false;
    return this;
  }

  /** Whether {@link holdEval} keeps this module in eval mode. */
  get isHeldInEval(): boolean {
    return this.held;
  }

  /** As `train(false)`: for evaluation. */
  eval(): this {
    return this.train(false);
  }

  /** Sets whether the parameters require grad: false freezes the module. */
  requiresGrad(value = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = value;
    return this;
  }

  /** Drops the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  /** What stands in parentheses when the module is printed. */
  protected describe(): string {
    return "";
  }

  /** The module and its parts as an indented list. */
  toString(): string {
    const lines = [...this.namedChildren()].map(
      ([name, child]) => `  (${name}): ${child.toString().replaceAll("\n", "\n  ")}`,
    );
    const inner = lines.length > 0 ? `\n${lines.join("\n")}\n` : this.describe();
    return `${this.constructor.name}(${inner})`;
  }

  /** What `console.log` shows in Node. @internal */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** A module from one tensor to one tensor: what {@link Sequential} chains. */
export abstract class Layer extends Module {
  abstract override forward(x: Tensor): Tensor;
}
