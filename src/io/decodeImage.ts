/**
 * Pictures as arrays, as torchvision.io.read_image gives them: uint8 `[C, H, W]`. Decoded by sharp on
 * its own threads; only a few at once, so that a large batch does not hold all its files in memory.
 * Node only. Read images.ts for greyscale pictures of a model's size, decodeBitmap.ts for browsers.
 */
import { readFile, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { FormatError, GradusError, ValueError } from "../core/errors.js";
import type { ArrayData } from "./arrayData.js";
import { FileError, fileError } from "./fileSystem.js";
import { loadSharp, openPicture } from "./images.js";

export interface DecodeImageOptions {
  /** Channels of the result; default `rgb`. `grey` is one, `rgba` has opacity as the fourth. */
  readonly mode?: "grey" | "rgb" | "rgba";
  /**
   * `uint8` (default), 16-bit pictures by their upper 8 bits; `int32` keeps 16-bit values, and
   * scales 8-bit ones by 257.
   */
  readonly dtype?: "uint8" | "int32";
  /** Shrink or enlarge to this size: `[height, width]`, or the shorter side's length. */
  readonly size?: number | readonly [height: number, width: number];
  /** Refuse pictures of more pixels than this; default 2²⁶ (67 million). */
  readonly maxPixels?: number;
  /** What to call the bytes in errors, such as a file's name. */
  readonly source?: string;
}

const maxFileBytes = 2 ** 28;
const maxSide = 16_384;
const channelsOf = { grey: 1, rgb: 3, rgba: 4 } as const;

/** Runs tasks, at most so many at the same time. */
class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  constructor(width: number) {
    this.#free = width;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}

const decoders = new Gate(2 * availableParallelism());

/**
 * Decodes a PNG, JPEG, WebP, GIF, TIFF, AVIF, BMP or Netpbm (PPM, PGM, PBM) picture: palettes, greys, CMYK and 16 bits become the
 * channels that were asked for; of several frames the first is taken; transparent pixels are laid on
 * black unless opacity is kept. It is not turned by what its camera noted, as in torchvision.
 *
 * @returns `[C, H, W]`.
 * @throws FormatError naming the source for a picture that is damaged, cut off or too large.
 */
export async function decodeImage(
  bytes: Uint8Array,
  options: DecodeImageOptions = {},
): Promise<ArrayData> {
  const op = "decodeImage";
  const { mode = "rgb", dtype = "uint8", source = "picture", maxPixels = 2 ** 26 } = options;
  const resize = sizeFor(op, options.size);
  const { default: sharp } = await loadSharp();
  try {
    const { image: opened, isDeep } = await openPicture(sharp, bytes, { op, source, maxPixels });
    let image = opened;
    if (mode !== "rgba") image = image.flatten({ background: "#000" });
    else image = image.ensureAlpha();
    if (resize) image = image.resize(resize);
    const keep = dtype === "int32" && isDeep;
    const space = mode === "grey" ? (isDeep ? "grey16" : "b-w") : isDeep ? "rgb16" : "srgb";
    const decoded = image.toColourspace(space).raw({ depth: isDeep ? "ushort" : "uchar" });
    const { data, info } = await decoded.toBuffer({ resolveWithObject: true });
    if (info.channels !== channelsOf[mode])
      throw new FormatError(op, `${source}: gave ${info.channels} channels for ${mode}`);
    const values = isDeep ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
    const scale = dtype === "int32" && !keep ? 257 : isDeep && !keep ? 1 / 256 : 1;
    return toPlanes(values, info, dtype, scale);
  } catch (error) {
    if (error instanceof GradusError) throw error;
    throw new FormatError(op, `${source}: ${(error as Error).message}`);
  }
}

/**
 * Reads a picture from a file; see {@link decodeImage}.
 *
 * @throws FormatError, FileError naming the file.
 * @example
 * ```ts
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { readImage, writePng } from "gradus/io";
 * const path = join(mkdtempSync(join(tmpdir(), "gradus-")), "dot.png");
 * await writePng(path, { width: 1, height: 1, channels: 3, data: new Uint8Array([1, 2, 3]) });
 * console.log((await readImage(path)).shape); // → [ 3, 1, 1 ]
 * ```
 */
export const readImage = (path: string, options: DecodeImageOptions = {}): Promise<ArrayData> =>
  decoders.run(async () => {
    let bytes: Uint8Array;
    try {
      const { size } = await stat(path);
      if (size > maxFileBytes)
        throw new FileError(
          "readImage",
          path,
          `has ${size} bytes; at most ${maxFileBytes} are read`,
        );
      bytes = await readFile(path);
    } catch (error) {
      throw fileError("readImage", path, error);
    }
    return decodeImage(bytes, { source: path, ...options });
  });

function sizeFor(op: string, size: DecodeImageOptions["size"]) {
  if (size === undefined) return undefined;
  const sides = typeof size === "number" ? [size] : size;
  if (!sides.every((side) => Number.isInteger(side) && side >= 1 && side <= maxSide))
    throw new ValueError(op, `size is ${sides.join(" × ")}; expected sides from 1 to ${maxSide}`);
  if (typeof size === "number") return { width: size, height: size, fit: "outside" } as const;
  return { height: size[0], width: size[1], fit: "fill" } as const;
}

/** From pixel after pixel to channel after channel. */
function toPlanes(
  values: ArrayLike<number>,
  { width, height, channels }: { width: number; height: number; channels: number },
  dtype: "uint8" | "int32",
  scale: number,
): ArrayData {
  const plane = width * height;
  const data =
    dtype === "uint8" ? new Uint8Array(channels * plane) : new Int32Array(channels * plane);
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < plane; i++) data[c * plane + i] = values[i * channels + c]! * scale;
  return { shape: [channels, height, width], dtype, data };
}
