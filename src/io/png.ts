/**
 * Writes PNG pictures (https://www.w3.org/TR/png/) with what the platform has, so that pictures of
 * a run need no codec. Works in browsers too. Read images.ts for reading pictures and for files.
 */
import { ShapeError, ValueError } from "../core/errors.js";
import { crc32 } from "./crc32.js";
import { compress } from "./gzip.js";

/** A picture: rows from the top, pixels from the left, `channels` bytes a pixel. */
export interface PixelImage {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 red-green-blue, 4 with opacity. */
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array;
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const colourTypes = { 1: 0, 3: 2, 4: 6 } as const;
/** Each row's bytes are stored as differences to the row above: good for drawings, and simple. */
const filterUp = 2;
const maxSide = 65_535;

/**
 * Encodes a picture as PNG, 8 bits a channel.
 *
 * @throws ShapeError where `data` is not `width · height · channels` bytes.
 * @example
 * ```ts
 * import { data } from "gradus";
 * const grey = { width: 2, height: 1, channels: 1, data: new Uint8Array([0, 255]) } as const;
 * console.log((await data.encodePng(grey)).subarray(1, 4)); // → Uint8Array(3) [ 80, 78, 71 ]
 * ```
 */
export async function encodePng(image: PixelImage): Promise<Uint8Array> {
  checkImage(image);
  const { width, height, channels } = image;
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = 8;
  header[9] = colourTypes[channels];
  const pixels = await compress(filterRows(image), "deflate");
  const chunks = [chunk("IHDR", header), chunk("IDAT", pixels), chunk("IEND", new Uint8Array(0))];
  const bytes = new Uint8Array(chunks.reduce((sum, c) => sum + c.length, signature.length));
  bytes.set(signature);
  let at = signature.length;
  for (const part of chunks) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function checkImage({ width, height, channels, data }: PixelImage): void {
  const op = "encodePng";
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1 || side > maxSide)
      throw new ValueError(op, `size is ${width} × ${height}; expected sides from 1 to ${maxSide}`);
  }
  if (!Object.hasOwn(colourTypes, channels))
    throw new ValueError(op, `channels is ${channels}; expected 1, 3 or 4`);
  const expected = width * height * channels;
  if (data.length !== expected) {
    throw new ShapeError(
      op,
      `data has ${data.length} bytes; expected ${expected} for ${width} × ${height} × ${channels}`,
    );
  }
}

function filterRows({ width, height, channels, data }: PixelImage): Uint8Array {
  const row = width * channels;
  const result = new Uint8Array(height * (row + 1));
  for (let y = 0; y < height; y++) {
    const out = y * (row + 1);
    result[out] = filterUp;
    for (let i = 0; i < row; i++) {
      const above = y > 0 ? data[(y - 1) * row + i]! : 0;
      result[out + 1 + i] = data[y * row + i]! - above;
    }
  }
  return result;
}

/** Length, type, content and checksum of the type and content. */
function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(content.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(content, 8);
  view.setUint32(content.length + 8, crc32(bytes.subarray(4, content.length + 8)));
  return bytes;
}
