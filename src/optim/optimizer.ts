/**
 * The base of optimizers: parameter groups, state, and one multi-tensor update of all parameters a step. An optimizer is a
 * rule (sgd.ts, adam.ts): how one parameter and its state follow from the gradient, written in primitives.
 */

import { isFloat } from "../core/dtype.js";
import { GradusError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import "../tensor/assign.js";
import { type OpSpec, update } from "../tensor/apply.js";
import { activeTrace, noGrad, withTrace } from "../tensor/context.js";
import { tensor, zeros, zerosLike } from "../tensor/create.js";
import { Tensor } from "../tensor/tensor.js";

/** Hyper-parameters that are numbers: each lives in a cell, so that changing one retraces nothing. */
export type Numbers = Readonly<Record<string, number>>;
/** Hyper-parameters that decide which formula runs. */
export type Flags = Readonly<Record<string, boolean>>;

/** What a rule sees of one parameter: values in the graph. */
export interface UpdateInput {
  readonly parameter: Node;
  readonly gradient: Node;
  readonly state: Readonly<Record<string, Node>>;
  /** The group's numbers, float64 scalars. */
  readonly numbers: Readonly<Record<string, Node>>;
}

export interface UpdateOutput {
  readonly parameter: Node;
  readonly state: Readonly<Record<string, Node>>;
}

/** The state that a rule keeps for a parameter: as large as the parameter, or one number. */
export type StateKinds = Readonly<Record<string, "parameter" | "scalar">>;

/** How an optimizer changes a parameter. */
export interface UpdateRule {
  readonly name: string;
  /** Under PyTorch's names. */
  stateKinds(flags: Flags): StateKinds;
  apply(b: Builder, input: UpdateInput, flags: Flags): UpdateOutput;
}

/** Parameters with hyper-parameters of their own. */
export interface GroupOptions {
  readonly params: Iterable<Tensor>;
  readonly lr?: number;
  readonly [option: string]: unknown;
}

export type Params = Iterable<Tensor> | readonly GroupOptions[];

/** A parameter group: its tensors and hyper-parameters, which may be changed between steps. */
export class ParamGroup {
  readonly params: readonly Tensor[];
  readonly flags: Flags;
  private readonly cells: Readonly<Record<string, Tensor>>;

  constructor(params: readonly Tensor[], numbers: Numbers, flags: Flags) {
    this.params = params;
    this.flags = flags;
    const entries = Object.entries(numbers);
    this.cells = Object.fromEntries(
      entries.map(([name, value]) => [name, tensor(value, { dtype: "float64" })]),
    );
  }

  /** The learning rate. */
  get lr(): number {
    return this.get("lr");
  }

  set lr(value: number) {
    this.set("lr", value);
  }

  get names(): readonly string[] {
    return Object.keys(this.cells);
  }

  get(name: string): number {
    return this.cell(name).item();
  }

  /** Throws unless {@link set} would take the number. @internal */
  check(name: string, value: number): Tensor {
    const cell = this.cell(name);
    if (!Number.isFinite(value))
      throw new ValueError("ParamGroup", `${name} must be a finite number, got ${value}`);
    return cell;
  }

  set(name: string, value: number): void {
    const cell = this.check(name, value);
    if (activeTrace())
      throw new GradusError(
        "ParamGroup",
        `${name} was set to a number inside a compiled function, which would happen once, when ` +
          "it is traced; set it outside of the function",
      );
    cell.assign(tensor(value, { dtype: "float64" }));
  }

  /** The cell of a number, for the update. @internal */
  cell(name: string): Tensor {
    const cell = this.cells[name];
    if (!cell)
      throw new ValueError(
        "ParamGroup",
        `unknown option "${name}", expected ${this.names.join(", ")}`,
      );
    return cell;
  }
}

type UpdateAttributes = {
  readonly flags: Flags;
  readonly count: number;
  readonly kinds: Readonly<Record<string, string>>;
  readonly numbers: readonly string[];
};

const updateSpecs = new WeakMap<UpdateRule, OpSpec<UpdateAttributes>>();

/** One spec a rule, so that optimizers of one kind share their programs. */
function updateSpec(rule: UpdateRule): OpSpec<UpdateAttributes> {
  let spec = updateSpecs.get(rule);
  if (!spec) {
    spec = makeUpdateSpec(rule);
    updateSpecs.set(rule, spec);
  }
  return spec;
}

/** Inputs: parameters, their state by name, gradients, numbers; outputs: new parameters and state. */
function makeUpdateSpec(rule: UpdateRule): OpSpec<UpdateAttributes> {
  return {
    name: rule.name,
    lower(b, inputs, { flags, count, kinds, numbers }) {
      const names = Object.keys(kinds);
      const targets = count * (1 + names.length);
      const hyper = numbers.map((name, i) => [name, inputs[targets + count + i]!] as const);
      const results = Array.from({ length: count }, (_, i) => {
        const state = names.map((name, j) => [name, inputs[(1 + j) * count + i]!] as const);
        return rule.apply(
          b,
          {
            parameter: inputs[i]!,
            gradient: inputs[targets + i]!,
            state: Object.fromEntries(state),
            numbers: Object.fromEntries(hyper),
          },
          flags,
        );
      });
      return [
        ...results.map(({ parameter }) => parameter),
        ...names.flatMap((name) => results.map(({ state }) => state[name]!)),
      ];
    },
  };
}

/** An optimizer's state as it is saved: tensors by parameter number and name, and the groups' numbers. */
export interface OptimizerState {
  readonly state: ReadonlyMap<string, Tensor>;
  readonly paramGroups: readonly Numbers[];
}

function checkParameters(op: string, params: readonly Tensor[], taken: Set<Tensor>): void {
  if (params.length === 0) throw new ValueError(op, "got no parameters; pass model.parameters()");
  for (const parameter of params) {
    if (!(parameter instanceof Tensor) || !isFloat(parameter.dtype))
      throw new ValueError(op, "parameters must be float tensors");
    if (taken.has(parameter)) throw new ValueError(op, "a parameter is given twice");
    taken.add(parameter);
  }
}

/** Zeros, made outside of any trace, since they outlive it. */
function blankState(parameter: Tensor, kinds: StateKinds): Record<string, Tensor> {
  const make = (kind: string) =>
    kind === "scalar" ? zeros([], { dtype: "float64" }) : zerosLike(parameter);
  return withTrace(null, () =>
    Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, make(kind)])),
  );
}

