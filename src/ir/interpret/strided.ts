/** Walks over arrays by strides, and other arithmetic of places that the interpreter's loops share. */
import type { DType } from "../../core/dtype.js";
import { type Shape, sizeOf } from "../../core/shape.js";
import type { Node } from "../graph.js";

/** Computes a node's value from its inputs' values, all row-major float64. */
export type Evaluator<N extends Node = Node> = (
  node: N,
  inputs: readonly Float64Array[],
) => Float64Array;

/** Brings a number into the range of a dtype; floats stay as they are. */
export function wrap(dtype: DType, value: number): number {
  if (dtype === "int32") return value | 0;
  if (dtype === "uint8") return value & 255;
  return value;
}

/** Copies from `source` at offset + Σ index·stride, in row-major order of `shape`. */
export function gatherStrided(
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
export function scatterStrided(
  target: Float64Array,
  values: Float64Array,
  shape: Shape,
  strides: readonly number[],
  offset: number,
): void {
  const places = gatherStrided(
    Float64Array.from(target, (_, i) => i),
    shape,
    strides,
    offset,
  );
  for (let i = 0; i < values.length; i++) target[places[i]!] = values[i]!;
}
