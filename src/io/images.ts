/**
 * Pictures on disk: decoded for a model to look at, and written as PNG. Decoding takes the optional
 * package sharp, loaded only here. Node only. Read png.ts for the writer.
 */
import { FormatError, GradusError, ValueError } from "../core/errors.js";
import { readFileLimited, type WriteOptions, writeFileAtomic } from "./files.js";
import { loadOptional } from "./optionalPackage.js";
import { decodePlainPicture } from "./plainPictures.js";
import { encodePng, type PixelImage } from "./png.js";

export interface ReadGreyscaleOptions {
  /** Width of the result in pixels. */
  readonly width: number;
  /** Height of the result in pixels. */
  readonly height: number;
  /**
   * `contain` (default) keeps the whole picture and its proportions and fills up with the
   * background, `cover` fills the frame and cuts off what sticks out, `fill` stretches.
   */
  readonly fit?: "contain" | "cover" | "fill";
  /**
   * Swap black and white, for dark strokes on light paper where a model was trained on the
   * opposite.
   */
  readonly invert?: boolean;
  /**
   * Grey from 0 to 1 behind transparent pixels and beside a contained picture, before inverting;
   * default 0.
   */
  readonly background?: number;
  /** Refuse pictures of more pixels than this; default 2²⁶ (67 million). */
  readonly maxPixels?: number;
}

/** Grey values from 0 (black) to 1 (white), `[height, width]` row-major. */
export interface GreyscaleImage {
  readonly shape: readonly [height: number, width: number];
  readonly dtype: "float32";
  readonly data: Float32Array;
}

/** Formats whose decoders only decode: SVG and PDF would run other files' instructions. */
const pictureFormats: ReadonlySet<string> = new Set([
  "png",
  "jpeg",
  "webp",
  "gif",
  "tiff",
  "avif",
  "heif",
]);
const maxFileBytes = 2 ** 28;

/**
 * Reads a picture (PNG, JPEG, WebP, GIF, TIFF, AVIF, BMP, PPM, PGM or PBM) as grey values of the size a model takes.
 * Turned upright as its camera noted; of several frames the first is taken.
 *
 * @throws FormatError naming the file for one that is damaged or no picture; FileError where it
 * cannot be read; GradusError where sharp is not installed.
 * @example
 * ```ts
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { readGreyscale, writePng } from "gradus/io";
 * const path = `${mkdtempSync(join(tmpdir(), "gradus-"))}/dot.png`;
 * await writePng(path, { width: 1, height: 1, channels: 1, data: new Uint8Array([255]) });
 * const dot = await readGreyscale(path, { width: 2, height: 1, fit: "fill" });
 * console.log(dot.data); // → Float32Array(2) [ 1, 1 ]
 * ```
 */
export async function readGreyscale(
  path: string,
  options: ReadGreyscaleOptions,
): Promise<GreyscaleImage> {
  const { width, height, fit = "contain", invert = false } = options;
  const background = checkOptions(options);
  const bytes = readFileLimited(path, { maxBytes: maxFileBytes });
  const { default: sharp } = await loadSharp();
  const { maxPixels = 2 ** 26 } = options;
  let pixels: Uint8Array;
  try {
    const opening = { op: "readGreyscale", source: path, maxPixels };
    const { image } = await openPicture(sharp, bytes, opening);
    pixels = await image
      .rotate()
      .flatten({ background: grey(background) })
      .resize(width, height, { fit, background: grey(background) })
      .toColourspace("b-w")
      .raw({ depth: "uchar" })
      .toBuffer();
  } catch (error) {
    if (error instanceof GradusError) throw error;
    throw new FormatError("readGreyscale", `${path}: ${(error as Error).message}`);
  }
  if (pixels.length !== width * height) {
    const expected = width * height;
    throw new FormatError(
      "readGreyscale",
      `${path}: gave ${pixels.length} values, not ${expected}`,
    );
  }
  const data = Float32Array.from(pixels, (value) => (invert ? 255 - value : value) / 255);
  return { shape: [height, width], dtype: "float32", data };
}

/**
 * Writes a picture as a PNG file, whole or not at all.
 *
 * @throws ShapeError where the data does not fit the size; FileError where it cannot be written.
 */
export async function writePng(
  path: string,
  image: PixelImage,
  options: WriteOptions = {},
): Promise<void> {
  writeFileAtomic(path, await encodePng(image), options);
}

const maxSide = 16_384;

function checkOptions({ width, height, background = 0 }: ReadGreyscaleOptions): number {
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1 || side > maxSide) {
      const came = `${width} × ${height}`;
      throw new ValueError("readGreyscale", `size is ${came}; expected sides from 1 to ${maxSide}`);
    }
  }
  if (!(background >= 0 && background <= 1))
    throw new ValueError("readGreyscale", `background is ${background}; expected 0 to 1`);
  return background;
}

function grey(value: number): { r: number; g: number; b: number } {
  const level = Math.round(value * 255);
  return { r: level, g: level, b: level };
}

const plainJpeg = { format: "jpeg", depth: "uchar" } as const;

type Sharp = typeof import("sharp")["default"];

/** A picture that sharp goes on with, and whether its values have 16 bits. */
export interface OpenedPicture {
  readonly image: ReturnType<Sharp>;
  readonly isDeep: boolean;
}

/**
 * Opens a picture of a known format, by sharp or, where that does not read it, by its plain pixels.
 *
 * @throws FormatError naming the source for another format, or a damaged bitmap; sharp's own errors for the rest.
 */
export async function openPicture(
  sharp: Sharp,
  bytes: Uint8Array,
  options: { readonly op: string; readonly source: string; readonly maxPixels: number },
): Promise<OpenedPicture> {
  const limits = { limitInputPixels: options.maxPixels, failOn: "truncated" } as const;
  const plain = decodePlainPicture(bytes, options);
  if (plain) {
    const { data, ...raw } = plain;
    return { image: sharp(data, { ...limits, raw }), isDeep: data instanceof Uint16Array };
  }
  // Looking at the header costs as much as decoding a small JPEG, whose values are always bytes.
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  const { format, depth } = isJpeg ? plainJpeg : await sharp(bytes, limits).metadata();
  if (!pictureFormats.has(format)) {
    const known = [...pictureFormats, "bmp", "ppm", "pgm", "pbm"].join(", ");
    throw new FormatError(options.op, `${options.source}: is ${format}; expected one of ${known}`);
  }
  return { image: sharp(bytes, limits), isDeep: depth === "ushort" };
}

/** The optional package that decodes, or an error that says how to get it. */
export const loadSharp = (): Promise<typeof import("sharp")> =>
  loadOptional(import("sharp"), "sharp", "decoding pictures");
