/** Samples of the ops in masked.ts, embedding.ts and unique.ts, and of `at` with tensors; those of search.ts are in searchSamples.ts. */
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
import { embedding, oneHot } from "./embedding.js";
import { maskedScatter, maskedSelect, nonzero } from "./masked.js";
import { type Unique, unique, uniqueConsecutive } from "./unique.js";

const ints = (shape: readonly number[]) => zeros(shape, { dtype: "int32" });
const bools = (shape: readonly number[]) => zeros(shape, { dtype: "bool" });
const noFloat = "the result is no float";
const sizeDepends = "the result's size depends on values";

const maskedSets = (): OpSamples[] => [
  {
    op: "maskedSelect",
    eagerOnly: sizeDepends,
    samples: [
      sample(
        [input([3, 4]), typed("bool", [3, 4])],
        (a, m) => a.maskedSelect(m),
        "a.masked_select(b)",
      ),
      sample(
        [input([3, 1]), typed("bool", [4])],
        (a, m) => a.maskedSelect(m),
        "a.masked_select(b)",
      ),
      sample(
        [input([2, 3]), typed("bool", [])],
        (a, m) => a.t().maskedSelect(m),
        "a.t().masked_select(b)",
      ),
      sample([input([0]), typed("bool", [0])], (a, m) => maskedSelect(a, m), "a.masked_select(b)"),
    ],
    bad: [
      bad(
        () => maskedSelect(zeros([2]), ints([2])),
        /^maskedSelect: the mask must be bool, got int32/,
      ),
      bad(() => maskedSelect(zeros([2]), bools([3])), /^maskedSelect: .*do not broadcast/),
    ],
  },
  {
    op: "maskedScatter",
    samples: [
      sample(
        [input([3, 4]), typed("bool", [3, 4]), input([12])],
        (a, m, s) => a.maskedScatter(m, s),
        "a.masked_scatter(b, c)",
      ),
      sample(
        [input([4, 3]), given([4], [1, 0, 1, 0], "bool"), input([2, 3])],
        (a, m, s) => maskedScatter(a.t(), m, s.t()),
        "a.t().masked_scatter(b, c.t())",
      ),
      sample(
        [input([2]), given([2], [0, 0], "bool"), input([0])],
        (a, m, s) => maskedScatter(a, m, s),
        "a.masked_scatter(b, c)",
      ),
    ],
    bad: [
      bad(() => maskedScatter(zeros([2]), zeros([2]), zeros([2])), /^maskedScatter: the mask must/),
      bad(
        () => maskedScatter(zeros([2]), bools([3, 2]), zeros([6])),
        /^maskedScatter: the mask \[3, 2\] does not broadcast to \[2\]/,
      ),
    ],
  },
  {
    op: "nonzero",
    eagerOnly: sizeDepends,
    samples: [
      sample([typed("int32", [3, 4], 0, 1)], (a) => a.nonzero(), "torch.nonzero(a)"),
      sample(
        [typed("bool", [2, 3, 2])],
        (a) => nonzero(a.transpose(0, 2)),
        "torch.nonzero(a.transpose(0, 2))",
      ),
      sample([given([4], [0, Number.NaN, 2, -0])], (a) => nonzero(a), "torch.nonzero(a)"),
      sample([given([], [3])], (a) => nonzero(a), "torch.nonzero(a)"),
      sample([input([0, 2])], (a) => nonzero(a), "torch.nonzero(a)"),
    ],
    noGradient: noFloat,
  },
];

