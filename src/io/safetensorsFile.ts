/**
 * Safetensors files on disk: written whole or not at all, read tensor by tensor so that no second
 * copy of the weights is held. Node only. Read safetensors.ts for the format.
 */
import * as fs from "node:fs";
import type { ArrayData } from "./arrayData.js";
import { FileError, fileError } from "./fileSystem.js";
import { readAll, type WriteOptions, writeFileAtomic } from "./files.js";
import {
  decodeEntry,
  decodeHeader,
  type EncodeOptions,
  headerLength,
  headerStart,
  type SafetensorsContent,
  safetensorsPieces,
} from "./safetensors.js";
import { failWith } from "./safetensorsHeader.js";

export interface SaveSafetensorsOptions extends WriteOptions, EncodeOptions {
  /** Free text kept in the file's header. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Saves tensors in the order given, floats at half size if `dtype` says so. The file appears whole or not at all.
 *
 * @throws FileError that names the path and what to do.
 * @example
 * ```ts
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { nn } from "gradus";
 * import { loadSafetensors, saveSafetensors } from "gradus/io";
 * const path = `${mkdtempSync(join(tmpdir(), "gradus-"))}/model.safetensors`;
 * saveSafetensors(path, new nn.Linear(2, 3).stateDict());
 * console.log([...loadSafetensors(path).tensors.keys()]); // → [ 'weight', 'bias' ]
 * ```
 */
export function saveSafetensors(
  path: string,
  tensors: Iterable<readonly [name: string, array: ArrayData]>,
  options: SaveSafetensorsOptions = {},
): void {
  writeFileAtomic(path, safetensorsPieces(tensors, options.metadata, options), options);
}

/**
 * Loads the tensors and the metadata of a safetensors file; types as {@link decodeSafetensors}
 * gives them.
 *
 * @throws FormatError, saying what came and was expected, for a damaged file; FileError where it
 * cannot be read.
 */
export function loadSafetensors(path: string): SafetensorsContent {
  const op = "loadSafetensors";
  const fail = failWith(op, path);
  let file: number | undefined;
  try {
    file = fs.openSync(path, "r");
    const stat = fs.fstatSync(file);
    if (!stat.isFile()) throw new FileError(op, path, "is not a file");
    if (stat.size < headerStart)
      fail(`has ${stat.size} bytes; expected at least 8, the header's length`);
    const start = readPart(file, headerStart, 0, path);
    const length = headerLength(start, stat.size, fail);
    const valueStart = headerStart + length;
    const header = readPart(file, length, headerStart, path);
    const { entries, metadata } = decodeHeader(header, stat.size - valueStart, fail);
    const tensors = new Map<string, ArrayData>();
    for (const entry of entries) {
      const bytes = readPart(file, entry.end - entry.begin, valueStart + entry.begin, path);
      tensors.set(entry.name, decodeEntry(entry, bytes, fail));
    }
    return { tensors, metadata };
  } catch (error) {
    throw fileError(op, path, error);
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
}

function readPart(
  file: number,
  length: number,
  position: number,
  path: string,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  readAll(file, bytes, position, path);
  return bytes;
}
