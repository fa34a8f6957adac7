/** Losses of embeddings that should be near or far: cosine, triplet, InfoNCE. Read ctc.ts next. */
import { isFloat } from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import type { Tensor } from "../tensor/tensor.js";
import {
  checkReduction,
  checkSameShape,
  type LossOptions,
  type Reduction,
  reduceLoss,
} from "./loss.js";
import { checkPositive } from "./lossDistance.js";
import { type MarginOptions, positivePart } from "./lossMargin.js";
import { promoteNodes } from "./pointwise.js";
import { needFloat } from "./reduce.js";
import { logSoftmaxNodes } from "./softmax.js";

type Reduced = { readonly reduction: Reduction };

const sumLast = (b: Builder, x: Node, keepDim = false): Node =>
  b.reduce("reduceSum", x, [x.shape.length - 1], keepDim);

/** Keeps the cosine of a vector of zeros from being NaN. */
const tiny = 1e-12;

const cosineSpec: OpSpec<Reduced & { readonly margin: number }> = {
  name: "cosineEmbeddingLoss",
  lower(b, [given, other, target], { margin, reduction }) {
    const [x, y] = promoteNodes(b, [given!, other!]) as [Node, Node];
    needFloat("cosineEmbeddingLoss", x);
    const squares = [x, y].map((v) => b.add(sumLast(b, b.multiply(v, v)), tiny)) as [Node, Node];
    const length = b.pointwise("sqrt", b.multiply(...squares));
    const cosine = b.divide(sumLast(b, b.multiply(x, y)), length);
    const apart = positivePart(b, b.subtract(cosine, margin));
    const far = b.select(b.equal(target!, -1), apart, 0);
    const losses = b.add(b.select(b.equal(target!, 1), b.subtract(1, cosine), 0), far);
    return reduceLoss(b, losses, reduction);
  },
};

/**
 * 1 − cos(x, y) where the target is 1, max(0, cos(x, y) − margin) where it is −1, averaged; margin 0 by default.
 *
 * x, y: [B, D] or [D], target: [B] or [].
 *
 * @example
 * ```ts
 * import { cosineEmbeddingLoss, tensor } from "gradus";
 * console.log(cosineEmbeddingLoss(tensor([[1, 0]]), tensor([[0, 1]]), tensor([1])).item()); // → 1
 * ```
 */
export function cosineEmbeddingLoss(
  x: Tensor,
  y: Tensor,
  target: Tensor,
  { margin = 0, reduction = "mean" }: MarginOptions = {},
): Tensor {
  const op = "cosineEmbeddingLoss";
  checkSameShape(op, x, y);
  if ((x.ndim !== 1 && x.ndim !== 2) || !sameShape(target.shape, x.shape.slice(0, -1)))
    throw new ShapeError(
      op,
      `embeddings ${formatShape(x.shape)} and targets ${formatShape(target.shape)}: expected ` +
        "[B, D] and [B], or [D] and []",
    );
  checkReduction(op, reduction);
  return applyOne(cosineSpec, [x, y, target], { margin, reduction });
}

type TripletAttributes = Reduced & {
  readonly margin: number;
  readonly p: number;
  readonly eps: number;
  readonly swap: boolean;
};

/** The p-norm of x − y + eps over the last dim; where it is 0 its gradient is 0. */
function distance(b: Builder, x: Node, y: Node, { p, eps }: TripletAttributes): Node {
  const sizes = b.pointwise("abs", b.add(b.subtract(x, y), eps));
  if (p === 1) return sumLast(b, sizes);
  if (p === Number.POSITIVE_INFINITY) return b.reduce("reduceMax", sizes, [sizes.shape.length - 1]);
  const powers = p === 2 ? b.multiply(sizes, sizes) : b.pointwise("power", sizes, p);
  const total = sumLast(b, powers);
  const isZero = b.equal(total, 0);
  const safe = b.select(isZero, 1, total);
  const root = p === 2 ? b.pointwise("sqrt", safe) : b.pointwise("power", safe, 1 / p);
  return b.select(isZero, 0, root);
}

const tripletSpec: OpSpec<TripletAttributes> = {
  name: "tripletMarginLoss",
  lower(b, nodes, attributes) {
    const [anchor, positive, negative] = promoteNodes(b, nodes) as [Node, Node, Node];
    needFloat("tripletMarginLoss", anchor);
    const near = distance(b, anchor, positive, attributes);
    let far = distance(b, anchor, negative, attributes);
    if (attributes.swap)
      far = b.pointwise("minimum", far, distance(b, positive, negative, attributes));
    const losses = positivePart(b, b.add(b.subtract(near, far), attributes.margin));
    return reduceLoss(b, losses, attributes.reduction);
  },
};

