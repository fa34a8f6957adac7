/** Samples of the ops in pad.ts and patches.ts. */
import { zeros } from "../tensor/create.js";
import { bad, input, type OpSamples, type SampleSet, sample, typed } from "../tensor/defineOp.js";
import { diagEmbed, diagonal, pad, tril, triu } from "./pad.js";
import { channelShuffle, fold, pixelShuffle, pixelUnshuffle, unfold } from "./patches.js";

const modes = ["reflect", "replicate", "circular"] as const;

const padSet = (): OpSamples => ({
  op: "pad",
  samples: [
    sample([input([2, 3])], (a) => pad(a, [1, 2]), "F.pad(a, (1, 2))"),
    sample(
      [input([2, 3])],
      (a) => pad(a, [1, 0, 0, 2], { value: 1.5 }),
      "F.pad(a, (1, 0, 0, 2), value=1.5)",
    ),
    sample([input([4, 3])], (a) => pad(a.t(), [-1, 2]), "F.pad(a.t(), (-1, 2))"),
    sample([input([4])], (a) => pad(a, [-2, -1]), "F.pad(a, (-2, -1))"),
    sample([input([4])], (a) => pad(a, []), "F.pad(a, ())"),
    sample([input([0])], (a) => pad(a, [1, 1]), "F.pad(a, (1, 1))"),
    sample([typed("int32", [3])], (a) => pad(a, [1, 1], { value: 2 }), "F.pad(a, (1, 1), value=2)"),
    ...modes.flatMap((mode) => [
      sample(
        [input([2, 2, 4])],
        (a) => pad(a, [2, 3], { mode }),
        `F.pad(a, (2, 3), mode="${mode}")`,
      ),
      sample(
        [input([1, 2, 3, 4])],
        (a) => pad(a, [1, 0, 2, 1], { mode }),
        `F.pad(a, (1, 0, 2, 1), mode="${mode}")`,
      ),
      sample(
        [input([1, 4, 2])],
        (a) => pad(a.transpose(1, 2), [0, 3], { mode }),
        `F.pad(a.transpose(1, 2), (0, 3), mode="${mode}")`,
      ),
      sample(
        [input([1, 1, 5])],
        (a) => pad(a, [-1, 2], { mode }),
        `F.pad(a, (-1, 2), mode="${mode}")`,
      ),
    ]),
  ],
  bad: [
    bad(() => pad(zeros([2]), [1]), /^pad: expected up to 1 pairs of whole numbers/),
    bad(() => pad(zeros([3]), [3, 0], { mode: "reflect" }), /^pad: mode "reflect" has at most 2/),
    bad(() => pad(zeros([3]), [-2, -2]), /^pad: -2 and -2 leave nothing of size 3 at dim 0/),
    bad(
      () => pad(zeros([3]), [1, 1], { mode: "same" as "reflect" }),
      /^pad: mode must be constant/,
    ),
  ],
});

const triangleSets = (): OpSamples[] =>
  (
    [
      ["triu", triu],
      ["tril", tril],
    ] as const
  ).map(([op, fn]) => ({
    op,
    samples: [
      ...[0, 1, -1, 5, -5].map((k) => sample([input([3, 4])], (a) => fn(a, k), `a.${op}(${k})`)),
      sample([input([2, 4, 3])], (a) => a.transpose(1, 2)[op](), `a.transpose(1, 2).${op}()`),
      sample([typed("bool", [3, 3])], (a) => a[op](1), `a.${op}(1)`),
      sample([typed("int32", [3, 2])], (a) => a[op](), `a.${op}()`),
      sample([input([0, 3])], (a) => a[op](), `a.${op}()`),
    ],
    bad: [
      bad(() => fn(zeros([2])), new RegExp(`^${op}: needs at least 2 dims, got \\[2\\]`)),
      bad(() => fn(zeros([2, 2]), 0.5), new RegExp(`^${op}: diagonal must be a whole number`)),
    ],
  }));

