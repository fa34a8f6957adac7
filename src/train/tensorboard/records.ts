/**
 * TFRecord framing: each record with its length, and checksums of both (tensorflow/core/lib/io/record_writer.h). Read events.ts
 * for what a record holds.
 */
import { crc32c } from "../../io/crc32.js";

const maskDelta = 0xa282ead8;

/** A checksum is turned and shifted, so that sums of data that hold sums themselves stay good. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + maskDelta) >>> 0;
}

/** A record as it stands in the file. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const framed = new Uint8Array(data.length + 16);
  const view = new DataView(framed.buffer);
  view.setUint32(0, data.length % 2 ** 32, true);
  view.setUint32(4, Math.floor(data.length / 2 ** 32), true);
  view.setUint32(8, masked(framed.subarray(0, 8)), true);
  framed.set(data, 12);
  view.setUint32(12 + data.length, masked(data), true);
  return framed;
}
