/** The interpreter as a backend: float64 arithmetic on the arrays of any dtype. Slow, and the oracle of the others. */
import { allocate, type TypedArray } from "../core/dtype.js";
import type { Graph } from "../ir/graph.js";
import { interpret } from "../ir/interpret.js";
import type { Backend, Executable } from "./contract.js";

function run(graph: Graph, arrays: readonly TypedArray[]): void {
  const inputs = graph.inputs.map((_, i) => Float64Array.from(arrays[i]!));
  const results = interpret(graph, inputs);
  // Everything is computed before anything is written, since an output may overwrite an input.
  graph.outputs.forEach((node, i) => {
    const rounded = allocate(node.dtype, results[i]!.length);
    rounded.set(results[i]!);
    arrays[graph.inputs.length + i]!.set(rounded);
  });
}

export const interpreterBackend: Backend = {
  name: "interpreter",
  description: "interpreter (float64, for checking)",
  prepare: (graph: Graph): Executable => ({
    run: (arrays) => run(graph, arrays),
    runAsync: async (arrays) => run(graph, arrays),
  }),
};
