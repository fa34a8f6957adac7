/**
 * Attention as one primitive, so that no kernel ever needs the whole matrix of scores, and its gradient. What the parts of
 * their flat results are, and the plain composition that they equal, is in ../attentionNodes.ts.
 */
import { isFloat } from "../../core/dtype.js";
import { DTypeError, ShapeError } from "../../core/errors.js";
import { formatShape, type Shape, sizeOf } from "../../core/shape.js";
import type { Primitive, ValueType } from "../primitives.js";

export interface AttentionAttributes {
  /** Factor of the products of queries and keys. */
  readonly scale: number;
  /** Lets query i see only keys up to i. */
  readonly causal: boolean;
  readonly hasMask: boolean;
  /** Probability of dropping a weight; over 0, the last input is a generator's state. */
  readonly dropoutP: number;
}

export interface AttentionSizes {
  /** The dims before the last two, to which all operands broadcast. */
  readonly batch: Shape;
  readonly queries: number;
  readonly keys: number;
  /** Width of queries and keys. */
  readonly width: number;
  /** Width of values. */
  readonly values: number;
}

/** Programs have at most eight dims. */
export const maxAttentionBatchRank = 6;

/** The sizes of an attention over q [...batch, T, E], k [...batch, S, E], v [...batch, S, V]. */
export function attentionSizes([q, k, v]: readonly ValueType[]): AttentionSizes {
  const shapes = [q!.shape, k!.shape, v!.shape] as const;
  const batch = q!.shape
    .slice(0, -2)
    .map((_, i) => shapes.map((shape) => shape[i]!).find((n) => n !== 1) ?? 1);
  const [queries, width] = q!.shape.slice(-2) as [number, number];
  const [keys, values] = v!.shape.slice(-2) as [number, number];
  return { batch, queries, keys, width, values };
}

const broadcasts = (shape: Shape, to: Shape): boolean =>
  shape.length === to.length && shape.every((n, i) => n === 1 || n === to[i]);

function checkOperands(inputs: readonly ValueType[], attributes: AttentionAttributes) {
  const [q, k, v] = inputs as [ValueType, ValueType, ValueType];
  if (!isFloat(q.dtype) || k.dtype !== q.dtype || v.dtype !== q.dtype)
    throw new DTypeError("", `needs one float dtype, got ${q.dtype}, ${k.dtype}, ${v.dtype}`);
  const shapes = [q, k, v].map((x) => formatShape(x.shape)).join(", ");
  if (q.shape.length < 2 || q.shape.length > maxAttentionBatchRank + 2)
    throw new ShapeError("", `needs two to ${maxAttentionBatchRank + 2} dims, got ${shapes}`);
  const sizes = attentionSizes(inputs);
  const { batch, queries, keys, width, values } = sizes;
  const fits =
    broadcasts(q.shape, [...batch, queries, width]) &&
    broadcasts(k.shape, [...batch, keys, width]) &&
    broadcasts(v.shape, [...batch, keys, values]) &&
    k.shape.at(-2) === keys &&
    k.shape.at(-1) === width;
  if (!fits) throw new ShapeError("", `q, k and v do not fit: ${shapes}`);
  return { ...sizes, dtype: q.dtype, extra: attributes };
}

function checkExtras(
  extras: readonly ValueType[],
  { batch, queries, keys, dtype, extra }: ReturnType<typeof checkOperands>,
) {
  const [mask, state] = extra.hasMask ? extras : [undefined, extras[0]];
  if (mask && !broadcasts(mask.shape, [...batch, queries, keys]))
    throw new ShapeError(
      "",
      `the mask ${formatShape(mask.shape)} does not fit ${formatShape([...batch, queries, keys])}`,
    );
  if (mask && mask.dtype !== "bool" && mask.dtype !== dtype)
    throw new DTypeError("", `the mask must be bool or ${dtype}, got ${mask.dtype}`);
  const count = Number(extra.hasMask) + Number(extra.dropoutP > 0);
  const isState = !state || (state.dtype === "int32" && formatShape(state.shape) === "[4]");
  if (extras.length !== count || !isState)
    throw new ShapeError("", "the mask or the generator's state is missing or no int32 [4]");
}

/**
 * inputs: q, k, v, mask (bool, or numbers to add; broadcasts to [...batch, T, S]), generator state. Gives one flat array: the result
 * softmax(scale·q·kᵀ + mask)·v, then each row's log Σ exp of the scores, which is for the gradient alone and carries none.
 */
const attention: Primitive<AttentionAttributes> = {
  class: "contract",
  arity: "any",
  walksViews: true,
  infer(inputs, attributes) {
    const sizes = checkOperands(inputs, attributes);
    checkExtras(inputs.slice(3), sizes);
    const { batch, queries, values, dtype } = sizes;
    return { dtype, shape: [sizeOf(batch) * queries * (values + 1)] };
  },
};

/** inputs: q, k, v, the flat result of `attention`, the cotangent of its rows, mask, state → dq, dk, dv in one flat array. */
const attentionGrad: Primitive<AttentionAttributes> = {
  class: "contract",
  arity: "any",
  walksViews: true,
  infer(inputs, attributes) {
    const sizes = checkOperands(inputs, attributes);
    checkExtras(inputs.slice(5), sizes);
    const { batch, queries, keys, width, values, dtype } = sizes;
    const [forward, g] = inputs.slice(3, 5) as [ValueType, ValueType];
    const count = sizeOf(batch);
    const fits =
      formatShape(forward.shape) === formatShape([count * queries * (values + 1)]) &&
      formatShape(g.shape) === formatShape([...batch, queries, values]);
    if (!fits || forward.dtype !== dtype || g.dtype !== dtype)
      throw new ShapeError(
        "",
        `the cotangent is ${g.dtype}${formatShape(g.shape)}, expected ` +
          `${dtype}${formatShape([...batch, queries, values])}`,
      );
    return { dtype, shape: [count * ((queries + keys) * width + keys * values)] };
  },
};

export const attentionPrimitives = { attention, attentionGrad };
