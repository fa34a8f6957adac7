/** Ops that drop whole channels, weights, branches or to the mean of a self-normalizing net. Read random.ts for dropout itself. */
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, type Shape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, byName, checkTensors, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, input, type SampleSet, sample, unlike } from "../tensor/defineOp.js";
import { Generator, generatorOf, uniformNodes } from "../tensor/random.js";
import type { Tensor } from "../tensor/tensor.js";
import { linear } from "./linalg.js";
import { needFloatTensor } from "./norm.js";
import { type DropoutOptions, dropout } from "./random.js";

type Mask = { readonly p: number; readonly maskShape: Shape };

/** true with probability 1 − p. */
const keptNodes = (b: Builder, state: Node, { p, maskShape }: Mask): Node =>
  b.pointwise("greaterEqual", uniformNodes(b, state, maskShape, "float32"), p);

function masked(op: string, x: Tensor, p: number, shape: Shape, options: DropoutOptions): Tensor {
  if (!(p >= 0 && p <= 1)) throw new ValueError(op, `p must be from 0 to 1, got ${p}`);
  needFloatTensor(op, x);
  const generator = generatorOf(op, options.generator);
  if (options.training === false || p === 0) return x;
  return applyOne(maskSpec(op), [x, generator.take()], { p, maskShape: [...shape] });
}

const maskSpec = byName(
  (name): OpSpec<Mask> => ({
    name,
    lower(b, [x, state], mask) {
      if (mask.p === 1) return b.multiply(x!, 0);
      return b.select(keptNodes(b, state!, mask), b.multiply(x!, 1 / (1 - mask.p)), 0);
    },
  }),
);

/** Drops channels; without a batch where x has one dim less than `rank`. */
function dropChannels(
  op: string,
  x: Tensor,
  p: number,
  {
    rank,
    isBatched,
    options,
  }: { rank: readonly number[]; isBatched: boolean; options: DropoutOptions },
): Tensor {
  if (!rank.includes(x.ndim))
    throw new ShapeError(op, `expected ${rank.join(" or ")} dims, got ${formatShape(x.shape)}`);
  const kept = isBatched ? 2 : 1;
  return masked(
    op,
    x,
    p,
    x.shape.map((n, i) => (i < kept ? n : 1)),
    options,
  );
}

/**
 * {@link dropout} of whole channels of [B, C, L] or [C, L].
 *
 * @throws ValueError unless p is from 0 to 1; ShapeError for other numbers of dims.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.dropout1d(ones([2, 3]), 1).toArray()); // → [ [ 0, 0, 0 ], [ 0, 0, 0 ] ]
 * ```
 */
