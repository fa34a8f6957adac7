/** The samples of lossMargin.ts, lossPair.ts and ctc.ts. */
import { tensor, zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  kink,
  type SampleSet,
  sample,
  typed,
  unlike,
} from "../tensor/defineOp.js";
import { ctcLoss } from "./ctc.js";
import * as margin from "./lossMargin.js";
import { cosineEmbeddingLoss, infoNce, tripletMarginLoss } from "./lossPair.js";
import { reductionNames } from "./lossSamples.js";

const int = (values: readonly number[], shape: readonly number[] = [values.length]) =>
  given(shape, values, "int32");
const signs = (count: number) =>
  given([count], [1, -1, 1, -1, -1, 1, 1, -1].slice(0, count), "int32");

const rankingSamples: SampleSet = () => [
  {
    op: "marginRankingLoss",
    samples: [
      ...reductionNames.map((reduction) =>
        sample(
          [input([6]), input([6]), signs(6)],
          (a, b, y) => margin.marginRankingLoss(a, b, y, { reduction, margin: 0.3 }),
          `F.margin_ranking_loss(a, b, c, margin=0.3, reduction="${reduction}")`,
        ),
      ),
      kink(
        [given([3], [1, 2, 3]), given([3], [1, 1, 4]), signs(3)],
        (a, b, y) => margin.marginRankingLoss(a, b, y),
        "F.margin_ranking_loss(a, b, c)",
      ),
    ],
    bad: [
      bad(
        () => margin.marginRankingLoss(zeros([2]), zeros([3]), zeros([2])),
        /^marginRankingLoss: shapes differ: \[2\] and \[3\]/,
      ),
    ],
  },
  {
    op: "hingeEmbeddingLoss",
    samples: [
      ...reductionNames.map((reduction) =>
        sample(
          [input([8]), signs(8)],
          (a, y) => margin.hingeEmbeddingLoss(a, y, { reduction }),
          `F.hinge_embedding_loss(a, b, reduction="${reduction}")`,
        ),
      ),
      sample(
        [input([2, 4]), given([2, 4], [1, 1, -1, -1, 1, -1, -1, 1])],
        (a, y) => margin.hingeEmbeddingLoss(a, y.detach(), { margin: 0.2 }),
        "F.hinge_embedding_loss(a, b.detach(), margin=0.2)",
      ),
      kink(
        [given([3], [1, 0, 2]), int([-1, 1, -1])],
        (a, y) => margin.hingeEmbeddingLoss(a, y),
        "F.hinge_embedding_loss(a, b)",
      ),
    ],
    bad: [
      bad(
        () => margin.hingeEmbeddingLoss(zeros([2]), zeros([3])),
        /^hingeEmbeddingLoss: shapes differ: \[2\] and \[3\]/,
      ),
    ],
  },
];

const multiSamples: SampleSet = () => [
  {
    op: "multiMarginLoss",
    samples: [
      ...reductionNames.map((reduction) =>
        sample(
          [input([4, 3]), typed("int32", [4], 0, 2)],
          (a, y) => margin.multiMarginLoss(a, y, { reduction }),
          `F.multi_margin_loss(a, b, reduction="${reduction}")`,
        ),
      ),
      ...([1, 2] as const).map((p) =>
        sample(
          [input([4, 3]), typed("int32", [4], 0, 2)],
          (a, y) =>
            margin.multiMarginLoss(a, y, { p, margin: 0.5, weight: tensor([0.5, 2, 1.25]) }),
          `F.multi_margin_loss(a, b, p=${p}, margin=0.5, weight=torch.tensor([0.5, 2, 1.25]))`,
        ),
      ),
      sample(
        [input([3]), int([1], [])],
        (a, y) => margin.multiMarginLoss(a, y, { p: 2 }),
        "F.multi_margin_loss(a, b, p=2)",
      ),
      sample(
        [input([3, 4]), typed("int32", [4], 0, 2)],
        (a, y) => margin.multiMarginLoss(a.t(), y, { p: 2 }),
        "F.multi_margin_loss(a.t(), b, p=2)",
      ),
    ],
    bad: [
      bad(
        () => margin.multiMarginLoss(zeros([2, 3]), zeros([3], { dtype: "int32" })),
        /^multiMarginLoss: scores \[2, 3\] and targets \[3\]: expected/,
      ),
      bad(
        () => margin.multiMarginLoss(zeros([3]), zeros([], { dtype: "int32" }), { p: 3 as 2 }),
        /^multiMarginLoss: p must be 1 or 2, got 3/,
      ),
    ],
  },
  {
    op: "multilabelMarginLoss",
    samples: [
      ...reductionNames.map((reduction) =>
        sample(
          [input([3, 4]), int([2, 0, -1, 1, -1, 3, 3, 3, 3, 1, 2, 0], [3, 4])],
          (a, y) => margin.multilabelMarginLoss(a, y, { reduction }),
          `F.multilabel_margin_loss(a, b, reduction="${reduction}")`,
        ),
      ),
      sample(
        [input([4]), int([3, 0, -1, 1])],
        (a, y) => margin.multilabelMarginLoss(a, y),
        "F.multilabel_margin_loss(a, b)",
      ),
      sample(
        [input([3]), int([1, -1, 0])],
        (a, y) => margin.multilabelMarginLoss(a, y, { reduction: "none" }),
        'F.multilabel_margin_loss(a, b, reduction="none")',
      ),
    ],
    bad: [
      bad(
        () => margin.multilabelMarginLoss(zeros([2]), zeros([3], { dtype: "int32" })),
        /^multilabelMarginLoss: shapes differ: \[2\] and \[3\]/,
      ),
    ],
    noSecondGradient: "it is linear",
  },
];

