/** Distances and angles between vectors. Read decomposition.ts next. */
import { ShapeError } from "../core/errors.js";
import { broadcastShapes, formatShape, normalizeDim } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, given, input, kink, type SampleSet, sample } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkPower, lengthNodes } from "./lengths.js";
import { needFloatTensor } from "./norm.js";
import { promoteNodes } from "./pointwise.js";

const cdistSpec: OpSpec<{ readonly p: number }> = {
  name: "cdist",
  lower(b, nodes, { p }) {
    const [x, y] = promoteNodes(b, nodes) as [Node, Node];
    const insert = (z: Node, at: number) => {
      const shape = [...z.shape];
      shape.splice(shape.length + at, 0, 1);
      return b.reshape(z, shape);
    };
    const difference = b.subtract(insert(x, -1), insert(y, -2));
    if (difference.shape.at(-1) === 0)
      return b.reduce("reduceSum", difference, [difference.shape.length - 1]);
    return lengthNodes(b, difference, p, [difference.shape.length - 1], false);
  },
};

/**
 * The distances ‖x1ᵢ − x2ⱼ‖ₚ of all pairs of rows. x1: [*, P, M], x2: [*, R, M] → [*, P, R]; dims before them broadcast.
 *
 * @throws ShapeError if the rows differ in size.
 * @example
 * ```ts
 * import { cdist, tensor } from "gradus";
 * console.log(cdist(tensor([[0, 0]]), tensor([[3, 4], [0, 1]])).toArray()); // → [ [ 5, 1 ] ]
 * ```
 */
export function cdist(x1: Tensor, x2: Tensor, { p = 2 }: { readonly p?: number } = {}): Tensor {
  for (const x of [x1, x2]) needFloatTensor("cdist", x);
  if (x1.ndim < 2 || x2.ndim < 2 || x1.shape.at(-1) !== x2.shape.at(-1))
    throw new ShapeError(
      "cdist",
      `expected [*, P, M] and [*, R, M], got ${formatShape(x1.shape)} and ${formatShape(x2.shape)}`,
    );
  broadcastShapes("cdist", x1.shape.slice(0, -2), x2.shape.slice(0, -2));
  return applyOne(cdistSpec, [x1, x2], { p: checkPower("cdist", p) });
}

export interface PairwiseDistanceOptions {
  readonly p?: number;
  /** Added to each difference, so that equal vectors have a gradient; default 1e-6. */
  readonly eps?: number;
  readonly keepDim?: boolean;
}

type Pairwise = { readonly p: number; readonly eps: number; readonly keepDim: boolean };

const pairwiseSpec: OpSpec<Pairwise> = {
  name: "pairwiseDistance",
  lower(b, nodes, { p, eps, keepDim }) {
    const [x, y] = promoteNodes(b, nodes) as [Node, Node];
    const difference = b.add(b.subtract(x, y), eps);
    return lengthNodes(b, difference, p, [difference.shape.length - 1], keepDim);
  },
};

/**
 * ‖x1 − x2 + eps‖ₚ along the last dim.
 *
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const distance = nn.functional.pairwiseDistance(tensor([[0, 0]]), tensor([[3, 4]]), { eps: 0 });
 * console.log(distance.toArray()); // → [ 5 ]
 * ```
 */
export function pairwiseDistance(
  x1: Tensor,
  x2: Tensor,
  { p = 2, eps = 1e-6, keepDim = false }: PairwiseDistanceOptions = {},
): Tensor {
  for (const x of [x1, x2]) needFloatTensor("pairwiseDistance", x);
  if (broadcastShapes("pairwiseDistance", x1.shape, x2.shape).length === 0)
    throw new ShapeError("pairwiseDistance", "needs vectors, got [] and []");
  const attributes = { p: checkPower("pairwiseDistance", p), eps, keepDim };
  return applyOne(pairwiseSpec, [x1, x2], attributes);
}

type Cosine = { readonly dim: number; readonly eps: number };

const cosineSpec: OpSpec<Cosine> = {
  name: "cosineSimilarity",
  lower(b, nodes, { dim, eps }) {
    const [x, y] = promoteNodes(b, nodes) as [Node, Node];
    const shape = broadcastShapes("cosineSimilarity", x.shape, y.shape);
    const unit = (b: Builder, z: Node) => {
      const wide = b.broadcastTo(z, shape);
      const length = lengthNodes(b, wide, 2, [dim], true);
      return b.divide(wide, b.select(b.pointwise("less", length, eps), eps, length));
    };
    return b.reduce("reduceSum", b.multiply(unit(b, x), unit(b, y)), [dim]);
  },
};

