/** Ops that bring values to mean 0 and variance 1, with learned scales. Read rescale.ts next. */
import { isFloat } from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, type Shape, sameShape, sizeOf } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { apply, applyOne, type OpSpec, update } from "../tensor/apply.js";
import type { Tensor } from "../tensor/tensor.js";

export function needFloatTensor(op: string, x: Tensor): void {
  if (!isFloat(x.dtype)) throw new DTypeError(op, `needs a float tensor, got ${x.dtype}`);
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

interface Moments {
  readonly mean: Node;
  /** The biased variance. */
  readonly variance: Node;
  readonly centred: Node;
}

/** Mean and variance over dims, which stay with size 1. */
function momentNodes(b: Builder, x: Node, dims: readonly number[]): Moments {
  const count = dims.reduce((n, d) => n * x.shape[d]!, 1);
  const meanOf = (y: Node) => b.divide(b.reduce("reduceSum", y, dims, true), count);
  const mean = meanOf(x);
  const centred = b.subtract(x, mean);
  return { mean, centred, variance: meanOf(b.multiply(centred, centred)) };
}

const scale = (b: Builder, centred: Node, variance: Node, eps: number): Node =>
  b.multiply(centred, b.pointwise("rsqrt", b.add(variance, eps)));

/** y·weight + bias, either of which may be missing, after both were put in `shape`. */
function affine(b: Builder, y: Node, weight: Node | null, bias: Node | null, shape: Shape): Node {
  const scaled = weight ? b.multiply(y, b.reshape(weight, shape)) : y;
  return bias ? b.add(scaled, b.reshape(bias, shape)) : scaled;
}

/** The tensors that are there, and a way to find each one's node again in the lowering. */
const given = (tensors: readonly (Tensor | null)[]): Tensor[] =>
  tensors.filter((x): x is Tensor => x !== null);

function unpack(nodes: readonly Node[], has: readonly boolean[]): (Node | null)[] {
  let next = 0;
  return has.map((isThere) => (isThere ? nodes[next++]! : null));
}

const isGiven = (x: Tensor | null): boolean => x !== null;

function checkSizes(op: string, name: string, x: Tensor | null, shape: Shape): void {
  if (x && !sameShape(x.shape, shape))
    throw new ShapeError(
      op,
      `${name} ${formatShape(x.shape)} does not fit, expected ${formatShape(shape)}`,
    );
}

const channelShape = (x: { readonly shape: Shape }): number[] =>
  x.shape.map((n, i) => (i === 1 ? n : 1));

export interface BatchNormOptions {
  /** Normalizes by the batch's own statistics and updates the running ones; default false. */
  readonly training?: boolean;
  /** Share of the batch in the running statistics, as a number or a tensor without dims; default 0.1. */
  readonly momentum?: number | Tensor;
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
}

type Statistics = { readonly eps: number; readonly has: readonly boolean[] };

/** [y, mean, unbiased variance]: over batch and places for batchNorm, over places for instanceNorm. */
function statisticsSpec(name: string, first: number): OpSpec<Statistics> {
  return {
    name,
    lower(b, [x, ...rest], { eps, has }) {
      const [weight, bias] = unpack(rest, has) as [Node | null, Node | null];
      const dims = range(0, x!.shape.length).filter((d) => d !== 1 && d >= first);
      const count = dims.reduce((n, d) => n * x!.shape[d]!, 1);
      const { mean, variance, centred } = momentNodes(b, x!, dims);
      const y = affine(b, scale(b, centred, variance, eps), weight, bias, channelShape(x!));
      // What the running statistics take from a batch of instances is their mean.
      const channels = [x!.shape[1]!];
      const flatten = (m: Node) =>
        first === 0
          ? b.reshape(m, channels)
          : b.divide(
              b.reduce("reduceSum", b.reshape(m, [x!.shape[0]!, ...channels]), [0]),
              x!.shape[0]!,
            );
      const unbiased = b.multiply(variance, count / Math.max(count - 1, 1));
      return [y, b.stopGradient(flatten(mean)), b.stopGradient(flatten(unbiased))];
    },
  };
}

const batchStatistics = statisticsSpec("batchNorm", 0);
const instanceStatistics = statisticsSpec("instanceNorm", 2);

const evaluationSpec: OpSpec<Statistics> = {
  name: "batchNorm",
  lower(b, [x, mean, variance, ...rest], { eps, has }) {
    const [weight, bias] = unpack(rest, has) as [Node | null, Node | null];
    const shape = channelShape(x!);
    const centred = b.subtract(x!, b.reshape(mean!, shape));
    return affine(b, scale(b, centred, b.reshape(variance!, shape), eps), weight, bias, shape);
  },
};

/** running ← running + momentum · (now − running), for mean and variance at once. */
const runningSpec: OpSpec<{ readonly momentum: number | null }> = {
  name: "batchNorm",
  lower(b, [mean, variance, newMean, newVariance, share], { momentum }) {
    const mix = (old: Node, now: Node) => {
      const m = share ? b.convert(share, old.dtype) : momentum!;
      return b.add(old, b.multiply(b.subtract(now, old), m));
    };
    return [mix(mean!, newMean!), mix(variance!, newVariance!)];
  },
};

function updateRunning(
  mean: Tensor | null,
  variance: Tensor | null,
  [newMean, newVariance]: readonly [Tensor, Tensor],
  momentum: number | Tensor,
): void {
  if (!mean || !variance) return;
  const now = [newMean.detach(), newVariance.detach()];
  if (typeof momentum === "number") update(runningSpec, [mean, variance], now, { momentum });
  else update(runningSpec, [mean, variance], [...now, momentum.detach()], { momentum: null });
}

export function checkChannels(
  op: string,
  x: Tensor,
  least: number,
  parts: readonly (Tensor | null)[],
) {
  needFloatTensor(op, x);
  if (x.ndim < least)
    throw new ShapeError(
      op,
      `expected [B, C${least > 2 ? ", …" : ""}] with at least ${least} dims, got ${formatShape(x.shape)}`,
    );
  const names = ["runningMean", "runningVar", "weight", "bias"];
  parts.forEach((part, i) => {
    checkSizes(op, names[i]!, part, [x.shape[1]!]);
  });
  if (isGiven(parts[0]!) !== isGiven(parts[1]!))
    throw new ValueError(op, "runningMean and runningVar are given both or neither");
}

/**
 * y = (x − mean) / √(var + eps) · weight + bias for each channel (Ioffe and Szegedy, 2015).
 *
 * x: [B, C, …]; all others [C]. While training, mean and variance are those of the batch over all dims but the channels', and
 * the running ones move towards them by `momentum` (the variance without bias) in place; else the running ones are used.
 *
 * @throws ShapeError if sizes do not fit; ValueError for one value a channel while training, or no statistics at all.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const x = tensor([[1], [3]]);
 * const y = nn.functional.batchNorm(x, null, null, null, null, { training: true, eps: 0 });
 * console.log(y.toArray()); // → [ [ -1 ], [ 1 ] ]
 * ```
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  { training = false, momentum = 0.1, eps = 1e-5 }: BatchNormOptions = {},
): Tensor {
  checkChannels("batchNorm", x, 2, [runningMean, runningVar, weight, bias]);
  const has = [weight, bias].map(isGiven);
  const learned = given([weight, bias]);
  if (!training) {
    if (!runningMean || !runningVar)
      throw new ValueError("batchNorm", "needs running statistics or { training: true }");
    return applyOne(evaluationSpec, [x, runningMean, runningVar, ...learned], { eps, has });
  }
  if (x.size === x.shape[1])
    throw new ValueError(
      "batchNorm",
      `needs more than one value a channel while training, got ${formatShape(x.shape)}`,
    );
  const [y, ...now] = apply(batchStatistics, [x, ...learned], { eps, has });
  updateRunning(runningMean, runningVar, now as [Tensor, Tensor], momentum);
  return y!;
}

export interface InstanceNormOptions {
  /** Normalizes by each instance's own statistics (the default); else by the running ones. */
  readonly useInputStats?: boolean;
  readonly momentum?: number | Tensor;
  readonly eps?: number;
}

