/**
 * Archives of data sets that are read as folders, unpacked beside the archive: what was begun is gone on with, and a mark says when all
 * is there. Node only. Read cache.ts for when, ../../io/tarFile.ts for what is refused.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { FormatError } from "../../core/errors.js";
import { FileError, fileError } from "../../io/fileSystem.js";
import { writeFileAtomic } from "../../io/files.js";
import { readTar } from "../../io/tarFile.js";

export interface UnpackOptions {
  readonly signal?: AbortSignal;
  /** Called now and then with the number of files that are there. */
  readonly onUnpacked?: (files: number) => void;
}

const markOf = (archive: string): string => `${archive}.unpacked`;

/** How often somebody is told. */
const filesBetweenReports = 100;

/** Whether all of an archive lies beside it. */
export const isUnpacked = (archive: string): boolean => fs.existsSync(markOf(archive));

/** A folder on the way that is a link could lead anywhere. */
function makeFolders(root: string, below: string): void {
  let path = root;
  for (const part of below.split("/").filter((name) => name !== "" && name !== ".")) {
    path = join(path, part);
    try {
      fs.mkdirSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST")
        throw fileError("unpack", path, error);
      if (!fs.lstatSync(path).isDirectory())
        throw new FileError("unpack", path, "is no folder; move it away and run again");
    }
  }
}

/** Writes a file whole. It is not flushed by itself: the mark comes after all, and a machine that stops before begins again. */
function writeWhole(path: string, bytes: Uint8Array): void {
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.size === bytes.length) return;
  const temporary = join(
    dirname(path),
    `.${basename(path).slice(0, 80)}.${randomBytes(6).toString("hex")}`,
  );
  try {
    fs.writeFileSync(temporary, bytes, { flag: "wx" });
    fs.renameSync(temporary, path);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw fileError("unpack", path, error);
  }
}

/**
 * Unpacks a tar archive into its folder. Files of the right size are left alone; `taken` are names that it must not write.
 *
 * @throws FormatError for a damaged archive or one that names files outside or of `taken`; FileError where one cannot be written.
 */
export async function unpackTar(
  archive: string,
  taken: readonly string[],
  { signal, onUnpacked }: UnpackOptions = {},
): Promise<void> {
  if (isUnpacked(archive)) return;
  const folder = dirname(archive);
  const reserved = new Set(taken.flatMap((name) => [name, markOf(name)]));
  let count = 0;
  for await (const { name, bytes } of readTar(archive)) {
    signal?.throwIfAborted();
    const path = name.replace(/^(\.\/)+/, "");
    if (reserved.has(path) || path.startsWith("."))
      throw new FormatError("unpack", `${archive}: would write ${JSON.stringify(path)}`);
    makeFolders(folder, dirname(path));
    writeWhole(join(folder, path), bytes);
    if (++count % filesBetweenReports === 0) onUnpacked?.(count);
  }
  onUnpacked?.(count);
  writeFileAtomic(markOf(archive), new TextEncoder().encode(`${count} files\n`));
}
