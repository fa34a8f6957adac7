/**
 * The safetensors format (https://github.com/huggingface/safetensors): the length of a JSON header
 * as 8 little-endian bytes, the header, then the values of all tensors without a gap. It runs no
 * code when read, which is why weights are kept in it. Read safetensorsHeader.ts for the header's
 * checks, files.ts for reading from disk.
 */
import { isFloat } from "../core/dtype.js";
import { DTypeError, ValueError } from "../core/errors.js";
import { type HalfType, halfTypes, toHalfBits } from "../core/half.js";
import { formatShape, sizeOf } from "../core/shape.js";
import { type ArrayData, bytesOf, checkArrayData } from "./arrayData.js";
import { concatenate } from "./bytes.js";
import { type Fail, failWith, type HeaderEntry, parseHeader, quote } from "./safetensorsHeader.js";
import {
  type StorageType,
  typeNames,
  type ValueDecoder,
  valueDecoders,
} from "./safetensorsTypes.js";

/** What a safetensors file holds: tensors by name in the file's order, and free text by key. */
export interface SafetensorsContent {
  readonly tensors: Map<string, ArrayData>;
  readonly metadata: Record<string, string>;
}

/** The longest header that is read or written, as in the reference implementation. */
export const maxHeaderBytes = 100_000_000;
/** Bytes before the header: its length. */
export const headerStart = 8;

export interface EncodeOptions {
  /**
   * Stores float tensors in 16 bits, "float16" or "bfloat16", all or those for whose name the function says so; they are read as
   * float32. Other tensors stay as they are.
   */
  readonly dtype?: HalfType | ((name: string) => HalfType | undefined);
}

/** An array's values as they are stored: rounded to a half format if that is asked for. */
function storedAs(
  op: string,
  name: string,
  { data, dtype }: ArrayData,
  { dtype: wanted }: EncodeOptions,
): readonly [StorageType, Uint8Array] {
  const half = typeof wanted === "function" ? wanted(name) : wanted;
  if (half !== undefined && !halfTypes.includes(half))
    throw new DTypeError(
      op,
      `cannot store ${quote(name)} as ${half}, only as ${halfTypes.join(", ")}`,
    );
  if (half === undefined || !isFloat(dtype)) return [dtype, bytesOf(data)];
  return [half, new Uint8Array(toHalfBits(data, half).buffer)];
}

/**
 * The bytes of a safetensors file in pieces: the header, then each tensor's values where they lie.
 * What keeps its type is not copied, so the arrays must not change until the pieces are used.
 */
export function safetensorsPieces(
  tensors: Iterable<readonly [name: string, array: ArrayData]>,
  metadata: Readonly<Record<string, string>> = {},
  options: EncodeOptions = {},
): Uint8Array[] {
  const op = "encodeSafetensors";
  const rows: string[] = [];
  const pieces: Uint8Array[] = [];
  const seen = new Set<string>();
  let offset = 0;
  if (Object.keys(metadata).length > 0) rows.push(`"__metadata__":${metadataText(op, metadata)}`);
  for (const [name, array] of tensors) {
    checkName(op, name, seen);
    checkArrayData(op, quote(name), array);
    const [type, bytes] = storedAs(op, name, array, options);
    const end = offset + bytes.length;
    const shape = array.shape.join(",");
    rows.push(
      `${JSON.stringify(name)}:{"dtype":"${typeNames[type]}",` +
        `"shape":[${shape}],"data_offsets":[${offset},${end}]}`,
    );
    pieces.push(bytes);
    offset = end;
  }
  return [encodeHeader(op, `{${rows.join(",")}}`), ...pieces];
}

/**
 * Writes tensors, in the order given, as the bytes of a safetensors file; floats at half size if `dtype` says so.
 *
 * @throws ValueError for a name that comes twice or is reserved; ShapeError, DTypeError for an
 * array that contradicts itself.
 * @example
 * ```ts
 * import { data } from "gradus";
 * const weight = { shape: [2], dtype: "float32", data: new Float32Array([1, 2]) } as const;
 * const bytes = data.encodeSafetensors([["weight", weight]], { epoch: "3" });
 * const { tensors } = data.decodeSafetensors(bytes);
 * console.log(tensors.get("weight")?.data); // → Float32Array(2) [ 1, 2 ]
 * ```
 */
export function encodeSafetensors(
  tensors: Iterable<readonly [name: string, array: ArrayData]>,
  metadata: Readonly<Record<string, string>> = {},
  options: EncodeOptions = {},
): Uint8Array {
  return concatenate(safetensorsPieces(tensors, metadata, options));
}