/** Turns gradients into changes of parameters. Use one of the subclasses. */
export abstract class Optimizer {
  readonly paramGroups: readonly ParamGroup[];
  private readonly rule: UpdateRule;
  private readonly spec: OpSpec<UpdateAttributes>;
  private readonly state = new Map<Tensor, Record<string, Tensor>>();

  protected constructor(
    rule: UpdateRule,
    params: Params,
    settle: (options: Readonly<Record<string, unknown>>) => { numbers: Numbers; flags: Flags },
  ) {
    this.rule = rule;
    this.spec = updateSpec(rule);
    const list = [...(params as Iterable<Tensor | GroupOptions>)];
    const isGrouped = list.length > 0 && !(list[0] instanceof Tensor);
    const groups = (isGrouped ? list : [{ params: list }]) as readonly GroupOptions[];
    const taken = new Set<Tensor>();
    this.paramGroups = groups.map(({ params: members, ...options }) => {
      const tensors = [...members];
      checkParameters(rule.name, tensors, taken);
      const { numbers, flags } = settle(options);
      return new ParamGroup(tensors, numbers, flags);
    });
  }

  /** Drops the gradients of all parameters. */
  zeroGrad(): void {
    for (const { params } of this.paramGroups) for (const p of params) p.grad = null;
  }

  /** Changes every parameter that has a gradient, in place. */
  step(): void {
    noGrad(() => {
      for (const group of this.paramGroups) this.stepGroup(group);
    });
  }

