/** Attention. Read ../nn/attention.ts for the layer, or recurrent.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import { broadcastShapes, formatShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { apply, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, given, input, type SampleSet, sample, typed, unlike } from "../tensor/defineOp.js";
import { defaultGenerator, Generator, uniformNodes } from "../tensor/random.js";
import type { Tensor } from "../tensor/tensor.js";
import { contractNodes } from "./einsum.js";
import { needFloatTensor } from "./norm.js";
import { promoteNodes } from "./pointwise.js";

export interface AttentionOptions {
  /** Lets place i see only places up to i. */
  readonly isCausal?: boolean;
  /** Probability with which weights are dropped, also in evaluation; default 0. */
  readonly dropoutP?: number;
  /** Factor of the products; default 1 / √E. */
  readonly scale?: number;
  readonly generator?: Generator;
}

type Attributes = {
  readonly isCausal: boolean;
  readonly dropoutP: number;
  readonly scale: number;
  readonly hasMask: boolean;
  readonly needWeights: boolean;
};

/** Softmax along the last dim, where a row without any place that may be seen becomes zeros. */
function weightNodes(b: Builder, scores: Node): Node {
  const last = [scores.shape.length - 1];
  const most = b.stopGradient(b.reduce("reduceMax", scores, last, true));
  const shift = b.select(b.equal(most, Number.NEGATIVE_INFINITY), 0, most);
  const powers = b.pointwise("exponential", b.subtract(scores, shift));
  const total = b.reduce("reduceSum", powers, last, true);
  return b.divide(powers, b.select(b.equal(total, 0), 1, total));
}

function maskNodes(b: Builder, scores: Node, mask: Node | null, isCausal: boolean): Node {
  const rank = scores.shape.length;
  let masked = scores;
  if (isCausal) {
    const [row, column] = [b.iota(rank - 2, scores.shape), b.iota(rank - 1, scores.shape)];
    masked = b.select(b.pointwise("greater", column, row), Number.NEGATIVE_INFINITY, masked);
  }
  if (!mask) return masked;
  const wide = b.broadcastTo(mask, scores.shape);
  return mask.dtype === "bool"
    ? b.select(wide, masked, Number.NEGATIVE_INFINITY)
    : b.add(masked, b.convert(wide, scores.dtype));
}

const attentionSpec: OpSpec<Attributes> = {
  name: "scaledDotProductAttention",
  lower(b, inputs, { isCausal, dropoutP, scale, hasMask, needWeights }) {
    const [query, key, value] = promoteNodes(b, inputs.slice(0, 3)) as [Node, Node, Node];
    const lead = (x: Node) => x.shape.slice(0, -2).map((_, i, all) => `…${all.length - i}`);
    const batch = broadcastShapes(
      b.origin,
      ...[query, key, value].map((x) => x.shape.slice(0, -2)),
    );
    const dots = batch.map((_, i) => `…${batch.length - i}`);
    const products = contractNodes(
      b,
      [b.multiply(query, scale), key],
      [
        [...lead(query), "l", "e"],
        [...lead(key), "s", "e"],
      ],
      dots.filter((d) => [...lead(query), ...lead(key)].includes(d)).concat("l", "s"),
    );
    const scores = b.broadcastTo(products, [...batch, ...products.shape.slice(-2)]);
    const weights = weightNodes(b, maskNodes(b, scores, hasMask ? inputs[3]! : null, isCausal));
    const state = inputs[hasMask ? 4 : 3];
    const dropped = state ? dropNodes(b, weights, state, dropoutP) : weights;
    const labels = [
      [...dots, "l", "s"],
      [...lead(value), "s", "v"],
    ];
    const result = contractNodes(b, [dropped, value], labels, [...dots, "l", "v"]);
    return needWeights ? [result, dropped] : [result];
  },
};

function dropNodes(b: Builder, x: Node, state: Node, p: number): Node {
  if (p === 1) return b.multiply(x, 0);
  const draws = uniformNodes(b, state, x.shape, "float32");
  return b.select(b.pointwise("greaterEqual", draws, p), b.multiply(x, 1 / (1 - p)), 0);
}

function checkAttention(
  op: string,
  [query, key, value]: readonly [Tensor, Tensor, Tensor],
  mask: Tensor | null,
): void {
  for (const x of [query, key, value]) needFloatTensor(op, x);
  const fits =
    Math.min(query.ndim, key.ndim, value.ndim) >= 2 &&
    query.shape.at(-1) === key.shape.at(-1) &&
    key.shape.at(-2) === value.shape.at(-2);
  if (!fits)
    throw new ShapeError(
      op,
      `expected query [*, L, E], key [*, S, E] and value [*, S, V], got ` +
        `${[query, key, value].map((x) => formatShape(x.shape)).join(", ")}`,
    );
  const batch = broadcastShapes(op, ...[query, key, value].map((x) => x.shape.slice(0, -2)));
  const scores = [...batch, query.shape.at(-2)!, key.shape.at(-2)!];
  const lead = mask ? scores.length - mask.ndim : 0;
  if (mask && !(lead >= 0 && mask.shape.every((n, i) => n === 1 || n === scores[lead + i])))
    throw new ShapeError(
      op,
      `the mask ${formatShape(mask.shape)} does not fit scores ${formatShape(scores)}`,
    );
}

