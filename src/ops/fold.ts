/** More ops that fold dims: truth, counts, log-sum-exp, norms, and sums that skip NaN. Read foldSamples.ts next. */
import { type DType, isFloat } from "../core/dtype.js";
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape, normalizeDim, normalizeDims } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { apply, applyOne, type OpSpec } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { lengthNodes } from "./lengths.js";
import { matrixNorm } from "./matrixNorm.js";
import { type KeepDim, needFloat } from "./reduce.js";

type Dims = number | readonly number[];
type Attributes = { readonly dims: readonly number[]; readonly keepDim: boolean };

function fold(
  name: string,
  lower: (b: Builder, x: Node, dims: readonly number[], keepDim: boolean) => Node,
) {
  const spec: OpSpec<Attributes> = {
    name,
    lower: (b, [x], { dims, keepDim }) => lower(b, x!, dims, keepDim),
  };
  return (x: Tensor, dim?: Dims, { keepDim = false }: KeepDim = {}): Tensor =>
    applyOne(spec, [x], { dims: normalizeDims(name, dim, x.ndim), keepDim });
}

/** How many elements along dims are true. */
function countTrue(b: Builder, x: Node, dims: readonly number[], keepDim: boolean): Node {
  return b.reduce("reduceSum", b.convert(x, "int32"), dims, keepDim);
}

/** PyTorch answers bytes with bytes. */
const truthType = (x: Node): DType => (x.dtype === "uint8" ? "uint8" : "bool");

const isZero = (b: Builder, x: Node): Node => b.equal(x, 0);

/**
 * Whether any element is not 0: over all, one or several dims. NaN counts as not 0; of no elements, false.
 *
 * @example
 * ```ts
 * import { any, tensor } from "gradus";
 * console.log(any(tensor([[0, 1], [0, 0]]), 1).toArray()); // → [ 1, 0 ]
 * ```
 */
export const any = fold("any", (b, x, dims, keepDim) => {
  const count = countTrue(b, b.pointwise("notEqual", x, 0), dims, keepDim);
  return b.convert(b.pointwise("notEqual", count, 0), truthType(x));
});

/**
 * Whether every element is not 0: over all, one or several dims. Of no elements, true.
 *
 * @example
 * ```ts
 * import { all, tensor } from "gradus";
 * console.log(all(tensor([1, 1, 0])).item()); // → 0
 * ```
 */
export const all = fold("all", (b, x, dims, keepDim) =>
  b.convert(isZero(b, countTrue(b, isZero(b, x), dims, keepDim)), truthType(x)),
);

const countNonzeroOf = fold("countNonzero", (b, x, dims, keepDim) =>
  countTrue(b, b.pointwise("notEqual", x, 0), dims, keepDim),
);

/**
 * How many elements are not 0, as int32: over all, one or several dims.
 *
 * @example
 * ```ts
 * import { countNonzero, tensor } from "gradus";
 * console.log(countNonzero(tensor([0, 2, 3])).item()); // → 2
 * ```
 */
export const countNonzero = (x: Tensor, dim?: Dims): Tensor => countNonzeroOf(x, dim);

/**
 * log Σ e^x over all, one or several dims, without overflow; −∞ of no elements. Integers give float32.
 *
 * @example
 * ```ts
 * import { logsumexp, tensor } from "gradus";
 * console.log(logsumexp(tensor([1000, 1000]), 0).item()); // ≈ 1000.693
 * ```
 */
export const logsumexp = fold("logsumexp", (b, given, dims, keepDim) => {
  const x = isFloat(given.dtype) ? given : b.convert(given, "float32");
  const isEmpty = dims.some((d) => x.shape[d] === 0);
  const largest = isEmpty ? null : b.stopGradient(b.reduce("reduceMax", x, dims, true));
  const sumFrom = (y: Node, keep: boolean) =>
    b.pointwise("log", b.reduce("reduceSum", b.pointwise("exponential", y), dims, keep));
  if (!largest) return sumFrom(x, keepDim);
  // Infinite ones cannot be taken off: ∞ − ∞ is no number.
  const shift = b.select(b.pointwise("isFinite", largest), largest, 0);
  const whole = b.add(sumFrom(b.subtract(x, shift), true), shift);
  const kept = x.shape.filter((_, i) => !dims.includes(i));
  return keepDim ? whole : b.reshape(whole, kept);
});

const withoutNaN = (b: Builder, x: Node): Node =>
  isFloat(x.dtype) ? b.select(b.equal(x, x), x, 0) : b.convert(x, "int32");

/**
 * The sum with NaN counted as 0: over all, one or several dims.
 *
 * @example
 * ```ts
 * import { nansum, tensor } from "gradus";
 * console.log(nansum(tensor([1, NaN, 2])).item()); // → 3
 * ```
 */
export const nansum = fold("nansum", (b, x, dims, keepDim) =>
  b.reduce("reduceSum", withoutNaN(b, x), dims, keepDim),
);

/**
 * The mean of the elements that are not NaN: over all, one or several dims. NaN if there are none.
 *
 * @throws DTypeError unless x is a float tensor.
 * @example
 * ```ts
 * import { nanmean, tensor } from "gradus";
 * console.log(nanmean(tensor([1, NaN, 3])).item()); // → 2
 * ```
 */
export const nanmean = fold("nanmean", (b, x, dims, keepDim) => {
  needFloat("nanmean", x);
  const sum = b.reduce("reduceSum", withoutNaN(b, x), dims, keepDim);
  return b.divide(sum, b.convert(countTrue(b, b.equal(x, x), dims, keepDim), x.dtype));
});

