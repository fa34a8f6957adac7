/** Samples of the ops in scatter.ts, scatterReduce.ts and byIndex.ts. */
import { zeros } from "../tensor/create.js";
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
import { indexAdd, indexCopy, indexFill, indexSelect, take, takeAlongDim } from "./byIndex.js";
import { scatter, scatterAdd } from "./scatter.js";
import { type ScatterReduction, scatterReduce } from "./scatterReduce.js";

/** Indices with given values. */
const places = (shape: readonly number[], values: readonly number[]): SampleInput =>
  given(shape, values, "int32");

const ints = (shape: readonly number[]) => zeros(shape, { dtype: "int32" });

const scatterSet = (): OpSamples => ({
  op: "scatter",
  samples: [
    sample(
      [input([3, 4]), places([2, 4], [0, 1, 2, 0, 2, 0, 1, 1]), input([2, 4])],
      (a, i, s) => a.scatter(0, i, s),
      "a.scatter(0, b, c)",
    ),
    sample(
      [input([3, 4]), places([2, 2], [3, 1, 0, 2]), input([3, 3])],
      (a, i, s) => a.scatter(-1, i, s),
      "a.scatter(-1, b, c[:2, :2])",
    ),
    sample(
      [input([4, 3]), places([3, 2], [3, 1, 0, 2, 2, 3]), input([3, 2])],
      (a, i, s) => a.t().scatter(1, i, s),
      "a.t().scatter(1, b, c)",
    ),
    sample(
      [input([3, 2]), places([2, 2], [1, 1, 1, 2])],
      (a, i) => scatter(a, 0, i, 1.5),
      "a.scatter(0, b, 1.5)",
    ),
    sample([input([3]), places([0], []), input([0])], (a, i, s) => scatter(a, 0, i, s), "a * 1"),
    sample(
      [input([]), places([], [0]), input([])],
      (a, i, s) => scatter(a, 0, i, s),
      "a.scatter(0, b, c)",
    ),
    sample(
      [typed("int32", [3]), typed("uint8", [2], 0, 2)],
      (a, i) => scatter(a, 0, i, 2.5),
      "a.scatter(0, b.long(), 2.5)",
    ),
    sample(
      [typed("bool", [2, 3]), places([1, 2], [1, 0]), typed("bool", [1, 2])],
      (a, i, s) => scatter(a, 0, i, s),
      "a.scatter(0, b, c)",
    ),
  ],
  bad: [
    bad(
      () => scatter(zeros([2, 3]), 0, ints([1, 4]), zeros([1, 4])),
      /^scatter: indices \[1, 4\] do not fit x \[2, 3\] and source \[1, 4\] along dim 0/,
    ),
    bad(
      () => scatter(zeros([2]), 0, ints([2]), ints([2])),
      /^scatter: source must be float32 as x is, got int32/,
    ),
    bad(() => scatter(zeros([2]), 0, zeros([2]), 1), /^scatter: indices must be int32 or uint8/),
  ],
});

const scatterAddSet = (): OpSamples => ({
  op: "scatterAdd",
  samples: [
    sample(
      [input([3, 4]), places([2, 4], [0, 1, 2, 0, 0, 0, 1, 1]), input([2, 4])],
      (a, i, s) => a.scatterAdd(0, i, s),
      "a.scatter_add(0, b, c)",
    ),
    sample(
      [input([4, 3]), places([2, 3], [3, 3, 0, 2, 2, 2]), input([3, 3])],
      (a, i, s) => a.t().scatterAdd(1, i, s.t()),
      "a.t().scatter_add(1, b, c.t()[:2])",
    ),
    sample(
      [input([]), places([], [0]), input([])],
      (a, i, s) => scatterAdd(a, 0, i, s),
      "a.scatter_add(0, b, c)",
    ),
    sample(
      [typed("int32", [3]), places([4], [0, 2, 2, 0]), typed("int32", [4])],
      (a, i, s) => scatterAdd(a, 0, i, s),
      "a.scatter_add(0, b, c)",
    ),
  ],
  bad: [
    bad(
      () => scatterAdd(zeros([2]), 0, ints([3]), zeros([2])),
      /^scatterAdd: indices \[3\] do not fit x \[2\] and source \[2\]/,
    ),
    bad(() => scatterAdd(zeros([2]), 1, ints([2]), zeros([2])), /^scatterAdd: dim 1 is out of/),
  ],
});

