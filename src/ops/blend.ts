/** Ops of several operands on each element, replacement of elements, and casts by name. Read activation.ts next. */
import { isFloat } from "../core/dtype.js";
import { DTypeError, ValueError } from "../core/errors.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec, scalarLike } from "../tensor/apply.js";
import { fullLike, zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  install,
  kink,
  type OpSamples,
  type SampleSet,
  sample,
  typed,
} from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { to } from "./choice.js";
import { promoteNodes, type TensorLike } from "./pointwise.js";
import { needFloat } from "./reduce.js";

const asTensor = (op: string, y: TensorLike, x: Tensor): Tensor =>
  typeof y === "number" ? scalarLike(op, y, x) : y;

const lerpSpec: OpSpec = {
  name: "lerp",
  lower(b, nodes) {
    const [start, end, weight] = promoteNodes(b, nodes) as [Node, Node, Node];
    needFloat("lerp", start);
    const gap = b.subtract(end, start);
    // From the nearer end, so that weights 0 and 1 give the ends themselves.
    const fromStart = b.add(start, b.multiply(weight, gap));
    const fromEnd = b.subtract(end, b.multiply(gap, b.subtract(1, weight)));
    return b.select(b.pointwise("less", weight, 0.5), fromStart, fromEnd);
  },
};

/**
 * x + weight · (end − x): x at weight 0, `end` at weight 1. All broadcast.
 *
 * @example
 * ```ts
 * import { lerp, tensor } from "gradus";
 * console.log(lerp(tensor([0, 10]), tensor([10, 20]), 0.25).toArray()); // → [ 2.5, 12.5 ]
 * ```
 */
export const lerp = (x: Tensor, end: Tensor, weight: TensorLike): Tensor =>
  applyOne(lerpSpec, [x, end, asTensor("lerp", weight, x)], {});

type Scaled = (x: Tensor, y: Tensor, z: Tensor, options?: { readonly value?: number }) => Tensor;

function scaled(name: string, combine: (b: Builder, y: Node, z: Node) => Node): Scaled {
  const spec: OpSpec = {
    name,
    lower(b, nodes) {
      const [value, x, y, z] = promoteNodes(b, nodes) as [Node, Node, Node, Node];
      return b.add(x, combine(b, b.multiply(value, y), z));
    },
  };
  return (x, y, z, { value = 1 } = {}) => applyOne(spec, [scalarLike(name, value, x), x, y, z], {});
}

/**
 * x + value · y · z, with broadcasting.
 *
 * @example
 * ```ts
 * import { addcmul, tensor } from "gradus";
 * console.log(addcmul(tensor([1, 1]), tensor([2, 3]), tensor([4, 5])).toArray()); // → [ 9, 16 ]
 * ```
 */
export const addcmul = scaled("addcmul", (b, y, z) => b.multiply(y, z));

/**
 * x + value · y / z, with broadcasting, for floats.
 *
 * @example
 * ```ts
 * import { addcdiv, tensor } from "gradus";
 * console.log(addcdiv(tensor([1, 1]), tensor([2, 3]), tensor([4, 2]), { value: 2 }).toArray()); // → [ 2, 4 ]
 * ```
 */
export const addcdiv = scaled("addcdiv", (b, y, z) => {
  needFloat("addcdiv", y);
  return b.divide(y, z);
});

type Replacements = { readonly nan: number; readonly posinf: number; readonly neginf: number };

const nanToNumSpec: OpSpec<Replacements> = {
  name: "nanToNum",
  lower(b, [x], { nan, posinf, neginf }) {
    const real = b.select(b.pointwise("notEqual", x!, x!), nan, x!);
    const low = b.select(b.equal(real, Number.NEGATIVE_INFINITY), neginf, real);
    return b.select(b.equal(x!, Number.POSITIVE_INFINITY), posinf, low);
  },
};

const largestFloat32 = 2 ** 127 * (2 - 2 ** -23);

/**
 * x with NaN replaced by `nan` (default 0), ∞ by `posinf` and −∞ by `neginf` (default: the largest and the smallest
 * finite number of the dtype).
 *
 * @example
 * ```ts
 * import { nanToNum, tensor } from "gradus";
 * console.log(nanToNum(tensor([NaN, 1, Infinity]), { posinf: 9 }).toArray()); // → [ 0, 1, 9 ]
 * ```
 */
export function nanToNum(x: Tensor, options: Partial<Replacements> = {}): Tensor {
  if (!isFloat(x.dtype)) return x;
  const largest = x.dtype === "float32" ? largestFloat32 : Number.MAX_VALUE;
  const { nan = 0, posinf = largest, neginf = -largest } = options;
  return applyOne(nanToNumSpec, [x], { nan, posinf, neginf });
}

