/**
 * Pictures that sharp's prebuilt library does not read, because they are hardly more than their pixels: Netpbm's and Windows bitmaps.
 * Read pnm.ts and bmp.ts for the formats, decodeImage.ts for their use.
 */
import { FormatError } from "../core/errors.js";
import { decodeBmp, isBmp } from "./bmp.js";
import { decodePnm, isPnm } from "./pnm.js";

/** Pixels one after another, each with its channels. */
export interface PlainPicture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array | Uint16Array;
}

/** Throws, with what is wrong with a file. */
export type Fail = (message: string) => never;

/**
 * The pixels of a Netpbm picture or bitmap; undefined for anything else.
 *
 * @throws FormatError naming the source for one that is damaged, cut off or too large.
 */
export function decodePlainPicture(
  bytes: Uint8Array,
  { op, source, maxPixels }: { op: string; source: string; maxPixels: number },
): PlainPicture | undefined {
  const fail: Fail = (message) => {
    throw new FormatError(op, `${source}: ${message}`);
  };
  if (isPnm(bytes)) return decodePnm(bytes, maxPixels, fail);
  return isBmp(bytes) ? decodeBmp(bytes, maxPixels, fail) : undefined;
}
