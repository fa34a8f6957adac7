/** Encodes windows over planes. */
import type { Node } from "../../../ir/graph.js";
import { windowWords } from "./contract.js";
import { operand, type ProgramWriter } from "./writer.js";

type WindowNode = Node<"windowArgMax" | "windowSum" | "windowSumGrad">;

function encodeWindow(out: ProgramWriter, node: WindowNode): void {
  const [x] = node.inputs as [Node];
  const [wide, narrow] = node.primitive === "windowSumGrad" ? [node, x] : [x, node];
  const [planes, ...input] = wide.shape as [number, ...number[]];
  out.instruction(node.primitive, node, [
    ...[input.length, planes],
    ...windowWords(input, node.attributes.kernelSizes, narrow.shape.slice(1), node.attributes),
    ...[...operand(out, x), ...operand(out, node)],
  ]);
}

export const windowEncoders = {
  windowArgMax: encodeWindow,
  windowSum: encodeWindow,
  windowSumGrad: encodeWindow,
};
