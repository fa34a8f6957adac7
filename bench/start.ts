/**
 * How soon there is something to see: importing the package, the first product after it, and tracing and compiling the
 * training step of ResNet-18, each in fresh processes:
 *
 *     npm run bench:start -- [--rounds 9] [--backend native|wasm]
 *
 * Prints one JSON line a measure with the median over the processes.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median, rounded, spread } from "./statistics.js";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    backend: { type: "string", default: "native" },
  },
});

const root = fileURLToPath(new URL("..", import.meta.url));

/** Runs JavaScript in a fresh process of Node; gives the numbers that it prints. */
function fresh(script: string, loader: readonly string[] = []): number[] {
  const args = [...loader, "--input-type=module", "-e", script];
  const env = { ...process.env, GRADUS_BACKEND: options.backend };
  return JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: "utf8", env }));
}

const firstProduct = `
  const start = performance.now();
  const { randn } = await import("gradus");
  const imported = performance.now();
  const x = randn([64, 64]);
  x.matmul(x).data;
  console.log(JSON.stringify([imported - start, performance.now() - imported]));
`;

// What happens before the promise is given is tracing, compiling and, on native code, handing the run over.
const resnetStep = `
  import { manualSeed } from "gradus";
  import { resnetWorkload } from "./bench/workloads/training.js";
  manualSeed(0);
  const workload = resnetWorkload();
  const { step } = workload.prepare("compiled", workload.start());
  const start = performance.now();
  const promise = step();
  const compiled = performance.now();
  await promise;
  console.log(JSON.stringify([compiled - start, performance.now() - start]));
`;

const limits = { import: 60, "first matmul": 100, "trace and compile resnet18-cifar": 300 };

function tell(measure: keyof typeof limits, times: readonly number[]): void {
  const ms = median(times);
  const row = {
    measure,
    backend: options.backend,
    ms: rounded(ms),
    spread: rounded(spread(times)),
  };
  console.log(JSON.stringify({ ...row, limit: limits[measure], within: ms <= limits[measure] }));
}

const rounds = Number(options.rounds);
const products = Array.from({ length: rounds }, () => fresh(firstProduct));
tell(
  "import",
  products.map(([imported]) => imported!),
);
tell(
  "first matmul",
  products.map(([, product]) => product!),
);
// On WASM the run itself is part of the call, so it is not timed there.
if (options.backend === "native") {
  const steps = Array.from({ length: Math.ceil(rounds / 3) }, () =>
    fresh(resnetStep, ["--import", "tsx"]),
  );
  tell(
    "trace and compile resnet18-cifar",
    steps.map(([compiled]) => compiled!),
  );
}