const diagonalSets = (): OpSamples[] => [
  {
    op: "diagonal",
    samples: [
      ...[0, 1, -1, 3, 9, -9].map((k) =>
        sample([input([3, 4])], (a) => a.diagonal(k), `a.diagonal(${k})`),
      ),
      sample([input([2, 3, 4])], (a) => diagonal(a, 1, -1, 0), "a.diagonal(1, -1, 0)"),
      sample([input([2, 3, 3])], (a) => a.diagonal(0, 1, 2), "a.diagonal(0, 1, 2)"),
      sample([input([4, 3])], (a) => a.t().diagonal(-1).mul(2), "a.t().diagonal(-1) * 2"),
    ],
    bad: [
      bad(() => diagonal(zeros([2, 2]), 0, 0, -2), /^diagonal: dim1 and dim2 must differ/),
      bad(() => diagonal(zeros([2])), /^diagonal: dim 1 is out of range/),
    ],
  },
  {
    op: "diagEmbed",
    samples: [
      ...[0, 1, -2].map((k) =>
        sample([input([2, 3])], (a) => a.diagEmbed(k), `torch.diag_embed(a, ${k})`),
      ),
      sample([input([3])], (a) => diagEmbed(a), "torch.diag_embed(a)"),
      sample(
        [input([2, 3])],
        (a) => diagEmbed(a.t(), 1, 0, -1),
        "torch.diag_embed(a.t(), 1, 0, -1)",
      ),
      sample([input([2, 3])], (a) => diagEmbed(a, 0, 2, 0), "torch.diag_embed(a, 0, 2, 0)"),
      sample([input([0])], (a) => diagEmbed(a, 2), "torch.diag_embed(a, 2)"),
      sample([typed("int32", [2])], (a) => diagEmbed(a), "torch.diag_embed(a)"),
    ],
    bad: [bad(() => diagEmbed(zeros([2]), 0, 1, 1), /^diagEmbed: dim1 and dim2 must differ/)],
  },
];

const unfoldSets = (): OpSamples[] => [
  {
    op: "unfold",
    samples: [
      sample([input([2, 3, 4, 5])], (a) => unfold(a, [2, 3]), "F.unfold(a, (2, 3))"),
      sample(
        [input([1, 2, 4, 5])],
        (a) => unfold(a, 2, { padding: [1, 2], stride: [2, 1], dilation: [1, 2] }),
        "F.unfold(a, 2, padding=(1, 2), stride=(2, 1), dilation=(1, 2))",
      ),
      sample([input([2, 3, 3])], (a) => unfold(a, 2), "F.unfold(a, 2)"),
      sample(
        [input([1, 4, 3, 2])],
        (a) => unfold(a.transpose(1, 3), 3, { padding: 1 }),
        "F.unfold(a.transpose(1, 3), 3, padding=1)",
      ),
    ],
    bad: [
      bad(() => unfold(zeros([2, 3]), 2), /^unfold: expected \[B, C, H, W\], got \[2, 3\]/),
      bad(() => unfold(zeros([1, 1, 2, 2]), 3), /^unfold: a window of \[3, 3\] does not fit/),
      bad(() => unfold(zeros([1, 1, 2, 2]), 0), /^unfold: kernelSize must be a whole number ≥ 1/),
    ],
  },
  {
    op: "fold",
    samples: [
      sample([input([2, 12, 12])], (a) => fold(a, [4, 5], 2), "F.fold(a, (4, 5), 2)"),
      sample(
        [input([1, 8, 12])],
        (a) => fold(a, [4, 5], 2, { padding: [1, 1], stride: [2, 1], dilation: [1, 3] }),
        "F.fold(a, (4, 5), 2, padding=(1, 1), stride=(2, 1), dilation=(1, 3))",
      ),
      sample([input([8, 4])], (a) => fold(a, 3, 2), "F.fold(a, (3, 3), 2)"),
      sample(
        [input([1, 4, 4])],
        (a) => fold(a.transpose(1, 2), 3, 2),
        "F.fold(a.transpose(1, 2), (3, 3), 2)",
      ),
    ],
    bad: [
      bad(() => fold(zeros([1, 4, 5]), 3, 2), /^fold: expected \[B, C·4, 4\]/),
      bad(() => fold(zeros([1, 4, 5]), 1, 2), /^fold: a window of \[2, 2\] does not fit/),
    ],
  },
];

