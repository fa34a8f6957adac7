/**
 * The CPU backend: plans and encodes a graph, and runs it on the C++ engine, whichever form of it (addon, WASM) it is given.
 */

import type { TypedArray } from "../../core/dtype.js";
import { BackendError, ValueError } from "../../core/errors.js";
import { Builder } from "../../ir/builder.js";
import type { Graph } from "../../ir/graph.js";
import { dedupe } from "../../ir/passes/dedupe.js";
import { materialize } from "../../ir/passes/materialize.js";
import { type Plan, plan } from "../../ir/passes/plan.js";
import { simplify } from "../../ir/passes/simplify.js";
import { workOf } from "../../ir/passes/work.js";
import type { Backend, Executable, PrepareOptions } from "../contract.js";
import { type EncodedProgram, encode } from "./encode.js";
import type { CpuModule, RunFailure } from "./module.js";
import { keepForProfile } from "./profile.js";

/** What every CPU program goes through before it is encoded. */
function planProgram(graph: Graph, { aliases }: PrepareOptions = {}): Plan {
  const small = dedupe(simplify(graph));
  return plan(materialize(new Builder(), small), aliases);
}

/** From a graph to words. */
export const compileProgram = (graph: Graph, options?: PrepareOptions): EncodedProgram =>
  encode(planProgram(graph, options));

/** What a run that stopped says: codes as docs/program-format.md numbers them. */
function failure(program: EncodedProgram, { code, instruction, value, limit }: RunFailure): Error {
  const origin = program.origins[instruction]?.origin ?? "";
  if (code === 1)
    return new ValueError(origin, `index ${value} is out of range: expected 0 to ${limit - 1}`);
  if (code === 3) return new ValueError(origin, `matrix ${value} of the batch is singular`);
  if (code === 4)
    return new ValueError(origin, `matrix ${value} of the batch is not positive definite`);
  return new BackendError(origin, `the engine stopped with code ${code}: ${value}`);
}

const isaNames: Record<string, string> = {
  avx512: "AVX-512",
  avx2: "AVX2",
  baseline: "SSE2",
  neon: "NEON",
  simd128: "SIMD128",
  relaxedSimd: "relaxed SIMD",
};

function describe({ name, isa, threads }: CpuModule): string {
  const count = `${threads} thread${threads === 1 ? "" : "s"}`;
  return `${name === "wasm" ? "WASM" : name} (${isaNames[isa] ?? isa}, ${count})`;
}

export interface CpuBackend extends Backend {
  readonly module: CpuModule;
}

/**
 * Programs of less work, about a millisecond, run where they are called: handing one to another thread and back costs as much as a
 * matrix product of 256 cubed, and nobody misses JavaScript's thread for so long.
 */
const shortWork = 2e8;

export function cpuBackend(module: CpuModule): CpuBackend {
  return {
    module,
    name: module.name,
    get description() {
      return describe(module);
    },
    prepare(graph: Graph, options?: PrepareOptions): Executable {
      const planned = planProgram(graph, options);
      const program = encode(planned);
      const loaded = module.load(program.words, program.constants);
      keepForProfile(planned, program, loaded);
      const check = (failed: RunFailure | null) => {
        if (failed) throw failure(program, failed);
      };
      const run = (arrays: readonly TypedArray[]) => check(loaded.run(arrays));
      const isShort = workOf(planned) < shortWork;
      return {
        run,
        runAsync: async (arrays) => (isShort ? run(arrays) : check(await loaded.runAsync(arrays))),
      };
    },
  };
}
