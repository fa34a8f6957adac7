/** Equality up to a tolerance, and of whole tensors. Read blend.ts next. */
import { isFloat } from "../core/dtype.js";
import { ValueError } from "../core/errors.js";
import { sameShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { tensor, zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  install,
  type OpSamples,
  type SampleSet,
  sample,
  typed,
} from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { promoteNodes } from "./pointwise.js";

export interface CloseOptions {
  /** Part of |y| that x may be off; default 10⁻⁵. */
  readonly rtol?: number;
  /** What x may be off besides; default 10⁻⁸. */
  readonly atol?: number;
  /** Whether NaN is close to NaN; default false. */
  readonly equalNan?: boolean;
}

type Tolerance = Required<CloseOptions>;

function closeNodes(b: Builder, nodes: readonly Node[], tolerance: Tolerance): Node {
  const [given, other] = promoteNodes(b, nodes) as [Node, Node];
  // Whole numbers are compared in float64, which holds them all.
  const [x, y] = isFloat(given.dtype)
    ? [given, other]
    : [b.convert(given, "float64"), b.convert(other, "float64")];
  const allowed = b.add(b.pointwise("abs", b.multiply(y, tolerance.rtol)), tolerance.atol);
  const distance = b.pointwise("abs", b.subtract(x, y));
  const isNear = b.pointwise(
    "and",
    b.pointwise("isFinite", distance),
    b.pointwise("lessEqual", distance, allowed),
  );
  const isClose = b.pointwise("or", b.equal(x, y), isNear);
  if (!tolerance.equalNan) return isClose;
  const bothNaN = b.pointwise("and", b.pointwise("notEqual", x, x), b.pointwise("notEqual", y, y));
  return b.pointwise("or", isClose, bothNaN);
}

const iscloseSpec: OpSpec<Tolerance> = {
  name: "isclose",
  lower: (b, nodes, tolerance) => closeNodes(b, nodes, tolerance),
};

/** How many elements are not true. */
function countFalse(b: Builder, x: Node): Node {
  const falses = b.convert(b.pointwise("not", x), "int32");
  return b.reduce(
    "reduceSum",
    falses,
    x.shape.map((_, i) => i),
  );
}

const allcloseSpec: OpSpec<Tolerance> = {
  name: "allclose",
  lower: (b, nodes, tolerance) => countFalse(b, closeNodes(b, nodes, tolerance)),
};

const equalSpec: OpSpec = {
  name: "equal",
  lower: (b, nodes) => countFalse(b, b.pointwise("equal", ...promoteNodes(b, nodes))),
};

function tolerance(op: string, options: CloseOptions): Tolerance {
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options;
  if (!(rtol >= 0 && atol >= 0))
    throw new ValueError(op, `rtol and atol must be ≥ 0, got ${rtol} and ${atol}`);
  return { rtol, atol, equalNan };
}

/**
 * Where |x − y| ≤ atol + rtol·|y|, as bool; x and y broadcast. Equal infinities are close.
 *
 * @throws ValueError if a tolerance is negative.
 * @example
 * ```ts
 * import { isclose, tensor } from "gradus";
 * console.log(isclose(tensor([1, 2]), tensor([1, 2.1])).toArray()); // → [ 1, 0 ]
 * ```
 */
export const isclose = (x: Tensor, y: Tensor, options: CloseOptions = {}): Tensor =>
  applyOne(iscloseSpec, [x, y], tolerance("isclose", options));

/**
 * Whether all elements are close, see {@link isclose}. The answer is a boolean, so compiled functions cannot ask.
 *
 * @throws TraceError inside compile().
 * @example
 * ```ts
 * import { allclose, tensor } from "gradus";
 * console.log(allclose(tensor([1, 2]), tensor([1, 2.000001]))); // → true
 * ```
 */
export const allclose = (x: Tensor, y: Tensor, options: CloseOptions = {}): boolean => {
  const count = applyOne(allcloseSpec, [x, y], tolerance("allclose", options));
  return count.storageFor("allclose").data[0] === 0;
};

/**
 * Whether two tensors have one shape and equal elements; NaN is equal to nothing.
 *
 * @throws TraceError inside compile(), since the answer is a boolean.
 * @example
 * ```ts
 * import { equal, tensor } from "gradus";
 * console.log(equal(tensor([1, 2]), tensor([1, 2])), equal(tensor([1]), tensor(1))); // → true false
 * ```
 */
export const equal = (x: Tensor, y: Tensor): boolean =>
  sameShape(x.shape, y.shape) && applyOne(equalSpec, [x, y], {}).storageFor("equal").data[0] === 0;

install({ isclose, allclose, equal });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** Where |x − y| ≤ atol + rtol·|y|. */
    isclose(y: Tensor, options?: CloseOptions): Tensor;
    /** Whether all elements are close. */
    allclose(y: Tensor, options?: CloseOptions): boolean;
    /** Whether shapes and all elements are equal. */
    equal(y: Tensor): boolean;
  }
}

