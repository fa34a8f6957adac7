/** The interpreter's loops over windows of planes. */
import { type Shape, sizeOf, stridesOf } from "../../core/shape.js";
import type { Node } from "../graph.js";
import type { WindowAttributes } from "../primitives/contract.js";

/**
 * For each pair (place in the output, place in the kernel) of a window, the place in the input, or -1 in
 * the padding: a matrix [outputs, kernel places].
 */
export function windowTable(
  input: Shape,
  kernel: Shape,
  output: Shape,
  w: WindowAttributes,
): Int32Array {
  const rank = input.length;
  const strides = stridesOf(input);
  const [outputStrides, kernelStrides] = [stridesOf(output), stridesOf(kernel)];
  const [outputs, taps] = [sizeOf(output), sizeOf(kernel)];
  const table = new Int32Array(outputs * taps);
  for (let o = 0; o < outputs; o++)
    for (let t = 0; t < taps; t++) {
      let place = 0;
      for (let d = 0; d < rank && place >= 0; d++) {
        const [oi, ti] = [
          Math.floor(o / outputStrides[d]!) % output[d]!,
          Math.floor(t / kernelStrides[d]!) % kernel[d]!,
        ];
        const i = oi * w.strides[d]! + ti * w.dilation[d]! - w.padLow[d]!;
        place = i < 0 || i >= input[d]! ? -1 : place + i * strides[d]!;
      }
      table[o * taps + t] = place;
    }
  return table;
}

function windowArgMax(node: Node<"windowArgMax">, [x]: readonly Float64Array[]): Float64Array {
  const [planes, ...input] = node.inputs[0]!.shape as [number, ...number[]];
  const kernel = node.attributes.kernelSizes;
  const table = windowTable(input, kernel, node.shape.slice(1), node.attributes);
  const [plane, taps] = [sizeOf(input), sizeOf(kernel)];
  const outputs = table.length / taps;
  const out = new Float64Array(planes * outputs);
  for (let p = 0; p < planes; p++)
    for (let o = 0; o < outputs; o++) {
      let at = -1;
      for (let t = 0; t < taps; t++) {
        const place = table[o * taps + t]!;
        if (place < 0) continue;
        const [value, best] = [x![p * plane + place]!, at < 0 ? -Infinity : x![p * plane + at]!];
        if (at < 0 || value > best || (Number.isNaN(value) && !Number.isNaN(best))) at = place;
      }
      out[p * outputs + o] = at;
    }
  return out;
}

/** Calls `visit(place in x, place among the windows)` for each place of each window that is no padding. */
function forEachTap(
  input: Shape,
  output: Shape,
  attributes: WindowAttributes & { readonly kernelSizes: readonly number[] },
  visit: (xi: number, yi: number) => void,
): void {
  const spatial = [input.slice(1), output.slice(1)] as const;
  const table = windowTable(spatial[0], attributes.kernelSizes, spatial[1], attributes);
  const [plane, outputs] = spatial.map(sizeOf) as [number, number];
  const taps = sizeOf(attributes.kernelSizes);
  for (let p = 0; p < input[0]!; p++)
    for (let i = 0; i < table.length; i++)
      if (table[i]! >= 0) visit(p * plane + table[i]!, p * outputs + Math.floor(i / taps));
}

function windowSum(node: Node<"windowSum">, [x]: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(sizeOf(node.shape));
  forEachTap(node.inputs[0]!.shape, node.shape, node.attributes, (xi, yi) => {
    out[yi]! += x![xi]!;
  });
  return out;
}

function windowSumGrad(node: Node<"windowSumGrad">, [g]: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(sizeOf(node.shape));
  forEachTap(node.shape, node.inputs[0]!.shape, node.attributes, (xi, yi) => {
    out[xi]! += g![yi]!;
  });
  return out;
}

export const windowEvaluators = { windowArgMax, windowSum, windowSumGrad };
