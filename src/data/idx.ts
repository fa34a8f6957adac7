/**
 * The IDX format of MNIST and its relatives (http://yann.lecun.com/exdb/mnist/): two zero bytes, an
 * element type, the number of dims, each size as 4 big-endian bytes, then the values, big-endian
 * too. Read sources/labelled.ts next.
 */
import { allocate, type DType } from "../core/dtype.js";
import { FormatError, ValueError } from "../core/errors.js";
import { formatShape, maxElements, sizeOf } from "../core/shape.js";
import { type ArrayData, checkArrayData } from "../io/arrayData.js";

/** How one element type lies in a file; `write` is left out where nothing is written as it. */
interface IdxType {
  readonly name: string;
  readonly bytes: number;
  /** The element type that comes out. */
  readonly dtype: DType;
  read(view: DataView, at: number): number;
  write?(view: DataView, at: number, value: number): void;
}

const types: ReadonlyMap<number, IdxType> = new Map<number, IdxType>([
  [
    0x08,
    {
      name: "uint8",
      bytes: 1,
      dtype: "uint8",
      read: (view, at) => view.getUint8(at),
      write: (view, at, value) => view.setUint8(at, value),
    },
  ],
  [0x09, { name: "int8", bytes: 1, dtype: "int32", read: (view, at) => view.getInt8(at) }],
  [0x0b, { name: "int16", bytes: 2, dtype: "int32", read: (view, at) => view.getInt16(at) }],
  [
    0x0c,
    {
      name: "int32",
      bytes: 4,
      dtype: "int32",
      read: (view, at) => view.getInt32(at),
      write: (view, at, value) => view.setInt32(at, value),
    },
  ],
  [
    0x0d,
    {
      name: "float32",
      bytes: 4,
      dtype: "float32",
      read: (view, at) => view.getFloat32(at),
      write: (view, at, value) => view.setFloat32(at, value),
    },
  ],
  [
    0x0e,
    {
      name: "float64",
      bytes: 8,
      dtype: "float64",
      read: (view, at) => view.getFloat64(at),
      write: (view, at, value) => view.setFloat64(at, value),
    },
  ],
]);

/** Bytes before the sizes: two zeros, the type, the number of dims. */
const magicBytes = 4;

/**
 * Reads the bytes of an IDX file. Types uint8, int32, float32 and float64 are kept; int8 and int16
 * become int32.
 *
 * @param options.source what to call the bytes in errors, such as a file's name.
 * @throws FormatError, saying what came and what was expected, for anything that is not exactly
 * such a file.
 * @example
 * ```ts
 * import { data } from "gradus";
 * const bytes = new Uint8Array([0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 7, 8, 9]);
 * console.log(data.decodeIdx(bytes).shape); // → [ 1, 3 ]
 * ```
 */
export function decodeIdx(
  bytes: Uint8Array,
  options: { readonly source?: string } = {},
): ArrayData {
  const fail = (message: string): never => {
    throw new FormatError("decodeIdx", options.source ? `${options.source}: ${message}` : message);
  };
  if (bytes.length < magicBytes)
    fail(`${bytes.length} bytes; expected at least 4, the magic number of an IDX file`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = types.get(bytes[2]!);
  if (bytes[0] !== 0 || bytes[1] !== 0 || !type) {
    const magic = view.getUint32(0).toString(16).padStart(8, "0");
    const gzipped = magic.startsWith("1f8b") ? "; this is a gzip file: inflate it first" : "";
    return fail(`magic number 0x${magic}; expected 0x0000TTDD, type TT in 08 to 0e${gzipped}`);
  }
  const rank = bytes[3]!;
  const start = magicBytes + 4 * rank;
  if (bytes.length < start)
    fail(`cut off: ${bytes.length} bytes; expected ${start} for the sizes of ${rank} dims`);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(magicBytes + 4 * i));
  const spread = shape.reduce((product, n) => product * Math.max(n, 1), 1);
  if (spread > maxElements) fail(`shape ${formatShape(shape)} is over 2^31 - 1 elements`);
  const length = sizeOf(shape);
  const expected = start + length * type.bytes;
  if (bytes.length !== expected) {
    const what = bytes.length < expected ? "cut off" : "too long";
    fail(
      `${what}: ${bytes.length} bytes; expected ${expected} for ${type.name} ${formatShape(shape)}`,
    );
  }
  const data = allocate(type.dtype, length);
  if (type.dtype === "uint8") data.set(bytes.subarray(start));
  else for (let i = 0; i < length; i++) data[i] = type.read(view, start + i * type.bytes);
  return { shape, dtype: type.dtype, data };
}

const codes = { uint8: 0x08, bool: 0x08, int32: 0x0c, float32: 0x0d, float64: 0x0e } as const;

/**
 * Writes an array as the bytes of an IDX file; `bool` becomes uint8.
 *
 * @throws ValueError for more than 255 dims; ShapeError, DTypeError for an array that contradicts
 * itself.
 * @example
 * ```ts
 * import { data } from "gradus";
 * const labels = { shape: [2], dtype: "uint8", data: new Uint8Array([3, 1]) } as const;
 * console.log([...data.encodeIdx(labels)].join(" ")); // → 0 0 8 1 0 0 0 2 3 1
 * ```
 */
export function encodeIdx(array: ArrayData): Uint8Array {
  checkArrayData("encodeIdx", "the array", array);
  const { shape, dtype, data } = array;
  if (shape.length > 255)
    throw new ValueError("encodeIdx", `the array has ${shape.length} dims; expected at most 255`);
  const start = magicBytes + 4 * shape.length;
  const bytes = new Uint8Array(start + data.byteLength);
  const view = new DataView(bytes.buffer);
  const type = types.get(codes[dtype])!;
  bytes[2] = codes[dtype];
  bytes[3] = shape.length;
  for (const [i, n] of shape.entries()) view.setUint32(magicBytes + 4 * i, n);
  for (let i = 0; i < data.length; i++) type.write?.(view, start + i * type.bytes, data[i]!);
  return bytes;
}