/** `at` with tensors of indices, and with masks. */
const atSets = (): OpSamples[] => [
  {
    op: "at with indices",
    samples: [
      sample([input([4, 3]), given([3], [2, -1, 0], "int32")], (a, i) => a.at(i), "a[b]"),
      sample(
        [input([4, 3]), given([2, 2], [2, -1, 0, 0], "int32")],
        (a, i) => a.at(":", i),
        "a[:, b]",
      ),
      sample([input([4, 3]), given([], [1], "int32")], (a, i) => a.t().at(i, "1:"), "a.t()[b, 1:]"),
      sample(
        [input([4, 3, 2]), given([2, 1], [3, 0], "int32"), given([3], [2, 0, -1], "int32")],
        (a, i, j) => a.at(i, j),
        "a[b, c]",
      ),
      sample(
        [input([2, 4, 3]), given([2], [3, 0], "int32"), given([2], [2, -2], "int32")],
        (a, i, j) => a.at("...", i, j),
        "a[..., b, c]",
      ),
      sample(
        [input([4, 2, 3]), given([2], [3, 0], "int32"), given([2], [2, -2], "int32")],
        (a, i, j) => a.at(i, ":", j),
        "a[b, :, c]",
      ),
      sample(
        [input([2, 4, 3]), typed("uint8", [2], 0, 2)],
        (a, i) => a.at(1, null, "::2", i),
        "a[1, None, ::2, b.long()]",
      ),
      sample([input([3]), given([0], [], "int32")], (a, i) => a.at(i), "a[b]"),
    ],
    bad: [
      bad(() => zeros([2]).at(zeros([1])), /^at: indices must be int32 or uint8, got float32/),
      bad(() => zeros([2]).at(ints([1]), ints([1])), /^at: 2 indices do not fit \[2\]/),
      bad(() => zeros([2, 2]).at(ints([2]), ints([3])), /^at: .*do not broadcast/),
    ],
  },
  {
    op: "at with a mask",
    eagerOnly: sizeDepends,
    samples: [
      sample([input([3, 4]), typed("bool", [3, 4])], (a, m) => a.at(m), "a[b]"),
      sample([input([3, 4]), typed("bool", [3])], (a, m) => a.at(m, "1:"), "a[b, 1:]"),
      sample([input([3, 4]), typed("bool", [4])], (a, m) => a.at(":", m), "a[:, b]"),
    ],
    bad: [bad(() => zeros([2]).at(bools([3])), /^at: the mask \[3\] does not fit \[2\]/)],
  },
];

const classSets = (): OpSamples[] => [
  {
    op: "oneHot",
    samples: [
      sample([typed("int32", [3], 0, 4)], (a) => oneHot(a, 5), "F.one_hot(a, 5)"),
      sample([typed("int32", [2, 3], 0, 2)], (a) => oneHot(a.t(), 4), "F.one_hot(a.t(), 4)"),
      sample([typed("uint8", [], 0, 2)], (a) => oneHot(a, 3), "F.one_hot(a.long(), 3)"),
      sample([typed("int32", [0])], (a) => oneHot(a, 2), "F.one_hot(a, 2)"),
    ],
    bad: [
      bad(() => oneHot(zeros([2]), 3), /^oneHot: classes must be int32 or uint8, got float32/),
      bad(() => oneHot(ints([2]), 0), /^oneHot: numClasses must be ≥ 1, or -1 for all, got 0/),
    ],
    noGradient: noFloat,
  },
  {
    op: "oneHot without numClasses",
    eagerOnly: sizeDepends,
    samples: [sample([typed("int32", [2, 3], 0, 4)], (a) => oneHot(a), "F.one_hot(a)")],
    noGradient: noFloat,
  },
  {
    op: "embedding",
    samples: [
      kink(
        [given([5], [1, 0, 1, 3, 1], "int32"), input([4, 3])],
        (a, b) => embedding(a, b, { scaleGradByFreq: true }),
        "F.embedding(a, b, scale_grad_by_freq=True)",
      ),
      kink(
        [given([2, 2], [1, 0, 1, 3], "int32"), input([4, 3])],
        (a, b) => embedding(a, b, { scaleGradByFreq: true, paddingIdx: 0 }),
        "F.embedding(a, b, padding_idx=0, scale_grad_by_freq=True)",
      ),
      sample(
        [typed("int32", [3], 0, 4), input([5, 2])],
        (i, w) => embedding(i, w),
        "F.embedding(a, b)",
      ),
      sample(
        [typed("int32", [2, 3], 0, 4), input([2, 5])],
        (i, w) => embedding(i.t(), w.t()),
        "F.embedding(a.t(), b.t())",
      ),
      sample(
        [typed("uint8", [], 0, 4), input([5, 2])],
        (i, w) => embedding(i, w),
        "F.embedding(a.long(), b)",
      ),
      ...[1, -4].map((p) =>
        kink(
          [given([4], [1, 0, 1, 3], "int32"), input([5, 2])],
          (i, w) => embedding(i, w, { paddingIdx: p }),
          `F.embedding(a, b, padding_idx=${p})`,
        ),
      ),
    ],
    bad: [
      bad(() => embedding(ints([2]), zeros([2])), /^embedding: weight must be \[N, F\], got \[2\]/),
      bad(
        () => embedding(ints([2]), zeros([2, 3]), { paddingIdx: 2 }),
        /^embedding: paddingIdx 2 is out of range: expected -2 to 1/,
      ),
      bad(
        () => embedding(zeros([2], { dtype: "int32" }), zeros([2, 3]), { maxNorm: Number.NaN }),
        /^embedding: maxNorm must be ≥ 0, got NaN/,
      ),
      bad(() => embedding(zeros([2]), zeros([2, 3])), /^embedding: indices must be int32 or uint8/),
    ],
  },
];

