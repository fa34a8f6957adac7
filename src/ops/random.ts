/** Ops that draw random numbers: dropout, bernoulli, multinomial. */
import { isFloat } from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { tensor, zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  install,
  type SampleSet,
  sample,
  typed,
  unlike,
} from "../tensor/defineOp.js";
import { Generator, generatorOf, uniformNodes } from "../tensor/random.js";
import type { Tensor } from "../tensor/tensor.js";
import { knownValues } from "./known.js";

export interface DropoutOptions {
  /** Whether to drop at all; default true. */
  readonly training?: boolean;
  readonly generator?: Generator;
}

const dropoutSpec: OpSpec<{ readonly p: number }> = {
  name: "dropout",
  lower(b, [x, state], { p }) {
    if (p === 1) return b.multiply(x!, 0);
    const draws = uniformNodes(b, state!, x!.shape, "float32");
    const kept = b.pointwise("greaterEqual", draws, p);
    return b.select(kept, b.multiply(x!, 1 / (1 - p)), 0);
  },
};

/**
 * Sets each element to 0 with probability p and scales the others by 1 / (1 − p), so that the expected value stays
 * (Srivastava et al., 2014). Without `training` it changes nothing.
 *
 * @throws ValueError unless p is from 0 to 1.
 */
export function dropout(x: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor {
  if (!(p >= 0 && p <= 1)) throw new ValueError("dropout", `p must be from 0 to 1, got ${p}`);
  if (!isFloat(x.dtype)) throw new DTypeError("dropout", `needs a float tensor, got ${x.dtype}`);
  const generator = generatorOf("dropout", options.generator);
  if (options.training === false || p === 0) return x;
  return applyOne(dropoutSpec, [x, generator.take()], { p });
}

const bernoulliSpec: OpSpec = {
  name: "bernoulli",
  lower(b, [x, state]) {
    const draws = uniformNodes(b, state!, x!.shape, "float32");
    return b.convert(b.pointwise("less", draws, b.convert(x!, "float32")), x!.dtype);
  },
};

/** 1 with probability x, else 0, for each element of x. */
export function bernoulli(x: Tensor, options: { readonly generator?: Generator } = {}): Tensor {
  if (!isFloat(x.dtype)) throw new DTypeError("bernoulli", `needs probabilities, got ${x.dtype}`);
  const state = generatorOf("bernoulli", options.generator).take();
  return applyOne(bernoulliSpec, [x.detach(), state], {});
}

type MultinomialAttributes = { readonly count: number; readonly replacement: boolean };

/** Whole draws: how many sums of the weights so far lie at or below u · total. */
function drawWithReplacement(b: Builder, weights: Node, state: Node, count: number): Node {
  const [batch, classes] = weights.shape as [number, number];
  const sums = b.make("cumulativeSum", [weights], { dim: 1, reverse: false });
  const total = b.slice(sums, [0, classes - 1], [batch, classes]);
  const draws = b.multiply(uniformNodes(b, state, [batch, count], "float64"), total);
  const cube = [batch, count, classes];
  const isPast = b.pointwise(
    "lessEqual",
    b.broadcastTo(b.reshape(sums, [batch, 1, classes]), cube),
    b.broadcastTo(b.reshape(draws, [batch, count, 1]), cube),
  );
  return b.reduce("reduceSum", b.convert(isPast, "int32"), [2]);
}

/** A race: each class arrives after an exponential time with its weight as rate; the first ones are drawn. */
function drawWithoutReplacement(b: Builder, weights: Node, state: Node, count: number): Node {
  const draws = b.subtract(1, uniformNodes(b, state, weights.shape, "float64"));
  const times = b.divide(b.negate(b.pointwise("log", draws)), weights);
  // A class of weight 0 never arrives, also where its 0 / 0 would be no number.
  const arrivals = b.select(b.equal(weights, 0), Number.POSITIVE_INFINITY, times);
  const order = b.make("argSort", [arrivals], { dim: 1, descending: false });
  return b.slice(order, [0, 0], [weights.shape[0]!, count]);
}

const multinomialSpec: OpSpec<MultinomialAttributes> = {
  name: "multinomial",
  lower(b, [x, state], { count, replacement }) {
    const rows = x!.shape.length === 1 ? [1, ...x!.shape] : x!.shape;
    const weights = b.convert(b.reshape(x!, rows), "float64");
    const drawn = (replacement ? drawWithReplacement : drawWithoutReplacement)(
      b,
      weights,
      state!,
      count,
    );
    return b.reshape(drawn, [...x!.shape.slice(0, -1), count]);
  },
};

export interface MultinomialOptions {
  /** Whether a class may be drawn more than once; default false. */
  readonly replacement?: boolean;
  readonly generator?: Generator;
}

/** Throws if weights that are known make no distribution with enough classes. */
function checkWeights(x: Tensor, least: number): void {
  const known = knownValues(x);
  if (!known) return;
  const classes = x.shape[x.ndim - 1]!;
  for (let from = 0; from < known.length; from += classes) {
    const row = known.subarray(from, from + classes);
    if (row.some((w: number) => !(w >= 0 && w < Number.POSITIVE_INFINITY)))
      throw new ValueError("multinomial", "weights must be finite and ≥ 0");
    if (row.filter((w: number) => w > 0).length < least)
      throw new ValueError(
        "multinomial",
        `needs ${least} class(es) with a weight above 0 in each row`,
      );
  }
}

/**
 * Draws classes by weights, which need not add up to 1: [classes] → int32 [count], or [B, classes] → [B, count].
 *
 * @throws ValueError unless count ≥ 1 and, in eager mode, the weights are finite, not negative and enough of them above 0.
 * @example
 * ```ts
 * import { multinomial, tensor } from "gradus";
 * console.log(multinomial(tensor([0, 3, 0]), 4, { replacement: true }).toArray()); // → [ 1, 1, 1, 1 ]
 * ```
 */
export function multinomial(x: Tensor, count: number, options: MultinomialOptions = {}): Tensor {
  const { replacement = false } = options;
  const generator = generatorOf("multinomial", options.generator);
  if (!isFloat(x.dtype)) throw new DTypeError("multinomial", `needs float weights, got ${x.dtype}`);
  const classes = x.shape[x.ndim - 1];
  if ((x.ndim !== 1 && x.ndim !== 2) || !classes)
    throw new ShapeError(
      "multinomial",
      `expected weights [classes] or [B, classes], got ${formatShape(x.shape)}`,
    );
  if (!Number.isInteger(count) || count < 1 || (!replacement && count > classes))
    throw new ValueError(
      "multinomial",
      `cannot draw ${count} of ${classes} classes ${replacement ? "with" : "without"} replacement`,
    );
  checkWeights(x, replacement ? 1 : count);
  return applyOne(multinomialSpec, [x.detach(), generator.take()], { count, replacement });
}

install({ bernoulli, multinomial });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** 1 with probability x, else 0. */
    bernoulli(options?: { readonly generator?: Generator }): Tensor;
    /** Draws `count` classes by these weights. */
    multinomial(count: number, options?: MultinomialOptions): Tensor;
  }
}

