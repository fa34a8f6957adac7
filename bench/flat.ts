/**
 * Shows that memory stays flat: trains for many steps and prints resident memory along the way.
 *
 *     npm run bench:flat -- [--steps 20000] [--backend native|wasm] [--mode compiled|eager]
 *
 * Exits with 1 if resident memory grows by over 5% and 16 MiB between a quarter of the way and the end.
 */
import { parseArgs } from "node:util";
import {
  type BackendName,
  backendDescription,
  compile,
  manualSeed,
  nn,
  optim,
  randn,
  setBackend,
  type Tensor,
  tensor,
} from "gradus";

const { values: options } = parseArgs({
  options: {
    steps: { type: "string", default: "20000" },
    backend: { type: "string", default: "" },
    mode: { type: "string", default: "" },
  },
});

const steps = Number(options.steps);
const mebibytes = (bytes: number) => bytes / 2 ** 20;

function makeStep(isCompiled: boolean): () => Promise<unknown> {
  const model = new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Dropout(0.1),
    new nn.Linear(4 * 4 * 4, 10),
  );
  const optimizer = new optim.Adam(model.parameters());
  const [x, y] = [randn([8, 1, 8, 8]), tensor(Int32Array.from({ length: 8 }, (_, i) => i))];
  const step = (images: Tensor, labels: Tensor): Tensor => {
    optimizer.zeroGrad();
    const loss = nn.functional.crossEntropy(model.forward(images), labels);
    loss.backward();
    optimizer.step();
    return loss;
  };
  const compiled = compile(step);
  return isCompiled ? () => compiled(x, y) : async () => step(x, y);
}

async function watch(backend: BackendName, mode: string): Promise<boolean> {
  setBackend(backend);
  manualSeed(0);
  const step = makeStep(mode === "compiled");
  const readings: number[] = [];
  const start = performance.now();
  for (let i = 1; i <= steps; i++) {
    await step();
    if (i % Math.ceil(steps / 8) !== 0) continue;
    globalThis.gc?.();
    readings.push(mebibytes(process.memoryUsage.rss()));
    // The collector frees arrays between turns of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const [quarter, end] = [readings[1]!, readings.at(-1)!];
  const isFlat = end - quarter < Math.max(16, 0.05 * quarter);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${backendDescription()}, ${mode}: ${steps} steps in ${seconds} s; resident MiB ` +
      `${readings.map((r) => r.toFixed(0)).join(" ")}: ${isFlat ? "flat" : "GROWS"}`,
  );
  return isFlat;
}

let allFlat = true;
for (const backend of ["native", "wasm"] as const)
  for (const mode of ["compiled", "eager"]) {
    if (options.backend && options.backend !== backend) continue;
    if (options.mode && options.mode !== mode) continue;
    allFlat = (await watch(backend, mode)) && allFlat;
  }
process.exitCode = allFlat ? 0 : 1;
