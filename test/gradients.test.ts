/**
 * The gradient rule of every primitive against central differences, and the gradient of that gradient, in float64 on the
 * interpreter.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sizeOf } from "../src/core/shape.js";
import { Builder } from "../src/ir/builder.js";
import type { Node } from "../src/ir/graph.js";
import { interpret } from "../src/ir/interpret.js";
import { primitiveNames } from "../src/ir/primitives.js";
import { verify } from "../src/ir/verify.js";
import { rules, vjp } from "../src/ir/vjp.js";
import { differ } from "./support/compare.js";
import { type PrimitiveSample, primitiveSamples } from "./support/primitives.js";
import { randomFrom } from "./support/samples.js";

const step = 1e-5;
const bounds = { relative: 5e-6, absolute: 5e-6 };

/** Σ value · weights, with the weights as one more input. */
function weigh(b: Builder, value: Node, weights: Node): Node {
  const product = b.multiply(value, weights);
  return b.reduce(
    "reduceSum",
    product,
    product.shape.map((_, i) => i),
  );
}

const randomArray = (
  name: string,
  size: number,
  [low, high]: readonly [number, number],
): Float64Array => {
  const next = randomFrom(name);
  return Float64Array.from({ length: size }, () => low + next() * (high - low));
};

/** d total / d input at every element of every input, by differences. */
function slopes(
  inputs: readonly Node[],
  total: Node,
  values: readonly Float64Array[],
  count: number,
): Float64Array[] {
  const evaluate = (moved: readonly Float64Array[]): number =>
    interpret({ inputs, outputs: [total] }, moved)[0]![0]!;
  return values.slice(0, count).map((array, i) =>
    array.map((_, place) => {
      const at = (by: number) =>
        evaluate(values.map((v, j) => (j === i ? v.map((w, k) => (k === place ? w + by : w)) : v)));
      return (at(step) - at(-step)) / (2 * step);
    }),
  );
}

/** Compares the gradients of a scalar with its slopes; gives them as nodes. */
function checkGradients(
  b: Builder,
  inputs: readonly Node[],
  total: Node,
  values: readonly Float64Array[],
  count: number,
  what: string,
): (Node | null)[] {
  const wrt = inputs.slice(0, count);
  const gradients = vjp(b, [total], [b.constant(1, "float64")], wrt);
  const zeros = (x: Node) => b.constant(0, "float64", x.shape);
  const graph = { inputs, outputs: gradients.map((g, i) => g ?? zeros(wrt[i]!)) };
  verify(graph);
  const expected = slopes(inputs, total, values, count);
  interpret(graph, values).forEach((got, i) => {
    assert.equal(differ(got, expected[i]!, bounds), null, `${what} of input ${i}`);
  });
  return [...gradients];
}

function check({ primitive, shapes, range, build }: PrimitiveSample, name: string): void {
  const b = new Builder(primitive);
  const xs = shapes.map((shape, i) => b.input(i, shape, "float64"));
  const value = build(b, ...xs);
  const weights = b.input(xs.length, value.shape, "float64");
  // The gradients of the gradients are taken in other fixed directions.
  const directions = xs.map((x, i) => b.input(xs.length + 1 + i, x.shape, "float64"));
  const inputs = [...xs, weights, ...directions];
  const values = inputs.map(({ shape }, i) =>
    randomArray(`${name} ${i}`, sizeOf(shape), i < xs.length ? range : [-1, 1]),
  );
  const total = weigh(b, value, weights);
  const gradients = checkGradients(b, inputs, total, values, xs.length, "gradient");
  const parts = gradients.flatMap((g, i) => (g ? [weigh(b, g, directions[i]!)] : []));
  const second = parts.reduce((sum, part) => b.add(sum, part));
  checkGradients(b, inputs, second, values, xs.length, "second gradient");
}

primitiveSamples.forEach((sample, i) => {
  const name = `${sample.primitive} #${i}`;
  test(`gradient of ${name}`, () => check(sample, name));
});

test("every primitive has a sample, or a rule that says it has no gradient", () => {
  const sampled = new Set(primitiveSamples.map(({ primitive }) => primitive));
  const without = primitiveNames.filter((name) => rules[name] !== null && !sampled.has(name));
  assert.deepEqual(without, []);
});
