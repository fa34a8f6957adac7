/**
 * Peak resident memory of training steps beside PyTorch's, each in a process of its own:
 *
 *     npm run bench:memory -- [--only resnet18-cifar,gpt] [--steps 20] [--mode compiled] [--python PROGRAM,…]
 *
 * Prints one JSON line a workload: what the kernel says was resident at most (VmHWM, MiB) after so many steps. Linux only.
 * flat.ts shows that memory does not grow over many steps.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { manualSeed } from "gradus";
import { type Peer, startTorch } from "./peers/client.js";
import { rounded } from "./statistics.js";
import { allWorkloads, type Mode } from "./workloads/index.js";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "resnet18-cifar,gpt" },
    steps: { type: "string", default: "20" },
    mode: { type: "string", default: "compiled" },
    torch: { type: "string", default: "../shared/bench/torch_baseline.py" },
    python: { type: "string", default: "python3,/usr/bin/python3" },
    child: { type: "boolean", default: false },
  },
});

const steps = Number(options.steps);
const mebibytes = (bytes: number): number => rounded(bytes / 2 ** 20);

/** Most bytes that were resident at a time, as Linux counts. */
function peakMemory(): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"));
  return Number(line?.[1]) * 1024;
}

/** What the child does: the steps of one workload. */
async function runSteps(name: string): Promise<void> {
  const idle = peakMemory();
  manualSeed(0);
  const workload = allWorkloads().find((one) => one.name === name);
  if (!workload) throw new Error(`there is no workload ${name}`);
  const { step } = workload.prepare(options.mode as Mode, workload.start());
  for (let i = 0; i < steps; i++) await step();
  console.log(JSON.stringify({ idle, peak: peakMemory() }));
}

function ownPeak(name: string): { readonly idle: number; readonly peak: number } {
  const script = fileURLToPath(import.meta.url);
  const args = ["--child", "--only", name, "--steps", options.steps, "--mode", options.mode];
  const command = [...process.execArgv, script, ...args];
  return JSON.parse(execFileSync(process.execPath, command, { encoding: "utf8" }));
}

async function peerPeak(name: string): Promise<object> {
  const { torch: baseline, python } = options;
  const peer = await startTorch({ baseline, python, threads: availableParallelism() });
  if (typeof peer === "string") return { peer: null, reason: peer };
  try {
    return await askPeer(peer, name);
  } finally {
    peer.stop();
  }
}

async function askPeer(peer: Peer, workload: string): Promise<object> {
  await peer.ask({ command: "prepare", workload });
  const { peak, idle } = await peer.ask({ command: "memory", steps });
  return { peer: peer.name, peer_mib: mebibytes(peak!), peer_idle_mib: mebibytes(idle!) };
}

if (options.child) await runSteps(options.only);
else
  for (const workload of options.only.split(",")) {
    const { idle, peak } = ownPeak(workload);
    const own = { workload, mode: options.mode, steps, mib: mebibytes(peak) };
    const row = { ...own, idle_mib: mebibytes(idle), ...(await peerPeak(workload)) };
    console.log(JSON.stringify(row));
  }
