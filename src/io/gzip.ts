/**
 * Gzip by the web standard's streams, which Node and browsers share. A small file can claim to hold
 * any amount, so inflating stops at a limit. Read files.ts next.
 */
import { FormatError, ValueError } from "../core/errors.js";
import { concatenate } from "./bytes.js";

export interface GunzipOptions {
  /** Stop with an error once more bytes than this have come out. */
  readonly maxBytes: number;
  /** What to call the bytes in errors, such as a file's name. */
  readonly source?: string;
}

/**
 * Inflated bytes are counted between slices of this size: a bomb gets at most 1,032 times as far
 * past the limit.
 */
const sliceBytes = 65_536;

/** Whether the bytes begin as gzip's do. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * Inflates gzipped bytes.
 *
 * @throws FormatError for bytes that are not gzip, are cut off or damaged, or hold more than
 * `maxBytes`.
 * @example
 * ```ts
 * import { data } from "gradus";
 * const zipped = await data.gzip(new Uint8Array([1, 2, 3]));
 * console.log(await data.gunzip(zipped, { maxBytes: 100 })); // → Uint8Array(3) [ 1, 2, 3 ]
 * ```
 */
export async function gunzip(bytes: Uint8Array, options: GunzipOptions): Promise<Uint8Array> {
  const { maxBytes, source } = options;
  if (!(maxBytes >= 0)) throw new ValueError("gunzip", `maxBytes is ${maxBytes}; expected ≥ 0`);
  const fail = (message: string): never => {
    throw new FormatError("gunzip", source ? `${source}: ${message}` : message);
  };
  if (!isGzip(bytes)) {
    const came = bytes.length < 2 ? `${bytes.length} bytes` : `bytes ${bytes[0]}, ${bytes[1]}`;
    fail(`not gzip: begins with ${came}; expected 31, 139`);
  }
  return await inflate(bytes, "gzip", maxBytes, fail);
}

/**
 * Inflates bytes up to a limit; `deflate-raw` is what zip holds. `fail` throws the caller's error.
 */
export async function inflate(
  bytes: Uint8Array,
  format: "gzip" | "deflate-raw",
  maxBytes: number,
  fail: (message: string) => never,
): Promise<Uint8Array> {
  const pump = startPump(new DecompressionStream(format), bytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await pump.reader.read();
      if (done) return concatenate(chunks, length);
      length += value.length;
      if (length > maxBytes) break;
      chunks.push(value);
    }
  } catch (error) {
    fail(`damaged or cut off after ${length} inflated bytes (${(error as Error).message})`);
  } finally {
    await pump.stop();
  }
  return fail(`holds more than the ${maxBytes} bytes allowed`);
}

/**
 * Compresses bytes as gzip, with no name and no time in it: equal bytes give equal files on one
 * engine.
 *
 * @example
 * ```ts
 * import { data } from "gradus";
 * console.log((await data.gzip(new Uint8Array(1000))).length < 100); // → true
 * ```
 */
export const gzip = (bytes: Uint8Array): Promise<Uint8Array> => compress(bytes, "gzip");

/** Compresses bytes; `deflate` is the zlib format that PNG holds, `deflate-raw` zip's. */
export async function compress(
  bytes: Uint8Array,
  format: "gzip" | "deflate" | "deflate-raw",
): Promise<Uint8Array> {
  const pump = startPump(new CompressionStream(format), bytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await pump.reader.read();
    if (done) return concatenate(chunks, length);
    chunks.push(value);
    length += value.length;
  }
}

interface Pump {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  /** Ends the stream, whether or not all of it was read. */
  stop(): Promise<void>;
}

/** Feeds bytes to a stream slice by slice as fast as they are read on the other side. */
function startPump(stream: CompressionStream | DecompressionStream, bytes: Uint8Array): Pump {
  const writer = stream.writable.getWriter();
  const feed = async () => {
    for (let at = 0; at < bytes.length; at += sliceBytes) {
      await writer.ready;
      // Not awaited: the stream takes the slice only as the reader makes room.
      writer.write(bytes.slice(at, at + sliceBytes)).catch(ignore);
    }
    await writer.close();
  };
  // A failure reaches the caller through the reader.
  feed().catch(ignore);
  writer.closed.catch(ignore);
  const reader = stream.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  return { reader, stop: () => reader.cancel().catch(ignore) };
}

const ignore = (): void => {};
