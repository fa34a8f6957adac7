/**
 * Sums of cotangents. A value that many nodes read gets many of them, and some kinds are one node together: parts of it side by
 * side are a concatenation, and products and sums of the same form are one over all their terms. Unrolled recurrences
 * are made of these.
 */
import type { Builder } from "../builder.js";
import { is, type Node } from "../graph.js";

/** From so many products on, putting their operands together costs less than adding their results. */
const manyTerms = 4;

/** The dim along which a pad with zeros places its operand; null for any other node. */
function placedDim(node: Node): number | null {
  if (!is(node, "pad")) return null;
  const { low, high, interior, value } = node.attributes;
  const moved = low.flatMap((n, i) => (n !== 0 || high[i] !== 0 ? [i] : []));
  const isPlain = value === 0 && interior.every((n) => n === 0);
  return isPlain && moved.length === 1 && low[moved[0]!]! >= 0 && high[moved[0]!]! >= 0
    ? moved[0]!
    : null;
}

/** The parts of a node along a dim, one after the other, with zeros where there is none; null if parts overlap. */
function besides(b: Builder, pads: readonly Node[], dim: number): Node | null {
  const start = (node: Node) => (node as Node<"pad">).attributes.low[dim]!;
  const sorted = [...pads].sort((x, y) => start(x) - start(y));
  const { shape, dtype } = sorted[0]!;
  const parts: Node[] = [];
  let at = 0;
  const fill = (to: number) => {
    if (to === at) return;
    const gap = shape.map((n, i) => (i === dim ? to - at : n));
    parts.push(b.constant(0, dtype, gap));
  };
  for (const node of sorted) {
    if (start(node) < at) return null;
    fill(start(node));
    parts.push(node.inputs[0]!);
    at = start(node) + node.inputs[0]!.shape[dim]!;
  }
  fill(shape[dim]!);
  return b.make("concatenate", parts, { dim });
}

/** What sums of the same form have in common; null for nodes that are no sums over a dim. */
function termsKey(node: Node): string | null {
  if (is(node, "transpose")) {
    const inner = termsKey(node.inputs[0]!);
    return inner && `${node.attributes.permutation} of ${inner}`;
  }
  if (is(node, "reduceSum") && node.attributes.dims.length > 0)
    return `sum ${node.attributes.dims} of ${node.inputs[0]!.shape}`;
  if (!is(node, "dotGeneral")) return null;
  const { lhsBatch, lhsContract, rhsContract } = node.attributes;
  if (lhsBatch.length > 0 || lhsContract.length === 0) return null;
  return `${lhsContract}·${rhsContract} of ${node.inputs.map((x) => x.shape).join(" ")}`;
}

/** One sum over the terms of all. */
function together(b: Builder, nodes: readonly Node[]): Node {
  const [first] = nodes as [Node];
  const joined = (input: number, dim: number) =>
    b.make(
      "concatenate",
      nodes.map((node) => node.inputs[input]!),
      { dim },
    );
  if (is(first, "transpose")) {
    const inner = nodes.map((node) => node.inputs[0]!);
    return b.transpose(together(b, inner), first.attributes.permutation);
  }
  if (is(first, "reduceSum")) {
    const { dims } = first.attributes;
    return b.reshape(b.reduce("reduceSum", joined(0, dims[0]!), dims), first.shape);
  }
  const { attributes } = first as Node<"dotGeneral">;
  const operands = [joined(0, attributes.lhsContract[0]!), joined(1, attributes.rhsContract[0]!)];
  return b.make("dotGeneral", operands, attributes);
}

function groups<K>(nodes: readonly Node[], keyOf: (node: Node) => K | null): Map<K | null, Node[]> {
  const found = new Map<K | null, Node[]>();
  for (const node of nodes) {
    const key = keyOf(node);
    const group = found.get(key);
    if (group) group.push(node);
    else found.set(key, [node]);
  }
  return found;
}

/** The sum of all contributions to a cotangent. */
export function sumOf(b: Builder, contributions: readonly Node[]): Node {
  if (contributions.length === 1) return contributions[0]!;
  const rest: Node[] = [];
  for (const [dim, nodes] of groups(contributions, placedDim)) {
    const whole = dim !== null && nodes.length > 1 ? besides(b, nodes, dim) : null;
    rest.push(...(whole ? [whole] : nodes));
  }
  const sums: Node[] = [];
  for (const [key, nodes] of groups(rest, termsKey))
    sums.push(...(key !== null && nodes.length >= manyTerms ? [together(b, nodes)] : nodes));
  return sums.reduce((sum, node) => b.add(sum, node));
}