const kinds = ["sum", "prod", "mean", "amax", "amin"] as const;

function reduceSamplesOf(reduce: ScatterReduction): Sample[] {
  const torch = (x: string, dim: number, more = "") =>
    `${x}.scatter_reduce(${dim}, b, c, "${reduce}"${more})`;
  return [
    sample(
      [input([3, 4]), places([3, 3], [0, 1, 2, 0, 0, 0, 1, 1, 2]), input([3, 4])],
      (a, i, s) => a.scatterReduce(0, i, s, reduce),
      `torch.cat([a[:, :3].scatter_reduce(0, b, c[:, :3], "${reduce}"), a[:, 3:]], 1)`,
    ),
    sample(
      [input([4, 3]), places([3, 5], [3, 3, 3, 0, 0, 1, 2, 1, 2, 1, 0, 0, 0, 0, 0]), input([3, 5])],
      (a, i, s) => scatterReduce(a.t(), -1, i, s, reduce, { includeSelf: false }),
      torch("a.t()", -1, ", include_self=False"),
    ),
    sample(
      [typed("int32", [4], -5, 5), places([6], [0, 2, 2, 0, 3, 3]), typed("int32", [6], -5, 5)],
      (a, i, s) => scatterReduce(a, 0, i, s, reduce),
      torch("a", 0),
    ),
  ];
}

const scatterReduceSet = (): OpSamples => ({
  op: "scatterReduce",
  samples: [
    ...kinds.flatMap(reduceSamplesOf),
    sample(
      [input([2]), places([4], [0, 0, 0, 1]), given([4], [2, 0, 3, 0])],
      (a, i, s) => scatterReduce(a, 0, i, s, "prod"),
      "a.scatter_reduce(0, b, c, 'prod')",
    ),
    ...(["amax", "amin"] as const).flatMap((reduce) => [
      kink(
        [given([2], [1, 4]), places([4], [0, 0, 1, 1]), given([4], [1, 1, 4, 2])],
        (a, i, s) => scatterReduce(a, 0, i, s, reduce),
        `a.scatter_reduce(0, b, c, "${reduce}")`,
      ),
      kink(
        [given([2], [1, 4]), places([3], [0, 0, 1]), given([3], [Number.NaN, 1, 2])],
        (a, i, s) => scatterReduce(a, 0, i, s, reduce),
        `a.scatter_reduce(0, b, c, "${reduce}")`,
      ),
    ]),
  ],
  bad: [
    bad(
      () => scatterReduce(zeros([2]), 0, ints([2]), zeros([2]), "max" as "amax"),
      /^scatterReduce: reduce must be sum, prod, mean, amax, amin, got "max"/,
    ),
    bad(
      () => scatterReduce(zeros([2]), 0, ints([2]), zeros([1]), "sum"),
      /^scatterReduce: indices \[2\] do not fit/,
    ),
  ],
});

