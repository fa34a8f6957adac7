/**
 * Small pictures in a tar archive with one folder a class, `…/train/CLASS/NNNN.jpg`, such as CIFAR-10
 * as JPEGs: decoded once into memory, nothing is unpacked. Node only. Read webDataset.ts for archives
 * that do not fit.
 */
import { FormatError, ShapeError } from "../../core/errors.js";
import { formatShape, maxElements, sameShape, sizeOf } from "../../core/shape.js";
import type { ArrayData } from "../../io/arrayData.js";
import { type DecodeImageOptions, decodeImage } from "../../io/decodeImage.js";
import { readTar, type TarFile } from "../../io/tarFile.js";
import { placeOfDecoded, readDecoded, writeDecoded } from "./decodedCache.js";
import { VisionDataset } from "./visionDataset.js";

export interface ImageArchiveOptions extends Omit<DecodeImageOptions, "source" | "dtype"> {
  /** Take only files below a folder of this name, such as `train`; default all. */
  readonly part?: string;
  /** Take only files for which this holds, by their names in the archive. Nothing is kept in `cache` then. */
  readonly filter?: (name: string) => boolean;
  /**
   * A folder to keep decoded pictures in, shared by processes: the next call reads them in moments, as long as the archive's size and
   * time are the same. Where nothing can be written to it a warning says so.
   */
  readonly cache?: string;
  /** Called now and then with the number of pictures that are decoded. */
  readonly onProgress?: (done: number) => void;
  /** Stops the work; its reason is thrown. */
  readonly signal?: AbortSignal;
}

/** Pictures of an archive, in its order. */
export class ImageArchive extends VisionDataset {
  /** The name of each picture in the archive. */
  readonly files: readonly string[];

  constructor(images: ArrayData, files: readonly string[]) {
    const names = files.map((file) => file.split("/").at(-2) ?? "");
    const classes = [...new Set(names)].sort();
    const labelOf = new Map(classes.map((name, i) => [name, i]));
    const labels = Int32Array.from(names, (name) => labelOf.get(name)!);
    super(images, labels, classes);
    this.files = files;
  }
}

/** Pictures that are decoded at the same time, on the decoder's threads. */
const together = 64;
const picture = /\.(jpe?g|png|webp|gif|tiff?|avif|bmp|p[bgpn]m)$/i;

/**
 * Decodes every picture of an archive: images `[N, C, H, W]`; classes are the names of the folders
 * that the pictures lie in, in order.
 *
 * @throws FormatError for a damaged picture or archive, naming it; ShapeError where pictures differ
 * in size and no `size` is given.
 * @example
 * ```ts ignore
 * import { loadImageArchive } from "gradus/data/node";
 * const train = await loadImageArchive("cifar10-images.tar.gz", { part: "train" });
 * console.log(train.data.shape); // → [ 50000, 3, 32, 32 ]
 * ```
 */
export async function loadImageArchive(
  path: string,
  options: ImageArchiveOptions = {},
): Promise<ImageArchive> {
  const { cache, onProgress: _progress, signal: _signal, filter, ...facts } = options;
  if (cache === undefined || filter) return await decodeArchive(path, options);
  const place = placeOfDecoded(cache, path, facts);
  const kept = place && (await readDecoded(place));
  if (kept) return new ImageArchive(kept.images, kept.files);
  const decoded = await decodeArchive(path, options);
  if (place) await writeDecoded(place, { images: decoded.data, files: decoded.files });
  return decoded;
}

async function decodeArchive(path: string, options: ImageArchiveOptions): Promise<ImageArchive> {
  const { part, filter: isWanted, onProgress, signal, cache: _, ...decode } = options;
  const filter = (name: string) =>
    picture.test(name) &&
    (part === undefined || name.split("/").slice(0, -2).includes(part)) &&
    (isWanted?.(name) ?? true);
  const pixels: Uint8Array[] = [];
  const names: string[] = [];
  let shape: readonly number[] | undefined;
  const decodeAll = async (files: readonly TarFile[]) => {
    const source = (name: string) => `${path}/${name}`;
    const images = await Promise.all(
      files.map(({ name, bytes }) => decodeImage(bytes, { ...decode, source: source(name) })),
    );
    images.forEach((image, i) => {
      shape ??= image.shape;
      const name = files[i]!.name;
      if (!sameShape(shape, image.shape)) {
        const [came, others] = [image.shape, shape].map(formatShape);
        throw new ShapeError("loadImageArchive", `${source(name)}: is ${came}, others ${others}`);
      }
      pixels.push(image.data as Uint8Array);
      names.push(name);
    });
    // Before memory is full of what would be refused at the end.
    if (shape) checkAmount(path, names.length, shape);
    onProgress?.(names.length);
    signal?.throwIfAborted();
  };
  let waiting: TarFile[] = [];
  for await (const file of readTar(path, { filter })) {
    if (waiting.push(file) < together) continue;
    await decodeAll(waiting);
    waiting = [];
  }
  await decodeAll(waiting);
  if (!shape) throw new FormatError("loadImageArchive", `${path}: holds no pictures`);
  return new ImageArchive(stack(pixels, shape), names);
}

function checkAmount(path: string, count: number, shape: readonly number[]): void {
  if (sizeOf(shape) * count <= maxElements) return;
  const more = `more than ${count - 1} pictures ${formatShape(shape)} do not fit one array`;
  throw new ShapeError("loadImageArchive", `${path}: ${more}; give a smaller size, or a filter`);
}

function stack(pixels: readonly Uint8Array[], shape: readonly number[]): ArrayData {
  const size = sizeOf(shape);
  const data = new Uint8Array(size * pixels.length);
  pixels.forEach((values, i) => {
    data.set(values, i * size);
  });
  return { shape: [pixels.length, ...shape], dtype: "uint8", data };
}
