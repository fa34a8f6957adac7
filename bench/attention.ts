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
import { attentionResult, plainAttention } from "../src/ir/attentionNodes.js";
import { Builder } from "../src/ir/builder.js";
import type { Graph, Node } from "../src/ir/graph.js";
import { attentionSizes } from "../src/ir/primitives/attention.js";
import { vjp } from "../src/ir/vjp.js";
import { noise } from "../test/engine/program.js";

type Shape = readonly [batch: number, heads: number, steps: number, width: number];

const shapes: readonly Shape[] = [
  [12, 4, 64, 32],
  [4, 8, 256, 64],
  [1, 4, 1024, 64],
  [1, 1, 4096, 64],
];

/** softmax(Q·Kᵀ)·V of one projection [B, T, 3·H·D], and with `backward` the projection's gradient. */
function layer([batch, heads, steps, width]: Shape, tiled: boolean, backward: boolean): Graph {
  const b = new Builder("attention");
  const channels = heads * width;
  const x = b.input(0, [batch, steps, 3 * channels], "float32");
  const g = b.input(1, [batch, steps, channels], "float32");
  const parts = [0, 1, 2].map((i) => {
    const part = b.slice(x, [0, 0, i * channels], [batch, steps, (i + 1) * channels]);
    return b.transpose(b.reshape(part, [batch, steps, heads, width]), [0, 2, 1, 3]);
  });
  const attributes = { scale: width ** -0.5, causal: true, hasMask: false, dropoutP: 0 };
  const result = tiled
    ? attentionResult(b, b.make("attention", parts, attributes), attentionSizes(parts))
    : plainAttention(b, parts, attributes).result;
  const joined = b.reshape(b.transpose(result, [0, 2, 1, 3]), [batch, steps, channels]);
  if (!backward) return { inputs: [x, g], outputs: [joined] };
  const [dx] = vjp(b, [joined], [g], [x]) as [Node];
  return { inputs: [x, g], outputs: [joined, dx] };
}

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
      const [tiled, plain] = [true, false].map((t) => time(module, layer(shape, t, backward)));
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
