/** Samples of the ops in repeat.ts and parting.ts. */
import { tensor, zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  type OpSamples,
  type SampleSet,
  sample,
  typed,
} from "../tensor/defineOp.js";
import {
  atLeast1d,
  atLeast2d,
  broadcastTensors,
  broadcastTo,
  chunk,
  movedim,
  split,
  swapaxes,
  tensorSplit,
  unbind,
  unflatten,
} from "./parting.js";
import { repeat, repeatInterleave, roll, rot90, tile } from "./repeat.js";

const repeatSets = (): OpSamples[] => [
  {
    op: "repeat",
    samples: [
      sample([input([2, 3])], (a) => a.repeat([2, 1]), "a.repeat(2, 1)"),
      sample([input([2, 3])], (a) => a.t().repeat([2, 3, 2]), "a.t().repeat(2, 3, 2)"),
      sample([input([])], (a) => a.repeat([3]), "a.repeat(3)"),
      sample([input([2])], (a) => repeat(a, [0, 2]), "a.repeat(0, 2)"),
      sample([typed("int32", [2])], (a) => a.repeat([3]), "a.repeat(3)"),
    ],
    bad: [
      bad(() => repeat(zeros([2, 3]), [2]), /^repeat: needs a number for each dim of \[2, 3\]/),
      bad(() => repeat(zeros([2]), [-1]), /^repeat: sizes must be whole numbers ≥ 0/),
    ],
  },
  {
    op: "tile",
    samples: [
      sample([input([2, 3])], (a) => a.tile([2]), "a.tile(2)"),
      sample([input([2, 3])], (a) => a.t().tile([2, 2]), "a.t().tile(2, 2)"),
      sample([input([3])], (a) => tile(a, [2, 1]), "a.tile(2, 1)"),
      sample([input([2])], (a) => tile(a, []), "a.tile(())"),
    ],
    bad: [bad(() => tile(zeros([2]), [1.5]), /^tile: sizes must be whole numbers/)],
  },
  {
    op: "repeatInterleave",
    samples: [
      sample([input([2, 3])], (a) => a.repeatInterleave(2), "a.repeat_interleave(2)"),
      sample([input([2, 3])], (a) => a.repeatInterleave(3, 1), "a.repeat_interleave(3, 1)"),
      sample(
        [input([2, 3])],
        (a) => a.t().repeatInterleave(2, -2),
        "a.t().repeat_interleave(2, -2)",
      ),
      sample([input([])], (a) => a.repeatInterleave(2), "a.repeat_interleave(2)"),
      sample([input([3])], (a) => repeatInterleave(a, 0), "a.repeat_interleave(0)"),
    ],
    bad: [
      bad(() => repeatInterleave(zeros([2]), -1), /^repeatInterleave: repeats must be a whole/),
      bad(() => repeatInterleave(zeros([2]), 1, 1), /^repeatInterleave: dim 1 is out of range/),
      bad(
        () => repeatInterleave(zeros([3]), tensor([1, 2], { dtype: "int32" })),
        /^repeatInterleave: expected 1 or 3 repeats, one for each element, got \[2\]/,
      ),
    ],
  },
];

/** With values deciding the shape. */
const countedSet = (): OpSamples => ({
  op: "repeatInterleave by a tensor",
  eagerOnly: "the repeats decide the shape",
  samples: [
    sample(
      [input([3, 2]), given([3], [1, 0, 3], "int32")],
      (a, n) => a.repeatInterleave(n, 0),
      "a.repeat_interleave(b, 0)",
    ),
    sample(
      [input([2, 2]), given([4], [1, 0, 3, 2], "uint8")],
      (a, n) => a.t().repeatInterleave(n),
      "a.t().repeat_interleave(b.long())",
    ),
    sample(
      [input([2, 2]), given([1], [2], "int32")],
      (a, n) => a.repeatInterleave(n, 1),
      "a.repeat_interleave(b, 1)",
    ),
  ],
});

