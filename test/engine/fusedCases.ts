/** Cases for fused kernels: every primitive and element type, every way to walk memory, every shape of reduction. */
import { allocate, type DType, dtypes, isFloat, type TypedArray } from "../../src/core/dtype.js";
import { pointwisePrimitives } from "../../src/ir/primitives/pointwise.js";
import type { PointwisePrimitive } from "../../src/ir/primitives.js";
import { type PointwiseName, primitives } from "../../src/ir/primitives.js";
import type { Case } from "./case.js";
import { encode, type FusedKernel, fused, noise } from "./program.js";
import { dotStrides, forEachIndex } from "./reference.js";

const specials = [0, -0, 1, -1, 0.5, 2, -2.5, 3, 88, -88, 1e-40, 1e30, -1e30, 100, -104, 0.3];
const nonFinite = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const integers = [0, 1, -1, 2, 7, -7, 31, 32, 255, 2147483647, -2147483648, 65537];

function samples(dtype: DType, count: number, seed: number): TypedArray {
  const array = allocate(dtype, count);
  const pool = isFloat(dtype) ? [...specials, ...nonFinite] : integers;
  const random = noise(count, seed);
  for (let i = 0; i < count; i++) {
    const isSpecial = i % 3 === 0;
    const value = isSpecial ? pool[(i * seed + seed) % pool.length]! : random[i]! * 12;
    array[i] = dtype === "bool" ? Number(value > 0) : value;
  }
  return array;
}

const toInt32 = (a: number) =>
  Number.isNaN(a) ? 0 : Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(a)));

/** A number as an element of `dtype` holds it. */
function rounded(value: number, dtype: DType): number {
  if (dtype === "bool") return Number(value !== 0);
  if (dtype === "float32") return Math.fround(value);
  if (dtype === "float64") return value;
  return dtype === "int32" ? value | 0 : value & 255;
}

/** The others may differ from float64's result by a few units in the last place. */
const exact = new Set(
  "negate abs sign floor sqrt ceil roundNearestEven truncate add subtract multiply divide remainder"
    .concat(" maximum minimum select and or xor shiftLeft shiftRightLogical")
    .split(" "),
);

/** A kernel over one dim that applies `name` to arrays 0 to arity − 1. */
function pointwiseCase(name: PointwiseName, dtype: DType, count: number): Case {
  const primitive = primitives[name] as PointwisePrimitive;
  const arity = primitive.arity as number;
  const types = name === "select" ? (["bool", dtype, dtype] as const) : [dtype, dtype];
  const inputs = types.slice(0, arity).map((type, i) => samples(type, count, i + 3));
  const empty = { shape: [count], dtype };
  const given = types.slice(0, arity).map((type) => ({ ...empty, dtype: type }));
  const result = primitive.infer(given, {}).dtype;
  const integer = !isFloat(dtype) && primitive.evaluateInteger;
  const values = Array.from({ length: count }, (_, i) => {
    const [a = 0, b = 0, c = 0] = inputs.map((input) => input[i]!);
    return rounded(integer ? integer(a, b) : primitive.evaluate(a, b, c), result);
  });
  const arrays = [...inputs, allocate(result, count)];
  const kernel: FusedKernel = {
    dims: [count],
    inputs: inputs.map((_, buffer) => ({ buffer, strides: [1] })),
    operations: [{ primitive: name, from: dtype, to: result, operands: inputs.map((_, i) => i) }],
    outputs: [{ buffer: arity, register: arity, strides: [1] }],
  };
  const buffers = arrays.map((array, i) => ({ array, dtype: i < arity ? types[i]! : result }));
  const isInexact = result === dtype && isFloat(dtype) && !exact.has(name);
  const tolerance = isInexact ? (dtype === "float32" ? 4e-7 : 1e-13) : 0;
  return {
    name: `${name} ${dtype} [${count}]`,
    program: encode(buffers, [fused(kernel)]),
    arrays,
    expected: [{ slot: arity, values, tolerance }],
  };
}

