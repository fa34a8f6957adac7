/**
 * Checks a plan by itself, from the meaning of kernels alone: it walks the kernels in order over a picture of the memory that says
 * which value each place holds, and finds every read of a place that holds something else.
 */
import { bytesPerElement } from "../../src/core/dtype.js";
import { sizeOf, stridesOf } from "../../src/core/shape.js";
import type { Graph, Node } from "../../src/ir/graph.js";
import { type Access, accessOf, hasMemory } from "../../src/ir/passes/access.js";
import { type Kernel, readAccesses, written } from "../../src/ir/passes/fuse.js";
import type { Aliases, Plan } from "../../src/ir/passes/plan.js";

const unit = 64;

interface Stretch {
  /** An array of the caller's, or the arena. */
  readonly memory: string;
  readonly start: number;
  readonly end: number;
}

/** Which value each unit of each memory holds; no two values share a unit. */
class Memory {
  private readonly units = new Map<string, (Node | undefined)[]>();

  write({ memory, start, end }: Stretch, node: Node): void {
    const list = this.units.get(memory) ?? [];
    for (let i = start / unit; i < end / unit; i++) list[i] = node;
    this.units.set(memory, list);
  }

  holds({ memory, start, end }: Stretch, node: Node): boolean {
    const list = this.units.get(memory) ?? [];
    for (let i = start / unit; i < end / unit; i++) if (list[i] !== node) return false;
    return true;
  }
}

function stretchOf(
  plan: Plan,
  node: Node,
  sharedSlots: ReadonlyMap<number, number>,
): Stretch | null {
  const bytes = sizeOf(node.shape) * bytesPerElement(node.dtype);
  const place = plan.places.get(node);
  if (!place) return null;
  if (place.kind === "external") {
    const slot = sharedSlots.get(place.slot) ?? place.slot;
    return { memory: `slot ${slot}`, start: 0, end: bytes };
  }
  const start = place.offset * unit;
  return { memory: "arena", start, end: start + bytes };
}

const nodesOf = (kernel: Kernel): readonly Node[] =>
  kernel.kind === "single" ? [kernel.node] : [...kernel.members, ...kernel.reductions];

const mayFail = (kernel: Kernel): boolean =>
  kernel.kind === "single" && ["gather", "scatterAdd"].includes(kernel.node.primitive);

const overlap = (a: Stretch, b: Stretch): boolean =>
  a.memory === b.memory && a.start < b.end && b.start < a.end;

/**
 * A fused kernel may write over what it reads only element by element at the same places, where nothing keeps the value
 * read beyond the operations of that element.
 */
function mayShare(kernel: Kernel, read: Access, target: Node): boolean {
  if (kernel.kind !== "fused" || !kernel.stored.includes(target)) return false;
  const packed = stridesOf(kernel.shape);
  const sameWidth = bytesPerElement(read.base.dtype) === bytesPerElement(target.dtype);
  const inStep =
    read.offset === 0 && kernel.shape.every((n, i) => n === 1 || read.strides[i] === packed[i]);
  const folded = kernel.reductions.some(({ inputs }) => {
    const operand = inputs[0]!;
    return !kernel.members.includes(operand) && (accessOf(operand) as Access).base === read.base;
  });
  return sameWidth && inStep && !folded;
}

function checkKernel(
  plan: Plan,
  kernel: Kernel,
  at: number,
  memory: Memory,
  place: (node: Node) => Stretch | null,
): string[] {
  const found: string[] = [];
  const reads = readAccesses(kernel);
  for (const { base } of reads) {
    const stretch = place(base);
    if (!stretch) found.push(`kernel ${at} reads %${base.id}, which has no place`);
    else if (!memory.holds(stretch, base))
      found.push(`kernel ${at} reads %${base.id} where another value is`);
  }
  const targets = written(kernel).map((node) => [node, place(node)] as const);
  for (const [node, target] of targets) {
    if (!target) {
      found.push(`kernel ${at} writes %${node.id}, which has no place`);
      continue;
    }
    for (const read of reads) {
      const source = place(read.base);
      if (source && overlap(source, target) && !mayShare(kernel, read, node))
        found.push(`kernel ${at} writes %${node.id} over %${read.base.id}, which it still reads`);
    }
    for (const [other, stretch] of targets)
      if (other !== node && stretch && overlap(stretch, target))
        found.push(`kernel ${at} writes %${node.id} and %${other.id} to one place`);
  }
  for (const [node, target] of targets) if (target) memory.write(target, node);
  if (plan.kernels.some((x) => x !== kernel && nodesOf(x).some((n) => nodesOf(kernel).includes(n))))
    found.push(`kernel ${at} shares a node with another`);
  return found;
}

/** Everything that is wrong with a plan of a materialized graph. */
export function findPlanFaults(graph: Graph, plan: Plan, aliases: Aliases = []): string[] {
  const shared = new Map<number, number>();
  for (const [output, input] of aliases)
    if (input >= 0) shared.set(graph.inputs.length + output, input);
  const place = (node: Node) => stretchOf(plan, node, shared);
  const memory = new Memory();
  for (const node of graph.inputs) memory.write(place(node)!, node);
  const lastFailure = plan.kernels.findLastIndex(mayFail);
  const kept = new Set(aliases.map(([output]) => graph.inputs.length + output));
  const found: string[] = [];
  plan.kernels.forEach((kernel, at) => {
    found.push(...checkKernel(plan, kernel, at, memory, place));
    for (const node of written(kernel)) {
      const target = plan.places.get(node);
      if (at <= lastFailure && target?.kind === "external" && kept.has(target.slot))
        found.push(
          `kernel ${at} changes slot ${target.slot} before kernel ${lastFailure}, which may fail`,
        );
      const stretch = place(node);
      if (stretch?.memory === "arena" && stretch.end > plan.arenaUnits * unit)
        found.push(`%${node.id} ends outside of the arena`);
    }
  });
  const copied = new Map(plan.copies.map(([node, slot]) => [slot, node]));
  for (const [node, slot] of plan.copies) {
    if (!memory.holds(place(node)!, node))
      found.push(`%${node.id} is gone before it is copied to slot ${slot}`);
  }
  graph.outputs.forEach((node, i) => {
    const slot = graph.inputs.length + i;
    if (copied.get(slot) === node || sizeOf(node.shape) === 0) return;
    const stretch = place(node)!;
    if (!memory.holds(stretch, node)) found.push(`output ${i} is overwritten`);
    const target = plan.places.get(node);
    if (target?.kind !== "external" || target.slot !== slot)
      found.push(`output ${i} is not in its slot`);
  });
  return found;
}

/** Kernels by what they read: a kernel's depth must be over that of each it reads, and order must follow. */
export function findOrderFaults(plan: Plan): string[] {
  const home = new Map<Node, number>();
  plan.kernels.forEach((kernel, at) => {
    for (const node of nodesOf(kernel)) home.set(node, at);
  });
  const found: string[] = [];
  plan.kernels.forEach((kernel, at) => {
    const inside = new Set(nodesOf(kernel));
    for (const node of inside)
      for (const input of node.inputs) {
        if (inside.has(input) && !input.primitive.startsWith("reduce")) continue;
        const access = accessOf(input);
        if (!access || !hasMemory(access)) continue;
        const from = home.get(access.base);
        if (from === undefined) continue;
        if (from >= at) found.push(`kernel ${at} reads %${access.base.id} of kernel ${from}`);
        if (plan.kernels[from]!.depth >= kernel.depth)
          found.push(
            `kernel ${at} of depth ${kernel.depth} reads one of depth ${plan.kernels[from]!.depth}`,
          );
      }
  });
  return found;
}
