/**
 * Writes a plan as the words that the C++ engine reads; docs/program-format.md defines them. Fused kernels are in encodeFused.ts.
 */
import { type DType, dtypeTable } from "../../core/dtype.js";
import { sizeOf, stridesOf } from "../../core/shape.js";
import { is, type Node } from "../../ir/graph.js";
import { type Access, accessOf, joinedStride } from "../../ir/passes/access.js";
import type { Plan } from "../../ir/passes/plan.js";
import { freeDims, type WindowAttributes } from "../../ir/primitives/contract.js";
import { encodeConcatenate, encodeCopy, encodeFused, encodePad } from "./encodeFused.js";
import { headerWords, type KernelName, kernelCode, magic, version } from "./format.js";

export interface EncodedProgram {
  readonly words: Int32Array<ArrayBuffer>;
  readonly constants: Float64Array<ArrayBuffer>;
  /** The node behind each instruction, for messages. */
  readonly origins: readonly Node[];
}

/** A buffer that an instruction names: a value's place, or an external slot by itself. */
export type Target = Node | { readonly slot: number; readonly like: Node };

/** Collects buffers, instructions and constants. */
export class ProgramWriter {
  readonly origins: Node[] = [];
  private readonly plan: Plan;
  private readonly buffers: number[] = [];
  private readonly numbers = new Map<string, number>();
  private readonly code: number[] = [];
  private readonly constants: number[] = [];

  constructor(plan: Plan) {
    this.plan = plan;
    // Every slot gets a buffer, also of an input that no kernel reads: the engine checks each array it is given.
    plan.externals.forEach((like, slot) => this.buffer({ slot, like }));
  }

  /** The number of a value's buffer. */
  buffer(target: Target): number {
    const node = "slot" in target ? target.like : target;
    const place =
      "slot" in target
        ? ({ kind: "external", slot: target.slot } as const)
        : this.plan.places.get(target)!;
    const [kind, at] = place.kind === "arena" ? [0, place.offset] : [1, place.slot];
    const fields = [kind, at, sizeOf(node.shape), dtypeTable[node.dtype].code];
    const key = fields.join();
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.numbers.size;
      this.numbers.set(key, number);
      this.buffers.push(...fields);
    }
    return number;
  }

  constant(value: number): number {
    const at = this.constants.findIndex((known) => Object.is(known, value));
    return at >= 0 ? at : this.constants.push(value) - 1;
  }

  instruction(kernel: KernelName, node: Node, payload: readonly number[]): void {
    const origin = this.origins.push(node) - 1;
    this.code.push(kernelCode(kernel), payload.length + 3, origin, ...payload);
  }

  finish(): EncodedProgram {
    const total = headerWords + this.buffers.length + this.code.length;
    const header = [
      magic,
      version,
      total,
      this.numbers.size,
      this.plan.externals.length,
      this.origins.length,
      this.plan.arenaUnits,
      this.constants.length,
    ];
    return {
      words: Int32Array.from([...header, ...this.buffers, ...this.code]),
      constants: Float64Array.from(this.constants),
      origins: this.origins,
    };
  }
}

export const dtypeCode = (dtype: DType): number => dtypeTable[dtype].code;

/** Buffer and offset of a contiguous operand. */
function operand(out: ProgramWriter, node: Node): [number, number] {
  const { base, offset } = accessOf(node) as Access;
  return [out.buffer(base), offset];
}

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

const windowWords = (
  input: readonly number[],
  kernel: readonly number[],
  output: readonly number[],
  { strides, padLow, dilation }: WindowAttributes,
): number[] => [...input, ...kernel, ...output, ...strides, ...padLow, ...dilation];

function encodeWindow(out: ProgramWriter, node: Node<"windowArgMax">): void {
  const [x] = node.inputs as [Node];
  const [planes, ...input] = x.shape as [number, ...number[]];
  out.instruction("windowArgMax", node, [
    ...[input.length, planes],
    ...windowWords(input, node.attributes.kernelSizes, node.shape.slice(1), node.attributes),
    ...[...operand(out, x), ...operand(out, node)],
  ]);
}

/** Sizes before, at and after a dim. */
const around = (shape: readonly number[], dim: number): [number, number, number] => [
  sizeOf(shape.slice(0, dim)),
  shape[dim]!,
  sizeOf(shape.slice(dim + 1)),
];

function encodeIndex(out: ProgramWriter, node: Node<"gather" | "scatterAdd">): void {
  const [x, indices] = node.inputs as [Node, Node];
  const { dim } = node.attributes;
  const [outer, , inner] = around(indices.shape, dim);
  const size = is(node, "gather") ? x.shape[dim]! : node.shape[dim]!;
  const operands = [x, indices, node].flatMap((value) => operand(out, value));
  out.instruction(node.primitive, node, [outer, size, inner, indices.shape[dim]!, ...operands]);
}

function encodeSingle(out: ProgramWriter, node: Node): void {
  if (is(node, "dotGeneral")) encodeDot(out, node);
  else if (is(node, "windowArgMax")) encodeWindow(out, node);
  else if (is(node, "gather") || is(node, "scatterAdd")) encodeIndex(out, node);
  else if (is(node, "pad")) encodePad(out, node);
  else if (is(node, "concatenate")) encodeConcatenate(out, node);
  else if (is(node, "argMax") || is(node, "argMin")) {
    const [x] = node.inputs as [Node];
    const kind = Number(node.primitive === "argMin");
    const sizes = around(x.shape, node.attributes.dim);
    out.instruction("argReduce", node, [
      kind,
      ...sizes,
      ...operand(out, x),
      ...operand(out, node),
    ]);
  } else if (is(node, "randomBits")) {
    const operands = [...operand(out, node.inputs[0]!), ...operand(out, node)];
    out.instruction("randomBits", node, [sizeOf(node.shape), ...operands]);
  } else encodeConvolution(out, node as ConvolutionNode);
}

export function encode(plan: Plan): EncodedProgram {
  const out = new ProgramWriter(plan);
  for (const kernel of plan.kernels) {
    if (kernel.kind === "fused") encodeFused(out, kernel);
    else encodeSingle(out, kernel.node);
  }
  for (const [node, slot] of plan.copies) encodeCopy(out, node, { slot, like: node });
  return out.finish();
}
