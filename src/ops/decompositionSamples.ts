/** What decompositions are tried on. Signs that may be either are squared away. */
import { eye, zeros } from "../tensor/create.js";
import { bad, given, input, kink, type SampleSet, sample, typed } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import {
  cholesky,
  det,
  eigh,
  inverse,
  matrixPower,
  qr,
  slogdet,
  solve,
  svd,
  trace,
} from "./decomposition.js";
import { lstsq, matrixRank, pinverse } from "./pseudoinverse.js";

const square = input([3, 3]);
const batch = input([2, 3, 3]);

/** A·Aᵀ + I: symmetric and positive definite, however A is moved. */
const definite = (x: Tensor): Tensor =>
  x.matmul(x.transpose(-1, -2)).add(eye(x.shape.at(-2)!, { dtype: x.dtype }));
const definiteText = "a @ a.transpose(-1, -2) + torch.eye(a.shape[-2], dtype=a.dtype)";

const notSquare = (op: string, fn: (x: Tensor) => unknown) =>
  bad(() => fn(zeros([2, 3])), new RegExp(`^${op}: needs square matrices, got \\[2, 3\\]`));
const notFloat = (op: string, fn: (x: Tensor) => unknown) =>
  bad(
    () => fn(zeros([2, 2], { dtype: "int32" })),
    new RegExp(`^${op}: needs a float tensor, got int32`),
  );

const parts = ({ U, S, Vh }: ReturnType<typeof svd>): Tensor[] => [U.square(), S, Vh.square()];

const determinantSet: SampleSet = () => [
  {
    op: "trace",
    samples: [
      sample([square], trace, "torch.trace(a)"),
      sample([input([2, 4])], (a) => a.trace(), "torch.trace(a)"),
      sample([typed("int32", [3, 3])], trace, "torch.trace(a)"),
      sample([typed("uint8", [2, 2])], trace, "torch.trace(a)"),
      sample([input([0, 2])], trace, "torch.trace(a)"),
    ],
    bad: [bad(() => trace(zeros([2])), /^trace: needs a matrix, got \[2\]/)],
  },
  {
    op: "det",
    samples: [
      sample([square], det, "torch.det(a)"),
      sample(
        [batch],
        (a) => a.transpose(0, 2).at("::2", "1:", "...").reshape([2, 2, 2]).det(),
        "torch.det(a.transpose(0, 2)[::2, 1:, ...].reshape(2, 2, 2))",
      ),
      sample([input([1, 1])], det, "torch.det(a)"),
      sample([input([0, 2, 2])], det, "torch.det(a)"),
    ],
    bad: [notSquare("det", det), notFloat("det", det)],
  },
  {
    op: "slogdet",
    samples: [
      sample([square], (a) => Object.values(slogdet(a)), "list(torch.slogdet(a))"),
      sample([batch], (a) => Object.values(slogdet(a)), "list(torch.slogdet(a))"),
    ],
    bad: [notSquare("slogdet", slogdet)],
  },
];

const solveSet: SampleSet = () => [
  {
    op: "inverse",
    samples: [
      sample([square], (a) => inverse(definite(a)), `torch.inverse(${definiteText})`),
      sample([batch], inverse, "torch.inverse(a)"),
    ],
    bad: [notSquare("inverse", inverse)],
  },
  {
    op: "solve",
    samples: [
      sample(
        [square, input([3, 2])],
        (a, b) => solve(definite(a), b),
        `torch.linalg.solve(${definiteText}, b)`,
      ),
      sample(
        [square, input([3])],
        (a, b) => solve(definite(a), b),
        `torch.linalg.solve(${definiteText}, b)`,
      ),
      sample(
        [batch, input([2, 3])],
        (a, b) => solve(definite(a), b),
        `torch.linalg.solve(${definiteText}, b)`,
      ),
      sample(
        [batch, input([3, 2])],
        (a, b) => solve(definite(a), b),
        `torch.linalg.solve(${definiteText}, b)`,
      ),
      sample(
        [square, input([2, 3, 1])],
        (a, b) => solve(definite(a), b),
        `torch.linalg.solve(${definiteText}, b)`,
      ),
    ],
    bad: [
      notSquare("solve", (x) => solve(x, zeros([2]))),
      bad(() => solve(zeros([2, 2]), zeros([3])), /^solve: \[2, 2\] · x = \[3\]: sizes do not fit/),
    ],
  },
  {
    op: "lstsq",
    samples: [
      sample(
        [input([4, 2]), input([4, 3])],
        (a, b) => lstsq(a, b).solution,
        "torch.linalg.lstsq(a, b).solution",
      ),
      sample(
        [input([2, 4]), input([2, 1])],
        (a, b) => lstsq(a, b).solution,
        "torch.linalg.pinv(a) @ b",
      ),
    ],
    bad: [bad(() => lstsq(zeros([2, 2]), zeros([3, 1])), /^lstsq: expected \[\.\.\., n, m\] and/)],
  },
  {
    op: "matrixPower",
    samples: [-2, -1, 0, 1, 2, 5].map((n) =>
      sample(
        [batch],
        (a) => matrixPower(n < 0 ? definite(a) : a, n),
        `torch.matrix_power(${n < 0 ? definiteText : "a"}, ${n})`,
      ),
    ),
    bad: [
      notSquare("matrixPower", (x) => matrixPower(x, 2)),
      bad(
        () => matrixPower(zeros([2, 2]), 0.5),
        /^matrixPower: the power must be a whole number, got 0\.5/,
      ),
    ],
  },
];

