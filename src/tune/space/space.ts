/**
 * Many parameters together: names, conditions, and what follows from them. A space is written as an object (nested ones give names
 * with dots, the paths of a configuration) and kept as flat JSON. Read scale.ts for how values lie, samplers/ for how they are chosen.
 */
import { ValueError } from "../../core/errors.js";
import type { Parameters, ParameterValue } from "../types.js";
import {
  abbreviate,
  type Condition,
  type Distribution,
  type Parameter,
  parseDistribution,
} from "./distribution.js";
import { contains, gridValues, valueAt } from "./scale.js";
import { flatten, sortByConditions } from "./tree.js";

/** Parameters by name, in groups within groups; a list of values is a choice. */
export interface SpaceTree {
  readonly [name: string]: Parameter | readonly ParameterValue[] | SpaceTree;
}

/** A parameter with its whole name, as `optim.lr`. */
export interface SpaceParameter {
  readonly name: string;
  readonly distribution: Distribution;
  /** It is there only where all of these hold. */
  readonly when: readonly Condition[];
}

/** A space as files keep it: distributions by whole names, in the order in which they are drawn. */
export type SpaceJson = Readonly<
  Record<string, Distribution & { readonly when?: readonly Condition[] }>
>;

type Intersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void
  ? I
  : never;

/** The values of a tree's parameters by whole name; what is under a condition may be undefined. */
export type ValuesOf<T, Prefix extends string = ""> = Intersection<
  {
    [K in keyof T & string]: T[K] extends Parameter<infer V>
      ? { readonly [P in `${Prefix}${K}`]: V }
      : T[K] extends readonly (infer V)[]
        ? { readonly [P in `${Prefix}${K}`]: V }
        : ValuesOf<T[K], `${Prefix}${K}.`>;
  }[keyof T & string]
>;

type Conditional<T> =
  T extends Parameter<infer V>
    ? Parameter<V | undefined>
    : T extends readonly (infer V)[]
      ? Parameter<V | undefined>
      : { readonly [K in keyof T]: Conditional<T[K]> };

/**
 * Lets a parameter, or each of a group, exist only where another parameter has a value (or one of several). Groups are spread
 * into their place. Conditions add up.
 *
 * @param parameter the other's whole name.
 * @example
 * ```ts
 * import { choice, logUniform, Space, uniform, when } from "gradus/tune";
 * const space = new Space({
 *   optim: {
 *     name: choice(["sgd", "adam"]),
 *     lr: logUniform(1e-4, 1e-1),
 *     ...when("optim.name", "sgd", { momentum: uniform(0, 0.99) }),
 *   },
 * });
 * console.log(Object.keys(space.fromUnit({ "optim.name": 0 }))); // → [ 'optim.name', 'optim.lr', 'optim.momentum' ]
 * console.log(Object.keys(space.fromUnit({ "optim.name": 1 }))); // → [ 'optim.name', 'optim.lr' ]
 * ```
 */
export function when<const T extends Parameter | readonly ParameterValue[] | SpaceTree>(
  parameter: string,
  is: ParameterValue | readonly ParameterValue[],
  then: T,
): Conditional<T> {
  const condition: Condition = { parameter, is: Array.isArray(is) ? is : [is as ParameterValue] };
  return addCondition(condition, then) as Conditional<T>;
}

function addCondition(condition: Condition, node: SpaceTree[string]): SpaceTree[string] {
  if (isList(node)) return { kind: "choice", values: node, when: [condition] };
  if (typeof node.kind === "string") {
    const leaf = node as Parameter;
    return { ...leaf, when: [condition, ...(leaf.when ?? [])] };
  }
  const entries = Object.entries(node as SpaceTree);
  return Object.fromEntries(entries.map(([name, value]) => [name, addCondition(condition, value)]));
}

const isList = (node: SpaceTree[string]): node is readonly ParameterValue[] => Array.isArray(node);

const mostGridPoints = 1_000_000;

/** How finely a grid goes through parameters that have many values. */
export interface GridOptions {
  /** Points for a parameter with more values than that, for all or by name. */
  readonly resolution?: number | Readonly<Record<string, number>>;
}

/**
 * What a search may choose from.
 *
 * @throws ValueError naming the parameter for a distribution, condition or name that cannot be.
 * @example
 * ```ts
 * import { integer, logUniform, Space } from "gradus/tune";
 * const space = new Space({ optim: { lr: logUniform(1e-4, 1) }, model: { layers: integer(1, 3) } });
 * console.log(space.names); // → [ 'optim.lr', 'model.layers' ]
 * console.log(space.fromUnit({ "optim.lr": 0.5, "model.layers": 1 })["model.layers"]); // → 3
 * ```
 */
export class Space<P = Parameters> {
  /** Each after those that its conditions ask for. */
  readonly parameters: readonly SpaceParameter[];
  readonly #byName: ReadonlyMap<string, SpaceParameter>;

