/**
 * Zip archives (PKWARE's APPNOTE 6.3), read at random through their directory: one small entry of a
 * large archive costs one small read. Everything that a header claims is checked: places inside the
 * file, no two entries on the same bytes, sizes under a limit before and while inflating, checksums,
 * and names that stay inside a folder. Works in browsers too. Read zipWriter.ts for writing, npz.ts
 * for arrays.
 */
import { FormatError, ValueError } from "../core/errors.js";
import { crc32 } from "./crc32.js";
import { inflate } from "./gzip.js";

/** Bytes that can be read in any order. */
export interface ByteSource {
  readonly size: number;
  read(start: number, end: number): Uint8Array | Promise<Uint8Array>;
}

export interface ZipOptions {
  /** What to call the archive in errors, such as a file's name. */
  readonly source?: string;
  /** Refuse an entry that holds more bytes than this; default 2³⁰ (1 GiB). */
  readonly maxEntryBytes?: number;
  /** Refuse archives of more entries than this; default 2²⁰. */
  readonly maxEntries?: number;
  /** Inflates an entry to exactly `size` bytes; default by the platform's streams. */
  readonly inflate?: (bytes: Uint8Array, size: number) => Uint8Array | Promise<Uint8Array>;
}

/** One file of an archive. */
export interface ZipEntry {
  /** Its path with `/`, relative, without `..`. */
  readonly name: string;
  /** Bytes when inflated. */
  readonly size: number;
  readonly compressedSize: number;
  readonly crc32: number;
  readonly method: number;
  /** Where its own header begins in the archive. */
  readonly offset: number;
}

const [endBytes, end64Bytes, locatorBytes, centralBytes, localBytes] = [22, 56, 20, 46, 30];
const marks = { end: 0x06054b50, end64: 0x06064b50, locator: 0x07064b50 } as const;
const [centralMark, localMark] = [0x02014b50, 0x04034b50];
const unset16 = 0xffff;
const unset32 = 0xffffffff;
const utf8Flag = 0x800;
const [stored, deflated] = [0, 8];

/** Bytes in memory as a source. */
export const memorySource = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length,
  read: (start, end) => bytes.subarray(start, end),
});

/**
 * Whether a path from an archive stays where it is unpacked: relative, no `..`, no drive, no
 * backslash.
 */
export const isSafePath = (path: string): boolean =>
  path !== "" &&
  !path.includes("\0") &&
  !path.includes("\\") &&
  !/^[a-z]:/i.test(path) &&
  !path.startsWith("/") &&
  !path.split("/").includes("..");

type Fail = (message: string) => never;

const failFor =
  (op: string, source: string | undefined): Fail =>
  (message) => {
    throw new FormatError(op, source ? `${source}: ${message}` : message);
  };

/**
 * The files of a zip archive.
 *
 * @example
 * ```ts
 * import { data } from "gradus";
 * const bytes = await data.encodeZip([["a.txt", new TextEncoder().encode("hello")]]);
 * const archive = await data.ZipArchive.open(data.memorySource(bytes));
 * console.log(new TextDecoder().decode(await archive.read("a.txt"))); // → hello
 * ```
 */
export class ZipArchive {
  /** The files in the archive's order; folders are left out. */
  readonly entries: readonly ZipEntry[];
  readonly #byName: ReadonlyMap<string, ZipEntry>;
  readonly #source: ByteSource;
  readonly #options: ZipOptions;

  private constructor(source: ByteSource, entries: readonly ZipEntry[], options: ZipOptions) {
    this.#source = source;
    this.#options = options;
    this.entries = entries;
    this.#byName = new Map(entries.map((entry) => [entry.name, entry]));
  }

