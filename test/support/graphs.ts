/** The graphs of samples: forward, and with the gradients of all float inputs. */

import { isFloat } from "../../src/core/dtype.js";
import { grad, type Tensor, tensor } from "../../src/index.js";
import type { Graph } from "../../src/ir/graph.js";
import { withTrace } from "../../src/tensor/context.js";
import { Trace } from "../../src/tensor/trace.js";
import { makeInputs, type Precision, toTensor } from "./runCase.js";
import { type Case, cotangent } from "./samples.js";

export interface TracedCase {
  readonly name: string;
  readonly graph: Graph;
  readonly inputs: readonly Float64Array[];
}

/** Traces a function of tensors; the graph's inputs beyond the arguments are the cells that it read. */
export function traceFunction(
  name: string,
  fn: (...args: Tensor[]) => readonly Tensor[],
  args: readonly Tensor[],
): TracedCase {
  const trace = new Trace();
  const outputs = withTrace(trace, () => {
    const results = fn(...args.map((x, i) => trace.argument(i, x)));
    return results.map((x) => trace.nodeOf(x));
  });
  const inputs = trace.inputs.map(({ from }) => {
    const source = typeof from === "number" ? args[from]! : (from as Tensor);
    return Float64Array.from(source.data);
  });
  return { name, graph: { inputs: trace.inputs.map(({ node }) => node), outputs }, inputs };
}

const asList = (x: Tensor | readonly Tensor[]): readonly Tensor[] =>
  Array.isArray(x) ? x : [x as Tensor];

function gradientOf(one: Case, args: readonly Tensor[]): Tensor[] {
  const argnums = args.flatMap((x, i) => (isFloat(x.dtype) ? [i] : []));
  const value = (...xs: Tensor[]): Tensor =>
    asList(one.sample.call(...xs)).reduce<Tensor>(
      (sum, y, i) => {
        if (!isFloat(y.dtype)) return sum;
        const direction = toTensor(
          { ...cotangent(one.name, i, y.shape), dtype: y.dtype },
          "float32",
        );
        return sum.add(y.mul(direction).sum().to("float64"));
      },
      tensor(0, { dtype: "float64" }),
    );
  return argnums.length === 0 ? [] : grad(value, { argnums })(...args);
}

/** The forward graph of a case, and the graph of its gradients; none of what cannot be traced. */
export function tracesOf(one: Case, precision: Precision = "float32"): TracedCase[] {
  if (one.op.eagerOnly !== undefined) return [];
  const args = makeInputs(one, precision);
  const forward = traceFunction(one.name, (...xs) => asList(one.sample.call(...xs)), args);
  if (one.op.noGradient !== undefined) return [forward];
  const backward = traceFunction(`${one.name} gradient`, (...xs) => gradientOf(one, xs), args);
  return backward.graph.outputs.length === 0 ? [forward] : [forward, backward];
}

/** A traced step: what it assigns and returns are outputs, and what it assigns overwrites where it came from. */
export interface TracedStep extends TracedCase {
  readonly aliases: readonly (readonly [output: number, input: number])[];
}

/** Traces a step that assigns tensors from outside, as compile() does. */
export function traceStep(name: string, step: () => Tensor): TracedStep {
  const trace = new Trace();
  const result = withTrace(trace, step);
  const assigned = [...trace.cells].filter(([, cell]) => cell.assigned);
  const outputs = [...assigned.map(([, cell]) => cell.current!), trace.nodeOf(result)];
  const aliases = assigned.map(
    ([tensor], i) => [i, trace.inputs.findIndex(({ from }) => from === tensor)] as const,
  );
  const inputs = trace.inputs.map(({ from }) => Float64Array.from((from as Tensor).data));
  return {
    name,
    graph: { inputs: trace.inputs.map(({ node }) => node), outputs },
    inputs,
    aliases,
  };
}
