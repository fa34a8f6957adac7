/** The platform under Node (and what resolves packages like it). Node-only; browser.ts is the other one. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { env } from "node:process";
import { Worker } from "node:worker_threads";
import { loadNative } from "../backend/cpu/native.js";
import { BackendError } from "../core/errors.js";
import type { Platform } from "./contract.js";

/** From src/platform and from dist/platform the package's root is two folders up. */
const wasmFile = (relaxed: boolean): URL =>
  new URL(`../../dist/wasm/${relaxed ? "relaxed" : "gradus"}.wasm`, import.meta.url);

export const loadNativeModule: Platform["loadNativeModule"] = () => loadNative();

export const wasmBytes: Platform["wasmBytes"] = (relaxed) => {
  try {
    return new Uint8Array(readFileSync(wasmFile(relaxed)));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackendError("wasm", `the WASM module cannot be read: ${reason}; npm run build`);
  }
};

export const environment: Platform["environment"] = (name) => env[name];

export const threads: Platform["threads"] = () => availableParallelism();

export const startWorker: Platform["startWorker"] = (code, start) => {
  const text = `const start = require("node:worker_threads").workerData;${code}`;
  try {
    const worker = new Worker(text, {
      eval: true,
      workerData: start,
      execArgv: [],
      name: "gradus",
    });
    worker.unref();
    // Without it the pool has a thread less, which is no error.
    worker.on("error", () => {});
    return true;
  } catch {
    return false;
  }
};