/**
 * Reads the bytes of a safetensors file. Types F32, F64, I32, U8 and BOOL are kept; F16 and BF16
 * become float32, I64 becomes int32 where every value fits.
 *
 * @param options.source what to call the bytes in errors, such as a file's name.
 * @throws FormatError, saying what came and what was expected, for anything that is not such a
 * file.
 * @example
 * ```ts
 * import { data } from "gradus";
 * const bytes = data.encodeSafetensors([], { format: "pt" });
 * console.log(data.decodeSafetensors(bytes).metadata.format); // → pt
 * ```
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  options: { readonly source?: string } = {},
): SafetensorsContent {
  const fail = failWith("decodeSafetensors", options.source);
  if (bytes.length < headerStart)
    fail(`${bytes.length} bytes; expected at least 8, the header's length`);
  const length = headerLength(bytes.subarray(0, headerStart), bytes.length, fail);
  const values = bytes.subarray(headerStart + length);
  const header = bytes.subarray(headerStart, headerStart + length);
  const layout = decodeHeader(header, values.length, fail);
  const tensors = new Map<string, ArrayData>();
  for (const entry of layout.entries) {
    const own = new Uint8Array(entry.end - entry.begin);
    own.set(values.subarray(entry.begin, entry.end));
    tensors.set(entry.name, decodeEntry(entry, own, fail));
  }
  return { tensors, metadata: layout.metadata };
}

/** Reads the header's length from the first 8 bytes of a file of `fileBytes` bytes. */
export function headerLength(start: Uint8Array, fileBytes: number, fail: Fail): number {
  const view = new DataView(start.buffer, start.byteOffset, headerStart);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes))
    fail(`the header is said to be ${length} bytes long; expected at most ${maxHeaderBytes}`);
  if (headerStart + Number(length) > fileBytes)
    fail(`the header is said to be ${length} bytes long, but the file has ${fileBytes} bytes`);
  return Number(length);
}

/**
 * Parses the header and checks that the tensors fill the `valueBytes` behind it without gap or
 * overlap.
 */
export function decodeHeader(
  bytes: Uint8Array,
  valueBytes: number,
  fail: Fail,
): { entries: readonly HeaderEntry[]; metadata: Record<string, string> } {
  const { entries, metadata } = parseHeader(headerText(bytes, fail), fail);
  for (const entry of entries) checkSize(entry, fail);
  // Among tensors that begin at one place the empty ones come first, or they would seem to overlap.
  const byPlace = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of byPlace) {
    if (begin !== at) {
      const what = begin < at ? "overlaps the tensor before it" : "leaves a gap before it";
      fail(
        `tensor ${quote(name)} at bytes ${begin} to ${end} ${what}; expected it to begin at ${at}`,
      );
    }
    at = end;
  }
  if (at !== valueBytes)
    fail(`the tensors take ${at} bytes, but ${valueBytes} follow the header; is the file cut off?`);
  return { entries, metadata: plainRecord(metadata) };
}

/** Turns the bytes of one tensor, which it may keep, into its values. */
export function decodeEntry(
  entry: HeaderEntry,
  own: Uint8Array<ArrayBuffer>,
  fail: Fail,
): ArrayData {
  const { dtype, decode } = decoderOf(entry, fail);
  const data = decode(own.buffer, (message) => fail(`tensor ${quote(entry.name)}: ${message}`));
  return { shape: entry.shape, dtype, data };
}

function decoderOf(entry: HeaderEntry, fail: Fail): ValueDecoder {
  const decoder = valueDecoders.get(entry.type);
  if (decoder) return decoder;
  const known = [...valueDecoders.keys()].join(", ");
  return fail(
    `tensor ${quote(entry.name)} has dtype ${quote(entry.type)}; expected one of ${known}`,
  );
}

function checkSize(entry: HeaderEntry, fail: Fail): void {
  const expected = sizeOf(entry.shape) * decoderOf(entry, fail).bytes;
  const { name, type, shape, begin, end } = entry;
  if (end - begin !== expected) {
    fail(
      `tensor ${quote(name)} at bytes ${begin} to ${end} has ${end - begin} bytes; ` +
        `expected ${expected} for ${type} ${formatShape(shape)}`,
    );
  }
}

function headerText(bytes: Uint8Array, fail: Fail): string {
  if (bytes[0] !== 0x7b) fail(`the header begins with byte ${bytes[0] ?? "none"}; expected {`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return fail("the header is not valid UTF-8");
  }
}

/** A record whose keys are its own even where they are called `__proto__`. */
function plainRecord(map: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries(map);
}

function checkName(op: string, name: string, seen: Set<string>): void {
  if (name === "__metadata__") throw new ValueError(op, 'a tensor cannot be named "__metadata__"');
  if (seen.has(name)) throw new ValueError(op, `two tensors are named ${quote(name)}`);
  if (/\p{Surrogate}/u.test(name))
    throw new ValueError(op, `the name ${quote(name)} is not Unicode`);
  seen.add(name);
}

function metadataText(op: string, metadata: Readonly<Record<string, string>>): string {
  const rows = Object.entries(metadata).map(([key, value]) => {
    if (typeof value !== "string")
      throw new ValueError(op, `metadata ${quote(key)} is a ${typeof value}; expected a string`);
    return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
  });
  return `{${rows.join(",")}}`;
}

/**
 * The header with its length before it, padded by spaces so that the values begin at a multiple of
 * 8.
 */
function encodeHeader(op: string, text: string): Uint8Array {
  const json = new TextEncoder().encode(text);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > maxHeaderBytes)
    throw new ValueError(
      op,
      `the header takes ${length} bytes, over the ${maxHeaderBytes} allowed`,
    );
  const bytes = new Uint8Array(headerStart + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, headerStart);
  return bytes;
}
