/** Ops that choose or cast each element: where, clamp, to. Read reduce.ts next. */
import { type DType, isFloat } from "../core/dtype.js";
import { ValueError } from "../core/errors.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec, scalarLike } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  install,
  kink,
  type SampleSet,
  sample,
  typed,
  unlike,
} from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { promoteNodes, type TensorLike, toFloat } from "./pointwise.js";

type Bounds = { readonly min: number | null; readonly max: number | null };

const clampSpec: OpSpec<Bounds> = {
  name: "clamp",
  lower(b, [given], { min, max }) {
    const isWhole = [min, max].every((bound) => bound === null || Number.isInteger(bound));
    const counted = given!.dtype === "bool" ? b.convert(given!, "int32") : given!;
    const x = isWhole ? counted : toFloat(b, counted);
    // Written with select so that, as in PyTorch, the gradient at a bound is 1.
    const low = min === null ? x : b.select(b.pointwise("less", x, min), min, x);
    return max === null ? low : b.select(b.pointwise("greater", low, max), max, low);
  },
};

/** Each element moved to the nearest number in [min, max]; either bound may be left out. */
export function clamp(x: Tensor, min: number | null, max: number | null = null): Tensor {
  if (isFloat(x.dtype)) return applyOne(clampSpec, [x], { min, max });
  const [least, most] = x.dtype === "uint8" ? [0, 255] : [-(2 ** 31), 2 ** 31 - 1];
  if ((min ?? least) > most || (max ?? most) < least)
    throw new ValueError("clamp", `bounds ${min} and ${max} are outside of what ${x.dtype} holds`);
  const binds = {
    min: (min ?? least) > least ? min : null,
    max: (max ?? most) < most ? max : null,
  };
  return applyOne(clampSpec, [x], binds);
}

const whereSpec: OpSpec = {
  name: "where",
  lower(b, [condition, ...branches]) {
    const [x, y] = promoteNodes(b, branches) as [Node, Node];
    return b.select(b.convert(condition!, "bool"), x, y);
  },
};

/** x where the condition holds, else y; all three broadcast. */
export function where(condition: Tensor, x: Tensor, y: TensorLike): Tensor {
  return applyOne(
    whereSpec,
    [condition, x, typeof y === "number" ? scalarLike("where", y, x) : y],
    {},
  );
}

const castSpec: OpSpec<{ readonly dtype: DType }> = {
  name: "to",
  lower: (b, [x], { dtype }) => b.convert(x!, dtype),
};

/** The same values in another dtype; floats lose their fraction in integers. */
export const to = (x: Tensor, dtype: DType): Tensor =>
  x.dtype === dtype ? x : applyOne(castSpec, [x], { dtype });

install({
  ...{ clamp, to },
  where: (x: Tensor, condition: Tensor, other: TensorLike) => where(condition, x, other),
});

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** x moved into [min, max]; null leaves a side open. */
    clamp(min: number | null, max?: number | null): Tensor;
    /** x where `condition` holds, else `other`. */
    where(condition: Tensor, other: TensorLike): Tensor;
    /** The same values in another dtype. */
    to(dtype: DType): Tensor;
  }
}

