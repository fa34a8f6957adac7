/** What pooling is tried on. Read adaptiveSamples.ts next. */
import { zeros } from "../tensor/create.js";
import { bad, given, input, kink, type SampleSet, sample } from "../tensor/defineOp.js";
import { avgPool1d, avgPool2d, avgPool3d, lpPool1d, lpPool2d } from "./averagePool.js";
import {
  fractionalMaxPool2d,
  fractionalMaxPool3d,
  maxPool1d,
  maxPool1dWithIndices,
  maxPool2dWithIndices,
  maxPool3d,
  maxPool3dWithIndices,
  maxUnpool1d,
  maxUnpool2d,
  maxUnpool3d,
} from "./pool.js";

const x4 = input([2, 2, 5, 6]);

const maxPlaneSet: SampleSet = () => [
  {
    op: "maxPool2d",
    samples: [
      sample([x4], (a) => a.maxPool2d(2), "F.max_pool2d(a, 2)"),
      sample([x4], (a) => a.maxPool2d([2, 3], { stride: 1 }), "F.max_pool2d(a, (2, 3), stride=1)"),
      sample(
        [x4],
        (a) => a.maxPool2d(3, { stride: 2, padding: 1 }),
        "F.max_pool2d(a, 3, stride=2, padding=1)",
      ),
      sample(
        [x4],
        (a) => a.maxPool2d(2, { stride: 1, dilation: [2, 3] }),
        "F.max_pool2d(a, 2, stride=1, dilation=(2, 3))",
      ),
      sample([x4], (a) => a.maxPool2d(2, { ceilMode: true }), "F.max_pool2d(a, 2, ceil_mode=True)"),
      sample(
        [input([1, 1, 6, 7])],
        (a) => a.maxPool2d(3, { stride: 2, padding: 1, ceilMode: true }),
        "F.max_pool2d(a, 3, stride=2, padding=1, ceil_mode=True)",
      ),
      sample(
        [input([1, 1, 5, 5])],
        (a) => a.maxPool2d(2, { stride: 3, ceilMode: true }),
        "F.max_pool2d(a, 2, stride=3, ceil_mode=True)",
      ),
      sample([input([2, 4, 4])], (a) => a.maxPool2d(2), "F.max_pool2d(a, 2)"),
      sample(
        [input([4, 2, 6, 2])],
        (a) => a.transpose(1, 3).maxPool2d(2),
        "F.max_pool2d(a.transpose(1, 3), 2)",
      ),
      sample([input([2, 3, 12, 12])], (a) => a.relu().maxPool2d(2), "F.max_pool2d(a.relu(), 2)"),
      kink(
        [given([1, 1, 2, 4], [1, 1, 0, 0, 1, 1, -1, 0])],
        (a) => a.maxPool2d(2),
        "F.max_pool2d(a, 2)",
      ),
      kink(
        [
          given(
            [1, 1, 2, 4],
            [
              1,
              Number.NaN,
              Number.NEGATIVE_INFINITY,
              Number.NEGATIVE_INFINITY,
              5,
              1,
              -3,
              Number.NEGATIVE_INFINITY,
            ],
          ),
        ],
        (a) => a.maxPool2d(2),
        "F.max_pool2d(a, 2)",
      ),
    ],
    bad: [
      bad(() => zeros([4, 4]).maxPool2d(2), /^maxPool2d: expected \[B, C, H, W\], got \[4, 4\]/),
      bad(
        () => zeros([1, 1, 2, 2]).maxPool2d(3),
        /^maxPool2d: a window of \[3, 3\] does not fit \[1, 1, 2, 2\]/,
      ),
      bad(
        () => zeros([1, 1, 4, 4]).maxPool2d(2, { padding: 2 }),
        /^maxPool2d: padding 2 is over half of the window 2/,
      ),
      bad(
        () => zeros([1, 1, 4, 4]).maxPool2d(0),
        /^maxPool2d: kernelSize must be a whole number ≥ 1/,
      ),
      bad(
        () => zeros([1, 1, 4, 4], { dtype: "int32" }).maxPool2d(2),
        /^maxPool2d: needs a float tensor, got int32/,
      ),
    ],
  },
  {
    op: "maxPool2dWithIndices",
    samples: [
      sample([x4], (a) => maxPool2dWithIndices(a, 2), "F.max_pool2d(a, 2, return_indices=True)"),
      sample(
        [x4],
        (a) => maxPool2dWithIndices(a, 3, { stride: 2, padding: 1 }),
        "F.max_pool2d(a, 3, stride=2, padding=1, return_indices=True)",
      ),
    ],
    bad: [bad(() => maxPool2dWithIndices(zeros([2, 2]), 2), /^maxPool2d: expected \[B, C, H, W\]/)],
  },
];

