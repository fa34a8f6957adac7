/**
 * Ops on each element by itself: arithmetic and comparisons. An op is a lowering to primitives, a method and samples;
 * its gradient follows from the lowering. Read power.ts next.
 */
import { type DType, isFloat, resultType } from "../core/dtype.js";
import { DTypeError } from "../core/errors.js";
import type { Shape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import type { PointwiseName } from "../ir/primitives.js";
import { applyOne, type OpSpec, scalarLike } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
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
  unlike,
} from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";

/** A tensor or a number that stands for one. */
export type TensorLike = Tensor | number;

/** Brings operands to the dtype that PyTorch's promotion gives them. */
export const promoteNodes = (b: Builder, nodes: readonly Node[], dtype?: DType): Node[] => {
  const common = dtype ?? resultType(nodes);
  return nodes.map((x) => b.convert(x, common));
};

/** As {@link promoteNodes}, and whole numbers become the default float. */
export function promoteFloats(b: Builder, nodes: readonly Node[]): Node[] {
  const dtype = resultType(nodes);
  return promoteNodes(b, nodes, isFloat(dtype) ? dtype : "float32");
}

/** Integers become the default float where only floats make sense. */
export const toFloat = (b: Builder, x: Node): Node =>
  isFloat(x.dtype) ? x : b.convert(x, "float32");

type Lowering = OpSpec<Record<string, never>>["lower"];

const noAttributes = {};

/** A function of two elements from its lowering; a number may be the second. */
export function binary(name: string, lower: Lowering): (x: Tensor, y: TensorLike) => Tensor {
  const spec: OpSpec = { name, lower: lower as OpSpec["lower"] };
  return (x, y) =>
    applyOne(spec, [x, typeof y === "number" ? scalarLike(name, y, x) : y], noAttributes);
}

/** `ofBools` is what stands for it between two bools: their sum is true where either is. */
const arithmetic = (name: string, primitive: PointwiseName, ofBools: PointwiseName) =>
  binary(name, (b, nodes) => {
    const [x, y] = promoteNodes(b, nodes) as [Node, Node];
    return b.pointwise(x.dtype === "bool" ? ofBools : primitive, x, y);
  });

export const comparison = (name: string, primitive: PointwiseName) =>
  binary(name, (b, nodes) => b.pointwise(primitive, ...promoteNodes(b, nodes)));

export const add = arithmetic("add", "add", "or");
export const mul = arithmetic("mul", "multiply", "and");

export const sub = binary("sub", (b, nodes) => {
  if (nodes.some((x) => x.dtype === "bool"))
    throw new DTypeError(
      "sub",
      `does not take bools, got ${nodes.map((x) => x.dtype).join(" and ")}; use logicalXor(), ` +
        "logicalNot(), or convert them",
    );
  const [x, y] = promoteNodes(b, nodes) as [Node, Node];
  return b.subtract(x, y);
});

export const maximum = comparison("maximum", "maximum");
export const minimum = comparison("minimum", "minimum");

export const eq = comparison("eq", "equal");
export const ne = comparison("ne", "notEqual");
export const lt = comparison("lt", "less");
export const le = comparison("le", "lessEqual");
export const gt = comparison("gt", "greater");
export const ge = comparison("ge", "greaterEqual");

install({ add, sub, mul, maximum, minimum, eq, ne, lt, le, gt, ge });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** x + y, with broadcasting, as all two-operand methods. */
    add(y: TensorLike): Tensor;
    /** x − y. */
    sub(y: TensorLike): Tensor;
    /** x · y, element by element. */
    mul(y: TensorLike): Tensor;
    /** The larger of x and y; NaN if either is. */
    maximum(y: TensorLike): Tensor;
    /** The smaller of x and y; NaN if either is. */
    minimum(y: TensorLike): Tensor;
    /** x = y, as bool. */
    eq(y: TensorLike): Tensor;
    /** x ≠ y, as bool. */
    ne(y: TensorLike): Tensor;
    /** x < y, as bool. */
    lt(y: TensorLike): Tensor;
    /** x ≤ y, as bool. */
    le(y: TensorLike): Tensor;
    /** x > y, as bool. */
    gt(y: TensorLike): Tensor;
    /** x ≥ y, as bool. */
    ge(y: TensorLike): Tensor;
  }
}

export type Binary = (x: Tensor, y: TensorLike) => Tensor;

