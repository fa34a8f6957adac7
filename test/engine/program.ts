/** Hand-encoded programs for the tests of the C++ engine: every buffer is an external array. */
import {
  headerWords,
  type KernelName,
  kernelCode,
  magic,
  version,
} from "../../src/backend/cpu/format.js";
import { type DType, dtypeOf, dtypeTable, type TypedArray } from "../../src/core/dtype.js";
import { opcodeOf, type PrimitiveName } from "../../src/ir/primitives.js";

export const codeOf = (dtype: DType): number => dtypeTable[dtype].code;

export interface Instruction {
  readonly kernel: KernelName;
  readonly payload: readonly number[];
}

export interface EncodedProgram {
  readonly words: Int32Array;
  readonly constants: Float64Array;
}

/** A program whose buffer i is external slot i, of the type and length of arrays[i] (or the dtype given). */
export function encode(
  arrays: readonly (TypedArray | { array: TypedArray; dtype: DType })[],
  instructions: readonly Instruction[],
  constants: readonly number[] = [],
): EncodedProgram {
  const words: number[] = new Array(headerWords).fill(0);
  arrays.forEach((entry, slot) => {
    const array = "array" in entry ? entry.array : entry;
    const dtype = "array" in entry ? entry.dtype : dtypeOf(entry);
    words.push(1, slot, array.length, codeOf(dtype));
  });
  instructions.forEach(({ kernel, payload }, i) => {
    words.push(kernelCode(kernel), payload.length + 3, i, ...payload);
  });
  const header = [magic, version, words.length, arrays.length, arrays.length];
  header.push(instructions.length, 0, constants.length);
  words.splice(0, headerWords, ...header);
  return { words: Int32Array.from(words), constants: Float64Array.from(constants) };
}

export interface FusedInput {
  readonly buffer: number;
  readonly offset?: number;
  readonly strides: readonly number[];
}
export interface FusedOperation {
  readonly primitive: PrimitiveName;
  readonly from: DType;
  readonly to?: DType;
  readonly operands: readonly number[];
}
export interface FusedResult extends FusedInput {
  readonly register: number;
  readonly primitive?: PrimitiveName;
}
export interface FusedKernel {
  readonly dims: readonly number[];
  readonly reduced?: readonly number[];
  readonly inputs: readonly FusedInput[];
  readonly constants?: readonly (readonly [dtype: DType, index: number])[];
  readonly operations?: readonly FusedOperation[];
  readonly outputs?: readonly FusedResult[];
  readonly reductions?: readonly FusedResult[];
}

export function fused(kernel: FusedKernel): Instruction {
  const { dims, inputs, constants = [], operations = [], outputs = [], reductions = [] } = kernel;
  const payload = [dims.length, ...dims, ...(kernel.reduced ?? dims.map(() => 0)), inputs.length];
  for (const { buffer, offset = 0, strides } of inputs) payload.push(buffer, offset, ...strides);
  payload.push(constants.length);
  for (const [dtype, index] of constants) payload.push(codeOf(dtype), index);
  payload.push(operations.length);
  for (const { primitive, from, to = from, operands } of operations) {
    const [a = -1, b = -1, c = -1] = operands;
    payload.push(opcodeOf(primitive), codeOf(from), codeOf(to), a, b, c);
  }
  payload.push(outputs.length);
  for (const { buffer, offset = 0, register, strides } of outputs)
    payload.push(buffer, offset, register, ...strides);
  payload.push(reductions.length);
  for (const { primitive, buffer, offset = 0, register, strides } of reductions)
    payload.push(opcodeOf(primitive!), buffer, offset, register, ...strides);
  return { kernel: "fused", payload };
}

/** Numbers that look random and are the same in every run, in [-1, 1). */
export function noise(count: number, seed = 1): Float32Array {
  const out = new Float32Array(count);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < count; i++) {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    out[i] = state / 2 ** 31 - 1;
  }
  return out;
}
