/** The interpreter's loops for primitives that read or write where another value says, and random bits. */
import { ValueError } from "../../core/errors.js";
import { randomBits } from "../../core/random.js";
import { around, type Shape, sizeOf } from "../../core/shape.js";
import type { Node } from "../graph.js";
import { wrap } from "./strided.js";

/** Calls `visit(flat index of the indices, place along the indexed tensor)` for each index, checked. */
function forEachIndex(
  node: Node,
  indices: Float64Array,
  shape: Shape,
  dim: number,
  size: number,
  visit: (from: number, place: number) => void,
): void {
  const [outer, count, inner] = around(shape, dim);
  for (let o = 0; o < outer; o++)
    for (let j = 0; j < count; j++)
      for (let i = 0; i < inner; i++) {
        const from = (o * count + j) * inner + i;
        const index = indices[from]!;
        if (!(index >= 0 && index < size))
          throw new ValueError(
            node.origin,
            `index ${index} is out of range: expected 0 to ${size - 1}`,
          );
        visit(from, (o * size + index) * inner + i);
      }
}

function gather(node: Node<"gather">, [x, indices]: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(indices!.length);
  const { dim } = node.attributes;
  const size = node.inputs[0]!.shape[dim]!;
  forEachIndex(node, indices!, node.shape, dim, size, (from, place) => {
    out[from] = x![place]!;
  });
  return out;
}

function scatterAdd(
  node: Node<"scatterAdd">,
  [updates, indices]: readonly Float64Array[],
): Float64Array {
  const out = new Float64Array(sizeOf(node.shape));
  const { dim, size } = node.attributes;
  forEachIndex(node, indices!, node.inputs[1]!.shape, dim, size, (from, place) => {
    out[place] = wrap(node.dtype, out[place]! + updates![from]!);
  });
  return out;
}

/** Calls `visit(place in the list, place in the indexed tensor)` for each element of the parts listed. */
function forEachPart(
  node: Node,
  indices: Float64Array,
  shape: Shape,
  dim: number,
  size: number,
  visit: (from: number, place: number) => void,
): void {
  const inner = sizeOf(shape.slice(dim + 1));
  const spread = Float64Array.from(
    { length: sizeOf(shape) },
    (_, i) => indices[Math.floor(i / inner) % indices.length]!,
  );
  forEachIndex(node, spread, shape, dim, size, visit);
}

function indexSelect(
  node: Node<"indexSelect">,
  [x, indices]: readonly Float64Array[],
): Float64Array {
  const out = new Float64Array(sizeOf(node.shape));
  const { dim } = node.attributes;
  const size = node.inputs[0]!.shape[dim]!;
  forEachPart(node, indices!, node.shape, dim, size, (from, place) => {
    out[from] = x![place]!;
  });
  return out;
}

function indexAdd(
  node: Node<"indexAdd">,
  [updates, indices]: readonly Float64Array[],
): Float64Array {
  const out = new Float64Array(sizeOf(node.shape));
  const { dim, size } = node.attributes;
  forEachPart(node, indices!, node.inputs[0]!.shape, dim, size, (from, place) => {
    out[place] = wrap(node.dtype, out[place]! + updates![from]!);
  });
  return out;
}

function scatter(
  node: Node<"scatter">,
  [x, indices, updates]: readonly Float64Array[],
): Float64Array {
  const out = x!.slice();
  const { dim } = node.attributes;
  forEachIndex(node, indices!, node.inputs[1]!.shape, dim, node.shape[dim]!, (from, place) => {
    out[place] = updates![from]!;
  });
  return out;
}

function drawBits(node: Node<"randomBits">, [state]: readonly Float64Array[]): Float64Array {
  const bits = new Int32Array(sizeOf(node.shape));
  randomBits(state!, bits);
  return Float64Array.from(bits);
}

export const indexEvaluators = {
  gather,
  scatterAdd,
  indexSelect,
  indexAdd,
  scatter,
  randomBits: drawBits,
};
