/** From a tree of parameters to a list: whole names, and an order in which conditions come after what they ask for. */
import { ValueError } from "../../core/errors.js";
import type { ParameterValue } from "../types.js";
import { abbreviate, type Condition, type Distribution } from "./distribution.js";
import { contains } from "./scale.js";

interface Leaf {
  readonly name: string;
  /** What is left of it without its conditions. */
  readonly node: unknown;
  readonly when: readonly Condition[];
}

interface Placed {
  readonly name: string;
  readonly distribution: Distribution;
  readonly when: readonly Condition[];
}

const [mostParameters, deepest] = [1000, 20];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The leaves of a tree that may come from a file. */
export function flatten(op: string, tree: unknown): Leaf[] {
  const leaves: Leaf[] = [];
  const visit = (prefix: readonly string[], node: unknown) => {
    const name = prefix.join(".");
    if (Array.isArray(node))
      leaves.push({ name, node: { kind: "choice", values: node }, when: [] });
    else if (!isObject(node))
      throw new ValueError(
        op,
        `${name || "it"} is ${abbreviate(node)}; expected a distribution, a list of values or a group of them`,
      );
    else if (typeof node.kind === "string" && name) {
      const { when, valueType: _, ...rest } = node;
      leaves.push({ name, node: rest, when: conditionsOf(`${op}: ${name}`, when) });
    } else {
      if (prefix.length >= deepest) throw new ValueError(op, `groups deeper than ${deepest}`);
      for (const [key, value] of Object.entries(node)) visit([...prefix, checkKey(op, key)], value);
    }
    if (leaves.length > mostParameters)
      throw new ValueError(op, `more than ${mostParameters} parameters`);
  };
  visit([], tree);
  if (leaves.length === 0) throw new ValueError(op, "no parameters; expected at least one");
  const names = new Set<string>();
  for (const { name } of leaves) {
    if (names.has(name)) throw new ValueError(op, `${name} is there twice`);
    names.add(name);
  }
  return leaves;
}

/** Names become paths in a configuration, so what would reach into an object's inside is no name. */
function checkKey(op: string, key: string): string {
  const parts = key.split(".");
  const inside = ["__proto__", "constructor", "prototype"];
  if (parts.every((part) => /^[\w$-]+$/.test(part) && !inside.includes(part))) return key;
  throw new ValueError(
    op,
    `"${key.slice(0, 80)}" is no name; expected letters, digits, _ and -, with dots between`,
  );
}

const isValue = (value: unknown): value is ParameterValue =>
  value === null || ["number", "string", "boolean"].includes(typeof value);

function conditionsOf(op: string, when: unknown): Condition[] {
  if (when === undefined) return [];
  return (Array.isArray(when) ? when : [when]).map((condition: unknown) => {
    const { parameter, is } = isObject(condition) ? condition : {};
    const values = Array.isArray(is) ? is : [is];
    if (typeof parameter === "string" && values.length > 0 && values.every(isValue))
      return { parameter, is: values };
    throw new ValueError(
      op,
      `when is ${abbreviate(condition)}; expected { parameter: its name, is: a value or a list of them }`,
    );
  });
}

/** Puts each parameter behind those that its conditions name, else in the order in which they came. */
export function sortByConditions<T extends Placed>(
  op: string,
  parameters: readonly T[],
  byName: ReadonlyMap<string, T>,
): T[] {
  const sorted = new Set<T>();
  const visit = (parameter: T, path: readonly string[]) => {
    if (sorted.has(parameter)) return;
    const { name, when } = parameter;
    if (path.includes(name))
      throw new ValueError(op, `conditions go in a circle: ${[...path, name].join(" → ")}`);
    for (const condition of when) visit(parentOf(op, name, condition, byName), [...path, name]);
    sorted.add(parameter);
  };
  for (const parameter of parameters) visit(parameter, []);
  return [...sorted];
}

function parentOf<T extends Placed>(
  op: string,
  name: string,
  { parameter, is }: Condition,
  byName: ReadonlyMap<string, T>,
): T {
  const parent = byName.get(parameter);
  if (!parent) {
    const others = [...byName.keys()].filter((other) => other !== name).join(", ");
    throw new ValueError(
      op,
      `${name} depends on "${parameter}", which is not there; there are ${others}`,
    );
  }
  const never = is.find((value) => !contains(parent.distribution, value));
  if (never === undefined) return parent;
  throw new ValueError(
    op,
    `${name} asks for ${parameter} = ${abbreviate(never)}, which is no value of ${abbreviate(parent.distribution)}`,
  );
}
