/** Samples of the ops in fold.ts. */
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
import {
  all,
  aminmax,
  any,
  countNonzero,
  logsumexp,
  nanmean,
  nansum,
  norm,
  vectorNorm,
} from "./fold.js";
import type { KeepDim } from "./reduce.js";

type Dims = number | readonly number[];
type Fold = (x: Tensor, dim?: Dims, options?: KeepDim) => Tensor;

const keepDim = { keepDim: true } as const;
const infinity = Number.POSITIVE_INFINITY;

const truthSet = (op: "any" | "all", fn: Fold): OpSamples => ({
  op,
  samples: [
    ...[0, 1, -1].map((d) =>
      sample([typed("bool", [3, 2])], (a) => fn(a, d), `torch.${op}(a, ${d})`),
    ),
    sample([typed("bool", [2, 3])], (a) => fn(a), `torch.${op}(a)`),
    sample(
      [typed("bool", [2, 3])],
      (a) => fn(a.t(), 1, keepDim),
      `torch.${op}(a.t(), 1, keepdim=True)`,
    ),
    sample([typed("bool", [2, 2, 3])], (a) => fn(a, [0, 2]), `torch.${op}(torch.${op}(a, 2), 0)`),
    sample([typed("int32", [4, 3], -1, 1)], (a) => fn(a, 1), `torch.${op}(a, 1)`),
    sample([typed("uint8", [4, 3], 0, 1)], (a) => fn(a, 1), `torch.${op}(a, 1)`),
    sample([given([2, 2], [0, Number.NaN, 0, -0])], (a) => fn(a, 1), `torch.${op}(a, 1)`),
    sample([typed("bool", [])], (a) => fn(a), `torch.${op}(a)`),
    sample([input([0, 2])], (a) => fn(a, 0), `torch.${op}(a, 0)`),
    sample([input([0])], (a) => fn(a), `torch.${op}(a)`),
  ],
  bad: [bad(() => fn(zeros([2]), 1), new RegExp(`^${op}: dim 1 is out of range`))],
  noGradient: "the result is no float",
});

const countSet = (): OpSamples => ({
  op: "countNonzero",
  samples: [
    sample([typed("int32", [3, 4], 0, 2)], (a) => a.countNonzero(), "torch.count_nonzero(a)"),
    sample([typed("bool", [3, 4])], (a) => countNonzero(a, 1), "torch.count_nonzero(a, 1)"),
    sample(
      [typed("uint8", [2, 3, 2], 0, 1)],
      (a) => a.countNonzero([0, -1]),
      "torch.count_nonzero(a, (0, -1))",
    ),
    sample([given([3], [1, Number.NaN, 0])], (a) => a.countNonzero(), "torch.count_nonzero(a)"),
    sample([input([0])], (a) => a.countNonzero(), "torch.count_nonzero(a)"),
  ],
  bad: [bad(() => countNonzero(zeros([2]), 1), /^countNonzero: dim 1 is out of range/)],
  noGradient: "the result is no float",
});

/** What folds of floats are tried on. */
function floatFolds(fn: Fold, name: string): Sample[] {
  return [
    ...[0, 1, -1].map((d) => sample([input([3, 4])], (a) => fn(a, d), `torch.${name}(a, ${d})`)),
    sample([input([2, 3, 4])], (a) => fn(a, [0, 2]), `torch.${name}(a, (0, 2))`),
    sample(
      [input([2, 3, 4])],
      (a) => fn(a.transpose(0, 1), [-1], keepDim),
      `torch.${name}(a.transpose(0, 1), -1, keepdim=True)`,
    ),
    sample([input([])], (a) => fn(a, 0), `torch.${name}(a, 0)`),
    kink([given([2, 2], [1, Number.NaN, 0, 2])], (a) => fn(a, 1), `torch.${name}(a, 1)`),
  ];
}

const logsumexpSet = (): OpSamples => ({
  op: "logsumexp",
  samples: [
    ...floatFolds(logsumexp, "logsumexp"),
    sample([input([2, 3])], (a) => a.logsumexp(), "torch.logsumexp(a, (0, 1))"),
    sample([given([3], [1000, 1001, -1000])], (a) => a.logsumexp(0), "torch.logsumexp(a, 0)"),
    kink(
      [given([2], [infinity, 1])],
      (a) => a.logsumexp(0).neg().exp(),
      "torch.exp(-torch.logsumexp(a, 0))",
    ),
    kink([given([2], [-infinity, -infinity])], (a) => a.logsumexp(0), "torch.logsumexp(a, 0)"),
    kink([given([3], [-infinity, 1, 2])], (a) => a.logsumexp(0), "torch.logsumexp(a, 0)"),
    sample([input([2, 0])], (a) => a.logsumexp(1), "torch.logsumexp(a, 1)"),
    sample([typed("int32", [3])], (a) => a.logsumexp(0), "torch.logsumexp(a, 0)"),
  ],
  bad: [bad(() => logsumexp(zeros([2]), 1), /^logsumexp: dim 1 is out of range/)],
});

