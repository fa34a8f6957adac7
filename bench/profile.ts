/**
 * Where the time of a workload's compiled step goes: each kind of instruction of its program with its milliseconds, on the addon.
 *
 *     npm run bench:profile -- [lenet] [--seconds 2] [--rows 30]
 */
import { parseArgs } from "node:util";
import { manualSeed } from "gradus";
import { type InstructionTime, profiles, startProfiling } from "../src/backend/cpu/profile.js";
import { currentEngine } from "../src/backend/select.js";
import { allWorkloads } from "./workloads/index.js";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "2" },
    rows: { type: "string", default: "30" },
  },
});

const [name = "lenet"] = positionals;
const workload = allWorkloads().find((candidate) => candidate.name === name);
const engine = currentEngine();
if (!workload)
  throw new Error(`no workload ${name}; there are ${allWorkloads().map((w) => w.name)}`);
if (!engine?.setProfiling) throw new Error("only the native addon has a clock that is fine enough");

manualSeed(0);
startProfiling(engine);
const { step } = workload.prepare("compiled", workload.start());
const warmUp = 3;
for (let i = 0; i < warmUp; i++) await step();
const before = profiles();
const end = performance.now() + 1000 * Number(options.seconds);
let steps = 0;
do {
  await step();
  steps++;
} while (performance.now() < end);

/** Milliseconds a step by label, the longest first. */
function byLabel(after: readonly (readonly InstructionTime[])[]): [string, number][] {
  const sums = new Map<string, number>();
  after.forEach((program, p) => {
    program.forEach(({ label, ms }, i) => {
      const spent = (ms - (before[p]?.[i]?.ms ?? 0)) / steps;
      sums.set(label, (sums.get(label) ?? 0) + spent);
    });
  });
  return [...sums].sort(([, a], [, b]) => b - a);
}

const rows = byLabel(profiles());
const total = rows.reduce((sum, [, ms]) => sum + ms, 0);
console.log(`${name}: ${total.toFixed(3)} ms a step in the engine, ${steps} steps`);
for (const [label, ms] of rows.slice(0, Number(options.rows)))
  console.log(`${ms.toFixed(3).padStart(9)}  ${label}`);
