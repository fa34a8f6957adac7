/**
 * Reads a text file line by line without holding more than a block of it, so that logs may be of any size. Node only. Read
 * jsonLines.ts for who writes such files.
 */
import * as fs from "node:fs";
import { FileError, fileError } from "./fileSystem.js";

export interface ReadLinesOptions {
  /** Lines of more bytes are given as null, unread; default 2²⁴ (16 MiB). */
  readonly maxLineBytes?: number;
}

const blockBytes = 2 ** 20;
const newline = 0x0a;

/**
 * The whole lines of a file as bytes, without their ends; null for a line that is too long. An unfinished last line is left
 * out: somebody may be writing it.
 *
 * @throws FileError where the file cannot be read or is none.
 * @example
 * ```ts
 * import { mkdtempSync, writeFileSync } from "node:fs";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { readLines } from "gradus/io";
 * const path = join(mkdtempSync(join(tmpdir(), "gradus-")), "notes.txt");
 * writeFileSync(path, "one\ntwo\nthr");
 * console.log(Array.from(readLines(path), (line) => line?.toString())); // → [ 'one', 'two' ]
 * ```
 */
export function* readLines(
  path: string,
  { maxLineBytes = 2 ** 24 }: ReadLinesOptions = {},
): Generator<Buffer | null, void, undefined> {
  const file = open(path);
  try {
    // The beginning of a line whose end has not come yet; null once it is too long to be kept.
    let rest: Buffer[] | null = [];
    let restBytes = 0;
    for (;;) {
      // A new block each time: lines that were given away look into the old one.
      const block = readBlock(file, path);
      if (block.length === 0) return;
      let begin = 0;
      for (let end = block.indexOf(newline); end >= 0; end = block.indexOf(newline, begin)) {
        const size = restBytes + end - begin;
        if (rest === null || size > maxLineBytes) yield null;
        else if (restBytes === 0) yield block.subarray(begin, end);
        else yield Buffer.concat([...rest, block.subarray(begin, end)]);
        [rest, restBytes] = [[], 0];
        begin = end + 1;
      }
      restBytes += block.length - begin;
      if (restBytes > maxLineBytes) rest = null;
      else if (begin < block.length) rest?.push(block.subarray(begin));
    }
  } finally {
    fs.closeSync(file);
  }
}

function open(path: string): number {
  try {
    // Before it is opened: opening a pipe waits for a writer.
    if (!fs.statSync(path).isFile()) throw new FileError("readLines", path, "is not a file");
    return fs.openSync(path, "r");
  } catch (error) {
    throw fileError("readLines", path, error);
  }
}

function readBlock(file: number, path: string): Buffer {
  const block = Buffer.allocUnsafe(blockBytes);
  try {
    return block.subarray(0, fs.readSync(file, block, 0, blockBytes, null));
  } catch (error) {
    throw fileError("readLines", path, error);
  }
}
