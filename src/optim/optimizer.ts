/**
 * The base of optimizers: parameter groups, state, and one multi-tensor update of all parameters a step. An optimizer is a
 * rule (sgd.ts, adam.ts): how one parameter and its state follow from the gradient, written in primitives.
 */

import { isFloat } from "../core/dtype.js";
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import "../tensor/assign.js";
import { type OpSpec, update } from "../tensor/apply.js";
import { activeTrace, noGrad, withTrace } from "../tensor/context.js";
import { full } from "../tensor/create.js";
import { Tensor } from "../tensor/tensor.js";
import { type GroupState, ParamGroup } from "./paramGroup.js";
import { type Flags, type Numbers, type Settings, type Settled, settle } from "./settings.js";

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
  readonly settings: Settings;
  /** Under PyTorch's names. */
  stateKinds(flags: Flags): StateKinds;
  /** What a state starts with, where that is not 0. */
  start?(name: string, numbers: Numbers): number;
  apply(b: Builder, input: UpdateInput, flags: Flags): UpdateOutput;
}

/** Parameters with hyper-parameters of their own. */
export interface GroupOptions {
  readonly params: Iterable<Tensor>;
  readonly lr?: number;
  readonly [option: string]: unknown;
}

export type Params = Iterable<Tensor> | readonly GroupOptions[];

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
    name: rule.settings.name,
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
            gradient: flags.maximize ? b.negate(inputs[targets + i]!) : inputs[targets + i]!,
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

/** A state in PyTorch's layout: tensors by the parameter's number, counted through all groups, and name; and the groups. */
export interface OptimizerState {
  readonly state: Readonly<Record<number, Readonly<Record<string, Tensor>>>>;
  readonly paramGroups: readonly GroupState[];
}

/** @internal */
export function checkParameters(op: string, params: readonly Tensor[], taken: Set<Tensor>): void {
  if (params.length === 0) throw new ValueError(op, "got no parameters; pass model.parameters()");
  for (const parameter of params) {
    if (!(parameter instanceof Tensor) || !isFloat(parameter.dtype))
      throw new ValueError(op, "parameters must be float tensors");
    if (taken.has(parameter)) throw new ValueError(op, "a parameter is given twice");
    taken.add(parameter);
  }
}

/** Turns gradients into changes of parameters. Use one of the subclasses. */
export abstract class Optimizer {
  private readonly groups: ParamGroup[] = [];
  private readonly rule: UpdateRule;
  private readonly defaults: Readonly<Record<string, unknown>>;
  private readonly spec: OpSpec<UpdateAttributes>;
  private readonly state = new Map<Tensor, Record<string, Tensor>>();

  protected constructor(rule: UpdateRule, params: Params, defaults: object) {
    this.rule = rule;
    this.defaults = { ...defaults };
    this.spec = updateSpec(rule);
    const list = [...(params as Iterable<Tensor | GroupOptions>)];
    const isGrouped = list.length > 0 && !(list[0] instanceof Tensor);
    const groups = (isGrouped ? list : [{ params: list }]) as readonly GroupOptions[];
    for (const group of groups) this.addParamGroup(group);
  }

  get paramGroups(): readonly ParamGroup[] {
    return this.groups;
  }

  /**
   * Takes more parameters in, as when a frozen part of a network is to be trained too.
   *
   * @throws ValueError for parameters that are in a group already, or options that are unknown or out of range.
   * @example
   * ```ts
   * import { nn, optim } from "gradus";
   * const [head, body] = [new nn.Linear(4, 2), new nn.Linear(4, 4)];
   * const optimizer = new optim.SGD(head.parameters(), { lr: 0.1 });
   * optimizer.addParamGroup({ params: body.parameters(), lr: 0.01 });
   * console.log(optimizer.paramGroups.map(({ lr }) => lr)); // → [ 0.1, 0.01 ]
   * ```
   */
  addParamGroup({ params, ...options }: GroupOptions): void {
    const taken = new Set(this.allParams());
    const tensors = [...params];
    checkParameters(this.rule.settings.name, tensors, taken);
    this.groups.push(new ParamGroup(tensors, this.settle(options)));
  }

  private settle(options: Readonly<Record<string, unknown>>): Settled {
    return settle(this.rule.settings, { ...this.defaults, ...options });
  }

  /** Drops the gradients of all parameters. */
  zeroGrad(): void {
    for (const { params } of this.groups) for (const p of params) p.grad = null;
  }

  /** Changes every parameter that has a gradient, in place. */
  step(): void {
    const count = this.groups.length;
    activeTrace()?.guard(() => this.groups.length === count);
    noGrad(() => {
      for (const group of this.groups) this.stepGroup(group);
    });
  }

