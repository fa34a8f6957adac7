/** Rebuilds a graph node by node; the passes that replace nodes are rules for this. */
import { Builder } from "../builder.js";
import { type Graph, type Node, topologicalOrder } from "../graph.js";

/** Looks at a node whose inputs are already new; gives its replacement, or the node itself. */
export type RewriteRule = (b: Builder, node: Node) => Node;

/** Inputs keep their identity, so that the new graph runs on the same arrays. */
export function rewrite(graph: Graph, rule: RewriteRule): Graph {
  const b = new Builder();
  const replaced = new Map<Node, Node>();
  for (const node of topologicalOrder(graph.outputs)) {
    if (node.primitive === "input") {
      replaced.set(node, node);
      continue;
    }
    b.origin = node.origin;
    const inputs = node.inputs.map((x) => replaced.get(x)!);
    // Made anew even if nothing changed, so that ids keep telling the order of the program.
    const renewed = b.make(node.primitive, inputs, node.attributes as never);
    replaced.set(node, rule(b, renewed));
  }
  return { inputs: graph.inputs, outputs: graph.outputs.map((node) => replaced.get(node) ?? node) };
}