const maskedFillSpec: OpSpec = {
  name: "maskedFill",
  lower: (b, [x, mask, value]) => b.select(mask!, b.convert(value!, x!.dtype), x!),
};

/**
 * x with `value`, a number or a tensor without dims, where the bool mask is true. x and the mask broadcast; the dtype is x's.
 *
 * @throws DTypeError unless the mask is bool; ValueError if the value is a fraction and x holds whole numbers.
 * @example
 * ```ts
 * import { maskedFill, tensor } from "gradus";
 * console.log(maskedFill(tensor([1, 2]), tensor([true, false]), 0).toArray()); // → [ 0, 2 ]
 * ```
 */
export function maskedFill(x: Tensor, mask: Tensor, value: TensorLike): Tensor {
  if (mask.dtype !== "bool")
    throw new DTypeError("maskedFill", `the mask must be bool, got ${mask.dtype}`);
  if (typeof value !== "number") {
    if (value.ndim > 0)
      throw new ValueError("maskedFill", `the value must have no dims, got ${value.ndim}`);
    return applyOne(maskedFillSpec, [x, mask, value], {});
  }
  if (!isFloat(x.dtype) && !Number.isInteger(value))
    throw new ValueError("maskedFill", `${value} does not fit ${x.dtype}`);
  return applyOne(maskedFillSpec, [x, mask, scalarLike("maskedFill", value, x)], {});
}

install({
  ...{ lerp, addcmul, addcdiv, nanToNum, maskedFill },
  float: (x: Tensor) => to(x, "float32"),
  double: (x: Tensor) => to(x, "float64"),
  int: (x: Tensor) => to(x, "int32"),
  byte: (x: Tensor) => to(x, "uint8"),
  bool: (x: Tensor) => to(x, "bool"),
});

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** x + weight · (end − x). */
    lerp(end: Tensor, weight: TensorLike): Tensor;
    /** x + value · y · z. */
    addcmul(y: Tensor, z: Tensor, options?: { readonly value?: number }): Tensor;
    /** x + value · y / z. */
    addcdiv(y: Tensor, z: Tensor, options?: { readonly value?: number }): Tensor;
    /** x with NaN and infinities replaced. */
    nanToNum(options?: Partial<Replacements>): Tensor;
    /** x with `value` where the mask is true. */
    maskedFill(mask: Tensor, value: TensorLike): Tensor;
    /** The same values as float32. */
    float(): Tensor;
    /** The same values as float64. */
    double(): Tensor;
    /** The same values as int32; fractions are cut off. */
    int(): Tensor;
    /** The same values as uint8. */
    byte(): Tensor;
    /** Whether each value is not 0. */
    bool(): Tensor;
  }
}

const triple = [input([2, 3]), input([2, 3]), input([2, 3], 0.5, 2)];
const notFinite = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, -0];

const lerpSamples: SampleSet = () => [
  {
    op: "lerp",
    samples: [
      sample(triple, lerp, "torch.lerp(a, b, c)"),
      sample([input([2, 1]), input([3]), input([2, 3], 0, 1)], lerp, "torch.lerp(a, b, c)"),
      sample(
        [input([3, 2]), input([2, 3])],
        (a, b) => a.t().lerp(b, 0.3),
        "torch.lerp(a.t(), b, 0.3)",
      ),
      ...[0, 0.5, 1, 2].map((weight) =>
        sample(
          [input([4]), input([4])],
          (a, b) => lerp(a, b, weight),
          `torch.lerp(a, b, ${weight})`,
        ),
      ),
      sample([input([]), input([]), input([])], lerp, "torch.lerp(a, b, c)"),
      sample([input([0]), input([1])], (a, b) => lerp(a, b, 0.2), "torch.lerp(a, b, 0.2)"),
    ],
    bad: [
      bad(() => lerp(zeros([2]), zeros([3]), 0.5), /^lerp: shapes .* do not broadcast/),
      bad(
        () => lerp(zeros([2], { dtype: "int32" }), zeros([2], { dtype: "int32" }), 1),
        /^lerp: needs a float tensor, got int32/,
      ),
    ],
  },
];

const scaledSet = (op: string, fn: Scaled): OpSamples => ({
  op,
  samples: [
    sample(triple, (a, b, c) => fn(a, b, c), `torch.${op}(a, b, c)`),
    sample(triple, (a, b, c) => fn(a, b, c, { value: -0.5 }), `torch.${op}(a, b, c, value=-0.5)`),
    sample(
      [input([3]), input([2, 1]), input([], 0.5, 2)],
      (a, b, c) => fn(a, b, c, { value: 3 }),
      `torch.${op}(a, b, c, value=3)`,
    ),
    sample(
      [input([0]), input([1]), input([], 1, 2)],
      (a, b, c) => fn(a, b, c),
      `torch.${op}(a, b, c)`,
    ),
    ...(op === "addcdiv"
      ? []
      : [
          sample(
            [typed("int32", [3]), typed("int32", [3]), typed("int32", [3])],
            (a, b, c) => fn(a, b, c, { value: 2 }),
            `torch.${op}(a, b, c, value=2)`,
          ),
        ]),
  ],
  bad: [
    bad(
      () => fn(zeros([2]), zeros([3]), zeros([1])),
      new RegExp(`^${op}: shapes .* do not broadcast`),
    ),
    ...(op === "addcmul"
      ? []
      : [
          bad(() => {
            const x = zeros([2], { dtype: "int32" });
            return fn(x, x, x);
          }, /^addcdiv: needs a float tensor, got int32/),
        ]),
  ],
});

