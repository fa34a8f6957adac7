/**
 * One JavaScript peer as a process that stays: node javascript.mjs tfjs-wasm | tfjs-cpu | jax-js. Speaks what torch_peer.py
 * does: a JSON command a line on standard input, a JSON answer each. tensorflow.mjs and jax.mjs have the workloads.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { readStart } from "./start.mjs";

const [which] = process.argv.slice(2);
const samples = 16;

// Messages of libraries must not stand between the answers.
for (const name of ["log", "info", "debug"]) console[name] = console.error;

async function connectPeer() {
  if (which === "jax-js") {
    const manifest = new URL("node_modules/@jax-js/jax/package.json", import.meta.url);
    const { version } = JSON.parse(readFileSync(manifest, "utf8"));
    return (await import("./jax.mjs")).connect(version);
  }
  return (await import("./tensorflow.mjs")).connect(which.replace("tfjs-", ""));
}

/** As `digest` in ../workloads/kernels.ts. */
function digest(values) {
  const mean = values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length;
  const at = (i) => Math.floor((i * (values.length - 1)) / (samples - 1));
  return [mean, ...Array.from({ length: samples }, (_, i) => values[at(i)] / mean)];
}

/** The check has warmed the step up. A step of seconds is timed once. */
async function time(step, seconds) {
  const times = [];
  const end = performance.now() + 1000 * seconds;
  while (times.length === 0 || performance.now() < end || (times.length < 3 && times[0] < 1000)) {
    const start = performance.now();
    await step();
    times.push(performance.now() - start);
  }
  return times;
}

let current = null;

async function answer({ command, workload, start, seconds }) {
  if (command === "prepare") {
    current = null;
    current = peer.prepare(workload, readStart(start));
    return { prepared: workload };
  }
  if (command === "check")
    return { check: current.check ? await current.check() : digest(await current.values()) };
  if (command === "time") return { times: await time(current.step, seconds) };
  throw new Error(`unknown command ${command}`);
}

const write = (reply) => process.stdout.write(`${JSON.stringify(reply)}\n`);
const peer = await connectPeer();
write({ peer: peer.peer, threads: 1 });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    write(await answer(JSON.parse(line)));
  } catch (error) {
    write({ error: error.message });
  }
}
process.exit(0);
