/** Functions that round, and the quotients and rests that go with them. Read logic.ts next. */
import { isFloat } from "../core/dtype.js";
import { ValueError } from "../core/errors.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
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
  unlike,
} from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import { named, rounding, unarySamples, wholeSamples } from "./elementary.js";
import {
  binary,
  binarySamples,
  namedBinary,
  noBroadcast,
  promoteFloats,
  promoteNodes,
  type TensorLike,
} from "./pointwise.js";

/**
 * The smallest whole number ≥ x.
 *
 * @example
 * ```ts
 * import { ceil, tensor } from "gradus";
 * console.log(ceil(tensor([-1.5, 1.5])).toArray()); // → [ -1, 2 ]
 * ```
 */
export const ceil = rounding("ceil", "ceil");
/**
 * x without its fraction: rounded towards 0.
 *
 * @example
 * ```ts
 * import { tensor, trunc } from "gradus";
 * console.log(trunc(tensor([-1.5, 1.5])).toArray()); // → [ -1, 1 ]
 * ```
 */
export const trunc = rounding("trunc", "truncate");
const roundWhole = rounding("round", "roundNearestEven");

const roundSpec: OpSpec<{ readonly decimals: number }> = {
  name: "round",
  lower(b, [x], { decimals }) {
    if (!isFloat(x!.dtype)) return x!;
    const scale = 10 ** Math.abs(decimals);
    const [to, from] = decimals < 0 ? [b.divide, b.multiply] : [b.multiply, b.divide];
    return from(b.pointwise("roundNearestEven", to(x!, scale)), scale);
  },
};

/**
 * x rounded to the nearest whole number, halves to the even one, or to a number of decimals.
 *
 * @throws ValueError unless `decimals` is a whole number.
 * @example
 * ```ts
 * import { round, tensor } from "gradus";
 * console.log(round(tensor([0.5, 1.5, 2.5])).toArray()); // → [ 0, 2, 2 ]
 * console.log(round(tensor([1234]), { decimals: -2 }).toArray()); // → [ 1200 ]
 * ```
 */
export function round(x: Tensor, { decimals = 0 }: { readonly decimals?: number } = {}): Tensor {
  if (!Number.isInteger(decimals))
    throw new ValueError("round", `decimals must be a whole number, got ${decimals}`);
  return decimals === 0 ? roundWhole(x) : applyOne(roundSpec, [x], { decimals });
}

const fracSpec: OpSpec = {
  name: "frac",
  lower: (b, [x]) => b.subtract(x!, b.pointwise("truncate", x!)),
};

/**
 * The fraction of x, x − trunc(x), with the sign of x.
 *
 * @example
 * ```ts
 * import { frac, tensor } from "gradus";
 * console.log(frac(tensor([-1.5, 1.5])).toArray()); // → [ -0.5, 0.5 ]
 * ```
 */
export const frac = (x: Tensor): Tensor => applyOne(fracSpec, [x], {});

const numbers = (b: Builder, nodes: readonly Node[]): [Node, Node] => {
  const [x, y] = promoteNodes(b, nodes) as [Node, Node];
  return x.dtype === "bool" ? [b.convert(x, "int32"), b.convert(y, "int32")] : [x, y];
};

/** Where a truncated quotient is one too large: the rest r is not 0 and has not the divisor's sign. */
const isAbove = (b: Builder, rest: Node, y: Node): Node =>
  b.pointwise(
    "and",
    b.pointwise("notEqual", rest, 0),
    b.pointwise("xor", b.pointwise("less", rest, 0), b.pointwise("less", y, 0)),
  );

/**
 * The rest of the quotient rounded towards 0; it has the sign of x, as C's `fmod` and JavaScript's `%`.
 *
 * @example
 * ```ts
 * import { fmod, tensor } from "gradus";
 * console.log(fmod(tensor([-7, 7]), 3).toArray()); // → [ -1, 1 ]
 * ```
 */
export const fmod = binary("fmod", (b, nodes) => b.pointwise("remainder", ...numbers(b, nodes)));

/**
 * The rest of the quotient rounded down, x − y·⌊x / y⌋; it has the sign of y, as Python's `%`.
 *
 * @example
 * ```ts
 * import { remainder, tensor } from "gradus";
 * console.log(remainder(tensor([-7, 7]), 3).toArray()); // → [ 2, 1 ]
 * ```
 */
