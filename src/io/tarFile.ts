/**
 * Tar archives, gzipped or not, read as a stream: nothing is unpacked to the disk, so no name in an
 * archive can reach anything. Sizes are limited before anything is held. Node only.
 */
import { open } from "node:fs/promises";
import { FormatError, GradusError } from "../core/errors.js";
import { fileError } from "./fileSystem.js";
import { isGzip } from "./gzip.js";
import { loadOptional } from "./optionalPackage.js";
import { isSafePath } from "./zip.js";

export interface ReadTarOptions {
  /** Which files are wanted; others are passed over. */
  readonly filter?: (name: string) => boolean;
  /** Refuse a file that holds more bytes than this; default 2²⁸. */
  readonly maxEntryBytes?: number;
}

export interface TarFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The files of an archive in its order.
 *
 * @throws FormatError for a damaged or cut-off archive, a name that leaves its folder, or a file
 * over the limit; FileError where it cannot be read.
 */
export async function* readTar(
  path: string,
  options: ReadTarOptions = {},
): AsyncGenerator<TarFile, void, undefined> {
  const { filter = () => true, maxEntryBytes = 2 ** 28 } = options;
  const { createTarDecoder } = await loadOptional(
    import("modern-tar"),
    "modern-tar",
    "reading tar",
  );
  const { stream, close } = await openStream(path);
  try {
    const entries = stream.pipeThrough(createTarDecoder({ strict: true }));
    for await (const { header, body } of entries) {
      const isWanted = header.type === "file" && filter(header.name);
      if (!isWanted) {
        // Cancelling would do, but between files that are read the decoder then waits for ever (modern-tar 0.8).
        for await (const _chunk of body);
        continue;
      }
      if (!isSafePath(header.name)) fail(path, `a name would leave its folder: ${header.name}`);
      if (header.size > maxEntryBytes)
        fail(path, `${header.name} holds ${header.size} bytes; at most ${maxEntryBytes} are read`);
      yield { name: header.name, bytes: await readBody(body, header.size, path, header.name) };
    }
  } catch (error) {
    if (error instanceof GradusError) throw error;
    fail(path, `is damaged, cut off or no tar archive (${(error as Error).message})`);
  } finally {
    await close();
  }
}

function fail(path: string, message: string): never {
  throw new FormatError("readTar", `${path}: ${message}`);
}

async function openStream(path: string) {
  try {
    const file = await open(path, "r");
    const start = new Uint8Array(2);
    await file.read(start, 0, 2, 0);
    const bytes = file.createReadStream({ start: 0, autoClose: false, highWaterMark: 2 ** 18 });
    const { Readable } = await import("node:stream");
    const raw = Readable.toWeb(bytes) as ReadableStream<Uint8Array<ArrayBuffer>>;
    const stream = isGzip(start) ? raw.pipeThrough(new DecompressionStream("gzip")) : raw;
    return { stream, close: () => file.close().catch(() => {}) };
  } catch (error) {
    throw fileError("readTar", path, error);
  }
}

async function readBody(
  body: ReadableStream<Uint8Array>,
  size: number,
  path: string,
  name: string,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const chunk of body) {
    if (at + chunk.length > size) fail(path, `${name} is longer than its header says`);
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (at !== size) fail(path, `${name} is cut off: ${at} bytes; expected ${size}`);
  return bytes;
}