/**
 * x1·x2 / (max(‖x1‖, eps)·max(‖x2‖, eps)) along a dim.
 *
 * @throws ShapeError if the shapes do not broadcast; ValueError if the dim is out of range.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const x = tensor([[1, 0]]);
 * console.log(nn.functional.cosineSimilarity(x, tensor([[1, 1]])).toArray()); // ≈ [ 0.7071 ]
 * ```
 */
export function cosineSimilarity(
  x1: Tensor,
  x2: Tensor,
  { dim = 1, eps = 1e-8 }: { readonly dim?: number; readonly eps?: number } = {},
): Tensor {
  for (const x of [x1, x2]) needFloatTensor("cosineSimilarity", x);
  const rank = broadcastShapes("cosineSimilarity", x1.shape, x2.shape).length;
  return applyOne(cosineSpec, [x1, x2], { dim: normalizeDim("cosineSimilarity", dim, rank), eps });
}

const infinity = Number.POSITIVE_INFINITY;
const ints = () => zeros([2, 2], { dtype: "int32" });

export const vectorDistanceSamples: SampleSet = () => [
  {
    op: "cdist",
    samples: [
      ...[1, 2, 3, 0.5, infinity, 0].map((p) =>
        sample(
          [input([3, 2]), input([4, 2])],
          (a, b) => cdist(a, b, { p }),
          `torch.cdist(a, b, p=${p === infinity ? 'float("inf")' : `${p}.0`.replace("0.5.0", "0.5")})`,
        ),
      ),
      sample([input([2, 1, 3, 2]), input([3, 4, 2])], (a, b) => cdist(a, b), "torch.cdist(a, b)"),
      sample(
        [input([2, 3]), input([2, 4])],
        (a, b) => cdist(a.t(), b.t()),
        "torch.cdist(a.t(), b.t())",
      ),
      sample([input([0, 2]), input([4, 2])], (a, b) => cdist(a, b), "torch.cdist(a, b)"),
      kink(
        [given([1, 2], [1, 2]), given([2, 2], [1, 2, 0, 0])],
        (a, b) => cdist(a, b),
        "torch.cdist(a, b)",
      ),
    ],
    bad: [
      bad(
        () => cdist(zeros([2, 3]), zeros([2, 2])),
        /^cdist: expected \[\*, P, M\] and \[\*, R, M\]/,
      ),
      bad(() => cdist(zeros([2, 2]), zeros([2, 2]), { p: -1 }), /^cdist: p must be ≥ 0, got -1/),
      bad(() => cdist(ints(), zeros([2, 2])), /^cdist: needs a float tensor, got int32/),
    ],
  },
  {
    op: "pairwiseDistance",
    samples: [
      sample(
        [input([3, 2]), input([3, 2])],
        (a, b) => pairwiseDistance(a, b),
        "F.pairwise_distance(a, b)",
      ),
      sample(
        [input([3, 2]), input([2])],
        (a, b) => pairwiseDistance(a, b, { p: 1, eps: 0.1, keepDim: true }),
        "F.pairwise_distance(a, b, p=1.0, eps=0.1, keepdim=True)",
      ),
      sample(
        [input([2, 3, 2]), input([3, 2])],
        (a, b) => pairwiseDistance(a, b, { p: 3 }),
        "F.pairwise_distance(a, b, p=3.0)",
      ),
    ],
    bad: [
      bad(() => pairwiseDistance(zeros([]), zeros([])), /^pairwiseDistance: needs vectors/),
      bad(
        () => pairwiseDistance(zeros([2]), zeros([3])),
        /^pairwiseDistance: shapes .* do not broadcast/,
      ),
    ],
  },
  {
    op: "cosineSimilarity",
    samples: [
      sample(
        [input([3, 2]), input([3, 2])],
        (a, b) => cosineSimilarity(a, b),
        "F.cosine_similarity(a, b)",
      ),
      sample(
        [input([3, 4, 1]), input([4, 2])],
        (a, b) => cosineSimilarity(a, b, { dim: -1 }),
        "F.cosine_similarity(a, b, dim=-1)",
      ),
      sample(
        [input([3, 2]), input([2])],
        (a, b) => cosineSimilarity(a, b, { dim: 0, eps: 1e-6 }),
        "F.cosine_similarity(a, b, dim=0, eps=1e-6)",
      ),
    ],
    bad: [
      bad(
        () => cosineSimilarity(zeros([2]), zeros([2])),
        /^cosineSimilarity: dim 1 is out of range/,
      ),
      bad(
        () => cosineSimilarity(ints(), ints()),
        /^cosineSimilarity: needs a float tensor, got int32/,
      ),
    ],
  },
];
