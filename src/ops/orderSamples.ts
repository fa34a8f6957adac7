/** Samples of the ops in order.ts and rank.ts. */
import { zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  kink,
  type OpSamples,
  type SampleSet,
  sample,
  typed,
  unlike,
} from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { argsort, kthvalue, msort, sort, topk } from "./order.js";
import { median, mode, nanmedian, nanquantile, quantile } from "./rank.js";

const pair = (result: { readonly values: Tensor; readonly indices: Tensor }): Tensor[] => [
  result.values,
  result.indices,
];

const withNaN = [1, Number.NaN, -3, Number.POSITIVE_INFINITY, Number.NaN, Number.NEGATIVE_INFINITY];
const ties = [2, 1, 2, 1, 1, 2, 0, 0];

const sortSet = (): OpSamples => ({
  op: "sort",
  samples: [
    sample([input([3, 4])], (a) => pair(a.sort()), "torch.sort(a)"),
    sample([input([3, 4])], (a) => pair(sort(a, 0)), "torch.sort(a, 0)"),
    sample(
      [input([2, 5, 2])],
      (a) => pair(a.sort(1, { descending: true })),
      "torch.sort(a, 1, descending=True)",
    ),
    sample([input([3, 2, 4])], (a) => pair(a.transpose(0, 2).sort(1)), "a.transpose(0, 2).sort(1)"),
    sample([input([40])], (a) => pair(a.sort()), "torch.sort(a)"),
    sample([input([])], (a) => pair(a.sort()), "torch.sort(a)"),
    sample([input([0, 2])], (a) => pair(a.sort(0)), "torch.sort(a, 0)"),
    sample([typed("int32", [9], -3, 3)], (a) => pair(a.sort()), "torch.sort(a, stable=True)"),
    sample([typed("uint8", [9], 0, 255)], (a) => pair(a.sort()), "torch.sort(a, stable=True)"),
    sample([typed("bool", [6])], (a) => pair(a.sort()), "torch.sort(a, stable=True)"),
    ...[false, true].map((descending) =>
      kink(
        [given([2, 4], ties)],
        (a) => pair(a.sort(1, { descending, stable: true })),
        `torch.sort(a, dim=1, stable=True, descending=${descending ? "True" : "False"})`,
      ),
    ),
    ...[false, true].map((descending) =>
      kink(
        [given([6], withNaN)],
        (a) => pair(a.sort(0, { descending })),
        `torch.sort(a, dim=0, stable=True, descending=${descending ? "True" : "False"})`,
      ),
    ),
  ],
  bad: [bad(() => sort(zeros([2]), 1), /^sort: dim 1 is out of range/)],
});

const indexSets = (): OpSamples[] => [
  {
    op: "argsort",
    samples: [
      sample([input([3, 4])], (a) => a.argsort(), "torch.argsort(a)"),
      sample(
        [input([3, 4])],
        (a) => argsort(a.t(), -1, { descending: true }),
        "torch.argsort(a.t(), -1, descending=True)",
      ),
      sample([input([])], (a) => a.argsort(), "torch.argsort(a)"),
      sample(
        [typed("int32", [7], 0, 3)],
        (a) => a.argsort(),
        "torch.argsort(a, stable=True, dim=0)",
      ),
    ],
    bad: [bad(() => argsort(zeros([2]), -2), /^argsort: dim -2 is out of range/)],
    noGradient: "indices have no gradient",
  },
  {
    op: "msort",
    samples: [
      sample([input([3, 4])], (a) => a.msort(), "torch.msort(a)"),
      sample([input([4])], (a) => msort(a), "torch.msort(a)"),
      sample([input([])], (a) => msort(a), "torch.msort(a)"),
    ],
    bad: [bad(() => msort(zeros([2])).sort(1), /dim 1 is out of range/)],
  },
];

const topkSet = (): OpSamples => ({
  op: "topk",
  samples: [
    sample([input([3, 5])], (a) => pair(a.topk(2)), "torch.topk(a, 2)"),
    sample([input([3, 5])], (a) => pair(topk(a, 3, 0)), "torch.topk(a, 3, 0)"),
    sample(
      [input([3, 5])],
      (a) => pair(a.topk(4, -1, { largest: false })),
      "torch.topk(a, 4, -1, largest=False)",
    ),
    sample([input([3, 5])], (a) => pair(a.t().topk(2, 0)), "torch.topk(a.t(), 2, 0)"),
    sample([input([])], (a) => pair(a.topk(1)), "torch.topk(a, 1)"),
    sample([input([3])], (a) => pair(a.topk(0)), "torch.topk(a, 0)"),
    sample([given([4], [5, 2, 9, -1], "int32")], (a) => pair(a.topk(2)), "torch.topk(a, 2)"),
    kink([given([3], [1, Number.NaN, 3])], (a) => pair(a.topk(2)), "torch.topk(a, 2)"),
    kink(
      [given([3], [1, Number.NaN, 3])],
      (a) => pair(a.topk(2, 0, { largest: false })),
      "torch.topk(a, 2, largest=False)",
    ),
  ],
  bad: [
    bad(() => topk(zeros([3]), 4), /^topk: k must be from 0 to 3, the size of the dim, got 4/),
    bad(() => topk(zeros([3]), 1, 1), /^topk: dim 1 is out of range/),
  ],
});

