/**
 * Speed of single kernels of the C++ engine, on the addon and on WASM: GFLOP/s of matrix products and of the convolutions
 * of LeNet-5 (batch 64) and ResNet-18 (CIFAR, batch 32), and the time of some fused kernels.
 * Run: npx tsx bench/engine.ts [native|wasm] [threads] [filter]
 */
import { existsSync, readFileSync } from "node:fs";
import type { CpuModule } from "../src/backend/cpu/module.js";
import { loadNative } from "../src/backend/cpu/native.js";
import { instantiateWasm } from "../src/backend/cpu/wasm.js";
import type { TypedArray } from "../src/core/dtype.js";
import { encode, fused, type Instruction, noise } from "../test/engine/program.js";
import { convolution, flopsOf, kernels, type Layer } from "./convolution.js";

interface Workload {
  readonly name: string;
  readonly arrays: readonly TypedArray[];
  readonly instruction: Instruction;
  readonly constants?: readonly number[];
  /** Floating-point operations, or 0 where only the time is of interest. */
  readonly flops: number;
}

function dot(m: number, n: number, k: number, transposed = false): Workload {
  const arrays = [noise(m * k, 1), noise(k * n, 2), new Float32Array(m * n)];
  const b = transposed ? [1, k] : [n, 1];
  const payload = [0, m, n, k, 0, 0, k, 1, 1, 0, ...b, 2, 0, n, 1];
  const name = `dot ${m}×${n}×${k}${transposed ? " (B transposed)" : ""}`;
  return { name, arrays, instruction: { kernel: "dot", payload }, flops: 2 * m * n * k };
}

const convolutions = (label: string, layer: Layer): Workload[] =>
  kernels.map((kernel) => ({
    name: `${label} ${kernel}`,
    ...convolution(kernel, layer),
    flops: flopsOf(layer),
  }));

function sum(dims: number[], reduced: number[]): Workload {
  const strides = dims.map((_, d) => dims.slice(d + 1).reduce((a, b) => a * b, 1));
  const kept = dims.map((n, d) => (reduced[d] ? 1 : n));
  const keptStrides = dims.map((_, d) =>
    reduced[d] ? 0 : kept.slice(d + 1).reduce((a, b) => a * b, 1),
  );
  const count = dims.reduce((a, b) => a * b, 1);
  const instruction = fused({
    dims,
    reduced,
    inputs: [{ buffer: 0, strides }],
    reductions: [{ primitive: "reduceSum", buffer: 1, register: 0, strides: keptStrides }],
  });
  const arrays = [noise(count), new Float32Array(kept.reduce((a, b) => a * b, 1))];
  return { name: `sum of [${dims}] over [${reduced}]`, arrays, instruction, flops: 0 };
}

function adam(count: number): Workload {
  const arrays = [0, 1, 2, 3].map((i) => noise(count, i + 1).map(Math.abs));
  const float = (
    primitive: "multiply" | "add" | "subtract" | "divide" | "sqrt",
    ...operands: number[]
  ) => ({ primitive, from: "float32", operands }) as const;
  const strides = [1];
  const instruction = fused({
    dims: [count],
    inputs: [0, 1, 2, 3].map((buffer) => ({ buffer, strides })),
    constants: [0, 1, 2, 3, 4, 5].map((i) => ["float32", i] as const),
    operations: [
      float("multiply", 1, 4), // m·β1
      float("multiply", 3, 5), // g·(1 − β1)
      float("add", 10, 11), // m
      float("multiply", 2, 6), // v·β2
      float("multiply", 3, 3),
      float("multiply", 14, 7),
      float("add", 13, 15), // v
      float("sqrt", 16),
      float("add", 17, 8), // + eps
      float("divide", 12, 18),
      float("multiply", 19, 9), // lr
      float("subtract", 0, 20),
    ],
    outputs: [
      { buffer: 1, register: 12, strides },
      { buffer: 2, register: 16, strides },
      { buffer: 0, register: 21, strides },
    ],
  });
  const constants = [0.9, 0.1, 0.999, 0.001, 1e-8, 1e-3];
  return { name: `Adam step of ${count}`, arrays, instruction, constants, flops: 0 };
}