  private stepGroup(group: ParamGroup): void {
    const pairs = group.params
      .map((parameter) => [parameter, parameter.grad] as const)
      .filter((pair): pair is [Tensor, Tensor] => pair[1] !== null);
    if (pairs.length === 0) return;
    const kinds = this.rule.stateKinds(group.flags);
    const states = pairs.map(([parameter]) => this.stateOf(parameter, group, kinds));
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
  private stateOf(parameter: Tensor, group: ParamGroup, kinds: StateKinds) {
    let state = this.state.get(parameter);
    if (!state) {
      state = this.blankState(parameter, group, kinds);
      this.state.set(parameter, state);
    }
    return state;
  }

  /** A state to start with, made outside of any trace, since it outlives it. */
  private blankState(parameter: Tensor, group: ParamGroup, kinds: StateKinds) {
    return withTrace(null, () => {
      const numbers = Object.fromEntries(group.names.map((name) => [name, group.get(name)]));
      const state: Record<string, Tensor> = {};
      for (const [name, kind] of Object.entries(kinds)) {
        const value = this.rule.start?.(name, numbers) ?? 0;
        const isScalar = kind === "scalar";
        const dtype = isScalar ? "float64" : parameter.dtype;
        state[name] = full(isScalar ? [] : parameter.shape, value, { dtype });
      }
      return state;
    });
  }

  private allParams = (): Tensor[] => this.groups.flatMap(({ params }) => [...params]);

  /** State and hyper-parameters in PyTorch's layout. The tensors are the optimizer's own, not copies. */
  stateDict(): OptimizerState {
    const state: Record<number, Readonly<Record<string, Tensor>>> = {};
    this.allParams().forEach((parameter, i) => {
      const own = this.state.get(parameter);
      if (own) state[i] = { ...own };
    });
    let first = 0;
    const paramGroups = this.groups.map((group) => {
      const saved = group.save(first);
      first += group.params.length;
      return saved;
    });
    return { state, paramGroups };
  }

  /**
   * Takes over a saved state. Nothing changes if anything does not fit.
   *
   * @throws ValueError for other groups, names or formulas; ShapeError for a tensor that does not fit its parameter.
   */
  loadStateDict({ state, paramGroups }: OptimizerState): void {
    const { name: op } = this.rule.settings;
    const changes = this.readGroups(paramGroups);
    const loads: (readonly [Tensor, Tensor])[] = [];
    const fresh = new Map<Tensor, Record<string, Tensor>>();
    const members = this.groups.flatMap((g) => g.params.map((p) => [p, g] as const));
    for (const [number, values] of Object.entries(state)) {
      const [parameter, group] = members[Number(number)] ?? [];
      if (!parameter || !group)
        throw new ValueError(
          op,
          `the state has parameter ${number}, the optimizer ${members.length} parameters`,
        );
      const kinds = this.rule.stateKinds(group.flags);
      const missing = Object.keys(kinds).find((name) => !Object.hasOwn(values, name));
      if (missing) throw new ValueError(op, `the state lacks "${number}.${missing}"`);
      const own = this.state.get(parameter) ?? this.blankState(parameter, group, kinds);
      if (!this.state.has(parameter)) fresh.set(parameter, own);
      for (const [name, value] of Object.entries(values)) {
        if (!Object.hasOwn(kinds, name))
          throw new ValueError(
            op,
            `the state has "${number}.${name}", which this optimizer does not know`,
          );
        checkFit(op, `${number}.${name}`, own[name]!, value);
        loads.push([own[name]!, value]);
      }
    }
    for (const change of changes) change();
    for (const [parameter, own] of fresh) this.state.set(parameter, own);
    for (const [target, value] of loads) target.assign(value);
  }

  /** Checks saved groups; what is returned sets the hyper-parameters. */
  private readGroups(saved: readonly GroupState[]): (() => void)[] {
    const { name: op } = this.rule.settings;
    const { groups } = this;
    if (saved.length !== groups.length)
      throw new ValueError(
        op,
        `the state has ${saved.length} groups, the optimizer ${groups.length}`,
      );
    return saved.flatMap(({ params, initialLr, ...options }, i) => {
      const group = groups[i]!;
      if (params.length !== group.params.length)
        throw new ValueError(
          op,
          `group ${i} of the state has ${params.length} parameters, the optimizer's ` +
            `${group.params.length}`,
        );
      const { numbers, flags } = settle(this.rule.settings, options);
      const other = Object.keys(flags).find((name) => flags[name] !== group.flags[name]);
      if (other)
        throw new ValueError(
          op,
          `group ${i} of the state was made ${flags[other] ? "with" : "without"} ${other}, ` +
            `the optimizer ${flags[other] ? "without" : "with"} it`,
        );
      if (initialLr !== undefined && typeof initialLr !== "number")
        throw new ValueError(op, `group ${i}: initialLr must be a number`);
      const entries = Object.entries(numbers);
      for (const [name, value] of entries) group.check(name, value);
      return [
        () => {
          for (const [name, value] of entries) group.set(name, value);
          if (initialLr !== undefined) group.initialLr = initialLr;
        },
      ];
    });
  }
}

function checkFit(op: string, key: string, target: Tensor, value: Tensor): void {
  if (sameShape(target.shape, value.shape) && target.dtype === value.dtype) return;
  const [want, got] = [target, value].map((x) => x.dtype + formatShape(x.shape));
  throw new ShapeError(op, `${key}: expected ${want}, got ${got}`);
}