const kthvalueSet = (): OpSamples => ({
  op: "kthvalue",
  samples: [
    sample([input([3, 5])], (a) => pair(a.kthvalue(2)), "torch.kthvalue(a, 2)"),
    sample([input([3, 5])], (a) => pair(kthvalue(a, 3, 0)), "torch.kthvalue(a, 3, 0)"),
    sample(
      [input([3, 5])],
      (a) => pair(a.t().kthvalue(1, 0, { keepDim: true })),
      "torch.kthvalue(a.t(), 1, 0, keepdim=True)",
    ),
    sample([input([])], (a) => pair(a.kthvalue(1)), "torch.kthvalue(a, 1)"),
    sample(
      [given([4], [5, 2, 9, -1], "int32")],
      (a) => pair(a.kthvalue(2)),
      "torch.kthvalue(a, 2)",
    ),
    kink([given([3], [1, Number.NaN, 3])], (a) => pair(a.kthvalue(3)), "torch.kthvalue(a, 3)"),
  ],
  bad: [bad(() => kthvalue(zeros([3]), 0), /^kthvalue: k must be from 1 to 3/)],
});

const medianSet = (): OpSamples => ({
  op: "median",
  samples: [
    sample([input([3, 4])], (a) => a.median(), "torch.median(a)"),
    sample([input([5])], (a) => median(a), "torch.median(a)"),
    sample([input([])], (a) => a.median(), "torch.median(a)"),
    sample([input([0])], (a) => a.median(), "torch.median(a)"),
    sample([input([3, 4])], (a) => pair(a.median(1)), "torch.median(a, 1)"),
    sample([input([2, 5, 2])], (a) => pair(a.median(1)), "torch.median(a, 1)"),
    sample(
      [input([3, 5])],
      (a) => pair(a.t().median(0, { keepDim: true })),
      "torch.median(a.t(), 0, keepdim=True)",
    ),
    sample([input([])], (a) => pair(a.median(0)), "torch.median(a, 0)"),
    sample([given([4], [5, 2, 9, -1], "int32")], (a) => a.median(), "torch.median(a)"),
    sample([given([4], [5, 2, 9, 1], "uint8")], (a) => pair(a.median(0)), "torch.median(a, 0)"),
    kink([given([6], [1, 2, 2, 2, 3, 2])], (a) => a.median(), "torch.median(a)"),
    kink(
      [given([4], [1, Number.NaN, Number.NaN, 0])],
      (a) => pair(a.median(0)),
      "torch.median(a, 0)",
    ),
    kink([given([3], [1, Number.NaN, 0])], (a) => a.median(), "torch.median(a)"),
  ],
  bad: [
    bad(() => median(zeros([0, 2]), 0), /^median: nothing to choose from in \[0, 2\] at dim 0/),
    bad(() => median(zeros([2], { dtype: "bool" })), /^median: does not take bool/),
  ],
});

const kinds = ["linear", "lower", "higher", "midpoint", "nearest"] as const;

const quantileSet = (): OpSamples => ({
  op: "quantile",
  samples: [
    sample([input([3, 4])], (a) => a.quantile(0.4), "torch.quantile(a, 0.4)"),
    ...kinds.flatMap((interpolation) =>
      [0.15, 0.5, 0.85].map((q) =>
        sample(
          [input([6, 2])],
          (a) => quantile(a, q, 0, { interpolation }),
          `torch.quantile(a, ${q}, 0, interpolation="${interpolation}")`,
        ),
      ),
    ),
    sample(
      [input([2, 5, 2])],
      (a) => a.quantile([0, 0.3, 1], 1, { keepDim: true }),
      "torch.quantile(a, torch.tensor([0, 0.3, 1], dtype=a.dtype), 1, keepdim=True)",
    ),
    sample(
      [input([2, 5])],
      (a) => a.t().quantile([0.25], undefined, { keepDim: true }),
      "torch.quantile(a.t(), torch.tensor([0.25], dtype=a.dtype), keepdim=True)",
    ),
    sample(
      [input([4]), input([2], 0.1, 0.2)],
      (a, q) => a.quantile(q, 0),
      "torch.quantile(a, b, 0)",
    ),
    sample([input([])], (a) => a.quantile(0.3), "torch.quantile(a, 0.3)"),
    sample([input([1])], (a) => a.quantile(0.3, 0), "torch.quantile(a, 0.3, 0)"),
    kink([given([3], [1, Number.NaN, 0])], (a) => a.quantile(0), "torch.quantile(a, 0.)"),
  ],
  bad: [
    bad(() => quantile(zeros([3]), 1.5), /^quantile: q must be from 0 to 1, got 1.5/),
    bad(() => quantile(zeros([0]), 0.5), /^quantile: nothing to choose from in \[0\] at dim 0/),
    bad(
      () => quantile(zeros([3], { dtype: "int32" }), 0.5),
      /^quantile: needs a float tensor, got int32/,
    ),
  ],
});

