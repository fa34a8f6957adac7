/**
 * Every sample's program, forward and gradient, run by the engines on arrays with guard words around them: nothing outside of an array
 * is written, no input changes, and every element of every output is.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { currentBackend } from "../src/backend/select.js";
import {
  allocate,
  bytesPerElement,
  type DType,
  isFloat,
  type TypedArray,
} from "../src/core/dtype.js";
import { sizeOf } from "../src/core/shape.js";
import { type Graph, type Node, topologicalOrder } from "../src/ir/graph.js";
import { interpret } from "../src/ir/interpret.js";
import { places, use } from "./support/backends.js";
import { differ, exact, float32Bounds, float64Bounds, scaled } from "./support/compare.js";
import { type TracedCase, tracesOf } from "./support/graphs.js";
import { allCases } from "./support/samples.js";

const guard = 64;
const pattern = 0xa5;

/** An array in the middle of a buffer, everything filled with the pattern. */
function guarded(dtype: DType, size: number): { array: TypedArray; bytes: Uint8Array } {
  const length = size * bytesPerElement(dtype);
  // An odd place: elements are aligned to their own size and to nothing more.
  const start = guard + bytesPerElement(dtype);
  const bytes = new Uint8Array(start + length + guard).fill(pattern);
  const Kind = allocate(dtype, 0).constructor as new (
    b: ArrayBuffer,
    at: number,
    n: number,
  ) => TypedArray;
  return { array: new Kind(bytes.buffer, start, size), bytes };
}

const isIntact = ({ array, bytes }: ReturnType<typeof guarded>): boolean =>
  bytes.subarray(0, array.byteOffset).every((v) => v === pattern) &&
  bytes.subarray(array.byteOffset + array.byteLength).every((v) => v === pattern);

/** The oracle's numbers as the output holds them. */
const rounded = ({ dtype }: Node, values: Float64Array): ArrayLike<number> =>
  dtype === "float32" ? Float32Array.from(values) : values;

function boundsOf(graph: Graph, { dtype }: Node, expected: ArrayLike<number>) {
  if (!isFloat(dtype)) return exact;
  const isNarrow = topologicalOrder(graph.outputs).some((node) => node.dtype === "float32");
  return scaled(isNarrow ? float32Bounds : float64Bounds, expected);
}

function findFaults({ name, graph, inputs }: TracedCase): string[] {
  const expected = interpret(graph, inputs);
  const arrays = [...graph.inputs, ...graph.outputs].map(({ dtype, shape }) =>
    guarded(dtype, sizeOf(shape)),
  );
  inputs.forEach((values, i) => arrays[i]!.array.set(values));
  const before = inputs.map((_, i) => arrays[i]!.array.slice());
  currentBackend()
    .prepare(graph)
    .run(arrays.map(({ array }) => array));
  const found = arrays.flatMap((array, i) =>
    isIntact(array) ? [] : [`${name}: the guard of array ${i} is changed`],
  );
  before.forEach((values, i) => {
    const difference = differ(arrays[i]!.array, values, exact);
    if (difference) found.push(`${name}: input ${i} is changed: ${difference}`);
  });
  graph.outputs.forEach((node, i) => {
    const wanted = rounded(node, expected[i]!);
    const got = arrays[inputs.length + i]!.array;
    const difference = differ(got, wanted, boundsOf(graph, node, wanted));
    if (difference) found.push(`${name} output ${i}: ${difference}`);
  });
  return found;
}

for (const place of places.slice(1))
  test(`guards stay whole on ${place.name}`, () => {
    use(place);
    const traces = allCases.flatMap((one) => tracesOf(one));
    assert.ok(traces.length > 1000);
    const found = traces.flatMap(findFaults);
    assert.deepEqual(found.slice(0, 10), []);
  });
