/** Cases for all kernels but the fused one. */
import { allocate, type DType, type TypedArray } from "../../src/core/dtype.js";
import { randomBits } from "../../src/core/random.js";
import type { Case } from "./case.js";
import { convolutionCases } from "./convolutionCases.js";
import { encode, noise } from "./program.js";
import { type Convolution, outSizes, windowArgMax } from "./reference.js";

const floats = (dtype: DType, count: number, seed: number): TypedArray => {
  const array = allocate(dtype, count);
  array.set(noise(count, seed));
  return array;
};

interface Product {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Which of A, B and C are stored transposed. */
  readonly transposed?: readonly boolean[];
  readonly dtype?: DType;
}

function dotCase({ batch, m, n, k, transposed = [], dtype = "float32" }: Product): Case {
  const a = floats(dtype, batch * m * k, 1);
  const b = floats(dtype, batch * k * n, 2);
  const c = allocate(dtype, batch * m * n);
  const strides = (i: number, rows: number, columns: number) =>
    transposed[i] ? [1, rows] : [columns, 1];
  const [as, bs, cs] = [strides(0, m, k), strides(1, k, n), strides(2, m, n)] as number[][];
  const values = new Float64Array(c.length);
  for (let z = 0; z < batch; z++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let q = 0; q < k; q++)
          sum +=
            a[z * m * k + i * as![0]! + q * as![1]!]! * b[z * k * n + q * bs![0]! + j * bs![1]!]!;
        values[z * m * n + i * cs![0]! + j * cs![1]!] = sum;
      }
  const payload = [1, batch, m, n, k, 0, 0, m * k, ...as!, 1, 0, k * n, ...bs!];
  payload.push(2, 0, m * n, ...cs!);
  const tolerance = dtype === "float32" ? 1e-6 * (8 + Math.sqrt(k)) : 1e-13 * (8 + Math.sqrt(k));
  return {
    name: `dot ${dtype} ${batch} × ${m}×${n}×${k} ${transposed}`,
    program: encode([a, b, c], [{ kernel: "dot", payload }]),
    arrays: [a, b, c],
    expected: [{ slot: 2, values, tolerance }],
  };
}

function dotCases(): Case[] {
  const sizes: Product[] = [
    { batch: 1, m: 1, n: 1, k: 1 },
    { batch: 3, m: 2, n: 3, k: 4 },
    { batch: 1, m: 5, n: 7, k: 0 },
    { batch: 1, m: 1, n: 300, k: 70 },
    { batch: 1, m: 300, n: 1, k: 70 },
    { batch: 1, m: 17, n: 33, k: 65 },
    { batch: 5, m: 14, n: 32, k: 16 },
    { batch: 7, m: 31, n: 19, k: 23 },
    { batch: 1, m: 64, n: 120, k: 400 },
    { batch: 1, m: 501, n: 97, k: 300 },
    { batch: 1, m: 70, n: 801, k: 31 },
  ];
  const cases: Case[] = [];
  for (const size of sizes)
    for (let mask = 0; mask < 8; mask++) {
      const transposed = [0, 1, 2].map((i) => ((mask >> i) & 1) === 1);
      cases.push(dotCase({ ...size, transposed }));
      if (mask % 3 === 0) cases.push(dotCase({ ...size, transposed, dtype: "float64" }));
    }
  return cases;
}

const windows: Omit<Convolution, "n" | "o" | "groups">[] = [
  { c: 9, in: [28, 28], k: [2, 2], strides: [2, 2], pad: [0, 0], dilation: [1, 1] },
  { c: 400, in: [15, 17], k: [2, 2], strides: [2, 2], pad: [0, 0], dilation: [1, 1] },
  { c: 3, in: [10, 9], k: [3, 3], strides: [2, 1], pad: [1, 1], dilation: [1, 2] },
  { c: 2, in: [40], k: [5], strides: [3], pad: [2], dilation: [1] },
  { c: 2, in: [4, 6, 5], k: [2, 2, 3], strides: [2, 1, 1], pad: [1, 0, 1], dilation: [1, 1, 1] },
];

function windowCase(g: Omit<Convolution, "n" | "o" | "groups">, dtype: DType): Case {
  const plane = g.in.reduce((a, b) => a * b, 1);
  const x = allocate(dtype, g.c * plane);
  const random = noise(x.length, 4);
  for (let i = 0; i < x.length; i++) x[i] = Math.round(random[i]! * 6);
  if (dtype === "float32") for (let i = 5; i < x.length; i += 41) x[i] = Number.NaN;
  const values = windowArgMax(x, g);
  const out = outSizes({ ...g, n: 1, o: 1, groups: 1 });
  const sizes = [g.in.length, g.c, ...g.in, ...g.k, ...out];
  const payload = [...sizes, ...g.strides, ...g.pad, ...g.dilation, 0, 0, 1, 0];
  const arrays = [x, new Int32Array(values.length)];
  return {
    name: `windowArgMax ${dtype} ${JSON.stringify(g)}`,
    program: encode(arrays, [{ kernel: "windowArgMax", payload }]),
    arrays,
    expected: [{ slot: 1, values, tolerance: 0 }],
  };
}

