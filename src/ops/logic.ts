/** Truth of elements, bits of whole numbers, and what kind of number an element is. Read closeness.ts next. */
import { isFloat } from "../core/dtype.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import type { PointwiseName } from "../ir/primitives.js";
import { zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  install,
  type SampleSet,
  sample,
  typed,
  unlike,
} from "../tensor/defineOp.js";
import { named, unary, unarySamples, wholeSamples } from "./elementary.js";
import {
  binary,
  binarySamples,
  comparison,
  namedBinary,
  noBroadcast,
  promoteNodes,
  type TensorLike,
} from "./pointwise.js";

const logical = (name: string, primitive: PointwiseName) =>
  binary(name, (b, nodes) => b.pointwise(primitive, ...nodes.map((x) => b.convert(x, "bool"))));

/**
 * Whether both are not 0.
 *
 * @example
 * ```ts
 * import { logicalAnd, tensor } from "gradus";
 * console.log(logicalAnd(tensor([0, 2]), tensor([3, 4])).toArray()); // → [ 0, 1 ]
 * ```
 */
export const logicalAnd = logical("logicalAnd", "and");
/**
 * Whether one or both are not 0.
 *
 * @example
 * ```ts
 * import { logicalOr, tensor } from "gradus";
 * console.log(logicalOr(tensor([0, 2]), tensor([3, 4])).toArray()); // → [ 1, 1 ]
 * ```
 */
export const logicalOr = logical("logicalOr", "or");
/**
 * Whether exactly one is not 0.
 *
 * @example
 * ```ts
 * import { logicalXor, tensor } from "gradus";
 * console.log(logicalXor(tensor([0, 2]), tensor([3, 4])).toArray()); // → [ 1, 0 ]
 * ```
 */
export const logicalXor = logical("logicalXor", "xor");

/**
 * The bits that both whole numbers have; the logical and of bools.
 *
 * @example
 * ```ts
 * import { bitwiseAnd, tensor } from "gradus";
 * console.log(bitwiseAnd(tensor([3, -9], { dtype: "int32" }), 6).toArray()); // → [ 2, 6 ]
 * ```
 */
export const bitwiseAnd = comparison("bitwiseAnd", "and");
/**
 * The bits that one or both whole numbers have.
 *
 * @example
 * ```ts
 * import { bitwiseOr, tensor } from "gradus";
 * console.log(bitwiseOr(tensor([3, -9], { dtype: "int32" }), 6).toArray()); // → [ 7, -9 ]
 * ```
 */
export const bitwiseOr = comparison("bitwiseOr", "or");
/**
 * The bits that exactly one of two whole numbers has.
 *
 * @example
 * ```ts
 * import { bitwiseXor, tensor } from "gradus";
 * console.log(bitwiseXor(tensor([3, -9], { dtype: "int32" }), 6).toArray()); // → [ 5, -15 ]
 * ```
 */
export const bitwiseXor = comparison("bitwiseXor", "xor");

const invert = (b: Builder, x: Node): Node => b.pointwise("xor", x, x.dtype === "uint8" ? 255 : -1);

/**
 * Every bit turned over: −x − 1 for int32, 255 − x for uint8; the logical not of bools.
 *
 * @example
 * ```ts
 * import { bitwiseNot, tensor } from "gradus";
 * console.log(bitwiseNot(tensor([3, -9], { dtype: "int32" })).toArray()); // → [ -4, 8 ]
 * ```
 */
export const bitwiseNot = unary("bitwiseNot", (b, x) =>
  x.dtype === "bool" ? b.pointwise("not", x) : invert(b, x),
);

/**
 * Bits moved up by y places: x · 2ʸ without what does not fit; 0 from y = 32 on.
 *
 * @example
 * ```ts
 * import { bitwiseLeftShift, tensor } from "gradus";
 * console.log(bitwiseLeftShift(tensor([3, -9], { dtype: "int32" }), 2).toArray()); // → [ 12, -36 ]
 * ```
 */
export const bitwiseLeftShift = comparison("bitwiseLeftShift", "shiftLeft");

/**
 * Bits moved down by y places, with the sign kept: ⌊x / 2ʸ⌋.
 *
 * @example
 * ```ts
 * import { bitwiseRightShift, tensor } from "gradus";
 * console.log(bitwiseRightShift(tensor([3, -9], { dtype: "int32" }), 2).toArray()); // → [ 0, -3 ]
 * ```
 */