function convertCase(from: DType, to: DType): Case {
  const count = 517;
  const x = samples(from, count, 5);
  const arrays = [x, allocate(to, count)];
  const values = Array.from(x, (value) => {
    if (isFloat(to) || to === "bool") return rounded(value, to);
    return rounded(toInt32(value), to);
  });
  const kernel: FusedKernel = {
    dims: [count],
    inputs: [{ buffer: 0, strides: [1] }],
    operations: [{ primitive: "convert", from, to, operands: [0] }],
    outputs: [{ buffer: 1, register: 1, strides: [1] }],
  };
  const buffers = [
    { array: x, dtype: from },
    { array: arrays[1]!, dtype: to },
  ];
  return {
    name: `convert ${from} to ${to}`,
    program: encode(buffers, [fused(kernel)]),
    arrays,
    expected: [{ slot: 1, values, tolerance: 0 }],
  };
}

function pointwiseCases(): Case[] {
  const cases: Case[] = [];
  for (const name of Object.keys(pointwisePrimitives) as PointwiseName[]) {
    if (name === "convert" || name === "stopGradient") continue;
    for (const dtype of dtypes) {
      const first = name === "select" ? "bool" : dtype;
      const row = primitives[name] as PointwisePrimitive;
      const types = [first, dtype, dtype].slice(0, row.arity as number);
      try {
        row.infer(
          types.map((type) => ({ shape: [1], dtype: type })),
          {},
        );
      } catch {
        continue; // The primitive does not take this element type.
      }
      for (const count of [1, 37, 1037]) cases.push(pointwiseCase(name, dtype, count));
    }
  }
  for (const from of dtypes) for (const to of dtypes) cases.push(convertCase(from, to));
  return cases;
}

interface Layout {
  readonly dims: readonly number[];
  /** Offset and strides of x, of y and of the output. */
  readonly x: readonly [number, readonly number[]];
  readonly y: readonly [number, readonly number[]];
  readonly out: readonly [number, readonly number[]];
}

const extent = (dims: readonly number[], [offset, strides]: readonly [number, readonly number[]]) =>
  offset + dims.reduce((sum, n, d) => sum + Math.max(0, (n - 1) * strides[d]!), 0) + 1;

/** out = x·y + index + 2, with the operands walked as `layout` says. */
function layoutCase(layout: Layout): Case {
  const { dims } = layout;
  const x = noise(extent(dims, layout.x), 3);
  const y = noise(extent(dims, layout.y), 4);
  const out = new Float32Array(extent(dims, layout.out));
  const ramp = dims.map((_, d) => d + 1);
  const values = Float32Array.from(out);
  forEachIndex(dims, (index) => {
    const a = x[layout.x[0] + dotStrides(index, layout.x[1])]!;
    const b = y[layout.y[0] + dotStrides(index, layout.y[1])]!;
    const sum = Math.fround(Math.fround(a * b) + (dotStrides(index, ramp) - 5));
    values[layout.out[0] + dotStrides(index, layout.out[1])] = Math.fround(sum + 2);
  });
  const kernel: FusedKernel = {
    dims,
    inputs: [
      { buffer: 0, offset: layout.x[0], strides: layout.x[1] },
      { buffer: 1, offset: layout.y[0], strides: layout.y[1] },
      { buffer: -1, offset: -5, strides: ramp },
    ],
    constants: [["float32", 0]],
    operations: [
      { primitive: "multiply", from: "float32", operands: [0, 1] },
      { primitive: "convert", from: "int32", to: "float32", operands: [2] },
      { primitive: "add", from: "float32", operands: [4, 5] },
      { primitive: "add", from: "float32", operands: [6, 3] },
    ],
    outputs: [{ buffer: 2, offset: layout.out[0], register: 7, strides: layout.out[1] }],
  };
  return {
    name: `walk ${JSON.stringify(layout)}`,
    program: encode([x, y, out], [fused(kernel)], [2]),
    arrays: [x, y, out],
    expected: [{ slot: 2, values, tolerance: 0 }],
  };
}

