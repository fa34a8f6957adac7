/**
 * The tape: which routine made a tensor and from what, kept while gradients are recorded in eager mode. Read autograd.ts next.
 */
import { GradusError } from "../core/errors.js";
import type { BackwardSource, Variant } from "./routine.js";
import type { Tensor } from "./tensor.js";

/** Output `index` of a recorded call. */
export interface TapeLink {
  readonly node: TapeNode;
  readonly index: number;
}

/** Where the gradient of an input goes on to: a leaf, or the call that made the input. */
export type TapeEdge = { readonly leaf: Tensor } | { readonly link: TapeLink } | null;

interface Saved {
  readonly tensor: Tensor;
  readonly version: number;
}

let nextSequence = 0;

/** One recorded call of a routine. Sequence numbers rise, so that falling order visits consumers first. */
export class TapeNode {
  readonly sequence = nextSequence++;
  readonly variant: Variant;
  readonly edges: readonly TapeEdge[];
  readonly wanted: readonly boolean[];
  private saved: Map<string, Saved> | null;

  constructor(
    variant: Variant,
    wanted: readonly boolean[],
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
  ) {
    this.variant = variant;
    this.wanted = wanted;
    this.edges = inputs.map((tensor, i) => {
      if (!wanted[i]) return null;
      return tensor.tape ? { link: tensor.tape } : { leaf: tensor };
    });
    this.saved = this.save(inputs, outputs);
  }

  /** Keeps what the gradient will need, and no more. */
  private save(inputs: readonly Tensor[], outputs: readonly Tensor[]): Map<string, Saved> {
    const everything = this.variant.graph.outputs.map(() => true);
    const saved = new Map<string, Saved>();
    for (const { kind, index } of this.variant.backward(everything).sources) {
      if (kind === "cotangent") continue;
      const tensor = (kind === "input" ? inputs : outputs)[index]!;
      const { version } = tensor.storageFor("backward");
      saved.set(`${kind} ${index}`, { tensor, version });
    }
    return saved;
  }

  get name(): string {
    return this.variant.name;
  }

  /** A kept value; an error if it is gone or was changed in place since. */
  recall({ kind, index }: BackwardSource): Tensor {
    if (!this.saved)
      throw new GradusError(
        "backward",
        `the values that ${this.name} kept for its gradient were freed by an earlier backward(); ` +
          "pass { retainGraph: true } to the earlier one",
      );
    const { tensor, version } = this.saved.get(`${kind} ${index}`)!;
    if (tensor.storageFor("backward").version !== version)
      throw new GradusError(
        "backward",
        `a value that the gradient of ${this.name} needs was changed in place since it was used`,
      );
    return tensor;
  }

  release(): void {
    this.saved = null;
  }
}
