/** The WASM engine on several threads: the same bits as on one, an end of the process that nothing holds up, and a fallback. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { hasRelaxedSimd, instantiateWasm } from "../src/backend/cpu/wasm.js";
import { startWorker, threads, wasmBytes } from "../src/platform/node.js";
import { encode, noise } from "./engine/program.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const isBuilt = existsSync(new URL("../dist/wasm/relaxed.wasm", import.meta.url));
const options = { skip: isBuilt ? false : "dist/wasm is not built" };

const n = 256;

/** A product that is large enough for threads, run several times so that workers have come. */
async function product(threadCount: number): Promise<Float32Array> {
  const pool = { threads: threadCount, startWorker };
  const engine = instantiateWasm(wasmBytes(false), { threads: pool });
  assert.equal(engine.threads, threadCount);
  const arrays = [noise(n * n, 1), noise(n * n, 2), new Float32Array(n * n)];
  const payload = [0, n, n, n, 0, 0, n, 1, 1, 0, n, 1, 2, 0, n, 1];
  const program = encode(arrays, [{ kernel: "dot", payload }], []);
  const loaded = engine.load(program.words, program.constants);
  for (let i = 0; i < 5; i++) {
    arrays[2]!.fill(Number.NaN);
    assert.equal(loaded.run(arrays), null);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return arrays[2] as Float32Array;
}

test("any number of threads gives the same bits", options, async () => {
  const one = await product(1);
  assert.ok(one.every(Number.isFinite));
  assert.deepEqual(await product(2), one);
  assert.deepEqual(await product(5), one);
});

test(
  "setThreads lowers and raises the number, within what the engine keeps scratch for",
  options,
  () => {
    const engine = instantiateWasm(wasmBytes(false), { threads: { threads: 4, startWorker } });
    engine.setThreads(1);
    assert.equal(engine.threads, 1);
    engine.setThreads(1000);
    assert.equal(engine.threads, 64);
  },
);

const script = `
  import { backendDescription, randn, setBackend } from "gradus";
  setBackend("wasm");
  const x = randn([300, 300]);
  for (let i = 0; i < 3; i++) x.matmul(x);
  console.log(backendDescription());
`;

const runScript = (text: string): string =>
  execFileSync(
    process.execPath,
    ["--import", "tsx", "--conditions=gradus-source", "--input-type=module", "-e", text],
    { cwd: root, encoding: "utf8", timeout: 30_000 },
  ).trim();

test("a process ends although its workers wait", options, () => {
  const count = threads();
  assert.match(runScript(script), new RegExp(`, ${count} thread`));
});

test("without SharedArrayBuffer there is one thread", options, () => {
  const text = script.replace("setBackend(", "delete globalThis.SharedArrayBuffer; setBackend(");
  assert.match(runScript(text), /, 1 thread\)/);
});

test("a worker that cannot start leaves the work to the others", options, () => {
  const pool = { threads: 3, startWorker: () => false };
  const engine = instantiateWasm(wasmBytes(false), { threads: pool });
  const arrays = [noise(n * n, 1), noise(n * n, 2), new Float32Array(n * n)];
  const payload = [0, n, n, n, 0, 0, n, 1, 1, 0, n, 1, 2, 0, n, 1];
  const program = encode(arrays, [{ kernel: "dot", payload }], []);
  assert.equal(engine.load(program.words, program.constants).run(arrays), null);
  assert.equal(engine.threads, 1);
});

test("the relaxed module is taken by engines with relaxed SIMD, and by no other", options, () => {
  const bytes = readFileSync(new URL("../dist/wasm/relaxed.wasm", import.meta.url));
  assert.equal(WebAssembly.validate(bytes), hasRelaxedSimd());
});
