/** Weights with their size apart: weight normalisation and spectral normalisation. Read normSamples.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, normalizeDim, sizeOf } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { apply, applyOne, checkTensors, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, input, kink, type SampleSet, sample } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { lengthNodes } from "./lengths.js";
import { needFloatTensor } from "./norm.js";

const weightNormSpec: OpSpec<{ readonly dims: readonly number[] }> = {
  name: "weightNorm",
  lower: (b, [v, g], { dims }) => b.multiply(v!, b.divide(g!, lengthNodes(b, v!, 2, dims, true))),
};

/**
 * g · v / ‖v‖ (Salimans and Kingma, 2016), the length taken over all dims but `dim`, or over all if that is null. v: [*], g:
 * one length for each place of `dim`, with the other sizes 1, or without dims.
 *
 * @throws ShapeError if g does not fit; DTypeError unless both are floats.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * console.log(nn.functional.weightNorm(tensor([[3, 4]]), tensor([[10]])).toArray()); // ≈ [ [ 6, 8 ] ]
 * ```
 */
export function weightNorm(v: Tensor, g: Tensor, dim: number | null = 0): Tensor {
  checkTensors("weightNorm", [v, g]);
  needFloatTensor("weightNorm", v);
  needFloatTensor("weightNorm", g);
  const kept = dim === null ? null : normalizeDim("weightNorm", dim, v.ndim);
  const dims = v.shape.map((_, i) => i).filter((i) => i !== kept);
  const expected = v.shape.map((n, i) => (i === kept ? n : 1));
  const fits = g.shape.length === expected.length && g.shape.every((n, i) => n === expected[i]);
  if (g.dtype !== v.dtype || (!fits && !(kept === null && g.size === 1)))
    throw new ShapeError(
      "weightNorm",
      `g must be ${v.dtype}${formatShape(expected)} for v ${formatShape(v.shape)}, got ` +
        `${g.dtype}${formatShape(g.shape)}`,
    );
  return applyOne(weightNormSpec, [v, g], { dims });
}

export interface SpectralNormOptions {
  /** Which dim of the weight are the rows of its matrix; default 0. */
  readonly dim?: number;
  /** The least length that is divided by; default 1e-12. */
  readonly eps?: number;
  /** How often the estimate of the singular vectors is improved; default 1. */
  readonly nPowerIterations?: number;
}

type Spectral = { readonly dim: number; readonly eps: number; readonly iterations: number };

/** a·x, or aᵀ·x, for a matrix and a vector. */
const times = (b: Builder, a: Node, x: Node, contract: 0 | 1): Node =>
  b.make("dotGeneral", [a, x], {
    lhsBatch: [],
    rhsBatch: [],
    lhsContract: [contract],
    rhsContract: [0],
  });

function unit(b: Builder, x: Node, eps: number): Node {
  const length = lengthNodes(b, x, 2, [0], true);
  return b.divide(x, b.select(b.pointwise("less", length, eps), eps, length));
}

const spectralNormSpec: OpSpec<Spectral> = {
  name: "spectralNorm",
  lower(b, [weight, u, v], { dim, eps, iterations }) {
    const { shape } = weight!;
    const order = [dim, ...shape.map((_, i) => i).filter((i) => i !== dim)];
    const rows = shape[dim]!;
    const matrix = b.reshape(b.transpose(weight!, order), [rows, sizeOf(shape) / rows]);
    const fixed = b.stopGradient(matrix);
    let [left, right] = [b.stopGradient(u!), b.stopGradient(v!)];
    for (let i = 0; i < iterations; i++) {
      right = unit(b, times(b, fixed, left, 0), eps);
      left = unit(b, times(b, fixed, right, 1), eps);
    }
    const sigma = b.reduce("reduceSum", b.multiply(left, times(b, matrix, right, 1)), [0]);
    return [b.divide(weight!, sigma), left, right];
  },
};

/**
 * weight / σ (Miyato et al., 2018), σ = uᵀ·W·v the estimate of the largest singular value of the weight as a matrix W with the
 * rows of `dim`, by power iterations from the vectors u [n] and v [m]; gives their next values as well. Gradients flow through
 * the weight, not through the vectors.
 *
 * @throws ShapeError if sizes do not fit; ValueError unless nPowerIterations is a whole number ≥ 0.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const w = tensor([[2, 0], [0, 1]]);
 * const { weight } = nn.functional.spectralNorm(w, tensor([1, 0]), tensor([1, 0]));
 * console.log(weight.toArray()); // → [ [ 1, 0 ], [ 0, 0.5 ] ]
 * ```
 */
