/** Encodes products and convolutions. */
import { sizeOf, stridesOf } from "../../../core/shape.js";
import type { Node } from "../../../ir/graph.js";
import { type Access, accessOf, joinedStride } from "../../../ir/passes/access.js";
import { freeDims, type WindowAttributes } from "../../../ir/primitives/contract.js";
import { operand, type ProgramWriter } from "./writer.js";

function encodeDot(out: ProgramWriter, node: Node<"dotGeneral">): void {
  const [x, y] = node.inputs as [Node, Node];
  const { lhsBatch, lhsContract, rhsBatch, rhsContract } = node.attributes;
  const sides = [
    { node: x, batch: lhsBatch, contract: lhsContract },
    { node: y, batch: rhsBatch, contract: rhsContract },
  ].map(({ node: { shape }, node: value, batch, contract }) => {
    const { base, offset, strides } = accessOf(value) as Access;
    const free = freeDims(shape, batch, contract);
    return {
      size: sizeOf(free.map((d) => shape[d]!)),
      inner: sizeOf(contract.map((d) => shape[d]!)),
      place: [out.buffer(base), offset, ...batch.map((d) => strides[d]!)],
      free: joinedStride(shape, strides, free)!,
      contracted: joinedStride(shape, strides, contract)!,
    };
  });
  const [a, b] = sides as [(typeof sides)[0], (typeof sides)[0]];
  const batchDims = lhsBatch.map((d) => x.shape[d]!);
  const batchStrides = stridesOf([...batchDims, a.size * b.size]).slice(0, batchDims.length);
  out.instruction("dot", node, [
    batchDims.length,
    ...batchDims,
    a.size,
    b.size,
    a.inner,
    ...[...a.place, a.free, a.contracted],
    ...[...b.place, b.contracted, b.free],
    ...[out.buffer(node), 0, ...batchStrides, b.size, 1],
  ]);
}

type ConvolutionNode = Node<"convolution" | "convolutionInputGrad" | "convolutionWeightGrad">;

function encodeConvolution(out: ProgramWriter, node: ConvolutionNode): void {
  const [first, second] = node.inputs as [Node, Node];
  const [x, w, y] =
    node.primitive === "convolution"
      ? [first, second, node]
      : node.primitive === "convolutionInputGrad"
        ? [node, second, first]
        : [first, node, second];
  const { groups } = node.attributes;
  out.instruction(node.primitive, node, [
    x.shape.length - 2,
    ...[x.shape[0]!, x.shape[1]!, w.shape[0]!, groups],
    ...windowWords(x.shape.slice(2), w.shape.slice(2), y.shape.slice(2), node.attributes),
    ...[x, w, y].flatMap((value) => operand(out, value)),
  ]);
}

export const windowWords = (
  input: readonly number[],
  kernel: readonly number[],
  output: readonly number[],
  { strides, padLow, dilation }: WindowAttributes,
): number[] => [...input, ...kernel, ...output, ...strides, ...padLow, ...dilation];

export const contractEncoders = {
  dotGeneral: encodeDot,
  convolution: encodeConvolution,
  convolutionInputGrad: encodeConvolution,
  convolutionWeightGrad: encodeConvolution,
};
