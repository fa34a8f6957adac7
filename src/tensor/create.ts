/** Makes tensors from values: `tensor`, `zeros`, `ones`, `full`, `arange`, `eye` and the `…Like` forms. */
import {
  allocate,
  type DType,
  dtypeOf,
  dtypes,
  isDType,
  isFloat,
  isTypedArray,
  type TypedArray,
} from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { checkShape, formatShape, type Shape, sizeOf } from "../core/shape.js";
import { describe, fromArray } from "./apply.js";
import type { Tensor } from "./tensor.js";

export interface TensorOptions {
  readonly dtype?: DType;
  readonly requiresGrad?: boolean;
}

/** Numbers or booleans, nested as deep as the tensor has dims. */
export type TensorData = number | boolean | readonly TensorData[];

/** Throws unless it is the name of a dtype. */
export function checkDType(op: string, dtype: DType): DType {
  if (!isDType(dtype))
    throw new DTypeError(op, `unknown dtype "${dtype}", expected ${dtypes.join(", ")}`);
  return dtype;
}

/** Takes over `data` as a leaf, once dtype and `requiresGrad` fit. */
export function makeLeaf(
  op: string,
  data: TypedArray,
  shape: Shape,
  dtype: DType,
  requiresGrad = false,
): Tensor {
  if (requiresGrad && !isFloat(dtype))
    throw new DTypeError(op, `only float tensors can require grad, got ${dtype}`);
  const tensor = fromArray(data, shape, dtype);
  tensor.requiresGrad = requiresGrad;
  return tensor;
}

function shapeOfNested(data: TensorData): number[] {
  const shape: number[] = [];
  for (let part = data; Array.isArray(part); part = part[0] as TensorData) {
    shape.push(part.length);
    if (part.length === 0) break;
  }
  return shape;
}

function flattenNested(data: TensorData, shape: Shape, out: (number | boolean)[], dim = 0): void {
  if (!Array.isArray(data)) {
    if (dim !== shape.length)
      throw new ShapeError("tensor", `rows differ in depth: expected ${shape.length} dims`);
    if (typeof data !== "number" && typeof data !== "boolean")
      throw new ValueError("tensor", `elements must be numbers or booleans, got ${typeof data}`);
    out.push(data);
    return;
  }
  if (data.length !== shape[dim])
    throw new ShapeError(
      "tensor",
      `rows differ in length at dim ${dim}: expected ${shape[dim] ?? "a number"}, got ${data.length}`,
    );
  for (const part of data) flattenNested(part, shape, out, dim + 1);
}

/** Copies numbers into an array of a dtype; a number that the dtype cannot hold is an error, not wrapped. */
function fill(dtype: DType, values: ArrayLike<number | boolean>): TypedArray {
  const array = allocate(dtype, values.length);
  if (isFloat(dtype)) {
    for (let i = 0; i < values.length; i++) array[i] = Number(values[i]);
    return array;
  }
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]);
    array[i] = dtype === "bool" ? Number(value !== 0) : value;
    if (dtype !== "bool" && array[i] !== value)
      throw new ValueError("tensor", `${value} at position ${i} does not fit ${dtype}`);
  }
  return array;
}

/**
 * A tensor of the given values: a number, nested arrays, or a typed array with a shape. The dtype is `float32` for
 * numbers, `bool` for booleans, and the array's own for a typed array. The values are copied.
 *
 * @throws ShapeError if rows differ in length or the shape does not fit; ValueError if a value does not fit the dtype.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * console.log(tensor([[1, 2], [3, 4]]).shape); // → [ 2, 2 ]
 * console.log(tensor(new Int32Array([1, 2, 3]), { shape: [3, 1] }).dtype); // → int32
 * ```
 */