const [nan, infinity] = [Number.NaN, Number.POSITIVE_INFINITY];
const left = given([8], [1, 1, 1, 0, infinity, infinity, nan, nan]);
const right = given([8], [1, 1.000001, 1.1, 1e-9, infinity, -infinity, nan, 1]);
const refusal = (op: string, fn: (x: Tensor, y: Tensor, options?: CloseOptions) => unknown) => [
  bad(() => fn(zeros([2]), zeros([3])), new RegExp(`^${op}: shapes .*do not broadcast`)),
  bad(() => fn(zeros([2]), zeros([2]), { rtol: -1 }), new RegExp(`^${op}: rtol and atol must be`)),
];

const wholeTensors = (
  op: string,
  fn: (x: Tensor, y: Tensor) => boolean,
  torch: string,
): OpSamples => ({
  op,
  samples: [
    sample([input([2, 3])], (a) => tensor(fn(a, a)), `torch.tensor(${torch}(a, a))`),
    sample(
      [input([2, 3]), input([2, 3])],
      (a, b) => tensor(fn(a, b)),
      `torch.tensor(${torch}(a, b))`,
    ),
    sample([input([0]), input([0])], (a, b) => tensor(fn(a, b)), `torch.tensor(${torch}(a, b))`),
    sample([left, right], (a, b) => tensor(fn(a, b)), `torch.tensor(${torch}(a, b))`),
    sample([typed("int32", [4])], (a) => tensor(fn(a, a)), `torch.tensor(${torch}(a, a))`),
  ],
  bad: op === "equal" ? [] : refusal(op, fn),
  noGradient: "the answer is a boolean",
  eagerOnly: "the answer is a boolean",
});

export const closenessSamples: SampleSet = () => [
  {
    op: "isclose",
    samples: [
      sample([left, right], (a, b) => isclose(a, b), "torch.isclose(a, b)"),
      sample(
        [left, right],
        (a, b) => isclose(a, b, { equalNan: true }),
        "torch.isclose(a, b, equal_nan=True)",
      ),
      sample(
        [left, right],
        (a, b) => isclose(a, b, { rtol: 0.2 }),
        "torch.isclose(a, b, rtol=0.2)",
      ),
      sample(
        [left, right],
        (a, b) => isclose(a, b, { rtol: 0, atol: 0.01 }),
        "torch.isclose(a, b, rtol=0, atol=0.01)",
      ),
      sample(
        [input([2, 3]), input([3])],
        (a, b) => isclose(a, b, { atol: 1 }),
        "torch.isclose(a, b, atol=1)",
      ),
      sample([input([]), input([0])], (a, b) => isclose(a, b), "torch.isclose(a, b)"),
      sample(
        [typed("int32", [6], 0, 2), typed("int32", [6], 0, 2)],
        (a, b) => isclose(a, b),
        "torch.isclose(a, b)",
      ),
      sample(
        [typed("bool", [6]), typed("bool", [6])],
        (a, b) => isclose(a, b),
        "torch.isclose(a, b)",
      ),
    ],
    bad: refusal("isclose", isclose),
    noGradient: "the result does not change smoothly",
  },
  wholeTensors("allclose", allclose, "torch.allclose"),
  wholeTensors("equal", equal, "torch.equal"),
];
