/** Encodes primitives along one dim. */
import { around } from "../../../core/shape.js";
import type { Node } from "../../../ir/graph.js";
import { operand, type ProgramWriter } from "./writer.js";

const kinds = ["cumulativeSum", "cumulativeProduct", "cumulativeArgMax", "cumulativeArgMin"];

type ScanNode = Node<
  "cumulativeSum" | "cumulativeProduct" | "cumulativeArgMax" | "cumulativeArgMin"
>;

const line = (out: ProgramWriter, node: Node, dim: number): number[] => {
  const [x] = node.inputs as [Node];
  return [...around(x.shape, dim), ...operand(out, x), ...operand(out, node)];
};

function encodeScan(out: ProgramWriter, node: ScanNode): void {
  const { attributes } = node;
  const reverse = Number("reverse" in attributes && attributes.reverse);
  const payload = [kinds.indexOf(node.primitive), reverse, ...line(out, node, attributes.dim)];
  out.instruction("scan", node, payload);
}

function encodeSort(out: ProgramWriter, node: Node<"argSort">): void {
  const { descending, dim } = node.attributes;
  out.instruction("argSort", node, [Number(descending), ...line(out, node, dim)]);
}

export const scanEncoders = {
  cumulativeSum: encodeScan,
  cumulativeProduct: encodeScan,
  cumulativeArgMax: encodeScan,
  cumulativeArgMin: encodeScan,
  argSort: encodeSort,
};