/** What every op with two operands is tried on: broadcasting, no dims, no elements, views, numbers, dtypes. */
export function binarySamples(
  fn: Binary,
  torch: (x: string, y: string) => string,
  [low, high]: readonly [number, number] = [-2, 2],
): Sample[] {
  const text = torch("a", "b");
  const shapes: [Shape, Shape][] = [
    ...([
      [
        [2, 3],
        [2, 3],
      ],
      [[2, 3], [3]],
      [
        [2, 1, 3],
        [4, 1],
      ],
    ] as [Shape, Shape][]),
    ...([
      [[], [2, 2]],
      [[], []],
      [[0, 3], [3]],
      [[1], [0]],
    ] as [Shape, Shape][]),
  ];
  const dtypes = [
    [typed("int32", [2, 3]), typed("int32", [3], 1)],
    [typed("uint8", [3]), typed("uint8", [3], 1)],
    [typed("uint8", [3]), typed("int32", [3], 1)],
    [typed("int32", [2]), input([2], 0.5)],
    [typed("bool", [4]), input([4], 0.5)],
    [typed("int32", [3]), input([], 0.5)],
    [input([3], low, high), typed("float64", [], 0.5, 2)],
    [input([2], low, high), typed("float64", [2], 0.5, 2)],
    [input([3], low, high), typed("int32", [1], 1, 3)],
  ];
  const [nan, infinity] = [Number.NaN, Number.POSITIVE_INFINITY];
  const special = [infinity, -infinity, 1, 0, -0, 2, infinity];
  return [
    ...shapes.map(([x, y]) => sample([input(x, low, high), input(y, low, high)], fn, text)),
    sample(
      [input([3, 2], low, high), input([2, 3], low, high)],
      (a, b) => fn(a.transpose(0, 1), b.flip(0)),
      torch("a.transpose(0, 1)", "b.flip(0)"),
    ),
    sample(
      [input([4, 6], low, high), input([3, 1], low, high)],
      (a, b) => fn(a.at("1:3", "::2"), b.expand([3, 2]).t()),
      torch("a[1:3, ::2]", "b.expand(3, 2).t()"),
    ),
    sample([input([3], low, high)], (a) => fn(a, 0.5), torch("a", "torch.tensor(0.5)")),
    sample([typed("int32", [3])], (a) => fn(a, 2), torch("a", "torch.tensor(2)")),
    sample([typed("int32", [3])], (a) => fn(a, 0.5), torch("a", "torch.tensor(0.5)")),
    ...dtypes.map((pair) => sample(pair, fn, text)),
    kink([given([7], special), given([7], [1, 2, -infinity, 3, 0, 1, infinity])], fn, text),
    kink([given([3], [nan, 1, nan]), given([3], [1, nan, nan])], fn, text),
    kink([given([4], [1, 2, 3, -1]), given([4], [1, 0, 3, 2])], fn, text),
  ];
}

export const noBroadcast = (name: string, fn: Binary) => [
  bad(
    () => fn(zeros([2, 3]), zeros([4])),
    new RegExp(`^${name}: shapes \\[2, 3\\] and \\[4\\] do not broadcast: sizes 3 and 4 at dim -1`),
  ),
];

const infix = (operator: string) => (x: string, y: string) => `${x} ${operator} ${y}`;
export const namedBinary = (name: string) => (x: string, y: string) => `torch.${name}(${x}, ${y})`;

const noSlope = "the result does not change smoothly";
const bools = [typed("bool", [4]), typed("bool", [4])];

const arithmeticSamples: SampleSet = () => [
  {
    op: "add",
    samples: [
      ...binarySamples(add, infix("+")),
      sample([typed("uint8", [2], 200, 255)], (a) => a.add(a), "a + a"),
      unlike([given([2], [2147483647, -5], "int32")], (a) => a.add(1), "int64 does not wrap here"),
      sample(bools, add, "a + b"),
      sample([typed("bool", [4])], (a) => a.add(2), "a + 2"),
    ],
    bad: noBroadcast("add", add),
  },
  {
    op: "sub",
    samples: [
      // What is true counts as 1, since bools are not subtracted from.
      ...binarySamples(
        (x, y) => sub(x.mul(1), y),
        (x, y) => `${x} * 1 - ${y}`,
      ),
    ],
    bad: [
      ...noBroadcast("sub", sub),
      bad(
        () => sub(zeros([2], { dtype: "bool" }), zeros([2])),
        /^sub: does not take bools, got bool and float32; use logicalXor/,
      ),
    ],
  },
  {
    op: "mul",
    samples: [
      ...binarySamples(mul, infix("*")),
      sample([input([3])], (a) => a.mul(a), "a * a"),
      unlike([given([2], [123456789, -7], "int32")], (a) => a.mul(a), "int64 does not wrap here"),
      sample(bools, mul, "a * b"),
      sample([typed("bool", [4])], (a) => a.mul(2), "a * 2"),
    ],
    bad: noBroadcast("mul", mul),
  },
  {
    op: "maximum",
    samples: binarySamples(maximum, namedBinary("maximum")),
    bad: noBroadcast("maximum", maximum),
  },
  {
    op: "minimum",
    samples: binarySamples(minimum, namedBinary("minimum")),
    bad: noBroadcast("minimum", minimum),
  },
];

const comparisonSamples: SampleSet = () =>
  Object.entries({ eq, ne, lt, le, gt, ge }).map(([op, fn]) => ({
    op,
    samples: [
      ...binarySamples(fn, namedBinary(op)),
      sample(bools, fn, `torch.${op}(a, b)`),
      sample([typed("bool", [3])], (a) => fn(a, 1), `torch.${op}(a, 1)`),
    ],
    bad: noBroadcast(op, fn),
    noGradient: noSlope,
  }));

export const pointwiseSamples: SampleSet = () => [...arithmeticSamples(), ...comparisonSamples()];
