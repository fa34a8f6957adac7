/** The interpreter's loops for sources, views and moves: where each element comes from. */
import { around, sizeOf, stridesOf } from "../../core/shape.js";
import { is, type Node } from "../graph.js";
import { gatherStrided, scatterStrided } from "./strided.js";

function iota(node: Node<"iota">): Float64Array {
  const [, size, inner] = around(node.shape, node.attributes.dim);
  return Float64Array.from({ length: sizeOf(node.shape) }, (_, i) => Math.floor(i / inner) % size);
}

function pad(node: Node<"pad">, [x]: readonly Float64Array[]): Float64Array {
  const { low, interior, value } = node.attributes;
  const out = new Float64Array(sizeOf(node.shape)).fill(value);
  const strides = stridesOf(node.shape);
  const offset = low.reduce((sum, n, i) => sum + n * strides[i]!, 0);
  const steps = strides.map((s, i) => s * (interior[i]! + 1));
  scatterStrided(out, x!, node.inputs[0]!.shape, steps, offset);
  return out;
}

function concatenate(node: Node<"concatenate">, inputs: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(sizeOf(node.shape));
  const strides = stridesOf(node.shape);
  let from = 0;
  node.inputs.forEach((x, i) => {
    const { dim } = node.attributes;
    scatterStrided(out, inputs[i]!, x.shape, strides, from * strides[dim]!);
    from += x.shape[dim]!;
  });
  return out;
}

/** Views: where each element of the result is in the input. */
function view(node: Node, [x]: readonly Float64Array[]): Float64Array {
  const strides = stridesOf(node.inputs[0]!.shape);
  if (is(node, "reshape")) return x!;
  if (is(node, "transpose"))
    return gatherStrided(
      x!,
      node.shape,
      node.attributes.permutation.map((d) => strides[d]!),
    );
  if (is(node, "broadcastInDim")) {
    const { dims } = node.attributes;
    const { shape } = node.inputs[0]!;
    const steps = node.shape.map((_, i) => {
      const at = dims.indexOf(i);
      return at < 0 || shape[at] === 1 ? 0 : strides[at]!;
    });
    return gatherStrided(x!, node.shape, steps);
  }
  if (is(node, "slice")) {
    const { start, strides: by } = node.attributes;
    const offset = start.reduce((sum, n, i) => sum + n * strides[i]!, 0);
    return gatherStrided(
      x!,
      node.shape,
      strides.map((s, i) => s * by[i]!),
      offset,
    );
  }
  const { dims } = (node as Node<"reverse">).attributes;
  const offset = dims.reduce((sum, d) => sum + (node.shape[d]! - 1) * strides[d]!, 0);
  const steps = strides.map((s, i) => (dims.includes(i) ? -s : s));
  return gatherStrided(x!, node.shape, steps, offset);
}

export const viewEvaluators = {
  constant: (node: Node<"constant">) =>
    new Float64Array(sizeOf(node.shape)).fill(node.attributes.value),
  iota,
  reshape: view,
  transpose: view,
  broadcastInDim: view,
  slice: view,
  reverse: view,
  pad,
  concatenate,
};
