/** Encodes attention, whose operands are walked by strides. */
import {
  attentionGradParts,
  attentionLogSums,
  attentionResult,
  dropThreshold,
  keepFactor,
} from "../../../ir/attentionNodes.js";
import { Builder } from "../../../ir/builder.js";
import type { Node } from "../../../ir/graph.js";
import { type Access, accessOf } from "../../../ir/passes/access.js";
import { attentionSizes } from "../../../ir/primitives/attention.js";
import type { ProgramWriter } from "./writer.js";

/** Buffer, offset and a stride a dim, 0 where the operand is stretched. */
function walked(out: ProgramWriter, node: Node): number[] {
  const { base, offset, strides } = accessOf(node) as Access;
  return [out.buffer(base), offset, ...strides.map((step, d) => (node.shape[d] === 1 ? 0 : step))];
}

function encodeAttention(out: ProgramWriter, node: Node<"attention" | "attentionGrad">): void {
  const { scale, causal, hasMask, dropoutP } = node.attributes;
  const sizes = attentionSizes(node.inputs);
  const { batch, queries, keys, width, values } = sizes;
  const isGrad = node.primitive === "attentionGrad";
  const extras = node.inputs.slice(isGrad ? 5 : 3);
  const mask = hasMask ? extras[0]! : null;
  const forward = isGrad ? node.inputs[3]! : node;
  const b = new Builder();
  const rows = [
    ...node.inputs.slice(0, 3),
    attentionResult(b, forward, sizes),
    attentionLogSums(b, forward, sizes),
    ...extras,
    ...(isGrad ? [node.inputs[4]!, ...attentionGradParts(b, node, sizes)] : []),
  ];
  out.instruction(node.primitive, node, [
    ...[batch.length, ...batch, queries, keys, width, values],
    ...[Number(causal), mask ? (mask.dtype === "bool" ? 1 : 2) : 0, Number(dropoutP > 0)],
    ...[dropThreshold(dropoutP), out.constant(scale), out.constant(keepFactor(dropoutP))],
    ...rows.flatMap((x) => walked(out, x)),
  ]);
}

export const attentionEncoders = { attention: encodeAttention, attentionGrad: encodeAttention };