function elementary(primitive: "exponential" | "tanh" | "log" | "logistic"): Workload {
  const arrays = [noise(1 << 16).map((v) => Math.abs(v) + 0.1), new Float32Array(1 << 16)];
  const strides = [1];
  const instruction = fused({
    dims: [1 << 16],
    inputs: [{ buffer: 0, strides }],
    operations: [{ primitive, from: "float32", operands: [0] }],
    outputs: [{ buffer: 1, register: 1, strides }],
  });
  return { name: `${primitive} of ${1 << 16}`, arrays, instruction, flops: 0 };
}

function pool(): Workload {
  const arrays = [noise(64 * 6 * 784), new Int32Array(64 * 6 * 196)];
  const payload = [2, 384, 28, 28, 2, 2, 14, 14, 2, 2, 0, 0, 1, 1, 0, 0, 1, 0];
  return {
    name: "windowArgMax 384 × 28×28",
    arrays,
    instruction: { kernel: "windowArgMax", payload },
    flops: 0,
  };
}

function indexing(kernel: "gather" | "scatterAdd"): Workload {
  const index = new Int32Array(384 * 196).map((_, i) => (i % 196) * 4);
  const [large, small] = [new Float32Array(384 * 784), new Float32Array(384 * 196)];
  const arrays = kernel === "gather" ? [large, index, small] : [small, index, large];
  const payload = [384, 784, 1, 196, 0, 0, 1, 0, 2, 0];
  return { name: `${kernel} 384 × 196 of 784`, arrays, instruction: { kernel, payload }, flops: 0 };
}

const workloads = (): Workload[] => [
  ...[64, 128, 256, 512, 1024, 2048].map((n) => dot(n, n, n)),
  dot(64, 120, 400, true),
  dot(64, 84, 120, true),
  dot(64, 10, 84, true),
  dot(64, 400, 120),
  dot(128, 256, 784, true),
  dot(1, 4096, 4096, true),
  ...convolutions("LeNet conv1", [64, 1, 6, 28, 5, 2, 1]),
  ...convolutions("LeNet conv2", [64, 6, 16, 14, 5, 0, 1]),
  ...convolutions("ResNet 64×32×32", [32, 64, 64, 32, 3, 1, 1]),
  ...convolutions("ResNet 128×16×16", [32, 128, 128, 16, 3, 1, 1]),
  ...convolutions("ResNet 256×8×8", [32, 256, 256, 8, 3, 1, 1]),
  ...convolutions("ResNet 512×4×4", [32, 512, 512, 4, 3, 1, 1]),
  ...convolutions("ResNet 64→128 stride 2", [32, 64, 128, 32, 3, 1, 2]),
  sum([64, 6, 784], [1, 0, 1]),
  sum([64, 120], [1, 0]),
  sum([1024, 1024], [0, 1]),
  sum([1024, 1024], [1, 0]),
  adam(61706),
  adam(1 << 20),
  elementary("exponential"),
  elementary("log"),
  elementary("tanh"),
  elementary("logistic"),
  pool(),
  indexing("gather"),
  indexing("scatterAdd"),
];

/** The median time of a run, in ms, over about 0.2 s. */
function time(module: CpuModule, { arrays, instruction, constants = [] }: Workload): number {
  const program = encode(arrays, [instruction], constants);
  const loaded = module.load(program.words, program.constants);
  const times: number[] = [];
  const end = performance.now() + 200;
  loaded.run(arrays);
  do {
    const start = performance.now();
    loaded.run(arrays);
    times.push(performance.now() - start);
  } while (performance.now() < end);
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

function bench(module: CpuModule, filter: string): void {
  console.log(`${module.name}, ${module.isa}, ${module.threads} thread(s)`);
  for (const workload of workloads()) {
    if (!workload.name.includes(filter)) continue;
    const ms = time(module, workload);
    const speed = workload.flops === 0 ? "" : `${(workload.flops / ms / 1e6).toFixed(1)} GFLOP/s`;
    console.log(`  ${workload.name.padEnd(44)} ${(ms * 1e3).toFixed(1).padStart(10)} µs  ${speed}`);
  }
}

const [which = "native", threads = "1", filter = ""] = process.argv.slice(2);
const wasmFile = new URL("../dist/wasm/gradus.wasm", import.meta.url);
if (which === "native") {
  const native = loadNative();
  if ("missing" in native) throw new Error(native.missing);
  native.setThreads(Number(threads));
  bench(native, filter);
} else if (existsSync(wasmFile)) {
  bench(instantiateWasm(readFileSync(wasmFile)), filter);
}
