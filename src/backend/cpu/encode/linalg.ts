/** Encodes factorizations and solvers of batched matrices. */
import { sizeOf } from "../../../core/shape.js";
import { is, type Node } from "../../../ir/graph.js";
import { operand, type ProgramWriter } from "./writer.js";

const kinds = ["cholesky", "determinant", "eigh", "qr", "svd"] as const;

type FactorNode = Node<(typeof kinds)[number]>;

function encodeFactor(out: ProgramWriter, node: FactorNode): void {
  const [x] = node.inputs as [Node];
  const sizes = [sizeOf(x.shape.slice(0, -2)), ...x.shape.slice(-2)];
  const operands = [...operand(out, x), ...operand(out, node)];
  out.instruction("factor", node, [kinds.indexOf(node.primitive), ...sizes, ...operands]);
}

function encodeSolve(out: ProgramWriter, node: Node<"solve" | "triangularSolve">): void {
  const [a, b] = node.inputs as [Node, Node];
  const flags = is(node, "triangularSolve")
    ? [1, node.attributes.lower, node.attributes.unitDiagonal, node.attributes.transpose]
    : [0, 0, 0, 0];
  const sizes = [sizeOf(b.shape.slice(0, -2)), ...b.shape.slice(-2)];
  const operands = [a, b, node].flatMap((x) => operand(out, x));
  out.instruction("solve", node, [...flags.map(Number), ...sizes, ...operands]);
}

export const linalgEncoders = {
  cholesky: encodeFactor,
  determinant: encodeFactor,
  eigh: encodeFactor,
  qr: encodeFactor,
  svd: encodeFactor,
  solve: encodeSolve,
  triangularSolve: encodeSolve,
};
