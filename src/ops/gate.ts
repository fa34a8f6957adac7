/** Activations that look at several numbers: prelu, glu, maxout, softmin, Gumbel's softmax. Read loss.ts next. */
import { isFloat } from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, normalizeDim } from "../core/shape.js";
import { applyOne, checkTensors, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  install,
  kink,
  type SampleSet,
  sample,
  unlike,
} from "../tensor/defineOp.js";
import { Generator, generatorOf, uniformNodes } from "../tensor/random.js";
import type { Tensor } from "../tensor/tensor.js";
import { needFloat } from "./reduce.js";
import { softmax } from "./softmax.js";

const preluSpec: OpSpec = {
  name: "prelu",
  lower(b, [x, weight]) {
    needFloat("prelu", x!);
    const slopes = b.convert(weight!, x!.dtype);
    const isPerChannel = slopes.shape[0] !== 1 && slopes.shape.length === 1;
    const shape = x!.shape.map((_, i) => (i === 1 && isPerChannel ? slopes.shape[0]! : 1));
    const isAbove = b.pointwise("greater", x!, 0);
    // What is above 0 must not reach the slope's gradient, not even as 0 · ∞.
    const below = b.multiply(b.select(isAbove, 0, x!), b.reshape(slopes, shape));
    return b.select(isAbove, x!, below);
  },
};

/**
 * x where it is above 0, else weight · x (He et al., 2015). The weight has one element, or one for each channel, the dim 1 of x.
 *
 * @throws ShapeError if the weight is neither.
 * @example
 * ```ts
 * import { prelu, tensor } from "gradus";
 * console.log(prelu(tensor([-4, 2]), tensor([0.5])).toArray()); // → [ -2, 2 ]
 * ```
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  const channels = x.ndim > 1 ? x.shape[1] : 1;
  if (weight.ndim > 1 || (weight.size !== 1 && weight.size !== channels))
    throw new ShapeError(
      "prelu",
      `the weight must be [1] or [${channels}] for ${formatShape(x.shape)}, ` +
        `got ${formatShape(weight.shape)}`,
    );
  return applyOne(preluSpec, [x, weight], {});
}

const gluSpec: OpSpec<{ readonly dim: number }> = {
  name: "glu",
  lower(b, [x], { dim }) {
    needFloat("glu", x!);
    const half = x!.shape[dim]! / 2;
    const start = x!.shape.map((_, i) => (i === dim ? half : 0));
    const limit = x!.shape.map((n, i) => (i === dim ? half : n));
    const value = b.slice(
      x!,
      start.map(() => 0),
      limit,
    );
    return b.multiply(value, b.pointwise("logistic", b.slice(x!, start, x!.shape)));
  },
};

/**
 * The first half of x along a dim times the sigmoid of the second (Dauphin et al., 2016).
 *
 * @throws ShapeError unless the size at `dim` is even.
 * @example
 * ```ts
 * import { glu, tensor } from "gradus";
 * console.log(glu(tensor([4, 8, 0, 0])).toArray()); // → [ 2, 4 ]
 * ```
 */
export function glu(x: Tensor, dim = -1): Tensor {
  checkTensors("glu", [x]);
  const place = normalizeDim("glu", dim, x.ndim);
  const n = x.shape[place];
  if (n === undefined || n % 2 !== 0)
    throw new ShapeError("glu", `dim ${dim} of ${formatShape(x.shape)} cannot be halved`);
  return applyOne(gluSpec, [x], { dim: place });
}

const maxoutSpec: OpSpec<{ readonly pieces: number; readonly dim: number }> = {
  name: "maxout",
  lower(b, [x], { pieces, dim }) {
    const shape = x!.shape.flatMap((n, i) => (i === dim ? [n / pieces, pieces] : [n]));
    return b.reduce("reduceMax", b.reshape(x!, shape), [dim + 1]);
  },
};

/**
 * The largest of every `pieces` neighbours along a dim (Goodfellow et al., 2013): [B, C, …] → [B, C / pieces, …] for dim 1.
 *
 * @throws ShapeError unless `pieces` divides the size.
 * @example
 * ```ts
 * import { maxout, tensor } from "gradus";
 * console.log(maxout(tensor([[1, 5, 2, 7]]), 2).toArray()); // → [ [ 5, 7 ] ]
 * ```
 */
