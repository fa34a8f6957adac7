/** Encodes primitives that read or write where another value says, choices along a dim, and random bits. */
import { around, sizeOf } from "../../../core/shape.js";
import { is, type Node } from "../../../ir/graph.js";
import { operand, type ProgramWriter } from "./writer.js";

function encodeIndex(out: ProgramWriter, node: Node<"gather" | "scatterAdd">): void {
  const [x, indices] = node.inputs as [Node, Node];
  const { dim } = node.attributes;
  const [outer, , inner] = around(indices.shape, dim);
  const size = is(node, "gather") ? x.shape[dim]! : node.shape[dim]!;
  const operands = [x, indices, node].flatMap((value) => operand(out, value));
  out.instruction(node.primitive, node, [outer, size, inner, indices.shape[dim]!, ...operands]);
}

function encodeParts(out: ProgramWriter, node: Node<"indexSelect" | "indexAdd">): void {
  const [x, indices] = node.inputs as [Node, Node];
  const wide = is(node, "indexSelect") ? x : node;
  const sizes = around(wide.shape, node.attributes.dim);
  const operands = [x, indices, node].flatMap((value) => operand(out, value));
  out.instruction(node.primitive, node, [...sizes, indices.shape[0]!, ...operands]);
}

function encodeScatter(out: ProgramWriter, node: Node<"scatter">): void {
  const { dim } = node.attributes;
  const count = node.inputs[1]!.shape[dim]!;
  const operands = [...node.inputs, node].flatMap((value) => operand(out, value));
  out.instruction("scatter", node, [...around(node.shape, dim), count, ...operands]);
}

function encodeArg(out: ProgramWriter, node: Node<"argMax" | "argMin">): void {
  const [x] = node.inputs as [Node];
  const kind = Number(node.primitive === "argMin");
  const sizes = around(x.shape, node.attributes.dim);
  out.instruction("argReduce", node, [kind, ...sizes, ...operand(out, x), ...operand(out, node)]);
}

function encodeRandom(out: ProgramWriter, node: Node<"randomBits">): void {
  const operands = [...operand(out, node.inputs[0]!), ...operand(out, node)];
  out.instruction("randomBits", node, [sizeOf(node.shape), ...operands]);
}

export const indexEncoders = {
  gather: encodeIndex,
  scatterAdd: encodeIndex,
  indexSelect: encodeParts,
  indexAdd: encodeParts,
  scatter: encodeScatter,
  argMax: encodeArg,
  argMin: encodeArg,
  randomBits: encodeRandom,
};