/** Attention with its weights, which the layer may want to see. */
export function attend(
  parts: readonly [Tensor, Tensor, Tensor],
  attnMask: Tensor | null,
  options: AttentionOptions & { readonly needWeights: boolean },
): Tensor[] {
  const op = "scaledDotProductAttention";
  const { isCausal = false, dropoutP = 0, needWeights, generator = defaultGenerator } = options;
  checkAttention(op, parts, attnMask);
  if (!(dropoutP >= 0 && dropoutP <= 1))
    throw new ValueError(op, `dropoutP must be from 0 to 1, got ${dropoutP}`);
  const scale = options.scale ?? 1 / Math.sqrt(parts[0].shape.at(-1)!);
  const inputs = [
    ...parts,
    ...(attnMask ? [attnMask] : []),
    ...(dropoutP > 0 ? [generator.take()] : []),
  ];
  const hasMask = attnMask !== null;
  return apply(attentionSpec, inputs, { isCausal, dropoutP, scale, hasMask, needWeights });
}

/**
 * softmax(Q·Kᵀ·scale + mask)·V: each of L places takes a mean of S values (Vaswani et al., 2017).
 *
 * query: [*, L, E], key: [*, S, E], value: [*, S, V] → [*, L, V]. attnMask broadcasts to [*, L, S]: bool, true where a place may be
 * seen, or numbers that are added. A row that may see nothing gives zeros.
 *
 * @throws ShapeError if sizes do not fit; ValueError unless dropoutP is from 0 to 1.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const x = tensor([[1, 0], [0, 1]]);
 * const y = nn.functional.scaledDotProductAttention(x, x, x, null, { isCausal: true });
 * console.log(y.at(0).toArray()); // → [ 1, 0 ]
 * ```
 */
export const scaledDotProductAttention = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  attnMask: Tensor | null = null,
  options: AttentionOptions = {},
): Tensor => attend([query, key, value], attnMask, { ...options, needWeights: false })[0]!;

const three = [input([2, 3, 4]), input([2, 5, 4]), input([2, 5, 2])];
const scores = "(a @ b.transpose(-1, -2) / a.shape[-1] ** 0.5";

export const attentionSamples: SampleSet = () => [
  {
    op: "scaledDotProductAttention",
    samples: [
      sample(three, (a, b, c) => scaledDotProductAttention(a, b, c), `${scores}).softmax(-1) @ c`),
      sample(
        three,
        (a, b, c) => scaledDotProductAttention(a, b, c, null, { scale: 2 }),
        "(a @ b.transpose(-1, -2) * 2).softmax(-1) @ c",
      ),
      sample(
        three,
        (a, b, c) => scaledDotProductAttention(a, b, c, null, { isCausal: true }),
        `${scores}).masked_fill(torch.ones(3, 5).triu(1) > 0, float("-inf")).softmax(-1) @ c`,
      ),
      sample(
        [...three, input([3, 5])],
        (a, b, c, d) => scaledDotProductAttention(a, b, c, d),
        `${scores} + d).softmax(-1) @ c`,
      ),
      sample(
        [...three, given([3, 5], [1, 0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1], "bool")],
        (a, b, c, d) => scaledDotProductAttention(a, b, c, d),
        `${scores}).masked_fill(~d, float("-inf")).softmax(-1) @ c`,
      ),
      sample(
        [input([2, 1, 3, 4]), input([3, 5, 4]), input([5, 2])],
        (a, b, c) => scaledDotProductAttention(a, b, c),
        `${scores}).softmax(-1) @ c`,
      ),
      sample(
        [input([3, 4]), input([3, 4]), input([3, 4])],
        (a, b, c) => scaledDotProductAttention(a.t(), b.t(), c.t()),
        "(a.t() @ b / 3 ** 0.5).softmax(-1) @ c.t()",
      ),
      unlike(
        [...three, typed("bool", [3, 5], 0, 0)],
        (a, b, c, d) => scaledDotProductAttention(a, b, c, d.to("float32").mul(0).to("bool")),
        "rows that see nothing give zeros, as in PyTorch since 2.5; before it NaN",
      ),
      unlike(
        three,
        (a, b, c) =>
          scaledDotProductAttention(a, b, c, null, { dropoutP: 0.5, generator: new Generator(3) }),
        "its random bits are its own",
      ),
    ],
    bad: [
      bad(
        () => scaledDotProductAttention(zeros([2, 3]), zeros([2, 4]), zeros([2, 3])),
        /^scaledDotProductAttention: expected query \[\*, L, E\]/,
      ),
      bad(
        () => scaledDotProductAttention(zeros([2, 3]), zeros([2, 3]), zeros([2, 3]), zeros([3, 3])),
        /the mask \[3, 3\] does not fit scores \[2, 2\]/,
      ),
      bad(
        () =>
          scaledDotProductAttention(zeros([2, 3]), zeros([2, 3]), zeros([2, 3]), null, {
            dropoutP: 2,
          }),
        /dropoutP must be from 0 to 1, got 2/,
      ),
    ],
  },
];
