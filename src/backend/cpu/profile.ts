/**
 * Where a program's time goes: while profiling is on, programs that are prepared are kept here with a label for each of
 * their instructions, and the engine notes how long each takes. For measurements; read ../../../bench/profile.ts next.
 */
import { formatShape } from "../../core/shape.js";
import type { Node } from "../../ir/graph.js";
import { type Kernel, nodesOf } from "../../ir/passes/fuse.js";
import type { Plan } from "../../ir/passes/plan.js";
import type { EncodedProgram } from "./encode.js";
import type { CpuModule, LoadedProgram } from "./module.js";

/** What one instruction of a program is, and the milliseconds that it has taken so far. */
export interface InstructionTime {
  readonly label: string;
  readonly ms: number;
}

interface Kept {
  readonly loaded: LoadedProgram;
  readonly labels: readonly string[];
}

const kept: Kept[] = [];
let isOn = false;

/** Makes the engine note times from now on, of programs that are prepared from now on. */
export function startProfiling(module: CpuModule): void {
  module.setProfiling?.(true);
  kept.length = 0;
  isOn = true;
}

function labelOf(kernel: Kernel | undefined, node: Node): string {
  if (kernel?.kind !== "fused") {
    const shapes = node.inputs.map((x) => formatShape(x.shape)).join(" ");
    return `${node.primitive} ${shapes} → ${formatShape(node.shape)}  # ${node.origin}`;
  }
  const origins = [...new Set(nodesOf(kernel).map(({ origin }) => origin))].join(", ");
  const counts = `${kernel.members.length} operations, ${kernel.stored.length} stored`;
  const dims = kernel.reductions.length > 0 ? `, ${kernel.reductions.length} reductions` : "";
  return `fused ${formatShape(kernel.shape)} (${counts}${dims})  # ${origins}`;
}

/** Keeps a program that was prepared, if profiling is on. */
export function keepForProfile(plan: Plan, program: EncodedProgram, loaded: LoadedProgram): void {
  if (!isOn) return;
  const kernelOf = new Map(
    plan.kernels.flatMap((kernel) => nodesOf(kernel).map((node) => [node, kernel] as const)),
  );
  const labels = program.origins.map((node) => labelOf(kernelOf.get(node), node));
  kept.push({ loaded, labels });
}

/** The times of every program kept, an entry each. */
export const profiles = (): InstructionTime[][] =>
  kept.map(({ loaded, labels }) => {
    const times = loaded.times?.() ?? [];
    return labels.map((label, i) => ({ label, ms: times[i] ?? 0 }));
  });
