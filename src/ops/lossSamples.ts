/** The samples of loss.ts. */
import { tensor, zeros } from "../tensor/create.js";
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
import { crossEntropy, mseLoss, nllLoss, type Reduction } from "./loss.js";

export const reductionNames = ["mean", "sum", "none"] as const;

const weight = () => tensor([0.5, 2, 1.25]);

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
    ...reductionNames.map((reduction) =>
      sample(
        [scores, ignored],
        (a, b) => fn(a, b, { reduction, weight: weight() }),
        `${torch}(a, b, torch.tensor([0.5, 2, 1.25]), reduction="${reduction}")`,
      ),
    ),
    sample(
      [input([2, 3, 4]), typed("int32", [2, 4], 0, 2)],
      (a, b) => fn(a, b, { weight: weight(), ignoreIndex: 1 }),
      `${torch}(a, b, torch.tensor([0.5, 2, 1.25]), ignore_index=1)`,
    ),
    ...reductionNames.map((reduction) =>
      sample(
        [input([3]), typed("int32", [], 0, 2)],
        (a, b) => fn(a, b, { reduction }),
        `${torch}(a, b, reduction="${reduction}")`,
      ),
    ),
    kink(
      [scores, given([4], [-100, -100, -100, -100], "int32")],
      (a, b) => fn(a, b),
      `${torch}(a, b)`,
    ),
  ];
}

/** Targets that are probabilities of the classes. */
const probabilitySamples = (): Sample[] => [
  ...reductionNames.map((reduction) =>
    sample(
      [input([4, 3]), input([4, 3], 0, 1)],
      (a, b) => crossEntropy(a, b, { reduction }),
      `F.cross_entropy(a, b, reduction="${reduction}")`,
    ),
  ),
  ...reductionNames.map((reduction) =>
    sample(
      [input([4, 3]), input([4, 3], 0, 1)],
      (a, b) => crossEntropy(a, b, { reduction, weight: weight(), labelSmoothing: 0.1 }),
      `F.cross_entropy(a, b, torch.tensor([0.5, 2, 1.25]), reduction="${reduction}", label_smoothing=0.1)`,
    ),
  ),
  sample(
    [input([2, 3, 2]), input([2, 3, 2], 0, 1)],
    (a, b) => crossEntropy(a, b),
    "F.cross_entropy(a, b)",
  ),
  sample([input([3]), input([3], 0, 1)], (a, b) => crossEntropy(a, b), "F.cross_entropy(a, b)"),
];

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
      () => fn(zeros([4, 3]), labels(4), { weight: zeros([4]) }),
      new RegExp(`^${op}: the weight must be \\[3\\], one a class, got \\[4\\]`),
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
      ...reductionNames.map((reduction) =>
        sample(
          [input([4, 3]), given([4], [1, -100, 2, 0], "int32")],
          (a, b) => crossEntropy(a, b, { reduction, weight: weight(), labelSmoothing: 0.2 }),
          `F.cross_entropy(a, b, torch.tensor([0.5, 2, 1.25]), reduction="${reduction}", label_smoothing=0.2)`,
        ),
      ),
      ...probabilitySamples(),
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
