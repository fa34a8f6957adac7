/** Common subexpressions: nodes of the same primitive, inputs and attributes become one. */
import { attributesKey, type Graph, type Node } from "../graph.js";
import { rewrite } from "./rewrite.js";

const keyOf = (node: Node): string =>
  `${node.primitive}(${node.inputs.map((x) => x.id).join()})${attributesKey(node.attributes)}`;

export function dedupe(graph: Graph): Graph {
  const known = new Map<string, Node>();
  return rewrite(graph, (_, node) => {
    const key = keyOf(node);
    const twin = known.get(key);
    if (twin) return twin;
    known.set(key, node);
    return node;
  });
}
