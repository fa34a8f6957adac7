/** What the named products and einsum are tried on. */
import type { Shape } from "../core/shape.js";
import { zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  kink,
  type Sample,
  type SampleSet,
  sample,
  typed,
} from "../tensor/defineOp.js";
import { einsum, tensordot } from "./einsum.js";
import { addmm, baddbmm, bilinear, bmm, dot, inner, kron, mm, mv, outer } from "./products.js";

const pair = (
  fn: (a: never, b: never) => unknown,
  torch: string,
  shapes: readonly (readonly [Shape, Shape])[],
): Sample[] => {
  const call = fn as Sample["call"];
  return shapes.flatMap(([x, y], i) => [
    sample([input(x), input(y)], call, torch),
    ...(i === 0 ? [sample([typed("int32", x, -9), typed("int32", y, -9)], call, torch)] : []),
  ]);
};

const matrixSet: SampleSet = () => [
  {
    op: "mm",
    samples: [
      ...pair(mm, "torch.mm(a, b)", [
        [
          [2, 3],
          [3, 4],
        ],
        [
          [1, 1],
          [1, 1],
        ],
        [
          [2, 0],
          [0, 3],
        ],
      ]),
      sample([input([3, 2]), input([4, 3])], (a, b) => a.t().mm(b.t()), "a.t().mm(b.t())"),
      sample([typed("uint8", [2, 2], 9), typed("uint8", [2, 2], 9, 99)], mm, "torch.mm(a, b)"),
    ],
    bad: [
      bad(
        () => mm(zeros([2, 3]), zeros([2, 3])),
        /^mm: expected \[i, j\] × \[j, k\], got \[2, 3\] × \[2, 3\]/,
      ),
      bad(() => mm(zeros([2, 1]), zeros([2, 3])), /^mm: expected/),
      bad(
        () => mm(zeros([2, 2], { dtype: "bool" }), zeros([2, 2], { dtype: "bool" })),
        /^mm: needs numbers, got bool/,
      ),
    ],
  },
  {
    op: "bmm",
    samples: pair(bmm, "torch.bmm(a, b)", [
      [
        [2, 2, 3],
        [2, 3, 4],
      ],
      [
        [0, 2, 3],
        [0, 3, 1],
      ],
    ]),
    bad: [
      bad(
        () => bmm(zeros([1, 2, 3]), zeros([2, 3, 2])),
        /^bmm: expected \[b, i, j\] × \[b, j, k\]/,
      ),
    ],
  },
  {
    op: "mv",
    samples: pair(mv, "torch.mv(a, b)", [
      [[2, 3], [3]],
      [[2, 0], [0]],
    ]),
    bad: [bad(() => mv(zeros([3]), zeros([3])), /^mv: expected \[i, j\] × \[j\]/)],
  },
  {
    op: "dot",
    samples: pair(dot, "torch.dot(a, b)", [
      [[3], [3]],
      [[0], [0]],
    ]),
    bad: [
      bad(() => dot(zeros([3]), zeros([1])), /^dot: expected \[i\] × \[i\], got \[3\] × \[1\]/),
    ],
  },
  {
    op: "outer",
    samples: pair(outer, "torch.outer(a, b)", [
      [[3], [2]],
      [[0], [2]],
    ]),
    bad: [bad(() => outer(zeros([3, 1]), zeros([1])), /^outer: expected \[i\] × \[j\]/)],
  },
  {
    op: "inner",
    samples: pair(inner, "torch.inner(a, b)", [
      [[3], [3]],
      [
        [2, 3],
        [4, 3],
      ],
      [[2, 2, 3], [3]],
      [[], [2, 2]],
    ]),
    bad: [bad(() => inner(zeros([3]), zeros([2])), /^inner: last sizes differ: \[3\] and \[2\]/)],
  },
  {
    op: "kron",
    samples: pair(kron, "torch.kron(a, b)", [
      [
        [2, 2],
        [2, 3],
      ],
      [[2], [3, 2]],
      [[2, 1, 2], [2]],
      [[], [2]],
    ]),
    bad: [
      bad(
        () => kron(zeros([1], { dtype: "bool" }), zeros([1], { dtype: "bool" })),
        /^kron: needs numbers/,
      ),
    ],
  },
];

