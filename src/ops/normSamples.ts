/** What the normalizing ops are tried on. */
import { zeros } from "../tensor/create.js";
import { bad, given, input, kink, type SampleSet, sample } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { batchNorm, groupNorm, instanceNorm, layerNorm, rmsNorm } from "./norm.js";
import { localResponseNorm, normalize } from "./rescale.js";

const channel = input([3]);
const ints = () => zeros([2, 3, 4], { dtype: "int32" });

/** Running statistics (which pass no gradient on) that start at 0 and 1 in every run, also of a compiled program. */
function statistics(like: Tensor, size: number): [Tensor, Tensor] {
  const make = () => zeros([size], { dtype: like.dtype });
  const [mean, variance] = [make(), make()];
  mean.assign(make());
  variance.assign(make().add(1));
  return [mean, variance];
}

const started = "(m := torch.zeros(3)), (v := torch.ones(3))";

const batchSet: SampleSet = () => [
  {
    op: "batchNorm",
    samples: [
      ...[
        [4, 3],
        [2, 3, 5],
        [2, 3, 2, 3],
        [2, 3, 2, 1, 2],
      ].flatMap((shape) => [
        sample(
          [input(shape), channel, channel],
          (a, b, c) => batchNorm(a, null, null, b, c, { training: true }),
          "F.batch_norm(a, None, None, b, c, training=True)",
        ),
        sample(
          [input(shape), channel, input([3], 0.5, 2), channel],
          (a, b, c, d) => batchNorm(a, b, c, d),
          "((a.transpose(1, -1) - b) / torch.sqrt(c + 1e-5) * d).transpose(1, -1)",
        ),
      ]),
      kink(
        [input([4, 3, 2])],
        (a) => {
          const [mean, variance] = statistics(a, 3);
          const y = batchNorm(a, mean, variance, null, null, { training: true, momentum: 0.25 });
          return [y, mean.mul(1), variance.mul(1)];
        },
        `[F.batch_norm(a, ${started}, training=True, momentum=0.25), m, v]`,
      ),
      kink(
        [input([4, 3, 2])],
        (a) => {
          const [mean, variance] = statistics(a, 3);
          const momentum = zeros([]).add(0.5);
          const y = batchNorm(a, mean, variance, null, null, {
            training: true,
            momentum,
            eps: 0.01,
          });
          return [y, mean.mul(1), variance.mul(1)];
        },
        `[F.batch_norm(a, ${started}, training=True, momentum=0.5, eps=0.01), m, v]`,
      ),
      sample(
        [input([2, 4, 3])],
        (a) => batchNorm(a.transpose(1, 2), null, null, null, null, { training: true }),
        "F.batch_norm(a.transpose(1, 2), None, None, training=True)",
      ),
      kink(
        [given([3, 2], [1, 5, 1, 5, 1, 6])],
        (a) => batchNorm(a, null, null, null, null, { training: true }),
        "F.batch_norm(a, None, None, training=True)",
      ),
    ],
    bad: [
      bad(() => batchNorm(zeros([2, 3]), null, null), /^batchNorm: needs running statistics or/),
      bad(
        () => batchNorm(zeros([1, 3]), null, null, null, null, { training: true }),
        /^batchNorm: needs more than one value a channel while training, got \[1, 3\]/,
      ),
      bad(
        () => batchNorm(zeros([2, 3]), zeros([2]), zeros([2])),
        /^batchNorm: runningMean \[2\] does not fit, expected \[3\]/,
      ),
      bad(() => batchNorm(zeros([2, 3]), zeros([3]), null), /given both or neither/),
      bad(
        () => batchNorm(zeros([3]), null, null),
        /^batchNorm: expected \[B, C\] with at least 2 dims/,
      ),
      bad(() => batchNorm(ints(), null, null), /^batchNorm: needs a float tensor, got int32/),
    ],
  },
  {
    op: "instanceNorm",
    samples: [
      ...[
        [4, 3, 2],
        [2, 3, 2, 3],
        [1, 3, 2, 2, 2],
      ].map((shape) =>
        sample(
          [input(shape), channel, channel],
          (a, b, c) => instanceNorm(a, null, null, b, c),
          "F.instance_norm(a, None, None, b, c)",
        ),
      ),
      kink(
        [input([4, 3, 5])],
        (a) => {
          const [mean, variance] = statistics(a, 3);
          const y = instanceNorm(a, mean, variance, null, null, { momentum: 0.3, eps: 0.1 });
          return [y, mean.mul(1), variance.mul(1)];
        },
        `[F.instance_norm(a, ${started}, momentum=0.3, eps=0.1), m, v]`,
      ),
      sample(
        [input([4, 3, 5]), channel],
        (a, b) => {
          const [mean, variance] = statistics(a, 3);
          return instanceNorm(a, mean, variance, b, null, { useInputStats: false });
        },
        `F.instance_norm(a, ${started}, b, use_input_stats=False)`,
      ),
    ],
    bad: [
      bad(
        () => instanceNorm(zeros([2, 3])),
        /^instanceNorm: expected \[B, C, …\] with at least 3 dims/,
      ),
      bad(
        () => instanceNorm(zeros([2, 3, 1])),
        /^instanceNorm: needs more than one value an instance, got \[2, 3, 1\]/,
      ),
    ],
  },
];