const factorSet: SampleSet = () => [
  {
    op: "cholesky",
    samples: [
      sample([square], (a) => cholesky(definite(a)), `torch.linalg.cholesky(${definiteText})`),
      sample(
        [batch],
        (a) => cholesky(definite(a), { upper: true }),
        `torch.linalg.cholesky(${definiteText}).mT`,
      ),
    ],
    bad: [notSquare("cholesky", cholesky)],
  },
  {
    op: "qr",
    samples: [
      ...[
        [3, 3],
        [4, 2],
        [2, 4],
        [2, 3, 2],
        [1, 1],
      ].map((shape) =>
        sample([input(shape)], (a) => Object.values(qr(a)), "list(torch.linalg.qr(a))"),
      ),
      sample(
        [input([2, 4])],
        (a) => Object.values(qr(a, { mode: "complete" })),
        'list(torch.linalg.qr(a, mode="complete"))',
      ),
      sample([input([4, 2])], (a) => qr(a, { mode: "r" }).R, "torch.linalg.qr(a).R"),
      // The columns that are added are known but for a turn; what they span is known.
      ...[
        [4, 2],
        [2, 5, 3],
        [3, 1],
      ].flatMap((shape) => [
        kink(
          [input(shape)],
          (a) => {
            const { Q, R } = qr(a.detach(), { mode: "complete" });
            const added = Q.narrow(-1, shape.at(-1)!, Q.shape.at(-1)! - shape.at(-1)!);
            return [R, Q.matmul(Q.transpose(-1, -2)), added.matmul(added.transpose(-1, -2))];
          },
          `(lambda q, r: [r, q @ q.mT, q[..., ${shape.at(-1)}:] @ q[..., ${shape.at(-1)}:].mT])` +
            '(*torch.linalg.qr(a.detach(), mode="complete"))',
        ),
      ]),
    ],
    bad: [
      bad(
        () => qr(zeros([2, 2]), { mode: "x" as "r" }),
        /^qr: mode must be one of reduced, complete, r, got "x"/,
      ),
      bad(() => qr(zeros([2])), /^qr: needs matrices, got \[2\]/),
      notFloat("qr", qr),
    ],
  },
  {
    op: "svd",
    samples: [
      ...[
        [3, 3],
        [4, 2],
        [2, 4],
        [2, 3, 2],
      ].map((shape) =>
        sample(
          [input(shape)],
          (a) => parts(svd(a)),
          "(lambda u, s, v: [u * u, s, v * v])(*torch.linalg.svd(a, full_matrices=False))",
        ),
      ),
      ...[
        [4, 2],
        [2, 2, 3],
      ].map((shape) =>
        kink(
          [input(shape)],
          (a) => {
            const k = Math.min(...shape.slice(-2));
            const { U, S, Vh } = svd(a.detach(), { fullMatrices: true });
            const u = U.narrow(-1, k, U.shape.at(-1)! - k);
            const v = Vh.narrow(-2, k, Vh.shape.at(-2)! - k);
            return [u.matmul(u.transpose(-1, -2)), S, v.transpose(-1, -2).matmul(v)];
          },
          `(lambda k, u, s, v: [u[..., k:] @ u[..., k:].mT, s, v[..., k:, :].mT @ v[..., k:, :]])` +
            `(${Math.min(...shape.slice(-2))}, *torch.linalg.svd(a.detach()))`,
        ),
      ),
      sample(
        [input([3, 2])],
        (a) => {
          const { U, S, Vh } = a.svd();
          return U.mul(S).matmul(Vh);
        },
        "a * 1",
      ),
    ],
    bad: [bad(() => svd(zeros([2])), /^svd: needs matrices, got \[2\]/)],
  },
  {
    op: "eigh",
    samples: [
      ...[square, batch].map((x) =>
        sample(
          [x],
          (a) => {
            const { eigenvalues, eigenvectors } = eigh(definite(a));
            return [eigenvalues, eigenvectors.square()];
          },
          `(lambda l, v: [l, v * v])(*torch.linalg.eigh(${definiteText}))`,
        ),
      ),
    ],
    bad: [notSquare("eigh", eigh)],
  },
  {
    op: "pinverse",
    samples: [
      ...[
        [3, 3],
        [4, 2],
        [2, 4],
        [2, 3, 2],
      ].map((shape) => sample([input(shape)], (a) => pinverse(a), "torch.linalg.pinv(a)")),
      kink(
        [given([2, 2], [1, 2, 2, 4])],
        (a) => pinverse(a, { rcond: 1e-5 }).detach(),
        "torch.pinverse(a, rcond=1e-5).detach()",
      ),
    ],
    bad: [bad(() => pinverse(zeros([2])), /^pinverse: needs matrices, got \[2\]/)],
  },
  {
    op: "matrixRank",
    samples: [
      sample([batch], (a) => matrixRank(a), "torch.linalg.matrix_rank(a)"),
      sample([given([2, 2], [1, 2, 2, 4])], (a) => matrixRank(a), "torch.linalg.matrix_rank(a)"),
      sample(
        [given([2, 3], [0, 0, 0, 0, 0, 0])],
        (a) => matrixRank(a),
        "torch.linalg.matrix_rank(a)",
      ),
      sample(
        [given([2, 2], [1, 0, 0, 0.1])],
        (a) => matrixRank(a, { rtol: 0.5 }),
        "torch.linalg.matrix_rank(a, rtol=0.5)",
      ),
    ],
    bad: [bad(() => matrixRank(zeros([2])), /^matrixRank: needs matrices, got \[2\]/)],
    noGradient: "a rank has no gradient",
  },
];

export const decompositionSamples: SampleSet = () => [
  ...determinantSet(),
  ...solveSet(),
  ...factorSet(),
];
