/** Ops that fold dimensions: sum, mean, extremes, variance. Read movement.ts next. */
import { isFloat } from "../core/dtype.js";
import { DTypeError } from "../core/errors.js";
import { normalizeDim, normalizeDims } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { gather } from "./indexing.js";
import { squeeze, unsqueeze } from "./movement.js";

export interface KeepDim {
  /** Leaves folded dims in the result with size 1. */
  readonly keepDim?: boolean;
}

type Dims = number | readonly number[];
type Attributes = { readonly dims: readonly number[]; readonly keepDim: boolean };

function reduction(
  name: string,
  lower: (b: Builder, x: Node, dims: readonly number[], keepDim: boolean) => Node,
) {
  const spec: OpSpec<Attributes> = {
    name,
    lower: (b, [x], { dims, keepDim }) => lower(b, x!, dims, keepDim),
  };
  return (x: Tensor, dim?: Dims, { keepDim = false }: KeepDim = {}): Tensor =>
    applyOne(spec, [x], { dims: normalizeDims(name, dim, x.ndim), keepDim });
}

/** Small integers and bools are counted in int32. */
const countable = (b: Builder, x: Node): Node =>
  isFloat(x.dtype) ? x : b.convert(x, "int32");

const needFloat = (op: string, x: Node): void => {
  if (!isFloat(x.dtype)) throw new DTypeError(op, `needs a float tensor, got ${x.dtype}`);
};

const countOf = (x: Node, dims: readonly number[]): number =>
  dims.reduce((count, d) => count * x.shape[d]!, 1);

function meanNodes(b: Builder, x: Node, dims: readonly number[], keepDim: boolean): Node {
  return b.divide(b.reduce("reduceSum", x, dims, keepDim), countOf(x, dims));
}

export const sum = reduction("sum", (b, x, dims, keepDim) =>
  b.reduce("reduceSum", countable(b, x), dims, keepDim),
);

export const prod = reduction("prod", (b, x, dims, keepDim) =>
  b.reduce("reduceProduct", countable(b, x), dims, keepDim),
);

export const mean = reduction("mean", (b, x, dims, keepDim) => {
  needFloat("mean", x);
  return meanNodes(b, x, dims, keepDim);
});

/** Ties share the gradient evenly. */
export const amax = reduction("amax", (b, x, dims, keepDim) =>
  b.reduce("reduceMax", x, dims, keepDim),
);

export const amin = reduction("amin", (b, x, dims, keepDim) =>
  b.reduce("reduceMin", x, dims, keepDim),
);

const varianceSpec: OpSpec<Attributes & { readonly correction: number }> = {
  name: "var",
  lower(b, [x], { dims, keepDim, correction }) {
    needFloat("var", x!);
    const centred = b.subtract(x!, meanNodes(b, x!, dims, true));
    const squares = b.reduce("reduceSum", b.multiply(centred, centred), dims, keepDim);
    return b.divide(squares, Math.max(0, countOf(x!, dims) - correction));
  },
};

export interface VarianceOptions extends KeepDim {
  /** What is taken off the count in the divisor; 1 (the default) gives the unbiased estimate. */
  readonly correction?: number;
}

export function variance(x: Tensor, dim?: Dims, options: VarianceOptions = {}): Tensor {
  const { keepDim = false, correction = 1 } = options;
  return applyOne(varianceSpec, [x], {
    dims: normalizeDims("var", dim, x.ndim),
    keepDim,
    correction,
  });
}

export const std = (x: Tensor, dim?: Dims, options?: VarianceOptions): Tensor =>
  variance(x, dim, options).sqrt();

function argReduction(name: string, primitive: "argMax" | "argMin") {
  const spec: OpSpec<{ readonly dim: number | null; readonly keepDim: boolean }> = {
    name,
    lower(b, [x], { dim, keepDim }) {
      const flat = dim === null ? b.reshape(x!, [x!.shape.reduce((n, m) => n * m, 1)]) : x!;
      const chosen = b.make(primitive, [flat], { dim: dim ?? 0 });
      if (!keepDim) return chosen;
      const shape = x!.shape.map((n, i) => (dim === null || i === dim ? 1 : n));
      return b.reshape(chosen, shape);
    },
  };
  return (x: Tensor, dim?: number, { keepDim = false }: KeepDim = {}): Tensor => {
    const place = dim === undefined || x.ndim === 0 ? null : normalizeDim(name, dim, x.ndim);
    return applyOne(spec, [x], { dim: place, keepDim });
  };
}

export const argmax = argReduction("argmax", "argMax");
export const argmin = argReduction("argmin", "argMin");

