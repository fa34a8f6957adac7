/** Ops that draw random numbers: dropout, bernoulli. */
import { DTypeError, ValueError } from "../core/errors.js";
import { isFloat } from "../core/dtype.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { defaultGenerator, type Generator, uniformNodes } from "../tensor/random.js";
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