export const remainder = binary("remainder", (b, nodes) => {
  const [x, y] = numbers(b, nodes);
  const rest = b.pointwise("remainder", x, y);
  return b.select(isAbove(b, rest, y), b.add(rest, y), rest);
});

/** ⌊x / y⌋, exact where x / y would round. */
function floorDivideNodes(b: Builder, nodes: readonly Node[]): Node {
  const [x, y] = numbers(b, nodes).map((z) => b.stopGradient(z)) as [Node, Node];
  const rest = b.pointwise("remainder", x, y);
  const down = isAbove(b, rest, y);
  if (!isFloat(x.dtype)) {
    const quotient = b.divide(x, y);
    return b.select(down, b.subtract(quotient, 1), quotient);
  }
  const whole = b.divide(b.subtract(x, rest), y);
  const lower = b.select(down, b.subtract(whole, 1), whole);
  const plain = b.divide(x, y);
  const floor = b.pointwise("floor", lower);
  // The difference by the rest can round to just below the whole number.
  const isHalf = b.pointwise("greater", b.subtract(lower, floor), 0.5);
  const exact = b.select(isHalf, b.add(floor, 1), floor);
  const zero = b.multiply(plain, 0);
  const result = b.select(b.equal(lower, 0), zero, exact);
  return b.select(b.equal(y, 0), plain, result);
}

/**
 * ⌊x / y⌋, whole for whole numbers, exact where x / y would round. It has no gradient.
 *
 * @example
 * ```ts
 * import { floorDivide, tensor } from "gradus";
 * console.log(floorDivide(tensor([-7, 7]), 2).toArray()); // → [ -4, 3 ]
 * ```
 */
export const floorDivide = binary("floorDivide", floorDivideNodes);

type RoundOptions = { readonly decimals?: number };

const trueDivide = binary("div", (b, nodes) => {
  const [x, y] = promoteFloats(b, nodes) as [Node, Node];
  return b.divide(x, y);
});

const truncatedDivide = binary("div trunc", (b, nodes) => {
  const [x, y] = numbers(b, nodes);
  const quotient = b.divide(x, y);
  return isFloat(x.dtype) ? b.pointwise("truncate", quotient) : quotient;
});

const flooredDivide = binary("div floor", floorDivideNodes);

export interface DivOptions {
  /** Rounds the quotient toward 0 ("trunc") or down ("floor"), and keeps integers; null (the default) does neither. */
  readonly roundingMode?: "trunc" | "floor" | null;
}

/**
 * x / y; integers give floats unless the quotient is rounded.
 *
 * @throws ValueError for an unknown roundingMode.
 * @example
 * ```ts
 * import { div, tensor } from "gradus";
 * console.log(div(tensor([-7, 7]), 2).toArray()); // → [ -3.5, 3.5 ]
 * console.log(div(tensor([-7, 7]), 2, { roundingMode: "floor" }).toArray()); // → [ -4, 3 ]
 * ```
 */
export function div(x: Tensor, y: TensorLike, { roundingMode = null }: DivOptions = {}): Tensor {
  if (roundingMode === null) return trueDivide(x, y);
  if (roundingMode === "trunc") return truncatedDivide(x, y);
  if (roundingMode === "floor") return flooredDivide(x, y);
  throw new ValueError(
    "div",
    `roundingMode must be "trunc", "floor" or null, got "${roundingMode}"`,
  );
}

install({ ceil, trunc, round, frac, fmod, remainder, floorDivide, div });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** The smallest whole number ≥ x. */
    ceil(): Tensor;
    /** x without its fraction. */
    trunc(): Tensor;
    /** The nearest whole number, halves to the even one; or so many decimals. */
    round(options?: RoundOptions): Tensor;
    /** The fraction of x, with its sign. */
    frac(): Tensor;
    /** The rest of the quotient rounded towards 0: it has the sign of x. */
    fmod(y: TensorLike): Tensor;
    /** The rest of the quotient rounded down: it has the sign of y. */
    remainder(y: TensorLike): Tensor;
    /** x / y; integers give floats unless the quotient is rounded. */
    div(y: TensorLike, options?: DivOptions): Tensor;
    /** ⌊x / y⌋. */
    floorDivide(y: TensorLike): Tensor;
  }
}

