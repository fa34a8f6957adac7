/**
 * Times the workloads on native code and WASM, eager and compiled, beside PyTorch and JavaScript libraries, in one run:
 *
 *     npm run bench -- [--only mlp,lenet] [--rounds 5] [--seconds 0.5] [--json] [--backends native,wasm]
 *                      [--modes eager,compiled] [--peers torch,tfjs-wasm,tfjs-cpu,jax-js] [--threads N]
 *                      [--torch FILE] [--python PROGRAM,…] [--write-docs]
 *
 * Each round times every side and peer in turn, so that a slow spell of the machine meets all. Prints one JSON line a workload,
 * side and peer, with medians over the rounds, then a table. All start from the same numbers; one whose first losses differ is
 * an error, and the exit code 1. `--write-docs` puts the table into docs/performance.md.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type BackendName, backendDescription, setBackend, setNumThreads } from "gradus";
import { describeMachine, type Machine, measureMachine } from "./floors.js";
import { measure, type Side } from "./measure.js";
import { javascriptPeers, Peer, startJavaScript, startTorch } from "./peers/client.js";
import { markdownTable, type Row, replaceMarked, rowsOf, tableCells, textTable } from "./report.js";
import { allWorkloads, type Mode } from "./workloads/index.js";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "0.5" },
    json: { type: "boolean", default: false },
    backends: { type: "string", default: "native,wasm" },
    modes: { type: "string", default: "eager,compiled" },
    peers: { type: "string", default: ["torch", ...javascriptPeers].join() },
    threads: { type: "string", default: String(availableParallelism()) },
    torch: { type: "string", default: "../shared/bench/torch_baseline.py" },
    python: { type: "string", default: "python3,/usr/bin/python3" },
    "write-docs": { type: "boolean", default: false },
  },
});

const threads = Number(options.threads);
const list = (text: string): string[] => text.split(",").filter((part) => part);
const tell = (line: string): void => {
  if (!options.json) console.log(line);
};

/** The backends that are here, each with what the machine can do on it. */
async function findBackends(): Promise<Map<BackendName, Machine>> {
  const machines = new Map<BackendName, Machine>();
  for (const name of list(options.backends) as BackendName[]) {
    try {
      setBackend(name);
    } catch (error) {
      tell(`${name} is absent: ${(error as Error).message}`);
      continue;
    }
    setNumThreads(name === "native" ? threads : 1);
    const machine = await measureMachine(name === "native");
    tell(`${backendDescription()}: ${describeMachine(machine)}`);
    machines.set(name, machine);
  }
  return machines;
}

async function findPeers(): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const name of list(options.peers)) {
    const torchOptions = { baseline: options.torch, python: options.python, threads };
    const peer = name === "torch" ? await startTorch(torchOptions) : await startJavaScript(name);
    if (peer instanceof Peer) peers.push(peer);
    else tell(`${name} is absent: ${peer}`);
  }
  return peers;
}

const sidesOf = (backends: Iterable<BackendName>): Side[] =>
  [...backends].flatMap((backend) =>
    (list(options.modes) as Mode[]).map((mode) => ({
      backend,
      mode,
      threads: backend === "native" ? threads : 1,
    })),
  );

function chosenWorkloads() {
  const all = allWorkloads();
  const wanted = list(options.only);
  const unknown = wanted.filter((name) => !all.some((workload) => workload.name === name));
  if (unknown.length > 0)
    throw new Error(`no workload ${unknown.join()}; there are ${all.map(({ name }) => name)}`);
  return all.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
}

function writeDocs(rows: readonly Row[], machines: ReadonlyMap<string, Machine>): void {
  const file = new URL("../docs/performance.md", import.meta.url);
  const document = readFileSync(file, "utf8");
  const measured = [...machines].map(([name, machine]) => `- ${name}: ${describeMachine(machine)}`);
  const table = markdownTable(tableCells(rows));
  const withTable = replaceMarked(document, "timings", table);
  writeFileSync(file, replaceMarked(withTable, "machine", measured.join("\n")));
}

const workloads = chosenWorkloads();
const machines = await findBackends();
const peers = await findPeers();
const rows: Row[] = [];
const settings = { rounds: Number(options.rounds), seconds: Number(options.seconds) };
try {
  for (const workload of workloads) {
    const measured = await measure(workload, sidesOf(machines.keys()), peers, settings);
    for (const row of rowsOf(measured, machines)) {
      console.log(JSON.stringify(row));
      rows.push(row);
    }
  }
} finally {
  for (const peer of peers) peer.stop();
}
tell(textTable(tableCells(rows)));
if (options["write-docs"]) writeDocs(rows, machines);
if (rows.some(({ error }) => error)) process.exitCode = 1;