/**
 * {@link batchNorm} for each example of the batch by itself (Ulyanov et al., 2016). x: [B, C, …], with at least three dims.
 *
 * @throws ShapeError if sizes do not fit; ValueError for one value an instance.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const x = tensor([[[1, 3], [0, 8]]]);
 * const y = nn.functional.instanceNorm(x, null, null, null, null, { eps: 0 });
 * console.log(y.toArray()); // → [ [ [ -1, 1 ], [ -1, 1 ] ] ]
 * ```
 */
export function instanceNorm(
  x: Tensor,
  runningMean: Tensor | null = null,
  runningVar: Tensor | null = null,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  { useInputStats = true, momentum = 0.1, eps = 1e-5 }: InstanceNormOptions = {},
): Tensor {
  checkChannels("instanceNorm", x, useInputStats ? 3 : 2, [runningMean, runningVar, weight, bias]);
  if (!useInputStats) return batchNorm(x, runningMean, runningVar, weight, bias, { eps });
  if (sizeOf(x.shape.slice(2)) === 1)
    throw new ValueError(
      "instanceNorm",
      `needs more than one value an instance, got ${formatShape(x.shape)}`,
    );
  const inputs = [x, ...given([weight, bias])];
  const has = [weight, bias].map(isGiven);
  const [y, ...now] = apply(instanceStatistics, inputs, { eps, has });
  updateRunning(runningMean, runningVar, now as [Tensor, Tensor], momentum);
  return y!;
}