const turnSets = (): OpSamples[] => [
  {
    op: "roll",
    samples: [
      sample([input([2, 3])], (a) => a.roll(1), "a.roll(1)"),
      sample([input([2, 3])], (a) => a.roll(-4), "a.roll(-4)"),
      sample([input([4, 3])], (a) => a.roll(1, 0), "a.roll(1, 0)"),
      sample([input([4, 3])], (a) => a.t().roll([2, -1], [0, 1]), "a.t().roll((2, -1), (0, 1))"),
      sample([input([4, 3])], (a) => a.roll([2, 7], [0, 0]), "a.roll((2, 7), (0, 0))"),
      sample([input([])], (a) => roll(a, 1), "a.roll(1)"),
      sample([input([0, 3])], (a) => roll(a, 2, 0), "a.roll(2, 0)"),
      sample([input([3])], (a) => roll(a, 3, -1).mul(2), "a.roll(3, -1) * 2"),
    ],
    bad: [
      bad(() => roll(zeros([2]), [1, 2], 0), /^roll: 2 shifts do not fit 1 dims/),
      bad(() => roll(zeros([2]), 0.5), /^roll: shifts must be whole numbers/),
      bad(() => roll(zeros([2]), 1, 1), /^roll: dim 1 is out of range/),
    ],
  },
  {
    op: "rot90",
    samples: [
      ...[0, 1, 2, 3, -1, 6].map((k) =>
        sample([input([2, 3])], (a) => a.rot90(k), `a.rot90(${k}, (0, 1))`),
      ),
      sample([input([2, 3, 4])], (a) => a.rot90(1, [1, -1]), "a.rot90(1, (1, -1))"),
      sample([input([2, 3, 4])], (a) => rot90(a, 3, [2, 0]), "a.rot90(3, (2, 0))"),
    ],
    bad: [
      bad(() => rot90(zeros([2, 2]), 1, [0, -2]), /^rot90: needs two different dims/),
      bad(() => rot90(zeros([2])), /^rot90: dim 1 is out of range/),
    ],
  },
];

const splitSets = (): OpSamples[] => [
  {
    op: "split",
    samples: [
      sample([input([5, 2])], (a) => a.split(2), "a.split(2)"),
      sample([input([5, 2])], (a) => a.t().split(3, 1), "a.t().split(3, 1)"),
      sample([input([5, 2])], (a) => a.split([1, 0, 4]), "a.split([1, 0, 4])"),
      sample([input([2, 5])], (a) => split(a, [3, 2], -1), "a.split([3, 2], -1)"),
      sample([input([0, 2])], (a) => split(a, 3), "a.split(3)"),
      sample([input([3])], (a) => split(a, 9), "a.split(9)"),
    ],
    bad: [
      bad(
        () => split(zeros([5]), [2, 2]),
        /^split: sizes \[2, 2\] do not add up to size 5 at dim 0/,
      ),
      bad(() => split(zeros([5]), 0), /^split: parts of 0 places/),
      bad(() => split(zeros([]), 1), /^split: needs at least one dim/),
    ],
  },
  {
    op: "chunk",
    samples: [
      ...[1, 3, 4, 7, 9].map((n) => sample([input([7])], (a) => a.chunk(n), `a.chunk(${n})`)),
      sample([input([2, 6])], (a) => chunk(a, 4, 1), "a.chunk(4, 1)"),
      sample([input([0, 2])], (a) => chunk(a, 3), "a.chunk(3)"),
    ],
    bad: [
      bad(
        () => chunk(zeros([5]), 0),
        /^chunk: chunks must be a whole number from 1 to 65536, got 0/,
      ),
    ],
  },
  {
    op: "tensorSplit",
    samples: [
      ...[1, 3, 9].map((n) =>
        sample([input([7])], (a) => a.tensorSplit(n), `a.tensor_split(${n})`),
      ),
      sample([input([7])], (a) => a.tensorSplit([2, 9, -1, 3]), "a.tensor_split((2, 9, -1, 3))"),
      sample([input([2, 7])], (a) => tensorSplit(a, [1, 3], 1), "a.tensor_split((1, 3), 1)"),
    ],
    bad: [bad(() => tensorSplit(zeros([5]), 0), /^tensorSplit: expected a whole number from 1/)],
  },
  {
    op: "unbind",
    samples: [
      sample([input([3, 2])], (a) => a.unbind(), "a.unbind()"),
      sample([input([3, 2])], (a) => a.unbind(-1), "a.unbind(-1)"),
      sample([input([2])], (a) => unbind(a), "a.unbind()"),
    ],
    bad: [bad(() => unbind(zeros([2]), 1), /^unbind: dim 1 is out of range/)],
  },
];