const infinity = Number.POSITIVE_INFINITY;
const special = [infinity, -infinity, -0.5, 0.5, 1.5, 2.5, -1.5, -0.2, -2, 2, 1e20];

const roundingSamples: SampleSet = () => [
  ...(
    [
      ["ceil", ceil],
      ["trunc", trunc],
      ["round", round],
    ] as const
  ).map(([op, fn]) => ({
    op,
    samples: [
      ...unarySamples((x) => fn(x), named(op), [-3, 3], special),
      ...wholeSamples((x) => fn(x), named(op)),
      ...(op !== "round"
        ? []
        : [2, -1, 0, 5].map((decimals) =>
            kink(
              [input([4], -90, 90)],
              (a) => a.round({ decimals }),
              `torch.round(a, decimals=${decimals})`,
            ),
          )),
    ],
    bad:
      op === "round"
        ? [bad(() => round(zeros([1]), { decimals: 0.5 }), /^round: decimals must be a whole/)]
        : [],
  })),
  {
    op: "frac",
    samples: unarySamples(frac, named("frac"), [-3, 3], special),
    bad: [bad(() => frac(zeros([1], { dtype: "int32" })), /^frac: does not take int32/)],
  },
];

const signs = [
  given([8], [7, -7, 7, -7, 6, -6, 0, -1], "int32"),
  given([8], [3, 3, -3, -3, 3, -3, 5, 4], "int32"),
] as const;
const byZero = "PyTorch refuses to divide whole numbers by 0, where this gives 0";

const divSet = (): OpSamples => ({
  op: "div",
  samples: [
    ...binarySamples(
      (x, y) => div(x, y),
      (x, y) => `${x} / ${y}`,
      [0.5, 2],
    ),
    kink([given([4], [1, -1, 0, 3]), given([4], [0, 0, 0, -0])], (a, b) => div(a, b), "a / b"),
    kink([typed("int32", [3]), given([3], [0, 2, -3], "int32")], (a, b) => div(a, b), "a / b"),
    ...(["trunc", "floor"] as const).flatMap((roundingMode) => {
      const fn = (x: Tensor, y: TensorLike) => div(x, y, { roundingMode });
      const torch = (x: string, y: string) =>
        `torch.div(${x}, ${y}, rounding_mode="${roundingMode}")`;
      return [
        ...binarySamples(fn, torch, [0.3, 2]),
        sample([...signs], fn, torch("a", "b")),
        sample([input([9], -9, 9), input([9], -3, -0.2)], fn, torch("a", "b")),
      ];
    }),
  ],
  bad: [
    ...noBroadcast("div", (x, y) => div(x, y)),
    bad(
      () => div(zeros([1]), 1, { roundingMode: "up" as "floor" }),
      /^div: roundingMode must be "trunc", "floor" or null, got "up"/,
    ),
  ],
});

export const roundSamples: SampleSet = () => [
  ...roundingSamples(),
  divSet(),
  ...(
    [
      ["fmod", fmod, namedBinary("fmod")],
      ["remainder", remainder, namedBinary("remainder")],
      // PyTorch's has no gradient, and says so only when asked for it.
      [
        "floorDivide",
        floorDivide,
        (x: string, y: string) => `torch.floor_divide(${x}.detach(), ${y}.detach())`,
      ],
    ] as const
  ).map(([op, fn, torch]) => ({
    op,
    samples: [
      ...binarySamples(fn, torch),
      sample([...signs], fn, torch("a", "b")),
      sample(
        [...signs],
        (a, b) => fn(a.to("float32"), b.add(0.25)),
        torch("a.to(torch.get_default_dtype())", "(b + 0.25)"),
      ),
      kink(
        [
          given([6], [1, -1, 1, -1, 1, 0]),
          given([6], [infinity, infinity, -infinity, 0.3, 0.3, -2]),
        ],
        fn,
        torch("a", "b"),
      ),
      unlike([typed("int32", [2]), given([2], [0, 0], "int32")], fn, byZero),
    ],
    bad: noBroadcast(op, fn),
    ...(op === "floorDivide" && { noGradient: "it goes in steps" }),
  })),
];