export function tensor(
  data: TensorData | TypedArray,
  options: TensorOptions & { readonly shape?: Shape } = {},
): Tensor {
  if (options.dtype) checkDType("tensor", options.dtype);
  const given = options.shape && checkShape("tensor", options.shape);
  let values: ArrayLike<number | boolean>;
  let [shape, dtype]: [Shape, DType] = [[], "float32"];
  if (isTypedArray(data)) {
    [values, shape, dtype] = [data, [data.length], dtypeOf(data)];
  } else {
    const list: (number | boolean)[] = [];
    shape = shapeOfNested(data);
    flattenNested(data, shape, list);
    values = list;
    if (list.length > 0 && list.every((v) => typeof v === "boolean")) dtype = "bool";
  }
  shape = given ?? shape;
  if (sizeOf(shape) !== values.length)
    throw new ShapeError("tensor", `${values.length} values do not fill ${formatShape(shape)}`);
  const wanted = options.dtype ?? dtype;
  const isSame = isTypedArray(data) && wanted === dtype;
  const array = isSame ? data.slice() : fill(wanted, values);
  return makeLeaf("tensor", array, shape, wanted, options.requiresGrad);
}

/**
 * A tensor over a typed array without copying it: changes to the array show in the tensor.
 *
 * @throws ShapeError if the shape does not fit the array.
 */
export function fromTypedArray(
  data: TypedArray,
  options: TensorOptions & { readonly shape?: Shape } = {},
): Tensor {
  const shape = checkShape("fromTypedArray", options.shape ?? [data.length]);
  const dtype = options.dtype ?? dtypeOf(data);
  if (sizeOf(shape) !== data.length)
    throw new ShapeError(
      "fromTypedArray",
      `${data.length} values do not fill ${formatShape(shape)}`,
    );
  const isBytes = data instanceof Uint8Array && dtype === "bool";
  if (dtypeOf(data) !== dtype && !isBytes)
    throw new DTypeError("fromTypedArray", `a ${data.constructor.name} cannot hold ${dtype}`);
  return makeLeaf("fromTypedArray", data, shape, dtype, options.requiresGrad);
}

/** A tensor with every element equal to `value`; `float32` unless a dtype is given. */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  const dtype = checkDType("full", options.dtype ?? "float32");
  const array = allocate(dtype, sizeOf(checkShape("full", shape)));
  if (value !== 0) array.fill(value);
  return makeLeaf("full", array, [...shape], dtype, options.requiresGrad);
}

/** A tensor of zeros. */
export const zeros = (shape: Shape, options?: TensorOptions): Tensor => full(shape, 0, options);

/** A tensor of ones. */
export const ones = (shape: Shape, options?: TensorOptions): Tensor => full(shape, 1, options);

/**
 * A tensor whose elements mean nothing yet. They are zeros here, since nothing is saved by leaving them open.
 *
 * @example
 * ```ts
 * import { empty } from "gradus";
 * console.log(empty([2, 3]).shape); // → [ 2, 3 ]
 * ```
 */
export const empty = (shape: Shape, options?: TensorOptions): Tensor => full(shape, 0, options);

const like = (x: Tensor, options: TensorOptions = {}): TensorOptions => ({
  dtype: x.dtype,
  ...options,
});

/** Zeros in the shape and dtype of another tensor. */
export const zerosLike = (x: Tensor, options?: TensorOptions): Tensor =>
  full(x.shape, 0, like(x, options));

/** Ones in the shape and dtype of another tensor. */
export const onesLike = (x: Tensor, options?: TensorOptions): Tensor =>
  full(x.shape, 1, like(x, options));

/**
 * {@link empty} in the shape and dtype of another tensor.
 *
 * @example
 * ```ts
 * import { emptyLike, tensor } from "gradus";
 * console.log(emptyLike(tensor([1, 2])).shape); // → [ 2 ]
 * ```
 */
export const emptyLike = (x: Tensor, options?: TensorOptions): Tensor => zerosLike(x, options);

/** `value` in the shape and dtype of another tensor. */
export const fullLike = (x: Tensor, value: number, options?: TensorOptions): Tensor =>
  full(x.shape, value, like(x, options));

/** Throws unless every value is a number, naming the first that is none. */
function checkNumbers(op: string, numbers: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(numbers))
    if (typeof value !== "number")
      throw new ValueError(op, `${name} must be a number, got ${describe(value)}`);
}

/**
 * start, start + step, … up to but not including end; `arange(n)` counts from 0. `int32` if all three
 * are whole numbers, else `float32`. The options follow the last number that is given.
 *
 * @throws ValueError unless the numbers lead from start to end in a finite number of steps.
 * @example
 * ```ts
 * import { arange } from "gradus";
 * console.log(arange(3).toArray(), arange(1, 2, 0.25).toArray()); // → [ 0, 1, 2 ] [ 1, 1.25, 1.5, 1.75 ]
 * console.log(arange(3, { dtype: "float32" }).dtype); // → float32
 * ```
 */
