/**
 * The two things that decide how an op runs: whether a function is being traced, and whether gradients are recorded. Read
 * tensor.ts next.
 */
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import type { Detours } from "../ir/vjp.js";
import type { Storage } from "./storage.js";
import type { InputGradient, Kept, TapeNode } from "./tape.js";
import type { Tensor } from "./tensor.js";

/** What tensors and ops ask of the trace that is running; trace.ts implements it. */
export interface TraceContext {
  readonly builder: Builder;
  /** A tensor that stands for a value of the traced graph. */
  wrap(node: Node, requiresGrad: boolean): Tensor;
  /** The value that stands for a tensor in the traced graph. A tensor from outside becomes an input. */
  nodeOf(tensor: Tensor): Node;
  readGrad(tensor: Tensor): Tensor | null;
  writeGrad(tensor: Tensor, grad: Tensor | null): void;
  assign(tensor: Tensor, value: Tensor): void;
  backward(root: Tensor, gradient: Tensor | null): void;
  /** Gradients of `roots` with regard to `wrt`, as values of the graph. */
  gradients(
    roots: readonly Tensor[],
    cotangents: readonly (Tensor | null)[],
    wrt: readonly Tensor[],
  ): (Tensor | null)[];
  /** What differs from the primitives' rules where gradients flow. */
  readonly detours: TraceDetours;
  /** Whether a tensor of the trace is an argument, or was made a leaf by requiresGrad_(). */
  isLeaf(tensor: Tensor): boolean;
  makeLeaf(tensor: Tensor): void;
  /** Whether a value is that of a tensor from outside that requires grad. */
  isParameter(node: Node): boolean;
  /** Whether the tensor's value is already an input of the trace, so that reading it would freeze it. */
  hasCaptured(tensor: Tensor): boolean;
  /** Registers a condition under which the trace may be used again. */
  guard(check: () => boolean): void;
}

/** Hooks, custom gradients and checkpoints of a trace, which add to what {@link Detours} asks. */
export interface TraceDetours extends Detours {
  /** Calls `hook` with the gradient of a value when it is complete, after the others if `isLast`. */
  addHook(node: Node, hook: (g: Node) => Node, isLast: boolean): () => void;
  /** Lets `pull` give the gradients of `inputs` from those of `outputs`. */
  addCall(outputs: readonly Node[], inputs: readonly Node[], pull: Pull): void;
  /** Makes again, when a gradient needs them, the values with ids from `start` up to `end`. */
  addRegion(start: number, end: number, isExempt: (node: Node) => boolean): void;
}

export type Pull = (cotangents: readonly (Node | null)[]) => readonly (Node | null)[];

/** A checkpoint's function while it runs: what gradients need is not held but made again. checkpoint.ts implements it. */
export interface Frame {
  keep<T>(name: string, value: T, inputs: readonly Tensor[]): Kept<T>;
  noteWrite(storage: Storage): void;
}

/** Looks on as ops run: for a debugger, or statistics of what flows through a network. */
export interface OpObserver {
  /** An op has given its outputs; in a trace they have no values yet. */
  applied(op: string, inputs: readonly Tensor[], outputs: readonly Tensor[]): void;
  /** In eager mode: a recorded call has given the gradients of its inputs from those of its outputs. */
  differentiated?(
    call: TapeNode,
    cotangents: readonly (Tensor | null)[],
    gradients: readonly InputGradient[],
  ): void;
}

interface Context {
  trace: TraceContext | null;
  gradEnabled: boolean;
  frame: Frame | null;
  observer: OpObserver | null;
}

const context: Context = { trace: null, gradEnabled: true, frame: null, observer: null };

export const activeTrace = (): TraceContext | null => context.trace;

export const isGradEnabled = (): boolean => context.gradEnabled;

export const activeFrame = (): Frame | null => context.frame;

export const activeObserver = (): OpObserver | null => context.observer;

function withContext<R>(change: Partial<Context>, fn: () => R): R {
  const before = { ...context };
  Object.assign(context, change);
  try {
    return fn();
  } finally {
    Object.assign(context, before);
  }
}

/** Runs `fn` under a trace, or, with null, outside of any: what it computes is computed now. */
export const withTrace = <R>(trace: TraceContext | null, fn: () => R): R =>
  withContext({ trace }, fn);

/** Runs `fn` as (a part of) a checkpoint's function, or, with null, outside of any. */
export const withFrame = <R>(frame: Frame | null, fn: () => R): R => withContext({ frame }, fn);

/** Runs `fn` with an observer of its ops, or, with null, unobserved. */
export const withObserver = <R>(observer: OpObserver | null, fn: () => R): R =>
  withContext({ observer }, fn);

/**
 * Runs `fn` without recording what gradients need: its results do not require grad.
 *
 * @example
 * ```ts
 * import { noGrad, tensor } from "gradus";
 * const x = tensor([1, 2, 3], { requiresGrad: true });
 * console.log(noGrad(() => x.mul(2)).requiresGrad); // → false
 * ```
 */
export const noGrad = <R>(fn: () => R): R => withContext({ gradEnabled: false }, fn);

/** Runs `fn` with recording on, also inside {@link noGrad}. */
export const enableGrad = <R>(fn: () => R): R => withContext({ gradEnabled: true }, fn);
