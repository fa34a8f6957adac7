/**
 * Element types: their names, typed arrays and promotion rules. Imports nothing; read shape.ts next.
 */

/** The element types of a tensor. `float32` is the default, as in PyTorch. */
export type DType = "float32" | "float64" | "int32" | "uint8" | "bool";

/** The typed arrays that hold tensor data. A `bool` tensor holds 0 and 1 in a `Uint8Array`. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

interface DTypeInfo {
  readonly code: number;
  readonly bytes: number;
  /** Promotion category: a higher category wins over a lower one. */
  readonly category: 0 | 1 | 2;
  /** Order inside the category. */
  readonly rank: number;
  readonly array: { new (lengthOrMemory: number | ArrayBuffer): TypedArray };
}

/** The one table of facts about element types; `code` is what encoded programs carry. */
export const dtypeTable: Readonly<Record<DType, DTypeInfo>> = {
  float32: { code: 0, bytes: 4, category: 2, rank: 0, array: Float32Array },
  float64: { code: 1, bytes: 8, category: 2, rank: 1, array: Float64Array },
  int32: { code: 2, bytes: 4, category: 1, rank: 1, array: Int32Array },
  uint8: { code: 3, bytes: 1, category: 1, rank: 0, array: Uint8Array },
  bool: { code: 4, bytes: 1, category: 0, rank: 0, array: Uint8Array },
};

export const dtypes = Object.keys(dtypeTable) as readonly DType[];

export const isDType = (name: unknown): name is DType =>
  typeof name === "string" && Object.hasOwn(dtypeTable, name);

export const isFloat = (dtype: DType): boolean => dtypeTable[dtype]?.category === 2;

export const bytesPerElement = (dtype: DType): number => dtypeTable[dtype].bytes;

/** A zero-filled typed array that holds `length` elements of `dtype`. */
export const allocate = (dtype: DType, length: number): TypedArray =>
  new dtypeTable[dtype].array(length);

/** Node's allocation without zeroing; there is none in browsers. */
const { Buffer: nodeBuffer } = globalThis as {
  readonly Buffer?: { allocUnsafeSlow(bytes: number): { readonly buffer: ArrayBuffer } };
};

/** From here on zeroing memory that is about to be overwritten costs more than the detour around it. */
const worthLeavingDirty = 4096;

/** A typed array whose elements are anything at all, for results that a program writes whole. */
export function allocateDirty(dtype: DType, length: number): TypedArray {
  const bytes = length * dtypeTable[dtype].bytes;
  if (!nodeBuffer || bytes < worthLeavingDirty) return allocate(dtype, length);
  return new dtypeTable[dtype].array(nodeBuffer.allocUnsafeSlow(bytes).buffer);
}

/** The element type that a typed array holds when nothing else is said (`Uint8Array` → `uint8`). */
export function dtypeOf(array: TypedArray): DType {
  if (array instanceof Float32Array) return "float32";
  if (array instanceof Float64Array) return "float64";
  if (array instanceof Int32Array) return "int32";
  return "uint8";
}

export const isTypedArray = (value: unknown): value is TypedArray =>
  value instanceof Float32Array ||
  value instanceof Float64Array ||
  value instanceof Int32Array ||
  value instanceof Uint8Array;

/** The type that two operands of equal standing are converted to. */
export function promote(a: DType, b: DType): DType {
  if (a === b || !isDType(b)) return a;
  if (!isDType(a)) return b;
  const [ia, ib] = [dtypeTable[a], dtypeTable[b]];
  if (ia.category !== ib.category) return ia.category > ib.category ? a : b;
  return ia.rank > ib.rank ? a : b;
}

/** What promotion looks at: the type, and whether the operand has dimensions. */
export interface Promotable {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/**
 * PyTorch's promotion: an operand without dimensions does not change the type of one that has some,
 * unless its category (bool < integer < float) is higher.
 */
export function resultType(operands: readonly Promotable[]): DType {
  let dimensioned: DType | undefined;
  let scalar: DType | undefined;
  for (const { dtype, shape } of operands) {
    if (shape?.length > 0) dimensioned = dimensioned ? promote(dimensioned, dtype) : dtype;
    else scalar = scalar ? promote(scalar, dtype) : dtype;
  }
  if (!dimensioned || !scalar) return dimensioned ?? scalar ?? "float32";
  const isHigher = dtypeTable[scalar].category > dtypeTable[dimensioned].category;
  return isHigher ? scalar : dimensioned;
}
