/** Ops that run along a dim and keep its size: running sums, products and extremes. Read order.ts next. */
import { type DType, isFloat } from "../core/dtype.js";
import { DTypeError } from "../core/errors.js";
import { normalizeDim, type Shape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { apply, applyOne, type OpSpec } from "../tensor/apply.js";
import { checkDType, zeros } from "../tensor/create.js";
import {
  bad,
  given,
  input,
  install,
  kink,
  type OpSamples,
  type Sample,
  type SampleSet,
  sample,
  typed,
} from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Extreme } from "./argmax.js";
import { needFloat } from "./reduce.js";

type AlongDim = { readonly dim: number };

export interface ScanOptions {
  /** What the elements are converted to first, and so the result's dtype. */
  readonly dtype?: DType;
}

/** A value without dims as a line of one element, so that there is a dim to go along. */
export const asLine = (b: Builder, x: Node): Node => (x.shape.length === 0 ? b.reshape(x, [1]) : x);

const scanSpec = (
  name: string,
  lower: (b: Builder, x: Node, dim: number) => Node,
): OpSpec<AlongDim> => ({
  name,
  lower: (b, [x], { dim }) => {
    const result = lower(b, asLine(b, x!), dim);
    return b.reshape(result, x!.shape);
  },
});

/** Whole numbers and bools are counted in int32, as in sum. */
const countable = (b: Builder, x: Node): Node => (isFloat(x.dtype) ? x : b.convert(x, "int32"));

function runningFold(name: string, primitive: "cumulativeSum" | "cumulativeProduct") {
  const spec: OpSpec<AlongDim & { readonly dtype: DType | null }> = {
    name,
    lower(b, [x], { dim, dtype }) {
      // A narrow dtype wraps at the end as it would at each step.
      const line = asLine(b, countable(b, dtype ? b.convert(x!, dtype) : x!));
      const result = b.reshape(b.make(primitive, [line], { dim, reverse: false }), x!.shape);
      return dtype ? b.convert(result, dtype) : result;
    },
  };
  return (x: Tensor, dim: number, { dtype }: ScanOptions = {}): Tensor => {
    if (dtype === "bool") throw new DTypeError(name, "does not count in bool");
    return applyOne(spec, [x], {
      dim: normalizeDim(name, dim, x.ndim),
      dtype: dtype === undefined ? null : checkDType(name, dtype),
    });
  };
}

/** log(eᵃ + eᵇ) without overflow; −∞ where both are. */
function logAddExp(b: Builder, x: Node, y: Node): Node {
  const largest = b.stopGradient(b.pointwise("maximum", x, y));
  const isFinite = b.pointwise("isFinite", largest);
  const shift = b.select(isFinite, largest, 0);
  const power = (z: Node) => b.pointwise("exponential", b.subtract(z, shift));
  return b.add(b.pointwise("log", b.add(power(x), power(y))), shift);
}

/** In log₂ n rounds, each of which joins every element with the sum that ends where its own begins. */
const logcumsumexpSpec = scanSpec("logcumsumexp", (b, x, dim) => {
  needFloat("logcumsumexp", x);
  const size = x.shape[dim]!;
  const at = (value: number, shape: Shape) => shape.map((_, i) => (i === dim ? value : 0));
  let sums = x;
  for (let step = 1; step < size; step *= 2) {
    const part = (from: number, to: number) =>
      b.slice(
        sums,
        at(from, x.shape),
        x.shape.map((n, i) => (i === dim ? to : n)),
      );
    const joined = logAddExp(b, part(step, size), part(0, size - step));
    sums = b.make("concatenate", [part(0, step), joined], { dim });
  }
  return sums;
});

const alongDim =
  (spec: OpSpec<AlongDim>) =>
  (x: Tensor, dim: number): Tensor =>
    applyOne(spec, [x], { dim: normalizeDim(spec.name, dim, x.ndim) });