  /**
   * Reads an archive's directory.
   *
   * @throws FormatError for bytes that are no such archive, or one that contradicts itself or is
   * larger than the limits.
   */
  static async open(source: ByteSource, options: ZipOptions = {}): Promise<ZipArchive> {
    const fail = failFor("ZipArchive", options.source);
    const directory = await findDirectory(source, fail);
    const most = options.maxEntries ?? 2 ** 20;
    if (directory.count > most)
      fail(`says it has ${directory.count} entries; at most ${most} are read`);
    const { start, size } = directory;
    const bytes = await source.read(start, start + size);
    const entries = readDirectory(bytes, directory, options.maxEntryBytes ?? 2 ** 30, fail);
    return new ZipArchive(source, entries, options);
  }

  /** Whether there is a file of this name. */
  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /**
   * The bytes of one file, checked against its size and checksum.
   *
   * @throws ValueError where there is none of this name; FormatError where it is damaged.
   */
  async read(name: string): Promise<Uint8Array> {
    const entry = this.#byName.get(name);
    if (!entry) {
      const where = this.#options.source ? ` in ${this.#options.source}` : "";
      throw new ValueError("ZipArchive.read", `no file ${name}${where}`);
    }
    const source = `${this.#options.source ?? "zip"}/${name}`;
    const fail = failFor("ZipArchive.read", source);
    const packed = await this.#packed(entry, fail);
    const bytes = entry.method === stored ? packed : await this.#inflate(packed, entry, fail);
    if (bytes.length !== entry.size) fail(`has ${bytes.length} bytes; expected ${entry.size}`);
    if (crc32(bytes) !== entry.crc32) fail("is damaged: its checksum differs");
    return bytes;
  }

  async #packed(entry: ZipEntry, fail: Fail): Promise<Uint8Array> {
    const { offset, compressedSize } = entry;
    const header = await this.#source.read(offset, offset + localBytes);
    const view = viewOf(header);
    if (header.length < localBytes || view.getUint32(0, true) !== localMark)
      return fail("the directory points to no entry");
    const start = offset + localBytes + view.getUint16(26, true) + view.getUint16(28, true);
    if (start + compressedSize > this.#source.size)
      fail(`cut off: ${compressedSize} bytes from ${start}, past the end ${this.#source.size}`);
    const packed = await this.#source.read(start, start + compressedSize);
    if (packed.length !== compressedSize) fail("cut off");
    return packed;
  }

  async #inflate(packed: Uint8Array, entry: ZipEntry, fail: Fail): Promise<Uint8Array> {
    if (entry.method !== deflated)
      fail(`is compressed by method ${entry.method}; expected 0 (stored) or 8 (deflate)`);
    const { inflate: own } = this.#options;
    if (!own) return await inflate(packed, "deflate-raw", entry.size, fail);
    try {
      return await own(packed, entry.size);
    } catch (error) {
      return fail(`is damaged (${(error as Error).message})`);
    }
  }
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

interface Directory {
  readonly start: number;
  readonly size: number;
  readonly count: number;
}

/** Finds the directory from the record at the file's end, which a comment may follow. */
async function findDirectory(source: ByteSource, fail: Fail): Promise<Directory> {
  const tailStart = Math.max(0, source.size - endBytes - unset16 - locatorBytes);
  const tail = await source.read(tailStart, source.size);
  const view = viewOf(tail);
  let at = tail.length - endBytes;
  while (at >= 0 && view.getUint32(at, true) !== marks.end) at--;
  if (at < 0) return fail(`is no zip archive: no directory in its ${source.size} bytes`);
  let directory: Directory = {
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    start: view.getUint32(at + 16, true),
  };
  const isLarge =
    directory.count === unset16 || directory.size === unset32 || directory.start === unset32;
  const locator = at - locatorBytes;
  if (isLarge && locator >= 0 && view.getUint32(locator, true) === marks.locator)
    directory = await readEnd64(source, whole64(view, locator + 8, fail), fail);
  const { start, size, count } = directory;
  if (start + size > tailStart + at || count * centralBytes > size)
    fail(`its directory of ${count} entries in ${size} bytes at ${start} does not fit the file`);
  return directory;
}

