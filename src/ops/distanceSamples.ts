/** The samples of lossDistance.ts and lossBinary.ts. */
import { ones, tensor, zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  kink,
  type OpSamples,
  type Sample,
  type SampleInput,
  type SampleSet,
  sample,
  typed,
} from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import type { LossOptions, Reduction } from "./loss.js";
import * as binary from "./lossBinary.js";
import * as distance from "./lossDistance.js";
import { reductionNames } from "./lossSamples.js";

type Loss = (x: Tensor, y: Tensor, options?: LossOptions & Record<string, unknown>) => Tensor;

const infinity = Number.POSITIVE_INFINITY;

/** What every loss of two tensors is tried on; `second` draws the targets. */
export function pairLossSamples(
  fn: Loss,
  torch: string,
  first: (shape: readonly number[]) => SampleInput = (shape) => input(shape),
  second: (shape: readonly number[]) => SampleInput = (shape) => input(shape),
): Sample[] {
  return [
    ...reductionNames.map((reduction) =>
      sample(
        [first([2, 3]), second([2, 3])],
        (a, b) => fn(a, b, { reduction }),
        `${torch}(a, b, reduction="${reduction}")`,
      ),
    ),
    sample([first([3, 2]), second([2, 3])], (a, b) => fn(a.t(), b), `${torch}(a.t(), b)`),
    sample([first([20]), second([20])], (a, b) => fn(a, b), `${torch}(a, b)`),
    kink([first([0, 3]), second([0, 3])], (a, b) => fn(a, b), `${torch}(a, b)`),
  ];
}

export const badPair = (op: string, fn: Loss): NonNullable<OpSamples["bad"]> => [
  bad(
    () => fn(zeros([2, 1]), zeros([2])),
    new RegExp(`^${op}: shapes differ: \\[2, 1\\] and \\[2\\]`),
  ),
  bad(
    () => fn(zeros([2]), zeros([2]), { reduction: "max" as Reduction }),
    new RegExp(`^${op}: reduction must be "mean", "sum" or "none", got max`),
  ),
];

const scalars = (fn: Loss, torch: string): Sample =>
  sample([input([]), input([])], (a, b) => fn(a, b), `${torch}(a, b)`);

const edges = [given([7], [0, 1, -1, 2, -3, 0.5, 0]), given([7], [0, 0, 0, 0, 0, 0, 1])] as const;

const linearSamples: SampleSet = () => [
  {
    op: "l1Loss",
    samples: [
      ...pairLossSamples(distance.l1Loss, "F.l1_loss"),
      scalars(distance.l1Loss, "F.l1_loss"),
      kink([...edges], (a, b) => distance.l1Loss(a, b), "F.l1_loss(a, b)"),
    ],
    bad: badPair("l1Loss", distance.l1Loss),
  },
  {
    op: "smoothL1Loss",
    samples: [
      ...pairLossSamples(distance.smoothL1Loss, "F.smooth_l1_loss"),
      scalars(distance.smoothL1Loss, "F.smooth_l1_loss"),
      ...[0.5, 2, 0].map((beta) =>
        sample(
          [input([9]), input([9])],
          (a, b) => distance.smoothL1Loss(a, b, { beta }),
          `F.smooth_l1_loss(a, b, beta=${beta})`,
        ),
      ),
      kink([...edges], (a, b) => distance.smoothL1Loss(a, b), "F.smooth_l1_loss(a, b)"),
    ],
    bad: [
      ...badPair("smoothL1Loss", distance.smoothL1Loss),
      bad(
        () => distance.smoothL1Loss(zeros([1]), zeros([1]), { beta: -1 }),
        /^smoothL1Loss: beta must be ≥ 0, got -1/,
      ),
    ],
  },
  {
    op: "huberLoss",
    samples: [
      ...pairLossSamples(distance.huberLoss, "F.huber_loss"),
      scalars(distance.huberLoss, "F.huber_loss"),
      sample(
        [input([9]), input([9])],
        (a, b) => distance.huberLoss(a, b, { delta: 0.5 }),
        "F.huber_loss(a, b, delta=0.5)",
      ),
      kink([...edges], (a, b) => distance.huberLoss(a, b), "F.huber_loss(a, b)"),
    ],
    bad: [
      ...badPair("huberLoss", distance.huberLoss),
      bad(
        () => distance.huberLoss(zeros([1]), zeros([1]), { delta: 0 }),
        /^huberLoss: delta must be above 0, got 0/,
      ),
    ],
  },
];

