/**
 * The element types of safetensors files: their names, sizes and how their bytes become Gradus's
 * types. Files are little-endian, as is every machine that runs JavaScript engines today, so bytes
 * are taken as they are.
 */
import type { DType, TypedArray } from "../core/dtype.js";
import { fromHalfBits, type HalfType } from "../core/half.js";
import type { Fail } from "./safetensorsHeader.js";

/** How values of one type in a file become an array. */
export interface ValueDecoder {
  /** Bytes of one element in the file. */
  readonly bytes: number;
  /** The element type that comes out. */
  readonly dtype: DType;
  /** May keep the buffer, which holds this tensor's bytes and nothing else. */
  decode(buffer: ArrayBuffer, fail: Fail): TypedArray;
}

/** What values are stored as: their own type, or a smaller one for floats. */
export type StorageType = DType | HalfType;

/** The name that each element type has in files. */
export const typeNames: Readonly<Record<StorageType, string>> = {
  float32: "F32",
  float64: "F64",
  int32: "I32",
  uint8: "U8",
  bool: "BOOL",
  float16: "F16",
  bfloat16: "BF16",
};

export const valueDecoders: ReadonlyMap<string, ValueDecoder> = new Map<string, ValueDecoder>([
  ["F32", { bytes: 4, dtype: "float32", decode: (buffer) => new Float32Array(buffer) }],
  ["F64", { bytes: 8, dtype: "float64", decode: (buffer) => new Float64Array(buffer) }],
  ["I32", { bytes: 4, dtype: "int32", decode: (buffer) => new Int32Array(buffer) }],
  ["U8", { bytes: 1, dtype: "uint8", decode: (buffer) => new Uint8Array(buffer) }],
  ["BOOL", { bytes: 1, dtype: "bool", decode: decodeBool }],
  ["F16", { bytes: 2, dtype: "float32", decode: decodeHalf("float16") }],
  ["BF16", { bytes: 2, dtype: "float32", decode: decodeHalf("bfloat16") }],
  ["I64", { bytes: 8, dtype: "int32", decode: decodeInt64 }],
]);

function decodeHalf(type: HalfType): ValueDecoder["decode"] {
  return (buffer) => fromHalfBits(new Uint16Array(buffer), type);
}

function decodeBool(buffer: ArrayBuffer, fail: Fail): Uint8Array {
  const values = new Uint8Array(buffer);
  const bad = values.findIndex((value) => value > 1);
  if (bad >= 0) fail(`element ${bad} of a BOOL tensor is ${values[bad]}; expected 0 or 1`);
  return values;
}

function decodeInt64(buffer: ArrayBuffer, fail: Fail): Int32Array {
  const words = new Int32Array(buffer);
  const values = new Int32Array(words.length / 2);
  for (let i = 0; i < values.length; i++) {
    const [low, high] = [words[2 * i]!, words[2 * i + 1]!];
    if (high !== low >> 31) {
      const value = new BigInt64Array(buffer)[i];
      fail(`element ${i} of an I64 tensor is ${value}; expected it to fit int32`);
    }
    values[i] = low;
  }
  return values;
}