  private stepGroup(group: ParamGroup): void {
    const pairs = group.params
      .map((parameter) => [parameter, parameter.grad] as const)
      .filter((pair): pair is [Tensor, Tensor] => pair[1] !== null);
    if (pairs.length === 0) return;
    const kinds = this.rule.stateKinds(group.flags);
    const states = pairs.map(([parameter]) => this.stateOf(parameter, kinds));
    const params = pairs.map(([parameter]) => parameter);
    const targets = [
      ...params,
      ...Object.keys(kinds).flatMap((name) => states.map((state) => state[name]!)),
    ];
    const cells = group.names.map((name) => group.cell(name));
    update(this.spec, targets, [...pairs.map(([, grad]) => grad), ...cells], {
      flags: group.flags,
      count: pairs.length,
      kinds,
      numbers: group.names,
    });
  }

  /** A parameter's state, made when it is first needed. */
  private stateOf(parameter: Tensor, kinds: StateKinds): Record<string, Tensor> {
    let state = this.state.get(parameter);
    if (!state) {
      state = blankState(parameter, kinds);
      this.state.set(parameter, state);
    }
    return state;
  }

  private allParams = (): Tensor[] => this.paramGroups.flatMap(({ params }) => [...params]);

  /** State by `number.name`, where parameters are numbered through all groups, and the groups' numbers. */
  stateDict(): OptimizerState {
    const state = new Map<string, Tensor>();
    this.allParams().forEach((parameter, i) => {
      const own = this.state.get(parameter) ?? {};
      for (const [name, value] of Object.entries(own)) state.set(`${i}.${name}`, value);
    });
    const paramGroups = this.paramGroups.map((group) =>
      Object.fromEntries(group.names.map((name) => [name, group.get(name)])),
    );
    return { state, paramGroups };
  }

  /**
   * Takes over a saved state. Nothing changes if anything does not fit.
   *
   * @throws ValueError for other groups or names; ShapeError for a tensor that does not fit its parameter.
   */
  loadStateDict({ state, paramGroups }: OptimizerState): void {
    const { name: op } = this.rule;
    if (paramGroups.length !== this.paramGroups.length)
      throw new ValueError(
        op,
        `the state has ${paramGroups.length} groups, the optimizer ${this.paramGroups.length}`,
      );
    const loads: (readonly [Tensor, Tensor])[] = [];
    const fresh = new Map<Tensor, Record<string, Tensor>>();
    const params = this.allParams();
    const groupOf = new Map(this.paramGroups.flatMap((g) => g.params.map((p) => [p, g] as const)));
    for (const [key, value] of state) {
      const [number, name] = key.split(".") as [string, string?];
      const parameter = params[Number(number)];
      const kinds = parameter && this.rule.stateKinds(groupOf.get(parameter)!.flags);
      if (!parameter || !name || !Object.hasOwn(kinds!, name))
        throw new ValueError(op, `the state has "${key}", which this optimizer does not know`);
      const own =
        this.state.get(parameter) ?? fresh.get(parameter) ?? blankState(parameter, kinds!);
      if (!this.state.has(parameter)) fresh.set(parameter, own);
      const target = own[name]!;
      if (!sameShape(target.shape, value.shape) || target.dtype !== value.dtype)
        throw new ShapeError(
          op,
          `${key}: expected ${target.dtype}${formatShape(target.shape)}, ` +
            `got ${value.dtype}${formatShape(value.shape)}`,
        );
      loads.push([target, value]);
    }
    paramGroups.forEach((numbers, i) => {
      for (const [name, value] of Object.entries(numbers)) this.paramGroups[i]!.check(name, value);
    });
    paramGroups.forEach((numbers, i) => {
      for (const [name, value] of Object.entries(numbers)) this.paramGroups[i]!.set(name, value);
    });
    for (const [parameter, own] of fresh) this.state.set(parameter, own);
    for (const [target, value] of loads) target.assign(value);
  }
}