const unit = (x: string) => `F.normalize(${x}, dim=1)`;
const pairs = [input([4, 3]), input([4, 3])];

const embeddingSamples: SampleSet = () => [
  {
    op: "cosineEmbeddingLoss",
    samples: [
      ...reductionNames.map((reduction) =>
        sample(
          [...pairs, signs(4)],
          (a, b, y) => cosineEmbeddingLoss(a, b, y, { reduction, margin: -0.4 }),
          `F.cosine_embedding_loss(a, b, c, margin=-0.4, reduction="${reduction}")`,
        ),
      ),
      sample(
        [input([3]), input([3]), int([1], [])],
        (a, b, y) => cosineEmbeddingLoss(a, b, y),
        "F.cosine_embedding_loss(a, b, c)",
      ),
      kink(
        [given([1, 2], [0, 0]), input([1, 2]), int([1])],
        (a, b, y) => cosineEmbeddingLoss(a, b, y),
        "F.cosine_embedding_loss(a, b, c)",
      ),
    ],
    bad: [
      bad(
        () => cosineEmbeddingLoss(zeros([2, 3]), zeros([2, 3]), zeros([3])),
        /^cosineEmbeddingLoss: embeddings \[2, 3\] and targets \[3\]/,
      ),
    ],
  },
  {
    op: "tripletMarginLoss",
    samples: [
      ...reductionNames.map((reduction) =>
        sample(
          [...pairs, input([4, 3])],
          (a, b, c) => tripletMarginLoss(a, b, c, { reduction }),
          `F.triplet_margin_loss(a, b, c, reduction="${reduction}")`,
        ),
      ),
      ...[1, 3].map((p) =>
        sample(
          [...pairs, input([4, 3])],
          (a, b, c) => tripletMarginLoss(a, b, c, { p, margin: 2, swap: true }),
          `F.triplet_margin_loss(a, b, c, p=${p}, margin=2.0, swap=True)`,
        ),
      ),
      sample(
        [input([3]), input([3]), input([3])],
        (a, b, c) => tripletMarginLoss(a, b, c),
        "F.triplet_margin_loss(a, b, c)",
      ),
      kink(
        [input([2, 3])],
        (a) => tripletMarginLoss(a, a, a, { eps: 0 }),
        "F.triplet_margin_loss(a, a, a, eps=0.0)",
      ),
    ],
    bad: [
      bad(
        () => tripletMarginLoss(zeros([2]), zeros([2]), zeros([3])),
        /^tripletMarginLoss: shapes differ/,
      ),
      bad(
        () => tripletMarginLoss(zeros([2]), zeros([2]), zeros([2]), { p: 0 }),
        /^tripletMarginLoss: p must be above 0/,
      ),
    ],
  },
  {
    op: "infoNce",
    samples: [
      ...reductionNames.map((reduction) =>
        sample(
          pairs,
          (a, b) => infoNce(a, b, { reduction }),
          `F.cross_entropy(${unit("a")} @ ${unit("b")}.t() / 0.1, torch.arange(4), reduction="${reduction}")`,
        ),
      ),
      sample(
        [...pairs, input([2, 3])],
        (a, b, negatives) => infoNce(a, b, { negatives, temperature: 0.5 }),
        `F.cross_entropy(${unit("a")} @ torch.cat([${unit("b")}, ${unit("c")}]).t() / 0.5, torch.arange(4))`,
      ),
      sample(
        pairs,
        (a, b) => infoNce(a, b, { symmetric: true, temperature: 1 }),
        `(F.cross_entropy(${unit("a")} @ ${unit("b")}.t(), torch.arange(4)) + ` +
          `F.cross_entropy(${unit("b")} @ ${unit("a")}.t(), torch.arange(4))) / 2`,
      ),
    ],
    bad: [
      bad(() => infoNce(zeros([2, 3]), zeros([3, 3])), /^infoNce: shapes differ/),
      bad(
        () => infoNce(zeros([2, 3]), zeros([2, 3]), { temperature: 0 }),
        /^infoNce: temperature must be/,
      ),
      bad(
        () => infoNce(zeros([2, 3]), zeros([2, 3]), { negatives: zeros([2]) }),
        /^infoNce: negatives must be/,
      ),
    ],
  },
];

