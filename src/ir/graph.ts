/**
 * The graph of primitive operations: typed, shaped values in single-assignment form. A node is a value; a graph
 * names its inputs and outputs. Nodes are made by the builder (builder.ts), which checks them against the
 * table (primitives.ts). Read primitives.ts next.
 */
import type { DType } from "../core/dtype.js";
import type { Shape } from "../core/shape.js";
import type { AttributesOf, PrimitiveName } from "./primitives.js";

export type { PrimitiveName };

/** One value: the result of a primitive on other values. */
export interface Node<P extends PrimitiveName = PrimitiveName> {
  /** Rises with creation, so that order by id is a topological order within one builder's nodes. */
  readonly id: number;
  readonly primitive: P;
  readonly inputs: readonly Node[];
  readonly attributes: AttributesOf<P>;
  readonly shape: Shape;
  readonly dtype: DType;
  /** The op whose lowering made the node, for messages. */
  readonly origin: string;
}

/** A program: `outputs` computed from `inputs`, everything between them reachable by `Node.inputs`. */
export interface Graph {
  readonly inputs: readonly Node[];
  readonly outputs: readonly Node[];
}

/** Narrows a node to one primitive, with its attributes' type. */
export const is = <P extends PrimitiveName>(node: Node, primitive: P): node is Node<P> =>
  node.primitive === primitive;

/** All nodes that `roots` need, producers first. */
export function topologicalOrder(roots: readonly Node[]): Node[] {
  const seen = new Set<Node>();
  const stack = [...roots];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    for (const input of node.inputs) if (!seen.has(input)) stack.push(input);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** How many times each node is used by the nodes in `order`, outputs counting as one use each. */
export function countUses(order: readonly Node[], outputs: readonly Node[]): Map<Node, number> {
  const uses = new Map<Node, number>();
  const use = (node: Node) => uses.set(node, (uses.get(node) ?? 0) + 1);
  for (const node of order) node.inputs.forEach(use);
  outputs.forEach(use);
  return uses;
}

/** One attribute as text. JSON would have one null for NaN and both infinities, and no −0. */
function spell(value: unknown): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(spell).join()}]`;
  return typeof value === "object" && value !== null ? attributesKey(value) : String(value);
}

/** Attributes as text, equal exactly when the attributes are. Eager ops ask for it at each call. */
export function attributesKey(attributes: object): string {
  let key = "{";
  for (const name in attributes)
    key += `${name}:${spell((attributes as Record<string, unknown>)[name])},`;
  return `${key}}`;
}
