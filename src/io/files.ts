/**
 * Reading with a limit and writing whole: a file is either the old one or the new one, whenever the
 * machine stops. Node only. Read jsonLines.ts for logs, safetensorsFile.ts for weights.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { FormatError } from "../core/errors.js";
import { FileError, type FileSystem, fileError, nodeFileSystem } from "./fileSystem.js";
import { gunzip, isGzip } from "./gzip.js";

export interface WriteOptions {
  /** The disk to write to; given by tests. */
  readonly fileSystem?: FileSystem;
}

export interface ReadOptions {
  /** Refuse files that are larger, in bytes. */
  readonly maxBytes: number;
}

/**
 * Writes a file so that no half of it is ever seen under its name: into a temporary file beside it,
 * which is flushed to the disk and then renamed. When anything fails the temporary file is removed
 * and a file that had the name before is as it was.
 *
 * @param content the bytes, or pieces of them in order; they may be made as they are written.
 * @throws FileError that names the path and what to do.
 * @example
 * ```ts
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { readFileLimited, writeFileAtomic } from "gradus/io";
 * const path = `${mkdtempSync(join(tmpdir(), "gradus-"))}/notes.bin`;
 * writeFileAtomic(path, new Uint8Array([1, 2, 3]));
 * console.log(readFileLimited(path, { maxBytes: 10 })); // → Uint8Array(3) [ 1, 2, 3 ]
 * ```
 */
export function writeFileAtomic(
  path: string,
  content: Uint8Array | Iterable<Uint8Array>,
  options: WriteOptions = {},
): void {
  const file = new AtomicFile(path, options);
  try {
    for (const piece of content instanceof Uint8Array ? [content] : content) file.write(piece);
  } catch (error) {
    file.discard();
    throw error;
  }
  file.commit();
}

/**
 * A file that is seen under its name only when it is whole: {@link writeFileAtomic} for content that comes over time. What goes
 * wrong with the disk removes the temporary file; the caller discards it when anything else does.
 *
 * @throws FileError that names the path and what to do.
 */
export class AtomicFile {
  readonly #path: string;
  readonly #files: FileSystem;
  readonly #target: string;
  readonly #temporary: string;
  #file: number | undefined;
  #isMade = false;

  constructor(path: string, { fileSystem = nodeFileSystem }: WriteOptions = {}) {
    this.#path = path;
    this.#files = fileSystem;
    this.#target = realPath(path);
    const name = `.${basename(this.#target).slice(0, 100)}.${randomBytes(6).toString("hex")}.tmp`;
    this.#temporary = join(dirname(this.#target), name);
    this.#try(() => {
      this.#file = this.#files.open(this.#temporary, "wx");
      this.#isMade = true;
    });
  }

  write(piece: Uint8Array): void {
    this.#try(() => writeAll(this.#files, this.#open(), piece));
  }

  /** Flushes the file to the disk and gives it its name. */
  commit(): void {
    this.#try(() => {
      const file = this.#open();
      this.#files.sync(file);
      this.#file = undefined;
      this.#files.close(file);
      this.#files.rename(this.#temporary, this.#target);
      this.#isMade = false;
      syncFolder(this.#files, dirname(this.#target));
    });
  }

  /** Removes the temporary file; the one that had the name before is as it was. */
  discard(): void {
    const file = this.#file;
    this.#file = undefined;
    try {
      if (file !== undefined) this.#files.close(file);
    } catch {
      // The first error says what is wrong; a second about the same disk would hide it.
    }
    if (this.#isMade) removeQuietly(this.#files, this.#temporary);
    this.#isMade = false;
  }

  #open(): number {
    if (this.#file === undefined)
      throw new FileError("writeFileAtomic", this.#path, "was written or discarded already");
    return this.#file;
  }

  #try(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.discard();
      throw fileError("writeFileAtomic", this.#path, error);
    }
  }
}

/** Reads a whole file, or refuses before reading if it is larger than `maxBytes`. */
export function readFileLimited(path: string, options: ReadOptions): Uint8Array<ArrayBuffer> {
  const op = "readFileLimited";
  let file: number | undefined;
  try {
    file = fs.openSync(path, "r");
    const { size } = fs.fstatSync(file);
    if (size > options.maxBytes) {
      throw new FileError(op, path, `has ${size} bytes; at most ${options.maxBytes} are read`);
    }
    const bytes = new Uint8Array(size);
    readAll(file, bytes, 0, path);
    return bytes;
  } catch (error) {
    throw fileError(op, path, error);
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
}

/**
 * Reads a whole file and inflates it if it is gzipped; `maxBytes` limits what is read and what
 * comes out.
 */
export async function readFileGunzip(path: string, options: ReadOptions): Promise<Uint8Array> {
  const bytes = readFileLimited(path, options);
  return isGzip(bytes) ? await gunzip(bytes, { maxBytes: options.maxBytes, source: path }) : bytes;
}

/** Fills `bytes` from the open file at `position`, or throws if the file ends before. */
export function readAll(file: number, bytes: Uint8Array, position: number, path: string): void {
  let at = 0;
  while (at < bytes.length) {
    const count = fs.readSync(file, bytes, at, bytes.length - at, position + at);
    if (count === 0) {
      throw new FormatError(
        "read",
        `${path}: ends after ${position + at} bytes; expected ${position + bytes.length}`,
      );
    }
    at += count;
  }
}

/** Writes every byte; a disk that takes only a part of them is asked again. */
export function writeAll(files: FileSystem, file: number, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) {
    const count = files.write(file, bytes.subarray(at));
    if (count === 0) throw new Error("the disk takes no more bytes");
    at += count;
  }
}

/** A link is followed, so that the file it points to is replaced and not the link. */
function realPath(path: string): string {
  try {
    return fs.realpathSync(path);
  } catch {
    return path;
  }
}

/**
 * Makes the renaming itself lasting; some systems cannot open folders, and there it need not be
 * asked for.
 */
function syncFolder(files: FileSystem, folder: string): void {
  let file: number;
  try {
    file = files.open(folder, "r");
  } catch {
    return;
  }
  try {
    files.sync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EINVAL" && code !== "EPERM" && code !== "EBADF") throw error;
  } finally {
    files.close(file);
  }
}

function removeQuietly(files: FileSystem, path: string): void {
  try {
    files.remove(path);
  } catch {
    // The first error says what is wrong; a second about the same disk would hide it.
  }
}
