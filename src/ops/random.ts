/** Ops that draw random numbers: dropout, bernoulli. */

import { isFloat } from "../core/dtype.js";
import { DTypeError, ValueError } from "../core/errors.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, given, input, type SampleSet, sample, typed, unlike } from "../tensor/defineOp.js";
import { defaultGenerator, Generator, uniformNodes } from "../tensor/random.js";
import type { Tensor } from "../tensor/tensor.js";

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
  if (options.training === false || p === 0) return x;
  const state = (options.generator ?? defaultGenerator).take();
  return applyOne(dropoutSpec, [x, state], { p });
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
  const state = (options.generator ?? defaultGenerator).take();
  return applyOne(bernoulliSpec, [x.detach(), state], {});
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
      sample([given([4], [0, 1, 1, 0])], (a) => bernoulli(a), "torch.bernoulli(a)"),
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
];