export function maxout(x: Tensor, pieces: number, dim = 1): Tensor {
  checkTensors("maxout", [x]);
  const place = normalizeDim("maxout", dim, x.ndim);
  const n = x.shape[place];
  if (!Number.isInteger(pieces) || pieces < 1 || n === undefined || n % pieces !== 0)
    throw new ShapeError(
      "maxout",
      `dim ${dim} of ${formatShape(x.shape)} does not split into groups of ${pieces}`,
    );
  return applyOne(maxoutSpec, [x], { pieces, dim: place });
}

/**
 * exp(−x) / Σ exp(−x) along a dim.
 *
 * @example
 * ```ts
 * import { softmin, tensor } from "gradus";
 * console.log(softmin(tensor([3, 3]), 0).toArray()); // → [ 0.5, 0.5 ]
 * ```
 */
export function softmin(x: Tensor, dim: number): Tensor {
  const place = normalizeDim("softmin", dim, x.ndim);
  if (!isFloat(x.dtype)) throw new DTypeError("softmin", `needs a float tensor, got ${x.dtype}`);
  return softmax(applyOne(negateSpec, [x], {}), place);
}

const negateSpec: OpSpec = { name: "softmin", lower: (b, [x]) => b.negate(x!) };

const gumbelSpec: OpSpec = {
  name: "gumbelSoftmax",
  lower(b, [x, state]) {
    // In float64, where 1 − u is never 0; float32 would lose the tail of the distribution.
    const draws = b.subtract(1, uniformNodes(b, state!, x!.shape, "float64"));
    const waits = b.negate(b.pointwise("log", draws));
    // The least wait is 2⁻⁵³ but for u = 0.
    const gumbel = b.negate(b.pointwise("log", b.pointwise("maximum", waits, 2 ** -54)));
    return b.add(x!, b.convert(gumbel, x!.dtype));
  },
};

const hardenSpec: OpSpec<{ readonly dim: number }> = {
  name: "gumbelSoftmax",
  lower(b, [soft], { dim }) {
    const chosen = b.make("argMax", [soft!], { dim });
    const index = b.unreduce(chosen, soft!.shape, [dim]);
    const hard = b.convert(b.equal(b.iota(dim, soft!.shape), index), soft!.dtype);
    return b.add(b.subtract(hard, b.stopGradient(soft!)), soft!);
  },
};

export interface GumbelSoftmaxOptions {
  /** Temperature: near 0 the result is nearly one-hot; default 1. */
  readonly tau?: number;
  /** Gives exactly one-hot values, with the gradient of the soft ones; default false. */
  readonly hard?: boolean;
  readonly dim?: number;
  readonly generator?: Generator;
}

/**
 * A draw from the classes that logits describe, softened so that gradients flow: softmax((x + g) / tau) with Gumbel
 * noise g = −log(−log u) (Jang et al., 2016).
 *
 * @throws ValueError unless tau is above 0.
 * @example
 * ```ts
 * import { manualSeed, nn, zeros } from "gradus";
 * manualSeed(1);
 * const y = nn.functional.gumbelSoftmax(zeros([2, 3]), { hard: true });
 * console.log(y.sum(1).toArray()); // → [ 1, 1 ]
 * ```
 */
export function gumbelSoftmax(x: Tensor, options: GumbelSoftmaxOptions = {}): Tensor {
  const { tau = 1, hard = false, dim = -1 } = options;
  const generator = generatorOf("gumbelSoftmax", options.generator);
  if (!(tau > 0)) throw new ValueError("gumbelSoftmax", `tau must be above 0, got ${tau}`);
  if (!isFloat(x.dtype))
    throw new DTypeError("gumbelSoftmax", `needs a float tensor, got ${x.dtype}`);
  const place = normalizeDim("gumbelSoftmax", dim, x.ndim);
  const noisy = applyOne(gumbelSpec, [x, generator.take()], {});
  const soft = softmax(noisy.div(tau), place);
  return hard && x.ndim > 0 ? applyOne(hardenSpec, [soft], { dim: place }) : soft;
}

install({ prelu });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** x where it is above 0, else weight · x. */
    prelu(weight: Tensor): Tensor;
  }
}

const ownBits = "its random bits are its own; distributions.test.ts checks their distribution";
const infinity = Number.POSITIVE_INFINITY;
const seeded = () => ({ generator: new Generator(5) });