const scores = input([6, 3, 4]);
const labels = int([1, 2, 2, 3, 1, 0, 2, 0, 0], [3, 3]);

const ctcSamples: SampleSet = () => [
  {
    op: "ctcLoss",
    samples: [
      ...reductionNames.map((reduction) =>
        sample(
          [scores, labels],
          (a, y) => ctcLoss(a.logSoftmax(2), y, [6, 5, 4], [3, 2, 1], { reduction }),
          `F.ctc_loss(a.log_softmax(2), b, [6, 5, 4], [3, 2, 1], reduction="${reduction}")`,
        ),
      ),
      sample(
        [scores, labels, int([6, 6, 6]), int([2, 3, 0])],
        (a, y, n, m) => ctcLoss(a.logSoftmax(2), y, n, m, { blank: 3, reduction: "none" }),
        'F.ctc_loss(a.log_softmax(2), b, c, d, blank=3, reduction="none")',
      ),
      sample(
        [input([5, 4]), int([1, 3])],
        (a) => ctcLoss(a.logSoftmax(1), tensor([[1, 3]], { dtype: "int32" }), [5], [2]),
        "F.ctc_loss(a.log_softmax(1), torch.tensor([1, 3]), torch.tensor(5), torch.tensor(2))",
      ),
      sample(
        [scores],
        (a) => {
          const y = tensor([1, 2, 1, 3, 2], { dtype: "int32" });
          return ctcLoss(a.logSoftmax(2), y, [6, 6, 6], [2, 0, 3]);
        },
        "F.ctc_loss(a.log_softmax(2), torch.tensor([1, 2, 1, 3, 2]), [6, 6, 6], [2, 0, 3])",
      ),
      kink(
        [input([2, 2, 4]), int([1, 1, 1, 2], [2, 2])],
        (a, y) => ctcLoss(a.logSoftmax(2), y, [2, 2], [2, 2], { zeroInfinity: true }),
        "F.ctc_loss(a.log_softmax(2), b, [2, 2], [2, 2], zero_infinity=True)",
      ),
      {
        ...unlike(
          [input([2, 1, 4])],
          (a) =>
            ctcLoss(a.logSoftmax(2), tensor([[1, 1]], { dtype: "int32" }), [2], [2]).clamp(0, 99),
          "PyTorch's gradient of an infinite loss is NaN, here it is 0",
        ),
        smooth: false,
      },
    ],
    bad: [
      bad(
        () => ctcLoss(zeros([4]), zeros([1, 2], { dtype: "int32" }), [4], [2]),
        /^ctcLoss: expected log probabilities \[T, B, classes\]/,
      ),
      bad(
        () => ctcLoss(zeros([4, 1, 3]), zeros([1, 2], { dtype: "int32" }), [5], [2]),
        /^ctcLoss: inputLengths must be from 0 to 4, got 5/,
      ),
      bad(
        () => ctcLoss(zeros([4, 1, 3]), zeros([1, 2], { dtype: "int32" }), [4], [2], { blank: 3 }),
        /^ctcLoss: blank 3 is none of 3 classes/,
      ),
    ],
  },
];

export const marginLossSamples: SampleSet = () => [
  ...rankingSamples(),
  ...multiSamples(),
  ...embeddingSamples(),
  ...ctcSamples(),
];