const layerSet: SampleSet = () => [
  {
    op: "layerNorm",
    samples: [
      sample(
        [input([2, 3]), channel, channel],
        (a, b, c) => layerNorm(a, 3, b, c),
        "F.layer_norm(a, (3,), b, c)",
      ),
      sample(
        [input([2, 2, 3]), input([2, 3])],
        (a, b) => layerNorm(a, [2, 3], b),
        "F.layer_norm(a, (2, 3), b)",
      ),
      sample(
        [input([2, 3]), channel],
        (a, b) => layerNorm(a, 3, null, b),
        "F.layer_norm(a, (3,), None, b)",
      ),
      sample(
        [input([5])],
        (a) => layerNorm(a, [5], null, null, { eps: 0.1 }),
        "F.layer_norm(a, (5,), eps=0.1)",
      ),
      sample(
        [input([4, 2, 5])],
        (a) => layerNorm(a.transpose(0, 2), 4),
        "F.layer_norm(a.transpose(0, 2), (4,))",
      ),
      sample([input([0, 3])], (a) => layerNorm(a, 3), "F.layer_norm(a, (3,))"),
      sample([input([3, 130])], (a) => layerNorm(a, 130), "F.layer_norm(a, (130,))"),
    ],
    bad: [
      bad(
        () => layerNorm(zeros([2, 3]), 2),
        /^layerNorm: normalizedShape \[2\] is not the end of \[2, 3\]/,
      ),
      bad(
        () => layerNorm(zeros([2, 3]), 3, zeros([2])),
        /^layerNorm: weight \[2\] does not fit, expected \[3\]/,
      ),
      bad(() => layerNorm(ints(), 4), /^layerNorm: needs a float tensor, got int32/),
    ],
  },
  {
    op: "rmsNorm",
    samples: [
      sample(
        [input([2, 3]), channel],
        (a, b) => rmsNorm(a, 3, b, { eps: 1e-6 }),
        "a / torch.sqrt((a * a).mean(-1, keepdim=True) + 1e-6) * b",
      ),
      sample(
        [input([2, 2, 3])],
        (a) => rmsNorm(a, [2, 3]),
        "a / torch.sqrt((a * a).mean((1, 2), keepdim=True) + torch.finfo(a.dtype).eps)",
      ),
    ],
    bad: [
      bad(() => rmsNorm(zeros([2, 3]), []), /^rmsNorm: normalizedShape \[\] is not the end of/),
    ],
  },
  {
    op: "groupNorm",
    samples: [
      ...(
        [
          [[2, 4], 2],
          [[2, 4, 3], 4],
          [[2, 4, 2, 2], 1],
          [[3, 4, 1, 2, 2], 2],
        ] as const
      ).map(([shape, groups]) =>
        sample(
          [input(shape), input([4]), input([4])],
          (a, b, c) => groupNorm(a, groups, b, c),
          `F.group_norm(a, ${groups}, b, c)`,
        ),
      ),
      sample(
        [input([2, 6, 2])],
        (a) => groupNorm(a, 3, null, null, { eps: 1 }),
        "F.group_norm(a, 3, eps=1.0)",
      ),
    ],
    bad: [
      bad(() => groupNorm(zeros([2, 3, 2]), 2), /^groupNorm: 2 groups do not divide 3 channels/),
      bad(() => groupNorm(zeros([2]), 2), /^groupNorm: expected \[B, C\]/),
    ],
  },
];

const lengthSet: SampleSet = () => [
  {
    op: "localResponseNorm",
    samples: [
      sample([input([2, 5, 3])], (a) => localResponseNorm(a, 3), "F.local_response_norm(a, 3)"),
      sample(
        [input([2, 4, 2, 3])],
        (a) => localResponseNorm(a, 2, { alpha: 0.5, beta: 0.6, k: 2 }),
        "F.local_response_norm(a, 2, alpha=0.5, beta=0.6, k=2.0)",
      ),
      sample(
        [input([1, 3, 2, 2, 2])],
        (a) => localResponseNorm(a, 5, { alpha: 1 }),
        "F.local_response_norm(a, 5, alpha=1.0)",
      ),
    ],
    bad: [
      bad(() => localResponseNorm(zeros([2, 3]), 2), /^localResponseNorm: expected \[B, C, …\]/),
      bad(() => localResponseNorm(zeros([2, 3, 2]), 0), /size must be a whole number ≥ 1, got 0/),
    ],
  },
  {
    op: "normalize",
    samples: [
      sample([input([2, 3])], (a) => normalize(a), "F.normalize(a)"),
      sample([input([2, 3])], (a) => normalize(a, { dim: 0, p: 1 }), "F.normalize(a, dim=0, p=1)"),
      sample(
        [input([2, 3])],
        (a) => normalize(a, { p: 3, dim: -1 }),
        "F.normalize(a, p=3.0, dim=-1)",
      ),
      sample(
        [input([2, 3])],
        (a) => normalize(a, { p: Number.POSITIVE_INFINITY }),
        'F.normalize(a, p=float("inf"))',
      ),
      sample(
        [input([2, 3, 2])],
        (a) => normalize(a, { dim: [0, 2] }),
        "F.normalize(a, dim=(0, 2))",
      ),
      sample([input([2, 3])], (a) => normalize(a, { eps: 9 }), "F.normalize(a, eps=9.0)"),
      sample([input([3])], (a) => normalize(a, { dim: 0, p: 0.5 }), "F.normalize(a, dim=0, p=0.5)"),
      kink([given([2, 2], [0, 0, 3, 4])], (a) => normalize(a), "F.normalize(a)"),
      sample([input([2, 3])], (a) => normalize(a, { p: 0 }), "F.normalize(a, p=0.0)"),
    ],
    bad: [
      bad(() => normalize(zeros([2])), /^normalize: dim 1 is out of range/),
      bad(() => normalize(zeros([2, 2]), { p: -1 }), /^normalize: p must be ≥ 0, got -1/),
      bad(() => normalize(ints()), /^normalize: needs a float tensor, got int32/),
    ],
  },
];

export const normSamples: SampleSet = () => [...batchSet(), ...layerSet(), ...lengthSet()];