export const dropout1d = (x: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor =>
  dropChannels("dropout1d", x, p, { rank: [2, 3], isBatched: x.ndim === 3, options });

/**
 * {@link dropout} of whole channels of [B, C, H, W] or [B, C, L] (Tompson et al., 2015).
 *
 * @throws ValueError unless p is from 0 to 1; ShapeError for other numbers of dims.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.dropout2d(ones([1, 1, 1, 2]), 1).flatten().toArray()); // → [ 0, 0 ]
 * ```
 */
export const dropout2d = (x: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor =>
  dropChannels("dropout2d", x, p, { rank: [3, 4], isBatched: true, options });

/**
 * {@link dropout} of whole channels of [B, C, D, H, W] or [C, D, H, W].
 *
 * @throws ValueError unless p is from 0 to 1; ShapeError for other numbers of dims.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.dropout3d(ones([1, 1, 1, 2]), 1).flatten().toArray()); // → [ 0, 0 ]
 * ```
 */
export const dropout3d = (x: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor =>
  dropChannels("dropout3d", x, p, { rank: [4, 5], isBatched: x.ndim === 5, options });

/** What SELU tends to for x → −∞: −λ·α of Klambauer et al., 2017. */
const seluFloor = -1.7580993408473766;

const alphaSpec = byName(
  (name): OpSpec<Mask> => ({
    name,
    lower(b, [x, state], mask) {
      const { p } = mask;
      if (p === 1) return b.multiply(x!, 0);
      const scale = 1 / Math.sqrt((1 - p) * (1 + p * seluFloor ** 2));
      const shift = -scale * seluFloor * p;
      const chosen = b.select(keptNodes(b, state!, mask), x!, seluFloor);
      return b.add(b.multiply(chosen, scale), shift);
    },
  }),
);

function dropToFloor(
  op: string,
  x: Tensor,
  p: number,
  shape: Shape,
  options: DropoutOptions,
): Tensor {
  if (!(p >= 0 && p <= 1)) throw new ValueError(op, `p must be from 0 to 1, got ${p}`);
  needFloatTensor(op, x);
  const generator = generatorOf(op, options.generator);
  if (options.training === false || p === 0) return x;
  return applyOne(alphaSpec(op), [x, generator.take()], { p, maskShape: [...shape] });
}

/**
 * Sets elements with probability p to what SELU tends to, then brings mean and variance back (Klambauer et al., 2017).
 *
 * @throws ValueError unless p is from 0 to 1.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.alphaDropout(ones([2]), 0.5, { training: false }).toArray()); // → [ 1, 1 ]
 * ```
 */
export const alphaDropout = (x: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor =>
  dropToFloor("alphaDropout", x, p, x.shape, options);

/**
 * {@link alphaDropout} of whole channels of [B, C, …].
 *
 * @throws ValueError unless p is from 0 to 1; ShapeError for fewer than two dims.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.featureAlphaDropout(ones([1, 2]), 0).toArray()); // → [ [ 1, 1 ] ]
 * ```
 */
export function featureAlphaDropout(x: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor {
  checkTensors("featureAlphaDropout", [x]);
  if (x.ndim < 2)
    throw new ShapeError("featureAlphaDropout", `expected [B, C, …], got ${formatShape(x.shape)}`);
  const shape = x.shape.map((n, i) => (i < 2 ? n : 1));
  return dropToFloor("featureAlphaDropout", x, p, shape, options);
}

/**
 * The linear map x·Wᵀ + b with single weights dropped with probability p and the others scaled by 1 / (1 − p) (Wan et al., 2013).
 *
 * @throws ValueError unless p is from 0 to 1; ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.dropConnect(ones([1, 2]), ones([1, 2]), null, 0).toArray()); // → [ [ 2 ] ]
 * ```
 */
export const dropConnect = (
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  p = 0.5,
  options: DropoutOptions = {},
): Tensor => linear(x, dropout(weight, p, options), bias);

export interface StochasticDepthOptions extends DropoutOptions {
  /** "row" (the default) drops examples of the batch by themselves, "batch" all or none. */
  readonly mode?: "row" | "batch";
}

/**
 * Sets whole examples of a branch to 0 with probability p and scales the others by 1 / (1 − p) (Huang et al., 2016).
 * x: [B, …].
 *
 * @throws ValueError unless p is from 0 to 1.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.stochasticDepth(ones([2, 1]), 1).toArray()); // → [ [ 0 ], [ 0 ] ]
 * ```
 */
export function stochasticDepth(
  x: Tensor,
  p: number,
  options: StochasticDepthOptions = {},
): Tensor {
  checkTensors("stochasticDepth", [x]);
  const { mode = "row" } = options;
  if (mode !== "row" && mode !== "batch")
    throw new ValueError("stochasticDepth", `mode must be "row" or "batch", got "${mode}"`);
  if (x.ndim === 0) throw new ShapeError("stochasticDepth", "expected [B, …], got []");
  const shape = x.shape.map((n, i) => (i === 0 && mode === "row" ? n : 1));
  return masked("stochasticDepth", x, p, shape, options);
}

const ownBits = "its random bits are its own";
const seeded = () => ({ generator: new Generator(7) });

type Drop = (x: Tensor, p?: number, options?: DropoutOptions) => Tensor;

function dropSet(op: string, fn: Drop, shapes: readonly Shape[], torch: string, wrong: Shape) {
  return {
    op,
    samples: [
      ...shapes.map((shape) => unlike([input(shape)], (a) => fn(a, 0.5, seeded()), ownBits)),
      sample([input(shapes[0]!)], (a) => fn(a, 0), `F.${torch}(a, 0.0)`),
      sample([input(shapes[0]!)], (a) => fn(a, 1), `F.${torch}(a, 1.0, training=True)`),
      sample(
        [input(shapes[0]!)],
        (a) => fn(a, 0.5, { training: false }),
        `F.${torch}(a, 0.5, training=False)`,
      ),
    ],
    bad: [
      bad(() => fn(zeros(shapes[0]!), 1.5), new RegExp(`^${op}: p must be from 0 to 1, got 1.5`)),
      bad(
        () => fn(zeros(shapes[0]!, { dtype: "int32" })),
        new RegExp(`^${op}: needs a float tensor`),
      ),
      ...(wrong.length > 0 || op.includes("eature")
        ? [bad(() => fn(zeros(wrong)), new RegExp(`^${op}: expected`))]
        : []),
    ],
  };
}

export const dropoutSamples: SampleSet = () => [
  dropSet(
    "dropout1d",
    dropout1d,
    [
      [2, 3, 4],
      [3, 4],
    ],
    "dropout1d",
    [3],
  ),
  dropSet(
    "dropout2d",
    dropout2d,
    [
      [2, 3, 2, 2],
      [2, 3, 4],
    ],
    "dropout2d",
    [3, 2],
  ),
  dropSet(
    "dropout3d",
    dropout3d,
    [
      [2, 3, 2, 1, 2],
      [3, 2, 1, 2],
    ],
    "dropout3d",
    [3, 2, 2],
  ),
  dropSet("alphaDropout", alphaDropout, [[4, 5], []], "alpha_dropout", []),
  dropSet(
    "featureAlphaDropout",
    featureAlphaDropout,
    [
      [4, 5, 2],
      [3, 4],
    ],
    "feature_alpha_dropout",
    [],
  ),
  {
    op: "dropConnect",
    samples: [
      unlike(
        [input([2, 3]), input([4, 3]), input([4])],
        (a, b, c) => dropConnect(a, b, c, 0.5, seeded()),
        ownBits,
      ),
      sample(
        [input([2, 3]), input([4, 3])],
        (a, b) => dropConnect(a, b, null, 0.5, { training: false }),
        "F.linear(a, b)",
      ),
    ],
    bad: [
      bad(() => dropConnect(zeros([2, 3]), zeros([4, 2])), /^linear: input \[2, 3\] does not fit/),
      bad(() => dropConnect(zeros([2, 3]), zeros([4, 3]), null, 2), /p must be from 0 to 1, got 2/),
    ],
  },
  {
    op: "stochasticDepth",
    samples: [
      ...(["row", "batch"] as const).map((mode) =>
        unlike([input([6, 2])], (a) => stochasticDepth(a, 0.5, { mode, ...seeded() }), ownBits),
      ),
      sample([input([2, 3])], (a) => stochasticDepth(a, 1), "a * 0"),
      sample([input([2, 3])], (a) => stochasticDepth(a, 0.5, { training: false }), "a * 1"),
    ],
    bad: [
      bad(() => stochasticDepth(zeros([2]), -1), /^stochasticDepth: p must be from 0 to 1, got -1/),
      bad(
        () => stochasticDepth(zeros([2]), 0, { mode: "all" as "row" }),
        /mode must be "row" or "batch"/,
      ),
      bad(() => stochasticDepth(zeros([]), 0), /^stochasticDepth: expected \[B, …\], got \[\]/),
    ],
  },
];
