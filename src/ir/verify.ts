/**
 * Checks a whole graph: every node's type is what the table infers, producers come before consumers, and the only
 * inputs reached are the graph's own. Passes are run between two of these in tests.
 */
import { GradusError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import { type Graph, type Node, topologicalOrder } from "./graph.js";
import { type Primitive, primitives } from "./primitives.js";

function fail(node: Node, message: string): never {
  throw new GradusError("verify", `%${node.id} ${node.primitive} (${node.origin}): ${message}`);
}

function verifyNode(node: Node): void {
  const row = primitives[node.primitive] as Primitive<unknown>;
  if (row.arity !== "any" && row.arity !== node.inputs.length)
    fail(node, `takes ${row.arity} inputs, has ${node.inputs.length}`);
  const { dtype, shape } = row.infer(node.inputs, node.attributes);
  if (dtype !== node.dtype || !sameShape(shape, node.shape)) {
    const [got, expected] = [node, { dtype, shape }].map((t) => t.dtype + formatShape(t.shape));
    fail(node, `has type ${got}, the table says ${expected}`);
  }
  for (const input of node.inputs)
    if (input.id >= node.id) fail(node, `uses %${input.id}, which comes after it`);
}

/** Throws a {@link GradusError} that names the first wrong node. */
export function verify(graph: Graph): void {
  const own = new Set(graph.inputs);
  graph.inputs.forEach((node, i) => {
    if (node.primitive !== "input") fail(node, `is listed as input ${i} but is no input`);
  });
  for (const node of topologicalOrder(graph.outputs)) {
    verifyNode(node);
    if (node.primitive === "input" && !own.has(node)) fail(node, "is an input of another graph");
  }
}
