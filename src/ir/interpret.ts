/**
 * The interpreter: runs a graph node by node in float64, by plain loops, rounding what is float32 after each node. It is the
 * oracle that every other backend is compared with, so it favours plainness over speed. The loops are in interpret/, a
 * file a family.
 */
import { type Graph, type Node, topologicalOrder } from "./graph.js";
import { attentionEvaluators } from "./interpret/attention.js";
import { contractEvaluators } from "./interpret/contract.js";
import { indexEvaluators } from "./interpret/indexing.js";
import { linalgEvaluators } from "./interpret/linalg.js";
import { pointwise } from "./interpret/pointwise.js";
import { reduceEvaluators } from "./interpret/reduce.js";
import { scanEvaluators } from "./interpret/scan.js";
import type { Evaluator } from "./interpret/strided.js";
import { viewEvaluators } from "./interpret/view.js";
import { windowEvaluators } from "./interpret/window.js";
import { classOf, type PointwiseName, type PrimitiveName } from "./primitives.js";

/** Every primitive that is not pointwise has its loop here; the type says if one is missing. */
const evaluators: Record<Exclude<PrimitiveName, PointwiseName | "input">, Evaluator<never>> = {
  ...viewEvaluators,
  ...reduceEvaluators,
  ...contractEvaluators,
  ...windowEvaluators,
  ...scanEvaluators,
  ...indexEvaluators,
  ...linalgEvaluators,
  ...attentionEvaluators,
};

function evaluateNode(node: Node, inputs: readonly Float64Array[]): Float64Array {
  if (classOf(node.primitive) === "pointwise")
    return pointwise(node as Node<PointwiseName>, inputs);
  const evaluate = evaluators[node.primitive as keyof typeof evaluators] as Evaluator;
  return evaluate(node, inputs);
}

/**
 * A float32 node's values as float32 holds them. Comparisons inside a program then see what they see where the values were
 * stored between two programs: the largest element finds itself in the gradient.
 */
function round({ dtype }: Node, values: Float64Array): Float64Array {
  return dtype === "float32" ? Float64Array.from(new Float32Array(values)) : values;
}

/** Runs the graph on row-major float64 arrays, one an input, and gives one an output. */
export function interpret(graph: Graph, inputs: readonly Float64Array[]): Float64Array[] {
  const values = new Map<Node, Float64Array>();
  graph.inputs.forEach((node, i) => values.set(node, inputs[i]!));
  for (const node of topologicalOrder(graph.outputs)) {
    if (node.primitive === "input") continue;
    const operands = node.inputs.map((x) => values.get(x)!);
    values.set(node, round(node, evaluateNode(node, operands)));
  }
  return graph.outputs.map((node) => values.get(node)!);
}