const parts = (x: Unique): Tensor[] => [x.values, x.inverse, x.counts];

const uniqueSets = (): OpSamples[] =>
  (
    [
      ["unique", unique, "unique"],
      ["uniqueConsecutive", uniqueConsecutive, "unique_consecutive"],
    ] as const
  ).map(([op, fn, name]) => ({
    op,
    eagerOnly: sizeDepends,
    samples: [
      ...[
        typed("int32", [3, 4], -2, 2),
        typed("uint8", [7], 0, 2),
        typed("bool", [2, 5]),
        given([6], [1, 1, -2.5, 1, 0, 0]),
        input([0]),
      ].map((x) =>
        sample(
          [x],
          (a) => parts(a[op]()),
          `torch.${name}(a.detach(), return_inverse=True, return_counts=True)`,
        ),
      ),
      sample(
        [typed("int32", [3, 4], 0, 1)],
        (a) => parts(fn(a.t())),
        `torch.${name}(a.t(), return_inverse=True, return_counts=True)`,
      ),
      ...[
        { x: typed("int32", [6, 2], 0, 1), dim: 0 },
        { x: typed("uint8", [2, 7], 0, 1), dim: -1 },
        { x: typed("int32", [2, 5, 2], 0, 1), dim: 1 },
        { x: typed("bool", [2, 1, 6]), dim: 2 },
        { x: given([3, 2], [2, 1, 2, 1, -1, 5]), dim: 0 },
        { x: given([4], [2, 1, 2, 2]), dim: 0 },
      ].map(({ x, dim }) =>
        sample(
          [x],
          (a) => parts(fn(a, { dim })),
          `torch.${name}(a.detach(), dim=${dim}, return_inverse=True, return_counts=True)`,
        ),
      ),
      unlike(
        [given([4], [1, Number.NaN, 0, Number.NaN])],
        (a) => fn(a).values,
        "PyTorch puts NaN in no certain place",
      ),
    ],
    bad: [
      bad(
        () => fn(zeros([2, 0]), { dim: 0 }),
        new RegExp(`^${op}: slices of \\[2, 0\\] along dim 0 are empty`),
      ),
    ],
    noGradient: "distinct values are computed apart from gradients",
  }));

export const lookupSamples: SampleSet = () => [
  ...maskedSets(),
  ...atSets(),
  ...classSets(),
  ...uniqueSets(),
];
