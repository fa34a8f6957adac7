/**
 * NumPy's array files (numpy/lib/format.py, "A Simple File Format for NumPy Arrays", versions 1.0 to
 * 3.0): a magic word, a header written as a Python dict, then the values. Works in browsers too.
 * Read npz.ts for archives of arrays, npyFile.ts for files.
 */
import { allocate, bytesPerElement, type DType, type TypedArray } from "../core/dtype.js";
import { FormatError } from "../core/errors.js";
import { formatShape, maxElements, type Shape, sizeOf } from "../core/shape.js";
import { type ArrayData, bytesOf, checkArrayData } from "./arrayData.js";
import { valueDecoders } from "./safetensorsTypes.js";

type Fail = (message: string) => never;

/** How values of one kind lie in a file; `name` is what other formats' decoders call it. */
interface NpyType {
  readonly bytes: number;
  readonly dtype: DType;
  /** A decoder that safetensors files share. */
  readonly shared?: string;
  /** For types that become a wider one: reads one value of a little-endian file. */
  readonly read?: (view: DataView, at: number) => number;
}

const types: ReadonlyMap<string, NpyType> = new Map<string, NpyType>([
  ["f2", { bytes: 2, dtype: "float32", shared: "F16" }],
  ["f4", { bytes: 4, dtype: "float32", shared: "F32" }],
  ["f8", { bytes: 8, dtype: "float64", shared: "F64" }],
  ["i1", { bytes: 1, dtype: "int32", read: (view, at) => view.getInt8(at) }],
  ["i2", { bytes: 2, dtype: "int32", read: (view, at) => view.getInt16(at, true) }],
  ["i4", { bytes: 4, dtype: "int32", shared: "I32" }],
  ["i8", { bytes: 8, dtype: "int32", shared: "I64" }],
  ["u1", { bytes: 1, dtype: "uint8", shared: "U8" }],
  ["u2", { bytes: 2, dtype: "int32", read: (view, at) => view.getUint16(at, true) }],
  ["u4", { bytes: 4, dtype: "int32", read: (view, at) => view.getUint32(at, true) }],
  ["u8", { bytes: 8, dtype: "int32", read: (view, at) => Number(view.getBigUint64(at, true)) }],
  ["b1", { bytes: 1, dtype: "bool", shared: "BOOL" }],
]);

const codes: Readonly<Record<DType, string>> = {
  float32: "<f4",
  float64: "<f8",
  int32: "<i4",
  uint8: "|u1",
  bool: "|b1",
};

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const maxHeader = 65_536;
/** Values begin at a multiple of so many bytes. */
const alignment = 64;
const mostInt32 = 2 ** 31 - 1;

/**
 * Reads the bytes of an `.npy` file. float32, float64, int32, uint8 and bool are kept; float16
 * becomes float32; other whole numbers become int32 where they fit. Both byte orders and both
 * memory orders are understood; the result is row-major.
 *
 * @param options.source what to call the bytes in errors, such as a file's name.
 * @throws FormatError for anything that is not exactly such a file, for element types without a
 * twin here (text, objects, complex numbers) and for whole numbers beyond int32.
 * @example
 * ```ts
 * import { data, tensor } from "gradus";
 * const bytes = data.encodeNpy(tensor([[1, 2], [3, 4]]));
 * console.log(data.decodeNpy(bytes).data); // → Float32Array(4) [ 1, 2, 3, 4 ]
 * ```
 */
export function decodeNpy(
  bytes: Uint8Array,
  options: { readonly source?: string } = {},
): ArrayData {
  const fail: Fail = (message) => {
    throw new FormatError("decodeNpy", options.source ? `${options.source}: ${message}` : message);
  };
  const { text, start } = readHeader(bytes, fail);
  const { description, isColumnMajor, shape } = parseHeader(text, fail);
  const [order, type] = findType(description, fail);
  const spread = shape.reduce((product, n) => product * Math.max(n, 1), 1);
  if (spread > maxElements) fail(`shape ${formatShape(shape)} is over 2^31 - 1 elements`);
  const expected = start + sizeOf(shape) * type.bytes;
  if (bytes.length !== expected) {
    const what = bytes.length < expected ? "cut off" : "too long";
    const kind = `${description} ${formatShape(shape)}`;
    fail(`${what}: ${bytes.length} bytes; expected ${expected} for ${kind}`);
  }
  // A copy: values may begin anywhere in `bytes` (whose `slice` makes none where it is a Buffer).
  const { buffer } = new Uint8Array(bytes.subarray(start));
  if (order === ">") swapBytes(new Uint8Array(buffer), type.bytes);
  const data = decodeValues(buffer, type, fail);
  const { dtype } = type;
  return isColumnMajor ? toRowMajor({ shape, dtype, data }) : { shape, dtype, data };
}

