/** Powers: of floats by pow, of whole numbers by products, which stay whole. Read elementary.ts next. */
import { isFloat, resultType } from "../core/dtype.js";
import { DTypeError, ValueError } from "../core/errors.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { ones } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  install,
  kink,
  type Sample,
  type SampleSet,
  sample,
  typed,
} from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { noBroadcast, promoteNodes, type TensorLike, toFloat } from "./pointwise.js";

/** x to whole powers y that differ by element, by squaring; it wraps as products do. */
function wholePowerNodes(b: Builder, x: Node, y: Node): Node {
  const bits = x.dtype === "uint8" ? 8 : 31;
  const isOdd = b.pointwise("notEqual", b.pointwise("and", y, 1), 0);
  let result = b.select(isOdd, x, 1);
  let square = x;
  for (let bit = 1; bit < bits; bit++) {
    square = b.multiply(square, square);
    const isSet = b.pointwise("notEqual", b.pointwise("and", y, 2 ** bit), 0);
    result = b.select(isSet, b.multiply(result, square), result);
  }
  if (x.dtype === "uint8") return result;
  // The fraction 1 / xⁿ rounds to 0 unless x is 1 or −1.
  const isUnit = b.equal(b.multiply(x, x), 1);
  const turned = b.select(isUnit, b.select(isOdd, x, 1), 0);
  return b.select(b.pointwise("less", y, 0), turned, result);
}

const powerSpec: OpSpec = {
  name: "pow",
  lower(b, nodes) {
    const dtype = resultType(nodes);
    if (dtype === "bool") throw new DTypeError("pow", "does not take two bools; convert one first");
    const [x, y] = promoteNodes(b, nodes, dtype) as [Node, Node];
    return isFloat(dtype) ? b.pointwise("power", x, y) : wholePowerNodes(b, x, y);
  },
};

/** One whole exponent for all: a product for each of its bits. */
function productNodes(b: Builder, x: Node, exponent: number): Node {
  let result: Node | null = null;
  let square = x;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result ? b.multiply(result, square) : square;
    if (rest > 1) square = b.multiply(square, square);
  }
  return result ?? b.constant(1, x.dtype, x.shape);
}

const powerOfSpec: OpSpec<{ readonly exponent: number }> = {
  name: "pow",
  lower(b, [given], { exponent }) {
    if (isFloat(given!.dtype) || !Number.isInteger(exponent))
      return b.pointwise("power", toFloat(b, given!), exponent);
    if (exponent < 0)
      throw new ValueError(
        "pow",
        `whole numbers have no whole power ${exponent}; convert the tensor to a float first`,
      );
    if (!Number.isSafeInteger(exponent))
      throw new ValueError("pow", `the exponent ${exponent} is over 2^53 - 1`);
    const x = given!.dtype === "bool" ? b.convert(given!, "int32") : given!;
    return productNodes(b, x, exponent);
  },
};

/**
 * x to the power of a number or, element by element, of a tensor. Whole numbers to whole powers stay whole and wrap where they
 * overflow; a negative power in a tensor gives 0 but for 1 and −1.
 *
 * @throws ValueError for whole numbers to a negative whole number; DTypeError for two bools.
 * @example
 * ```ts
 * import { pow, tensor } from "gradus";
 * console.log(pow(tensor([1, 2, 3]), 2).toArray()); // → [ 1, 4, 9 ]
 * ```
 */
export const pow = (x: Tensor, exponent: TensorLike): Tensor =>
  typeof exponent === "number"
    ? applyOne(powerOfSpec, [x], { exponent })
    : applyOne(powerSpec, [x, exponent], {});

install({ pow });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** xʸ; whole numbers to whole powers stay whole. */
    pow(exponent: TensorLike): Tensor;
  }
}

const wholeSamples = (): Sample[] => [
  ...[0, 1, 2, 5].map((n) => sample([typed("int32", [3], -5, 5)], (a) => a.pow(n), `a ** ${n}`)),
  sample([typed("uint8", [4], 0, 255)], (a) => a.pow(3), "a ** 3"),
  sample([typed("bool", [4])], (a) => a.pow(2), "a ** 2"),
  sample([typed("int32", [3], 1)], (a) => a.pow(0.5), "a ** 0.5"),
  sample([typed("int32", [2, 3], -4, 4), typed("int32", [3], 0, 5)], pow, "torch.pow(a, b)"),
  sample([typed("uint8", [9], 0, 255), typed("uint8", [9], 0, 12)], pow, "torch.pow(a, b)"),
  sample(
    [
      given([7], [1, -1, -1, 2, -3, 3, 2], "int32"),
      given([7], [-3, -3, -2, -1, -2, 9, 30], "int32"),
    ],
    pow,
    "torch.pow(a, b)",
  ),
];

export const powerSamples: SampleSet = () => [
  {
    op: "pow",
    samples: [
      sample([input([2, 3], 0.2), input([3])], pow, "torch.pow(a, b)"),
      sample([input([], 0.2), input([2, 2])], pow, "torch.pow(a, b)"),
      sample([input([0], 0.2), input([1])], pow, "torch.pow(a, b)"),
      sample([input([3, 2], 0.2), input([2, 3])], (a, b) => a.t().pow(b), "torch.pow(a.t(), b)"),
      ...[2, 3, -1, -2, 1].map((n) => sample([input([5], 0.3)], (a) => a.pow(n), `a ** ${n}`)),
      ...[2, 3, 1].map((n) => sample([input([5], -2, -0.3)], (a) => a.pow(n), `a ** ${n}`)),
      sample([input([4], 0.3)], (a) => a.pow(0.5), "a ** 0.5"),
      sample([input([4], 0.3)], (a) => a.pow(0), "a ** 0"),
      sample([input([2], 0.3), typed("float64", [2], 0, 2)], pow, "torch.pow(a, b)"),
      sample([typed("int32", [3], 1), input([3])], pow, "torch.pow(a, b)"),
      kink(
        [given([6], [0, 0, 0, -2, 1, -1]), given([6], [0, 1, 2, 3, 5, 0.5])],
        pow,
        "torch.pow(a, b)",
      ),
      kink([given([3], [0, -1, 2])], (a) => a.pow(2), "a ** 2"),
      kink([given([4], [Number.NaN, 1, Number.POSITIVE_INFINITY, 0])], (a) => a.pow(0), "a ** 0"),
      ...wholeSamples(),
    ],
    bad: [
      ...noBroadcast("pow", pow),
      bad(
        () => ones([2], { dtype: "int32" }).pow(-1),
        /^pow: whole numbers have no whole power -1/,
      ),
      bad(
        () => ones([2], { dtype: "bool" }).pow(ones([2], { dtype: "bool" })),
        /^pow: does not take two bools/,
      ),
    ],
  },
];
