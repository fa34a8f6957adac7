/** The interpreter's loops for attention, row by row, in float64. */
import { randomBits } from "../../core/random.js";
import { type Shape, sizeOf, stridesOf } from "../../core/shape.js";
import {
  attentionGradParts,
  attentionResult,
  dropThreshold,
  keepFactor,
} from "../attentionNodes.js";
import { Builder } from "../builder.js";
import type { Node } from "../graph.js";
import { type Access, accessOf } from "../passes/access.js";
import { type AttentionSizes, attentionSizes } from "../primitives/attention.js";
import type { Evaluator } from "./strided.js";

type AttentionNode = Node<"attention" | "attentionGrad">;

/** The place of element (…batch, row, column) in an array, stretched dims staying where they are. */
type Place = (batch: number, row: number, column: number) => number;

function placeOf(batchDims: Shape, offset: number, strides: readonly number[]): Place {
  const [row, column] = strides.slice(-2) as [number, number];
  return (batch, i, j) => {
    let at = offset + i * row + j * column;
    let rest = batch;
    for (let d = batchDims.length - 1; d >= 0; d--) {
      at += (rest % batchDims[d]!) * strides[d]!;
      rest = Math.floor(rest / batchDims[d]!);
    }
    return at;
  };
}

function operandPlace(shape: Shape, { batch }: AttentionSizes): Place {
  const strides = stridesOf(shape).map((stride, d) => (shape[d] === 1 ? 0 : stride));
  return placeOf(batch, 0, strides);
}

function viewPlace(view: Node, { batch }: AttentionSizes): Place {
  const { offset, strides } = accessOf(view) as Access;
  return placeOf(batch, offset, strides);
}

/** The weights of one row before dropping, and what dropping multiplies them with. */
interface Row {
  readonly weights: Float64Array;
  readonly logSum: number;
  factor(key: number): number;
}

/** Gives the weights of any row. */
function rowsOf(node: AttentionNode, inputs: readonly Float64Array[], extra: number) {
  const { scale, causal, hasMask, dropoutP } = node.attributes;
  const sizes = attentionSizes(node.inputs);
  const { queries, keys, width } = sizes;
  const [q, k] = node.inputs.slice(0, 2).map((x) => operandPlace(x.shape, sizes)) as [Place, Place];
  const maskNode = hasMask ? node.inputs[extra]! : null;
  const maskAt = maskNode && operandPlace(maskNode.shape, sizes);
  const bits = new Int32Array(dropoutP > 0 ? sizeOf(sizes.batch) * queries * keys : 0);
  if (bits.length > 0) randomBits(inputs[extra + Number(hasMask)]!, bits);
  const threshold = dropThreshold(dropoutP);
  const score = (batch: number, row: number, key: number): number => {
    if (causal && key > row) return Number.NEGATIVE_INFINITY;
    const added = maskAt ? inputs[extra]![maskAt(batch, row, key)]! : 0;
    if (maskNode?.dtype === "bool" && added === 0) return Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (let e = 0; e < width; e++)
      sum += inputs[0]![q(batch, row, e)]! * scale * inputs[1]![k(batch, key, e)]!;
    return maskNode?.dtype === "bool" ? sum : sum + added;
  };
  return (batch: number, row: number): Row => {
    const scores = Float64Array.from({ length: keys }, (_, key) => score(batch, row, key));
    const most = scores.reduce(
      (a, x) => (Number.isNaN(x) || x > a ? x : a),
      Number.NEGATIVE_INFINITY,
    );
    const shift = most === Number.NEGATIVE_INFINITY ? 0 : most;
    const powers = scores.map((x) => Math.exp(x - shift));
    const total = powers.reduce((a, x) => a + x, 0);
    const first = (batch * queries + row) * keys;
    return {
      weights: powers.map((x) => x / (total === 0 ? 1 : total)),
      logSum: shift + Math.log(total),
      factor: (key) =>
        dropoutP === 0 ? 1 : bits[first + key]! >>> 8 >= threshold ? keepFactor(dropoutP) : 0,
    };
  };
}

function attention(node: Node<"attention">, inputs: readonly Float64Array[]): Float64Array {
  const sizes = attentionSizes(node.inputs);
  const { queries, keys, values } = sizes;
  const count = sizeOf(sizes.batch);
  const rowAt = rowsOf(node, inputs, 3);
  const v = operandPlace(node.inputs[2]!.shape, sizes);
  const result = viewPlace(attentionResult(new Builder(), node, sizes), sizes);
  const out = new Float64Array(sizeOf(node.shape));
  for (let batch = 0; batch < count; batch++)
    for (let row = 0; row < queries; row++) {
      const { weights, logSum, factor } = rowAt(batch, row);
      out[count * queries * values + batch * queries + row] = logSum;
      for (let key = 0; key < keys; key++)
        for (let j = 0; j < values; j++)
          out[result(batch, row, j)]! +=
            weights[key]! * factor(key) * inputs[2]![v(batch, key, j)]!;
    }
  return out;
}

function attentionGrad(node: Node<"attentionGrad">, inputs: readonly Float64Array[]): Float64Array {
  const sizes = attentionSizes(node.inputs);
  const { queries, keys, width, values } = sizes;
  const rowAt = rowsOf(node, inputs, 5);
  const [q, k, v] = node.inputs.slice(0, 3).map((x) => operandPlace(x.shape, sizes)) as Place[];
  const g = operandPlace(node.inputs[4]!.shape, sizes);
  const views = attentionGradParts(new Builder(), node, sizes);
  const [dq, dk, dv] = views.map((view) => viewPlace(view, sizes)) as Place[];
  const out = new Float64Array(sizeOf(node.shape));
  const { scale } = node.attributes;
  const [qs, ks, vs, , gs] = inputs as readonly Float64Array[];
  for (let batch = 0; batch < sizeOf(sizes.batch); batch++)
    for (let row = 0; row < queries; row++) {
      const { weights, factor } = rowAt(batch, row);
      const slopes = new Float64Array(keys);
      let mean = 0;
      for (let key = 0; key < keys; key++) {
        for (let j = 0; j < values; j++)
          slopes[key]! += gs![g(batch, row, j)]! * vs![v!(batch, key, j)]! * factor(key);
        mean += weights[key]! * slopes[key]!;
      }
      for (let key = 0; key < keys; key++) {
        const weight = weights[key]!;
        const ds = weight * (slopes[key]! - mean) * scale;
        for (let j = 0; j < values; j++)
          out[dv!(batch, key, j)]! += weight * factor(key) * gs![g(batch, row, j)]!;
        for (let e = 0; e < width; e++) {
          out[dq!(batch, row, e)]! += ds * ks![k!(batch, key, e)]!;
          out[dk!(batch, key, e)]! += ds * qs![q!(batch, row, e)]!;
        }
      }
    }
  return out;
}

export const attentionEvaluators = { attention, attentionGrad } satisfies Record<
  string,
  Evaluator<never>
>;