const layerNormSpec: OpSpec<Statistics & { readonly count: number }> = {
  name: "layerNorm",
  lower(b, [x, ...rest], { eps, has, count }) {
    const [weight, bias] = unpack(rest, has) as [Node | null, Node | null];
    const dims = range(x!.shape.length - count, x!.shape.length);
    const { variance, centred } = momentNodes(b, x!, dims);
    return affine(b, scale(b, centred, variance, eps), weight, bias, x!.shape.slice(-count));
  },
};

function checkNormalized(op: string, x: Tensor, shape: Shape): void {
  needFloatTensor(op, x);
  if (shape.length === 0 || !sameShape(x.shape.slice(-shape.length), shape))
    throw new ShapeError(
      op,
      `normalizedShape ${formatShape(shape)} is not the end of ${formatShape(x.shape)}`,
    );
}

const asShape = (shape: number | Shape): Shape => (typeof shape === "number" ? [shape] : shape);

export interface NormOptions {
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
}

/**
 * y = (x − mean) / √(var + eps) · weight + bias over the last dims (Ba et al., 2016). weight and bias have the shape
 * `normalizedShape`, in which x's shape ends.
 *
 * @throws ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * console.log(nn.functional.layerNorm(tensor([[1, 3]]), 2, null, null, { eps: 0 }).toArray()); // → [ [ -1, 1 ] ]
 * ```
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  { eps = 1e-5 }: NormOptions = {},
): Tensor {
  const shape = asShape(normalizedShape);
  checkNormalized("layerNorm", x, shape);
  checkSizes("layerNorm", "weight", weight, shape);
  checkSizes("layerNorm", "bias", bias, shape);
  const has = [weight, bias].map(isGiven);
  const attributes = { eps, has, count: shape.length };
  return applyOne(layerNormSpec, [x, ...given([weight, bias])], attributes);
}

const rmsNormSpec: OpSpec<{ readonly eps: number; readonly count: number }> = {
  name: "rmsNorm",
  lower(b, [x, weight], { eps, count }) {
    const dims = range(x!.shape.length - count, x!.shape.length);
    const size = sizeOf(x!.shape.slice(-count));
    const squares = b.divide(b.reduce("reduceSum", b.multiply(x!, x!), dims, true), size);
    return affine(b, scale(b, x!, squares, eps), weight ?? null, null, x!.shape.slice(-count));
  },
};

/**
 * y = x / √(mean(x²) + eps) · weight over the last dims (Zhang and Sennrich, 2019). eps: by default the distance from 1 to the next
 * number of x's dtype.
 *
 * @throws ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * console.log(nn.functional.rmsNorm(tensor([2, 2]), 2, null, { eps: 0 }).toArray()); // → [ 1, 1 ]
 * ```
 */
export function rmsNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  weight: Tensor | null = null,
  { eps = x.dtype === "float64" ? 2 ** -52 : 2 ** -23 }: NormOptions = {},
): Tensor {
  const shape = asShape(normalizedShape);
  checkNormalized("rmsNorm", x, shape);
  checkSizes("rmsNorm", "weight", weight, shape);
  return applyOne(rmsNormSpec, [x, ...given([weight])], { eps, count: shape.length });
}

const groupNormSpec: OpSpec<Statistics & { readonly groups: number }> = {
  name: "groupNorm",
  lower(b, [x, ...rest], { eps, has, groups }) {
    const [weight, bias] = unpack(rest, has) as [Node | null, Node | null];
    const size = sizeOf(x!.shape.slice(1)) / groups;
    const parts = b.reshape(x!, [x!.shape[0]!, groups, size]);
    const { variance, centred } = momentNodes(b, parts, [2]);
    const y = b.reshape(scale(b, centred, variance, eps), x!.shape);
    return affine(b, y, weight, bias, channelShape(x!));
  },
};

/**
 * Mean 0 and variance 1 for each example's groups of channels (Wu and He, 2018). x: [B, C, …]; weight, bias: [C].
 *
 * @throws ValueError unless `numGroups` divides the channels; ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const y = nn.functional.groupNorm(tensor([[1, 3, 5, 9]]), 2, null, null, { eps: 0 });
 * console.log(y.toArray()); // → [ [ -1, 1, -1, 1 ] ]
 * ```
 */
export function groupNorm(
  x: Tensor,
  numGroups: number,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  { eps = 1e-5 }: NormOptions = {},
): Tensor {
  checkChannels("groupNorm", x, 2, [null, null, weight, bias]);
  const channels = x.shape[1]!;
  if (!Number.isInteger(numGroups) || numGroups < 1 || channels % numGroups !== 0)
    throw new ValueError("groupNorm", `${numGroups} groups do not divide ${channels} channels`);
  const attributes = { eps, groups: numGroups, has: [weight, bias].map(isGiven) };
  return applyOne(groupNormSpec, [x, ...given([weight, bias])], attributes);
}
