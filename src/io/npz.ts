/**
 * NumPy's archives of arrays (`numpy.savez`): a zip archive with one `.npy` file an array. Works in
 * browsers too. Read npy.ts for the arrays, zip.ts for the archive, npyFile.ts for files.
 */
import { FormatError } from "../core/errors.js";
import type { ArrayData } from "./arrayData.js";
import { decodeNpy, encodeNpy } from "./npy.js";
import { type ByteSource, memorySource, ZipArchive, type ZipOptions } from "./zip.js";
import { type EncodeZipOptions, encodeZip } from "./zipWriter.js";

const suffix = ".npy";

/**
 * The arrays of an `.npz` file by name, in its order.
 *
 * @throws FormatError for a damaged archive or array, naming it.
 * @example
 * ```ts
 * import { data, tensor } from "gradus";
 * const bytes = await data.encodeNpz([["x", tensor([1, 2])], ["y", tensor([3])]]);
 * console.log([...(await data.decodeNpz(bytes)).keys()]); // → [ 'x', 'y' ]
 * ```
 */
export async function decodeNpz(
  file: Uint8Array | ByteSource,
  options: ZipOptions = {},
): Promise<Map<string, ArrayData>> {
  const bytes = file instanceof Uint8Array ? memorySource(file) : file;
  const archive = await ZipArchive.open(bytes, options);
  const arrays = new Map<string, ArrayData>();
  for (const { name } of archive.entries) {
    const source = `${options.source ?? "npz"}/${name}`;
    if (!name.endsWith(suffix)) {
      const expected = "expected files that end in .npy";
      throw new FormatError("decodeNpz", `${source}: is no array; ${expected}`);
    }
    arrays.set(name.slice(0, -suffix.length), decodeNpy(await archive.read(name), { source }));
  }
  return arrays;
}

/**
 * Writes arrays by name as the bytes of an `.npz` file; `compress` makes it what
 * `numpy.savez_compressed` does.
 *
 * @throws ValueError for a name that is taken twice or is no path inside an archive.
 */
export const encodeNpz = (
  arrays: Iterable<readonly [name: string, array: ArrayData]>,
  options: EncodeZipOptions = {},
): Promise<Uint8Array> =>
  encodeZip(
    Array.from(arrays, ([name, array]) => [`${name}${suffix}`, encodeNpy(array)] as const),
    options,
  );