const maxOtherSet: SampleSet = () => [
  {
    op: "maxPool1d",
    samples: [
      sample([input([2, 3, 7])], (a) => maxPool1d(a, 2), "F.max_pool1d(a, 2)"),
      sample(
        [input([2, 9])],
        (a) => maxPool1d(a, 3, { stride: 2, padding: 1, ceilMode: true }),
        "F.max_pool1d(a, 3, stride=2, padding=1, ceil_mode=True)",
      ),
      sample(
        [input([1, 2, 9])],
        (a) => maxPool1d(a, 3, { stride: 1, dilation: 2 }),
        "F.max_pool1d(a, 3, stride=1, dilation=2)",
      ),
    ],
    bad: [bad(() => maxPool1d(zeros([2]), 2), /^maxPool1d: expected \[B, C, L\], got \[2\]/)],
  },
  {
    op: "maxPool3d",
    samples: [
      sample([input([1, 2, 4, 2, 5])], (a) => maxPool3d(a, 2), "F.max_pool3d(a, 2)"),
      sample(
        [input([2, 3, 4, 5])],
        (a) => maxPool3d(a, [1, 2, 3], { stride: 1, padding: [0, 1, 1] }),
        "F.max_pool3d(a, (1, 2, 3), stride=1, padding=(0, 1, 1))",
      ),
    ],
    bad: [
      bad(
        () => maxPool3d(zeros([2, 2]), 2),
        /^maxPool3d: expected \[B, C, D, H, W\], got \[2, 2\]/,
      ),
    ],
  },
  {
    op: "maxPool1dWithIndices",
    samples: [
      sample(
        [input([2, 3, 7])],
        (a) => maxPool1dWithIndices(a, 3, { stride: 2 }),
        "F.max_pool1d(a, 3, stride=2, return_indices=True)",
      ),
    ],
    bad: [bad(() => maxPool1dWithIndices(zeros([2]), 2), /^maxPool1d: expected \[B, C, L\]/)],
  },
  {
    op: "maxPool3dWithIndices",
    samples: [
      sample(
        [input([2, 3, 4, 4])],
        (a) => maxPool3dWithIndices(a, 2),
        "F.max_pool3d(a, 2, return_indices=True)",
      ),
    ],
    bad: [bad(() => maxPool3dWithIndices(zeros([2]), 2), /^maxPool3d: expected \[B, C, D, H, W\]/)],
  },
];

const places = given([1, 2, 2], [1, 2, 0, 3], "int32");
const planePlaces = given([1, 1, 2, 2], [1, 2, 8, 15], "int32");