const likelihoodSamples: SampleSet = () => [
  {
    op: "klDiv",
    samples: [
      ...pairLossSamples(distance.klDiv as Loss, "F.kl_div", undefined, (s) => input(s, 0.1, 1)),
      sample(
        [input([4, 3]), input([4, 3], 0.1, 1)],
        (a, b) => distance.klDiv(a, b, { reduction: "batchmean" }),
        'F.kl_div(a, b, reduction="batchmean")',
      ),
      ...reductionNames.map((reduction) =>
        sample(
          [input([4, 3]), input([4, 3])],
          (a, b) => distance.klDiv(a, b, { reduction, logTarget: true }),
          `F.kl_div(a, b, reduction="${reduction}", log_target=True)`,
        ),
      ),
      kink(
        [input([3])],
        (a) => distance.klDiv(a, tensor([0, 1, 0.5])),
        "F.kl_div(a, torch.tensor([0, 1, 0.5]))",
      ),
    ],
    bad: [
      ...badPair("klDiv", distance.klDiv as Loss),
      bad(
        () => distance.klDiv(zeros([]), zeros([]), { reduction: "batchmean" }),
        /^klDiv: reduction "batchmean" needs a first dim/,
      ),
    ],
  },
  {
    op: "poissonNllLoss",
    samples: [
      ...pairLossSamples(distance.poissonNllLoss, "F.poisson_nll_loss", undefined, (s) =>
        input(s, 0, 4),
      ),
      sample(
        [input([8]), input([8], 0, 4)],
        (a, b) => distance.poissonNllLoss(a, b, { full: true }),
        "F.poisson_nll_loss(a, b, full=True)",
      ),
      sample(
        [input([8], 0.1, 3), input([8], 0, 4)],
        (a, b) => distance.poissonNllLoss(a, b, { logInput: false, eps: 1e-3 }),
        "F.poisson_nll_loss(a, b, log_input=False, eps=1e-3)",
      ),
      kink(
        [input([4])],
        (a) => distance.poissonNllLoss(a, tensor([0, 1, 2, 5]), { full: true }),
        "F.poisson_nll_loss(a, torch.tensor([0.0, 1, 2, 5]), full=True)",
      ),
    ],
    bad: badPair("poissonNllLoss", distance.poissonNllLoss),
  },
  {
    op: "gaussianNllLoss",
    samples: [
      ...reductionNames.map((reduction) =>
        sample(
          [input([2, 3]), input([2, 3]), input([2, 3], 0.2, 2)],
          (a, b, v) => distance.gaussianNllLoss(a, b, v, { reduction }),
          `F.gaussian_nll_loss(a, b, c, reduction="${reduction}")`,
        ),
      ),
      ...[[2], [2, 1]].map((shape) =>
        sample(
          [input([2, 3]), input([2, 3]), input(shape, 0.2, 2)],
          (a, b, v) => distance.gaussianNllLoss(a, b, v, { full: true }),
          "F.gaussian_nll_loss(a, b, c, full=True)",
        ),
      ),
      kink(
        [input([3]), input([3]), given([3], [0, 0.05, 2])],
        (a, b, v) => distance.gaussianNllLoss(a, b, v, { eps: 0.1 }),
        "F.gaussian_nll_loss(a, b, c, eps=0.1)",
      ),
    ],
    bad: [
      bad(
        () => distance.gaussianNllLoss(zeros([2, 3]), zeros([2, 3]), zeros([3])),
        /^gaussianNllLoss: variance \[3\] does not fit \[2, 3\]/,
      ),
      bad(
        () => distance.gaussianNllLoss(zeros([1]), zeros([1]), tensor([-1])),
        /^gaussianNllLoss: variances must not be negative/,
      ),
    ],
  },
];

const probabilities = (shape: readonly number[]) => input(shape, 0.05, 0.95);
const factor = "torch.tensor([0.5, 2, 1])";
const factorOf = () => tensor([0.5, 2, 1]);

