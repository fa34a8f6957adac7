/** A contact sheet: pictures in a grid, each with a caption under it. Read raster.ts for the drawing. */
import { ShapeError, ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import type { ArrayData } from "../../io/arrayData.js";
import type { PixelImage } from "../../io/png.js";
import { fitText, fontHeight, textWidth } from "./font.js";
import { type Colour, Raster } from "./raster.js";

export interface Tile {
  /** `[H, W]`, `[1, H, W]` or `[3, H, W]`: uint8, or numbers from 0 to 1, cut off outside. */
  readonly image: ArrayData;
  readonly caption?: string;
}

export interface SheetOptions {
  /** Pictures in a row; default: as many as make the sheet about as wide as high. */
  readonly columns?: number;
  /** Each pixel becomes so many squared; default: what makes the first picture about 112 pixels wide. */
  readonly scale?: number;
  /** Written over the sheet. */
  readonly title?: string;
}

const paper: Colour = [250, 250, 248];
const ink: Colour = [28, 32, 38];
const [margin, gap, wantedSide] = [20, 12, 112];
const [titleScale, captionScale] = [3, 1];

interface Bytes {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A picture as red-green-blue bytes, pixel by pixel. */
function bytesOfTile({ shape, dtype, data }: ArrayData): Bytes {
  const [channels = 0, height = 0, width = 0] = shape.length === 2 ? [1, ...shape] : shape;
  const isPicture = (channels === 1 || channels === 3) && height * width > 0;
  if (shape.length < 2 || shape.length > 3 || !isPicture)
    throw new ShapeError(
      "drawSheet",
      `a picture is ${formatShape(shape)}; expected [H, W], [1, H, W] or [3, H, W]`,
    );
  const plane = height * width;
  const pixels = new Uint8Array(plane * 3);
  const factor = dtype === "uint8" ? 1 : 255;
  for (let p = 0; p < plane; p++)
    for (let c = 0; c < 3; c++) {
      const value = data[(channels === 3 ? c : 0) * plane + p]! * factor;
      pixels[p * 3 + c] = Math.round(Math.min(255, Math.max(0, value)));
    }
  return { pixels, width, height };
}

/**
 * Draws pictures in a grid with captions, as red-green-blue pixels.
 *
 * @throws ShapeError for what is no picture; ValueError for an empty sheet or sizes out of range.
 * @example
 * ```ts
 * import { rand } from "gradus";
 * import { drawSheet } from "gradus/train";
 * const sheet = drawSheet([{ image: rand([3, 8, 8]), caption: "noise" }], { scale: 4 });
 * console.log(sheet.channels); // → 3
 * ```
 */
export function drawSheet(tiles: readonly Tile[], options: SheetOptions = {}): PixelImage {
  const images = tiles.map(({ image }) => bytesOfTile(image));
  const first = images[0];
  if (!first) throw new ValueError("drawSheet", "got no picture; expected at least one");
  const wanted = Math.ceil(Math.sqrt(images.length));
  const { scale = Math.max(1, Math.round(wantedSide / first.width)), title = "" } = options;
  const { columns = wanted } = options;
  for (const [name, value] of Object.entries({ scale, columns }))
    if (!Number.isInteger(value) || value < 1)
      throw new ValueError("drawSheet", `${name} is ${value}; expected a whole number ≥ 1`);
  const width = Math.max(...images.map((image) => image.width)) * scale;
  const pictureHeight = Math.max(...images.map((image) => image.height)) * scale;
  const hasCaptions = tiles.some(({ caption }) => caption);
  const height = pictureHeight + (hasCaptions ? captionScale * fontHeight + 5 : 0);
  const across = Math.min(columns, images.length);
  const rows = Math.ceil(images.length / across);
  const inner = Math.max(across * (width + gap) - gap, textWidth(title) * titleScale);
  const top = margin + (title ? titleScale * fontHeight + gap : 0);
  const canvas = new Raster(inner + 2 * margin, top + rows * (height + gap) - gap + margin, paper);
  canvas.text(title, margin, margin, titleScale, ink);
  images.forEach((image, i) => {
    const left = margin + (i % across) * (width + gap);
    const upper = top + Math.floor(i / across) * (height + gap);
    canvas.image(image.pixels, image.width, left, upper, scale);
    const caption = fitText(tiles[i]!.caption ?? "", Math.floor(width / captionScale));
    canvas.text(caption, left, upper + pictureHeight + 5, captionScale, ink);
  });
  return canvas.finish();
}