const unpoolSet: SampleSet = () => [
  {
    op: "maxUnpool1d",
    samples: [
      sample([input([1, 2, 2]), places], (a, i) => maxUnpool1d(a, i, 2), "F.max_unpool1d(a, b, 2)"),
      sample(
        [input([1, 2, 2]), places],
        (a, i) => maxUnpool1d(a, i, 2, { outputSize: [5] }),
        "F.max_unpool1d(a, b, 2, output_size=(5,))",
      ),
    ],
    bad: [
      bad(
        () => maxUnpool1d(zeros([1, 2, 2]), zeros([1, 2], { dtype: "int32" }), 2),
        /^maxUnpool1d: indices \[1, 2\] do not fit values \[1, 2, 2\]/,
      ),
      bad(
        () =>
          maxUnpool1d(zeros([1, 1, 2]), zeros([1, 1, 2], { dtype: "int32" }), 2, {
            outputSize: [9],
          }),
        /^maxUnpool1d: outputSize \[9\] does not fit, expected near \[4\]/,
      ),
    ],
  },
  {
    op: "maxUnpool2d",
    samples: [
      sample(
        [input([1, 1, 2, 2]), planePlaces],
        (a, i) => maxUnpool2d(a, i, 2),
        "F.max_unpool2d(a, b, 2)",
      ),
      sample(
        [input([1, 2, 2]), given([1, 2, 2], [0, 2, 6, 8], "int32")],
        (a, i) => maxUnpool2d(a, i, 3, { stride: 2, padding: 1 }),
        "F.max_unpool2d(a, b, 3, stride=2, padding=1)",
      ),
      sample(
        [input([2, 2, 4, 6])],
        (a) => {
          const [values, indices] = maxPool2dWithIndices(a, 2);
          return maxUnpool2d(values, indices, 2);
        },
        "F.max_unpool2d(*F.max_pool2d(a, 2, return_indices=True), 2)",
      ),
    ],
    bad: [
      bad(
        () => maxUnpool2d(zeros([1, 1, 2, 2]), zeros([1, 1, 2, 2]), 2),
        /^maxUnpool2d: indices must be int32 or uint8, got float32/,
      ),
    ],
  },
  {
    op: "maxUnpool3d",
    samples: [
      sample(
        [input([1, 1, 4, 4, 4])],
        (a) => {
          const [values, indices] = maxPool3dWithIndices(a, 2);
          return maxUnpool3d(values, indices, 2);
        },
        "F.max_unpool3d(*F.max_pool3d(a, 2, return_indices=True), 2)",
      ),
    ],
    bad: [
      bad(
        () => maxUnpool3d(zeros([2]), zeros([2], { dtype: "int32" }), 2),
        /^maxUnpool3d: expected \[B, C, D, H, W\]/,
      ),
    ],
  },
  {
    op: "fractionalMaxPool3d",
    samples: [
      sample(
        [input([1, 2, 5, 6, 7]), input([1, 2, 3], 0, 0.999)],
        (a, b) => fractionalMaxPool3d(a, 2, { outputSize: [2, 3, 4], randomSamples: b }),
        "F.fractional_max_pool3d(a, 2, output_size=(2, 3, 4), _random_samples=b.detach(), return_indices=True)",
      ),
      sample(
        [input([2, 1, 6, 5, 6]), input([2, 1, 3], 0, 0.999)],
        (a, b) => fractionalMaxPool3d(a, [1, 2, 3], { outputRatio: 0.5, randomSamples: b }),
        "F.fractional_max_pool3d(a, (1, 2, 3), output_ratio=0.5, _random_samples=b.detach(), return_indices=True)",
      ),
    ],
    bad: [
      bad(
        () => fractionalMaxPool3d(zeros([1, 1, 5, 5, 5]), 2, { outputRatio: [0.5, 0.5] as never }),
        /outputRatio must be from 0 to 1, got 0.5,0.5/,
      ),
    ],
  },
  {
    op: "fractionalMaxPool2d",
    samples: [
      ...(
        [
          [
            [2, 2, 7, 8],
            [3, 4],
          ],
          [
            [1, 3, 6, 6],
            [5, 1],
          ],
        ] as const
      ).map(([shape, [rows, columns]]) =>
        sample(
          [input(shape), input([...shape.slice(0, 2), 2], 0, 0.999)],
          (a, b) => fractionalMaxPool2d(a, 2, { outputSize: [rows, columns], randomSamples: b }),
          `F.fractional_max_pool2d(a, 2, output_size=(${rows}, ${columns}), _random_samples=b.detach(), return_indices=True)`,
        ),
      ),
      sample(
        [input([1, 2, 9, 9]), input([1, 2, 2], 0, 0.999)],
        (a, b) => fractionalMaxPool2d(a, [3, 2], { outputRatio: 0.5, randomSamples: b }),
        "F.fractional_max_pool2d(a, (3, 2), output_ratio=0.5, _random_samples=b.detach(), return_indices=True)",
      ),
    ],
    bad: [
      bad(
        () => fractionalMaxPool2d(zeros([1, 1, 5, 5]), 2, {}),
        /exactly one of outputSize and outputRatio/,
      ),
      bad(
        () => fractionalMaxPool2d(zeros([1, 1, 3, 3]), 2, { outputSize: 3 }),
        /^fractionalMaxPool2d: windows of \[2, 2\] for \[3, 3\] do not fit \[1, 1, 3, 3\]/,
      ),
      bad(
        () => fractionalMaxPool2d(zeros([1, 1, 5, 5]), 2, { outputRatio: 2 }),
        /outputRatio must be from 0 to 1/,
      ),
    ],
  },
];