type Sizes = readonly [outer: number, size: number, inner: number, count: number];

function indexCases([outer, size, inner, count]: Sizes, dtype: DType): Case[] {
  const x = floats(dtype, outer * size * inner, 1);
  const updates = floats(dtype, outer * count * inner, 2);
  if (dtype === "int32" || dtype === "uint8")
    for (const array of [x, updates]) for (let i = 0; i < array.length; i++) array[i] = i % 100;
  const index = Int32Array.from(noise(outer * count * inner, 3), (v) =>
    Math.min(size - 1, Math.floor((v + 1) * 0.5 * size)),
  );
  const gathered = allocate(dtype, updates.length);
  const added = new Float64Array(x.length);
  for (let o = 0; o < outer; o++)
    for (let j = 0; j < count; j++)
      for (let i = 0; i < inner; i++) {
        const at = (o * count + j) * inner + i;
        const to = (o * size + index[at]!) * inner + i;
        gathered[at] = x[to]!;
        added[to]! += updates[at]!;
      }
  const payload = [outer, size, inner, count, 0, 0, 1, 0, 2, 0];
  const sums = dtype === "uint8" ? added.map((value) => value & 255) : added;
  const make = (kernel: "gather" | "scatterAdd", from: TypedArray, values: ArrayLike<number>) => {
    const arrays = [from, index, allocate(dtype, values.length)];
    return {
      name: `${kernel} ${dtype} ${[outer, size, inner, count]}`,
      program: encode(arrays, [{ kernel, payload }]),
      arrays,
      expected: [{ slot: 2, values, tolerance: kernel === "gather" ? 0 : 1e-4 }],
    };
  };
  return [make("gather", x, gathered), make("scatterAdd", updates, sums)];
}

function argReduceCase(kind: 0 | 1, outer: number, size: number, inner: number): Case {
  const x = Float32Array.from(noise(outer * size * inner, 6), (v) => Math.round(v * 20));
  for (let i = 3; i < x.length; i += 97) x[i] = Number.NaN;
  const values: number[] = [];
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      const at = (k: number) => x[(o * size + k) * inner + i]!;
      let best = 0;
      for (let k = 1; k < size; k++) {
        const better = kind === 0 ? at(k) > at(best) : at(k) < at(best);
        if (better || (Number.isNaN(at(k)) && !Number.isNaN(at(best)))) best = k;
      }
      values.push(best);
    }
  const arrays = [x, new Int32Array(outer * inner)];
  return {
    name: `argReduce ${kind} [${[outer, size, inner]}]`,
    program: encode(arrays, [
      { kernel: "argReduce", payload: [kind, outer, size, inner, 0, 0, 1, 0] },
    ]),
    arrays,
    expected: [{ slot: 1, values, tolerance: 0 }],
  };
}

function randomCase(count: number): Case {
  const state = Int32Array.of(123456789, -987654321, 42, -7);
  const values = new Int32Array(count);
  randomBits(state, values);
  const arrays = [state, new Int32Array(count)];
  return {
    name: `randomBits ${count}`,
    program: encode(arrays, [{ kernel: "randomBits", payload: [count, 0, 0, 1, 0] }]),
    arrays,
    expected: [{ slot: 1, values, tolerance: 0 }],
  };
}

export const kernelCases = (): Case[] => [
  ...dotCases(),
  ...convolutionCases(),
  ...windows.flatMap((g) => [windowCase(g, "float32"), windowCase(g, "int32")]),
  ...(["float32", "float64", "int32", "uint8"] as const).flatMap((dtype) => [
    ...indexCases([1, 50, 200, 70], dtype),
    ...indexCases([30, 196, 1, 49], dtype),
    ...indexCases([3, 4, 5, 0], dtype),
    ...indexCases([400, 100, 1, 100], dtype),
  ]),
  ...([0, 1] as const).flatMap((kind) => [
    argReduceCase(kind, 64, 10, 1),
    argReduceCase(kind, 3, 50, 130),
    argReduceCase(kind, 1, 1, 1),
    argReduceCase(kind, 300, 90, 2),
  ]),
  ...[0, 1, 7, 64, 1001, 40000].map(randomCase),
];
