/** The graph: building, printing, verifying, single simplifications, and what the interpreter does with odd values. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DType } from "../src/core/dtype.js";
import { DTypeError, GradusError, ShapeError } from "../src/index.js";
import { Builder } from "../src/ir/builder.js";
import type { Graph, Node } from "../src/ir/graph.js";
import { attributesKey, countUses, topologicalOrder } from "../src/ir/graph.js";
import { interpret } from "../src/ir/interpret.js";
import { dedupe } from "../src/ir/passes/dedupe.js";
import { fuse } from "../src/ir/passes/fuse.js";
import { materialize } from "../src/ir/passes/materialize.js";
import { simplify } from "../src/ir/passes/simplify.js";
import { printGraph } from "../src/ir/print.js";
import { verify } from "../src/ir/verify.js";
import { vjp } from "../src/ir/vjp.js";

/** A linear layer with ReLU. */
function layer(): Graph {
  const b = new Builder("layer");
  const [x, w] = [b.input(0, [2, 3], "float32"), b.input(1, [4, 3], "float32")];
  const product = b.make("dotGeneral", [x, w], {
    ...{ lhsBatch: [], rhsBatch: [] },
    ...{ lhsContract: [1], rhsContract: [1] },
  });
  return { inputs: [x, w], outputs: [b.pointwise("maximum", product, 0)] };
}

test("a graph prints one value a line, with types, attributes and origins", () => {
  assert.equal(
    printGraph(layer()),
    [
      "%0: float32[2, 3] = input(index=0)  # layer",
      "%1: float32[4, 3] = input(index=1)  # layer",
      "%2: float32[2, 4] = dotGeneral(%0, %1, lhsBatch=[], rhsBatch=[], lhsContract=[1], rhsContract=[1])  # layer",
      "%3: float32[2, 4] = constant(value=0)  # layer",
      "%4: float32[2, 4] = maximum(%2, %3)  # layer",
      "return %4",
    ].join("\n"),
  );
});

/** The graph with one node replaced by a changed copy. */
function spoil(graph: Graph, change: (node: Node) => Partial<Node>): Graph {
  const [output] = graph.outputs as [Node];
  return { inputs: graph.inputs, outputs: [{ ...output, ...change(output) }] };
}

test("verify accepts a sound graph and names the fault of a spoilt one", () => {
  const graph = layer();
  verify(graph);
  const faults: [Graph, RegExp][] = [
    [
      spoil(graph, () => ({ shape: [4, 2] })),
      /maximum \(layer\): has type float32\[4, 2\], the table says float32\[2, 4\]/,
    ],
    [
      spoil(graph, () => ({ dtype: "float64" })),
      /has type float64\[2, 4\], the table says float32\[2, 4\]/,
    ],
    [spoil(graph, ({ inputs }) => ({ inputs: inputs.slice(1) })), /takes 2 inputs, has 1/],
    [spoil(graph, () => ({ id: 0 })), /comes after it/],
    [{ inputs: graph.inputs.slice(1), outputs: graph.outputs }, /is an input of another graph/],
    [
      { inputs: [...graph.inputs, graph.outputs[0]!], outputs: graph.outputs },
      /is listed as input 2 but is no input/,
    ],
  ];
  for (const [spoilt, message] of faults)
    assert.throws(
      () => verify(spoilt),
      (error: GradusError) => error instanceof GradusError && message.test(error.message),
      String(message),
    );
});

test("the builder refuses operands that do not fit, with the op's name", () => {
  const b = new Builder("myOp");
  const [x, y, n] = [
    b.input(0, [2], "float32"),
    b.input(1, [3], "float32"),
    b.input(2, [2], "int32"),
  ];
  assert.throws(() => b.add(x, y), {
    name: "ShapeError",
    message: /^myOp: shapes \[2\] and \[3\] do not broadcast/,
  });
  assert.throws(() => b.add(x, n), {
    name: "DTypeError",
    message: /^myOp: operands have dtypes float32 and int32/,
  });
  assert.throws(() => b.pointwise("exponential", n), DTypeError);
  assert.throws(() => b.slice(x, [1], [3]), ShapeError);
  assert.throws(
    () => b.make("transpose", [x], { permutation: [1] }),
    /myOp: \[1\] is no permutation of 1 dims/,
  );
  assert.throws(
    () => b.make("concatenate", [x, n], { dim: 0 }),
    /cannot join float32\[2\] and int32\[2\]/,
  );
  assert.throws(
    () => b.make("reduceMax", [b.constant(0, "float32", [0])], { dims: [0] }),
    /nothing to choose from/,
  );
});

test("topological order puts producers first and counts uses", () => {
  const b = new Builder();
  const x = b.input(0, [2], "float32");
  const square = b.multiply(x, x);
  const sum = b.add(square, x);
  const order = topologicalOrder([sum]);
  assert.deepEqual(order, [x, square, sum]);
  assert.deepEqual([...countUses(order, [sum])].map(([, n]) => n).sort(), [1, 1, 3]);
});

test("attributes that differ have different keys, also NaN, infinities and −0", () => {
  const values = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0,
    -0,
    1,
    "NaN",
    null,
  ];
  assert.equal(new Set(values.map((value) => attributesKey({ value }))).size, values.length);
});

const primitivesOf = (graph: Graph): string[] =>
  topologicalOrder(graph.outputs).map(({ primitive }) => primitive);

