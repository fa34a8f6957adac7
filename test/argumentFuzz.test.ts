/**
 * Every op called with anything, thousands of times: it works or throws an error that names the op, soon and in little memory. In
 * processes of their own, so that a crash is a failure with its call. Read fuzz/run.ts.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { missing } from "./support/backends.js";

const runs = 12;
/** What Node, the samples and two engines take, and as much again. */
const mostMegabytes = 1500;

interface Report {
  readonly calls: number;
  readonly failures: readonly string[];
  readonly megabytes: number;
}

function fuzz(backend: string, seed: number): Report {
  const folder = mkdtempSync(join(tmpdir(), "gradus-fuzz-"));
  const last = join(folder, "call");
  try {
    const program = new URL("fuzz/run.ts", import.meta.url).pathname;
    const flags = ["--conditions=gradus-source", "--import=tsx", program];
    const parameters = [...flags, backend, String(runs), String(seed), last];
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, parameters, {
      encoding: "utf8",
      timeout: 300_000,
      maxBuffer: 1 << 26,
    });
    if (status !== 0)
      assert.fail(`${signal ?? status} at ${readFileSync(last, "utf8")}\n${stderr.slice(-2000)}`);
    return JSON.parse(stdout) as Report;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const [backend, seed] of [
  ["native", 1],
  ["wasm", 2],
] as const) {
  const reason = missing.get(backend);
  test(`no call of an op crashes, hangs or fails without its name (${backend})`, {
    skip: reason ? `platform: ${reason}` : false,
  }, () => {
    const { calls, failures, megabytes } = fuzz(backend, seed);
    console.log(`${calls} calls on ${backend}, ${megabytes} MB`);
    assert.ok(failures.length === 0, `${failures.length} ops\n${failures.join("\n")}`);
    assert.ok(calls > 5000, `${calls} calls`);
    assert.ok(megabytes < mostMegabytes, `${megabytes} MB`);
  });
}
