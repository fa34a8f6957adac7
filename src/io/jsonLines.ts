/**
 * Logs of one JSON value a line, only ever appended to, so that a run that is killed leaves every
 * line but perhaps the last one whole. Node only. Read fileSystem.ts for what it asks of the disk.
 */
import * as fs from "node:fs";
import { FormatError, ValueError } from "../core/errors.js";
import { FileError, type FileSystem, fileError, nodeFileSystem } from "./fileSystem.js";
import { readAll, readFileLimited, type WriteOptions, writeAll } from "./files.js";

export interface JsonLinesOptions extends WriteOptions {
  /** Flush every line to the disk before going on; slower, and lasts through a power cut. */
  readonly sync?: boolean;
  /**
   * Cut the file to this many bytes first: a {@link JsonLinesWriter.position} remembered earlier.
   */
  readonly position?: number;
}

/**
 * Appends JSON values to a file, one line and one write each. A file that ends in an unfinished
 * line, as a killed process leaves it, is cut back to its last whole line first.
 *
 * @throws FileError that names the path and what to do; after it the file ends in a whole line.
 * @example
 * ```ts
 * import { mkdtempSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { JsonLinesWriter, readJsonLines } from "gradus/io";
 * const path = `${mkdtempSync(join(tmpdir(), "gradus-"))}/events.jsonl`;
 * const log = new JsonLinesWriter(path);
 * log.write({ step: 1, loss: 2.3 });
 * log.close();
 * console.log(readJsonLines(path)); // → [ { step: 1, loss: 2.3 } ]
 * ```
 */
export class JsonLinesWriter {
  readonly path: string;
  readonly #files: FileSystem;
  readonly #sync: boolean;
  #file: number | undefined;
  #position: number;

  constructor(path: string, options: JsonLinesOptions = {}) {
    this.path = path;
    this.#files = options.fileSystem ?? nodeFileSystem;
    this.#sync = options.sync ?? false;
    const { size, whole } = measure(path);
    const position = options.position ?? whole;
    if (!Number.isInteger(position) || position < 0 || position > whole) {
      throw new ValueError(
        "JsonLinesWriter",
        `${path}: position is ${position}; expected 0 to ${whole}, the end of the last whole line`,
      );
    }
    this.#position = position;
    try {
      this.#file = this.#files.open(path, "a");
      if (size > position) this.#files.truncate(this.#file, position);
    } catch (error) {
      if (this.#file !== undefined) this.#files.close(this.#file);
      throw fileError("JsonLinesWriter", path, error);
    }
  }

  /**
   * Bytes written so far, the end of the last line. A checkpoint keeps it to resume the log from
   * there.
   */
  get position(): number {
    return this.#position;
  }

  /**
   * Appends one value as a line. Numbers that JSON lacks (NaN, ±Infinity) are written as strings.
   */
  write(value: unknown): void {
    const file = this.#open("write");
    const text = JSON.stringify(value, namedNumbers);
    if (text === undefined)
      throw new ValueError("JsonLinesWriter.write", `${typeof value} cannot be written as JSON`);
    const line = new TextEncoder().encode(`${text}\n`);
    try {
      writeAll(this.#files, file, line);
      this.#position += line.length;
      if (this.#sync) this.#files.sync(file);
    } catch (error) {
      this.#cutBack(file);
      throw fileError("JsonLinesWriter.write", this.path, error);
    }
  }

  /** Flushes what was written to the disk. */
  flush(): void {
    try {
      this.#files.sync(this.#open("flush"));
    } catch (error) {
      throw fileError("JsonLinesWriter.flush", this.path, error);
    }
  }

  /** Closes the file; closing twice is fine. */
  close(): void {
    if (this.#file !== undefined) this.#files.close(this.#file);
    this.#file = undefined;
  }

  #open(method: string): number {
    if (this.#file === undefined)
      throw new FileError(`JsonLinesWriter.${method}`, this.path, "is closed");
    return this.#file;
  }

  #cutBack(file: number): void {
    try {
      this.#files.truncate(file, this.#position);
    } catch {
      // The next writer cuts the unfinished line off.
    }
  }
}

/**
 * Reads the values of a JSON-lines file; an unfinished last line is left out. NaN and ±Infinity
 * come back as the strings they were written as.
 *
 * @throws FormatError naming the line that is not JSON; FileError for a file that is missing or
 * over `maxBytes`.
 * @example
 * ```ts
 * import { mkdtempSync, writeFileSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { readJsonLines } from "gradus/io";
 * const path = `${mkdtempSync(join(tmpdir(), "gradus-"))}/events.jsonl`;
 * writeFileSync(path, '{"step":1}\n{"st');
 * console.log(readJsonLines(path)); // → [ { step: 1 } ]
 * ```
 */
export function readJsonLines(path: string, options: { maxBytes?: number } = {}): unknown[] {
  const bytes = readFileLimited(path, { maxBytes: options.maxBytes ?? 2 ** 28 });
  const lines = new TextDecoder().decode(bytes).split("\n");
  lines.pop();
  return lines.flatMap((line, i) => {
    if (line.trim() === "") return [];
    try {
      return [JSON.parse(line) as unknown];
    } catch {
      throw new FormatError("readJsonLines", `${path}: line ${i + 1} is not JSON`);
    }
  });
}

function namedNumbers(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

const blockBytes = 65_536;

/** The file's size, and how much of it is whole lines, read backwards from its end. */
function measure(path: string): { size: number; whole: number } {
  let file: number | undefined;
  try {
    file = fs.openSync(path, "r");
    const stat = fs.fstatSync(file);
    if (!stat.isFile()) return { size: 0, whole: 0 };
    const { size } = stat;
    for (let end = size; end > 0; ) {
      const begin = Math.max(0, end - blockBytes);
      const block = new Uint8Array(end - begin);
      readAll(file, block, begin, path);
      const newline = block.lastIndexOf(0x0a);
      if (newline >= 0) return { size, whole: begin + newline + 1 };
      end = begin;
    }
    return { size, whole: 0 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { size: 0, whole: 0 };
    throw fileError("JsonLinesWriter", path, error);
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
}
