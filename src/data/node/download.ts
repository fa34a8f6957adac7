/**
 * Fetches files over HTTP: goes on where it broke off, counts bytes against what is expected, checks
 * the sum, and puts a file under its name only when it is whole. Node only. Read cache.ts for where
 * files go.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { FormatError, GradusError } from "../../core/errors.js";
import { fileError } from "../../io/fileSystem.js";
import type { RemoteFile } from "./registry.js";

export interface DownloadOptions {
  readonly signal?: AbortSignal;
  /** Told how far it is; the total is missing where nobody knows it. */
  readonly onProgress?: (done: number, total: number | undefined) => void;
  /** Told why a try failed, before the next one. */
  readonly onRetry?: (reason: string, milliseconds: number) => void;
  /** Tries after one another that may bring nothing; default 5. */
  readonly retries?: number;
  /** Milliseconds before the first new try, doubled each time; default 500. */
  readonly pause?: number;
  /** Milliseconds without a byte after which a connection is given up; default 30,000. */
  readonly stall?: number;
  /** Refuse files larger than this where the size is not known; default 2⁴⁰. */
  readonly maxBytes?: number;
}

/** A download failed for good; what came stays, and the next call goes on from there. */
export class DownloadError extends GradusError {}

/** The server said no in a way that trying again does not change. */
class Refusal extends Error {}

const op = "download";

/** The MD5 sum and size of a file, in hexadecimal. */
export async function md5OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("md5");
  try {
    for await (const chunk of fs.createReadStream(path, { highWaterMark: 2 ** 20 })) {
      signal?.throwIfAborted();
      hash.update(chunk as Uint8Array);
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    throw fileError("md5OfFile", path, error);
  }
  return hash.digest("hex");
}

/** What is wrong with a file on disk, or nothing. */
export async function checkFile(
  path: string,
  { md5, size }: Pick<RemoteFile, "md5" | "size">,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  if (!stat) return "is missing";
  if (size !== undefined && stat.size !== size) return `has ${stat.size} bytes; expected ${size}`;
  const sum = await md5OfFile(path, signal);
  return sum === md5 ? undefined : `has the MD5 sum ${sum}; expected ${md5}`;
}

/**
 * Fetches a file to `path`.
 *
 * @throws DownloadError where the server refuses or the connection keeps breaking off (the next
 * call goes on); FormatError where what came is not what was expected (it is thrown away).
 */
export async function downloadFile(
  file: RemoteFile,
  path: string,
  options: DownloadOptions = {},
): Promise<void> {
  const part = `${path}.part`;
  for (let isSecond = false; ; isSecond = true) {
    const isJoined = await fetchAll(file, part, options);
    const wrong = await checkFile(part, file, options.signal);
    if (!wrong) break;
    fs.rmSync(part, { force: true });
    // Pieces of two versions of a file make neither: what was joined is fetched once more, in one.
    if (isJoined && !isSecond) options.onRetry?.(`what came ${wrong}; beginning anew`, 0);
    else throw new FormatError(op, `${file.url}: what came ${wrong}; thrown away`);
  }
  try {
    fs.renameSync(part, path);
  } catch (error) {
    throw fileError(op, path, error);
  }
}

/** Asks until all is there; says whether it is made of more than one piece. */
async function fetchAll(
  file: RemoteFile,
  part: string,
  options: DownloadOptions,
): Promise<boolean> {
  const { retries = 5, pause = 500, signal, onRetry } = options;
  let most = sizeOfFile(part);
  for (let failures = 0; ; ) {
    signal?.throwIfAborted();
    try {
      return await fetchRest(file, part, options);
    } catch (error) {
      if (signal?.aborted || error instanceof GradusError) throw error;
      // A try that brought more than all before it does not count.
      const have = sizeOfFile(part);
      failures = have > most ? 1 : failures + 1;
      most = Math.max(most, have);
      const reason = messageOf(error);
      if (error instanceof Refusal || failures > retries)
        throw new DownloadError(op, `${file.url}: ${reason}; run again to go on`);
      const wait = pause * 2 ** (failures - 1);
      onRetry?.(reason, wait);
      await sleep(wait, undefined, signal && { signal }).catch(() => {});
    }
  }
}