  constructor(tree: SpaceTree | SpaceJson) {
    const flat = flatten("Space", tree).map(({ name, node, when: conditions }) => {
      const distribution = parseDistribution(`Space: ${name}`, node);
      return { name, distribution, when: conditions };
    });
    this.#byName = new Map(flat.map((parameter) => [parameter.name, parameter]));
    this.parameters = sortByConditions("Space", flat, this.#byName);
  }

  /** A space whose type knows its values; the same as `new Space(tree)` for all else. */
  static of<const T extends SpaceTree>(tree: T): Space<ValuesOf<T>> {
    return new Space<ValuesOf<T>>(tree);
  }

  get names(): readonly string[] {
    return this.parameters.map(({ name }) => name);
  }

  /** The parameter of a name, if there is one. */
  get(name: string): SpaceParameter | undefined {
    return this.#byName.get(name);
  }

  /** Flat JSON, which `new Space` takes again. */
  toJSON(): SpaceJson {
    const entry = ({ name, distribution, when: conditions }: SpaceParameter) => {
      const json = conditions.length > 0 ? { ...distribution, when: conditions } : distribution;
      return [name, json] as const;
    };
    return Object.fromEntries(this.parameters.map(entry));
  }

  /** Whether a parameter is there beside these values. */
  isActive({ when: conditions }: SpaceParameter, values: Parameters): boolean {
    return conditions.every(
      ({ parameter, is }) => Object.hasOwn(values, parameter) && is.includes(values[parameter]!),
    );
  }

  /** Chooses each parameter that is there, one after the other; what is in `fixed` stays. */
  choose(
    draw: (parameter: SpaceParameter, sofar: Parameters) => ParameterValue,
    fixed: Parameters = {},
  ): Parameters {
    const values: Record<string, ParameterValue> = {};
    for (const parameter of this.parameters) {
      if (!this.isActive(parameter, values)) continue;
      const { name } = parameter;
      values[name] = Object.hasOwn(fixed, name) ? fixed[name]! : draw(parameter, values);
    }
    return values;
  }

  /** The values at places from 0 to 1 along each parameter, in the middle where none is given. */
  fromUnit(places: Readonly<Record<string, number>>): P {
    return this.choose(({ name, distribution }) => valueAt(distribution, places[name] ?? 0.5)) as P;
  }

  /**
   * Throws unless these are values of this space, all that are there (`partial`: any of them) and no others.
   */
  check(op: string, values: Parameters, { partial = false } = {}): void {
    for (const [name, value] of Object.entries(values)) {
      const parameter = this.get(name);
      if (!parameter)
        throw new ValueError(op, `no parameter "${name}"; there are ${this.names.join(", ")}`);
      if (!contains(parameter.distribution, value)) {
        const expected = abbreviate(parameter.distribution);
        throw new ValueError(
          op,
          `${name} is ${abbreviate(value)}; expected a value of ${expected}`,
        );
      }
      if (this.isActive(parameter, values)) continue;
      const needs = parameter.when.map((c) => `${c.parameter} = ${c.is.join(" or ")}`);
      throw new ValueError(op, `${name} is there only with ${needs.join(" and ")}`);
    }
    const missing = this.parameters.find(
      (p) => this.isActive(p, values) && !Object.hasOwn(values, p.name),
    );
    if (missing && !partial) throw new ValueError(op, `no value for ${missing.name}`);
  }

  /**
   * Every combination of values, the last parameter changing fastest; parameters that are not there beside the others are left out.
   *
   * @throws ValueError where a continuous parameter has no resolution, and for more than a million combinations.
   */
  grid({ resolution }: GridOptions = {}): P[] {
    const points = new Map(this.parameters.map((p) => [p, this.#gridOf(p, resolution)]));
    const found: Parameters[] = [];
    const visit = (depth: number, values: Parameters) => {
      const parameter = this.parameters[depth];
      if (!parameter) {
        if (found.push(values) > mostGridPoints)
          throw new ValueError("grid", `more than ${mostGridPoints} combinations`);
      } else if (!this.isActive(parameter, values)) visit(depth + 1, values);
      else
        for (const value of points.get(parameter)!)
          visit(depth + 1, { ...values, [parameter.name]: value });
    };
    visit(0, {});
    return found as P[];
  }

  #gridOf({ name, distribution }: SpaceParameter, resolution: GridOptions["resolution"]) {
    const wanted = typeof resolution === "number" ? resolution : resolution?.[name];
    if (wanted !== undefined && (!Number.isInteger(wanted) || wanted < 1))
      throw new ValueError(
        "grid",
        `resolution of ${name} is ${wanted}; expected a whole number ≥ 1`,
      );
    const values = gridValues(distribution, wanted);
    if (values) return values;
    const { kind } = distribution;
    throw new ValueError(
      "grid",
      `${name} is ${kind} and has no grid; give a resolution, or use linearGrid or logGrid`,
    );
  }
}
