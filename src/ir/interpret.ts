/**
 * The interpreter: runs a graph node by node in float64, by plain loops. It is the oracle that every other backend is
 * compared with, so it favours plainness over speed. Loops of contractions and windows are in interpretContract.ts.
 */
import type { DType } from "../core/dtype.js";
import { ValueError } from "../core/errors.js";
import { randomBits } from "../core/random.js";
import { type Shape, sizeOf, stridesOf } from "../core/shape.js";
import { type Graph, is, type Node, topologicalOrder } from "./graph.js";
import { contractEvaluators } from "./interpretContract.js";
import { type PointwiseName, type PointwisePrimitive, primitives } from "./primitives.js";

type Evaluator = (node: Node<never>, inputs: readonly Float64Array[]) => Float64Array;

/** Brings a number into the range of a dtype; floats stay as they are. */
export function wrap(dtype: DType, value: number): number {
  if (dtype === "int32") return value | 0;
  if (dtype === "uint8") return value & 255;
  return value;
}

/** Conversion, as docs/program-format.md defines it. */
function convertTo(dtype: DType, from: DType, value: number): number {
  if (dtype === "bool") return Number(value !== 0);
  const isInteger = dtype === "int32" || dtype === "uint8";
  if (!isInteger || from === "int32") return wrap(dtype, value);
  const whole = Number.isNaN(value) ? 0 : Math.trunc(value);
  return wrap(dtype, Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), whole)));
}

function pointwise(node: Node<PointwiseName>, inputs: readonly Float64Array[]): Float64Array {
  const { evaluate, evaluateInteger }: PointwisePrimitive = primitives[node.primitive];
  const dtype = node.inputs[0]!.dtype;
  const out = new Float64Array(sizeOf(node.shape));
  const [a, b, c] = inputs as [Float64Array, Float64Array?, Float64Array?];
  const integer = dtype === "int32" || dtype === "uint8" ? evaluateInteger : undefined;
  for (let i = 0; i < out.length; i++) {
    const value = integer ? integer(a[i]!, b![i]!) : evaluate(a[i]!, b?.[i] ?? 0, c?.[i] ?? 0);
    out[i] = node.primitive === "convert" ? convertTo(node.dtype, dtype, value) : wrap(node.dtype, value);
  }
  return out;
}

/** Copies from `source` at offset + Σ index·stride, in row-major order of `shape`. */
function gatherStrided(
  source: Float64Array,
  shape: Shape,
  strides: readonly number[],
  offset = 0,
): Float64Array {
  const out = new Float64Array(sizeOf(shape));
  const index = new Array<number>(shape.length).fill(0);
  let at = offset;
  for (let i = 0; i < out.length; i++) {
    out[i] = source[at]!;
    for (let d = shape.length - 1; d >= 0; d--) {
      at += strides[d]!;
      if (++index[d]! < shape[d]!) break;
      at -= strides[d]! * shape[d]!;
      index[d] = 0;
    }
  }
  return out;
}

/** The mirror image: writes the elements of `values`, in row-major order of `shape`, to strided places. */
function scatterStrided(
  target: Float64Array,
  values: Float64Array,
  shape: Shape,
  strides: readonly number[],
  offset: number,
): void {
  const places = gatherStrided(Float64Array.from(target, (_, i) => i), shape, strides, offset);
  for (let i = 0; i < values.length; i++) target[places[i]!] = values[i]!;
}

const folds: Record<string, (a: number, b: number) => number> = {
  reduceSum: (a, b) => a + b,
  reduceProduct: (a, b) => a * b,
  reduceMax: primitives.maximum.evaluate as (a: number, b: number) => number,
  reduceMin: primitives.minimum.evaluate as (a: number, b: number) => number,
};

function reduce(
  node: Node<"reduceSum" | "reduceProduct" | "reduceMax" | "reduceMin">,
  [x]: readonly Float64Array[],
): Float64Array {
  const { shape } = node.inputs[0]!;
  const { dims } = node.attributes;
  const kept = shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const order = [...kept, ...dims];
  const strides = stridesOf(shape);
  const sorted = gatherStrided(
    x!,
    order.map((d) => shape[d]!),
    order.map((d) => strides[d]!),
  );
  const fold = folds[node.primitive]!;
  const length = sizeOf(dims.map((d) => shape[d]!));
  const empty = node.primitive === "reduceProduct" ? 1 : 0;
  return Float64Array.from({ length: sizeOf(node.shape) }, (_, i) => {
    if (length === 0) return empty;
    let sum = sorted[i * length]!;
    for (let j = 1; j < length; j++) sum = fold(sum, sorted[i * length + j]!);
    return wrap(node.dtype, sum);
  });
}

/** Sizes before, at and after a dim, so that element (o, j, i) is at (o·size + j)·inner + i. */
function around(shape: Shape, dim: number): [outer: number, size: number, inner: number] {
  return [sizeOf(shape.slice(0, dim)), shape[dim]!, sizeOf(shape.slice(dim + 1))];
}

function argReduce(node: Node<"argMax" | "argMin">, [x]: readonly Float64Array[]): Float64Array {
  const [outer, size, inner] = around(node.inputs[0]!.shape, node.attributes.dim);
  const sign = node.primitive === "argMax" ? 1 : -1;
  const out = new Float64Array(outer * inner);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      let [best, at] = [x![o * size * inner + i]!, 0];
      for (let j = 1; j < size && !Number.isNaN(best); j++) {
        const value = x![(o * size + j) * inner + i]!;
        if (sign * value > sign * best || Number.isNaN(value)) [best, at] = [value, j];
      }
      out[o * inner + i] = at;
    }
  return out;
}