async function readEnd64(source: ByteSource, at: number, fail: Fail): Promise<Directory> {
  const bytes = at + end64Bytes <= source.size ? await source.read(at, at + end64Bytes) : null;
  if (!bytes || viewOf(bytes).getUint32(0, true) !== marks.end64)
    return fail("its 64-bit directory record is not where it should be");
  const view = viewOf(bytes);
  const [count, size, start] = [32, 40, 48].map((place) => whole64(view, place, fail));
  return { count: count!, size: size!, start: start! };
}

function whole64(view: DataView, at: number, fail: Fail): number {
  const value = Number(view.getBigUint64(at, true));
  return Number.isSafeInteger(value) ? value : fail(`claims a size or place of ${value}`);
}

function readDirectory(
  bytes: Uint8Array,
  { count, start }: Directory,
  maxEntryBytes: number,
  fail: Fail,
): ZipEntry[] {
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { entry, length } = readCentral(bytes, at, fail);
    at += length;
    if (entry.name.endsWith("/")) continue;
    if (!isSafePath(entry.name)) fail(`an entry would leave its folder: ${entry.name}`);
    if (names.has(entry.name)) fail(`holds ${entry.name} twice`);
    if (entry.size > maxEntryBytes)
      fail(`${entry.name} holds ${entry.size} bytes; at most ${maxEntryBytes} are read`);
    names.add(entry.name);
    entries.push(entry);
  }
  checkOverlap(entries, start, fail);
  return entries;
}

function readCentral(bytes: Uint8Array, at: number, fail: Fail) {
  const view = viewOf(bytes);
  if (at + centralBytes > bytes.length || view.getUint32(at, true) !== centralMark)
    return fail("its directory is damaged or cut off");
  const flags = view.getUint16(at + 8, true);
  const [nameLength, extraLength, commentLength] = [28, 30, 32].map((place) =>
    view.getUint16(at + place, true),
  );
  const nameEnd = at + centralBytes + nameLength!;
  const length = centralBytes + nameLength! + extraLength! + commentLength!;
  if (at + length > bytes.length) fail("its directory is cut off");
  const decoder = new TextDecoder(flags & utf8Flag ? "utf-8" : "latin1");
  const name = decoder.decode(bytes.subarray(at + centralBytes, nameEnd));
  if (flags & 1) fail(`${name} is encrypted`);
  const sizes = readSizes(view, at, nameEnd, nameEnd + extraLength!, fail);
  const method = view.getUint16(at + 10, true);
  const entry: ZipEntry = { name, method, crc32: view.getUint32(at + 16, true), ...sizes };
  return { entry, length };
}

/** Sizes and place, from the 64-bit extra field where the 32-bit ones are full. */
function readSizes(view: DataView, at: number, extra: number, extraEnd: number, fail: Fail) {
  const values = [view.getUint32(at + 24, true), view.getUint32(at + 20, true)];
  values.push(view.getUint32(at + 42, true));
  for (let place = extra; place + 4 <= extraEnd; ) {
    const end = place + 4 + view.getUint16(place + 2, true);
    if (end > extraEnd) fail("an extra field of its directory is cut off");
    let field = place + 4;
    if (view.getUint16(place, true) === 1)
      values.forEach((value, i) => {
        if (value !== unset32 || field + 8 > end) return;
        values[i] = whole64(view, field, fail);
        field += 8;
      });
    place = end;
  }
  const [size, compressedSize, offset] = values as [number, number, number];
  return { size, compressedSize, offset };
}

/** Many entries on the same bytes are how small archives claim to hold petabytes. */
function checkOverlap(entries: readonly ZipEntry[], end: number, fail: Fail): void {
  const sorted = [...entries].sort((a, b) => a.offset - b.offset);
  sorted.forEach((entry, i) => {
    const next = sorted[i + 1]?.offset ?? end;
    if (entry.offset + localBytes + entry.compressedSize > next)
      fail(`${entry.name} overlaps what follows it`);
  });
}