const nan = Number.NaN;

const addedSet: SampleSet = () => [
  {
    op: "addmm",
    samples: [
      sample(
        [input([2, 4]), input([2, 3]), input([3, 4])],
        (a, b, c) => addmm(a, b, c),
        "torch.addmm(a, b, c)",
      ),
      sample(
        [input([4]), input([2, 3]), input([3, 4])],
        (a, b, c) => a.addmm(b, c, { beta: 0.5, alpha: -2 }),
        "torch.addmm(a, b, c, beta=0.5, alpha=-2)",
      ),
      kink(
        [given([1], [nan]), input([2, 3]), input([3, 4])],
        (a, b, c) => addmm(a, b, c, { beta: 0 }),
        "torch.addmm(a, b, c, beta=0)",
      ),
      sample(
        [typed("int32", [2, 2]), typed("int32", [2, 2]), typed("int32", [2, 2])],
        (a, b, c) => addmm(a, b, c, { alpha: 3 }),
        "torch.addmm(a, b, c, alpha=3)",
      ),
    ],
    bad: [
      bad(
        () => addmm(zeros([3]), zeros([2, 2]), zeros([2, 2])),
        /^addmm: \[3\] \+ \[2, 2\] × \[2, 2\] do not fit/,
      ),
      bad(() => {
        const x = zeros([2, 2], { dtype: "int32" });
        return addmm(x, x, x, { beta: 0.5 });
      }, /^addmm: alpha and beta must be whole/),
    ],
  },
  {
    op: "baddbmm",
    samples: [
      sample(
        [input([2, 2, 2]), input([2, 2, 3]), input([2, 3, 2])],
        (a, b, c) => baddbmm(a, b, c),
        "torch.baddbmm(a, b, c)",
      ),
      sample(
        [input([2, 1]), input([2, 2, 3]), input([2, 3, 2])],
        (a, b, c) => baddbmm(a, b, c, { beta: 2, alpha: 0.5 }),
        "torch.baddbmm(a, b, c, beta=2, alpha=0.5)",
      ),
    ],
    bad: [bad(() => baddbmm(zeros([1]), zeros([2, 2]), zeros([2, 2])), /^baddbmm: .* do not fit/)],
  },
  {
    op: "bilinear",
    samples: [
      sample(
        [input([5, 2]), input([5, 3]), input([4, 2, 3]), input([4])],
        (a, b, c, d) => bilinear(a, b, c, d),
        "F.bilinear(a, b, c, d)",
      ),
      sample(
        [input([2, 2, 2]), input([2, 2, 3]), input([1, 2, 3])],
        (a, b, c) => bilinear(a, b, c),
        "F.bilinear(a, b, c)",
      ),
      sample(
        [input([2]), input([3]), input([4, 2, 3])],
        (a, b, c) => bilinear(a, b, c),
        "F.bilinear(a, b, c)",
      ),
    ],
    bad: [
      bad(
        () => bilinear(zeros([5, 2]), zeros([4, 3]), zeros([4, 2, 3])),
        /^bilinear: inputs \[5, 2\] and \[4, 3\] do not fit weight \[4, 2, 3\]/,
      ),
    ],
  },
];

