/**
 * Random programs give the same values and gradients eager and compiled on every backend and instruction set, and their gradients
 * agree with central differences. The seed is fixed; a failing program is shrunk and printed.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { DType } from "../src/core/dtype.js";
import { compile, grad, setBackend, type Tensor } from "../src/index.js";
import { Builder } from "../src/ir/builder.js";
import { dedupe } from "../src/ir/passes/dedupe.js";
import { materialize } from "../src/ir/passes/materialize.js";
import { plan } from "../src/ir/passes/plan.js";
import { simplify } from "../src/ir/passes/simplify.js";
import { verify } from "../src/ir/verify.js";
import { places, use } from "./support/backends.js";
import { findOrderFaults, findPlanFaults } from "./support/checkPlan.js";
import { type Bounds, differ } from "./support/compare.js";
import { differFromSlopes } from "./support/differences.js";
import { traceFunction } from "./support/graphs.js";
import { type Program, programs, runProgram } from "./support/programs.js";
import { toTensor } from "./support/runCase.js";
import { randomValues } from "./support/samples.js";

const seed = 20240229;

const inputsOf = ({ shapes }: Program, dtype: DType): Tensor[] =>
  shapes.map((shape, i) => toTensor(randomValues(`program ${i}`, { shape, dtype }), "float32"));

const argnumsOf = ({ shapes }: Program): number[] => shapes.map((_, i) => i);

const valueAndGradients = (program: Program) => {
  const value = (...xs: Tensor[]) => runProgram(program, xs);
  return (...xs: Tensor[]): Tensor[] => [
    value(...xs),
    ...grad(value, { argnums: argnumsOf(program) })(...xs),
  ];
};

function assertAlike(
  got: readonly Tensor[],
  expected: readonly Tensor[],
  bounds: Bounds,
  what: string,
) {
  expected.forEach((x, i) => {
    assert.deepEqual(got[i]!.shape, x.shape);
    assert.equal(differ(got[i]!.data, x.data, bounds), null, `${what}, result ${i}`);
  });
}

/** Wide in float32: a program of thirty steps may enlarge the rounding of its first. */
const bounds = {
  float64: { relative: 1e-9, absolute: 1e-9 },
  float32: { relative: 2e-3, absolute: 2e-3 },
} as const;

for (const dtype of ["float64", "float32"] as const)
  test(`random programs agree everywhere in ${dtype}`, async () => {
    const check = async (program: Program) => {
      setBackend("interpreter");
      const inputs = inputsOf(program, dtype);
      const run = valueAndGradients(program);
      const expected = run(...inputs);
      const compiled = compile(run);
      for (const place of places) {
        use(place);
        assertAlike(run(...inputs), expected, bounds[dtype], `${place.name} eager`);
        assertAlike(await compiled(...inputs), expected, bounds[dtype], `${place.name} compiled`);
      }
      setBackend("interpreter");
    };
    await fc.assert(fc.asyncProperty(programs, check), {
      seed,
      numRuns: 60,
      interruptAfterTimeLimit: 30000,
      markInterruptAsFailure: true,
    });
  });

test("gradients of random programs agree with central differences", () => {
  setBackend("interpreter");
  const check = (program: Program) => {
    const inputs = inputsOf(program, "float64");
    const [, ...gradients] = valueAndGradients(program)(...inputs);
    assert.equal(
      differFromSlopes((xs) => runProgram(program, xs).item(), inputs, gradients),
      null,
    );
  };
  fc.assert(fc.property(programs, check), { seed, numRuns: 60 });
});

test("passes keep random programs valid, and plans keep live values apart", () => {
  const check = (program: Program) => {
    const { graph } = traceFunction(
      "program",
      valueAndGradients(program),
      inputsOf(program, "float32"),
    );
    verify(graph);
    const small = dedupe(simplify(graph));
    verify(small);
    const last = materialize(new Builder(), small);
    verify(last);
    const planned = plan(last);
    assert.deepEqual([...findPlanFaults(last, planned), ...findOrderFaults(planned)], []);
  };
  fc.assert(fc.property(programs, check), { seed: seed + 1, numRuns: 150 });
});