const ownBits = "its random bits are its own; random.test.ts checks their distribution";

export const randomSamples: SampleSet = () => [
  {
    op: "dropout",
    samples: [
      ...[0.25, 0.5].map((p) =>
        unlike([input([4, 5])], (a) => dropout(a, p, { generator: new Generator(7) }), ownBits),
      ),
      unlike([input([5, 4])], (a) => dropout(a.t(), 0.5, { generator: new Generator(7) }), ownBits),
      unlike([input([])], (a) => dropout(a, 0.5, { generator: new Generator(3) }), ownBits),
      sample([input([2, 3])], (a) => dropout(a, 0), "F.dropout(a, 0.0)"),
      sample([input([2, 3])], (a) => dropout(a, 1), "F.dropout(a, 1.0)"),
      sample([input([0, 3])], (a) => dropout(a), "F.dropout(a)"),
      sample(
        [input([2, 3])],
        (a) => dropout(a, 0.5, { training: false }),
        "F.dropout(a, 0.5, training=False)",
      ),
    ],
    bad: [
      bad(() => dropout(zeros([2]), 1.5), /^dropout: p must be from 0 to 1, got 1\.5/),
      bad(() => dropout(zeros([2]), Number.NaN), /^dropout: p must be from 0 to 1, got NaN/),
      bad(
        () => dropout(zeros([2], { dtype: "int32" })),
        /^dropout: needs a float tensor, got int32/,
      ),
    ],
  },
  {
    op: "bernoulli",
    samples: [
      unlike([input([4, 5], 0, 1)], (a) => bernoulli(a, { generator: new Generator(7) }), ownBits),
      sample([given([4], [0, 1, 1, 0])], (a) => a.bernoulli(), "torch.bernoulli(a)"),
      sample([typed("float64", [3], 1, 1)], (a) => bernoulli(a), "torch.bernoulli(a)"),
    ],
    bad: [
      bad(
        () => bernoulli(zeros([2], { dtype: "int32" })),
        /^bernoulli: needs probabilities, got int32/,
      ),
    ],
    noGradient: "a draw has no gradient",
  },
  {
    op: "multinomial",
    samples: [
      ...[true, false].flatMap((replacement) => [
        unlike(
          [input([3, 5], 0, 1)],
          (a) => multinomial(a, 4, { replacement, generator: new Generator(3) }),
          ownBits,
        ),
        unlike(
          [input([6, 2], 0, 1)],
          (a) => multinomial(a.t(), 6, { replacement, generator: new Generator(9) }),
          ownBits,
        ),
      ]),
      sample(
        [given([2, 3], [0, 3, 0, 2, 0, 0])],
        (a) => multinomial(a, 3, { replacement: true }),
        "torch.multinomial(a.detach(), 3, True)",
      ),
      sample(
        [given([3], [0, 0, 0.1])],
        (a) => multinomial(a, 1),
        "torch.multinomial(a.detach(), 1)",
      ),
    ],
    bad: [
      bad(
        () => multinomial(zeros([2]), 1),
        /^multinomial: needs 1 class\(es\) with a weight above 0/,
      ),
      bad(() => multinomial(zeros([2]), 3), /^multinomial: cannot draw 3 of 2 classes without/),
      bad(() => multinomial(zeros([]), 3), /^multinomial: expected weights .* got \[\]/),
      bad(
        () => multinomial(tensor([1, -1]), 1, { replacement: true }),
        /^multinomial: weights must be finite and ≥ 0/,
      ),
    ],
    noGradient: "a draw has no gradient",
  },
];
