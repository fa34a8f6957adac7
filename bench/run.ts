/**
 * Times training steps beside PyTorch in one run:
 *
 *     npm run bench -- [--only mlp,lenet] [--rounds 5] [--json] [--torch FILE] [--python PROGRAM]
 *
 * Each round times every backend and mode and then the peer, so that a slow spell of the machine meets all of them. Prints
 * one JSON line a workload, backend and mode, with medians over the rounds, then a table.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type BackendName, backendDescription, manualSeed, setBackend } from "gradus";
import { allWorkloads, type Mode, type Workload } from "./workloads/index.js";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "5" },
    json: { type: "boolean", default: false },
    torch: { type: "string", default: "../shared/bench/torch_baseline.py" },
    python: { type: "string", default: "python3" },
  },
});

interface Row {
  readonly workload: string;
  readonly backend: BackendName;
  readonly mode: Mode;
  readonly threads: number;
  readonly times: number[];
  readonly peerTimes: number[];
  peer: string;
}

const rounds = Number(options.rounds);
const secondsPerTiming = 0.7;
const backends: readonly BackendName[] = ["native", "wasm"];
const modes: readonly Mode[] = ["eager", "compiled"];

const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;

/** Half the distance of the outer quartiles, as a share of the median. */
function spread(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return (at(0.75) - at(0.25)) / 2 / median(list);
}

/** Median time of one step in ms, after warm-up. */
async function timeStep(step: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  const end = performance.now() + 1000 * secondsPerTiming;
  while (performance.now() < end || times.length < 10) {
    const start = performance.now();
    await step();
    times.push(performance.now() - start);
  }
  return median(times);
}

/** The peer's own timing, or null where there is no PyTorch. */
function timePeer(workload: string): { readonly name: string; readonly ms: number } | null {
  if (!existsSync(options.torch)) return null;
  const env = { ...process.env };
  delete env.OPENBLAS_CORETYPE;
  delete env.OPENBLAS_L2_SIZE;
  const args = [options.torch, "--only", workload, "--threads", String(availableParallelism())];
  const { stdout, status } = spawnSync(options.python, args, { env, encoding: "utf8" });
  if (status !== 0) return null;
  const { peer, ms } = JSON.parse(stdout.trim().split("\n").at(-1)!);
  return { name: peer, ms };
}

/** Steps that were warmed up once and are used in every round. */
async function prepareAll(workload: Workload): Promise<Map<Row, () => Promise<unknown>>> {
  const steps = new Map<Row, () => Promise<unknown>>();
  for (const backend of backends)
    for (const mode of modes) {
      try {
        setBackend(backend);
      } catch {
        continue;
      }
      manualSeed(0);
      const { step } = workload.prepare(mode, workload.start());
      for (let i = 0; i < 5; i++) await step();
      const threads = backend === "native" ? availableParallelism() : 1;
      const row = { workload: workload.name, backend, mode, threads, peer: "", times: [] };
      steps.set({ ...row, peerTimes: [] }, step);
    }
  return steps;
}

async function measure(workload: Workload): Promise<Row[]> {
  const steps = await prepareAll(workload);
  for (let round = 0; round < rounds; round++) {
    for (const [row, step] of steps) {
      setBackend(row.backend);
      row.times.push(await timeStep(step));
    }
    const peer = timePeer(workload.name);
    if (!peer) continue;
    for (const row of steps.keys()) {
      row.peer = peer.name;
      row.peerTimes.push(peer.ms);
    }
  }
  return [...steps.keys()];
}

const rounded = (value: number) => Number(value.toPrecision(4));

function toJson({ times, peerTimes, ...row }: Row): string {
  const [ms, peerMs] = [median(times), median(peerTimes)];
  const peer = Number.isNaN(peerMs)
    ? { peer: null }
    : { peer: row.peer, peer_ms: rounded(peerMs), ratio: rounded(ms / peerMs) };
  return JSON.stringify({ ...row, ms: rounded(ms), spread: rounded(spread(times)), ...peer });
}

function printTable(rows: readonly Row[]): void {
  const lines = rows.map(({ workload, backend, mode, times, peerTimes }) => [
    workload,
    backend,
    mode,
    `${median(times).toFixed(3)} ms ±${(100 * spread(times)).toFixed(0)}%`,
    peerTimes.length > 0 ? `${median(peerTimes).toFixed(3)} ms` : "not here",
    peerTimes.length > 0 ? (median(times) / median(peerTimes)).toFixed(2) : "",
  ]);
  const table = [["workload", "backend", "mode", "Gradus", "PyTorch", "ratio"], ...lines];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((line) => line[i]!.length)));
  for (const line of table) console.log(line.map((cell, i) => cell.padEnd(widths[i]!)).join("  "));
}

const wanted = options.only.split(",").filter((name) => name);
const chosen = allWorkloads().filter(({ name }) => wanted.length === 0 || wanted.includes(name));
if (!options.json) console.log(backendDescription());
const rows: Row[] = [];
for (const workload of chosen) {
  const measured = await measure(workload);
  for (const row of measured) console.log(toJson(row));
  rows.push(...measured);
}
if (!options.json) printTable(rows);
