/**
 * Attention forward and backward, causal: in tiles (the primitive) and as the plain composition, beside PyTorch's on the same
 * shapes (bench/attention.py, if python3, or what PYTHON names, has torch). Operands are slices of one projection, as a layer gives them.
 * Run: npx tsx bench/attention.ts [native|wasm] [threads]
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { compileProgram } from "../src/backend/cpu/index.js";
import type { CpuModule } from "../src/backend/cpu/module.js";
import { loadNative } from "../src/backend/cpu/native.js";
import { instantiateWasm } from "../src/backend/cpu/wasm.js";
import { sizeOf } from "../src/core/shape.js";
import type { Graph } from "../src/ir/graph.js";
import { noise } from "../test/engine/program.js";
import { type AttentionShape, attentionLayer } from "../test/support/attentionLayer.js";

const shapes: readonly AttentionShape[] = [
  [12, 4, 64, 32],
  [4, 8, 256, 64],
  [1, 4, 1024, 64],
  [1, 1, 4096, 64],
];

/** The median of ms a run over about a third of a second, and the arena's MiB. */
function time(module: CpuModule, graph: Graph): { ms: number; mib: number } {
  const { words, constants } = compileProgram(graph);
  const loaded = module.load(words, constants);
  const arrays = [...graph.inputs, ...graph.outputs].map((x, i) => noise(sizeOf(x.shape), i + 1));
  loaded.run(arrays);
  const times: number[] = [];
  const end = performance.now() + 350;
  do {
    const start = performance.now();
    loaded.run(arrays);
    times.push(performance.now() - start);
  } while (performance.now() < end);
  return { ms: times.sort((a, c) => a - c)[times.length >> 1]!, mib: (words[6]! * 64) / 2 ** 20 };
}

/** PyTorch's ms for [shape, backward], or nothing. */
function timeTorch(threads: string): Map<string, number> {
  const script = new URL("attention.py", import.meta.url).pathname;
  const options = { encoding: "utf8", input: JSON.stringify(shapes) } as const;
  const { stdout, status } = spawnSync(process.env.PYTHON ?? "python3", [script, threads], options);
  return new Map(status === 0 ? (JSON.parse(stdout) as [string, number][]) : []);
}

function bench(module: CpuModule, torch: ReadonlyMap<string, number>): void {
  console.log(`${module.name}, ${module.isa}, ${module.threads} thread(s); ms, arena MiB`);
  for (const shape of shapes)
    for (const backward of [false, true]) {
      const [tiled, plain] = [true, false].map((tiled) =>
        time(module, attentionLayer(shape, { tiled, backward })),
      );
      const label = `[${shape}] ${backward ? "forward + backward" : "forward"}`;
      const peer = torch.get(`${shape} ${backward}`);
      const [batch, heads, steps, width] = shape;
      const flops = (backward ? 14 : 4) * batch * heads * steps * steps * width * 0.5;
      console.log(
        `${label.padEnd(38)} tiled ${tiled!.ms.toFixed(3)} (${tiled!.mib.toFixed(1)} MiB, ` +
          `${(flops / tiled!.ms / 1e6).toFixed(0)} GFLOP/s)  plain ${plain!.ms.toFixed(3)} ` +
          `(${plain!.mib.toFixed(1)} MiB)  PyTorch ${peer?.toFixed(3) ?? "–"}`,
      );
    }
}

const [which = "native", threads = "2"] = process.argv.slice(2);
const wasmFile = new URL("../dist/wasm/gradus.wasm", import.meta.url);
if (which === "native") {
  const native = loadNative();
  if ("missing" in native) throw new Error(native.missing);
  native.setThreads(Number(threads));
  bench(native, timeTorch(threads));
} else if (existsSync(wasmFile)) {
  bench(instantiateWasm(readFileSync(wasmFile)), timeTorch("1"));
}