/** Calls `visit(flat index of the indices, place along the indexed tensor)` for each index, checked. */
function forEachIndex(
  node: Node,
  indices: Float64Array,
  shape: Shape,
  dim: number,
  size: number,
  visit: (from: number, place: number) => void,
): void {
  const [outer, count, inner] = around(shape, dim);
  for (let o = 0; o < outer; o++)
    for (let j = 0; j < count; j++)
      for (let i = 0; i < inner; i++) {
        const from = (o * count + j) * inner + i;
        const index = indices[from]!;
        if (!(index >= 0 && index < size))
          throw new ValueError(node.origin, `index ${index} is out of range: expected 0 to ${size - 1}`);
        visit(from, (o * size + index) * inner + i);
      }
}

function pad(node: Node<"pad">, [x]: readonly Float64Array[]): Float64Array {
  const { low, interior, value } = node.attributes;
  const out = new Float64Array(sizeOf(node.shape)).fill(value);
  const strides = stridesOf(node.shape);
  const offset = low.reduce((sum, n, i) => sum + n * strides[i]!, 0);
  const steps = strides.map((s, i) => s * (interior[i]! + 1));
  scatterStrided(out, x!, node.inputs[0]!.shape, steps, offset);
  return out;
}

function concatenate(node: Node<"concatenate">, inputs: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(sizeOf(node.shape));
  const strides = stridesOf(node.shape);
  let from = 0;
  node.inputs.forEach((x, i) => {
    const { dim } = node.attributes;
    scatterStrided(out, inputs[i]!, x.shape, strides, from * strides[dim]!);
    from += x.shape[dim]!;
  });
  return out;
}

/** Views: where each element of the result is in the input. */
function view(node: Node, [x]: readonly Float64Array[]): Float64Array {
  const strides = stridesOf(node.inputs[0]!.shape);
  if (is(node, "reshape")) return x!;
  if (is(node, "transpose"))
    return gatherStrided(
      x!,
      node.shape,
      node.attributes.permutation.map((d) => strides[d]!),
    );
  if (is(node, "broadcastInDim")) {
    const { dims } = node.attributes;
    const { shape } = node.inputs[0]!;
    const steps = node.shape.map((_, i) => {
      const at = dims.indexOf(i);
      return at < 0 || shape[at] === 1 ? 0 : strides[at]!;
    });
    return gatherStrided(x!, node.shape, steps);
  }
  if (is(node, "slice")) {
    const { start, strides: by } = node.attributes;
    const offset = start.reduce((sum, n, i) => sum + n * strides[i]!, 0);
    return gatherStrided(
      x!,
      node.shape,
      strides.map((s, i) => s * by[i]!),
      offset,
    );
  }
  const { dims } = (node as Node<"reverse">).attributes;
  const offset = dims.reduce((sum, d) => sum + (node.shape[d]! - 1) * strides[d]!, 0);
  const steps = strides.map((s, i) => (dims.includes(i) ? -s : s));
  return gatherStrided(x!, node.shape, steps, offset);
}

function iota(node: Node<"iota">): Float64Array {
  const [, size, inner] = around(node.shape, node.attributes.dim);
  return Float64Array.from({ length: sizeOf(node.shape) }, (_, i) => Math.floor(i / inner) % size);
}

function evaluateNode(node: Node, inputs: readonly Float64Array[]): Float64Array {
  if (is(node, "constant"))
    return new Float64Array(sizeOf(node.shape)).fill(node.attributes.value);
  if (is(node, "iota")) return iota(node);
  if (is(node, "pad")) return pad(node, inputs);
  if (is(node, "concatenate")) return concatenate(node, inputs);
  if (is(node, "argMax") || is(node, "argMin")) return argReduce(node, inputs);
  if (is(node, "gather")) {
    const [x, indices] = inputs as [Float64Array, Float64Array];
    const out = new Float64Array(indices.length);
    const { dim } = node.attributes;
    const size = node.inputs[0]!.shape[dim]!;
    forEachIndex(node, indices, node.shape, dim, size, (from, place) => {
      out[from] = x[place]!;
    });
    return out;
  }
  if (is(node, "scatterAdd")) {
    const [updates, indices] = inputs as [Float64Array, Float64Array];
    const out = new Float64Array(sizeOf(node.shape));
    const { dim, size } = node.attributes;
    forEachIndex(node, indices, node.inputs[1]!.shape, dim, size, (from, place) => {
      out[place] = wrap(node.dtype, out[place]! + updates[from]!);
    });
    return out;
  }
  if (is(node, "randomBits")) {
    const bits = new Int32Array(sizeOf(node.shape));
    randomBits(inputs[0]!, bits);
    return Float64Array.from(bits);
  }
  const { class: kind } = primitives[node.primitive];
  if (kind === "pointwise") return pointwise(node as Node<PointwiseName>, inputs);
  if (kind === "view") return view(node, inputs);
  if (kind === "reduce") return reduce(node as Node<"reduceSum">, inputs);
  const evaluate = contractEvaluators[node.primitive as keyof typeof contractEvaluators];
  return (evaluate as Evaluator)(node as Node<never>, inputs);
}

/** Runs the graph on row-major float64 arrays, one an input, and gives one an output. */
export function interpret(graph: Graph, inputs: readonly Float64Array[]): Float64Array[] {
  const values = new Map<Node, Float64Array>();
  graph.inputs.forEach((node, i) => values.set(node, inputs[i]!));
  for (const node of topologicalOrder(graph.outputs)) {
    if (node.primitive === "input") continue;
    values.set(
      node,
      evaluateNode(
        node,
        node.inputs.map((x) => values.get(x)!),
      ),
    );
  }
  return graph.outputs.map((node) => values.get(node)!);
}
