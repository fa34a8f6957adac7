/**
 * Encodes loops over an index space: fused kernels, and the copies that padding and concatenation are made of. Dims that every
 * operand walks as one are joined, so that most loops have one or two.
 */
import { type Shape, sizeOf, stridesOf } from "../../../core/shape.js";
import { is, type Node } from "../../../ir/graph.js";
import { type Access, accessOf, isCopy } from "../../../ir/passes/access.js";
import type { FusedKernel } from "../../../ir/passes/fuse.js";
import { opcodeOf } from "../../../ir/primitives.js";
import { dtypeCode, type ProgramWriter, type Target } from "./writer.js";

interface Walk {
  readonly buffer: number;
  readonly offset: number;
  strides: readonly number[];
}

/** A loop being put together: what it loads, computes, stores and folds. */
class Loop {
  private readonly inputs: Walk[] = [];
  private readonly constants: [dtype: number, index: number][] = [];
  private readonly operations: number[][] = [];
  private readonly outputs: (Walk & { register: () => number })[] = [];
  private readonly reductions: (Walk & { register: () => number; primitive: number })[] = [];
  private readonly known = new Map<string, () => number>();
  private readonly out: ProgramWriter;
  private readonly shape: Shape;
  private readonly reduced: readonly number[];

  constructor(out: ProgramWriter, shape: Shape, reduced: readonly number[] = []) {
    this.out = out;
    this.shape = shape;
    this.reduced = reduced;
  }

  /** Register numbers are known only when all inputs and constants are, hence the function. */
  private once(key: string, make: () => () => number): () => number {
    let register = this.known.get(key);
    if (!register) {
      register = make();
      this.known.set(key, register);
    }
    return register;
  }

  private constant(dtype: number, value: number): () => number {
    return this.once(`constant ${dtype} ${Object.is(value, -0) ? "-0" : value}`, () => {
      const at = this.constants.push([dtype, this.out.constant(value)]) - 1;
      return () => this.inputs.length + at;
    });
  }

  /** The register that holds what an access reads. */
  load({ base, offset, strides }: Access): () => number {
    if (is(base, "constant")) return this.constant(dtypeCode(base.dtype), base.attributes.value);
    const buffer = is(base, "iota") ? -1 : this.out.buffer(base);
    const ramp = this.once(`load ${buffer} ${offset} ${strides}`, () => {
      const at = this.inputs.push({ buffer, offset, strides }) - 1;
      return () => at;
    });
    if (buffer >= 0 || base.dtype === "int32") return ramp;
    return this.once(`ramp ${base.dtype} ${offset} ${strides}`, () =>
      this.operate(opcodeOf("convert"), dtypeCode("int32"), dtypeCode(base.dtype), [ramp]),
    );
  }

  private operate(
    opcode: number,
    operandDtype: number,
    resultDtype: number,
    operands: readonly (() => number)[],
  ): () => number {
    const at = this.operations.length;
    this.operations.push([opcode, operandDtype, resultDtype]);
    this.operands.push(operands);
    return () => this.inputs.length + this.constants.length + at;
  }

  private readonly operands: (readonly (() => number)[])[] = [];

  compute(node: Node, operands: readonly (() => number)[]): () => number {
    // The operand dtype of a select is its branches'.
    const operand = node.primitive === "select" ? node.dtype : node.inputs[0]!.dtype;
    return this.operate(
      opcodeOf(node.primitive),
      dtypeCode(operand),
      dtypeCode(node.dtype),
      operands,
    );
  }

  store(target: Target, register: () => number, strides: readonly number[], offset = 0): void {
    this.outputs.push({ buffer: this.out.buffer(target), offset, register, strides });
  }

  reduce(node: Node, register: () => number): void {
    const packed = stridesOf(node.shape);
    let at = 0;
    const strides = this.shape.map((_, i) => (this.reduced.includes(i) ? 0 : packed[at++]!));
    const primitive = opcodeOf(node.primitive);
    this.reductions.push({
      primitive,
      buffer: this.out.buffer(node),
      offset: 0,
      register,
      strides,
    });
  }

