/** Attention. Read ../nn/attention.ts for the layer, ../ir/attentionNodes.ts for its meaning, or recurrent.ts next. */
import { ShapeError, ValueError } from "../core/errors.js";
import { broadcastShapes, formatShape } from "../core/shape.js";
import { attentionResult, plainAttention } from "../ir/attentionNodes.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { attentionSizes } from "../ir/primitives/attention.js";
import { apply, checkTensors, type OpSpec } from "../tensor/apply.js";
import { isGradEnabled } from "../tensor/context.js";
import { type Generator, generatorOf } from "../tensor/random.js";
import { Tensor } from "../tensor/tensor.js";
import { needFloatTensor } from "./norm.js";
import { promoteNodes } from "./pointwise.js";

export interface AttentionOptions {
  /** Lets place i see only places up to i. */
  readonly isCausal?: boolean;
  /** Probability with which weights are dropped, also in evaluation; default 0. */
  readonly dropoutP?: number;
  /** Factor of the products; default 1 / √E. */
  readonly scale?: number;
  /** Lets the keys and values have fewer heads (dim -3) than the query, whose heads share them in groups. */
  readonly enableGqa?: boolean;
  readonly generator?: Generator;
}

type Attributes = {
  readonly isCausal: boolean;
  readonly dropoutP: number;
  readonly scale: number;
  readonly hasMask: boolean;
  /** Heads of keys, each for a group of heads of queries; 0: the same heads. */
  readonly keyHeads: number;
  /** The scores lie in memory as a whole, for what the primitive does not give. */
  readonly isPlain: boolean;
  readonly needWeights: boolean;
};

/** With leading dims of size 1 up to `rank`, and the heads as groups of `keyHeads`. */
function alignNode(b: Builder, x: Node, rank: number, keyHeads: number): Node {
  const shape = [...new Array<number>(rank - x.shape.length).fill(1), ...x.shape];
  if (keyHeads === 0) return b.reshape(x, shape);
  const heads = shape.at(-3)!;
  const groups = heads === 1 ? [1, 1] : [keyHeads, heads / keyHeads];
  return b.reshape(x, [...shape.slice(0, -3), ...groups, ...shape.slice(-2)]);
}

const attentionSpec: OpSpec<Attributes> = {
  name: "scaledDotProductAttention",
  lower(b, inputs, { isCausal, hasMask, keyHeads, isPlain, needWeights, ...rest }) {
    const values = promoteNodes(b, inputs.slice(0, 3));
    const rank = Math.max(...values.map((x) => x.shape.length));
    const mask = hasMask ? inputs[3]! : null;
    const added = mask && (mask.dtype === "bool" ? mask : b.convert(mask, values[0]!.dtype));
    const parts = [...values, ...(added ? [added] : [])].map((x) =>
      alignNode(b, x, rank, keyHeads),
    );
    const state = inputs.slice(hasMask ? 4 : 3);
    const attributes = { scale: rest.scale, dropoutP: rest.dropoutP, causal: isCausal, hasMask };
    const sizes = attentionSizes(parts);
    const joined = (x: Node) => {
      if (keyHeads === 0) return x;
      const [keys, groups] = x.shape.slice(-4) as [number, number];
      return b.reshape(x, [...x.shape.slice(0, -4), keys * groups, ...x.shape.slice(-2)]);
    };
    if (!isPlain) {
      const flat = b.make("attention", [...parts, ...state], attributes);
      return [joined(attentionResult(b, flat, sizes))];
    }
    const { result, weights } = plainAttention(b, [...parts, ...state], attributes);
    return needWeights ? [joined(result), joined(weights)] : [joined(result)];
  },
};

/** Heads of keys where heads of queries share them, else 0. */
function keyHeadsOf(op: string, [query, key, value]: Three, enableGqa: boolean): number {
  if (!enableGqa || Math.min(query.ndim, key.ndim, value.ndim) < 3) return 0;
  const [heads, keyHeads] = [query.shape.at(-3)!, key.shape.at(-3)!];
  if (keyHeads !== value.shape.at(-3) || keyHeads === 0 || heads % keyHeads !== 0)
    throw new ShapeError(
      op,
      `enableGqa needs as many heads of keys as of values, dividing the query's ${heads}, got ` +
        `${keyHeads} and ${value.shape.at(-3)}`,
    );
  return heads === keyHeads ? 0 : keyHeads;
}

type Three = readonly [Tensor, Tensor, Tensor];

function checkAttention(
  op: string,
  [query, key, value]: Three,
  mask: Tensor | null,
  keyHeads: number,
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
  const leads = [query, key, value].map((x) => x.shape.slice(0, keyHeads > 0 ? -3 : -2));
  const heads = keyHeads > 0 ? [query.shape.at(-3)!] : [];
  const batch = [...broadcastShapes(op, ...leads), ...heads];
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
  parts: Three,
  attnMask: Tensor | null,
  options: AttentionOptions & { readonly needWeights: boolean },
): Tensor[] {
  const op = "scaledDotProductAttention";
  const { isCausal = false, dropoutP = 0, needWeights } = options;
  const generator = generatorOf(op, options.generator);
  checkTensors(op, [...parts, ...(attnMask === null ? [] : [attnMask])]);
  const keyHeads = keyHeadsOf(op, parts, options.enableGqa ?? false);
  checkAttention(op, parts, attnMask, keyHeads);
  if (!(dropoutP >= 0 && dropoutP <= 1))
    throw new ValueError(op, `dropoutP must be from 0 to 1, got ${dropoutP}`);
  const scale = options.scale ?? 1 / Math.sqrt(parts[0].shape.at(-1)!);
  const inputs = [
    ...parts,
    ...(attnMask ? [attnMask] : []),
    ...(dropoutP > 0 ? [generator.take()] : []),
  ];
  const hasMask = attnMask !== null;
  // A mask's gradient is as large as the scores.
  const isPlain = needWeights || (hasMask && attnMask.requiresGrad && isGradEnabled());
  const attributes = { isCausal, dropoutP, scale, hasMask, keyHeads, isPlain, needWeights };
  return apply(attentionSpec, inputs, attributes);
}

/**
 * softmax(Q·Kᵀ·scale + mask)·V: each of L places takes a mean of S values (Vaswani et al., 2017).
 *
 * query: [*, L, E], key: [*, S, E], value: [*, S, V] → [*, L, V]. attnMask broadcasts to [*, L, S]: bool, true where a place may be
 * seen, or numbers that are added. A row that may see nothing gives zeros, as in PyTorch since 2.5.
 *
 * The scores are computed tile by tile, forward and backward (Dao et al., "FlashAttention", 2022), so memory grows with L + S and not
 * with L·S; only the gradient of attnMask itself needs them as a whole.
 *
 * @throws ShapeError if sizes do not fit; ValueError unless dropoutP is from 0 to 1.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const x = tensor([[1, 0], [0, 1]]);
 * const y = nn.functional.scaledDotProductAttention(x, x, x, { isCausal: true });
 * console.log(y.at(0).toArray()); // → [ 1, 0 ]
 * ```
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  attnMask?: Tensor | null,
  options?: AttentionOptions,
): Tensor;
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions,
): Tensor;
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  maskOrOptions: Tensor | AttentionOptions | null = null,
  options: AttentionOptions = {},
): Tensor {
  const isMask = maskOrOptions === null || maskOrOptions instanceof Tensor;
  const [mask, settings] = isMask ? [maskOrOptions, options] : [null, maskOrOptions];
  return attend([query, key, value], mask, { ...settings, needWeights: false })[0]!;
}
