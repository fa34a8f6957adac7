/**
 * One file that many processes append lines to without locks. The order of the lines decides what happened: whoever reads the
 * file from its beginning comes to the same end. Nothing but the file is shared, so a process that is killed at any moment
 * leaves nothing behind that another must wait for. Read studyRecords.ts for what the lines say.
 *
 * A lock beside the file would have to be taken over from a killed owner, and Node cannot tell safely that an owner is dead
 * and take over in one step: between the look and the taking another process may have done the same. Appending needs no such
 * step: a write to a file opened for appending goes to its end as one piece on the local disks of Linux (the inode is locked
 * while it is written), macOS and Windows (FILE_APPEND_DATA). Network file systems do not promise it.
 */
import * as fs from "node:fs";
import { FormatError } from "../../core/errors.js";
import { FileError, fileError } from "../../io/fileSystem.js";
import { readAll } from "../../io/files.js";

const newline = 0x0a;
const blockBytes = 2 ** 20;
/** No line of ours comes near it; a file with longer ones is no journal. */
const longestLine = 2 ** 20;
const largestFile = 2 ** 30;

/** Of a file that is there and may not be written. */
const unwritable: readonly string[] = ["EROFS", "EACCES", "EPERM"];

/** A line and where it stands, for errors. */
export interface JournalLine {
  readonly text: string;
  /** Counted from 1. */
  readonly number: number;
}

/** A file of lines that only grows. */
export class Journal {
  readonly path: string;
  #file: number | undefined;
  /** Why it can only be read; undefined where it can be written. */
  #refusal: unknown;
  /** Where the first line that was not read yet begins. */
  #offset = 0;
  #lines = 0;

  /**
   * Opens a journal, and makes an empty one if there is none and `create` is set. One that exists and may not be written, as on
   * a read-only disk, is opened for reading.
   *
   * @throws FileError where it cannot be opened.
   */
  constructor(path: string, { create = false }: { readonly create?: boolean } = {}) {
    this.path = path;
    const { O_RDWR, O_APPEND, O_CREAT } = fs.constants;
    try {
      this.#file = this.#openFor(O_RDWR | O_APPEND | (create ? O_CREAT : 0));
      if (!fs.fstatSync(this.#file).isFile()) throw new FileError("Journal", path, "is no file");
    } catch (error) {
      this.close();
      throw fileError("Journal", path, error);
    }
  }

  /**
   * Appends one line in one write, after a line break of its own where a killed process left half a line. A reader may
   * still find it glued to such a half, if that was written just before: whoever appends reads back and looks for it.
   *
   * @throws FileError where the disk takes no more; half a line may be left, which all readers skip.
   */
  append(text: string): void {
    const file = this.#open();
    try {
      if (this.#refusal !== undefined) throw this.#refusal;
      const bytes = Buffer.from(`${this.#endsInHalfLine(file) ? "\n" : ""}${text}\n`);
      if (bytes.length > longestLine)
        this.#refuse(`a line of ${bytes.length} bytes; at most ${longestLine} are read again`);
      const written = fs.writeSync(file, bytes);
      if (written < bytes.length) throw new Error("the disk takes no more bytes");
    } catch (error) {
      throw fileError("Journal.append", this.path, error);
    }
  }

  /** The whole lines that came since the last call. */
  read(): JournalLine[] {
    const file = this.#open();
    const lines: JournalLine[] = [];
    try {
      const { size } = fs.fstatSync(file);
      if (size < this.#offset) this.#refuse("became shorter while it was in use");
      if (size > largestFile) this.#refuse(`has ${size} bytes; at most ${largestFile} are read`);
      while (this.#offset < size) {
        const begin = this.#offset;
        const block = Buffer.alloc(Math.min(size - begin, blockBytes));
        readAll(file, block, begin, this.path);
        this.#split(block, lines);
        if (this.#offset > begin) continue;
        if (block.length >= longestLine) this.#refuse(`line ${this.#lines + 1} has no end`);
        break;
      }
    } catch (error) {
      throw fileError("Journal.read", this.path, error);
    }
    return lines;
  }

  /** Flushes what was written to the disk, so that it lasts through a power cut. */
  flush(): void {
    try {
      fs.fsyncSync(this.#open());
    } catch (error) {
      throw fileError("Journal.flush", this.path, error);
    }
  }

  /** Closes the file; closing twice is fine. */
  close(): void {
    if (this.#file !== undefined) fs.closeSync(this.#file);
    this.#file = undefined;
  }

  #openFor(flags: number): number {
    try {
      return fs.openSync(this.path, flags, 0o666);
    } catch (error) {
      if (!unwritable.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      this.#refusal = error;
      return fs.openSync(this.path, fs.constants.O_RDONLY);
    }
  }

  #split(block: Buffer, lines: JournalLine[]): void {
    let from = 0;
    for (;;) {
      const end = block.indexOf(newline, from);
      if (end < 0) break;
      this.#lines++;
      if (end > from) lines.push({ text: block.toString("utf8", from, end), number: this.#lines });
      from = end + 1;
    }
    this.#offset += from;
  }

  #endsInHalfLine(file: number): boolean {
    const { size } = fs.fstatSync(file);
    if (size === 0) return false;
    const last = Buffer.alloc(1);
    readAll(file, last, size - 1, this.path);
    return last[0] !== newline;
  }

  #open(): number {
    if (this.#file === undefined) throw new FileError("Journal", this.path, "is closed");
    return this.#file;
  }

  #refuse(message: string): never {
    throw new FormatError("Journal", `${this.path}: ${message}`);
  }
}