const nanSets = (): OpSamples[] => [
  {
    op: "nansum",
    samples: [
      ...floatFolds(nansum, "nansum"),
      sample([input([2, 3])], (a) => a.nansum(), "torch.nansum(a)"),
      sample([typed("int32", [3])], (a) => a.nansum(), "torch.nansum(a)"),
      sample([input([0])], (a) => a.nansum(), "torch.nansum(a)"),
    ],
    bad: [bad(() => nansum(zeros([2]), 1), /^nansum: dim 1 is out of range/)],
  },
  {
    op: "nanmean",
    samples: [
      ...floatFolds(nanmean, "nanmean"),
      sample([input([2, 3])], (a) => a.nanmean(), "torch.nanmean(a)"),
      kink([given([2], [Number.NaN, Number.NaN])], (a) => a.nanmean(), "torch.nanmean(a)"),
    ],
    bad: [
      bad(
        () => nanmean(zeros([2], { dtype: "int32" })),
        /^nanmean: needs a float tensor, got int32/,
      ),
    ],
  },
];

const minMax = (x: ReturnType<typeof aminmax>): Tensor[] => [x.min, x.max];

const aminmaxSet = (): OpSamples => ({
  op: "aminmax",
  samples: [
    sample([input([3, 4])], (a) => minMax(a.aminmax()), "[torch.amin(a), torch.amax(a)]"),
    sample(
      [input([3, 4])],
      (a) => minMax(aminmax(a, { dim: -1 })),
      "[torch.amin(a, -1), torch.amax(a, -1)]",
    ),
    sample(
      [input([3, 4])],
      (a) => minMax(a.t().aminmax({ dim: 0, keepDim: true })),
      "[torch.amin(a, 1).unsqueeze(0), torch.amax(a, 1).unsqueeze(0)]",
    ),
    sample([typed("int32", [4])], (a) => minMax(a.aminmax()), "[torch.amin(a), torch.amax(a)]"),
    sample(
      [given([2], [0, 1], "bool")],
      (a) => minMax(a.aminmax()),
      "[torch.amin(a), torch.amax(a)]",
    ),
    kink(
      [given([3], [1, Number.NaN, 0])],
      (a) => minMax(a.aminmax()),
      "[torch.amin(a), torch.amax(a)]",
    ),
  ],
  bad: [bad(() => aminmax(zeros([0])), /^aminmax: nothing to choose from in \[0\]/)],
});

const orders = [2, 1, 3, 2.5, 0.5, 0, -1, infinity, -infinity] as const;

const spellOrder = (p: number): string =>
  Number.isFinite(p) ? `${p}` : `float("${p > 0 ? "inf" : "-inf"}")`;

const normSets = (): OpSamples[] => [
  {
    op: "norm",
    samples: [
      sample([input([3, 4])], (a) => a.norm("nuc"), 'torch.norm(a, "nuc")'),
      sample(
        [input([3, 2, 4])],
        (a) => a.norm("nuc", [2, 0], { keepDim: true }),
        'torch.norm(a, "nuc", dim=(2, 0), keepdim=True)',
      ),
      sample([input([2, 3])], (a) => a.norm(), "torch.norm(a)"),
      sample([input([2, 3])], (a) => norm(a, "fro", [0, 1]), "torch.norm(a, 'fro', (0, 1))"),
      ...orders.map((p) =>
        sample([input([3, 4])], (a) => a.norm(p), `torch.norm(a, ${spellOrder(p)})`),
      ),
      ...orders.map((p) =>
        sample(
          [input([3, 4])],
          (a) => norm(a.t(), p, 0, keepDim),
          `torch.norm(a.t(), ${spellOrder(p)}, 0, keepdim=True)`,
        ),
      ),
      sample([input([2, 3, 2])], (a) => a.norm(3, [0, -1]), "torch.norm(a, 3, (0, -1))"),
      sample([input([])], (a) => a.norm(), "torch.norm(a)"),
      sample([input([0])], (a) => a.norm(), "torch.norm(a)"),
      ...[2, 1, 3, 1.5, infinity].map((p) =>
        kink(
          [given([2, 2], [0, 0, 0, 3])],
          (a) => a.norm(p, 1),
          `torch.norm(a, ${spellOrder(p)}, 1)`,
        ),
      ),
      kink(
        [given([4], [1, -2, 2, 1])],
        (a) => a.norm(infinity),
        `torch.norm(a, ${spellOrder(infinity)})`,
      ),
      kink([given([2], [1, Number.NaN])], (a) => a.norm(), "torch.norm(a)"),
    ],
    bad: [
      bad(() => norm(zeros([2], { dtype: "int32" })), /^norm: needs a float tensor, got int32/),
      bad(() => norm(zeros([2]), Number.NaN), /^norm: the order must be a number/),
      bad(() => norm(zeros([2]), 2, 1), /^norm: dim 1 is out of range/),
    ],
  },
  {
    op: "vectorNorm",
    samples: [
      ...orders.map((p) =>
        sample(
          [input([3, 4])],
          (a) => vectorNorm(a, p, [1]),
          `torch.linalg.vector_norm(a, ${spellOrder(p)}, 1)`,
        ),
      ),
      sample([input([2, 3])], (a) => vectorNorm(a), "torch.linalg.vector_norm(a)"),
      sample([input([])], (a) => vectorNorm(a), "torch.linalg.vector_norm(a)"),
    ],
    bad: [
      bad(() => vectorNorm(zeros([0]), infinity), /^vectorNorm: nothing to choose from in \[0\]/),
    ],
  },
];

export const foldSamples: SampleSet = () => [
  truthSet("any", any),
  truthSet("all", all),
  countSet(),
  logsumexpSet(),
  ...nanSets(),
  aminmaxSet(),
  ...normSets(),
];