export interface TripletMarginOptions extends MarginOptions {
  /** The norm that measures distances; default 2. */
  readonly p?: number;
  /** Added to differences, so that no distance is 0; default 10⁻⁶. */
  readonly eps?: number;
  /** Takes the distance of positive and negative where that is the smaller one (Balntas et al., 2016). */
  readonly swap?: boolean;
}

/**
 * max(0, |anchor − positive| − |anchor − negative| + margin), averaged; margin 1 by default (Schroff et al., 2015).
 *
 * All three: [B, D] or [D].
 *
 * @example
 * ```ts
 * import { tensor, tripletMarginLoss } from "gradus";
 * console.log(tripletMarginLoss(tensor([[0, 0]]), tensor([[0, 2]]), tensor([[0, 9]])).item()); // → 0
 * ```
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginOptions = {},
): Tensor {
  const op = "tripletMarginLoss";
  const { margin = 1, p = 2, eps = 1e-6, swap = false, reduction = "mean" } = options;
  checkSameShape(op, anchor, positive, negative);
  if (anchor.ndim === 0) throw new ShapeError(op, "needs embeddings with dims, got []");
  checkPositive(op, "p", p);
  checkReduction(op, reduction);
  return applyOne(tripletSpec, [anchor, positive, negative], { margin, p, eps, swap, reduction });
}

const infoNceSpec: OpSpec<Reduced & { readonly temperature: number; readonly symmetric: boolean }> =
  {
    name: "infoNce",
    lower(b, nodes, { temperature, symmetric, reduction }) {
      const units = promoteNodes(b, nodes).map((x) => {
        const square = sumLast(b, b.multiply(x, x), true);
        const isZero = b.equal(square, 0);
        const length = b.pointwise("sqrt", b.select(isZero, 1, square));
        return b.divide(x, b.select(isZero, tiny, length));
      });
      const [query, key, ...negatives] = units as [Node, Node, ...Node[]];
      const against = (x: Node, y: Node) => {
        const product = b.make("dotGeneral", [x, y], {
          lhsBatch: [],
          rhsBatch: [],
          lhsContract: [1],
          rhsContract: [1],
        });
        const diagonal = b.equal(b.iota(0, product.shape), b.iota(1, product.shape));
        const logs = logSoftmaxNodes(b, b.divide(product, temperature), 1);
        return b.negate(b.reduce("reduceSum", b.select(diagonal, logs, 0), [1]));
      };
      const keys =
        negatives.length > 0 ? b.make("concatenate", [key, ...negatives], { dim: 0 }) : key;
      const forward = against(query, keys);
      const losses = symmetric ? b.multiply(b.add(forward, against(key, query)), 0.5) : forward;
      return reduceLoss(b, losses, reduction);
    },
  };

export interface InfoNceOptions extends LossOptions {
  /** Divides the cosines; default 0.1. */
  readonly temperature?: number;
  /** Keys that belong to no query, [M, D]. */
  readonly negatives?: Tensor;
  /** Averages with the same loss of keys against queries, as CLIP does; default false. */
  readonly symmetric?: boolean;
}

/**
 * The cross-entropy of picking each query's own key among all by cos(query, key) / temperature (van den Oord et al., 2018).
 *
 * query, key: [B, D], row i of one belongs to row i of the other → a scalar, or [B] with reduction "none".
 *
 * @throws ShapeError if the shapes do not fit; ValueError unless the temperature is above 0.
 * @example
 * ```ts
 * import { eye, nn } from "gradus";
 * const x = eye(3);
 * console.log(nn.functional.infoNce(x, x).item() < nn.functional.infoNce(x, x.flip(0)).item()); // → true
 * ```
 */
export function infoNce(query: Tensor, key: Tensor, options: InfoNceOptions = {}): Tensor {
  const op = "infoNce";
  const { temperature = 0.1, negatives, symmetric = false, reduction = "mean" } = options;
  checkSameShape(op, query, key);
  if (query.ndim !== 2)
    throw new ShapeError(op, `expected [B, D], got ${formatShape(query.shape)}`);
  if (negatives && (negatives.ndim !== 2 || negatives.shape[1] !== query.shape[1]))
    throw new ShapeError(
      op,
      `negatives must be [M, ${query.shape[1]}], got ${formatShape(negatives.shape)}`,
    );
  if (!(temperature > 0))
    throw new ValueError(op, `temperature must be above 0, got ${temperature}`);
  const inputs = negatives ? [query, key, negatives] : [query, key];
  const whole = inputs.find((x) => !isFloat(x.dtype));
  if (whole) throw new DTypeError(op, `needs float embeddings, got ${whole.dtype}`);
  checkReduction(op, reduction);
  return applyOne(infoNceSpec, inputs, { temperature, symmetric, reduction });
}
