/**
 * Windows bitmaps as programs write them: 1, 4 and 8 bits with a palette, 16, 24 and 32 bits, with and without bit fields, either
 * way up. Compressed ones are refused by name. Source: Microsoft, "Bitmap Storage". Read plainPictures.ts next.
 */
import type { Fail, PlainPicture } from "./plainPictures.js";

const [fileHeader, oldHeader, infoHeader] = [14, 12, 40];
const compressions = ["none", "RLE8", "RLE4", "bit fields", "JPEG", "PNG", "bit fields"] as const;

/** Whether bytes begin as a bitmap. */
export const isBmp = (bytes: Uint8Array): boolean => bytes[0] === 0x42 && bytes[1] === 0x4d;

interface Layout {
  readonly width: number;
  readonly height: number;
  readonly isTopDown: boolean;
  readonly bits: number;
  /** Where pixels begin, and bytes from row to row. */
  readonly start: number;
  readonly row: number;
}

type Masks = readonly [red: number, green: number, blue: number];

/** Bits of a colour in a pixel as 0 … 255. */
function maskReader(mask: number): (pixel: number) => number {
  const low = (mask & -mask) >>> 0;
  const most = mask / (low || 1);
  const shift = Math.clz32(1) - Math.clz32(low);
  return (pixel) => (most === 0 ? 0 : Math.floor((((pixel & mask) >>> shift) * 255) / most));
}

class Bitmap {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #fail: Fail;

  constructor(bytes: Uint8Array, fail: Fail) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fail = fail;
  }

  #word(at: number): number {
    return at + 4 <= this.#bytes.length
      ? this.#view.getUint32(at, true)
      : this.#fail("ends within its header");
  }

  #half(at: number): number {
    return at + 2 <= this.#bytes.length
      ? this.#view.getUint16(at, true)
      : this.#fail("ends within its header");
  }

  get #headerSize(): number {
    const size = this.#word(fileHeader);
    if (size !== oldHeader && (size < infoHeader || size > 1024))
      this.#fail(`its header has ${size} bytes; expected 12 or at least 40`);
    return size;
  }

  #size(): { width: number; height: number; isTopDown: boolean; bits: number } {
    if (this.#headerSize === oldHeader) {
      const [width, height] = [this.#half(fileHeader + 4), this.#half(fileHeader + 6)];
      return { width, height, isTopDown: false, bits: this.#half(fileHeader + 10) };
    }
    const [width, height] = [this.#word(fileHeader + 4) | 0, this.#word(fileHeader + 8) | 0];
    const bits = this.#half(fileHeader + 14);
    return { width, height: Math.abs(height), isTopDown: height < 0, bits };
  }

  #compression(): number {
    return this.#headerSize === oldHeader ? 0 : this.#word(fileHeader + 16);
  }

  #layout(maxPixels: number): Layout {
    const { width, height, isTopDown, bits } = this.#size();
    if (!(width >= 1 && height >= 1 && width * height <= maxPixels))
      this.#fail(`has ${width} × ${height} pixels; expected 1 to ${maxPixels}`);
    if (![1, 4, 8, 16, 24, 32].includes(bits))
      this.#fail(`has ${bits} bits a pixel; expected 1, 4, 8, 16, 24 or 32`);
    const row = Math.ceil((width * bits) / 32) * 4;
    const start = this.#word(10);
    const has = this.#bytes.length - start;
    if (has < row * height) this.#fail(`has ${has} bytes of pixels; expected ${row * height}`);
    return { width, height, isTopDown, bits, start, row };
  }

  #masks(bits: number): Masks {
    const kind = this.#compression();
    const isFields = compressions[kind] === "bit fields";
    if (kind !== 0 && !(isFields && (bits === 16 || bits === 32)))
      this.#fail(`is compressed as ${compressions[kind] ?? kind}; expected none or bit fields`);
    if (!isFields) return bits === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff];
    const at = fileHeader + infoHeader;
    return [this.#word(at), this.#word(at + 4), this.#word(at + 8)];
  }

  /** Colours as red, green, blue, one after another. */
  #palette(bits: number, start: number): Uint8Array {
    const size = this.#headerSize;
    const wide = size === oldHeader ? 3 : 4;
    const at = fileHeader + size;
    const told = size === oldHeader ? 0 : this.#word(fileHeader + 32);
    const fits = Math.floor(Math.max(0, Math.min(start, this.#bytes.length) - at) / wide);
    const count = Math.min(told || 2 ** bits, 2 ** bits, fits);
    const colours = new Uint8Array(3 * count);
    for (let i = 0; i < count; i++)
      for (let c = 0; c < 3; c++) colours[3 * i + c] = this.#bytes[at + wide * i + 2 - c]!;
    return colours;
  }

  decode(maxPixels: number): PlainPicture {
    const layout = this.#layout(maxPixels);
    const { width, height, bits, isTopDown, start, row } = layout;
    const data = new Uint8Array(3 * width * height);
    const masks = this.#masks(bits);
    const paint = bits <= 8 ? this.#indexPainter(bits, start) : this.#colourPainter(bits, masks);
    for (let y = 0; y < height; y++) {
      const line = start + row * (isTopDown ? y : height - 1 - y);
      for (let x = 0; x < width; x++) paint(data, 3 * (y * width + x), line, x);
    }
    return { width, height, channels: 3, data };
  }

  #indexPainter(bits: number, start: number) {
    const colours = this.#palette(bits, start);
    const perByte = 8 / bits;
    return (data: Uint8Array, to: number, line: number, x: number): void => {
      const byte = this.#bytes[line + Math.floor(x / perByte)]!;
      const index = (byte >> (8 - bits * ((x % perByte) + 1))) & (2 ** bits - 1);
      if (3 * index >= colours.length)
        this.#fail(`a pixel has colour ${index} of ${colours.length / 3}`);
      for (let c = 0; c < 3; c++) data[to + c] = colours[3 * index + c]!;
    };
  }

  #colourPainter(bits: number, masks: Masks) {
    const readers = masks.map(maskReader);
    const wide = bits / 8;
    return (data: Uint8Array, to: number, line: number, x: number): void => {
      let pixel = 0;
      for (let i = 0; i < wide; i++) pixel |= this.#bytes[line + wide * x + i]! << (8 * i);
      for (let c = 0; c < 3; c++) data[to + c] = readers[c]!(pixel);
    };
  }
}

/**
 * Decodes a bitmap; opacity is left out, as most programs do.
 *
 * @param fail throws, with what is wrong.
 */
export const decodeBmp = (bytes: Uint8Array, maxPixels: number, fail: Fail): PlainPicture =>
  new Bitmap(bytes, fail).decode(maxPixels);
