/**
 * Zip archives on disk, read entry by entry. Node only. Read zip.ts for the format.
 */
import * as fs from "node:fs";
import { inflateRawSync } from "node:zlib";
import { FileError, fileError } from "./fileSystem.js";
import { readAll } from "./files.js";
import { type ByteSource, ZipArchive, type ZipOptions } from "./zip.js";

/** A file that stays open until `close`. */
export interface FileSource extends ByteSource {
  close(): void;
}

/** Opens a file for reading in any order. */
export function fileSource(path: string): FileSource {
  try {
    const file = fs.openSync(path, "r");
    const stat = fs.fstatSync(file);
    if (!stat.isFile()) {
      fs.closeSync(file);
      throw new FileError("fileSource", path, "is not a file");
    }
    const { size } = stat;
    const read = (start: number, end: number) => {
      const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start));
      readAll(file, bytes, start, path);
      return bytes;
    };
    return { size, read, close: () => fs.closeSync(file) };
  } catch (error) {
    throw fileError("fileSource", path, error);
  }
}

/** Inflates an entry; more than it should hold is an error before it takes memory. */
export const inflateEntry = (bytes: Uint8Array, size: number): Uint8Array =>
  inflateRawSync(bytes, { maxOutputLength: Math.max(size, 1) });

/** A zip archive whose file stays open until `close`. */
export interface ZipFile {
  readonly archive: ZipArchive;
  close(): void;
}

/**
 * Opens a zip archive on disk.
 *
 * @throws FormatError for a file that is no such archive; FileError where it cannot be read.
 */
export async function openZip(path: string, options: ZipOptions = {}): Promise<ZipFile> {
  const source = fileSource(path);
  try {
    const given = { source: path, inflate: inflateEntry, ...options };
    const archive = await ZipArchive.open(source, given);
    return { archive, close: source.close };
  } catch (error) {
    source.close();
    throw error;
  }
}