const dimSets = (): OpSamples[] => [
  {
    op: "unflatten",
    samples: [
      sample([input([2, 6])], (a) => a.unflatten(1, [3, 2]), "a.unflatten(1, (3, 2))"),
      sample([input([2, 6])], (a) => a.t().unflatten(-2, [2, -1]), "a.t().unflatten(-2, (2, -1))"),
      sample([input([6])], (a) => unflatten(a, 0, [1, 6]), "a.unflatten(0, (1, 6))"),
    ],
    bad: [
      bad(() => unflatten(zeros([6]), 0, [4, 2]), /^unflatten: \[4, 2\] has 8 elements/),
      bad(() => unflatten(zeros([6]), 0, []), /^unflatten: needs at least one size/),
    ],
  },
  {
    op: "movedim",
    samples: [
      sample([input([2, 3, 4])], (a) => a.movedim(0, -1), "a.movedim(0, -1)"),
      sample([input([2, 3, 4])], (a) => a.movedim([0, 1], [-1, 0]), "a.movedim((0, 1), (-1, 0))"),
      sample([input([2, 3, 4])], (a) => movedim(a, 1, 1), "a.movedim(1, 1)"),
    ],
    bad: [
      bad(
        () => movedim(zeros([2, 3]), [0, 1], 0),
        /^movedim: source \[0, 1\] and destination \[0\]/,
      ),
      bad(() => movedim(zeros([2, 3]), 2, 0), /^movedim: dim 2 is out of range/),
    ],
  },
  {
    op: "swapaxes",
    samples: [sample([input([2, 3, 4])], (a) => a.swapaxes(0, -1), "a.swapaxes(0, -1)")],
    bad: [bad(() => swapaxes(zeros([2]), 0, 1), /dim 1 is out of range/)],
  },
  {
    op: "broadcastTo",
    samples: [
      sample([input([3, 1])], (a) => a.broadcastTo([2, 3, 2]), "a.broadcast_to((2, 3, 2))"),
      sample([input([])], (a) => broadcastTo(a, [2]).mul(3), "a.broadcast_to((2,)) * 3"),
    ],
    bad: [bad(() => broadcastTo(zeros([2]), [3]), /\[2\].*\[3\]/)],
  },
  {
    op: "broadcastTensors",
    samples: [
      sample(
        [input([2, 1]), input([3]), input([])],
        (a, b, c) => broadcastTensors(a, b, c),
        "torch.broadcast_tensors(a, b, c)",
      ),
    ],
    bad: [
      bad(() => broadcastTensors(zeros([2]), zeros([3])), /^broadcastTensors: .*do not broadcast/),
    ],
  },
  {
    op: "atLeast1d",
    samples: [
      sample([input([])], (a) => atLeast1d(a), "torch.atleast_1d(a)"),
      sample([input([2])], (a) => atLeast1d(a).mul(2), "torch.atleast_1d(a) * 2"),
    ],
  },
  {
    op: "atLeast2d",
    samples: [
      sample([input([])], (a) => atLeast2d(a), "torch.atleast_2d(a)"),
      sample([input([2])], (a) => atLeast2d(a), "torch.atleast_2d(a)"),
      sample([input([2, 1, 2])], (a) => atLeast2d(a).mul(2), "torch.atleast_2d(a) * 2"),
    ],
  },
];

export const shapeSamples: SampleSet = () => [
  ...repeatSets(),
  ...turnSets(),
  ...splitSets(),
  ...dimSets(),
];

export const countedSamples: SampleSet = () => [countedSet()];
