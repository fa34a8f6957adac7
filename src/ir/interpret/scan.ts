/** The interpreter's loops along one dim. */
import { around } from "../../core/shape.js";
import type { Node } from "../graph.js";
import { wrap } from "./strided.js";

/** Calls `visit(first place, step)` for each line along a dim. */
function forEachLine(node: Node, dim: number, visit: (at: number, step: number) => void): void {
  const [outer, size, inner] = around(node.inputs[0]!.shape, dim);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) visit(o * size * inner + i, inner);
}

function cumulate(
  node: Node<"cumulativeSum" | "cumulativeProduct">,
  [x]: readonly Float64Array[],
): Float64Array {
  const { dim, reverse } = node.attributes;
  const size = node.shape[dim]!;
  const out = new Float64Array(x!.length);
  const isSum = node.primitive === "cumulativeSum";
  forEachLine(node, dim, (at, step) => {
    let total = isSum ? 0 : 1;
    for (let j = 0; j < size; j++) {
      const place = at + (reverse ? size - 1 - j : j) * step;
      total = wrap(node.dtype, isSum ? total + x![place]! : total * x![place]!);
      out[place] = total;
    }
  });
  return out;
}

function cumulativeArg(
  node: Node<"cumulativeArgMax" | "cumulativeArgMin">,
  [x]: readonly Float64Array[],
): Float64Array {
  const sign = node.primitive === "cumulativeArgMax" ? 1 : -1;
  const { dim } = node.attributes;
  const out = new Float64Array(x!.length);
  forEachLine(node, dim, (at, step) => {
    let best = 0;
    for (let j = 0; j < node.shape[dim]!; j++) {
      const [value, champion] = [x![at + j * step]!, x![at + best * step]!];
      if (Number.isNaN(value) || sign * value >= sign * champion) best = j;
      out[at + j * step] = best;
    }
  });
  return out;
}

function argSort(node: Node<"argSort">, [x]: readonly Float64Array[]): Float64Array {
  const { dim, descending } = node.attributes;
  const out = new Float64Array(x!.length);
  const compare = (a: number, b: number) => {
    if (Number.isNaN(a) || Number.isNaN(b))
      return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
    return a < b ? -1 : Number(a > b);
  };
  forEachLine(node, dim, (at, step) => {
    const value = (j: number) => x![at + j * step]!;
    const order = Array.from({ length: node.shape[dim]! }, (_, j) => j);
    order.sort((a, b) => (descending ? compare(value(b), value(a)) : compare(value(a), value(b))));
    order.forEach((from, j) => {
      out[at + j * step] = from;
    });
  });
  return out;
}

export const scanEvaluators = {
  cumulativeSum: cumulate,
  cumulativeProduct: cumulate,
  cumulativeArgMax: cumulativeArg,
  cumulativeArgMin: cumulativeArg,
  argSort,
};
