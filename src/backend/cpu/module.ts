/**
 * The C++ engine as TypeScript sees it: the addon (native.ts) and the WASM module (wasm.ts) both give this.
 */
import type { TypedArray } from "../../core/dtype.js";

/** Why a run stopped: an index out of range. `instruction` is the number that the encoder gave. */
export interface RunFailure {
  readonly code: number;
  readonly instruction: number;
  readonly value: number;
  readonly limit: number;
}

/** An encoded program that the engine has decoded and keeps. Freed when it is garbage collected. */
export interface LoadedProgram {
  /** Runs on this thread. `arrays`: one for each external slot. */
  run(arrays: readonly TypedArray[]): RunFailure | null;
  runAsync(arrays: readonly TypedArray[]): Promise<RunFailure | null>;
  /** Milliseconds that each instruction has taken while profiling was on. */
  times?(): number[];
}

export interface EngineMemory {
  /** Programs loaded and not yet freed. */
  readonly programs: number;
  /** Bytes of the scratch arenas that programs share. */
  readonly arenaBytes: number;
  /** How often the engine has asked for memory; constant while nothing new is loaded or grown. */
  readonly allocations: number;
}

export interface CpuModule {
  readonly name: "native" | "wasm";
  /** Instruction-set path in use: `avx512`, `avx2`, `baseline`, `neon`, `simd128`. */
  readonly isa: string;
  /** The paths that this machine can run, best first. */
  readonly availableIsas: readonly string[];
  readonly threads: number;
  load(words: Int32Array, constants: Float64Array): LoadedProgram;
  /** Forces a path, for tests; throws if the machine lacks it. */
  setIsa(isa: string): void;
  setThreads(count: number): void;
  /** Whether runs note how long each instruction takes; not on WASM, where no clock is fine enough. */
  setProfiling?(on: boolean): void;
  memory(): EngineMemory;
}
