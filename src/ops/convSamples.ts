/** What convolutions are tried on. */
import { zeros } from "../tensor/create.js";
import { bad, input, type SampleSet, sample } from "../tensor/defineOp.js";
import {
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from "./conv.js";

const [x4, w3] = [input([2, 2, 5, 6]), input([4, 2, 3, 3])];

const planeSet: SampleSet = () => [
  {
    op: "conv2d",
    samples: [
      sample([x4, w3], (a, b) => conv2d(a, b), "F.conv2d(a, b)"),
      sample([x4, w3, input([4])], (a, b, c) => conv2d(a, b, c), "F.conv2d(a, b, c)"),
      sample([x4, w3], (a, b) => conv2d(a, b, null, { padding: 1 }), "F.conv2d(a, b, padding=1)"),
      sample([x4, w3], (a, b) => conv2d(a, b, null, { stride: 2 }), "F.conv2d(a, b, stride=2)"),
      sample(
        [x4, w3, input([4])],
        (a, b, c) => conv2d(a, b, c, { stride: [2, 1], padding: [0, 2], dilation: [2, 1] }),
        "F.conv2d(a, b, c, stride=(2, 1), padding=(0, 2), dilation=(2, 1))",
      ),
      sample(
        [input([1, 2, 7, 7]), input([2, 2, 2, 3])],
        (a, b) => conv2d(a, b, null, { stride: 3, padding: 2, dilation: 2 }),
        "F.conv2d(a, b, stride=3, padding=2, dilation=2)",
      ),
      sample(
        [input([2, 4, 4, 4]), input([6, 2, 3, 3])],
        (a, b) => conv2d(a, b, null, { groups: 2 }),
        "F.conv2d(a, b, groups=2)",
      ),
      sample(
        [input([2, 3, 4, 4]), input([3, 1, 3, 3]), input([3])],
        (a, b, c) => conv2d(a, b, c, { groups: 3, padding: 1 }),
        "F.conv2d(a, b, c, groups=3, padding=1)",
      ),
      sample([input([2, 3, 4, 5]), input([5, 3, 1, 1])], (a, b) => conv2d(a, b), "F.conv2d(a, b)"),
      sample([input([1, 1, 4, 4]), input([1, 1, 4, 4])], (a, b) => conv2d(a, b), "F.conv2d(a, b)"),
      sample(
        [input([1, 1, 1, 9]), input([2, 1, 1, 4])],
        (a, b) => conv2d(a, b, null, { padding: "same" }),
        'F.conv2d(a, b, padding="same")',
      ),
      sample(
        [x4, w3],
        (a, b) => conv2d(a, b, null, { padding: "same", dilation: 2 }),
        'F.conv2d(a, b, padding="same", dilation=2)',
      ),
      sample(
        [x4, w3],
        (a, b) => conv2d(a, b, null, { padding: "valid" }),
        'F.conv2d(a, b, padding="valid")',
      ),
      sample([input([2, 5, 6]), w3], (a, b) => conv2d(a, b), "F.conv2d(a, b)"),
      sample([input([0, 2, 5, 6]), w3], (a, b) => conv2d(a, b), "F.conv2d(a, b)"),
      sample(
        [input([2, 5, 6, 2]), input([3, 3, 4, 2])],
        (a, b) => conv2d(a.permute([0, 3, 1, 2]), b.permute([2, 3, 1, 0])),
        "F.conv2d(a.permute(0, 3, 1, 2), b.permute(2, 3, 1, 0))",
      ),
      sample(
        [input([2, 3, 14, 14]), input([9, 3, 5, 5])],
        (a, b) => conv2d(a, b, null, { padding: 2 }),
        "F.conv2d(a, b, padding=2)",
      ),
    ],
    bad: [
      bad(
        () => conv2d(zeros([1, 3, 5, 5]), zeros([4, 2, 3, 3])),
        /^conv2d: input \[1, 3, 5, 5\] has 3 channels; weight \[4, 2, 3, 3\] in 1 group\(s\) expects 2/,
      ),
      bad(
        () => conv2d(zeros([1, 2, 2, 5]), zeros([4, 2, 3, 3])),
        /^conv2d: a window of 3 \(dilation 1\) does not fit size 2 with padding 0 \+ 0 at spatial dim 0/,
      ),
      bad(
        () => conv2d(zeros([5, 5]), zeros([4, 2, 3, 3])),
        /^conv2d: expected input \[B, C, H, W\]/,
      ),
      bad(
        () => conv2d(zeros([1, 2, 5, 5]), zeros([4, 2, 3, 3]), zeros([3])),
        /^conv2d: bias \[3\] does not fit weight \[4, 2, 3, 3\]: expected \[4\]/,
      ),
      bad(
        () => conv2d(zeros([1, 2, 5, 5]), zeros([4, 2, 3, 3]), null, { stride: 0 }),
        /^conv2d: stride must be a whole number ≥ 1 or a pair of such, got 0/,
      ),
      bad(
        () =>
          conv2d(zeros([1, 2, 5, 5]), zeros([4, 2, 3, 3]), null, { padding: "same", stride: 2 }),
        /^conv2d: padding "same" needs stride 1, got \[2, 2\]/,
      ),
      bad(
        () => conv2d(zeros([1, 2, 5, 5]), zeros([4, 2, 3, 3]), null, { groups: 0 }),
        /^conv2d: groups must be a whole number ≥ 1, got 0/,
      ),
      bad(
        () => conv2d(zeros([1, 2, 5, 5]), zeros([4, 2, 3, 3], { dtype: "float64" })),
        /^conv2d: needs two operands of one float dtype, got float32, float64/,
      ),
    ],
  },
];

const otherRanks: SampleSet = () => [
  {
    op: "conv1d",
    samples: [
      sample(
        [input([2, 2, 7]), input([4, 2, 3]), input([4])],
        (a, b, c) => conv1d(a, b, c),
        "F.conv1d(a, b, c)",
      ),
      sample(
        [input([2, 4, 9]), input([6, 2, 3])],
        (a, b) => conv1d(a, b, null, { stride: 2, padding: 2, dilation: 2, groups: 2 }),
        "F.conv1d(a, b, stride=2, padding=2, dilation=2, groups=2)",
      ),
      sample(
        [input([1, 2, 6]), input([3, 2, 4])],
        (a, b) => conv1d(a, b, null, { padding: "same" }),
        'F.conv1d(a, b, padding="same")',
      ),
      sample([input([2, 6]), input([3, 2, 1])], (a, b) => conv1d(a, b), "F.conv1d(a, b)"),
      sample(
        [input([6, 2, 3]), input([3, 2, 2])],
        (a, b) => conv1d(a.permute([1, 2, 0]), b.transpose(0, 1).reshape([2, 3, 2])),
        "F.conv1d(a.permute(1, 2, 0), b.transpose(0, 1).reshape(2, 3, 2))",
      ),
    ],
    bad: [
      bad(() => conv1d(zeros([2]), zeros([1, 1, 1])), /^conv1d: expected input \[B, C, L\]/),
      bad(
        () => conv1d(zeros([1, 1, 3]), zeros([1, 1, 1]), null, { stride: [1, 2] as never }),
        /^conv1d: stride must be a whole number ≥ 1 or a list of one, got \[1,2\]/,
      ),
    ],
  },
  {
    op: "conv3d",
    samples: [
      sample(
        [input([1, 2, 3, 4, 3]), input([2, 2, 2, 2, 2]), input([2])],
        (a, b, c) => conv3d(a, b, c),
        "F.conv3d(a, b, c)",
      ),
      sample(
        [input([2, 2, 4, 3, 5]), input([2, 1, 2, 1, 3])],
        (a, b) => conv3d(a, b, null, { stride: [2, 1, 1], padding: [0, 1, 2], groups: 2 }),
        "F.conv3d(a, b, stride=(2, 1, 1), padding=(0, 1, 2), groups=2)",
      ),
      sample(
        [input([1, 3, 3, 3]), input([1, 1, 2, 2, 2])],
        (a, b) => conv3d(a, b, null, { dilation: 2 }),
        "F.conv3d(a, b, dilation=2)",
      ),
    ],
    bad: [
      bad(
        () => conv3d(zeros([2, 2]), zeros([1, 1, 1, 1, 1])),
        /^conv3d: expected input \[B, C, D, H, W\] and weight \[O, C\/groups, kD, kH, kW\]/,
      ),
    ],
  },
];

const transposeSet: SampleSet = () => [
  {
    op: "convTranspose1d",
    samples: [
      sample(
        [input([2, 3, 4]), input([3, 2, 3]), input([2])],
        (a, b, c) => convTranspose1d(a, b, c),
        "F.conv_transpose1d(a, b, c)",
      ),
      sample(
        [input([2, 4, 5]), input([4, 3, 3]), input([6])],
        (a, b, c) =>
          convTranspose1d(a, b, c, { stride: 3, padding: 1, outputPadding: 2, groups: 2 }),
        "F.conv_transpose1d(a, b, c, stride=3, padding=1, output_padding=2, groups=2)",
      ),
      sample(
        [input([3, 4]), input([3, 1, 2])],
        (a, b) => convTranspose1d(a, b, null, { dilation: 3, outputPadding: 2 }),
        "F.conv_transpose1d(a, b, dilation=3, output_padding=2)",
      ),
    ],
    bad: [
      bad(
        () => convTranspose1d(zeros([1, 2, 3]), zeros([3, 1, 2])),
        /^convTranspose1d: input \[1, 2, 3\] has 2 channels; weight \[3, 1, 2\] in 1 group\(s\) expects 3/,
      ),
      bad(
        () => convTranspose1d(zeros([1, 1, 3]), zeros([1, 1, 2]), null, { outputPadding: 1 }),
        /^convTranspose1d: outputPadding 1 must be under the stride 1 or the dilation 1/,
      ),
      bad(
        () => convTranspose1d(zeros([1, 1, 1]), zeros([1, 1, 1]), null, { padding: 1 }),
        /^convTranspose1d: the result would have the sizes \[-1\]/,
      ),
      bad(
        () => convTranspose1d(zeros([1, 1, 3]), zeros([1, 2, 2]), zeros([1])),
        /^convTranspose1d: bias \[1\] does not fit weight \[1, 2, 2\]: expected \[2\]/,
      ),
    ],
  },
  {
    op: "convTranspose2d",
    samples: [
      sample(
        [input([2, 3, 3, 4]), input([3, 2, 2, 3]), input([2])],
        (a, b, c) => convTranspose2d(a, b, c),
        "F.conv_transpose2d(a, b, c)",
      ),
      sample(
        [input([1, 2, 4, 3]), input([2, 3, 3, 3])],
        (a, b) => convTranspose2d(a, b, null, { stride: 2, padding: 1, outputPadding: 1 }),
        "F.conv_transpose2d(a, b, stride=2, padding=1, output_padding=1)",
      ),
      sample(
        [input([1, 4, 3, 3]), input([4, 1, 2, 3])],
        (a, b) =>
          convTranspose2d(a, b, null, {
            stride: [1, 2],
            dilation: [2, 1],
            groups: 4,
            padding: [1, 0],
          }),
        "F.conv_transpose2d(a, b, stride=(1, 2), dilation=(2, 1), groups=4, padding=(1, 0))",
      ),
      sample(
        [input([2, 3, 3]), input([2, 1, 2, 2])],
        (a, b) => convTranspose2d(a, b),
        "F.conv_transpose2d(a, b)",
      ),
      sample(
        [input([3, 4, 1, 2]), input([2, 2, 3, 2])],
        (a, b) => convTranspose2d(a.permute([2, 3, 0, 1]), b.permute([1, 0, 3, 2])),
        "F.conv_transpose2d(a.permute(2, 3, 0, 1), b.permute(1, 0, 3, 2))",
      ),
    ],
    bad: [
      bad(
        () => convTranspose2d(zeros([3]), zeros([1, 1, 1, 1])),
        /^convTranspose2d: expected input \[B, C, H, W\] and weight \[C, O\/groups, kH, kW\]/,
      ),
    ],
  },
  {
    op: "convTranspose3d",
    samples: [
      sample(
        [input([1, 2, 2, 3, 2]), input([2, 1, 2, 2, 3]), input([1])],
        (a, b, c) => convTranspose3d(a, b, c),
        "F.conv_transpose3d(a, b, c)",
      ),
      sample(
        [input([1, 2, 2, 2, 3]), input([2, 2, 3, 1, 2])],
        (a, b) =>
          convTranspose3d(a, b, null, { stride: 2, padding: [1, 0, 0], outputPadding: [1, 0, 1] }),
        "F.conv_transpose3d(a, b, stride=2, padding=(1, 0, 0), output_padding=(1, 0, 1))",
      ),
    ],
    bad: [
      bad(
        () => convTranspose3d(zeros([3]), zeros([1, 1, 1, 1, 1])),
        /^convTranspose3d: expected input \[B, C, D, H, W\]/,
      ),
    ],
  },
];

export const convSamples: SampleSet = () => [...planeSet(), ...otherRanks(), ...transposeSet()];
