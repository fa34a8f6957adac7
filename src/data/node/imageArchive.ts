/**
 * Small pictures in a tar archive with one folder a class, `…/train/CLASS/NNNN.jpg`, such as CIFAR-10
 * as JPEGs: decoded once into memory, nothing is unpacked. Node only. Read webDataset.ts for archives
 * that do not fit.
 */
import { FormatError, ShapeError } from "../../core/errors.js";
import { formatShape, maxElements, sameShape, sizeOf } from "../../core/shape.js";
import { type DecodeImageOptions, decodeImage } from "../../io/decodeImage.js";
import { readTar, type TarFile } from "../../io/tarFile.js";
import { VisionDataset } from "./visionDataset.js";

export interface ImageArchiveOptions extends Omit<DecodeImageOptions, "source" | "dtype"> {
  /** Take only files below a folder of this name, such as `train`; default all. */
  readonly part?: string;
}

/** Pictures that are decoded at the same time, on the decoder's threads. */
const together = 64;
const picture = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;

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
): Promise<VisionDataset> {
  const { part, ...decode } = options;
  const filter = (name: string) =>
    picture.test(name) && (part === undefined || name.split("/").slice(0, -2).includes(part));
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
      names.push(name.split("/").at(-2) ?? "");
    });
  };
  let waiting: TarFile[] = [];
  for await (const file of readTar(path, { filter })) {
    if (waiting.push(file) < together) continue;
    await decodeAll(waiting);
    waiting = [];
  }
  await decodeAll(waiting);
  if (!shape) throw new FormatError("loadImageArchive", `${path}: holds no pictures`);
  return stack(pixels, names, shape);
}

function stack(
  pixels: readonly Uint8Array[],
  names: readonly string[],
  shape: readonly number[],
): VisionDataset {
  const size = sizeOf(shape);
  if (size * pixels.length > maxElements)
    throw new ShapeError(
      "loadImageArchive",
      `${pixels.length} pictures of ${size} values: too many`,
    );
  const classes = [...new Set(names)].sort();
  const labelOf = new Map(classes.map((name, i) => [name, i]));
  const data = new Uint8Array(size * pixels.length);
  pixels.forEach((values, i) => {
    data.set(values, i * size);
  });
  const images = { shape: [pixels.length, ...shape], dtype: "uint8", data } as const;
  return new VisionDataset(
    images,
    Int32Array.from(names, (name) => labelOf.get(name)!),
    classes,
  );
}