export function arange(end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, options?: TensorOptions): Tensor;
export function arange(
  startOrEnd: number,
  end?: number,
  step?: number,
  options?: TensorOptions,
): Tensor;
export function arange(
  startOrEnd: number,
  ...rest: (number | TensorOptions | undefined)[]
): Tensor {
  const place = rest.findIndex((x) => typeof x === "object" && x !== null);
  const options = place < 0 ? {} : (rest[place] as TensorOptions);
  const [end, step = 1] = (place < 0 ? rest : rest.slice(0, place)) as (number | undefined)[];
  const [from, to] = end === undefined ? [0, startOrEnd] : [startOrEnd, end];
  checkNumbers("arange", { start: from, end: to, step });
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (!Number.isFinite(count))
    throw new ValueError("arange", `cannot count from ${from} to ${to} by ${step}`);
  const whole = [from, to, step].every(Number.isInteger);
  const dtype = checkDType("arange", options.dtype ?? (whole ? "int32" : "float32"));
  const array = allocate(dtype, checkShape("arange", [count])[0]!);
  for (let i = 0; i < count; i++) array[i] = from + i * step;
  return makeLeaf("arange", array, [count], dtype, options.requiresGrad);
}

/** `steps` numbers from start to end, spaced evenly; both ends are counted from their own side, so that both are exact. */
function spaced(op: string, start: number, end: number, steps: number): Float64Array {
  checkShape(op, [steps]);
  if (!Number.isFinite(start) || !Number.isFinite(end))
    throw new ValueError(op, `start and end must be finite, got ${start} and ${end}`);
  const step = (end - start) / (steps - 1);
  const half = Math.max(1, steps / 2);
  return Float64Array.from({ length: steps }, (_, i) =>
    i < half ? start + (i === 0 ? 0 : i * step) : end - (steps - 1 - i) * step,
  );
}

/** As {@link fill}, but fractions are cut off for whole dtypes. */
function fillCut(op: string, values: Float64Array, options: TensorOptions): Tensor {
  const dtype = checkDType(op, options.dtype ?? "float32");
  const whole = isFloat(dtype) ? values : values.map(Math.trunc);
  return makeLeaf(op, fill(dtype, whole), [values.length], dtype, options.requiresGrad);
}

/**
 * `steps` numbers from `start` to `end`, both included, spaced evenly; float32 unless a dtype is given.
 *
 * @throws ShapeError unless `steps` is a whole number ≥ 0; ValueError unless both ends are finite.
 * @example
 * ```ts
 * import { linspace } from "gradus";
 * console.log(linspace(0, 1, 5).toArray()); // → [ 0, 0.25, 0.5, 0.75, 1 ]
 * ```
 */
export const linspace = (
  start: number,
  end: number,
  steps: number,
  options: TensorOptions = {},
): Tensor => fillCut("linspace", spaced("linspace", start, end, steps), options);

/**
 * base^start to base^end, both included, with exponents spaced evenly; the base is 10 by default.
 *
 * @example
 * ```ts
 * import { logspace } from "gradus";
 * console.log(logspace(0, 2, 3).toArray()); // → [ 1, 10, 100 ]
 * ```
 */
export const logspace = (
  start: number,
  end: number,
  steps: number,
  { base = 10, ...options }: TensorOptions & { readonly base?: number } = {},
): Tensor => {
  const exponents = spaced("logspace", start, end, steps);
  return fillCut(
    "logspace",
    exponents.map((x) => base ** x),
    options,
  );
};

/** The n × m matrix (square if `m` is not given) with ones on its diagonal. */
export function eye(n: number, options?: TensorOptions): Tensor;
export function eye(n: number, m?: number, options?: TensorOptions): Tensor;
export function eye(n: number, second?: number | TensorOptions, third?: TensorOptions): Tensor {
  const [m = n, options] = typeof second === "object" ? [n, second] : [second, third];
  const result = zeros([n, m], options);
  for (let i = 0; i < Math.min(n, m); i++) result.data[i * m + i] = 1;
  return result;
}
