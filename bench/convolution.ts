/** Convolutions of square pictures as the C++ engine takes them, for convolutions.ts and engine.ts. */
import { type Instruction, noise } from "../test/engine/program.js";

export type Layer = readonly [
  n: number,
  c: number,
  o: number,
  size: number,
  k: number,
  pad: number,
  stride: number,
];

export const kernels = ["convolution", "convolutionInputGrad", "convolutionWeightGrad"] as const;

const outSize = ([, , , size, k, pad, stride]: Layer): number =>
  Math.floor((size + 2 * pad - k) / stride) + 1;

/** Floating-point operations of the direct algorithm. */
export function flopsOf(layer: Layer): number {
  const [n, c, o, , k] = layer;
  return 2 * n * o * outSize(layer) ** 2 * c * k * k;
}

/** One kernel with arrays of its own: pictures, weights, results. */
export function convolution(kernel: (typeof kernels)[number], layer: Layer) {
  const [n, c, o, size, k, pad, stride] = layer;
  const out = outSize(layer);
  const lengths = [n * c * size * size, o * c * k * k, n * o * out * out];
  const sizes = [size, size, k, k, out, out, stride, stride, pad, pad, 1, 1];
  const payload = [2, n, c, o, 1, ...sizes, 0, 0, 1, 0, 2, 0];
  const instruction: Instruction = { kernel, payload };
  return { arrays: lengths.map((length, i) => noise(length, i + 1)), instruction };
}
