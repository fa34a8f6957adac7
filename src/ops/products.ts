/** The named products of vectors and matrices. Read productSamples.ts or distance.ts next. */
import { isFloat, resultType } from "../core/dtype.js";
import { ShapeError, ValueError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import { applyOne, checkTensors, type OpSpec } from "../tensor/apply.js";
import { install } from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { contract, contractNodes } from "./einsum.js";
import { promoteNodes } from "./pointwise.js";

/** A product of two tensors with fixed numbers of dims; sizes that are to be equal must be, also where one is 1. */
function product(op: string, equation: string): (x: Tensor, y: Tensor) => Tensor {
  const [left, right] = equation.split("->")[0]!.split(",") as [string, string];
  return (x, y) => {
    const fits =
      x.ndim === left.length &&
      y.ndim === right.length &&
      [...left].every((l, i) => !right.includes(l) || x.shape[i] === y.shape[right.indexOf(l)]);
    if (!fits)
      throw new ShapeError(
        op,
        `expected [${[...left].join(", ")}] × [${[...right].join(", ")}], got ` +
          `${formatShape(x.shape)} × ${formatShape(y.shape)}`,
      );
    return contract(op, equation, [x, y]);
  };
}

/** The product of two matrices: [i, j] × [j, k] → [i, k]; no batches and no broadcasting. */
export const mm = product("mm", "ij,jk->ik");

/** The products of two batches of matrices: [b, i, j] × [b, j, k] → [b, i, k]. */
export const bmm = product("bmm", "bij,bjk->bik");

/** A matrix times a vector: [i, j] × [j] → [i]. */
export const mv = product("mv", "ij,j->i");

/** Σ xᵢ·yᵢ of two vectors. */
export const dot = product("dot", "i,i->");

/** The table of all products of two vectors: [i] × [j] → [i, j]. */
export const outer = product("outer", "i,j->ij");

/**
 * Σ over the last dims of two tensors, which must be equal; numbers without dims are multiplied.
 *
 * @throws ShapeError if the last sizes differ.
 * @example
 * ```ts
 * import { inner, tensor } from "gradus";
 * console.log(inner(tensor([1, 2]), tensor([[3, 4], [5, 6]])).toArray()); // → [ 11, 17 ]
 * ```
 */
export function inner(x: Tensor, y: Tensor): Tensor {
  checkTensors("inner", [x, y]);
  const isScalar = x.ndim === 0 || y.ndim === 0;
  if (!isScalar && x.shape.at(-1) !== y.shape.at(-1))
    throw new ShapeError(
      "inner",
      `last sizes differ: ${formatShape(x.shape)} and ${formatShape(y.shape)}`,
    );
  const name = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => String.fromCharCode(from + i)).join("");
  const shared = isScalar ? 0 : 1;
  const [left, right] = [name(97, x.ndim - shared), name(65, y.ndim - shared)];
  const sum = isScalar ? "" : "z";
  return contract("inner", `${left}${sum},${right}${sum}->${left}${right}`, [x, y]);
}

export interface AddmmOptions {
  /** Factor of the first tensor; at 0 its values, NaN too, count for nothing. Default 1. */
  readonly beta?: number;
  /** Factor of the product; default 1. */
  readonly alpha?: number;
}

type Factors = Required<AddmmOptions>;

function addedSpec(name: string, labels: readonly string[], output: string): OpSpec<Factors> {
  return {
    name,
    lower(b, nodes, { beta, alpha }) {
      const [given, x, y] = promoteNodes(b, nodes, resultType(nodes));
      const total = contractNodes(
        b,
        [x!, y!],
        labels.map((l) => [...l]),
        [...output],
      );
      const scaled = alpha === 1 ? total : b.multiply(total, alpha);
      if (beta === 0) return scaled;
      return b.add(
        b.broadcastTo(beta === 1 ? given! : b.multiply(given!, beta), total.shape),
        scaled,
      );
    },
  };
}

const addmmSpec = addedSpec("addmm", ["ij", "jk"], "ik");
const baddbmmSpec = addedSpec("baddbmm", ["bij", "bjk"], "bik");

function added(
  spec: OpSpec<Factors>,
  rank: number,
  [given, x, y]: readonly [Tensor, Tensor, Tensor],
  { beta = 1, alpha = 1 }: AddmmOptions,
): Tensor {
  checkTensors(spec.name, [given, x, y]);
  const fits =
    x.ndim === rank &&
    y.ndim === rank &&
    x.shape.at(-1) === y.shape.at(-2) &&
    x.shape.slice(0, -2).every((n, i) => n === y.shape[i]);
  const shape = [...x.shape.slice(0, -1), y.shape.at(-1)!];
  const lead = shape.length - given.ndim;
  const spreads = lead >= 0 && given.shape.every((n, i) => n === 1 || n === shape[lead + i]);
  if (!fits || !spreads)
    throw new ShapeError(
      spec.name,
      `${formatShape(given.shape)} + ${formatShape(x.shape)} × ${formatShape(y.shape)} do not fit`,
    );
  if (!isFloat(resultType([given, x, y])) && !(Number.isInteger(alpha) && Number.isInteger(beta)))
    throw new ValueError(
      spec.name,
      `alpha and beta must be whole for whole numbers, got ${alpha} and ${beta}`,
    );
  return applyOne(spec, [given, x, y], { beta, alpha });
}

/**
 * beta · input + alpha · mat1·mat2. mat1: [i, j], mat2: [j, k]; input broadcasts to [i, k].
 *
 * @throws ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { addmm, ones } from "gradus";
 * console.log(addmm(ones([1]), ones([1, 2]), ones([2, 1]), { alpha: 3 }).toArray()); // → [ [ 7 ] ]
 * ```
 */
