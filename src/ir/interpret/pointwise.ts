/** The interpreter's loop for primitives that map each element. */
import type { DType } from "../../core/dtype.js";
import { sizeOf } from "../../core/shape.js";
import type { Node } from "../graph.js";
import { type PointwiseName, type PointwisePrimitive, primitives } from "../primitives.js";
import { wrap } from "./strided.js";

/** Conversion, as docs/program-format.md defines it. */
export function convertTo(dtype: DType, from: DType, value: number): number {
  if (dtype === "bool") return Number(value !== 0);
  const isInteger = dtype === "int32" || dtype === "uint8";
  if (!isInteger || from === "int32") return wrap(dtype, value);
  const whole = Number.isNaN(value) ? 0 : Math.trunc(value);
  return wrap(dtype, Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), whole)));
}

export function pointwise(
  node: Node<PointwiseName>,
  inputs: readonly Float64Array[],
): Float64Array {
  const { evaluate, evaluateInteger }: PointwisePrimitive = primitives[node.primitive];
  const dtype = node.inputs[0]!.dtype;
  const out = new Float64Array(sizeOf(node.shape));
  const [a, b, c] = inputs as [Float64Array, Float64Array?, Float64Array?];
  const integer = dtype === "int32" || dtype === "uint8" ? evaluateInteger : undefined;
  for (let i = 0; i < out.length; i++) {
    const value = integer ? integer(a[i]!, b![i]!) : evaluate(a[i]!, b?.[i] ?? 0, c?.[i] ?? 0);
    out[i] =
      node.primitive === "convert" ? convertTo(node.dtype, dtype, value) : wrap(node.dtype, value);
  }
  return out;
}
