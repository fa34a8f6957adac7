/**
 * Puts copies where a kernel cannot walk its operand: a reshape that no strides express, an operand that must be
 * contiguous, and outputs that are views, inputs or given twice. A copy is a `convert` to the same dtype, which fuses like any
 * pointwise primitive.
 */
import type { Builder } from "../builder.js";
import { type Graph, is, type Node } from "../graph.js";
import { freeDims } from "../primitives/contract.js";
import { classOf, type Primitive, primitives } from "../primitives.js";
import { accessOf, hasMemory, isContiguous, joinedStride } from "./access.js";
import { rewrite } from "./rewrite.js";

const copy = (b: Builder, x: Node): Node => b.make("convert", [x], { dtype: x.dtype });

function contiguous(b: Builder, x: Node): Node {
  const access = accessOf(x);
  return access && hasMemory(access) && isContiguous(x.shape, access) ? x : copy(b, x);
}

function walkable(b: Builder, x: Node): Node {
  const access = accessOf(x);
  return access && hasMemory(access) ? x : copy(b, x);
}

/** An operand of a dot product needs one stride over its free dims and one over its contracted dims. */
function dotOperand(
  b: Builder,
  x: Node,
  batch: readonly number[],
  contract: readonly number[],
): Node {
  const access = accessOf(x);
  const free = freeDims(x.shape, batch, contract);
  const walks =
    access &&
    hasMemory(access) &&
    joinedStride(x.shape, access.strides, free) !== null &&
    joinedStride(x.shape, access.strides, contract) !== null;
  if (walks) return x;
  const permutation = [...batch, ...free, ...contract];
  const packed = copy(b, b.transpose(x, permutation));
  return b.transpose(
    packed,
    permutation.map((_, i) => permutation.indexOf(i)),
  );
}

function withInputs(b: Builder, node: Node, inputs: readonly Node[]): Node {
  if (inputs.every((x, i) => x === node.inputs[i])) return node;
  return b.make(node.primitive, inputs, node.attributes as never);
}

function materializeNode(b: Builder, node: Node): Node {
  if (is(node, "dotGeneral")) {
    const { lhsBatch, lhsContract, rhsBatch, rhsContract } = node.attributes;
    const [x, y] = node.inputs as [Node, Node];
    const operands = [
      dotOperand(b, x, lhsBatch, lhsContract),
      dotOperand(b, y, rhsBatch, rhsContract),
    ];
    return withInputs(b, node, operands);
  }
  if (is(node, "reshape") && !accessOf(node))
    return withInputs(b, node, [copy(b, node.inputs[0]!)]);
  const kind = classOf(node.primitive);
  const isWalked = kind === "pointwise" || kind === "view" || kind === "move" || kind === "source";
  if (isWalked || (kind === "reduce" && node.primitive.startsWith("reduce"))) return node;
  const { walksViews }: Primitive = primitives[node.primitive];
  return withInputs(
    b,
    node,
    node.inputs.map((x) => (walksViews ? walkable(b, x) : contiguous(b, x))),
  );
}

/** Every output becomes a computed value of its own. */
function ownOutputs(b: Builder, graph: Graph): Graph {
  const taken = new Set<Node>();
  const outputs = graph.outputs.map((node) => {
    const kind = classOf(node.primitive);
    const isOwn = kind !== "view" && kind !== "source" && !taken.has(node);
    const output = isOwn ? node : copy(b, node);
    taken.add(output);
    return output;
  });
  return { inputs: graph.inputs, outputs };
}

export function materialize(b: Builder, graph: Graph): Graph {
  return ownOutputs(b, rewrite(graph, materializeNode));
}
