/**
 * Writes zip archives that hold files of up to 4 GiB, deflated or stored, without times, so that
 * equal content gives equal archives. Works in browsers too. Read zip.ts for reading.
 */
import { ValueError } from "../core/errors.js";
import { concatenate } from "./bytes.js";
import { crc32 } from "./crc32.js";
import { compress } from "./gzip.js";
import { isSafePath } from "./zip.js";

export interface EncodeZipOptions {
  /** Compress the files; default false. */
  readonly compress?: boolean;
}

const [centralMark, localMark, endMark] = [0x02014b50, 0x04034b50, 0x06054b50];
const version = 20;
const utf8Flag = 0x800;
/** 1980-01-01, the first day that the format knows. */
const firstDay = 0x21;
const mostBytes = 0xfffffffe;
const mostEntries = 0xfffe;

/**
 * Puts files together as the bytes of a zip archive.
 *
 * @throws ValueError for a name that is taken twice or would leave its folder, for more than 65,534
 * files and for more than 4 GiB.
 * @example
 * ```ts
 * import { data } from "gradus";
 * const bytes = await data.encodeZip([["a/b.bin", new Uint8Array(9)]], { compress: true });
 * console.log(bytes.subarray(0, 2)); // → Uint8Array(2) [ 80, 75 ]
 * ```
 */
export async function encodeZip(
  files: Iterable<readonly [name: string, content: Uint8Array]>,
  options: EncodeZipOptions = {},
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  const names = new Set<string>();
  let at = 0;
  for (const [name, content] of files) {
    if (!isSafePath(name) || name.endsWith("/") || names.has(name))
      throw new ValueError("encodeZip", `cannot store a file as "${name}"; expected a new path`);
    names.add(name);
    const packed = options.compress ? await compress(content, "deflate-raw") : content;
    const fields = { name: new TextEncoder().encode(name), content, packed, at };
    const local = header(fields, false);
    pieces.push(local, packed);
    directory.push(header(fields, true));
    at += local.length + packed.length;
  }
  const size = directory.reduce((sum, entry) => sum + entry.length, 0);
  if (at + size > mostBytes || names.size > mostEntries)
    throw new ValueError("encodeZip", `${names.size} files, ${at} bytes: over the format's limits`);
  return concatenate([...pieces, ...directory, endRecord(names.size, size, at)]);
}

interface Fields {
  readonly name: Uint8Array;
  readonly content: Uint8Array;
  readonly packed: Uint8Array;
  readonly at: number;
}

/** An entry's header: its own before the content, or the one in the directory. */
function header({ name, content, packed, at }: Fields, central: boolean): Uint8Array {
  const bytes = new Uint8Array((central ? 46 : 30) + name.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, central ? centralMark : localMark, true);
  view.setUint16(4, version, true);
  // What follows is the same in both, two bytes later in the directory.
  const base = central ? 6 : 4;
  view.setUint16(base, version, true);
  view.setUint16(base + 2, utf8Flag, true);
  view.setUint16(base + 4, packed === content ? 0 : 8, true);
  view.setUint16(base + 8, firstDay, true);
  view.setUint32(base + 10, crc32(content), true);
  view.setUint32(base + 14, packed.length, true);
  view.setUint32(base + 18, content.length, true);
  view.setUint16(base + 22, name.length, true);
  if (central) view.setUint32(42, at, true);
  bytes.set(name, bytes.length - name.length);
  return bytes;
}

function endRecord(count: number, size: number, start: number): Uint8Array {
  const bytes = new Uint8Array(22);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, endMark, true);
  view.setUint16(8, count, true);
  view.setUint16(10, count, true);
  view.setUint32(12, size, true);
  view.setUint32(16, start, true);
  return bytes;
}
