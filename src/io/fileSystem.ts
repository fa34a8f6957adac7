/**
 * The few calls that writing a file takes, as an interface, so that a test can put a full or broken
 * disk in their place; and the error that says what to do about a file. Node only. Read files.ts
 * next.
 */
import * as fs from "node:fs";
import { GradusError } from "../core/errors.js";

/**
 * A file or folder that could not be read or written: `path` names it, `code` is the system's word.
 */
export class FileError extends GradusError {
  readonly path: string;
  /** Such as `ENOENT` or `ENOSPC`; empty where the system gave none. */
  readonly code: string;
  constructor(op: string, path: string, message: string, code = "") {
    super(op, `${path}: ${message}`);
    this.path = path;
    this.code = code;
  }
}

/** What the writers ask of the disk. Calls throw Node's system errors. */
export interface FileSystem {
  open(path: string, flags: string): number;
  /** Writes at the end of what was written, perhaps only a part; returns how many bytes. */
  write(file: number, bytes: Uint8Array): number;
  sync(file: number): void;
  truncate(file: number, length: number): void;
  close(file: number): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
}

export const nodeFileSystem: FileSystem = {
  open: (path, flags) => fs.openSync(path, flags),
  write: (file, bytes) => fs.writeSync(file, bytes),
  sync: (file) => fs.fsyncSync(file),
  truncate: (file, length) => fs.ftruncateSync(file, length),
  close: (file) => fs.closeSync(file),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.unlinkSync(path),
};

const advice: Readonly<Record<string, string>> = {
  EACCES: "permission denied; check who owns the file and its folder",
  EDQUOT: "the disk quota is used up; free some space and try again",
  EISDIR: "is a folder; give the name of a file",
  EMFILE: "too many files are open; raise the limit (ulimit -n)",
  ENOENT: "no such file or folder; check the path",
  ENOSPC: "the disk is full; free some space and try again",
  ENOTDIR: "a part of the path is a file, not a folder",
  EPERM: "not permitted; check who owns the file and its folder",
  EROFS: "the disk is read-only; choose another folder",
  EEXIST: "exists already",
  ENAMETOOLONG: "the name is too long for this disk",
};

/**
 * Turns a system error into one that names the path and what to do; leaves Gradus's own errors
 * alone.
 */
export function fileError(op: string, path: string, error: unknown): Error {
  if (error instanceof GradusError) return error;
  const code = (error as NodeJS.ErrnoException)?.code ?? "";
  const message = advice[code] ?? (error instanceof Error ? error.message : String(error));
  return new FileError(op, path, code ? `${message} (${code})` : message, code);
}
