/** The samples of tensor/create.ts and tensor/distributions.ts, which have no tensors as inputs. */
import * as create from "../tensor/create.js";
import { bad, input, type SampleSet, sample, typed, unlike } from "../tensor/defineOp.js";
import { normal, randint, randintLike, truncNormal, uniform } from "../tensor/distributions.js";
import { Generator, randLike, randnLike } from "../tensor/random.js";

const ownBits = "its random bits are its own; distributions.test.ts checks their distribution";
const seeded = () => ({ generator: new Generator(11) });

const valueSamples: SampleSet = () => [
  {
    op: "linspace",
    samples: [
      ...[5, 1, 2, 0, 10].map((n) =>
        sample([], () => create.linspace(-1, 2.5, n), `torch.linspace(-1, 2.5, ${n})`),
      ),
      sample([], () => create.linspace(3, 3, 4), "torch.linspace(3, 3, 4)"),
      sample([], () => create.linspace(5, -5, 11), "torch.linspace(5, -5, 11)"),
      sample(
        [],
        () => create.linspace(0, 1, 7, { dtype: "float64" }),
        "torch.linspace(0, 1, 7, dtype=torch.float64)",
      ),
      sample(
        [],
        () => create.linspace(0, 10, 6, { dtype: "int32" }),
        "torch.linspace(0, 10, 6, dtype=torch.int64)",
      ),
    ],
    bad: [
      bad(() => create.linspace(0, 1, -1), /^linspace: sizes must be whole numbers/),
      bad(() => create.linspace(0, Number.NaN, 2), /^linspace: start and end must be finite/),
    ],
  },
  {
    op: "logspace",
    samples: [
      sample([], () => create.logspace(-1, 2, 4), "torch.logspace(-1, 2, 4)"),
      sample([], () => create.logspace(0, 3, 5, { base: 2 }), "torch.logspace(0, 3, 5, base=2)"),
    ],
  },
  {
    op: "emptyLike",
    samples: [
      sample([typed("int32", [2, 3])], (a) => create.emptyLike(a), "torch.empty_like(a).zero_()"),
      sample([], () => create.empty([2, 0]), "torch.empty(2, 0)"),
    ],
  },
];

const drawSamples: SampleSet = () => [
  {
    op: "randint",
    samples: [
      unlike([], () => randint(10, [4, 3], seeded()), ownBits),
      unlike([], () => randint(-5, 5, [7], { ...seeded(), dtype: "float64" }), ownBits),
      sample([], () => randint(3, 4, [2, 2]), "torch.randint(3, 4, (2, 2))"),
      sample([input([3])], (a) => randintLike(a.detach(), 1, 2), "torch.randint_like(a, 1, 2)"),
    ],
    bad: [
      bad(() => randint(0, [2]), /^randint: expected whole numbers low < high .* got 0 and 0/),
      bad(() => randint(-1, 5, [2], { dtype: "uint8" }), /^randint: expected whole numbers/),
      bad(() => randint(5, [-1]), /^randint: sizes must be whole numbers/),
    ],
  },
  {
    op: "randLike",
    samples: [
      unlike([typed("float64", [2, 3])], (a) => randLike(a, seeded()), ownBits),
      unlike([input([2, 3])], (a) => randnLike(a, seeded()), ownBits),
    ],
    bad: [bad(() => randLike(create.zeros([2], { dtype: "int32" })), /^rand: needs a float dtype/)],
    noGradient: "a draw has no gradient",
  },
  {
    op: "normal",
    samples: [
      unlike([input([2, 1]), input([3], 0.5, 1)], (a, b) => normal(a, b, seeded()), ownBits),
      unlike([input([3])], (a) => normal(2, a.abs(), seeded()), ownBits),
      unlike([], () => normal(1, 2, { ...seeded(), shape: [5] }), ownBits),
      sample([input([3])], (a) => normal(a, 0), "torch.normal(a.detach(), 0.0)"),
    ],
    bad: [
      bad(() => normal(0, 1), /^normal: give a shape with two numbers, and only then/),
      bad(() => normal(0, -1, { shape: [2] }), /^normal: std must be ≥ 0, got -1/),
    ],
    noGradient: "a draw has no gradient",
  },
  {
    op: "uniform",
    samples: [unlike([], () => uniform([3, 4], -1, 2, seeded()), ownBits)],
    bad: [bad(() => uniform([2], 1, 0), /^uniform: expected finite low ≤ high, got 1 and 0/)],
  },
  {
    op: "truncNormal",
    samples: [
      unlike([], () => truncNormal([3, 20], seeded()), ownBits),
      unlike(
        [],
        () =>
          truncNormal([9], { ...seeded(), mean: 1, std: 0.1, a: 0.9, b: 1.5, dtype: "float64" }),
        ownBits,
      ),
    ],
    bad: [bad(() => truncNormal([2], { a: 1, b: 1 }), /^truncNormal: expected a < b and std > 0/)],
  },
];

export const createSamples: SampleSet = () => [...valueSamples(), ...drawSamples()];
