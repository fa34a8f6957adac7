/** The samples of activation.ts. */
import { zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  kink,
  type OpSamples,
  type SampleSet,
  sample,
} from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import * as activation from "./activation.js";
import { unarySamples } from "./elementary.js";

type Call = (x: Tensor) => Tensor;

const infinity = Number.POSITIVE_INFINITY;
/** Where activations have kinks, and far from 0. */
const points = [0, -0, 1, -1, 0.5, -0.5, 3, -3, 6, 20, -20, 100, -100, 1000];
const without = (...left: number[]) => points.filter((x) => !left.includes(x));

interface Row {
  readonly op: string;
  readonly call: Call;
  /** In PyTorch, with x as `@`. */
  readonly torch: string;
  /** Other settings, and their spelling. */
  readonly others?: readonly (readonly [Call, string])[];
  readonly special?: readonly number[];
}

const plainRows: readonly Row[] = (
  [
    ["selu", activation.selu, "selu"],
    ["silu", activation.silu, "silu"],
    ["mish", activation.mish, "mish"],
    ["softsign", activation.softsign, "softsign"],
    ["relu6", activation.relu6, "relu6"],
    ["hardswish", activation.hardswish, "hardswish"],
    ["hardsigmoid", activation.hardsigmoid, "hardsigmoid"],
    ["logSigmoid", activation.logSigmoid, "logsigmoid"],
    ["tanhshrink", activation.tanhshrink, "tanhshrink"],
  ] as const
).map(([op, call, torch]) => ({ op, call, torch: `F.${torch}(@)` }));

const rows: readonly Row[] = [
  ...plainRows,
  {
    op: "leakyRelu",
    call: (x) => activation.leakyRelu(x),
    torch: "F.leaky_relu(@)",
    others: [[(x) => activation.leakyRelu(x, { negativeSlope: 0.2 }), "F.leaky_relu(a, 0.2)"]],
    special: [...points, infinity, -infinity],
  },
  {
    op: "elu",
    call: (x) => activation.elu(x),
    torch: "F.elu(@)",
    others: [[(x) => activation.elu(x, { alpha: 0.5 }), "F.elu(a, 0.5)"]],
    special: [...points, infinity, -infinity],
  },
  {
    op: "celu",
    call: (x) => activation.celu(x),
    torch: "F.celu(@)",
    others: [[(x) => activation.celu(x, { alpha: 0.5 }), "F.celu(a, 0.5)"]],
    special: [...points, infinity, -infinity],
  },
  {
    op: "gelu",
    call: (x) => activation.gelu(x),
    torch: "F.gelu(@)",
    others: [[(x) => activation.gelu(x, { approximate: "tanh" }), 'F.gelu(a, approximate="tanh")']],
  },
  {
    op: "softplus",
    call: (x) => activation.softplus(x),
    torch: "F.softplus(@)",
    others: [
      [(x) => activation.softplus(x, { beta: 2 }), "F.softplus(a, 2)"],
      [(x) => activation.softplus(x, { beta: 0.5, threshold: 0.2 }), "F.softplus(a, 0.5, 0.2)"],
    ],
    special: [...points, infinity, -infinity],
  },
  {
    op: "hardtanh",
    call: (x) => activation.hardtanh(x),
    torch: "F.hardtanh(@)",
    others: [
      [(x) => activation.hardtanh(x, { minVal: -0.5, maxVal: 3 }), "F.hardtanh(a, -0.5, 3.0)"],
    ],
    special: [...points, infinity, -infinity],
  },
  {
    op: "softshrink",
    call: (x) => activation.softshrink(x),
    torch: "F.softshrink(@)",
    others: [[(x) => activation.softshrink(x, { lambd: 1 }), "F.softshrink(a, 1.0)"]],
    special: [...points, infinity, -infinity],
  },
  {
    op: "hardshrink",
    call: (x) => activation.hardshrink(x),
    torch: "F.hardshrink(@)",
    others: [[(x) => x.hardshrink({ lambd: 1 }), "F.hardshrink(a, 1.0)"]],
    special: [...points, infinity, -infinity],
  },
  {
    op: "threshold",
    call: (x) => activation.threshold(x, 0.1, 20),
    torch: "F.threshold(@, 0.1, 20)",
    others: [[(x) => activation.threshold(x, 0.5, -1), "F.threshold(a, 0.5, -1)"]],
    special: without(1000),
  },
];

const settings: Readonly<Record<string, OpSamples["bad"]>> = {
  celu: [bad(() => activation.celu(zeros([1]), { alpha: 0 }), /^celu: alpha must not be 0/)],
  gelu: [
    bad(
      () => activation.gelu(zeros([1]), { approximate: "erf" as "tanh" }),
      /^gelu: approximate must be "none" or "tanh", got erf/,
    ),
  ],
  softplus: [
    bad(() => activation.softplus(zeros([1]), { beta: 0 }), /^softplus: beta must not be 0/),
  ],
  hardtanh: [
    bad(
      () => activation.hardtanh(zeros([1]), { minVal: 2, maxVal: 1 }),
      /^hardtanh: minVal must be ≤ maxVal, got 2 and 1/,
    ),
  ],
  softshrink: [
    bad(
      () => activation.softshrink(zeros([1]), { lambd: -1 }),
      /^softshrink: lambd must be ≥ 0, got -1/,
    ),
  ],
};

export const activationSamples: SampleSet = () =>
  rows.map(({ op, call, torch, others = [], special = points }) => ({
    op,
    samples: [
      ...unarySamples(call, (x) => torch.replace("@", x), [-4, 4], special),
      ...others.flatMap(([fn, text]) => [
        sample([input([3, 4], -4, 4)], fn, text),
        kink([given([special.length], special)], fn, text),
      ]),
    ],
    bad: [
      ...(op === "threshold"
        ? []
        : [
            bad(
              () => call(zeros([2], { dtype: "int32" })),
              new RegExp(`^${op}: needs a float tensor, got int32`),
            ),
          ]),
      ...(settings[op] ?? []),
    ],
  }));
