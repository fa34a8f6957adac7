/**
 * The folder that fetched data sets lie in, shared by all processes of a machine: who fetches a data
 * set holds its lock, others wait and then find it there. Node only. Read registry.ts for what can
 * be fetched.
 */
import * as fs from "node:fs";
import { homedir, hostname } from "node:os";
import { join, resolve } from "node:path";
import { GradusError, ValueError } from "../../core/errors.js";
import { fileError } from "../../io/fileSystem.js";
import { checkFile, type DownloadOptions, downloadFile } from "./download.js";
import { findRemote, type RemoteDataset, remoteDatasets } from "./registry.js";
import { isUnpacked, type UnpackOptions, unpackTar } from "./unpack.js";

/**
 * The folder of data sets: `GRADUS_DATA`, or `gradus/data` in the user's folder for caches
 * (`XDG_CACHE_HOME`, else `~/.cache`).
 */
export function dataFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { GRADUS_DATA, XDG_CACHE_HOME } = environment;
  if (GRADUS_DATA) return resolve(GRADUS_DATA);
  return join(XDG_CACHE_HOME || join(homedir(), ".cache"), "gradus", "data");
}

/** A lock that nobody has renewed for so long was left behind by a process that died. */
const staleMilliseconds = 30_000;
const renewMilliseconds = 5_000;
const waitMilliseconds = 200;

/**
 * Runs a task while holding a folder's lock, a file `.lock` in it. The holder renews the file's
 * time; one that is not renewed is taken over.
 */
export async function withLock<T>(
  folder: string,
  task: () => Promise<T>,
  options: { readonly signal?: AbortSignal; readonly onWait?: () => void } = {},
): Promise<T> {
  const path = join(folder, ".lock");
  const owner = `${hostname()} ${process.pid} ${Math.random()}\n`;
  let isWaiting = false;
  while (!takeLock(path, owner)) {
    options.signal?.throwIfAborted();
    if (!isWaiting) options.onWait?.();
    isWaiting = true;
    await new Promise((wake) => setTimeout(wake, waitMilliseconds));
  }
  const renew = setInterval(() => {
    const now = new Date();
    fs.utimes(path, now, now, () => {});
  }, renewMilliseconds);
  renew.unref();
  try {
    return await task();
  } finally {
    clearInterval(renew);
    if (readQuietly(path) === owner) fs.rmSync(path, { force: true });
  }
}

function takeLock(path: string, owner: string): boolean {
  try {
    fs.writeFileSync(path, owner, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw fileError("lock", path, error);
  }
  if (isStale(path)) takeAside(path);
  return false;
}

const isStale = (path: string): boolean => {
  const time = fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return time !== undefined && Date.now() - time > staleMilliseconds;
};

/**
 * Removes a lock that was left behind. It is renamed first, and looked at again: between looking and renaming another process may
 * have done the same and taken the lock, which is then given back.
 */
function takeAside(path: string): void {
  const aside = `${path}.${process.pid}.${Math.random()}.stale`;
  try {
    fs.renameSync(path, aside);
    if (!isStale(aside)) fs.linkSync(aside, path);
  } catch {
    // Another process was faster.
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

function readQuietly(path: string): string {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

export interface GetDataOptions extends DownloadOptions, UnpackOptions {
  /** The folder of data sets; default {@link dataFolder}. */
  readonly root?: string;
  /** Told of each file as its fetching begins. */
  readonly onFile?: (name: string) => void;
  /** Told of each archive as its unpacking begins. */
  readonly onUnpack?: (name: string) => void;
  /** Told when another process is fetching the same data set. */
  readonly onWait?: () => void;
}

/** Whether all of a data set is in the folder, unpacked where that is needed. */
export function isHere({ name, files, unpack = [] }: RemoteDataset, root = dataFolder()): boolean {
  const place = (file: string) => join(root, name, file);
  return (
    files.every((file) => fs.existsSync(place(file.name))) &&
    unpack.every((archive) => isUnpacked(place(archive)))
  );
}

/**
 * Makes sure that a data set is in the folder, fetching what is missing, and gives its place.
 *
 * @throws ValueError for an unknown name; DownloadError, FormatError as {@link downloadFile}.
 */
export async function getData(
  wanted: string | RemoteDataset,
  options: GetDataOptions = {},
): Promise<string> {
  const dataset = typeof wanted === "string" ? findRemote(wanted) : wanted;
  if (!dataset) {
    const known = remoteDatasets.map(({ name }) => name).join(", ");
    throw new ValueError("getData", `no data set "${wanted}"; expected one of ${known}`);
  }
  const folder = join(options.root ?? dataFolder(), dataset.name);
  if (isHere(dataset, options.root)) return folder;
  if (dataset.byHand) throw new GradusError("getData", `${dataset.name} ${dataset.byHand}`);
  try {
    fs.mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fileError("getData", folder, error);
  }
  const fetchMissing = async () => {
    for (const file of dataset.files) {
      const path = join(folder, file.name);
      if (fs.existsSync(path)) continue;
      options.onFile?.(file.name);
      await downloadFile(file, path, options);
    }
    for (const name of dataset.unpack ?? []) {
      const archive = join(folder, name);
      if (isUnpacked(archive)) continue;
      options.onUnpack?.(name);
      await unpackTar(
        archive,
        dataset.files.map((file) => file.name),
        options,
      );
    }
  };
  await withLock(folder, fetchMissing, options);
  return folder;
}

export interface VerifiedFile {
  readonly name: string;
  /** What is wrong with it, if anything is. */
  readonly problem: string | undefined;
}

/** Checks every file of a data set in the folder against size and sum. */
export async function verifyData(
  dataset: RemoteDataset,
  options: { readonly root?: string; readonly signal?: AbortSignal } = {},
): Promise<VerifiedFile[]> {
  const folder = join(options.root ?? dataFolder(), dataset.name);
  const results: VerifiedFile[] = [];
  for (const file of dataset.files) {
    const problem = await checkFile(join(folder, file.name), file, options.signal);
    results.push({ name: file.name, problem });
  }
  return results;
}