function readHeader(bytes: Uint8Array, fail: Fail): { text: string; start: number } {
  if (bytes.length < 12 || magic.some((byte, i) => bytes[i] !== byte))
    fail(`${bytes.length} bytes that do not begin as an .npy file: \\x93NUMPY`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6]!;
  if (version < 1 || version > 3) fail(`format version ${version}.${bytes[7]}; expected 1 to 3`);
  const [length, begin] =
    version === 1 ? [view.getUint16(8, true), 10] : [view.getUint32(8, true), 12];
  if (length > maxHeader) fail(`its header has ${length} bytes; expected at most ${maxHeader}`);
  const start = begin + length;
  if (start > bytes.length) fail(`cut off in its header of ${length} bytes`);
  return { text: new TextDecoder().decode(bytes.subarray(begin, start)), start };
}

/** The header is a Python dict with exactly three keys, in any order. */
function parseHeader(text: string, fail: Fail) {
  const shown = text.trim().slice(0, 100);
  const inner = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1];
  if (inner === undefined) return fail(`its header is no dict: ${shown}`);
  const one = (pattern: RegExp): string => {
    const found = [...inner.matchAll(pattern)];
    return found.length === 1 ? found[0]![1]! : fail(`cannot read its header: ${shown}`);
  };
  const description = one(/['"]descr['"]\s*:\s*['"]([^'"]*)['"]/g);
  const order = one(/['"]fortran_order['"]\s*:\s*(True|False)/g);
  const dims = one(/['"]shape['"]\s*:\s*\(([\d\s,L]*)\)/g);
  const sizes = dims.split(",").map((size) => size.trim().replace(/L$/, ""));
  if (sizes.at(-1) === "") sizes.pop();
  const shape = sizes.map(Number);
  if (sizes.includes("") || !shape.every(Number.isSafeInteger) || shape.length > 64)
    fail(`cannot read its shape: (${dims})`);
  return { description, isColumnMajor: order === "True", shape };
}

function findType(description: string, fail: Fail): [order: string, type: NpyType] {
  const match = /^([<>|=])?([a-z]\d+)$/i.exec(description);
  const type = types.get(match?.[2] ?? "");
  if (type) return [match?.[1] ?? "<", type];
  return fail(`holds elements of type ${description}; expected ${[...types.keys()].join(", ")}`);
}

function swapBytes(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

function decodeValues(buffer: ArrayBuffer, type: NpyType, fail: Fail): TypedArray {
  const { shared, read, bytes } = type;
  if (shared) return valueDecoders.get(shared)!.decode(buffer, fail);
  const view = new DataView(buffer);
  const out = allocate(type.dtype, buffer.byteLength / bytes);
  for (let i = 0; i < out.length; i++) {
    const value = read!(view, i * bytes);
    if (value > mostInt32) fail(`element ${i} is ${value}; expected it to fit int32`);
    out[i] = value;
  }
  return out;
}

/** The same array with its last dim running fastest, where its first one did. */
function toRowMajor({ shape, dtype, data }: ArrayData): ArrayData {
  const out = allocate(dtype, data.length);
  const place = shape.map(() => 0);
  const strides = columnStrides(shape);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from]!;
    for (let d = shape.length - 1; d >= 0; d--) {
      from += strides[d]!;
      if (++place[d]! < shape[d]!) break;
      from -= strides[d]! * shape[d]!;
      place[d] = 0;
    }
  }
  return { shape, dtype, data: out };
}

function columnStrides(shape: Shape): number[] {
  let stride = 1;
  return shape.map((size) => {
    stride *= size;
    return stride / Math.max(size, 1);
  });
}

/**
 * Writes an array as the bytes of an `.npy` file of version 1.0, little-endian and row-major, byte
 * for byte as NumPy does.
 *
 * @throws ShapeError, DTypeError for an array that contradicts itself.
 * @example
 * ```ts
 * import { data, tensor } from "gradus";
 * const bytes = data.encodeNpy(tensor([1, 2, 3]));
 * console.log(new TextDecoder().decode(bytes.subarray(10, 68)));
 * // → {'descr': '<f4', 'fortran_order': False, 'shape': (3,), }
 * ```
 */
export function encodeNpy(array: ArrayData): Uint8Array {
  checkArrayData("encodeNpy", "the array", array);
  const { shape, dtype, data } = array;
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${codes[dtype]}', 'fortran_order': False, 'shape': (${dims}), }`;
  // NumPy leaves room for the first dim to grow to 21 digits when rows are appended in place.
  const growth = shape.length > 0 ? Math.max(0, 21 - String(shape[0]).length) : 0;
  const used = 10 + text.length + growth + 1;
  const start = Math.ceil(used / alignment) * alignment;
  const bytes = new Uint8Array(start + data.length * bytesPerElement(dtype));
  bytes.set(magic);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, start - 10, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(start - 11)}\n`), 10);
  bytes.set(bytesOf(data), start);
  return bytes;
}