export function spectralNorm(
  weight: Tensor,
  u: Tensor,
  v: Tensor,
  { dim = 0, eps = 1e-12, nPowerIterations = 1 }: SpectralNormOptions = {},
): { readonly weight: Tensor; readonly u: Tensor; readonly v: Tensor } {
  checkTensors("spectralNorm", [weight, u, v]);
  const op = "spectralNorm";
  needFloatTensor(op, weight);
  const place = normalizeDim(op, dim, weight.ndim);
  const rows = weight.shape[place] ?? 0;
  const fits =
    weight.ndim >= 2 &&
    weight.size > 0 &&
    u.shape.join() === `${rows}` &&
    v.shape.join() === `${weight.size / rows}` &&
    u.dtype === weight.dtype &&
    v.dtype === weight.dtype;
  if (!fits)
    throw new ShapeError(
      op,
      `expected a weight with elements and 2 or more dims, and vectors u and v of its rows and columns, got ` +
        [weight, u, v].map((x) => x.dtype + formatShape(x.shape)).join(", "),
    );
  if (!Number.isInteger(nPowerIterations) || nPowerIterations < 0 || nPowerIterations > 10000)
    throw new ValueError(
      op,
      `nPowerIterations must be a whole number from 0 to 10000, got ${nPowerIterations}`,
    );
  if (!(eps >= 0)) throw new ValueError(op, `eps must be ≥ 0, got ${eps}`);
  const attributes = { dim: place, eps, iterations: nPowerIterations };
  const [scaled, left, right] = apply(spectralNormSpec, [weight, u, v], attributes);
  return { weight: scaled!, u: left!, v: right! };
}

const spectralText =
  "(lambda m, u: (lambda v: (lambda u: [a / (u @ (m @ v)), u, v])" +
  "(F.normalize((m @ v).detach(), dim=0, eps=1e-12)))" +
  "(F.normalize((m.t() @ u).detach(), dim=0, eps=1e-12)))";

export const weightNormSamples: SampleSet = () => [
  {
    op: "weightNorm",
    samples: [
      sample(
        [input([3, 4]), input([3, 1])],
        (a, b) => weightNorm(a, b),
        "torch._weight_norm(a, b, 0)",
      ),
      sample(
        [input([3, 4]), input([1, 4])],
        (a, b) => weightNorm(a, b, 1),
        "torch._weight_norm(a, b, 1)",
      ),
      sample(
        [input([4, 2, 3]), input([4, 1, 1])],
        (a, b) => weightNorm(a, b),
        "torch._weight_norm(a, b, 0)",
      ),
      sample(
        [input([3, 4]), input([])],
        (a, b) => weightNorm(a, b, null),
        "torch._weight_norm(a, b, -1)",
      ),
    ],
    bad: [
      bad(
        () => weightNorm(zeros([3, 4]), zeros([3])),
        /^weightNorm: g must be float32\[3, 1\] for v \[3, 4\], got float32\[3\]/,
      ),
    ],
  },
  {
    op: "spectralNorm",
    // PyTorch takes the vectors for fixed, which differences do not.
    samples: [
      kink(
        [input([3, 4]), input([3]), input([4])],
        (a, b, c) => Object.values(spectralNorm(a, b, c)),
        `${spectralText}(a, b.detach())`,
      ),
      kink(
        [input([4, 2, 3]), input([2]), input([12])],
        (a, b, c) => Object.values(spectralNorm(a, b, c, { dim: 1 })),
        `${spectralText}(a.transpose(0, 1).reshape(2, 12), b.detach())`,
      ),
      kink(
        [input([3, 4]), input([3]), input([4])],
        (a, b, c) => spectralNorm(a, b, c, { nPowerIterations: 0 }).weight,
        "a / (b.detach() @ (a @ c.detach()))",
      ),
    ],
    bad: [
      bad(
        () => spectralNorm(zeros([3, 4]), zeros([4]), zeros([3])),
        /^spectralNorm: expected a weight .*, got float32\[3, 4\], float32\[4\], float32\[3\]/,
      ),
    ],
  },
];