const fillSamples: SampleSet = () => [
  {
    op: "nanToNum",
    samples: [
      kink(
        [given([5], notFinite)],
        (a) => nanToNum(a, { posinf: 9, neginf: -9 }),
        "torch.nan_to_num(a, posinf=9, neginf=-9)",
      ),
      kink(
        [given([2], [Number.NaN, 2])],
        (a) => a.nanToNum({ nan: 5 }),
        "torch.nan_to_num(a, 5.0)",
      ),
      kink(
        [given([3], notFinite.slice(0, 3), "float64")],
        (a) => nanToNum(a),
        "torch.nan_to_num(a)",
      ),
      sample([input([2, 3])], (a) => nanToNum(a.t()), "torch.nan_to_num(a.t())"),
      sample([typed("int32", [3])], (a) => nanToNum(a).add(0), "torch.nan_to_num(a) + 0"),
    ],
  },
  {
    op: "maskedFill",
    samples: [
      sample(
        [input([2, 3]), typed("bool", [2, 3])],
        (a, m) => a.maskedFill(m, 7),
        "a.masked_fill(b, 7)",
      ),
      sample(
        [input([2, 3]), typed("bool", [3])],
        (a, m) => a.maskedFill(m, -0.5),
        "a.masked_fill(b, -0.5)",
      ),
      sample(
        [input([3]), typed("bool", [2, 1])],
        (a, m) => a.maskedFill(m, 1),
        "a.masked_fill(b, 1)",
      ),
      sample(
        [input([2, 3]), typed("bool", [3, 2]), input([])],
        (a, m, v) => a.maskedFill(m.t(), v),
        "a.masked_fill(b.t(), c)",
      ),
      sample([input([]), typed("bool", [])], (a, m) => a.maskedFill(m, 7), "a.masked_fill(b, 7)"),
      sample([input([0]), typed("bool", [1])], (a, m) => a.maskedFill(m, 7), "a.masked_fill(b, 7)"),
      sample(
        [typed("int32", [5]), typed("bool", [5])],
        (a, m) => a.maskedFill(m, -1),
        "a.masked_fill(b, -1)",
      ),
      sample(
        [typed("bool", [5]), typed("bool", [5])],
        (a, m) => a.maskedFill(m, 1),
        "a.masked_fill(b, True)",
      ),
      kink(
        [input([4]), given([4], [1, 0, 0, 1], "bool")],
        (a, m) => a.maskedFill(m, Number.NEGATIVE_INFINITY).softmax(0),
        "a.masked_fill(b, -float('inf')).softmax(0)",
      ),
    ],
    bad: [
      bad(
        () => zeros([2]).maskedFill(zeros([2]), 1),
        /^maskedFill: the mask must be bool, got float32/,
      ),
      bad(
        () => zeros([2], { dtype: "int32" }).maskedFill(zeros([2], { dtype: "bool" }), 0.5),
        /^maskedFill: 0\.5 does not fit int32/,
      ),
      bad(
        () => zeros([2]).maskedFill(zeros([2], { dtype: "bool" }), zeros([1])),
        /^maskedFill: the value must have no dims, got 1/,
      ),
    ],
  },
];

const castSamples: SampleSet = () =>
  (["float", "double", "int", "byte", "bool"] as const).map((op) => ({
    op,
    samples: [
      // PyTorch computes these in float64, where float() would round.
      sample([typed("int32", [2, 3], 0, 9)], (a) => a[op](), `a.${op}()`),
      sample([typed("bool", [3])], (a) => a.logicalNot()[op](), `torch.logical_not(a).${op}()`),
      sample(
        [typed("float64", [4], 0, 9)],
        (a) => fullLike(a, 3)[op](),
        `torch.full_like(a, 3).${op}()`,
      ),
      ...(op === "float"
        ? []
        : [sample([typed("float64", [2, 2], 0, 9)], (a) => a.t()[op](), `a.t().${op}()`)]),
    ],
  }));

export const blendSamples: SampleSet = () => [
  ...lerpSamples(),
  scaledSet("addcmul", addcmul),
  scaledSet("addcdiv", addcdiv),
  ...fillSamples(),
  ...castSamples(),
];
