/** How much memory between its inputs and outputs a compiled function needs. */

import { type Tensor, zeros } from "../../src/index.js";
import { Builder } from "../../src/ir/builder.js";
import { dedupe } from "../../src/ir/passes/dedupe.js";
import { materialize } from "../../src/ir/passes/materialize.js";
import { plan } from "../../src/ir/passes/plan.js";
import { simplify } from "../../src/ir/passes/simplify.js";
import { withTrace } from "../../src/tensor/context.js";
import { Trace } from "../../src/tensor/trace.js";

/** The planned arena of `fn` on one argument of a shape that requires grad, in units of 64 bytes. */
export function arenaOf(fn: (x: Tensor) => Tensor, shape: readonly number[]): number {
  const trace = new Trace();
  const result = withTrace(trace, () =>
    fn(trace.argument(0, zeros(shape, { requiresGrad: true }))),
  );
  const graph = {
    inputs: trace.inputs.map(({ node }) => node),
    outputs: [trace.nodeOf(result)],
  };
  const clean = dedupe(simplify(dedupe(simplify(graph))));
  return plan(materialize(new Builder(), clean)).arenaUnits;
}
