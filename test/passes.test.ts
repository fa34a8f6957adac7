/**
 * Passes keep every graph valid and its values the same, and plans never let two live values share memory: on the forward and
 * backward graphs of all samples, and on whole training steps.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setBackend } from "../src/index.js";
import { Builder } from "../src/ir/builder.js";
import { type Graph, topologicalOrder } from "../src/ir/graph.js";
import { interpret } from "../src/ir/interpret.js";
import { dedupe } from "../src/ir/passes/dedupe.js";
import { materialize } from "../src/ir/passes/materialize.js";
import { plan } from "../src/ir/passes/plan.js";
import { simplify } from "../src/ir/passes/simplify.js";
import { verify } from "../src/ir/verify.js";
import { findOrderFaults, findPlanFaults } from "./support/checkPlan.js";
import { differ, float32Bounds } from "./support/compare.js";
import { type TracedCase, type TracedStep, traceStep, tracesOf } from "./support/graphs.js";
import {
  labels,
  Mlp,
  numbers,
  optimizers,
  SmallConvNet,
  settle,
  trainingStep,
} from "./support/models.js";
import { allCases, sampleSets } from "./support/samples.js";

setBackend("interpreter");

const passes: readonly (readonly [string, (graph: Graph) => Graph])[] = [
  ["simplify", simplify],
  ["dedupe", dedupe],
  ["materialize", (graph) => materialize(new Builder(), graph)],
];

/** Applies the passes one after another; gives the last graph and what went wrong. */
function checkPasses({ name, graph, inputs }: TracedCase): { last: Graph; found: string[] } {
  const found: string[] = [];
  verify(graph);
  const before = interpret(graph, inputs);
  // Constants of float32 are rounded when they are folded, which the interpreter does not do.
  const isNarrow = topologicalOrder(graph.outputs).some(({ dtype }) => dtype === "float32");
  const bounds = isNarrow ? float32Bounds : { relative: 1e-12, absolute: 1e-12 };
  let last = graph;
  for (const [pass, apply] of passes) {
    last = apply(last);
    try {
      verify(last);
    } catch (error) {
      found.push(`${name} after ${pass}: ${(error as Error).message}`);
    }
    interpret(last, inputs).forEach((values, i) => {
      const difference = differ(values, before[i]!, bounds);
      if (difference) found.push(`${name} output ${i} after ${pass}: ${difference}`);
    });
  }
  return { last, found };
}

function checkTrace(traced: TracedCase | TracedStep): string[] {
  const { last, found } = checkPasses(traced);
  const aliases = "aliases" in traced ? traced.aliases : [];
  const planned = plan(last, aliases);
  const faults = [...findPlanFaults(last, planned, aliases), ...findOrderFaults(planned)];
  return [...found, ...faults.map((fault) => `${traced.name}: ${fault}`)];
}

for (const [family, samples] of Object.entries(sampleSets))
  test(`passes and plans: ${family}`, () => {
    const ops = new Set(samples().map(({ op }) => op));
    const traces = allCases
      .filter(({ op }) => ops.has(op.op))
      .flatMap((one) => tracesOf(one, "float64"));
    assert.ok(traces.length > 0 || samples().every(({ eagerOnly }) => eagerOnly !== undefined));
    const found = traces.flatMap(checkTrace);
    assert.deepEqual(found.slice(0, 10), []);
  });

for (const [name, make] of Object.entries(optimizers))
  test(`passes and plans: a training step with ${name}`, () => {
    for (const model of [settle(new Mlp()), settle(new SmallConvNet())]) {
      const x = model instanceof Mlp ? numbers("x", [7, 6]) : numbers("x", [4, 1, 8, 8]);
      const y = labels("y", x.shape[0]!, 5);
      const step = trainingStep(model, make(model.parameters()));
      assert.deepEqual(checkTrace(traceStep(`${name} step`, () => step(x, y))), []);
    }
  });

test("the checker of plans finds planted faults", () => {
  const model = settle(new Mlp());
  const train = trainingStep(model, optimizers.momentum(model.parameters()));
  const traced = traceStep("step", () => train(numbers("x", [7, 6]), labels("y", 7, 5)));
  const { last } = checkPasses(traced);
  const sound = plan(last, traced.aliases);
  const overlapping = new Map(
    [...sound.places].map(([node, place]) => [
      node,
      place.kind === "arena" ? { ...place, offset: 0 } : place,
    ]),
  );
  assert.notDeepEqual(findPlanFaults(last, { ...sound, places: overlapping }, traced.aliases), []);
  const backwards = { ...sound, kernels: [...sound.kernels].reverse() };
  assert.notDeepEqual(findOrderFaults(backwards), []);
  const small = { ...sound, arenaUnits: 1 };
  assert.notDeepEqual(findPlanFaults(last, small, traced.aliases), []);
});
