/** The interpreter's loops for dot products and convolutions, in float64. */
import { type Shape, sizeOf, stridesOf } from "../../core/shape.js";
import type { Node } from "../graph.js";
import { freeDims, type WindowAttributes } from "../primitives/contract.js";
import { windowTable } from "./window.js";

/** Places of all index combinations of some dims of an array, in row-major order of those dims. */
function places(shape: Shape, dims: readonly number[]): Int32Array {
  const strides = stridesOf(shape);
  let list = Int32Array.of(0);
  for (const d of dims) {
    const size = shape[d]!;
    const next = new Int32Array(list.length * size);
    for (let i = 0; i < next.length; i++)
      next[i] = list[Math.floor(i / size)]! + (i % size) * strides[d]!;
    list = next;
  }
  return list;
}

function dot(node: Node<"dotGeneral">, [x, y]: readonly Float64Array[]): Float64Array {
  const [left, right] = node.inputs as [Node, Node];
  const { lhsBatch, rhsBatch, lhsContract, rhsContract } = node.attributes;
  const batches = [places(left.shape, lhsBatch), places(right.shape, rhsBatch)] as const;
  const rows = places(left.shape, freeDims(left.shape, lhsBatch, lhsContract));
  const columns = places(right.shape, freeDims(right.shape, rhsBatch, rhsContract));
  const inner = [places(left.shape, lhsContract), places(right.shape, rhsContract)] as const;
  const out = new Float64Array(sizeOf(node.shape));
  let at = 0;
  for (let b = 0; b < batches[0].length; b++)
    for (const row of rows)
      for (const column of columns) {
        const [p, q] = [batches[0][b]! + row, batches[1][b]! + column];
        let sum = 0;
        for (let k = 0; k < inner[0].length; k++)
          sum += x![p + inner[0][k]!]! * y![q + inner[1][k]!]!;
        out[at++] = sum;
      }
  return out;
}

interface ConvolutionShapes {
  readonly x: Shape;
  readonly w: Shape;
  readonly y: Shape;
}

/** Calls `visit` with the places (x, w, y) of every product of a convolution. */
function forEachProduct(
  { x, w, y }: ConvolutionShapes,
  attributes: WindowAttributes & { groups: number },
  visit: (xi: number, wi: number, yi: number) => void,
): void {
  const table = windowTable(x.slice(2), w.slice(2), y.slice(2), attributes);
  const [plane, taps, outputs] = [x, w, y].map((s) => sizeOf(s.slice(2))) as [
    number,
    number,
    number,
  ];
  const [channels, perGroup, filters] = [x[1]!, w[1]!, y[1]!];
  const filtersPerGroup = filters / attributes.groups;
  for (let n = 0; n < y[0]!; n++)
    for (let f = 0; f < filters; f++)
      for (let c = 0; c < perGroup; c++) {
        const channel = Math.floor(f / filtersPerGroup) * perGroup + c;
        const [xAt, wAt] = [(n * channels + channel) * plane, (f * perGroup + c) * taps];
        const yAt = (n * filters + f) * outputs;
        for (let o = 0; o < outputs; o++)
          for (let t = 0; t < taps; t++) {
            const place = table[o * taps + t]!;
            if (place >= 0) visit(xAt + place, wAt + t, yAt + o);
          }
      }
}

function convolution(node: Node<"convolution">, [x, w]: readonly Float64Array[]): Float64Array {
  const y = new Float64Array(sizeOf(node.shape));
  const shapes = { x: node.inputs[0]!.shape, w: node.inputs[1]!.shape, y: node.shape };
  forEachProduct(shapes, node.attributes, (xi, wi, yi) => {
    y[yi]! += x![xi]! * w![wi]!;
  });
  return y;
}

function convolutionInputGrad(
  node: Node<"convolutionInputGrad">,
  [y, w]: readonly Float64Array[],
): Float64Array {
  const x = new Float64Array(sizeOf(node.shape));
  const shapes = { x: node.shape, w: node.inputs[1]!.shape, y: node.inputs[0]!.shape };
  forEachProduct(shapes, node.attributes, (xi, wi, yi) => {
    x[xi]! += y![yi]! * w![wi]!;
  });
  return x;
}

function convolutionWeightGrad(
  node: Node<"convolutionWeightGrad">,
  [x, y]: readonly Float64Array[],
): Float64Array {
  const w = new Float64Array(sizeOf(node.shape));
  const shapes = { x: node.inputs[0]!.shape, w: node.shape, y: node.inputs[1]!.shape };
  forEachProduct(shapes, node.attributes, (xi, wi, yi) => {
    w[wi]! += x![xi]! * y![yi]!;
  });
  return w;
}

export const contractEvaluators = {
  dotGeneral: dot,
  convolution,
  convolutionInputGrad,
  convolutionWeightGrad,
};
