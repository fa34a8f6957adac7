/**
 * Prints a graph as text, one value a line, for people and for tests:
 *
 *     %2: float32[64, 10] = add(%0, %1)  # linear
 */
import { formatShape } from "../core/shape.js";
import { type Graph, type Node, topologicalOrder } from "./graph.js";

const formatAttribute = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(formatAttribute).join(", ")}]` : String(value);

function formatNode(node: Node, names: Map<Node, string>): string {
  const attributes = Object.entries(node.attributes as object)
    .filter(([key]) => key !== "shape" && key !== "dtype")
    .map(([key, value]) => `${key}=${formatAttribute(value)}`);
  const operands = [...node.inputs.map((x) => names.get(x) ?? "?"), ...attributes].join(", ");
  const type = `${node.dtype}${formatShape(node.shape)}`;
  const origin = node.origin ? `  # ${node.origin}` : "";
  return `${names.get(node)}: ${type} = ${node.primitive}(${operands})${origin}`;
}

/** The graph's nodes, producers first, then a line that returns the outputs. */
export function printGraph(graph: Graph): string {
  const order = topologicalOrder([...graph.inputs, ...graph.outputs]);
  const names = new Map(order.map((node, i) => [node, `%${i}`] as const));
  const lines = order.map((node) => formatNode(node, names));
  lines.push(`return ${graph.outputs.map((node) => names.get(node)).join(", ")}`);
  return lines.join("\n");
}
