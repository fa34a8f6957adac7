/** The interpreter's loops for primitives that fold dimensions. */
import { around, sizeOf, stridesOf } from "../../core/shape.js";
import type { Node } from "../graph.js";
import { primitives } from "../primitives.js";
import { gatherStrided, wrap } from "./strided.js";

const folds: Record<string, (a: number, b: number) => number> = {
  reduceSum: (a, b) => a + b,
  reduceProduct: (a, b) => a * b,
  reduceMax: primitives.maximum.evaluate as (a: number, b: number) => number,
  reduceMin: primitives.minimum.evaluate as (a: number, b: number) => number,
};

function reduce(
  node: Node<"reduceSum" | "reduceProduct" | "reduceMax" | "reduceMin">,
  [x]: readonly Float64Array[],
): Float64Array {
  const { shape } = node.inputs[0]!;
  const { dims } = node.attributes;
  const kept = shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const order = [...kept, ...dims];
  const strides = stridesOf(shape);
  const sorted = gatherStrided(
    x!,
    order.map((d) => shape[d]!),
    order.map((d) => strides[d]!),
  );
  const fold = folds[node.primitive]!;
  const length = sizeOf(dims.map((d) => shape[d]!));
  const empty = node.primitive === "reduceProduct" ? 1 : 0;
  return Float64Array.from({ length: sizeOf(node.shape) }, (_, i) => {
    if (length === 0) return empty;
    let sum = sorted[i * length]!;
    for (let j = 1; j < length; j++) sum = fold(sum, sorted[i * length + j]!);
    return wrap(node.dtype, sum);
  });
}

function argReduce(node: Node<"argMax" | "argMin">, [x]: readonly Float64Array[]): Float64Array {
  const [outer, size, inner] = around(node.inputs[0]!.shape, node.attributes.dim);
  const sign = node.primitive === "argMax" ? 1 : -1;
  const out = new Float64Array(outer * inner);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      let [best, at] = [x![o * size * inner + i]!, 0];
      for (let j = 1; j < size && !Number.isNaN(best); j++) {
        const value = x![(o * size + j) * inner + i]!;
        if (sign * value > sign * best || Number.isNaN(value)) [best, at] = [value, j];
      }
      out[o * inner + i] = at;
    }
  return out;
}

export const reduceEvaluators = {
  reduceSum: reduce,
  reduceProduct: reduce,
  reduceMax: reduce,
  reduceMin: reduce,
  argMax: argReduce,
  argMin: argReduce,
};