const layouts: Layout[] = [
  { dims: [], x: [2, []], y: [0, []], out: [1, []] },
  { dims: [0, 5], x: [0, [5, 1]], y: [0, [5, 1]], out: [0, [5, 1]] },
  { dims: [5000], x: [4999, [-1]], y: [0, [0]], out: [3, [1]] },
  { dims: [70001], x: [0, [1]], y: [0, [2]], out: [0, [1]] },
  { dims: [64, 10], x: [0, [10, 1]], y: [0, [0, 1]], out: [0, [10, 1]] },
  { dims: [13, 300], x: [0, [300, 1]], y: [0, [1, 13]], out: [0, [300, 1]] },
  { dims: [300, 13], x: [1, [1, 300]], y: [0, [1, 0]], out: [0, [13, 1]] },
  { dims: [3, 5, 200], x: [0, [1000, 200, 1]], y: [0, [0, 1, 0]], out: [0, [200, 600, 1]] },
  { dims: [40, 3, 1700], x: [0, [5100, 1700, 1]], y: [0, [0, 1, 0]], out: [0, [5100, 1700, 1]] },
  {
    dims: [3, 4, 5, 6],
    x: [119, [-40, -10, -2, 1]],
    y: [0, [1, 3, 12, 60]],
    out: [0, [120, 30, 6, 1]],
  },
  {
    dims: [2, 3, 2, 3, 2],
    x: [0, [36, 12, 6, 2, 1]],
    y: [0, [0, 1, 0, 3, 0]],
    out: [7, [1, 2, 6, 12, 36]],
  },
];

/** Several reductions of x and of 2x at once, with 2x stored too. */
function reductionCase(dims: readonly number[], reduced: readonly number[], dtype: DType): Case {
  const count = dims.reduce((a, b) => a * b, 1);
  const x = allocate(dtype, count);
  const random = noise(count, 9);
  for (let i = 0; i < count; i++) x[i] = isFloat(dtype) ? random[i]! : Math.trunc(random[i]! * 9);
  const strides = dims.map((_, d) => dims.slice(d + 1).reduce((a, b) => a * b, 1));
  const kept = dims.map((n, d) => (reduced[d] ? 1 : n));
  const keptCount = kept.reduce((a, b) => a * b, 1);
  const keptStrides = dims.map((_, d) =>
    reduced[d] ? 0 : kept.slice(d + 1).reduce((a, b) => a * b, 1),
  );
  const sum = new Float64Array(keptCount);
  const largest = new Float64Array(keptCount).fill(Number.NEGATIVE_INFINITY);
  const doubled = Array.from(x, (value) => value * 2);
  forEachIndex(dims, (index) => {
    const [to, from] = [dotStrides(index, keptStrides), dotStrides(index, strides)];
    sum[to]! += doubled[from]!;
    largest[to] = Math.max(largest[to]!, x[from]!);
  });
  const kernel: FusedKernel = {
    dims,
    reduced,
    inputs: [{ buffer: 0, strides }],
    operations: [{ primitive: "add", from: dtype, operands: [0, 0] }],
    outputs: [{ buffer: 1, register: 1, strides }],
    reductions: [
      { primitive: "reduceSum", buffer: 2, register: 1, strides: keptStrides },
      { primitive: "reduceMax", buffer: 3, register: 0, strides: keptStrides },
    ],
  };
  const arrays = [
    x,
    allocate(dtype, count),
    allocate(dtype, keptCount),
    allocate(dtype, keptCount),
  ];
  const expected = [
    { slot: 1, values: doubled, tolerance: 0 },
    { slot: 2, values: sum, tolerance: dtype === "float32" ? 2e-6 * Math.sqrt(count) : 1e-11 },
  ];
  if (count > 0) expected.push({ slot: 3, values: largest as never, tolerance: 0 });
  return {
    name: `reduce ${dtype} [${dims}] over [${reduced}]`,
    program: encode(arrays, [fused(kernel)]),
    arrays,
    expected,
  };
}

function reductionCases(): Case[] {
  const shapes = [
    [17],
    [70000],
    [100, 10],
    [10, 100],
    [64, 120],
    [130, 1500],
    [50000, 3],
    [3, 50000],
  ];
  shapes.push([5, 7, 9], [4, 6, 784], [4, 784, 6], [3, 5, 2, 150], [0, 4], [4, 0], [2, 3, 2, 3]);
  const cases: Case[] = [];
  for (const dims of shapes)
    for (let mask = 1; mask < 1 << dims.length; mask++) {
      const reduced = dims.map((_, d) => (mask >> d) & 1);
      cases.push(reductionCase(dims, reduced, "float32"));
      if (mask === 1) {
        cases.push(reductionCase(dims, reduced, "float64"));
        cases.push(reductionCase(dims, reduced, "int32"));
      }
    }
  return cases;
}

