/** Losses by distance from a target, and of distributions with parameters. Read lossBinary.ts next. */
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, checkTensors, type OpAttributes, type OpSpec } from "../tensor/apply.js";
import type { Tensor } from "../tensor/tensor.js";
import { knownValues } from "./known.js";
import {
  checkReduction,
  checkSameShape,
  type LossOptions,
  type Reduction,
  reduceLoss,
} from "./loss.js";
import { promoteNodes } from "./pointwise.js";
import { needFloat } from "./reduce.js";
import { xlogyNodes } from "./transcendental.js";

type Reduced = OpAttributes & { readonly reduction: Reduction };

/** A spec whose lowering gives the losses of single elements, before they are reduced. */
export function elementLoss<A extends Reduced>(
  name: string,
  lower: (b: Builder, nodes: readonly Node[], attributes: A) => Node,
): OpSpec<A> {
  return {
    name,
    lower(b, nodes, attributes) {
      const promoted = promoteNodes(b, nodes);
      needFloat(name, promoted[0]!);
      return reduceLoss(b, lower(b, promoted, attributes), attributes.reduction);
    },
  };
}

/** A number that must be above 0 (or, with `least` 0, not below it). */
export function checkPositive(op: string, name: string, value: number, allowsZero = false): number {
  if (!(value > 0 || (allowsZero && value === 0)))
    throw new ValueError(op, `${name} must be ${allowsZero ? "≥ 0" : "above 0"}, got ${value}`);
  return value;
}

const l1Spec = elementLoss<Reduced>("l1Loss", (b, [x, y]) =>
  b.pointwise("abs", b.subtract(x!, y!)),
);

/**
 * |x − target|, averaged. Both have one shape.
 *
 * @example
 * ```ts
 * import { l1Loss, tensor } from "gradus";
 * console.log(l1Loss(tensor([0, 3]), tensor([0.5, 1])).item()); // → 1.25
 * ```
 */
export function l1Loss(
  x: Tensor,
  target: Tensor,
  { reduction = "mean" }: LossOptions = {},
): Tensor {
  checkSameShape("l1Loss", x, target);
  return applyOne(l1Spec, [x, target], { reduction: checkReduction("l1Loss", reduction) });
}

const smoothL1Spec = elementLoss<Reduced & { readonly beta: number }>(
  "smoothL1Loss",
  (b, [x, y], { beta }) => {
    const gap = b.subtract(x!, y!);
    const distance = b.pointwise("abs", gap);
    if (beta === 0) return distance;
    const square = b.multiply(b.multiply(gap, gap), 0.5 / beta);
    const isNear = b.pointwise("less", distance, beta);
    return b.select(isNear, square, b.subtract(distance, 0.5 * beta));
  },
);

export interface SmoothL1Options extends LossOptions {
  /** Distance from which on the loss is linear; default 1. */
  readonly beta?: number;
}

/**
 * d² / (2 beta) for d = |x − target| below beta, else d − beta / 2; averaged (Girshick, 2015).
 *
 * @example
 * ```ts
 * import { smoothL1Loss, tensor } from "gradus";
 * console.log(smoothL1Loss(tensor([0, 3]), tensor([0.5, 1])).item()); // → 0.8125
 * ```
 */
export function smoothL1Loss(x: Tensor, target: Tensor, options: SmoothL1Options = {}): Tensor {
  const { reduction = "mean", beta = 1 } = options;
  checkSameShape("smoothL1Loss", x, target);
  checkPositive("smoothL1Loss", "beta", beta, true);
  checkReduction("smoothL1Loss", reduction);
  return applyOne(smoothL1Spec, [x, target], { reduction, beta });
}

const huberSpec = elementLoss<Reduced & { readonly delta: number }>(
  "huberLoss",
  (b, [x, y], { delta }) => {
    const gap = b.subtract(x!, y!);
    const distance = b.pointwise("abs", gap);
    const square = b.multiply(b.multiply(gap, gap), 0.5);
    const isNear = b.pointwise("lessEqual", distance, delta);
    return b.select(isNear, square, b.multiply(b.subtract(distance, 0.5 * delta), delta));
  },
);

export interface HuberOptions extends LossOptions {
  /** Distance from which on the loss is linear; default 1. */
  readonly delta?: number;
}

/**
 * d² / 2 for d = |x − target| up to delta, else delta · (d − delta / 2); averaged (Huber, 1964).
 *
 * @example
 * ```ts
 * import { huberLoss, tensor } from "gradus";
 * console.log(huberLoss(tensor([0, 3]), tensor([0.5, 1])).item()); // → 0.8125
 * ```
 */
export function huberLoss(x: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  const { reduction = "mean", delta = 1 } = options;
  checkSameShape("huberLoss", x, target);
  checkPositive("huberLoss", "delta", delta);
  checkReduction("huberLoss", reduction);
  return applyOne(huberSpec, [x, target], { reduction, delta });
}

const klDivSpec = elementLoss<Reduced & { readonly logTarget: boolean }>(
  "klDiv",
  (b, [x, y], { logTarget }) =>
    logTarget
      ? b.multiply(b.pointwise("exponential", y!), b.subtract(y!, x!))
      : b.subtract(xlogyNodes(b, y!, y!), b.multiply(y!, x!)),
);

export interface KlDivOptions {
  /** As for other losses; "batchmean" divides the sum by the size of the first dim, as the definition wants. */
  readonly reduction?: Reduction | "batchmean";
  /** Whether the target is given as log probabilities; default false. */
  readonly logTarget?: boolean;
}

