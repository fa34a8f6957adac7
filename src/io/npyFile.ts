/**
 * NumPy's `.npy` and `.npz` files on disk. Node only. Read npy.ts and npz.ts for the formats.
 */
import type { ArrayData } from "./arrayData.js";
import { readFileLimited, type WriteOptions, writeFileAtomic } from "./files.js";
import { decodeNpy, encodeNpy } from "./npy.js";
import { decodeNpz, encodeNpz } from "./npz.js";
import { fileSource, inflateEntry } from "./zipFile.js";
import type { EncodeZipOptions } from "./zipWriter.js";

/** Reads an `.npy` file; types as {@link decodeNpy} gives them. At most 4 GiB. */
export const loadNpy = (path: string): ArrayData =>
  decodeNpy(readFileLimited(path, { maxBytes: 2 ** 32 }), { source: path });

/** Writes an `.npy` file, whole or not at all. */
export const saveNpy = (path: string, array: ArrayData, options: WriteOptions = {}): void =>
  writeFileAtomic(path, encodeNpy(array), options);

/** Reads the arrays of an `.npz` file by name. */
export async function loadNpz(path: string): Promise<Map<string, ArrayData>> {
  const source = fileSource(path);
  try {
    return await decodeNpz(source, { source: path, inflate: inflateEntry });
  } finally {
    source.close();
  }
}

/**
 * Writes arrays by name as an `.npz` file, whole or not at all.
 *
 * @example
 * ```ts
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { tensor } from "gradus";
 * import { loadNpz, saveNpz } from "gradus/io";
 * const path = join(mkdtempSync(join(tmpdir(), "gradus-")), "arrays.npz");
 * await saveNpz(path, [["x", tensor([1, 2, 3])]], { compress: true });
 * console.log((await loadNpz(path)).get("x")?.shape); // → [ 3 ]
 * ```
 */
export async function saveNpz(
  path: string,
  arrays: Iterable<readonly [name: string, array: ArrayData]>,
  options: WriteOptions & EncodeZipOptions = {},
): Promise<void> {
  writeFileAtomic(path, await encodeNpz(arrays, options), options);
}
