/**
 * What differs between Node and a browser, and nothing else. `#platform` (package.json, "imports") names node.ts or
 * browser.ts; both give these functions, and everything above them is the same code. Read node.ts next.
 */
import type { CpuModule } from "../backend/cpu/module.js";
import type { StartWorker } from "../backend/cpu/wasmThreads.js";

export interface Platform {
  /** Loads the addon, or says why there is none. */
  loadNativeModule(): CpuModule | { readonly missing: string };
  /** The bytes of the WASM module: of the one for relaxed SIMD, or of the one that needs SIMD only. */
  wasmBytes(relaxed: boolean): Uint8Array<ArrayBuffer>;
  /** Starts a worker for the WASM engine; false where none may be. It does not keep the process alive. */
  startWorker: StartWorker;
  /** An environment variable, where there are such things. */
  environment(name: string): string | undefined;
  /** How many threads the machine runs at once: a hint for thread pools. */
  threads(): number;
}
