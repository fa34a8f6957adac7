/**
 * Pictures as arrays in a browser, by its own decoder (createImageBitmap). In Node use readImage or
 * decodeImage of gradus/io.
 */
import { FormatError, GradusError, ValueError } from "../core/errors.js";
import type { ArrayData } from "./arrayData.js";

export interface DecodeBitmapOptions {
  /** Shrink or enlarge to this size: `[height, width]`, or the shorter side's length. */
  readonly size?: number | readonly [height: number, width: number];
  /** Refuse pictures of more pixels than this; default 2²⁶ (67 million). */
  readonly maxPixels?: number;
  /** What to call the bytes in errors, such as an address. */
  readonly source?: string;
}

const op = "decodeBitmap";
const maxSide = 16_384;

/**
 * Decodes a picture to uint8 `[3, H, W]`, off the main thread where the browser does; in a worker of `WebWorkerDataset` all of
 * it. Transparent pixels are laid on black.
 *
 * @throws FormatError naming the source for bytes that are no picture, or one that is too large; ValueError for a size that is none;
 * GradusError outside of browsers.
 */
export async function decodeBitmap(
  bytes: Uint8Array<ArrayBuffer>,
  { maxPixels = 2 ** 26, source = "picture", size }: DecodeBitmapOptions = {},
): Promise<ArrayData> {
  checkSize(size);
  if (typeof createImageBitmap !== "function" || typeof OffscreenCanvas !== "function")
    throw new GradusError(op, "works in browsers; in Node use decodeImage of gradus/io");
  let bitmap: ImageBitmap;
  try {
    const exact = { colorSpaceConversion: "none", premultiplyAlpha: "none" } as const;
    bitmap = await createImageBitmap(new Blob([bytes]), { ...exact, imageOrientation: "none" });
  } catch (error) {
    const reason = (error as Error).message;
    throw new FormatError(op, `${source}: is no picture that this browser reads: ${reason}`);
  }
  try {
    const came = bitmap.width * bitmap.height;
    if (came > maxPixels) {
      const sides = `${bitmap.width} × ${bitmap.height}`;
      throw new FormatError(op, `${source}: has ${sides} pixels; at most ${maxPixels}`);
    }
    return drawPlanes(bitmap, sidesFor(bitmap, size));
  } finally {
    bitmap.close();
  }
}

type Sides = readonly [height: number, width: number];

function checkSize(size: DecodeBitmapOptions["size"]): void {
  const sides = size === undefined ? [] : typeof size === "number" ? [size] : size;
  if (!sides.every((side) => Number.isInteger(side) && side >= 1 && side <= maxSide))
    throw new ValueError(op, `size is ${sides.join(" × ")}; expected sides from 1 to ${maxSide}`);
}

/** The height and width of the result; a long picture by its shorter side stays within what a canvas holds. */
function sidesFor({ height, width }: ImageBitmap, size: DecodeBitmapOptions["size"]): Sides {
  if (size === undefined) return [height, width];
  if (typeof size !== "number") return size;
  const scale = size / Math.min(height, width);
  const scaled = (side: number) => Math.min(maxSide, Math.max(1, Math.round(side * scale)));
  return [scaled(height), scaled(width)];
}

/** The picture's pixels on black, channel after channel. */
function drawPlanes(bitmap: ImageBitmap, [height, width]: Sides): ArrayData {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new GradusError(op, `no canvas of ${width} × ${height} pixels`);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const pixels = context.getImageData(0, 0, width, height).data;
  const plane = width * height;
  const data = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < 3; c++) data[c * plane + i] = pixels[4 * i + c]!;
  return { shape: [3, height, width], dtype: "uint8", data };
}