const shuffleSets = (): OpSamples[] => [
  {
    op: "pixelShuffle",
    samples: [
      sample([input([1, 8, 2, 3])], (a) => pixelShuffle(a, 2), "F.pixel_shuffle(a, 2)"),
      sample([input([9, 1, 2])], (a) => pixelShuffle(a, 3), "F.pixel_shuffle(a, 3)"),
      sample(
        [input([2, 4, 4])],
        (a) => pixelShuffle(a.transpose(0, 1), 2),
        "F.pixel_shuffle(a.transpose(0, 1), 2)",
      ),
    ],
    bad: [
      bad(() => pixelShuffle(zeros([3, 1, 1]), 2), /^pixelShuffle: 2² does not divide the 3/),
      bad(() => pixelShuffle(zeros([4, 1]), 2), /^pixelShuffle: needs at least 3 dims/),
    ],
  },
  {
    op: "pixelUnshuffle",
    samples: [
      sample([input([1, 2, 4, 6])], (a) => pixelUnshuffle(a, 2), "F.pixel_unshuffle(a, 2)"),
      sample([input([2, 3, 3])], (a) => pixelUnshuffle(a, 3), "F.pixel_unshuffle(a, 3)"),
    ],
    bad: [bad(() => pixelUnshuffle(zeros([1, 3, 4]), 2), /^pixelUnshuffle: 2 does not divide/)],
  },
  {
    op: "channelShuffle",
    samples: [
      sample(
        [input([2, 6, 2])],
        (a) => channelShuffle(a, 3),
        "a.reshape(2, 3, 2, 2).transpose(1, 2).reshape(2, 6, 2)",
      ),
      sample(
        [input([1, 4, 2, 3])],
        (a) => channelShuffle(a, 2),
        "a.reshape(1, 2, 2, 2, 3).transpose(1, 2).reshape(1, 4, 2, 3)",
      ),
    ],
    bad: [bad(() => channelShuffle(zeros([1, 3, 2]), 2), /^channelShuffle: expected \[B, C, \*\]/)],
  },
];

const windowSet = (): OpSamples => ({
  op: "unfold along a dim",
  samples: [
    sample([input([7])], (a) => a.unfold(0, 3, 2), "a.unfold(0, 3, 2)"),
    sample([input([2, 5, 3])], (a) => a.unfold(1, 2, 1), "a.unfold(1, 2, 1)"),
    sample([input([3, 6])], (a) => a.t().unfold(-2, 2, 3), "a.t().unfold(-2, 2, 3)"),
    sample([input([4])], (a) => a.unfold(0, 4, 9), "a.unfold(0, 4, 9)"),
    sample([input([4])], (a) => a.unfold(0, 0, 1), "a.unfold(0, 0, 1)"),
    sample([input([])], (a) => a.unfold(0, 1, 1), "a.unfold(0, 1, 1)"),
    sample([typed("int32", [2, 4])], (a) => a.unfold(1, 3, 1), "a.unfold(1, 3, 1)"),
  ],
  bad: [
    bad(
      () => zeros([3]).unfold(0, 4, 1),
      /^unfold: size must be a whole number from 0 to the dim's 3, got 4/,
    ),
    bad(() => zeros([3]).unfold(0, 1, 0), /^unfold: step must be a whole number ≥ 1, got 0/),
  ],
});

export const patchesSamples: SampleSet = () => [
  windowSet(),
  padSet(),
  ...triangleSets(),
  ...diagonalSets(),
  ...unfoldSets(),
  ...shuffleSets(),
];