const averageSet: SampleSet = () => [
  {
    op: "avgPool1d",
    samples: [
      sample([input([2, 3, 7])], (a) => avgPool1d(a, 2), "F.avg_pool1d(a, 2)"),
      sample(
        [input([2, 8])],
        (a) => avgPool1d(a, 3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false }),
        "F.avg_pool1d(a, 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)",
      ),
    ],
    bad: [bad(() => avgPool1d(zeros([2]), 2), /^avgPool1d: expected \[B, C, L\], got \[2\]/)],
  },
  {
    op: "avgPool2d",
    samples: [
      sample([x4], (a) => avgPool2d(a, 2), "F.avg_pool2d(a, 2)"),
      sample([x4], (a) => avgPool2d(a, [2, 3], { stride: 1 }), "F.avg_pool2d(a, (2, 3), stride=1)"),
      ...[true, false].flatMap((ceilMode) =>
        [true, false].map((countIncludePad) =>
          sample(
            [x4],
            (a) => avgPool2d(a, 3, { stride: 2, padding: 1, ceilMode, countIncludePad }),
            `F.avg_pool2d(a, 3, stride=2, padding=1, ceil_mode=${ceilMode ? "True" : "False"}, ` +
              `count_include_pad=${countIncludePad ? "True" : "False"})`,
          ),
        ),
      ),
      sample(
        [x4],
        (a) => avgPool2d(a, 2, { ceilMode: true }),
        "F.avg_pool2d(a, 2, ceil_mode=True)",
      ),
      sample(
        [x4],
        (a) => avgPool2d(a, 2, { divisorOverride: 3, padding: 1 }),
        "F.avg_pool2d(a, 2, divisor_override=3, padding=1)",
      ),
      sample([input([2, 4, 4])], (a) => avgPool2d(a, 2), "F.avg_pool2d(a, 2)"),
      sample(
        [input([4, 2, 6, 2])],
        (a) => avgPool2d(a.transpose(1, 3), 2),
        "F.avg_pool2d(a.transpose(1, 3), 2)",
      ),
    ],
    bad: [
      bad(() => avgPool2d(zeros([1, 1, 2, 2]), 3), /^avgPool2d: a window of \[3, 3\] does not fit/),
      bad(
        () => avgPool2d(zeros([1, 1, 4, 4]), 2, { padding: 2 }),
        /^avgPool2d: padding 2 is over half/,
      ),
      bad(
        () => avgPool2d(zeros([1, 1, 4, 4]), 2, { divisorOverride: 0 }),
        /divisorOverride must not be 0/,
      ),
      bad(
        () => avgPool2d(zeros([1, 1, 4, 4], { dtype: "int32" }), 2),
        /needs a float tensor, got int32/,
      ),
    ],
  },
  {
    op: "avgPool3d",
    samples: [
      sample([input([1, 2, 4, 2, 5])], (a) => avgPool3d(a, 2), "F.avg_pool3d(a, 2)"),
      sample(
        [input([2, 3, 4, 5])],
        (a) => avgPool3d(a, [1, 2, 3], { stride: 2, padding: [0, 1, 1], countIncludePad: false }),
        "F.avg_pool3d(a, (1, 2, 3), stride=2, padding=(0, 1, 1), count_include_pad=False)",
      ),
    ],
    bad: [bad(() => avgPool3d(zeros([2, 2]), 2), /^avgPool3d: expected \[B, C, D, H, W\]/)],
  },
  {
    op: "lpPool1d",
    samples: [
      sample([input([2, 3, 7])], (a) => lpPool1d(a, 2, 2), "F.lp_pool1d(a, 2.0, 2)"),
      sample(
        [input([2, 3, 8], 0.5, 2)],
        (a) => lpPool1d(a, 3, 3, { stride: 2, ceilMode: true }),
        "F.lp_pool1d(a, 3.0, 3, stride=2, ceil_mode=True)",
      ),
    ],
    bad: [bad(() => lpPool1d(zeros([1, 1, 4]), 0, 2), /^lpPool1d: normType must be > 0, got 0/)],
  },
  {
    op: "lpPool2d",
    samples: [
      sample([x4], (a) => lpPool2d(a, 2, 2), "F.lp_pool2d(a, 2.0, 2)"),
      sample(
        [input([2, 2, 5, 6], 0.5, 2)],
        (a) => lpPool2d(a, 1.5, [2, 3], { stride: 1 }),
        "F.lp_pool2d(a, 1.5, (2, 3), stride=1)",
      ),
    ],
    bad: [bad(() => lpPool2d(zeros([2]), 2, 2), /^lpPool2d: expected \[B, C, H, W\]/)],
  },
];

export const poolSamples: SampleSet = () => [
  ...maxPlaneSet(),
  ...maxOtherSet(),
  ...unpoolSet(),
  ...averageSet(),
];
