/**
 * Layers against PyTorch's: names and order of the state, outputs, and what a call does to buffers, eager and compiled; and the errors
 * that only a run can find. Numbers are from scripts/fixtures/makeModules.py.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cholesky, compile, inverse, type nn, solve, ValueError, zeros } from "../src/index.js";
import { backends, use } from "./support/backends.js";
import { differ } from "./support/compare.js";
import { readFixture } from "./support/fixtures.js";
import { flatten, type ModuleCase, moduleCases, stateOf, toTensor } from "./support/moduleCases.js";

interface Numbers {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

interface Expected {
  readonly outputs: readonly Numbers[];
  readonly state: readonly (readonly [string, Numbers])[];
}

const fixtures = readFixture<Record<string, Expected>>("modules.json.gz");
const bounds = { relative: 1e-4, absolute: 2e-5 };

function fresh({ torch, make }: ModuleCase): nn.Module {
  const module = make();
  module.loadStateDict(stateOf(torch, module).map(([name, x]) => [name, toTensor(x)] as const));
  return module;
}

async function check(one: ModuleCase, way: "eager" | "compiled", where: string): Promise<void> {
  const module = fresh(one);
  const inputs = one.inputs.map(toTensor);
  const run = (...xs: typeof inputs) => flatten(one.call(module as never, xs));
  const outputs = way === "eager" ? run(...inputs) : await compile(run)(...inputs);
  const { outputs: expected, state } = fixtures[one.torch]!;
  const name = `${one.torch} ${way} on ${where}`;
  assert.deepEqual(
    outputs.map((y) => y.shape),
    expected.map((y) => y.shape),
    name,
  );
  outputs.forEach((y, i) => {
    assert.equal(differ(y.data, expected[i]!.values, bounds), null, `${name} output ${i}`);
  });
  const after = [...module.stateDict()];
  assert.deepEqual(
    after.map(([key]) => key),
    state.map(([key]) => key),
    name,
  );
  after.forEach(([key, x], i) => {
    assert.equal(differ(x.data, state[i]![1].values, bounds), null, `${name} ${key}`);
  });
}

for (const one of moduleCases)
  test(`layer: ${one.torch}`, async () => {
    for (const place of backends) {
      use(place);
      await check(one, "eager", place.name);
      await check(one, "compiled", place.name);
    }
  });

test("matrices without an inverse or a root are refused when they run, eager and compiled", async () => {
  const singular = zeros([2, 2]);
  const calls = [
    [() => inverse(singular), /singular/],
    [() => solve(singular, zeros([2])), /singular/],
    [() => cholesky(singular), /not positive definite/],
  ] as const;
  for (const place of backends) {
    use(place);
    for (const [call, message] of calls) {
      assert.throws(call, message, place.name);
      await assert.rejects(compile(call)(), message, place.name);
    }
  }
  use(backends[0]!);
  assert.throws(() => inverse(singular), ValueError);
});
