/**
 * Calls every op with anything on one backend: `run.ts native 40 7 /tmp/last` tries 40 calls of each kind from seed 7 and keeps
 * the call that runs in the file, for when the process does not survive it. Run by test/argumentFuzz.test.ts.
 */
import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { type BackendName, manualSeed, setBackend } from "../../src/index.js";
import { targets, tryCall } from "./calls.js";

const [backend = "native", runs = "40", seed = "1", last = "", only = ""] = process.argv.slice(2);
/** No call of such small tensors needs longer. */
const longest = 5000;

setBackend(backend as BackendName);
let calls = 0;
const failures: string[] = [];
for (const target of targets.filter(({ op }) => only === "" || op.split(" ")[0] === only)) {
  manualSeed(1);
  const property = fc.property(target.args, (args) => {
    const text = `${target.op}(${fc.stringify(args)})`;
    if (last) writeFileSync(last, text);
    calls++;
    const start = performance.now();
    const fault = tryCall(target, args);
    if (fault) throw new Error(fault);
    const took = performance.now() - start;
    if (took > longest) throw new Error(`took ${took} ms`);
  });
  const result = fc.check(property, { numRuns: Number(runs), seed: Number(seed) });
  if (!result.failed) continue;
  const why = String((result.errorInstance as Error | null)?.message ?? "stopped").split("\n");
  const failure = `${target.op}(${fc.stringify(result.counterexample?.[0])})\n  ${why.slice(0, 4).join("\n  ")}`;
  failures.push(failure);
  process.stderr.write(`${failure}\n`);
}
const { maxRSS } = process.resourceUsage();
process.stdout.write(
  `${JSON.stringify({ calls, failures, megabytes: Math.round(maxRSS / 1024) })}\n`,
);
