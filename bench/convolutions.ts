/**
 * Times every convolution of the workloads, forward and both gradients, beside PyTorch's in one run, with GFLOP/s of the
 * direct algorithm, their share of the measured peak, and what each costs in a step:
 *
 *     npx tsx bench/convolutions.ts [--threads 2] [--only resnet] [--kernel WeightGrad] [--rounds 3] [--no-peer] [--wasm]
 *         [--python PROGRAM]
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { CpuModule } from "../src/backend/cpu/module.js";
import { loadNative } from "../src/backend/cpu/native.js";
import { instantiateWasm } from "../src/backend/cpu/wasm.js";
import { encode, noise } from "../test/engine/program.js";
import { convolution, flopsOf, kernels, type Layer } from "./convolution.js";

const { values: options } = parseArgs({
  options: {
    threads: { type: "string", default: "2" },
    only: { type: "string", default: "" },
    kernel: { type: "string", default: "" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "0.04" },
    "no-peer": { type: "boolean", default: false },
    wasm: { type: "boolean", default: false },
    python: { type: "string", default: "python3" },
  },
});

type KernelName = (typeof kernels)[number];

interface Task {
  readonly name: string;
  readonly kernel: KernelName;
  readonly layer: Layer;
  /** How often a training step does it. */
  readonly count: number;
  readonly times: number[];
  readonly peerTimes: number[];
}

const layers: readonly (readonly [name: string, layer: Layer, count: number, first?: boolean])[] = [
  ["lenet conv1 1→6, 5×5", [64, 1, 6, 28, 5, 2, 1], 1, true],
  ["lenet conv2 6→16, 5×5", [64, 6, 16, 14, 5, 0, 1], 1],
  ["resnet stem 3→64, 32×32", [32, 3, 64, 32, 3, 1, 1], 1, true],
  ["resnet 64→64, 32×32", [32, 64, 64, 32, 3, 1, 1], 4],
  ["resnet 64→128, stride 2", [32, 64, 128, 32, 3, 1, 2], 1],
  ["resnet 64→128, 1×1, stride 2", [32, 64, 128, 32, 1, 0, 2], 1],
  ["resnet 128→128, 16×16", [32, 128, 128, 16, 3, 1, 1], 3],
  ["resnet 128→256, stride 2", [32, 128, 256, 16, 3, 1, 2], 1],
  ["resnet 128→256, 1×1, stride 2", [32, 128, 256, 16, 1, 0, 2], 1],
  ["resnet 256→256, 8×8", [32, 256, 256, 8, 3, 1, 1], 3],
  ["resnet 256→512, stride 2", [32, 256, 512, 8, 3, 1, 2], 1],
  ["resnet 256→512, 1×1, stride 2", [32, 256, 512, 8, 1, 0, 2], 1],
  ["resnet 512→512, 4×4", [32, 512, 512, 4, 3, 1, 1], 3],
  ["conv-64-32", [64, 64, 64, 32, 3, 1, 1], 1],
  ["conv-256-8", [64, 256, 256, 8, 3, 1, 1], 1],
];

/** One run of the engine on its own arrays. */
function prepare(module: CpuModule, { kernel, layer }: Task): () => void {
  const { arrays, instruction } = convolution(kernel, layer);
  const { words, constants } = encode(arrays, [instruction]);
  const program = module.load(words, constants);
  return () => program.run(arrays);
}

const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;

/** Median time of a call in ms, over at least three. */
function time(call: () => void, seconds: number): number {
  call();
  const times: number[] = [];
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end || times.length < 3) {
    const start = performance.now();
    call();
    times.push(performance.now() - start);
  }
  return median(times);
}

/** GFLOP/s of a matrix product whose operands fit the caches: what a kernel can at most reach. */
function measurePeak(module: CpuModule): number {
  const n = 1024;
  const arrays = [noise(n * n, 1), noise(n * n, 2), new Float32Array(n * n)];
  const payload = [0, n, n, n, 0, 0, n, 1, 1, 0, n, 1, 2, 0, n, 1];
  const { words, constants } = encode(arrays, [{ kernel: "dot", payload }]);
  const program = module.load(words, constants);
  return (2 * n ** 3) / time(() => program.run(arrays), 0.3) / 1e6;
}

/** A PyTorch process that answers one timing at a time. */
function startPeer() {
  const env = { ...process.env };
  delete env.OPENBLAS_CORETYPE;
  delete env.OPENBLAS_L2_SIZE;
  const file = fileURLToPath(new URL("convolutions.py", import.meta.url));
  const child = spawn(options.python, [file, options.threads], {
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async time({ kernel, layer }: Task): Promise<number> {
      const request = { kernel, layer, seconds: Number(options.seconds) };
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error("PyTorch's process ended");
      return JSON.parse(value);
    },
    stop: () => child.stdin.end(),
  };
}

function openModule(): CpuModule {
  if (options.wasm)
    return instantiateWasm(readFileSync(new URL("../dist/wasm/gradus.wasm", import.meta.url)));
  const native = loadNative();
  if ("missing" in native) throw new Error(native.missing);
  native.setThreads(Number(options.threads));
  return native;
}

function print(tasks: readonly Task[], peak: number): void {
  console.log(`${"".padEnd(54)}      µs  GFLOP/s  of peak   PyTorch µs  ratio   in a step: µs`);
  for (const { name, kernel, layer, count, times, peerTimes } of tasks) {
    const [ms, peer] = [median(times), median(peerTimes)];
    const speed = flopsOf(layer) / ms / 1e6;
    const beside = Number.isNaN(peer)
      ? ["not here".padStart(12), "".padStart(6)]
      : [(1e3 * peer).toFixed(0).padStart(12), (ms / peer).toFixed(2).padStart(6)];
    const cells = [
      `${name} ${kernel.replace("convolution", "") || "Forward"}`.padEnd(54),
      (1e3 * ms).toFixed(0).padStart(8),
      speed.toFixed(0).padStart(8),
      `${((100 * speed) / peak).toFixed(0)}%`.padStart(8),
      ...beside,
      (1e3 * ms * count).toFixed(0).padStart(15),
    ];
    console.log(cells.join(" "));
  }
}

const tasks: Task[] = layers
  .flatMap(([name, layer, count, isFirst]) =>
    kernels
      .filter((kernel) => !(isFirst && kernel === "convolutionInputGrad"))
      .filter((kernel) => name.startsWith("conv-") === false || kernel === "convolution")
      .map((kernel) => ({ name, layer, count, kernel, times: [], peerTimes: [] })),
  )
  .filter(({ name, kernel }) => name.includes(options.only) && kernel.endsWith(options.kernel));

const module = openModule();
const peer = options["no-peer"] ? undefined : startPeer();
const peak = measurePeak(module);
console.log(`${module.isa}, ${options.threads} threads, matrix product ${peak.toFixed(0)} GFLOP/s`);
for (const task of tasks) {
  const run = prepare(module, task);
  for (let round = 0; round < Number(options.rounds); round++) {
    task.times.push(time(run, Number(options.seconds)));
    if (peer) task.peerTimes.push(await peer.time(task));
  }
}
peer?.stop();
print(tasks, peak);
for (const net of ["lenet", "resnet"]) {
  const own = tasks.filter(({ name }) => name.startsWith(net));
  if (own.length === 0) continue;
  const sum = (of: (task: Task) => number) =>
    own.reduce((total, task) => total + task.count * of(task), 0).toFixed(2);
  const beside = peer ? `, PyTorch ${sum((t) => median(t.peerTimes))} ms` : "";
  console.log(`${net}: ${sum((t) => median(t.times))} ms a step${beside}`);
}
