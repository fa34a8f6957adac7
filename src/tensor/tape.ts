/**
 * The tape: how a tensor was made and from what, kept while gradients are recorded in eager mode. An op's call is
 * recorded by apply.ts, a user's function with its own gradient by custom.ts. Read walk.ts next.
 */
import { GradusError } from "../core/errors.js";
import { activeFrame } from "./context.js";
import type { HookTable } from "./hooks.js";
import type { Tensor } from "./tensor.js";

/** Output `index` of a recorded call. */
export interface TapeLink {
  readonly node: TapeNode;
  readonly index: number;
}

/** Where the gradient of an input goes on to: a leaf, or the call that made the input. */
export type TapeEdge = { readonly leaf: Tensor } | { readonly link: TapeLink } | null;

/** Looks at a gradient when it is complete; what it gives takes the gradient's place. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks gives nothing.
export type Hook = (gradient: Tensor) => Tensor | null | undefined | void;

/** The gradient of input `input` of a call. */
export type InputGradient = readonly [input: number, gradient: Tensor];

/** Something that is kept for a gradient: held, or, inside a checkpoint, made again when it is asked for. */
export interface Kept<T> {
  get(): T;
}

let nextSequence = 0;

/** One recorded call. Sequence numbers rise, so that falling order visits consumers first. */
export abstract class TapeNode {
  readonly sequence = nextSequence++;
  readonly name: string;
  readonly edges: readonly TapeEdge[];
  readonly outputCount: number;
  /** Hooks of the outputs, by their index. */
  hooks: Map<number, HookTable> | null = null;

  constructor(
    name: string,
    inputs: readonly Tensor[],
    wanted: readonly boolean[],
    outputCount: number,
  ) {
    this.name = name;
    this.outputCount = outputCount;
    this.edges = inputs.map((tensor, i) => {
      if (!wanted[i]) return null;
      return tensor.tape ? { link: tensor.tape } : { leaf: tensor };
    });
  }

  /** The gradients of the inputs that `needed` marks (null: of all that have one), given those of the outputs. */
  abstract differentiate(
    cotangents: readonly (Tensor | null)[],
    needed: readonly boolean[] | null,
  ): readonly InputGradient[];

  /** Forgets what was kept. */
  abstract release(): void;
}

/** Holds a value for a gradient, or leaves it to the checkpoint that is running. */
export const keep = <T>(name: string, value: T, inputs: readonly Tensor[]): Kept<T> =>
  activeFrame()?.keep(name, value, inputs) ?? { get: () => value };

/** A tensor, and that it has not been changed since. */
export class Saved {
  private readonly tensor: Tensor;
  private readonly version: number;

  constructor(tensor: Tensor) {
    this.tensor = tensor;
    this.version = tensor.storageFor("backward").version;
  }

  /** The tensor; an error if it was changed in place; `name` is the op that needs it. */
  recall(name: string): Tensor {
    if (this.tensor.storageFor("backward").version !== this.version)
      throw new GradusError(
        "backward",
        `a value that the gradient of ${name} needs was changed in place since it was used`,
      );
    return this.tensor;
  }
}

export const freedError = (name: string): GradusError =>
  new GradusError(
    "backward",
    `the values that ${name} kept for its gradient were freed by an earlier backward(); ` +
      "pass { retainGraph: true } to the earlier one",
  );
