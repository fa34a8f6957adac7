/**
 * Pictures as arrays in a browser, by its own decoder (createImageBitmap). In Node use readImage or
 * decodeImage of gradus/io.
 */
import { FormatError, GradusError } from "../core/errors.js";
import type { ArrayData } from "./arrayData.js";

export interface DecodeBitmapOptions {
  /** Refuse pictures of more pixels than this; default 2²⁶ (67 million). */
  readonly maxPixels?: number;
  /** What to call the bytes in errors, such as an address. */
  readonly source?: string;
}

/**
 * Decodes a picture to uint8 `[3, H, W]`, off the main thread where the browser does; in a worker of `WebWorkerDataset` all of
 * it. Transparent pixels are laid on black.
 *
 * @throws FormatError naming the source for bytes that are no picture, or one that is too large; GradusError outside of browsers.
 */
export async function decodeBitmap(
  bytes: Uint8Array<ArrayBuffer>,
  { maxPixels = 2 ** 26, source = "picture" }: DecodeBitmapOptions = {},
): Promise<ArrayData> {
  const op = "decodeBitmap";
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
  const { width, height } = bitmap;
  if (width * height > maxPixels) {
    bitmap.close();
    throw new FormatError(op, `${source}: has ${width} × ${height} pixels; at most ${maxPixels}`);
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new GradusError(op, `no canvas of ${width} × ${height} pixels`);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const pixels = context.getImageData(0, 0, width, height).data;
  const plane = width * height;
  const data = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < 3; c++) data[c * plane + i] = pixels[4 * i + c]!;
  return { shape: [3, height, width], dtype: "uint8", data };
}