test("simplify drops what changes nothing", () => {
  const b = new Builder();
  const x = b.input(0, [2, 3], "float32");
  const same: Node[] = [
    b.add(x, 0),
    b.subtract(x, 0),
    b.multiply(x, 1),
    b.divide(x, 1),
    b.pointwise("power", x, 1),
    b.negate(b.negate(x)),
    b.make("stopGradient", [x], {}),
    b.make("convert", [x], { dtype: "float32" }),
    b.transpose(b.transpose(x, [1, 0]), [1, 0]),
    b.reshape(b.reshape(x, [6]), [2, 3]),
    b.select(b.constant(1, "bool", [2, 3]), x, 0),
  ];
  for (const node of same) {
    const graph = simplify({ inputs: [x], outputs: [node] });
    assert.equal(graph.outputs[0], x, printGraph({ inputs: [x], outputs: [node] }));
  }
});

test("simplify folds constants as their dtype rounds", () => {
  const b = new Builder();
  const fold = (node: Node) => {
    const [output] = simplify({ inputs: [], outputs: [node] }).outputs as [Node<"constant">];
    assert.equal(output.primitive, "constant");
    return output.attributes.value;
  };
  assert.equal(
    fold(b.add(b.constant(0.1, "float32"), b.constant(0.2, "float32"))),
    Math.fround(0.1 + 0.2),
  );
  assert.equal(fold(b.add(b.constant(2 ** 31 - 1, "int32"), b.constant(1, "int32"))), -(2 ** 31));
  assert.equal(
    fold(b.multiply(b.constant(123456789, "int32"), b.constant(987654321, "int32"))),
    Math.imul(123456789, 987654321),
  );
  assert.equal(fold(b.divide(b.constant(-7, "int32"), b.constant(2, "int32"))), -3);
  assert.equal(fold(b.divide(b.constant(7, "int32"), b.constant(0, "int32"))), 0);
  const convert = (value: number, from: DType, dtype: DType) =>
    fold(b.make("convert", [b.constant(value, from)], { dtype }));
  assert.equal(convert(2, "int32", "bool"), 1);
  assert.equal(convert(Number.NaN, "float32", "bool"), 1);
  assert.equal(convert(300, "int32", "uint8"), 44);
  assert.equal(convert(-2.7, "float32", "int32"), -2);
  assert.equal(convert(3e9, "float64", "int32"), 2 ** 31 - 1);
  assert.equal(convert(0.1, "float32", "float64"), Math.fround(0.1));
  assert.equal(fold(b.add(b.constant(250, "uint8"), b.constant(10, "uint8"))), 4);
});

test("dedupe makes one of equal nodes and keeps different ones", () => {
  const b = new Builder();
  const x = b.input(0, [2], "float32");
  const graph = dedupe({
    inputs: [x],
    outputs: [b.add(b.multiply(x, x), b.multiply(x, x)), b.add(x, 0), b.add(x, -0)],
  });
  assert.deepEqual(primitivesOf({ ...graph, outputs: [graph.outputs[0]!] }), [
    "input",
    "multiply",
    "add",
  ]);
  assert.notEqual(graph.outputs[1], graph.outputs[2]);
});

test("materialize copies outputs that are views, inputs or given twice, and what no strides can walk", () => {
  const b = new Builder();
  const x = b.input(0, [2, 3], "float32");
  const sum = b.add(x, x);
  const outputs = [x, b.transpose(x, [1, 0]), sum, sum, b.constant(1, "float32", [2])];
  const graph = materialize(new Builder(), { inputs: [x], outputs });
  assert.deepEqual(
    graph.outputs.map(({ primitive }) => primitive),
    ["convert", "convert", "add", "convert", "convert"],
  );
  const crooked = b.reshape(b.transpose(x, [1, 0]), [6]);
  const made = materialize(new Builder(), { inputs: [x], outputs: [b.negate(crooked)] });
  assert.deepEqual(primitivesOf(made), ["input", "transpose", "convert", "reshape", "negate"]);
  const [got] = interpret(made, [Float64Array.of(1, 2, 3, 4, 5, 6)]);
  assert.deepEqual([...got!], [-1, -4, -2, -5, -3, -6]);
});

test("fuse puts a chain and its reduction into one kernel, and keeps what needs the sum apart", () => {
  const b = new Builder();
  const x = b.input(0, [64, 64], "float32");
  const chain = b.pointwise("exponential", b.multiply(b.add(x, 1), 2));
  const total = b.reduce("reduceSum", chain, [1], true);
  const kernels = fuse(
    materialize(new Builder(), { inputs: [x], outputs: [b.divide(chain, total)] }),
  );
  assert.equal(kernels.length, 2);
  assert.deepEqual(
    kernels.map(({ depth }) => depth),
    [1, 2],
  );
});

test("gradients flow through what is read, and not through stopGradient or whole numbers", () => {
  const b = new Builder();
  const [x, n] = [b.input(0, [2], "float32"), b.input(1, [2], "int32")];
  const stopped = b.multiply(b.stopGradient(x), b.convert(n, "float32"));
  assert.deepEqual(vjp(b, [stopped], [b.constant(1, "float32", [2])], [x, n]), [null, null]);
  const [gradient] = vjp(b, [b.add(stopped, x)], [b.constant(1, "float32", [2])], [x]);
  const graph = { inputs: [x, n], outputs: [gradient!] };
  assert.deepEqual(
    [...interpret(graph, [Float64Array.of(3, 4), Float64Array.of(5, 6)])[0]!],
    [1, 1],
  );
});
