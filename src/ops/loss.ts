/** Losses: what training makes small. Read random.ts next. */

import { isFloat } from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  kink,
  type OpSamples,
  type Sample,
  type SampleSet,
  sample,
  typed,
} from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { indexNodes } from "./indexing.js";
import { promoteNodes } from "./pointwise.js";
import { logSoftmaxNodes } from "./softmax.js";

/** How the losses of single examples become one: their mean (the default), their sum, or not at all. */
export type Reduction = "mean" | "sum" | "none";

export interface LossOptions {
  readonly reduction?: Reduction;
}

export interface CrossEntropyOptions extends LossOptions {
  /** Targets of this value count for nothing; default -100. */
  readonly ignoreIndex?: number;
  /** Share of the target's probability that is spread over all classes, from 0 to 1; default 0. */
  readonly labelSmoothing?: number;
}

const reductions: readonly unknown[] = ["mean", "sum", "none"];

function checkReduction(op: string, reduction: Reduction): Reduction {
  if (!reductions.includes(reduction))
    throw new ValueError(op, `reduction must be "mean", "sum" or "none", got ${String(reduction)}`);
  return reduction;
}

const allDims = (x: Node): number[] => x.shape.map((_, i) => i);

function reduceLoss(b: Builder, losses: Node, reduction: Reduction, count?: Node): Node {
  if (reduction === "none") return losses;
  const total = b.reduce("reduceSum", losses, allDims(losses));
  if (reduction === "sum") return total;
  return b.divide(total, count ?? losses.shape.reduce((n, m) => n * m, 1));
}

type EntropyAttributes = {
  readonly reduction: Reduction;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
};

/** Negative log likelihoods of the targets, given the log probabilities; dim 1 is the classes. */
function pickedLoss(b: Builder, scores: Node, target: Node, attributes: EntropyAttributes): Node {
  const { reduction, ignoreIndex, labelSmoothing } = attributes;
  const classes = scores.shape[1]!;
  const indices = indexNodes(b, b.origin, target);
  const ignored = b.equal(indices, ignoreIndex);
  // A target that is ignored may be no class; the first class stands in for it.
  const safe = b.select(ignored, 0, indices);
  const column = b.reshape(safe, [safe.shape[0]!, 1, ...safe.shape.slice(1)]);
  const picked = b.make("gather", [scores, column], { dim: 1 });
  let losses = b.negate(b.reshape(picked, target.shape));
  if (labelSmoothing > 0) {
    const spread = b.negate(b.divide(b.reduce("reduceSum", scores, [1]), classes));
    losses = b.add(b.multiply(losses, 1 - labelSmoothing), b.multiply(spread, labelSmoothing));
  }
  const kept = b.convert(b.pointwise("not", ignored), scores.dtype);
  const counted = b.select(ignored, 0, losses);
  const count = b.reduce("reduceSum", kept, allDims(kept));
  return reduceLoss(b, counted, reduction, count);
}

const crossEntropySpec: OpSpec<EntropyAttributes> = {
  name: "crossEntropy",
  lower: (b, [x, target], attributes) =>
    pickedLoss(b, logSoftmaxNodes(b, x!, 1), target!, attributes),
};

const nllLossSpec: OpSpec<EntropyAttributes> = {
  name: "nllLoss",
  lower: (b, [x, target], attributes) => pickedLoss(b, x!, target!, attributes),
};

function classLoss(
  spec: OpSpec<EntropyAttributes>,
  x: Tensor,
  target: Tensor,
  options: CrossEntropyOptions,
): Tensor {
  const { reduction = "mean", ignoreIndex = -100, labelSmoothing = 0 } = options;
  if (!isFloat(x.dtype)) throw new DTypeError(spec.name, `needs float scores, got ${x.dtype}`);
  const expected = [x.shape[0], ...x.shape.slice(2)] as number[];
  if (x.ndim < 2 || !sameShape(expected, target.shape))
    throw new ShapeError(
      spec.name,
      `scores ${formatShape(x.shape)} and targets ${formatShape(target.shape)}: expected ` +
        "[B, classes, …] and [B, …] with class indices",
    );
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new ValueError(spec.name, `labelSmoothing must be from 0 to 1, got ${labelSmoothing}`);
  checkReduction(spec.name, reduction);
  return applyOne(spec, [x, target], { reduction, ignoreIndex, labelSmoothing });
}

/**
 * −log softmax(x)[target], averaged: the loss of classification by scores (logits).
 *
 * x: [B, classes, …], target: [B, …] int32 class indices → a scalar, or [B, …] with reduction "none".
 *
 * @throws ValueError if a target is no class; ShapeError if the shapes do not fit.
 */
export const crossEntropy = (
  x: Tensor,
  target: Tensor,
  options: CrossEntropyOptions = {},
): Tensor => classLoss(crossEntropySpec, x, target, options);

/** −x[target], averaged, for log probabilities x: the second half of {@link crossEntropy}. */
export const nllLoss = (
  x: Tensor,
  target: Tensor,
  options: Omit<CrossEntropyOptions, "labelSmoothing"> = {},
): Tensor => classLoss(nllLossSpec, x, target, options);

const mseLossSpec: OpSpec<{ readonly reduction: Reduction }> = {
  name: "mseLoss",
  lower(b, nodes, { reduction }) {
    const [x, y] = promoteNodes(b, nodes) as [Node, Node];
    const difference = b.subtract(x, y);
    return reduceLoss(b, b.multiply(difference, difference), reduction);
  },
};

/** (x − target)², averaged. Both have one shape. */
export function mseLoss(x: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  if (!sameShape(x.shape, target.shape))
    throw new ShapeError(
      "mseLoss",
      `shapes differ: ${formatShape(x.shape)} and ${formatShape(target.shape)}`,
    );
  return applyOne(mseLossSpec, [x, target], {
    reduction: checkReduction("mseLoss", options.reduction ?? "mean"),
  });
}