const preluSamples: SampleSet = () => [
  {
    op: "prelu",
    samples: [
      sample([input([2, 3]), input([1])], prelu, "F.prelu(a, b)"),
      sample([input([2, 3]), input([3])], prelu, "F.prelu(a, b)"),
      sample([input([2, 3, 2, 2]), input([3])], prelu, "F.prelu(a, b)"),
      sample([input([3, 2]), input([3])], (a, w) => prelu(a.t(), w), "F.prelu(a.t(), b)"),
      sample([input([4]), input([1])], prelu, "F.prelu(a, b)"),
      sample([input([0, 3]), input([3])], prelu, "F.prelu(a, b)"),
      kink([given([5], [0, -0, 1, -1, infinity]), input([1])], prelu, "F.prelu(a, b)"),
    ],
    bad: [
      bad(() => prelu(zeros([2, 3]), zeros([2])), /^prelu: the weight must be \[1\] or \[3\]/),
      bad(() => prelu(zeros([2], { dtype: "int32" }), zeros([1])), /^prelu: needs a float tensor/),
    ],
  },
];

const gluSamples: SampleSet = () => [
  {
    op: "glu",
    samples: [
      sample([input([2, 4])], (a) => glu(a), "F.glu(a)"),
      sample([input([4, 3])], (a) => glu(a, 0), "F.glu(a, 0)"),
      sample([input([2, 6, 2])], (a) => glu(a, -2), "F.glu(a, -2)"),
      sample([input([4, 3])], (a) => glu(a.t()), "F.glu(a.t())"),
      sample([input([0, 4])], (a) => glu(a), "F.glu(a)"),
    ],
    bad: [bad(() => glu(zeros([2, 3])), /^glu: dim -1 of \[2, 3\] cannot be halved/)],
  },
  {
    op: "maxout",
    samples: [
      sample([input([2, 6])], (a) => maxout(a, 2), "a.reshape(2, 3, 2).amax(2)"),
      sample([input([2, 6, 3])], (a) => maxout(a, 3), "a.reshape(2, 2, 3, 3).amax(2)"),
      sample([input([4, 6])], (a) => maxout(a.t(), 3, 0), "a.t().reshape(2, 3, 4).amax(1)"),
      kink([given([1, 4], [1, 1, 2, 0])], (a) => maxout(a, 2), "a.reshape(1, 2, 2).amax(2)"),
    ],
    bad: [
      bad(
        () => maxout(zeros([2, 5]), 2),
        /^maxout: dim 1 of \[2, 5\] does not split into groups of 2/,
      ),
    ],
  },
  {
    op: "softmin",
    samples: [
      sample([input([3, 4])], (a) => softmin(a, 1), "F.softmin(a, 1)"),
      sample([input([3, 4])], (a) => softmin(a.t(), -2), "F.softmin(a.t(), -2)"),
      sample([input([])], (a) => softmin(a, 0), "F.softmin(a, 0)"),
      kink([given([3], [1000, -1000, 0])], (a) => softmin(a, 0), "F.softmin(a, 0)"),
    ],
    bad: [
      bad(() => softmin(zeros([2]), 1), /^softmin: dim 1 is out of range/),
      bad(() => softmin(zeros([2], { dtype: "int32" }), 0), /^softmin: needs a float tensor/),
    ],
  },
];

export const gateSamples: SampleSet = () => [
  ...preluSamples(),
  ...gluSamples(),
  {
    op: "gumbelSoftmax",
    samples: [
      unlike([input([3, 4])], (a) => gumbelSoftmax(a, seeded()), ownBits),
      unlike([input([3, 4])], (a) => gumbelSoftmax(a, { ...seeded(), tau: 0.5, dim: 0 }), ownBits),
      {
        ...unlike([input([3, 4])], (a) => gumbelSoftmax(a, { ...seeded(), hard: true }), ownBits),
        smooth: false,
      },
    ],
    bad: [
      bad(
        () => gumbelSoftmax(zeros([2]), { tau: 0 }),
        /^gumbelSoftmax: tau must be above 0, got 0/,
      ),
      bad(
        () => gumbelSoftmax(zeros([2], { dtype: "int32" })),
        /^gumbelSoftmax: needs a float tensor, got int32/,
      ),
    ],
  },
];