const entropySamples: SampleSet = () => [
  {
    op: "binaryCrossEntropy",
    samples: [
      ...pairLossSamples(
        binary.binaryCrossEntropy,
        "F.binary_cross_entropy",
        probabilities,
        probabilities,
      ),
      sample(
        [probabilities([2, 3]), probabilities([2, 3])],
        (a, b) => binary.binaryCrossEntropy(a, b, { weight: factorOf() }),
        `F.binary_cross_entropy(a, b, ${factor})`,
      ),
      kink(
        [given([4], [0, 1, 0, 1])],
        (a) => binary.binaryCrossEntropy(a, tensor([0, 0, 1, 1])),
        "F.binary_cross_entropy(a, torch.tensor([0.0, 0, 1, 1]))",
      ),
    ],
    bad: [
      ...badPair("binaryCrossEntropy", binary.binaryCrossEntropy),
      bad(
        () => binary.binaryCrossEntropy(tensor([1.5]), ones([1])),
        /^binaryCrossEntropy: probabilities must be from 0 to 1/,
      ),
      bad(
        () => binary.binaryCrossEntropy(zeros([2]), ones([2]), { weight: ones([3]) }),
        /^binaryCrossEntropy: weight \[3\] does not broadcast to \[2\]/,
      ),
    ],
  },
  {
    op: "binaryCrossEntropyWithLogits",
    samples: [
      ...pairLossSamples(
        binary.binaryCrossEntropyWithLogits,
        "F.binary_cross_entropy_with_logits",
        undefined,
        probabilities,
      ),
      scalars(binary.binaryCrossEntropyWithLogits, "F.binary_cross_entropy_with_logits"),
      sample(
        [input([2, 3]), probabilities([2, 3])],
        (a, b) =>
          binary.binaryCrossEntropyWithLogits(a, b, {
            weight: tensor([[0.5], [3]]),
            posWeight: factorOf(),
          }),
        "F.binary_cross_entropy_with_logits(a, b, " +
          `weight=torch.tensor([[0.5], [3]]), pos_weight=${factor})`,
      ),
      sample(
        [input([2, 3]), probabilities([2, 3])],
        (a, b) =>
          binary.binaryCrossEntropyWithLogits(a, b, { posWeight: factorOf(), reduction: "none" }),
        `F.binary_cross_entropy_with_logits(a, b, pos_weight=${factor}, reduction="none")`,
      ),
      sample(
        [input([2, 3]), probabilities([2, 3])],
        (a, b) =>
          binary.binaryCrossEntropyWithLogits(a, b, { weight: factorOf(), reduction: "sum" }),
        `F.binary_cross_entropy_with_logits(a, b, weight=${factor}, reduction="sum")`,
      ),
      kink(
        [given([6], [0, 100, -100, 1000, -1000, 0]), given([6], [0, 0, 1, 1, 0, 1])],
        (a, b) => binary.binaryCrossEntropyWithLogits(a, b),
        "F.binary_cross_entropy_with_logits(a, b)",
      ),
    ],
    bad: [
      ...badPair("binaryCrossEntropyWithLogits", binary.binaryCrossEntropyWithLogits),
      bad(
        () => binary.binaryCrossEntropyWithLogits(zeros([2]), ones([2]), { posWeight: ones([3]) }),
        /^binaryCrossEntropyWithLogits: posWeight \[3\] does not broadcast to \[2\]/,
      ),
    ],
  },
];

const signs = (shape: readonly number[]): SampleInput => typed("int32", shape, -1, 1);

export const binaryLossSamples: SampleSet = () => [
  ...entropySamples(),
  {
    op: "softMarginLoss",
    samples: [
      ...pairLossSamples(binary.softMarginLoss, "F.soft_margin_loss", undefined, signs),
      kink(
        [given([4], [0, 50, -50, infinity]), given([4], [1, -1, 1, 1])],
        (a, b) => binary.softMarginLoss(a, b.detach()),
        "F.soft_margin_loss(a, b.detach())",
      ),
    ],
    bad: badPair("softMarginLoss", binary.softMarginLoss),
  },
  {
    op: "multilabelSoftMarginLoss",
    samples: [
      ...pairLossSamples(
        binary.multilabelSoftMarginLoss,
        "F.multilabel_soft_margin_loss",
        undefined,
        probabilities,
      ),
      sample(
        [input([2, 3]), probabilities([2, 3]), input([3], 0.5, 2)],
        (a, b, weight) => binary.multilabelSoftMarginLoss(a, b, { weight }),
        "F.multilabel_soft_margin_loss(a, b, weight=c)",
      ),
    ],
    bad: [
      ...badPair("multilabelSoftMarginLoss", binary.multilabelSoftMarginLoss),
      bad(
        () => binary.multilabelSoftMarginLoss(zeros([]), zeros([])),
        /^multilabelSoftMarginLoss: needs a dim of classes/,
      ),
    ],
  },
];

export const distanceLossSamples: SampleSet = () => [...linearSamples(), ...likelihoodSamples()];
