/** Every op has samples, refuses what does not fit, and says so when it cannot be traced. The samples run in table.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, GradusError, Tensor, TraceError } from "../src/index.js";
import * as exported from "../src/ops/index.js";
import { backends, places, use } from "./support/backends.js";
import { compileCells } from "./support/runCase.js";
import { allCases, allOps } from "./support/samples.js";

const interpreter = places[0]!;

test("every op that is exported or a method has samples and refuses something", () => {
  const sampled = new Set(allOps.map(({ op }) => op));
  const own = new Set(
    "constructor ndim size isLeaf grad storageFor data item toArray toString assign backward detach detach_ requiresGrad_ registerHook registerPostAccumulateGradHook retainGrad var".split(
      " ",
    ),
  );
  const methods = Object.getOwnPropertyNames(Tensor.prototype).filter((name) => !own.has(name));
  const functions = Object.entries(exported).flatMap(([name, x]) =>
    typeof x === "function" ? [name] : [],
  );
  const without = [...methods, ...functions].filter((name) => !sampled.has(name));
  assert.deepEqual(without, []);
});

test("bad calls are refused with the op's name, what came and what was expected, eager and traced", async () => {
  for (const place of backends) {
    use(place);
    for (const { op, bad = [] } of allOps)
      for (const { call, error } of bad) {
        const check = (thrown: unknown) => {
          assert.ok(thrown instanceof GradusError, `${op}: ${error} got ${thrown}`);
          assert.match(thrown.message, error);
          return true;
        };
        assert.throws(call, check, `${op} ${error}`);
        await assert.rejects(compile(() => call() as Tensor)(), check, `${op} ${error} traced`);
      }
  }
  use(interpreter);
});

test("ops whose results depend on values say so when they are traced", async () => {
  for (const one of allCases.filter(({ op }) => op.eagerOnly !== undefined))
    await assert.rejects(compileCells(one, "float32")(), TraceError, one.name);
});
