/**
 * Netpbm's pictures (PBM, PGM, PPM: P1 to P6), as data sets in torchvision's folders have them. sharp's prebuilt library does not read
 * them. Read bmp.ts next, plainPictures.ts for where both are called.
 */
import type { Fail, PlainPicture } from "./plainPictures.js";

const [space, hash, newline, maxDigits] = [/[ \t\n\v\f\r]/, "#", "\n", 9];

/** Reads the words of a header; comments run from `#` to the line's end. */
class Words {
  readonly #bytes: Uint8Array;
  readonly #fail: Fail;
  at: number;

  constructor(bytes: Uint8Array, at: number, fail: Fail) {
    this.#bytes = bytes;
    this.at = at;
    this.#fail = fail;
  }

  #next(): string {
    if (this.at >= this.#bytes.length) return this.#fail("ends before its pixels");
    return String.fromCharCode(this.#bytes[this.at++]!);
  }

  #skip(): string {
    for (;;) {
      let letter = this.#next();
      if (letter === hash) while (letter !== newline) letter = this.#next();
      if (!space.test(letter)) return letter;
    }
  }

  whole(name: string, least: number, most: number): number {
    let word = "";
    for (let letter = this.#skip(); !space.test(letter); letter = this.#next()) {
      word += letter;
      if (!/^\d+$/.test(word) || word.length > maxDigits)
        return this.#fail(`${name} is ${JSON.stringify(word)}; expected a whole number`);
      if (this.at === this.#bytes.length) break;
    }
    const value = Number(word);
    return value >= least && value <= most
      ? value
      : this.#fail(`${name} is ${value}; expected ${least} to ${most}`);
  }

  /** A digit 0 or 1, with space around it or none. */
  bit(): number {
    const letter = this.#skip();
    return letter === "0" || letter === "1"
      ? Number(letter)
      : this.#fail(`a pixel is ${JSON.stringify(letter)}; expected 0 or 1`);
  }
}

/** One bit a pixel, rows filled up to bytes; 1 is black. */
function unpackBits(bytes: Uint8Array, width: number, height: number): Uint8Array {
  const row = Math.ceil(width / 8);
  return Uint8Array.from({ length: width * height }, (_, i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    return (bytes[y * row + (x >> 3)]! >> (7 - (x & 7))) & 1 ? 0 : 255;
  });
}

/** Whether bytes begin as one of Netpbm's pictures. */
export const isPnm = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 &&
  bytes[1]! >= 0x31 &&
  bytes[1]! <= 0x36 &&
  space.test(String.fromCharCode(bytes[2] ?? 0));

/** Values from 0 to `most` as bytes, or as 16 bits where bytes do not hold them. */
function scaled(count: number, most: number, value: (i: number) => number, fail: Fail) {
  const top = most > 255 ? 65_535 : 255;
  const data = most > 255 ? new Uint16Array(count) : new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const came = value(i);
    if (came > most) fail(`a value is ${came}; expected 0 to ${most}`);
    data[i] = Math.floor((came * top) / most + 0.5);
  }
  return data;
}

/**
 * Decodes a picture in one of Netpbm's formats.
 *
 * @param fail throws, with what is wrong.
 */
export function decodePnm(bytes: Uint8Array, maxPixels: number, fail: Fail): PlainPicture {
  const kind = bytes[1]! - 0x30;
  const words = new Words(bytes, 2, fail);
  const [width, height] = [
    words.whole("the width", 1, 2 ** 24),
    words.whole("the height", 1, 2 ** 24),
  ];
  if (width * height > maxPixels)
    fail(`has ${width} × ${height} pixels; at most ${maxPixels} are read`);
  const [isPlain, isBitmap] = [kind <= 3, kind === 1 || kind === 4];
  const channels = kind === 3 || kind === 6 ? 3 : 1;
  const most = isBitmap ? 1 : words.whole("the highest value", 1, 65_535);
  const count = width * height * channels;
  const wide = most > 255 ? 2 : 1;
  const needed =
    isBitmap && !isPlain ? Math.ceil(width / 8) * height : count * (isPlain ? 1 : wide);
  const rest = bytes.subarray(words.at);
  // A plain value takes a digit at least, so this holds for both kinds.
  if (rest.length < needed) fail(`has ${rest.length} bytes of pixels; expected ${needed}`);
  if (isBitmap && !isPlain)
    return { width, height, channels, data: unpackBits(rest, width, height) };
  if (isBitmap)
    return {
      width,
      height,
      channels,
      data: new Uint8Array(count).map(() => 255 * (1 - words.bit())),
    };
  const binary = (i: number) => (wide === 2 ? rest[2 * i]! * 256 + rest[2 * i + 1]! : rest[i]!);
  const plain = () => words.whole("a value", 0, most);
  return { width, height, channels, data: scaled(count, most, isPlain ? plain : binary, fail) };
}
