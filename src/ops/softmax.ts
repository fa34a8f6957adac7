/** Softmax and its logarithm. Read movement.ts next. */
import { normalizeDim } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  install,
  kink,
  type OpSamples,
  type SampleSet,
  sample,
} from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { squeeze, unsqueeze } from "./movement.js";
import { needFloat } from "./reduce.js";

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

install({ softmax, logSoftmax });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** exp(x) / Σ exp(x) along a dim. */
    softmax(dim: number): Tensor;
    /** log(softmax(x)) along a dim. */
    logSoftmax(dim: number): Tensor;
  }
}

function softmaxSet(op: "softmax" | "logSoftmax", torch: string): OpSamples {
  const fn = op === "softmax" ? softmax : logSoftmax;
  const large = [1000, 1001, -1000, 88, 89, 90];
  return {
    op,
    samples: [
      ...[0, 1, -1].map((d) => sample([input([3, 4])], (a) => fn(a, d), `torch.${torch}(a, ${d})`)),
      sample([input([2, 3, 4])], (a) => fn(a, 1), `torch.${torch}(a, 1)`),
      sample(
        [input([3, 2, 2])],
        (a) => fn(a.permute([2, 0, 1]), 1),
        `torch.${torch}(a.permute(2, 0, 1), 1)`,
      ),
      sample([input([])], (a) => fn(a, 0), `torch.${torch}(a, 0)`),
      sample([input([1])], (a) => fn(a, 0), `torch.${torch}(a, 0)`),
      sample([input([0, 3])], (a) => fn(a, 1), `torch.${torch}(a, 1)`),
      kink([given([2, 3], large)], (a) => fn(a, 1), `torch.${torch}(a, 1)`),
      kink([given([3], [Number.NEGATIVE_INFINITY, 0, 1])], (a) => fn(a, 0), `torch.${torch}(a, 0)`),
    ],
    bad: [
      bad(
        () => fn(zeros([2], { dtype: "int32" }), 0),
        new RegExp(`^${op}: needs a float tensor, got int32`),
      ),
      bad(() => fn(zeros([2]), 1), new RegExp(`^${op}: dim 1 is out of range`)),
    ],
  };
}

export const softmaxSamples: SampleSet = () => [
  softmaxSet("softmax", "softmax"),
  softmaxSet("logSoftmax", "log_softmax"),
];