const aminmaxSpec: OpSpec<Attributes> = {
  name: "aminmax",
  lower(b, [given], { dims, keepDim }) {
    const isBool = given!.dtype === "bool";
    const x = isBool ? b.convert(given!, "uint8") : given!;
    return (["reduceMin", "reduceMax"] as const).map((primitive) =>
      b.convert(b.reduce(primitive, x, dims, keepDim), given!.dtype),
    );
  },
};

/**
 * The smallest and the largest element, of all or along a dim. Ties share the gradient evenly.
 *
 * @throws ShapeError if there is nothing to choose from.
 * @example
 * ```ts
 * import { aminmax, tensor } from "gradus";
 * const { min, max } = aminmax(tensor([2, 1, 3]));
 * console.log(min.item(), max.item()); // → 1 3
 * ```
 */
export function aminmax(
  x: Tensor,
  { dim, keepDim = false }: KeepDim & { readonly dim?: number } = {},
): { readonly min: Tensor; readonly max: Tensor } {
  const place = dim === undefined ? undefined : normalizeDim("aminmax", dim, x.ndim);
  const dims = normalizeDims("aminmax", place, x.ndim);
  const [min, max] = apply(aminmaxSpec, [x], { dims, keepDim });
  return { min: min!, max: max! };
}

type NormAttributes = Attributes & { readonly p: number };

const normSpec = (name: string): OpSpec<NormAttributes> => ({
  name,
  lower(b, [x], { p, dims, keepDim }) {
    needFloat(name, x!);
    if (p >= 0) return lengthNodes(b, x!, p, dims, keepDim);
    const sizes = b.pointwise("abs", x!);
    if (p === Number.NEGATIVE_INFINITY) return b.reduce("reduceMin", sizes, dims, keepDim);
    const sum = b.reduce("reduceSum", b.pointwise("power", sizes, p), dims, keepDim);
    return b.pointwise("power", sum, 1 / p);
  },
});

const [normOp, vectorNormOp] = [normSpec("norm"), normSpec("vectorNorm")];

function checkOrder(op: string, p: unknown): number {
  if (typeof p !== "number" || Number.isNaN(p))
    throw new ValueError(op, `the order must be a number, Infinity or -Infinity, got ${p}`);
  return p;
}

function nuclearNorm(x: Tensor, dim: Dims | undefined, keepDim: boolean): Tensor {
  const dims = dim === undefined && x.ndim === 2 ? [0, 1] : dim;
  if (typeof dims !== "object" || dims.length !== 2)
    throw new ShapeError("norm", `"nuc" needs a matrix or two dims, got ${formatShape(x.shape)}`);
  return matrixNorm(x, "nuc", { dim: [dims[0]!, dims[1]!], keepDim });
}

/**
 * The p-norm of all elements, or over dims: (Σ|x|^p)^(1/p). `p`: a number, with 0 for the count of elements that are
 * not 0, ±Infinity for the largest and smallest |x|, "fro", which is 2, or "nuc", the sum of the singular values of matrices
 * in two dims. At 0 the gradient is 0.
 *
 * @throws DTypeError unless x is a float tensor.
 * @example
 * ```ts
 * import { norm, tensor } from "gradus";
 * console.log(norm(tensor([3, -4])).item()); // → 5
 * console.log(norm(tensor([[3, -4], [1, 1]]), 1, 1).toArray()); // → [ 7, 2 ]
 * ```
 */
export function norm(
  x: Tensor,
  p: number | "fro" | "nuc" = "fro",
  dim?: Dims,
  { keepDim = false }: KeepDim = {},
): Tensor {
  if (p === "nuc") return nuclearNorm(x, dim, keepDim);
  const order = checkOrder("norm", p === "fro" ? 2 : p);
  return applyOne(normOp, [x], { p: order, dims: normalizeDims("norm", dim, x.ndim), keepDim });
}

/**
 * The norm of order `ord` of all elements, or over dims, as in {@link norm}; default 2.
 *
 * @throws DTypeError unless x is a float tensor.
 * @example
 * ```ts
 * import { tensor, vectorNorm } from "gradus";
 * console.log(vectorNorm(tensor([3, -4]), Infinity).item()); // → 4
 * ```
 */
export function vectorNorm(
  x: Tensor,
  ord = 2,
  dim?: Dims,
  { keepDim = false }: KeepDim = {},
): Tensor {
  const dims = normalizeDims("vectorNorm", dim, x.ndim);
  return applyOne(vectorNormOp, [x], { p: checkOrder("vectorNorm", ord), dims, keepDim });
}

install({ any, all, countNonzero, logsumexp, nansum, nanmean, aminmax, norm });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** Whether any element is not 0. */
    any(dim?: Dims, options?: KeepDim): Tensor;
    /** Whether every element is not 0. */
    all(dim?: Dims, options?: KeepDim): Tensor;
    /** How many elements are not 0. */
    countNonzero(dim?: Dims): Tensor;
    /** log Σ e^x over all, one or several dims. */
    logsumexp(dim?: Dims, options?: KeepDim): Tensor;
    /** The sum with NaN counted as 0. */
    nansum(dim?: Dims, options?: KeepDim): Tensor;
    /** The mean of the elements that are not NaN. */
    nanmean(dim?: Dims, options?: KeepDim): Tensor;
    /** The smallest and the largest element, of all or along a dim. */
    aminmax(options?: KeepDim & { readonly dim?: number }): {
      readonly min: Tensor;
      readonly max: Tensor;
    };
    /** The p-norm of all elements, or over dims. */
    norm(p?: number | "fro" | "nuc", dim?: Dims, options?: KeepDim): Tensor;
  }
}