const reductionNames = ["mean", "sum", "none"] as const;

/** Scores and targets that both losses of classes take. */
function classSamples(fn: typeof crossEntropy, torch: string): Sample[] {
  const [scores, labels] = [input([4, 3]), typed("int32", [4], 0, 2)];
  const ignored = given([4], [1, -100, 2, 0], "int32");
  return [
    ...reductionNames.map((reduction) =>
      sample(
        [scores, labels],
        (a, b) => fn(a, b, { reduction }),
        `${torch}(a, b, reduction="${reduction}")`,
      ),
    ),
    ...reductionNames.map((reduction) =>
      sample(
        [scores, ignored],
        (a, b) => fn(a, b, { reduction }),
        `${torch}(a, b, reduction="${reduction}")`,
      ),
    ),
    sample(
      [scores, labels],
      (a, b) => fn(a, b, { ignoreIndex: 1 }),
      `${torch}(a, b, ignore_index=1)`,
    ),
    sample([input([2, 3, 4]), typed("int32", [2, 4], 0, 2)], (a, b) => fn(a, b), `${torch}(a, b)`),
    sample(
      [input([2, 4, 2, 2]), typed("int32", [2, 2, 2], 0, 3)],
      (a, b) => fn(a, b),
      `${torch}(a, b)`,
    ),
    sample([input([3, 4]), labels], (a, b) => fn(a.t(), b), `${torch}(a.t(), b)`),
    sample([scores, typed("uint8", [4], 0, 2)], (a, b) => fn(a, b), `${torch}(a, b.long())`),
    sample([input([64, 10]), typed("int32", [64], 0, 9)], (a, b) => fn(a, b), `${torch}(a, b)`),
    kink(
      [scores, given([4], [-100, -100, -100, -100], "int32")],
      (a, b) => fn(a, b),
      `${torch}(a, b)`,
    ),
  ];
}

const badClasses = (op: string, fn: typeof crossEntropy): OpSamples["bad"] => {
  const labels = (n: number) => zeros([n], { dtype: "int32" });
  return [
    bad(
      () => fn(zeros([4, 3]), labels(3)),
      new RegExp(`^${op}: scores \\[4, 3\\] and targets \\[3\\]: expected \\[B, classes, …\\]`),
    ),
    bad(() => fn(zeros([4]), labels(4)), new RegExp(`^${op}: scores \\[4\\] and targets \\[4\\]`)),
    bad(
      () => fn(zeros([4, 3]), zeros([4])),
      new RegExp(`^${op}: indices must be int32 or uint8, got float32`),
    ),
    bad(
      () => fn(zeros([4, 3], { dtype: "int32" }), labels(4)),
      new RegExp(`^${op}: needs float scores, got int32`),
    ),
    bad(
      () => fn(zeros([4, 3]), labels(4), { reduction: "max" as Reduction }),
      new RegExp(`^${op}: reduction must be "mean", "sum" or "none", got max`),
    ),
  ];
};

const entropySamples: SampleSet = () => [
  {
    op: "crossEntropy",
    samples: [
      ...classSamples(crossEntropy, "F.cross_entropy"),
      ...reductionNames.map((reduction) =>
        sample(
          [input([4, 3]), given([4], [1, -100, 2, 0], "int32")],
          (a, b) => crossEntropy(a, b, { reduction, labelSmoothing: 0.1 }),
          `F.cross_entropy(a, b, reduction="${reduction}", label_smoothing=0.1)`,
        ),
      ),
      kink(
        [given([2, 3], [1000, -1000, 0, 0, 88, 89]), given([2], [1, 2], "int32")],
        (a, b) => crossEntropy(a, b),
        "F.cross_entropy(a, b)",
      ),
    ],
    bad: [
      ...badClasses("crossEntropy", crossEntropy)!,
      bad(
        () => crossEntropy(zeros([1, 2]), zeros([1], { dtype: "int32" }), { labelSmoothing: 2 }),
        /^crossEntropy: labelSmoothing must be from 0 to 1, got 2/,
      ),
    ],
  },
  {
    op: "nllLoss",
    samples: classSamples(nllLoss, "F.nll_loss"),
    bad: badClasses("nllLoss", nllLoss)!,
    noSecondGradient: "it is linear",
  },
];

export const lossSamples: SampleSet = () => [
  ...entropySamples(),
  {
    op: "mseLoss",
    samples: [
      ...reductionNames.map((reduction) =>
        sample(
          [input([2, 3]), input([2, 3])],
          (a, b) => mseLoss(a, b, { reduction }),
          `F.mse_loss(a, b, reduction="${reduction}")`,
        ),
      ),
      sample([input([3, 2]), input([2, 3])], (a, b) => mseLoss(a.t(), b), "F.mse_loss(a.t(), b)"),
      sample([input([]), input([])], (a, b) => mseLoss(a, b), "F.mse_loss(a, b)"),
      sample(
        [input([2]), typed("float64", [2], -2, 2)],
        (a, b) => mseLoss(a, b),
        "F.mse_loss(a, b)",
      ),
      kink([input([0]), input([0])], (a, b) => mseLoss(a, b), "F.mse_loss(a, b)"),
    ],
    bad: [
      bad(() => mseLoss(zeros([2, 1]), zeros([2])), /^mseLoss: shapes differ: \[2, 1\] and \[2\]/),
      bad(
        () => mseLoss(zeros([2]), zeros([2]), { reduction: "max" as Reduction }),
        /^mseLoss: reduction must be "mean", "sum" or "none", got max/,
      ),
    ],
  },
];
