/**
 * A canvas of red-green-blue pixels with the three things that pictures of a run need: rectangles,
 * pictures and text. Read mistakes.ts for what is drawn with it.
 */
import { ValueError } from "../../core/errors.js";
import type { PixelImage } from "../../io/png.js";
import { glyphOf } from "./font.js";

/** Red, green and blue from 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/** Pixel count of a canvas is held below this, so that a wrong size is an error and not a crash. */
const maxPixels = 2 ** 26;

export class Raster {
  readonly width: number;
  readonly height: number;
  readonly #data: Uint8Array;

  constructor(width: number, height: number, background: Colour) {
    if (!(width > 0 && height > 0 && width * height <= maxPixels))
      throw new ValueError(
        "Raster",
        `size is ${width} × ${height}; expected up to ${maxPixels} pixels`,
      );
    this.width = width;
    this.height = height;
    this.#data = new Uint8Array(width * height * 3);
    this.fill(0, 0, width, height, background);
  }

  /** Fills a rectangle; what sticks out of the canvas is cut off. */
  fill(left: number, top: number, width: number, height: number, colour: Colour): void {
    const [right, bottom] = [
      Math.min(left + width, this.width),
      Math.min(top + height, this.height),
    ];
    for (let y = Math.max(0, top); y < bottom; y++)
      for (let x = Math.max(0, left); x < right; x++) this.#set(x, y, colour);
  }

  /** Draws a picture of `[height, width, 3]` bytes, each pixel `scale` × `scale` large. */
  image(pixels: Uint8Array, width: number, left: number, top: number, scale: number): void {
    const height = pixels.length / 3 / width;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = (y * width + x) * 3;
        const colour = [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!] as const;
        this.fill(left + x * scale, top + y * scale, scale, scale, colour);
      }
    }
  }

  /**
   * Writes a line of text from its upper left corner, each dot of the font `scale` × `scale` large.
   */
  text(text: string, left: number, top: number, scale: number, colour: Colour): void {
    let x = left;
    for (const character of text) {
      for (const bits of glyphOf(character)) {
        for (let row = 0; bits >> row; row++)
          if ((bits >> row) & 1) this.fill(x, top + row * scale, scale, scale, colour);
        x += scale;
      }
      x += scale;
    }
  }

  finish(): PixelImage {
    return { width: this.width, height: this.height, channels: 3, data: this.#data };
  }

  #set(x: number, y: number, [red, green, blue]: Colour): void {
    const at = (y * this.width + x) * 3;
    this.#data[at] = red;
    this.#data[at + 1] = green;
    this.#data[at + 2] = blue;
  }
}
