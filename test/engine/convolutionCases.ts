/** Convolutions and their gradients, compared with naive loops in float64. */
import { allocate, type DType, type TypedArray } from "../../src/core/dtype.js";
import type { Case } from "./case.js";
import { encode, noise } from "./program.js";
import { type Convolution, forEachProduct, outSizes } from "./reference.js";

const floats = (dtype: DType, count: number, seed: number): TypedArray => {
  const array = allocate(dtype, count);
  array.set(noise(count, seed));
  return array;
};

/** The size that the values of a result have, at least 1: rounding errors grow with it. */
const scaleOf = (values: Float64Array): number =>
  Math.max(1, Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length));

interface Plane extends Pick<Convolution, "n" | "c" | "o" | "in" | "pad"> {
  readonly k: number;
  readonly strides?: readonly number[];
  readonly dilation?: readonly number[];
}

const plane = ({ k, strides = [1, 1], dilation = [1, 1], ...rest }: Plane): Convolution => ({
  ...rest,
  groups: 1,
  k: [k, k],
  strides,
  dilation,
});

const convolutions: Convolution[] = [
  {
    n: 2,
    c: 1,
    o: 6,
    groups: 1,
    in: [28, 28],
    k: [5, 5],
    strides: [1, 1],
    pad: [2, 2],
    dilation: [1, 1],
  },
  {
    n: 5,
    c: 6,
    o: 16,
    groups: 1,
    in: [14, 14],
    k: [5, 5],
    strides: [1, 1],
    pad: [0, 0],
    dilation: [1, 1],
  },
  {
    n: 3,
    c: 20,
    o: 33,
    groups: 1,
    in: [9, 8],
    k: [3, 3],
    strides: [1, 1],
    pad: [1, 1],
    dilation: [1, 1],
  },
  {
    n: 2,
    c: 4,
    o: 6,
    groups: 2,
    in: [11, 7],
    k: [3, 2],
    strides: [2, 3],
    pad: [1, 0],
    dilation: [1, 2],
  },
  {
    n: 2,
    c: 5,
    o: 5,
    groups: 5,
    in: [10, 10],
    k: [3, 3],
    strides: [2, 2],
    pad: [1, 1],
    dilation: [2, 1],
  },
  {
    n: 2,
    c: 8,
    o: 12,
    groups: 1,
    in: [7, 7],
    k: [1, 1],
    strides: [2, 2],
    pad: [0, 0],
    dilation: [1, 1],
  },
  {
    n: 1,
    c: 3,
    o: 8,
    groups: 1,
    in: [33, 35],
    k: [7, 7],
    strides: [2, 2],
    pad: [3, 3],
    dilation: [1, 1],
  },
  // Many channels: Winograd's algorithm, with weights for all threads, then by panels.
  plane({ n: 3, c: 17, o: 33, in: [7, 9], k: 3, pad: [1, 1] }),
  plane({ n: 2, c: 20, o: 16, in: [8, 6], k: 3, pad: [0, 2] }),
  plane({ n: 2, c: 70, o: 68, in: [5, 8], k: 3, pad: [2, 1] }),
  plane({ n: 4, c: 160, o: 168, in: [4, 5], k: 3, pad: [1, 1] }),
  // Gathered patches: strides, dilation, kernels of other sizes.
  plane({ n: 2, c: 30, o: 62, in: [9, 10], k: 3, pad: [1, 1], strides: [2, 2] }),
  plane({ n: 3, c: 64, o: 32, in: [7, 5], k: 1, pad: [0, 0], strides: [2, 2] }),
  plane({ n: 1, c: 32, o: 32, in: [11, 9], k: 5, pad: [2, 1], dilation: [1, 2] }),
  plane({ n: 9, c: 48, o: 32, in: [3, 2], k: 3, pad: [1, 1], strides: [1, 3] }),
  { n: 4, c: 3, o: 4, groups: 1, in: [50], k: [4], strides: [3], pad: [2], dilation: [2] },
  { n: 1, c: 2, o: 2, groups: 1, in: [2600], k: [3], strides: [1], pad: [1], dilation: [1] },
  {
    n: 2,
    c: 2,
    o: 3,
    groups: 1,
    in: [5, 6, 7],
    k: [2, 3, 2],
    strides: [1, 2, 1],
    pad: [1, 1, 0],
    dilation: [1, 1, 2],
  },
  {
    n: 2,
    c: 3,
    o: 2,
    groups: 1,
    in: [4, 4],
    k: [4, 4],
    strides: [4, 4],
    pad: [0, 0],
    dilation: [1, 1],
  },
];

function casesOf(g: Convolution, dtype: DType): Case[] {
  const size = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
  const out = outSizes(g);
  const x = floats(dtype, g.n * g.c * size(g.in), 1);
  const w = floats(dtype, (g.o * g.c * size(g.k)) / g.groups, 2);
  const y = floats(dtype, g.n * g.o * size(out), 3);
  const [dx, dw, dy] = [x, w, y].map((array) => new Float64Array(array.length));
  forEachProduct(g, (xi, wi, yi) => {
    dy![yi]! += x[xi]! * w[wi]!;
    dx![xi]! += y[yi]! * w[wi]!;
    dw![wi]! += x[xi]! * y[yi]!;
  });
  const sizes = [g.in.length, g.n, g.c, g.o, g.groups, ...g.in, ...g.k, ...out];
  const payload = [...sizes, ...g.strides, ...g.pad, ...g.dilation, 0, 0, 1, 0, 2, 0];
  const kernels = [
    ["convolution", 2, dy!],
    ["convolutionInputGrad", 0, dx!],
    ["convolutionWeightGrad", 1, dw!],
  ] as const;
  return kernels.map(([kernel, slot, values]) => {
    const arrays = [x, w, y].map((array, i) =>
      i === slot ? allocate(dtype, array.length) : array,
    );
    return {
      name: `${kernel} ${dtype} ${JSON.stringify(g)}`,
      program: encode(arrays, [{ kernel, payload }]),
      arrays,
      expected: [{ slot, values, tolerance: dtype === "float32" ? 2e-5 * scaleOf(values) : 1e-12 }],
    };
  });
}

export const convolutionCases = (): Case[] =>
  convolutions.flatMap((g) => [...casesOf(g, "float32"), ...casesOf(g, "float64")]);