export const bitwiseRightShift = binary("bitwiseRightShift", (b, nodes) => {
  const [x, y] = promoteNodes(b, nodes) as [Node, Node];
  const plain = b.pointwise("shiftRightLogical", x, y);
  if (x.dtype !== "int32") return plain;
  const turned = b.pointwise("shiftRightLogical", invert(b, x), y);
  return b.select(b.pointwise("less", x, 0), invert(b, turned), plain);
});

/**
 * Whether x is no number.
 *
 * @example
 * ```ts
 * import { isNaN, tensor } from "gradus";
 * console.log(isNaN(tensor([1, NaN, Infinity])).toArray()); // → [ 0, 1, 0 ]
 * ```
 */
export const isNaN = unary("isNaN", (b, x) => b.pointwise("notEqual", x, x));
/**
 * Whether x is ∞ or −∞.
 *
 * @example
 * ```ts
 * import { isInf, tensor } from "gradus";
 * console.log(isInf(tensor([1, NaN, Infinity])).toArray()); // → [ 0, 0, 1 ]
 * ```
 */
export const isInf = unary("isInf", (b, x) =>
  isFloat(x.dtype)
    ? b.equal(b.pointwise("abs", x), Number.POSITIVE_INFINITY)
    : b.pointwise("notEqual", x, x),
);
/**
 * Whether x is neither infinite nor NaN.
 *
 * @example
 * ```ts
 * import { isFinite, tensor } from "gradus";
 * console.log(isFinite(tensor([1, NaN, Infinity])).toArray()); // → [ 1, 0, 0 ]
 * ```
 */
export const isFinite = unary("isFinite", (b, x) =>
  isFloat(x.dtype) ? b.pointwise("isFinite", x) : b.equal(x, x),
);

/**
 * 0 for x < 0, 1 for x > 0, and `values` where x is 0.
 *
 * @example
 * ```ts
 * import { heaviside, tensor } from "gradus";
 * console.log(heaviside(tensor([-2, 0, 2]), 0.5).toArray()); // → [ 0, 0.5, 1 ]
 * ```
 */
export const heaviside = binary("heaviside", (b, nodes) => {
  const [x, values] = promoteNodes(b, nodes) as [Node, Node];
  return b.select(b.equal(x, 0), values, b.convert(b.pointwise("greater", x, 0), x.dtype));
});

install({
  ...{ logicalAnd, logicalOr, logicalXor, bitwiseAnd, bitwiseOr, bitwiseXor, bitwiseNot },
  ...{ bitwiseLeftShift, bitwiseRightShift, isNaN, isInf, isFinite, heaviside },
});

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** Whether both are not 0. */
    logicalAnd(y: TensorLike): Tensor;
    /** Whether one or both are not 0. */
    logicalOr(y: TensorLike): Tensor;
    /** Whether exactly one is not 0. */
    logicalXor(y: TensorLike): Tensor;
    /** The bits that both have. */
    bitwiseAnd(y: TensorLike): Tensor;
    /** The bits that one or both have. */
    bitwiseOr(y: TensorLike): Tensor;
    /** The bits that exactly one has. */
    bitwiseXor(y: TensorLike): Tensor;
    /** Every bit turned over. */
    bitwiseNot(): Tensor;
    /** Bits moved up by y places. */
    bitwiseLeftShift(y: TensorLike): Tensor;
    /** Bits moved down by y places, with the sign kept. */
    bitwiseRightShift(y: TensorLike): Tensor;
    /** Whether x is no number. */
    isNaN(): Tensor;
    /** Whether x is ∞ or −∞. */
    isInf(): Tensor;
    /** Whether x is neither infinite nor NaN. */
    isFinite(): Tensor;
    /** 0, 1, or `values` where x is 0. */
    heaviside(values: TensorLike): Tensor;
  }
}

const noSlope = "the result does not change smoothly";
const notFinite = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1];

const logicalSamples: SampleSet = () =>
  (
    [
      ["logicalAnd", logicalAnd, "logical_and"],
      ["logicalOr", logicalOr, "logical_or"],
      ["logicalXor", logicalXor, "logical_xor"],
    ] as const
  ).map(([op, fn, torch]) => ({
    op,
    samples: [
      ...binarySamples(fn, namedBinary(torch)),
      sample([typed("bool", [5]), typed("bool", [5])], fn, `torch.${torch}(a, b)`),
      sample([typed("int32", [6], -1, 1), typed("int32", [6], -1, 1)], fn, `torch.${torch}(a, b)`),
    ],
    bad: noBroadcast(op, fn),
    noGradient: noSlope,
  }));