/** Products, minima and NaNs of segments; and sums of numbers that float32 alone would lose. */
function otherReductions(): Case[] {
  const x = Float32Array.of(1e30, 1e30, 1e-30, 1e-30, 3, Number.NaN, 2, -5, 1, 1, 1, 1);
  const fold = (
    primitive: "reduceProduct" | "reduceMin" | "reduceMax",
    values: number[],
  ): Case => ({
    name: primitive,
    program: encode(
      [x, new Float32Array(3)],
      [
        fused({
          dims: [3, 4],
          reduced: [0, 1],
          inputs: [{ buffer: 0, strides: [4, 1] }],
          reductions: [{ primitive, buffer: 1, register: 0, strides: [1, 0] }],
        }),
      ],
    ),
    arrays: [x, new Float32Array(3)],
    expected: [{ slot: 1, values, tolerance: 1e-6 }],
  });
  const million = new Float32Array(1 << 20).fill(0.1);
  const sum: Case = {
    name: "a long float32 sum keeps its digits",
    program: encode(
      [million, new Float32Array(1)],
      [
        fused({
          dims: [million.length],
          reduced: [1],
          inputs: [{ buffer: 0, strides: [1] }],
          reductions: [{ primitive: "reduceSum", buffer: 1, register: 0, strides: [0] }],
        }),
      ],
    ),
    arrays: [million, new Float32Array(1)],
    expected: [{ slot: 1, values: [Math.fround(0.1) * million.length], tolerance: 1e-6 }],
  };
  return [
    fold("reduceProduct", [1, Number.NaN, 1]),
    fold("reduceMin", [Math.fround(1e-30), Number.NaN, 1]),
    fold("reduceMax", [Math.fround(1e30), Number.NaN, 1]),
    sum,
  ];
}

/** p ← p − 0.1·(m ← 0.9·m + g), where both results overwrite inputs that are read after the first is made. */
function inPlaceCase(): Case {
  const count = 3001;
  const [p, m, g] = [noise(count, 1), noise(count, 2), noise(count, 3)];
  const [c9, c1] = [Math.fround(0.9), Math.fround(0.1)];
  const moved = m.map((value, i) => Math.fround(Math.fround(value * c9) + g[i]!));
  const stepped = p.map((value, i) => Math.fround(value - Math.fround(moved[i]! * c1)));
  const sum = stepped.map((value, i) => Math.fround(value + m[i]!));
  const float = (primitive: "multiply" | "add" | "subtract", ...operands: number[]) =>
    ({ primitive, from: "float32", operands }) as const;
  const strides = [1];
  const kernel: FusedKernel = {
    dims: [count],
    inputs: [0, 1, 2].map((buffer) => ({ buffer, strides })),
    constants: [
      ["float32", 0],
      ["float32", 1],
    ],
    operations: [
      float("multiply", 1, 3),
      float("add", 5, 2),
      float("multiply", 6, 4),
      float("subtract", 0, 7),
      float("add", 8, 1),
    ],
    outputs: [
      { buffer: 3, register: 6, strides },
      { buffer: 4, register: 8, strides },
      { buffer: 5, register: 9, strides },
    ],
  };
  const arrays = [p, m, g, m, p, new Float32Array(count)];
  return {
    name: "update in place",
    program: encode(arrays, [fused(kernel)], [0.9, 0.1]),
    arrays,
    expected: [
      { slot: 3, values: moved, tolerance: 0 },
      { slot: 4, values: stepped, tolerance: 0 },
      { slot: 5, values: sum, tolerance: 0 },
    ],
  };
}

export const fusedCases = (): Case[] => [
  ...pointwiseCases(),
  ...layouts.map(layoutCase),
  ...reductionCases(),
  ...otherReductions(),
  inPlaceCase(),
];