/**
 * The sums of all elements up to each one along a dim: yᵢ = x₀ + … + xᵢ. Integers and bools are summed in int32.
 *
 * @example
 * ```ts
 * import { cumsum, tensor } from "gradus";
 * console.log(cumsum(tensor([1, 2, 3]), 0).toArray()); // → [ 1, 3, 6 ]
 * ```
 */
export const cumsum = runningFold("cumsum", "cumulativeSum");

/**
 * The products of all elements up to each one along a dim: yᵢ = x₀ · … · xᵢ.
 *
 * @example
 * ```ts
 * import { cumprod, tensor } from "gradus";
 * console.log(cumprod(tensor([1, 2, 3]), 0).toArray()); // → [ 1, 2, 6 ]
 * ```
 */
export const cumprod = runningFold("cumprod", "cumulativeProduct");

/**
 * The logarithms of running sums of powers: yᵢ = log(e^x₀ + … + e^xᵢ), without overflow.
 *
 * @throws DTypeError unless x is a float tensor.
 * @example
 * ```ts
 * import { logcumsumexp, tensor } from "gradus";
 * console.log(logcumsumexp(tensor([1000, 1000]), 0).at(0).item()); // → 1000
 * ```
 */
export const logcumsumexp = alongDim(logcumsumexpSpec);

function runningExtreme(
  name: string,
  primitive: "cumulativeArgMax" | "cumulativeArgMin",
): (x: Tensor, dim: number) => Extreme {
  const spec: OpSpec<AlongDim> = {
    name,
    lower(b, [x], { dim }) {
      const line = asLine(b, x!);
      const indices = b.make(primitive, [line], { dim });
      const values = b.make("gather", [line, indices], { dim });
      return [b.reshape(values, x!.shape), b.reshape(indices, x!.shape)];
    },
  };
  return (x, dim) => {
    const [values, indices] = apply(spec, [x], { dim: normalizeDim(name, dim, x.ndim) });
    return { values: values!, indices: indices! };
  };
}

/**
 * The largest element so far along a dim, and where it is (the latest of equal ones). NaN counts as largest and stays.
 *
 * @example
 * ```ts
 * import { cummax, tensor } from "gradus";
 * console.log(cummax(tensor([1, 3, 2]), 0).values.toArray()); // → [ 1, 3, 3 ]
 * ```
 */
export const cummax = runningExtreme("cummax", "cumulativeArgMax");

/**
 * The smallest element so far along a dim, and where it is (the latest of equal ones).
 *
 * @example
 * ```ts
 * import { cummin, tensor } from "gradus";
 * console.log(cummin(tensor([3, 1, 2]), 0).indices.toArray()); // → [ 0, 1, 1 ]
 * ```
 */
export const cummin = runningExtreme("cummin", "cumulativeArgMin");

install({ cumsum, cumprod, cummax, cummin, logcumsumexp });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** Running sums along a dim. */
    cumsum(dim: number, options?: ScanOptions): Tensor;
    /** Running products along a dim. */
    cumprod(dim: number, options?: ScanOptions): Tensor;
    /** Logarithms of running sums of powers along a dim. */
    logcumsumexp(dim: number): Tensor;
    /** The largest element so far along a dim, and its index. */
    cummax(dim: number): Extreme;
    /** The smallest element so far along a dim, and its index. */
    cummin(dim: number): Extreme;
  }
}

type Scan = (x: Tensor, dim: number) => Tensor | readonly Tensor[];

const alongSamples = (fn: Scan, name: string): Sample[] => [
  ...[0, 1, -1].map((d) => sample([input([3, 4])], (a) => fn(a, d), `torch.${name}(a, ${d})`)),
  sample([input([2, 3, 2])], (a) => fn(a, 1), `torch.${name}(a, 1)`),
  sample(
    [input([3, 2, 4])],
    (a) => fn(a.transpose(0, 2), 1),
    `torch.${name}(a.transpose(0, 2), 1)`,
  ),
  sample([input([9])], (a) => fn(a.flip(0), 0), `torch.${name}(a.flip(0), 0)`),
  sample([input([])], (a) => fn(a, 0), `torch.${name}(a, 0)`),
  sample([input([1])], (a) => fn(a, 0), `torch.${name}(a, 0)`),
  sample([input([0])], (a) => fn(a, 0), `torch.${name}(a, 0)`),
];

