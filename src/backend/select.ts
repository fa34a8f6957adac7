/**
 * Chooses the backend: `GRADUS_BACKEND` if it is set, else the native addon, else WASM. Chosen at the first op, so that
 * importing the package costs nothing.
 */
import { environment, loadNativeModule, startWorker, threads, wasmBytes } from "#platform";
import { BackendError, ValueError } from "../core/errors.js";
import type { Backend, BackendName } from "./contract.js";
import { type CpuBackend, cpuBackend } from "./cpu/index.js";
import type { CpuModule } from "./cpu/module.js";
import { hasRelaxedSimd, instantiateWasm } from "./cpu/wasm.js";
import { interpreterBackend } from "./interpreter.js";

interface Selection {
  backend: Backend;
  /** Why native code is not in use, when nobody asked for another backend. */
  reason: string | null;
}

const names: readonly BackendName[] = ["native", "wasm", "interpreter"];
const loaded = new Map<BackendName, Backend>();
let selection: Selection | null = null;

function loadWasm(): CpuModule {
  const relaxed = hasRelaxedSimd();
  return instantiateWasm(wasmBytes(relaxed), {
    isa: relaxed ? "relaxedSimd" : "simd128",
    threads: { threads: threads(), startWorker },
  });
}

function load(name: BackendName): Backend | { missing: string } {
  const known = loaded.get(name);
  if (known) return known;
  let backend: Backend = interpreterBackend;
  if (name === "wasm") backend = cpuBackend(loadWasm());
  if (name === "native") {
    const module = loadNativeModule();
    if ("missing" in module) return module;
    backend = cpuBackend(module);
  }
  loaded.set(name, backend);
  return backend;
}

function checkName(name: string, from: string): BackendName {
  if (!(names as readonly string[]).includes(name))
    throw new ValueError(from, `unknown backend "${name}", expected ${names.join(", ")}`);
  return name as BackendName;
}

function select(): Selection {
  const wish = environment("GRADUS_BACKEND");
  if (wish) {
    const backend = load(checkName(wish, "GRADUS_BACKEND"));
    if ("missing" in backend) throw new BackendError("GRADUS_BACKEND", backend.missing);
    return { backend, reason: wish === "native" ? null : `GRADUS_BACKEND=${wish}` };
  }
  const native = load("native");
  if (!("missing" in native)) return { backend: native, reason: null };
  return { backend: load("wasm") as Backend, reason: native.missing };
}

const current = (): Selection => {
  selection ??= select();
  return selection;
};

/** The backend that ops run on. */
export const currentBackend = (): Backend => (selection ?? current()).backend;

/**
 * What is in use and why: `native (AVX-512, 2 threads)`, or `WASM (SIMD128, 1 thread): no addon …`.
 *
 * @example
 * ```ts
 * import { backendDescription } from "gradus";
 * console.log(backendDescription().length > 0); // → true
 * ```
 */
export function backendDescription(): string {
  const { backend, reason } = current();
  return reason ? `${backend.description}: ${reason}` : backend.description;
}

/**
 * Makes later ops run on another backend; tensors stay valid, since their memory is JavaScript's.
 *
 * @throws BackendError if this machine does not have it; ValueError for an unknown name.
 */
export function setBackend(name: BackendName): void {
  const backend = load(checkName(name, "setBackend"));
  if ("missing" in backend) throw new BackendError("setBackend", backend.missing);
  selection = { backend, reason: null };
}

/** The C++ engine behind the current backend; null for the interpreter. For tests and measurements. */
export function currentEngine(): CpuBackend["module"] | null {
  const backend = currentBackend();
  return "module" in backend ? (backend as CpuBackend).module : null;
}

/**
 * Sets how many threads native code uses; the default is the number of cores. Results do not depend on it.
 *
 * @throws ValueError unless `count` is a whole number ≥ 1.
 */
export function setNumThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1)
    throw new ValueError("setNumThreads", `expected a whole number ≥ 1, got ${count}`);
  currentEngine()?.setThreads(count);
}