export const choiceSamples: SampleSet = () => [
  {
    op: "where",
    samples: [
      sample([typed("bool", [2, 3]), input([2, 3]), input([2, 3])], where, "torch.where(a, b, c)"),
      sample([typed("bool", [3]), input([2, 1]), input([])], where, "torch.where(a, b, c)"),
      sample([typed("bool", []), input([2]), input([2])], where, "torch.where(a, b, c)"),
      sample([typed("bool", [0]), input([1]), input([0])], where, "torch.where(a, b, c)"),
      sample(
        [typed("bool", [3, 2]), input([2, 3])],
        (a, b) => b.where(a.t(), 0.5),
        "torch.where(a.t(), b, 0.5)",
      ),
      sample(
        [typed("bool", [3]), typed("int32", [3]), typed("int32", [])],
        where,
        "torch.where(a, b, c)",
      ),
      sample(
        [typed("bool", [4]), typed("bool", [4]), typed("bool", [])],
        where,
        "torch.where(a, b, c)",
      ),
      sample(
        [typed("bool", [3]), input([3]), typed("int32", [3])],
        where,
        "torch.where(a, b, c.to(b.dtype))",
      ),
      sample(
        [given([3], [0, 2, 1], "int32"), input([3]), input([3])],
        where,
        "torch.where(a != 0, b, c)",
      ),
      kink(
        [
          typed("bool", [2]),
          given([2], [Number.NaN, 1]),
          given([2], [2, Number.POSITIVE_INFINITY]),
        ],
        where,
        "torch.where(a, b, c)",
      ),
    ],
    bad: [
      bad(
        () => where(zeros([2], { dtype: "bool" }), zeros([3]), 0),
        /^where: shapes .*\[2\].*\[3\].* do not broadcast/,
      ),
    ],
  },
  {
    op: "clamp",
    samples: [
      sample([input([2, 3])], (a) => a.clamp(-1, 1), "a.clamp(-1, 1)"),
      sample([input([3, 2])], (a) => a.t().clamp(-0.5), "a.t().clamp(min=-0.5)"),
      sample([input([4])], (a) => a.clamp(null, 0.25), "a.clamp(max=0.25)"),
      sample([input([])], (a) => a.clamp(0.1, 0.2), "a.clamp(0.1, 0.2)"),
      sample([input([0])], (a) => a.clamp(0, 1), "a.clamp(0, 1)"),
      sample([input([4])], (a) => a.clamp(1, -1), "a.clamp(1, -1)"),
      sample([typed("int32", [5], -9)], (a) => a.clamp(-2, 3), "a.clamp(-2, 3)"),
      sample([typed("int32", [5], -9)], (a) => a.clamp(-2.5, 3.5), "a.clamp(-2.5, 3.5)"),
      sample([typed("uint8", [5])], (a) => a.clamp(2, 5), "a.clamp(2, 5)"),
      unlike([typed("uint8", [5])], (a) => a.clamp(-1, 300), "PyTorch wraps or refuses the bounds"),
      kink(
        [given([4], [-1, 1, 5, Number.NEGATIVE_INFINITY])],
        (a) => a.clamp(-1, 1),
        "a.clamp(-1, 1)",
      ),
    ],
    bad: [
      bad(
        () => zeros([2], { dtype: "uint8" }).clamp(300),
        /^clamp: bounds 300 and null are outside of what uint8 holds/,
      ),
    ],
  },
  {
    op: "to",
    samples: [
      sample([input([2, 3], -9, 9)], (a) => a.to("int32"), "a.to(torch.int64)"),
      sample([input([3], 0, 9)], (a) => a.to("uint8"), "a.to(torch.uint8)"),
      sample([input([3])], (a) => a.to("float64"), "a.to(torch.float64)"),
      sample(
        [typed("float64", [3], -2, 2)],
        (a) => a.to("float32").mul(2),
        "a.to(torch.float32) * 2",
      ),
      sample([typed("int32", [2, 2])], (a) => a.t().to("float32"), "a.t().to(torch.float32)"),
      sample([typed("bool", [4])], (a) => a.to("int32"), "a.to(torch.int64)"),
      sample([given([4], [256, 255, -1, 300], "int32")], (a) => a.to("uint8"), "a.to(torch.uint8)"),
      sample([given([4], [0, 2, -3, 1], "int32")], (a) => a.to("bool"), "a.to(torch.bool)"),
      sample([given([4], [0, 0.5, Number.NaN, -0])], (a) => a.to("bool"), "a.to(torch.bool)"),
      sample([input([])], (a) => a.to("int32"), "a.to(torch.int64)"),
      sample([input([0, 2])], (a) => a.to("bool"), "a.to(torch.bool)"),
      unlike(
        [given([4], [3e9, -3e9, Number.NaN, Number.POSITIVE_INFINITY])],
        (a) => a.to("int32"),
        "C++ leaves the conversion open; here it saturates and NaN gives 0",
      ),
    ],
  },
];