const bitSamples: SampleSet = () =>
  (
    [
      ["bitwiseAnd", bitwiseAnd, "bitwise_and"],
      ["bitwiseOr", bitwiseOr, "bitwise_or"],
      ["bitwiseXor", bitwiseXor, "bitwise_xor"],
    ] as const
  ).map(([op, fn, torch]) => ({
    op,
    samples: [
      sample(
        [typed("int32", [2, 3], -99, 99), typed("int32", [3], -99, 99)],
        fn,
        `torch.${torch}(a, b)`,
      ),
      sample(
        [typed("int32", [], -99, 99), typed("int32", [2, 0], 0, 9)],
        fn,
        `torch.${torch}(a, b)`,
      ),
      sample(
        [typed("uint8", [5], 0, 255), typed("uint8", [5], 0, 255)],
        fn,
        `torch.${torch}(a, b)`,
      ),
      sample([typed("uint8", [5], 0, 255), typed("int32", [5], -9, 9)], fn, `torch.${torch}(a, b)`),
      sample([typed("bool", [5]), typed("bool", [5])], fn, `torch.${torch}(a, b)`),
      sample([typed("bool", [5]), typed("int32", [5], -9, 9)], fn, `torch.${torch}(a, b)`),
      sample([typed("int32", [5], -99, 99)], (a) => fn(a, 6), `torch.${torch}(a, 6)`),
      sample(
        [typed("int32", [3, 2], -99, 99), typed("int32", [2, 3], -99, 99)],
        (a, b) => fn(a.t(), b),
        `torch.${torch}(a.t(), b)`,
      ),
    ],
    bad: [bad(() => fn(zeros([2]), zeros([2])), new RegExp(`^${op}: does not take float32`))],
    noGradient: noSlope,
  }));

const shiftSamples: SampleSet = () =>
  (
    [
      ["bitwiseLeftShift", bitwiseLeftShift, "bitwise_left_shift"],
      ["bitwiseRightShift", bitwiseRightShift, "bitwise_right_shift"],
    ] as const
  ).map(([op, fn, torch]) => ({
    op,
    samples: [
      sample(
        [typed("int32", [2, 3], -99, 99), typed("int32", [3], 0, 9)],
        fn,
        `torch.${torch}(a, b)`,
      ),
      sample([typed("uint8", [6], 0, 255), typed("uint8", [6], 0, 7)], fn, `torch.${torch}(a, b)`),
      sample([typed("int32", [5], -99, 99)], (a) => fn(a, 3), `torch.${torch}(a, 3)`),
      sample([typed("int32", [0]), typed("int32", [])], fn, `torch.${torch}(a, b)`),
      unlike(
        [given([4], [1, -1, 5, -5], "int32"), given([4], [31, 31, 40, 40], "int32")],
        fn,
        "int64 has more bits",
      ),
    ],
    bad: [bad(() => fn(zeros([2]), zeros([2])), new RegExp(`^${op}: does not take float32`))],
    noGradient: noSlope,
  }));

export const logicSamples: SampleSet = () => [
  ...logicalSamples(),
  ...bitSamples(),
  {
    op: "bitwiseNot",
    samples: [
      ...wholeSamples(bitwiseNot, named("bitwise_not")),
      sample([typed("bool", [4])], bitwiseNot, "torch.bitwise_not(a)"),
    ],
    bad: [bad(() => bitwiseNot(zeros([2])), /^bitwiseNot: does not take float32/)],
    noGradient: noSlope,
  },
  ...shiftSamples(),
  ...(
    [
      ["isNaN", isNaN],
      ["isInf", isInf],
      ["isFinite", isFinite],
    ] as const
  ).map(([op, fn]) => ({
    op,
    samples: [
      ...unarySamples(fn, named(op.toLowerCase()), [-2, 2], notFinite),
      ...wholeSamples(fn, named(op.toLowerCase())),
      sample([typed("bool", [4])], fn, named(op.toLowerCase())("a")),
    ],
    noGradient: noSlope,
  })),
  {
    op: "heaviside",
    samples: [
      sample(
        [given([4], [-1, 0, 2, 0]), input([4])],
        heaviside,
        "torch.heaviside(a.detach(), b.detach())",
      ),
      sample(
        [given([2, 2], [0, 0, -0, 1]), input([2])],
        heaviside,
        "torch.heaviside(a.detach(), b.detach())",
      ),
      sample(
        [given([3], [Number.NaN, 0, 1]), input([])],
        heaviside,
        "torch.heaviside(a.detach(), b.detach())",
      ),
      sample([typed("int32", [5], -1, 1), typed("int32", [5])], heaviside, "torch.heaviside(a, b)"),
    ],
    bad: [bad(() => heaviside(zeros([2]), zeros([3])), /^heaviside: shapes .*do not broadcast/)],
    noGradient: "PyTorch gives it none",
  },
];