const refused = (op: string, fn: Scan) => [
  bad(() => fn(zeros([2]), 1), new RegExp(`^${op}: dim 1 is out of range`)),
];

const wholeSamples = (fn: Scan, name: string): Sample[] =>
  [typed("int32", [2, 4], -3, 3), typed("uint8", [2, 3], 0, 200), typed("bool", [2, 5])].map((x) =>
    sample([x], (a) => fn(a, 1), `torch.${name}(a, 1)`),
  );

const extremeSet = (op: "cummax" | "cummin", fn: typeof cummax): OpSamples => {
  const list: Scan = (x, dim) => Object.values(fn(x, dim)) as Tensor[];
  return {
    op,
    samples: [
      ...alongSamples(list, op),
      ...wholeSamples(list, op),
      kink([given([2, 4], [1, 3, 3, 2, 2, 1, 1, 1])], (a) => list(a, 1), `torch.${op}(a, 1)`),
      kink([given([4], [1, Number.NaN, 0, Number.NaN])], (a) => list(a, 0), `torch.${op}(a, 0)`),
    ],
    bad: refused(op, list),
  };
};

const infinite = [1, Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY, 2];

const inOther = (fn: typeof cumsum, name: string): Sample[] => [
  sample(
    [typed("uint8", [2, 4], 0, 200)],
    (a) => fn(a, 1, { dtype: "uint8" }),
    `torch.${name}(a, 1, dtype=torch.uint8)`,
  ),
  sample(
    [typed("int32", [4], -4, 4)],
    (a) => fn(a, 0, { dtype: "float64" }),
    `torch.${name}(a, 0, dtype=torch.float64)`,
  ),
  sample(
    [given([3], [1.7, -2.7, 3.2])],
    (a) => fn(a, 0, { dtype: "int32" }),
    `torch.${name}(a.detach(), 0, dtype=torch.int64)`,
  ),
];

export const scanSamples: SampleSet = () => [
  {
    op: "cumsum",
    samples: [
      ...alongSamples((x, dim) => cumsum(x, dim), "cumsum"),
      ...wholeSamples((x, dim) => cumsum(x, dim), "cumsum"),
      ...inOther(cumsum, "cumsum"),
    ],
    bad: [
      ...refused("cumsum", cumsum),
      bad(() => cumsum(zeros([2]), 0, { dtype: "bool" }), /^cumsum: does not count in bool/),
    ],
  },
  {
    op: "cumprod",
    samples: [
      ...alongSamples(cumprod, "cumprod"),
      ...wholeSamples(cumprod, "cumprod"),
      ...inOther(cumprod, "cumprod"),
      sample([given([5], [2, 3, 0, 4, 5])], (a) => cumprod(a, 0), "torch.cumprod(a, 0)"),
      sample(
        [given([2, 4], [0, 2, 0, 3, 2, 0, 4, 0])],
        (a) => cumprod(a, 1),
        "torch.cumprod(a, 1)",
      ),
    ],
    bad: refused("cumprod", cumprod),
  },
  {
    op: "logcumsumexp",
    samples: [
      ...alongSamples(logcumsumexp, "logcumsumexp"),
      sample(
        [given([4], [1000, 1001, -1000, 999])],
        (a) => logcumsumexp(a, 0),
        "torch.logcumsumexp(a, 0)",
      ),
      kink(
        [given([5], infinite)],
        (a) => logcumsumexp(a, 0).exp(),
        "torch.logcumsumexp(a, 0).exp()",
      ),
    ],
    bad: [
      ...refused("logcumsumexp", logcumsumexp),
      bad(
        () => logcumsumexp(zeros([2], { dtype: "int32" }), 0),
        /^logcumsumexp: needs a float tensor, got int32/,
      ),
    ],
  },
  extremeSet("cummax", cummax),
  extremeSet("cummin", cummin),
];
