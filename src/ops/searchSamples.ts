/** Samples of the ops in search.ts, and of `bincount`. */
import { tensor, zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  type OpSamples,
  type SampleSet,
  sample,
  typed,
  unlike,
} from "../tensor/defineOp.js";
import { bucketize, histc, searchsorted } from "./search.js";
import { bincount } from "./unique.js";

const ints = (shape: readonly number[]) => zeros(shape, { dtype: "int32" });

const countSets = (): OpSamples[] => [
  {
    op: "bincount",
    eagerOnly: "the result's size depends on values",
    samples: [
      sample([typed("int32", [9], 0, 5)], (a) => a.bincount(), "torch.bincount(a)"),
      sample(
        [typed("uint8", [5], 0, 3)],
        (a) => bincount(a, { minlength: 7 }),
        "torch.bincount(a, minlength=7)",
      ),
      sample(
        [typed("int32", [4], 0, 3), input([4])],
        (a, w) => bincount(a, { weights: w }),
        "torch.bincount(a, b.detach())",
      ),
      sample(
        [typed("int32", [4], 0, 3), typed("int32", [4])],
        (a, w) => bincount(a, { weights: w }),
        "torch.bincount(a, b.detach())",
      ),
      sample(
        [typed("int32", [0])],
        (a) => bincount(a, { minlength: 2 }),
        "torch.bincount(a, minlength=2)",
      ),
    ],
    bad: [
      bad(() => bincount(zeros([2])), /^bincount: needs int32 or uint8, got float32/),
      bad(() => bincount(ints([2, 2])), /^bincount: expected x \[N\]/),
    ],
    noGradient: "counts have no gradient",
  },
  {
    op: "histc",
    samples: [
      sample([input([20])], (a) => a.histc({ bins: 5 }), "torch.histc(a, 5)"),
      sample(
        [input([4, 5])],
        (a) => histc(a.t(), { bins: 4, min: -1, max: 1 }),
        "torch.histc(a.t(), 4, min=-1, max=1)",
      ),
      sample(
        [given([5], [0, 1, 2, 3, 4])],
        (a) => histc(a, { bins: 4, min: 0, max: 4 }),
        "torch.histc(a, 4, min=0, max=4)",
      ),
      sample([given([2], [2, 2])], (a) => histc(a, { bins: 4 }), "torch.histc(a, 4)"),
      sample([typed("float64", [9], 0, 1)], (a) => histc(a), "torch.histc(a)"),
      unlike(
        [given([3], [1, Number.NaN, 9])],
        (a) => histc(a, { bins: 2, min: 0, max: 4 }),
        "PyTorch counts NaN in the first bin",
      ),
    ],
    bad: [
      bad(() => histc(ints([2])), /^histc: needs a float tensor, got int32/),
      bad(() => histc(zeros([2]), { bins: 0 }), /^histc: bins must be a whole number ≥ 1/),
      bad(() => histc(zeros([2]), { min: 2, max: 1 }), /^histc: needs finite min ≤ max/),
    ],
    noGradient: "counts have no gradient",
  },
];

const sorted = given([5], [-1, 0.5, 0.5, 1, 3]);
const around = given([2, 4], [-2, -1, 0.5, 0.75, 1, 3, 4, Number.NaN]);

const searchSets = (): OpSamples[] => [
  {
    op: "searchsorted",
    samples: [
      ...[false, true].flatMap((right) => [
        sample(
          [sorted, around],
          (a, b) => searchsorted(a, b, { right }),
          `torch.searchsorted(a, b, right=${right ? "True" : "False"})`,
        ),
        sample(
          [given([2, 3], [1, 2, 2, 0, 5, 9], "int32"), typed("int32", [2, 4], 0, 9)],
          (a, b) => searchsorted(a, b, { right }),
          `torch.searchsorted(a, b, right=${right ? "True" : "False"})`,
        ),
      ]),
      sample([sorted], (a) => searchsorted(a, 0.5), "torch.searchsorted(a, 0.5)"),
      sample([sorted, input([])], (a, b) => searchsorted(a, b), "torch.searchsorted(a, b)"),
      sample([input([0]), input([2])], (a, b) => searchsorted(a, b), "torch.searchsorted(a, b)"),
    ],
    bad: [
      bad(
        () => searchsorted(zeros([2, 3]), zeros([3, 3])),
        /^searchsorted: expected sorted \[N\], or \[\*, N\] beside values/,
      ),
    ],
    noGradient: "the result is no float",
  },
  {
    op: "bucketize",
    samples: [
      ...[false, true].map((right) =>
        sample(
          [around, sorted],
          (a, b) => a.bucketize(b, { right }),
          `torch.bucketize(a, b, right=${right ? "True" : "False"})`,
        ),
      ),
      sample(
        [typed("int32", [3, 2]), given([2], [2, 5], "int32")],
        (a, b) => bucketize(a.t(), b),
        "torch.bucketize(a.t(), b)",
      ),
    ],
    bad: [
      bad(
        () => bucketize(zeros([2]), tensor(1)),
        /^bucketize: boundaries must have one dim, got \[\]/,
      ),
    ],
    noGradient: "the result is no float",
  },
];

export const searchSamples: SampleSet = () => [...countSets(), ...searchSets()];