const listSets = (): OpSamples[] => [
  {
    op: "indexSelect",
    samples: [
      sample(
        [input([3, 4]), places([4], [2, 0, 2, 1])],
        (a, i) => a.indexSelect(0, i),
        "a.index_select(0, b)",
      ),
      sample(
        [input([4, 3]), places([2], [3, 0])],
        (a, i) => a.t().indexSelect(-1, i),
        "a.t().index_select(-1, b)",
      ),
      sample([input([3]), places([], [1])], (a, i) => indexSelect(a, 0, i), "a.index_select(0, b)"),
      sample([input([]), places([1], [0])], (a, i) => indexSelect(a, 0, i), "a.index_select(0, b)"),
      sample([input([3]), places([0], [])], (a, i) => indexSelect(a, 0, i), "a.index_select(0, b)"),
      sample(
        [typed("bool", [3]), typed("uint8", [2], 0, 2)],
        (a, i) => indexSelect(a, 0, i),
        "a.index_select(0, b.long())",
      ),
    ],
    bad: [
      bad(
        () => indexSelect(zeros([2]), 0, ints([1, 1])),
        /^indexSelect: indices must have one dim/,
      ),
      bad(() => indexSelect(zeros([2]), 0, zeros([1])), /^indexSelect: indices must be int32/),
    ],
  },
  {
    op: "indexAdd",
    samples: [
      sample(
        [input([3, 4]), places([4], [2, 0, 2, 1]), input([4, 4])],
        (a, i, s) => a.indexAdd(0, i, s),
        "a.index_add(0, b, c)",
      ),
      sample(
        [input([4, 3]), places([2], [1, 1]), input([2, 3])],
        (a, i, s) => a.t().indexAdd(1, i, s.t(), { alpha: -0.5 }),
        "a.t().index_add(1, b, c.t(), alpha=-0.5)",
      ),
      sample(
        [typed("int32", [3]), places([], [1]), typed("int32", [1])],
        (a, i, s) => indexAdd(a, 0, i, s),
        "a.index_add(0, b, c)",
      ),
    ],
    bad: [
      bad(
        () => indexAdd(zeros([2, 3]), 0, ints([4]), zeros([2, 3])),
        /^indexAdd: source must be \[4, 3\] for 4 indices at dim 0, got \[2, 3\]/,
      ),
    ],
  },
  {
    op: "indexCopy",
    samples: [
      sample(
        [input([3, 4]), places([2], [2, 0]), input([2, 4])],
        (a, i, s) => a.indexCopy(0, i, s),
        "a.index_copy(0, b, c)",
      ),
      sample(
        [input([4, 3]), places([2], [1, 3]), input([2, 3])],
        (a, i, s) => indexCopy(a.t(), 1, i, s.t()),
        "a.t().index_copy(1, b, c.t())",
      ),
    ],
    bad: [
      bad(
        () => indexCopy(zeros([2]), 0, ints([1]), ints([1])),
        /^indexCopy: source must be float32 as x is, got int32/,
      ),
    ],
  },
  {
    op: "indexFill",
    samples: [
      sample(
        [input([3, 4]), places([3], [2, 0, -2])],
        (a, i) => a.indexFill(1, i, 0.5),
        "a.index_fill(1, b, 0.5)",
      ),
      sample(
        [input([4, 3]), places([2], [1, 1]), input([])],
        (a, i, v) => indexFill(a.t(), 0, i, v),
        "a.t().index_fill(0, b, c)",
      ),
      sample(
        [typed("int32", [3]), places([1], [1])],
        (a, i) => indexFill(a, 0, i, 2.5),
        "a.index_fill(0, b, 2.5)",
      ),
    ],
    bad: [
      bad(
        () => indexFill(zeros([2]), 0, ints([1]), zeros([1])),
        /^indexFill: the value must have no dims, got \[1\]/,
      ),
    ],
  },
];

const takeSets = (): OpSamples[] => [
  {
    op: "take",
    samples: [
      sample(
        [input([3, 4]), places([2, 2], [-1, 0, 5, 5])],
        (a, i) => a.take(i),
        "torch.take(a, b)",
      ),
      sample([input([3, 2]), places([], [1])], (a, i) => take(a.t(), i), "torch.take(a.t(), b)"),
      sample([input([]), places([2], [0, -1])], (a, i) => take(a, i), "torch.take(a, b)"),
      sample([input([3]), places([0, 2], [])], (a, i) => take(a, i), "torch.take(a, b)"),
    ],
    bad: [bad(() => take(zeros([2]), zeros([1])), /^take: indices must be int32 or uint8/)],
  },
  {
    op: "takeAlongDim",
    samples: [
      sample(
        [input([3, 4])],
        (a) => takeAlongDim(a, a.argsort(1), 1),
        "torch.take_along_dim(a, torch.argsort(a, 1), 1)",
      ),
      sample(
        [input([3, 4]), places([1, 2], [3, 0])],
        (a, i) => a.takeAlongDim(i, 1),
        "torch.take_along_dim(a, b, 1)",
      ),
      sample(
        [input([1, 4]), places([3, 1], [3, 0, 1])],
        (a, i) => takeAlongDim(a, i, -1),
        "torch.take_along_dim(a, b, -1)",
      ),
      sample(
        [input([3, 4]), places([1, 3], [11, 0, 1])],
        (a, i) => takeAlongDim(a.t(), i),
        "torch.take_along_dim(a.t().contiguous(), b)",
      ),
    ],
    bad: [
      bad(() => takeAlongDim(zeros([2, 2]), ints([2]), 0), /^takeAlongDim: needs as many dims/),
      bad(() => takeAlongDim(zeros([2, 2]), ints([3, 2]), 1), /^takeAlongDim: .*do not broadcast/),
    ],
  },
];

export const indexSamples: SampleSet = () => [
  scatterSet(),
  scatterAddSet(),
  scatterReduceSet(),
  ...listSets(),
  ...takeSets(),
];
