/** The platform under Node (and what resolves packages like it). Node-only; browser.ts is the other one. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { env } from "node:process";
import { loadNative } from "../backend/cpu/native.js";
import { BackendError } from "../core/errors.js";
import type { Platform } from "./contract.js";

/** From src/platform and from dist/platform the package's root is two folders up. */
const wasmFile = new URL("../../dist/wasm/gradus.wasm", import.meta.url);

export const loadNativeModule: Platform["loadNativeModule"] = () => loadNative();

export const wasmBytes: Platform["wasmBytes"] = () => {
  try {
    return new Uint8Array(readFileSync(wasmFile));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackendError("wasm", `the WASM module cannot be read: ${reason}; npm run build`);
  }
};

export const environment: Platform["environment"] = (name) => env[name];

export const threads: Platform["threads"] = () => availableParallelism();