/** An extreme along a dim, and where it is. */
export interface Extreme {
  readonly values: Tensor;
  readonly indices: Tensor;
}

function extreme(
  x: Tensor,
  dim: number | undefined,
  options: KeepDim,
  all: (x: Tensor) => Tensor,
  choose: (x: Tensor, dim: number, options: KeepDim) => Tensor,
): Tensor | Extreme {
  if (dim === undefined) return all(x);
  if (x.ndim === 0) return { values: x, indices: choose(x, dim, {}) };
  const kept = choose(x, dim, { keepDim: true });
  const place = normalizeDim("max", dim, x.ndim);
  const values = gather(x, place, kept);
  if (options.keepDim) return { values, indices: kept };
  return { values: squeeze(values, place), indices: squeeze(kept, place) };
}

const max = (x: Tensor, dim?: number, options: KeepDim = {}) =>
  extreme(x, dim, options, amax, argmax);
const min = (x: Tensor, dim?: number, options: KeepDim = {}) =>
  extreme(x, dim, options, amin, argmin);

const softmaxSpec: OpSpec<{ readonly dim: number }> = {
  name: "softmax",
  lower(b, [x], { dim }) {
    needFloat("softmax", x!);
    const powers = b.pointwise("exponential", centred(b, x!, dim));
    return b.divide(powers, b.reduce("reduceSum", powers, [dim], true));
  },
};

/** x minus its maximum along a dim, which changes no softmax and keeps exp from overflowing. */
const centred = (b: Builder, x: Node, dim: number): Node =>
  b.subtract(x, b.stopGradient(b.reduce("reduceMax", x, [dim], true)));

/** log(softmax(x)) without the loss of precision of doing it in two steps. */
export function logSoftmaxNodes(b: Builder, x: Node, dim: number): Node {
  const shifted = centred(b, x, dim);
  const total = b.reduce("reduceSum", b.pointwise("exponential", shifted), [dim], true);
  return b.subtract(shifted, b.pointwise("log", total));
}

const logSoftmaxSpec: OpSpec<{ readonly dim: number }> = {
  name: "logSoftmax",
  lower(b, [x], { dim }) {
    needFloat("logSoftmax", x!);
    return logSoftmaxNodes(b, x!, dim);
  },
};

const alongDim =
  (spec: OpSpec<{ readonly dim: number }>) =>
  (x: Tensor, dim: number): Tensor => {
    if (x.ndim === 0) return squeeze(applyOne(spec, [unsqueeze(x, 0)], { dim: 0 }), 0);
    return applyOne(spec, [x], { dim: normalizeDim(spec.name, dim, x.ndim) });
  };

export const softmax = alongDim(softmaxSpec);
export const logSoftmax = alongDim(logSoftmaxSpec);

install({
  ...{ sum, prod, mean, amax, amin, std, argmax, argmin, max, min, softmax, logSoftmax },
  var: variance,
});

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** Sum over all, one or several dims; integers and bools are summed in int32. */
    sum(dim?: Dims, options?: KeepDim): Tensor;
    /** Product over all, one or several dims. */
    prod(dim?: Dims, options?: KeepDim): Tensor;
    /** Mean over all, one or several dims. */
    mean(dim?: Dims, options?: KeepDim): Tensor;
    /** Variance Σ(x − mean)² / (n − correction). */
    var(dim?: Dims, options?: VarianceOptions): Tensor;
    /** Standard deviation, the root of the variance. */
    std(dim?: Dims, options?: VarianceOptions): Tensor;
    /** Largest element over all, one or several dims; ties share the gradient evenly. */
    amax(dim?: Dims, options?: KeepDim): Tensor;
    /** Smallest element over all, one or several dims. */
    amin(dim?: Dims, options?: KeepDim): Tensor;
    /** Index of the first largest element, over all or along a dim. */
    argmax(dim?: number, options?: KeepDim): Tensor;
    /** Index of the first smallest element. */
    argmin(dim?: number, options?: KeepDim): Tensor;
    /** The largest element of all. */
    max(): Tensor;
    /** The largest elements along a dim and their indices; the gradient goes to the first. */
    max(dim: number, options?: KeepDim): Extreme;
    /** The smallest element of all. */
    min(): Tensor;
    /** The smallest elements along a dim and their indices. */
    min(dim: number, options?: KeepDim): Extreme;
    /** exp(x) / Σ exp(x) along a dim. */
    softmax(dim: number): Tensor;
    /** log(softmax(x)) along a dim. */
    logSoftmax(dim: number): Tensor;
  }
}
