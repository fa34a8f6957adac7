/**
 * What a backend is: it takes a graph and gives something that runs it on typed arrays. Everything above this
 * file is the same on every backend. Read cpu/index.ts or ../ir/interpret.ts next.
 */
import type { TypedArray } from "../core/dtype.js";
import type { Graph } from "../ir/graph.js";

export type BackendName = "native" | "wasm" | "interpreter";

export interface PrepareOptions {
  /**
   * Pairs [output, input] that share one array: the output overwrites the input, or, where the input is
   * -1, a value that the program does not read. The backend must write such an output only after the input was read for
   * the last time, and not at all if the run fails.
   */
  readonly aliases?: readonly (readonly [output: number, input: number])[];
}

/** A program that is ready to run any number of times. */
export interface Executable {
  /** Runs on this thread. `arrays` holds one array for each input, then one for each output. */
  run(arrays: readonly TypedArray[]): void;
  /** Runs off this thread where the backend can; the arrays must be left alone until it settles. */
  runAsync(arrays: readonly TypedArray[]): Promise<void>;
}

export interface Backend {
  readonly name: BackendName;
  /** For people: `native (AVX-512, 2 threads)`. */
  readonly description: string;
  prepare(graph: Graph, options?: PrepareOptions): Executable;
}