export const addmm = (
  input: Tensor,
  mat1: Tensor,
  mat2: Tensor,
  options: AddmmOptions = {},
): Tensor => added(addmmSpec, 2, [input, mat1, mat2], options);

/**
 * beta · input + alpha · batch1·batch2 for each pair of a batch. batch1: [b, i, j], batch2: [b, j, k]; input broadcasts to [b, i, k].
 *
 * @throws ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { baddbmm, ones } from "gradus";
 * console.log(baddbmm(ones([1]), ones([2, 1, 3]), ones([2, 3, 1])).shape); // → [ 2, 1, 1 ]
 * ```
 */
export const baddbmm = (
  input: Tensor,
  batch1: Tensor,
  batch2: Tensor,
  options: AddmmOptions = {},
): Tensor => added(baddbmmSpec, 3, [input, batch1, batch2], options);

const kronSpec: OpSpec = {
  name: "kron",
  lower(b, nodes) {
    const [x, y] = promoteNodes(b, nodes);
    const rank = Math.max(x!.shape.length, y!.shape.length);
    const full = (shape: readonly number[]) => [
      ...new Array<number>(rank - shape.length).fill(1),
      ...shape,
    ];
    const [left, right] = [full(x!.shape), full(y!.shape)];
    const pairs = b.multiply(
      b.reshape(
        x!,
        left.flatMap((n) => [n, 1]),
      ),
      b.reshape(
        y!,
        right.flatMap((n) => [1, n]),
      ),
    );
    return b.reshape(
      pairs,
      left.map((n, i) => n * right[i]!),
    );
  },
};

/**
 * Kronecker's product: each element of x times all of y, as blocks. Missing first dims count as 1.
 *
 * @example
 * ```ts
 * import { kron, tensor } from "gradus";
 * console.log(kron(tensor([1, 10]), tensor([1, 2])).toArray()); // → [ 1, 2, 10, 20 ]
 * ```
 */
export function kron(x: Tensor, y: Tensor): Tensor {
  if (x.dtype === "bool" && y.dtype === "bool")
    throw new ValueError("kron", "needs numbers, got bool; convert with to()");
  return applyOne(kronSpec, [x, y], {});
}

const bilinearSpec: OpSpec = {
  name: "bilinear",
  lower(b, nodes) {
    const [x, y, weight, bias] = promoteNodes(b, nodes);
    const lead = x!.shape.slice(0, -1).map((_, i) => `…${i}`);
    const labels = [
      [...lead, "i"],
      [...lead, "j"],
      ["k", "i", "j"],
    ];
    // One operand after another, so that no table of all products xᵢ·yⱼ is made.
    const half = contractNodes(b, [x!, weight!], [labels[0]!, labels[2]!], [...lead, "k", "j"]);
    const total = contractNodes(b, [half, y!], [[...lead, "k", "j"], labels[1]!], [...lead, "k"]);
    return bias ? b.add(total, bias) : total;
  },
};

/**
 * yₖ = x1ᵀ·Wₖ·x2 + bₖ. x1: [*, n], x2: [*, m], weight: [k, n, m], bias: [k] → [*, k].
 *
 * @throws ShapeError if sizes do not fit.
 * @example
 * ```ts
 * import { nn, ones } from "gradus";
 * console.log(nn.functional.bilinear(ones([5, 2]), ones([5, 3]), ones([4, 2, 3])).shape); // → [ 5, 4 ]
 * ```
 */
export function bilinear(
  x1: Tensor,
  x2: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
): Tensor {
  checkTensors("bilinear", [x1, x2, weight]);
  const fits =
    weight.ndim === 3 &&
    x1.ndim > 0 &&
    formatShape(x1.shape.slice(0, -1)) === formatShape(x2.shape.slice(0, -1)) &&
    x1.shape.at(-1) === weight.shape[1] &&
    x2.shape.at(-1) === weight.shape[2] &&
    (bias === null || (bias.ndim === 1 && bias.shape[0] === weight.shape[0]));
  if (!fits)
    throw new ShapeError(
      "bilinear",
      `inputs ${formatShape(x1.shape)} and ${formatShape(x2.shape)} do not fit weight ` +
        `${formatShape(weight.shape)}${bias ? ` and bias ${formatShape(bias.shape)}` : ""}`,
    );
  return applyOne(bilinearSpec, bias ? [x1, x2, weight, bias] : [x1, x2, weight], {});
}

install({ mm, bmm, mv, dot, outer, inner, addmm, baddbmm, kron });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** Product of two matrices. */
    mm(y: Tensor): Tensor;
    /** Products of two batches of matrices. */
    bmm(y: Tensor): Tensor;
    /** Matrix times vector. */
    mv(y: Tensor): Tensor;
    /** Σ xᵢ·yᵢ of two vectors. */
    dot(y: Tensor): Tensor;
    /** All products of two vectors. */
    outer(y: Tensor): Tensor;
    /** Σ over the last dims. */
    inner(y: Tensor): Tensor;
    /** beta · this + alpha · mat1·mat2. */
    addmm(mat1: Tensor, mat2: Tensor, options?: AddmmOptions): Tensor;
    /** beta · this + alpha · batch1·batch2. */
    baddbmm(batch1: Tensor, batch2: Tensor, options?: AddmmOptions): Tensor;
    /** Kronecker's product. */
    kron(y: Tensor): Tensor;
  }
}
