/**
 * Pictures as arrays in a browser, by its own decoder (createImageBitmap). In Node use readImage or
 * decodeImage of gradus/io.
 */
import { FormatError, GradusError } from "../core/errors.js";
import type { ArrayData } from "./arrayData.js";

/**
 * Decodes a picture to uint8 `[3, H, W]`, off the main thread where the browser does.
 *
 * @throws FormatError for bytes that are no picture; GradusError outside of browsers.
 */
export async function decodeBitmap(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayData> {
  const op = "decodeBitmap";
  if (typeof createImageBitmap !== "function" || typeof OffscreenCanvas !== "function")
    throw new GradusError(op, "works in browsers; in Node use decodeImage of gradus/io");
  let bitmap: ImageBitmap;
  try {
    const exact = { colorSpaceConversion: "none", premultiplyAlpha: "none" } as const;
    bitmap = await createImageBitmap(new Blob([bytes]), { ...exact, imageOrientation: "none" });
  } catch (error) {
    throw new FormatError(op, `not a picture that this browser reads: ${(error as Error).message}`);
  }
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
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