const missing = [1, Number.NaN, 3, Number.NaN, Number.NaN, 7, 2, Number.NaN, 5, 4, 8, 6];
const holed = given([3, 4], missing);
const nothing = given([2], [Number.NaN, Number.NaN]);

const nanSets = (): OpSamples[] => [
  {
    op: "nanmedian",
    samples: [
      sample([input([3, 4])], (a) => a.nanmedian(), "torch.nanmedian(a)"),
      sample([input([3, 4])], (a) => pair(a.nanmedian(1)), "torch.nanmedian(a, 1)"),
      sample([given([4], [5, 2, 9, -1], "int32")], (a) => a.nanmedian(), "torch.nanmedian(a)"),
      kink([holed], (a) => a.nanmedian(), "torch.nanmedian(a)"),
      kink([holed], (a) => pair(a.nanmedian(0)), "torch.nanmedian(a, 0)"),
      kink(
        [holed],
        (a) => pair(nanmedian(a, 1, { keepDim: true })),
        "torch.nanmedian(a, 1, keepdim=True)",
      ),
      kink([nothing], (a) => a.nanmedian(), "torch.nanmedian(a)"),
    ],
    bad: [bad(() => nanmedian(zeros([2], { dtype: "bool" })), /^nanmedian: does not take bool/)],
  },
  {
    op: "nanquantile",
    samples: [
      sample([input([3, 4])], (a) => nanquantile(a, 0.4), "torch.nanquantile(a, 0.4)"),
      ...kinds.map((interpolation) =>
        kink(
          [holed],
          (a) => a.nanquantile(0.4, 1, { interpolation }),
          `torch.nanquantile(a, 0.4, 1, interpolation="${interpolation}")`,
        ),
      ),
      kink(
        [holed],
        (a) => a.nanquantile([0, 0.3, 1], 0, { keepDim: true }),
        "torch.nanquantile(a, torch.tensor([0, 0.3, 1], dtype=a.dtype), 0, keepdim=True)",
      ),
      kink([nothing], (a) => a.nanquantile(0.3), "torch.nanquantile(a, 0.3)"),
    ],
    bad: [bad(() => nanquantile(zeros([3]), 1.5), /^nanquantile: q must be from 0 to 1, got 1.5/)],
  },
];

const modeSet = (): OpSamples => ({
  op: "mode",
  samples: [
    kink([given([2, 4], ties)], (a) => pair(a.mode()), "torch.mode(a)"),
    kink([given([4, 2], ties)], (a) => pair(mode(a, 0)), "torch.mode(a, 0)"),
    sample([input([3, 4])], (a) => pair(a.mode(1)), "torch.mode(a, 1)"),
    sample([input([])], (a) => pair(a.mode()), "torch.mode(a)"),
    sample([given([5], [3, 1, 3, 1, 5], "int32")], (a) => pair(a.mode()), "torch.mode(a)"),
    kink(
      [given([2, 3], [1, 1, 2, 3, 4, 4])],
      (a) => pair(a.mode(1, { keepDim: true })),
      "torch.mode(a, 1, keepdim=True)",
    ),
    {
      ...unlike(
        [given([5], [1, Number.NaN, 2, Number.NaN, 2])],
        (a) => pair(a.mode()),
        "PyTorch sorts lines with NaN into no certain order",
      ),
      smooth: false,
    },
  ],
  bad: [bad(() => mode(zeros([2, 0])), /^mode: nothing to choose from in \[2, 0\] at dim 1/)],
});

export const orderSamples: SampleSet = () => [
  sortSet(),
  ...indexSets(),
  topkSet(),
  kthvalueSet(),
  medianSet(),
  quantileSet(),
  modeSet(),
  ...nanSets(),
];
