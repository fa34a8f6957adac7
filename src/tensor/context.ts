/**
 * The two things that decide how an op runs: whether a function is being traced, and whether gradients are recorded. Read
 * tensor.ts next.
 */
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
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
  /** Gradients of `root` with regard to `wrt`, as values of the graph. */
  gradients(root: Tensor, gradient: Tensor | null, wrt: readonly Tensor[]): (Tensor | null)[];
  /** Whether the tensor's value is already an input of the trace, so that reading it would freeze it. */
  hasCaptured(tensor: Tensor): boolean;
  /** Registers a condition under which the trace may be used again. */
  guard(check: () => boolean): void;
}

interface Context {
  trace: TraceContext | null;
  gradEnabled: boolean;
}

const context: Context = { trace: null, gradEnabled: true };

export const activeTrace = (): TraceContext | null => context.trace;

export const isGradEnabled = (): boolean => context.gradEnabled;

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
