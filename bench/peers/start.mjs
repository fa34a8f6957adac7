/** Reads what a workload starts from: the float32 and int32 tensors of a safetensors file. */
import { readFileSync } from "node:fs";

const arrays = { F32: Float32Array, I32: Int32Array };

/** @returns {Map<string, {shape: number[], data: Float32Array | Int32Array}>} */
export function readStart(file) {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
  const start = new Map();
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    const [from, to] = offsets.map((offset) => 8 + length + offset);
    const copy = bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + to);
    start.set(name, { shape, data: new arrays[dtype](copy) });
  }
  return start;
}
