/** Collects the buffers, instructions and constants of a program being encoded. */
import { type DType, dtypeTable } from "../../../core/dtype.js";
import { sizeOf } from "../../../core/shape.js";
import type { Node } from "../../../ir/graph.js";
import { type Access, accessOf } from "../../../ir/passes/access.js";
import type { Plan } from "../../../ir/passes/plan.js";
import { headerWords, type KernelName, kernelCode, magic, version } from "../format.js";

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
export function operand(out: ProgramWriter, node: Node): [number, number] {
  const { base, offset } = accessOf(node) as Access;
  return [out.buffer(base), offset];
}