const sizeOfFile = (path: string): number =>
  fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;

const messageOf = (error: unknown): string => {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
};

/** One request: the whole file, or what is missing of it; says whether something was there before. */
async function fetchRest(
  file: RemoteFile,
  part: string,
  options: DownloadOptions,
): Promise<boolean> {
  const { signal, stall = 30_000 } = options;
  const have = sizeOfFile(part);
  if (file.size !== undefined && have === file.size) return true;
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  let timer = setTimeout(() => controller.abort(new Error("the server fell silent")), stall);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(new Error("the server fell silent")), stall);
  };
  try {
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    if (have > 0) headers.range = `bytes=${have}-`;
    const response = await fetch(file.url, { headers, signal: controller.signal });
    const { start, total } = judge(response, have, file, part);
    if (start === 0 || start !== total)
      await writeBody(response, { file, part, start, total, alive }, options);
    return start > 0;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    controller.abort();
  }
}

/** Where what comes belongs, by the status and headers. */
function judge(response: Response, have: number, file: RemoteFile, part: string) {
  const { status, headers } = response;
  const begun = new RegExp(`^bytes (?:${have}-\\d+|\\*)/(\\d+|\\*)$`);
  const known = begun.exec(headers.get("content-range") ?? "")?.[1];
  if (status === 206) {
    if (known) return { start: have, total: checkTotal(file, Number(known)) };
    fs.rmSync(part, { force: true });
    throw new Error("the server sent another part than was asked for");
  }
  if (status === 416) {
    const total = checkTotal(file, Number(known));
    if (total === have) return { start: have, total };
    fs.rmSync(part, { force: true });
    throw new Error("the server has no more of this file; beginning anew");
  }
  // The whole file, though a part was asked for: it begins anew. What was packed on the way comes unpacked.
  const isPacked = (headers.get("content-encoding") ?? "identity") !== "identity";
  const length = Number((isPacked ? null : headers.get("content-length")) ?? Number.NaN);
  if (status === 200) return { start: 0, total: checkTotal(file, length) };
  const message = `the server answered ${status} ${response.statusText}`.trimEnd();
  throw status >= 500 || status === 429 || status === 408
    ? new Error(message)
    : new Refusal(message);
}

/** A server whose file has another size has another file: nothing of it is fetched, and what is there stays. */
function checkTotal({ url, size }: RemoteFile, total: number): number | undefined {
  if (Number.isNaN(total)) return undefined;
  if (size === undefined || total === size) return total;
  throw new FormatError(op, `${url}: the server's file has ${total} bytes; expected ${size}`);
}

interface Target {
  readonly file: RemoteFile;
  readonly part: string;
  readonly start: number;
  readonly total: number | undefined;
  alive(): void;
}

async function writeBody(
  response: Response,
  { file, part, start, total, alive }: Target,
  { onProgress, maxBytes = 2 ** 40 }: DownloadOptions,
): Promise<void> {
  const most = file.size ?? maxBytes;
  const target = await open(part, start > 0 ? "a" : "w").catch((error) => {
    throw fileError(op, part, error);
  });
  let done = start;
  try {
    for await (const chunk of response.body ?? []) {
      alive();
      done += chunk.length;
      if (done > most) {
        fs.rmSync(part, { force: true });
        throw new FormatError(op, `${file.url}: sends more than the ${most} bytes expected`);
      }
      await target.write(chunk).catch((error) => {
        throw fileError(op, part, error);
      });
      onProgress?.(done, file.size ?? total);
    }
    await target.sync();
  } finally {
    await target.close();
  }
  const expected = file.size ?? total;
  if (expected !== undefined && done < expected)
    throw new Error(`broke off after ${done} of ${expected} bytes`);
}
