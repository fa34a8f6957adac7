/** The checksums of PNG, gzip and zip, and of TFRecord files. Read png.ts and zip.ts for who asks. */

/** The remainders of all bytes, for a polynomial with its bits reversed. */
const makeTable = (polynomial: number): Uint32Array =>
  Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? polynomial : 0);
    return value;
  });

const table = /* @__PURE__ */ makeTable(0xedb88320);
const castagnoli = /* @__PURE__ */ makeTable(0x82f63b78);

function check(bytes: Uint8Array, remainders: Uint32Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = remainders[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The cyclic redundancy check of ISO 3309 that PNG, gzip and zip use. */
export const crc32 = (bytes: Uint8Array): number => check(bytes, table);

/** The check with Castagnoli's polynomial (RFC 3720, appendix B.4), which TFRecord files use. */
export const crc32c = (bytes: Uint8Array): number => check(bytes, castagnoli);
