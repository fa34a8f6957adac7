/**
 * The element types of safetensors files: their names, sizes and how their bytes become Gradus's
 * types. Files are little-endian, as is every machine that runs JavaScript engines today, so bytes
 * are taken as they are.
 */
import type { DType, TypedArray } from "../core/dtype.js";
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

/** The name that each element type has in files. */
export const typeNames: Readonly<Record<DType, string>> = {
  float32: "F32",
  float64: "F64",
  int32: "I32",
  uint8: "U8",
  bool: "BOOL",
};

export const valueDecoders: ReadonlyMap<string, ValueDecoder> = new Map<string, ValueDecoder>([
  ["F32", { bytes: 4, dtype: "float32", decode: (buffer) => new Float32Array(buffer) }],
  ["F64", { bytes: 8, dtype: "float64", decode: (buffer) => new Float64Array(buffer) }],
  ["I32", { bytes: 4, dtype: "int32", decode: (buffer) => new Int32Array(buffer) }],
  ["U8", { bytes: 1, dtype: "uint8", decode: (buffer) => new Uint8Array(buffer) }],
  ["BOOL", { bytes: 1, dtype: "bool", decode: decodeBool }],
  ["F16", { bytes: 2, dtype: "float32", decode: decodeFloat16 }],
  ["BF16", { bytes: 2, dtype: "float32", decode: decodeBfloat16 }],
  ["I64", { bytes: 8, dtype: "int32", decode: decodeInt64 }],
]);

function decodeBool(buffer: ArrayBuffer, fail: Fail): Uint8Array {
  const values = new Uint8Array(buffer);
  const bad = values.findIndex((value) => value > 1);
  if (bad >= 0) fail(`element ${bad} of a BOOL tensor is ${values[bad]}; expected 0 or 1`);
  return values;
}

/** Half precision: 1 sign bit, 5 exponent bits, 10 fraction bits (IEEE 754 binary16). */
function decodeFloat16(buffer: ArrayBuffer): Float32Array {
  const halves = new Uint16Array(buffer);
  const bits = new Uint32Array(halves.length);
  const values = new Float32Array(bits.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) values[i] = (sign ? -1 : 1) * fraction * 2 ** -24;
    else bits[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return values;
}

/** Brain float: the upper half of a float32. */
function decodeBfloat16(buffer: ArrayBuffer): Float32Array {
  const halves = new Uint16Array(buffer);
  const bits = Uint32Array.from(halves, (half) => half << 16);
  return new Float32Array(bits.buffer);
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