/**
 * Kullback and Leibler's divergence of the target from x: target · (log target − x), with x log probabilities.
 * The default "mean" is over all elements; "batchmean" gives the divergence itself.
 *
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const p = tensor([[0.5, 0.5]]);
 * console.log(nn.functional.klDiv(p.log(), p, { reduction: "batchmean" }).item()); // → 0
 * ```
 */
export function klDiv(x: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
  const { reduction = "mean", logTarget = false } = options;
  checkSameShape("klDiv", x, target);
  if (reduction !== "batchmean") {
    checkReduction("klDiv", reduction);
    return applyOne(klDivSpec, [x, target], { reduction, logTarget });
  }
  if (x.ndim === 0)
    throw new ShapeError("klDiv", 'reduction "batchmean" needs a first dim, got []');
  return applyOne(klDivSpec, [x, target], { reduction: "sum", logTarget }).div(x.shape[0]!);
}

type PoissonAttributes = Reduced & {
  readonly logInput: boolean;
  readonly full: boolean;
  readonly eps: number;
};

const poissonSpec = elementLoss<PoissonAttributes>(
  "poissonNllLoss",
  (b, [x, y], { logInput, full, eps }) => {
    const loss = logInput
      ? b.subtract(b.pointwise("exponential", x!), b.multiply(y!, x!))
      : b.subtract(x!, b.multiply(y!, b.pointwise("log", b.add(x!, eps))));
    if (!full) return loss;
    const isMany = b.pointwise("greater", y!, 1);
    const many = b.select(isMany, y!, 1);
    const log = b.pointwise("log", many);
    const half = b.multiply(b.add(log, Math.log(2 * Math.PI)), 0.5);
    const stirling = b.add(b.subtract(b.multiply(many, log), many), half);
    return b.add(loss, b.select(isMany, stirling, 0));
  },
);

export interface PoissonNllOptions extends LossOptions {
  /** Whether x is the logarithm of the rate; default true. */
  readonly logInput?: boolean;
  /** Adds Stirling's approximation of log(target!) for targets above 1; default false. */
  readonly full?: boolean;
  /** Added to the rate before its logarithm is taken; default 10⁻⁸. */
  readonly eps?: number;
}

/**
 * eˣ − target · x, averaged: what counts with the Poisson distribution say about its log rate x.
 *
 * @example
 * ```ts
 * import { poissonNllLoss, tensor } from "gradus";
 * console.log(poissonNllLoss(tensor([0, 1]), tensor([1, 2])).item().toFixed(4)); // → 0.8591
 * ```
 */
export function poissonNllLoss(x: Tensor, target: Tensor, options: PoissonNllOptions = {}): Tensor {
  const { reduction = "mean", logInput = true, full = false, eps = 1e-8 } = options;
  checkSameShape("poissonNllLoss", x, target);
  checkReduction("poissonNllLoss", reduction);
  return applyOne(poissonSpec, [x, target], { reduction, logInput, full, eps });
}

const gaussianSpec = elementLoss<Reduced & { readonly full: boolean; readonly eps: number }>(
  "gaussianNllLoss",
  (b, [x, y, given], { full, eps }) => {
    // The limit holds for the value only: gradients pass as if it were not there.
    const raised = b.select(b.pointwise("less", given!, eps), eps, given!);
    const change = b.stopGradient(b.subtract(raised, given!));
    const variance = b.add(given!, change);
    const gap = b.subtract(x!, y!);
    const terms = b.add(b.pointwise("log", variance), b.divide(b.multiply(gap, gap), variance));
    const loss = b.multiply(terms, 0.5);
    return full ? b.add(loss, 0.5 * Math.log(2 * Math.PI)) : loss;
  },
);

export interface GaussianNllOptions extends LossOptions {
  /** Adds the constant log(2π) / 2; default false. */
  readonly full?: boolean;
  /** Least variance; default 10⁻⁶. */
  readonly eps?: number;
}

/**
 * (log variance + (x − target)² / variance) / 2, averaged: what targets with the normal distribution of mean x and the
 * given variance say about both (Nix and Weigend, 1994).
 *
 * x, target: one shape; variance: the same, or without the last dim, or with size 1 there.
 *
 * @throws ShapeError if the variance does not fit; ValueError, in eager mode, if one is negative.
 * @example
 * ```ts
 * import { gaussianNllLoss, tensor } from "gradus";
 * console.log(gaussianNllLoss(tensor([0, 3]), tensor([1, 1]), tensor([1, 1])).item()); // → 1.25
 * ```
 */
export function gaussianNllLoss(
  x: Tensor,
  target: Tensor,
  variance: Tensor,
  options: GaussianNllOptions = {},
): Tensor {
  checkTensors("gaussianNllLoss", [x, target, variance]);
  const { reduction = "mean", full = false, eps = 1e-6 } = options;
  const op = "gaussianNllLoss";
  checkSameShape(op, x, target);
  checkPositive(op, "eps", eps);
  checkReduction(op, reduction);
  if (!variance.dtype.startsWith("float"))
    throw new DTypeError(op, `needs a float variance, got ${variance.dtype}`);
  const outer = x.shape.slice(0, -1);
  const isShared = x.ndim > 0 && sameShape(outer, variance.shape);
  const spread = isShared ? variance.reshape([...outer, 1]) : variance;
  const fits = sameShape(spread.shape, x.shape) || sameShape(spread.shape, [...outer, 1]);
  if (!fits)
    throw new ShapeError(
      op,
      `variance ${formatShape(variance.shape)} does not fit ${formatShape(x.shape)}`,
    );
  if (knownValues(variance)?.some((v: number) => v < 0))
    throw new ValueError(op, "variances must not be negative");
  return applyOne(gaussianSpec, [x, target, spread], { reduction, full, eps });
}
