/**
 * Writes a plan as the words that the C++ engine reads; docs/program-format.md defines them. What each kernel's words are is in
 * encode/, a file a family.
 */
import type { Node, PrimitiveName } from "../../ir/graph.js";
import type { Plan } from "../../ir/passes/plan.js";
import type { PointwiseName } from "../../ir/primitives.js";
import { attentionEncoders } from "./encode/attention.js";
import { contractEncoders } from "./encode/contract.js";
import { encodeCopy, encodeFused, moveEncoders } from "./encode/fused.js";
import { indexEncoders } from "./encode/indexing.js";
import { linalgEncoders } from "./encode/linalg.js";
import { scanEncoders } from "./encode/scan.js";
import { windowEncoders } from "./encode/window.js";
import { type EncodedProgram, ProgramWriter } from "./encode/writer.js";

export type { EncodedProgram };

/** Primitives that never are a kernel by themselves: they run inside of fused ones, or are walks. */
type NeverAlone =
  | PointwiseName
  | ("input" | "constant" | "iota")
  | ("reshape" | "transpose" | "broadcastInDim" | "slice" | "reverse")
  | ("reduceSum" | "reduceProduct" | "reduceMax" | "reduceMin");

type Encoder<N extends Node = Node> = (out: ProgramWriter, node: N) => void;

/** The type says if a primitive is missing. */
const encoders: Record<Exclude<PrimitiveName, NeverAlone>, Encoder<never>> = {
  ...moveEncoders,
  ...contractEncoders,
  ...windowEncoders,
  ...scanEncoders,
  ...indexEncoders,
  ...linalgEncoders,
  ...attentionEncoders,
};

export function encode(plan: Plan): EncodedProgram {
  const out = new ProgramWriter(plan);
  for (const kernel of plan.kernels) {
    if (kernel.kind === "fused") {
      encodeFused(out, kernel);
      continue;
    }
    const write = encoders[kernel.node.primitive as keyof typeof encoders] as Encoder;
    write(out, kernel.node);
  }
  for (const [node, slot] of plan.copies) encodeCopy(out, node, { slot, like: node });
  return out.finish();
}