const equations: readonly (readonly [string, ...Shape[]])[] = [
  ["ij,jk->ik", [2, 3], [3, 4]],
  ["ij,jk", [2, 3], [3, 4]],
  ["ba,b", [2, 3], [2]],
  ["ii", [3, 3]],
  ["ii->i", [3, 3]],
  ["iji->j", [2, 3, 2]],
  ["iij,jk->ki", [2, 2, 3], [3, 2]],
  ["ij->", [2, 3]],
  ["ij->ji", [2, 3]],
  ["i,j", [2], [3]],
  ["i,i->i", [3], [3]],
  ["bij,bjk->bik", [2, 2, 3], [2, 3, 2]],
  ["bij,bjk->ibk", [2, 2, 3], [2, 3, 2]],
  ["bhqd,bhkd->bhqk", [2, 2, 3, 2], [2, 2, 4, 2]],
  ["...ij,...jk->...ik", [2, 1, 2, 3], [3, 3, 2]],
  ["...i,...i", [2, 3], [3]],
  ["i...,i->...", [3, 2, 2], [3]],
  ["...ij->...", [2, 3, 2]],
  ["ij,kj->ik", [2, 1], [3, 4]],
  ["ij,ij->ij", [2, 1], [1, 3]],
  ["ij,jk,kl->il", [2, 3], [3, 2], [2, 4]],
  ["a,b,c->cab", [2], [3], [2]],
  ["ij,k,jl->kl", [2, 3], [2], [3, 2]],
  [" i j , j k -> i k ", [2, 3], [3, 2]],
  ["Ab,bC", [2, 3], [3, 2]],
  [",i->i", [], [3]],
  ["ij,jk->ik", [0, 3], [3, 2]],
];

const spell = (equation: string, count: number) =>
  `torch.einsum("${equation}", ${"abc".slice(0, count).split("").join(", ")})`;

const einsumSet: SampleSet = () => [
  {
    op: "einsum",
    samples: [
      ...equations.map(([equation, ...shapes]) =>
        sample(
          shapes.map((shape) => input(shape)),
          (...xs) => einsum(equation, ...xs),
          spell(equation, shapes.length),
        ),
      ),
      sample(
        [typed("int32", [2, 3]), typed("int32", [3, 2])],
        (a, b) => einsum("ij,jk->ki", a, b),
        spell("ij,jk->ki", 2),
      ),
    ],
    bad: [
      bad(() => einsum("ij", zeros([2])), /^einsum: "ij" in "ij" does not name the dims of \[2\]/),
      bad(() => einsum("i,j", zeros([2])), /^einsum: "i,j" is for 2 operand\(s\), got 1/),
      bad(() => einsum("i->k", zeros([2])), /^einsum: "k" in "i->k" must name dims/),
      bad(() => einsum("i->ii", zeros([2])), /must name dims of the operands, each once/),
      bad(
        () => einsum("i,i", zeros([2]), zeros([3])),
        /^einsum: sizes differ: \[2\] × \[3\] have 2 and 3/,
      ),
      bad(() => einsum("i1", zeros([2, 2])), /does not name the dims/),
    ],
  },
  {
    op: "tensordot",
    samples: [
      sample(
        [input([2, 3, 4]), input([3, 4, 5])],
        (a, b) => tensordot(a, b),
        "torch.tensordot(a, b)",
      ),
      sample(
        [input([2, 3]), input([3, 2])],
        (a, b) => tensordot(a, b, 1),
        "torch.tensordot(a, b, dims=1)",
      ),
      sample(
        [input([2]), input([3])],
        (a, b) => tensordot(a, b, 0),
        "torch.tensordot(a, b, dims=0)",
      ),
      sample(
        [input([2, 3, 4]), input([4, 5, 2])],
        (a, b) =>
          tensordot(a, b, [
            [0, -1],
            [2, 0],
          ]),
        "torch.tensordot(a, b, dims=([0, -1], [2, 0]))",
      ),
    ],
    bad: [
      bad(
        () => tensordot(zeros([2, 3]), zeros([2, 3]), 1),
        /^tensordot: \[2, 3\] and \[2, 3\] do not pair/,
      ),
      bad(
        () => tensordot(zeros([2]), zeros([2]), 2),
        /^tensordot: dims must be from 0 to 1 or two lists, got 2/,
      ),
    ],
  },
];

export const productSamples: SampleSet = () => [...matrixSet(), ...addedSet(), ...einsumSet()];
