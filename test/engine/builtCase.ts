/** Cases whose program the encoder writes from one primitive, and whose results the interpreter gives. */
import { compileProgram } from "../../src/backend/cpu/index.js";
import { allocate, type DType, isFloat, type TypedArray } from "../../src/core/dtype.js";
import { type Shape, sizeOf } from "../../src/core/shape.js";
import { Builder } from "../../src/ir/builder.js";
import type { Node } from "../../src/ir/graph.js";
import { interpret } from "../../src/ir/interpret.js";
import type { Case } from "./case.js";
import { noise } from "./program.js";

export interface Input {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly array: TypedArray;
}

/** Numbers in [-scale, scale); whole ones for integer dtypes. */
export function random(dtype: DType, shape: Shape, seed: number, scale = 1): Input {
  const array = allocate(dtype, sizeOf(shape));
  const values = noise(array.length, seed);
  for (let i = 0; i < array.length; i++) {
    const value = values[i]! * scale;
    array[i] = dtype === "bool" ? Number(value > 0) : isFloat(dtype) ? value : Math.round(value);
  }
  return { shape, dtype, array };
}

/** int32 numbers in [0, below). */
export function randomIndices(shape: Shape, below: number, seed: number): Input {
  const values = noise(sizeOf(shape), seed);
  const array = Int32Array.from(values, (v) =>
    Math.min(below - 1, Math.floor((v + 1) * 0.5 * below)),
  );
  return { shape, dtype: "int32", array };
}

/** Every `every`-th element becomes `value`. */
export function sprinkle(input: Input, value: number, every: number): Input {
  for (let i = every >> 1; i < input.array.length; i += every) input.array[i] = value;
  return input;
}

export function builtCase(
  name: string,
  inputs: readonly Input[],
  build: (b: Builder, ...nodes: Node[]) => Node,
  tolerance = 0,
): Case {
  const b = new Builder(name);
  const nodes = inputs.map(({ shape, dtype }, i) => b.input(i, shape, dtype));
  const result = build(b, ...nodes);
  const graph = { inputs: nodes, outputs: [result] };
  const given = inputs.map(({ array }) => Float64Array.from(array));
  const [values] = interpret(graph, given) as [Float64Array];
  const arrays = [
    ...inputs.map(({ array }) => array),
    allocate(result.dtype, sizeOf(result.shape)),
  ];
  const shapes = inputs.map(({ shape }) => `[${shape}]`).join(" ");
  return {
    name: `${name} ${inputs[0]!.dtype} ${shapes}`,
    program: compileProgram(graph),
    arrays,
    expected: [{ slot: inputs.length, values, tolerance }],
  };
}