  /** Drops dims of size 1 and joins neighbours that all operands walk as one. */
  private join(): { dims: number[]; flags: number[] } {
    const walks = [...this.inputs, ...this.outputs, ...this.reductions];
    const dims: number[] = [];
    const flags: number[] = [];
    const kept: number[] = [];
    this.shape.forEach((n, i) => {
      if (n === 1) return;
      const flag = Number(this.reduced.includes(i));
      const last = kept.at(-1);
      const joins =
        last !== undefined &&
        flags.at(-1) === flag &&
        walks.every(({ strides }) => strides[last] === strides[i]! * n);
      if (joins) {
        dims[dims.length - 1]! *= n;
        kept[kept.length - 1] = i;
      } else {
        dims.push(n);
        flags.push(flag);
        kept.push(i);
      }
    });
    for (const walk of walks) walk.strides = kept.map((i) => walk.strides[i]!);
    return { dims, flags };
  }

  finish(node: Node): void {
    const { dims, flags } = this.join();
    const walk = ({ buffer, offset }: Walk) => [buffer, offset];
    const operations = this.operations.flatMap((words, i) => {
      const registers = this.operands[i]!.map((register) => register());
      return [...words, ...[0, 1, 2].map((k) => registers[k] ?? -1)];
    });
    this.out.instruction("fused", node, [
      dims.length,
      ...dims,
      ...flags,
      this.inputs.length,
      ...this.inputs.flatMap((w) => [...walk(w), ...w.strides]),
      this.constants.length,
      ...this.constants.flat(),
      this.operations.length,
      ...operations,
      this.outputs.length,
      ...this.outputs.flatMap((w) => [...walk(w), w.register(), ...w.strides]),
      this.reductions.length,
      ...this.reductions.flatMap((w) => [w.primitive, ...walk(w), w.register(), ...w.strides]),
    ]);
  }
}

export function encodeFused(out: ProgramWriter, kernel: FusedKernel): void {
  const loop = new Loop(out, kernel.shape, kernel.reductions[0]?.attributes.dims);
  const registers = new Map<Node, () => number>();
  const read = (x: Node) => registers.get(x) ?? loop.load(accessOf(x) as Access);
  for (const node of kernel.members) {
    const operands = node.inputs.map(read);
    registers.set(node, isCopy(node) ? operands[0]! : loop.compute(node, operands));
  }
  for (const node of kernel.stored) loop.store(node, registers.get(node)!, stridesOf(kernel.shape));
  for (const node of kernel.reductions) loop.reduce(node, read(node.inputs[0]!));
  loop.finish(kernel.reductions[0] ?? kernel.members.at(-1)!);
}

/** Copies a whole value to an external slot. */
export function encodeCopy(out: ProgramWriter, node: Node, target: Target): void {
  if (sizeOf(node.shape) === 0) return;
  const strides = stridesOf(node.shape);
  const loop = new Loop(out, node.shape);
  loop.store(target, loop.load({ base: node, offset: 0, strides }), strides);
  loop.finish(node);
}

/** Copies `source`'s elements to strided places of `target`. */
function copyInto(
  out: ProgramWriter,
  source: Node,
  target: Node,
  strides: readonly number[],
  offset: number,
): void {
  if (sizeOf(source.shape) === 0) return;
  const loop = new Loop(out, source.shape);
  loop.store(target, loop.load(accessOf(source) as Access), strides, offset);
  loop.finish(target);
}

function encodePad(out: ProgramWriter, node: Node<"pad">): void {
  const { low, interior, value } = node.attributes;
  const strides = stridesOf(node.shape);
  const fill = new Loop(out, node.shape);
  const constant = { primitive: "constant", dtype: node.dtype, attributes: { value } } as Node;
  fill.store(node, fill.load({ base: constant, offset: 0, strides: [] }), strides);
  fill.finish(node);
  const offset = low.reduce((sum, n, i) => sum + n * strides[i]!, 0);
  const steps = strides.map((s, i) => s * (interior[i]! + 1));
  copyInto(out, node.inputs[0]!, node, steps, offset);
}

function encodeConcatenate(out: ProgramWriter, node: Node<"concatenate">): void {
  const strides = stridesOf(node.shape);
  const { dim } = node.attributes;
  let from = 0;
  for (const x of node.inputs) {
    copyInto(out, x, node, strides, from * strides[dim]!);
    from += x.shape[dim]!;
  }
}

export const moveEncoders = { pad: encodePad, concatenate: encodeConcatenate };
