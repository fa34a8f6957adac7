/** Small formulas that the rules of optimizers share. */
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import type { UpdateInput } from "./optimizer.js";
import type { Flags } from "./settings.js";

/** A float64 number in the dtype of a parameter. */
export const asLike = (b: Builder, number: Node, like: Node): Node => b.convert(number, like.dtype);

/** gradient + weightDecay · parameter: the gradient of an L2 penalty. */
function decayed(b: Builder, gradient: Node, parameter: Node, weightDecay: Node): Node {
  return b.add(gradient, b.multiply(parameter, asLike(b, weightDecay, parameter)));
}

/** parameter · (1 − lr · weightDecay): decay apart from the gradient. */
function shrunk(b: Builder, parameter: Node, lr: Node, weightDecay: Node): Node {
  return b.multiply(parameter, asLike(b, b.subtract(1, b.multiply(lr, weightDecay)), parameter));
}

/** Parameter and gradient after weight decay, if there is any: on the gradient, or decoupled on the parameter. */
export function decay(
  b: Builder,
  { parameter: p, gradient: g, numbers }: UpdateInput,
  flags: Flags,
  isDecoupled = false,
): { readonly p: Node; readonly g: Node } {
  const { lr, weightDecay } = numbers as Record<"lr" | "weightDecay", Node>;
  if (!flags.weightDecay) return { p, g };
  return isDecoupled
    ? { p: shrunk(b, p, lr, weightDecay), g }
    : { p, g: decayed(b, g, p, weightDecay) };
}

/** 1 − betaᵗ in float64. */
export const correction = (b: Builder, beta: Node, step: Node): Node =>
  b.subtract(1, b.pointwise("power", beta, step));

/** before + (value − before)·(1 − beta). */
export function moveTowards(b: Builder, before: Node, value: Node, beta: Node): Node {
  const share = asLike(b, b.subtract(1, beta), before);
  return b.add(before, b.multiply(b.subtract(value, before), share));
}

/** before·beta + value·(1 − beta). */
export function average(b: Builder, before: Node, value: Node, beta: Node): Node {
  const kept = b.multiply(before, asLike(b, beta, before));
  return b.add(kept, b.multiply(value, asLike(b, b.subtract(1, beta), before)));
}

export const square = (b: Builder, x: Node): Node => b.multiply(x, x);

export const root = (b: Builder, x: Node): Node => b.pointwise("sqrt", x);
