/** Ops that fold dimensions: sum, mean, extremes, variance. Read argmax.ts next. */
import { type DType, isFloat } from "../core/dtype.js";
import { DTypeError } from "../core/errors.js";
import { normalizeDims } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { checkDType, zeros } from "../tensor/create.js";
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

export interface KeepDim {
  /** Leaves folded dims in the result with size 1. */
  readonly keepDim?: boolean;
}

export interface FoldOptions extends KeepDim {
  /** What the elements are converted to before they are folded, and so the result's dtype. */
  readonly dtype?: DType;
}

type Dims = number | readonly number[];
type Attributes = { readonly dims: readonly number[]; readonly keepDim: boolean };

function reduction(
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

type TypedAttributes = Attributes & { readonly dtype: DType | null };

/** A reduction that can be told the dtype to compute in. */
function typedReduction(
  name: string,
  lower: (b: Builder, x: Node, dims: readonly number[], keepDim: boolean) => Node,
) {
  const spec: OpSpec<TypedAttributes> = {
    name,
    lower(b, [x], { dims, keepDim, dtype }) {
      const result = lower(b, dtype ? asNumbers(b, x!, dtype) : x!, dims, keepDim);
      return dtype ? b.convert(result, dtype) : result;
    },
  };
  return (x: Tensor, dim?: Dims, { keepDim = false, dtype }: FoldOptions = {}): Tensor =>
    applyOne(spec, [x], {
      dims: normalizeDims(name, dim, x.ndim),
      keepDim,
      dtype: dtype === undefined ? null : checkDType(name, dtype),
    });
}

/** Converted, but what is to be bool stays 0 and 1 until it has been folded. */
const asNumbers = (b: Builder, x: Node, dtype: DType): Node => {
  const converted = b.convert(x, dtype);
  return dtype === "bool" ? b.convert(converted, "int32") : converted;
};

/** Small integers and bools are counted in int32. */
const countable = (b: Builder, x: Node): Node => (isFloat(x.dtype) ? x : b.convert(x, "int32"));

export const needFloat = (op: string, x: Node): void => {
  if (!isFloat(x.dtype)) throw new DTypeError(op, `needs a float tensor, got ${x.dtype}`);
};

const countOf = (x: Node, dims: readonly number[]): number =>
  dims.reduce((count, d) => count * x.shape[d]!, 1);

function meanNodes(b: Builder, x: Node, dims: readonly number[], keepDim: boolean): Node {
  return b.divide(b.reduce("reduceSum", x, dims, keepDim), countOf(x, dims));
}

export const sum = typedReduction("sum", (b, x, dims, keepDim) =>
  b.reduce("reduceSum", countable(b, x), dims, keepDim),
);

export const prod = typedReduction("prod", (b, x, dims, keepDim) =>
  b.reduce("reduceProduct", countable(b, x), dims, keepDim),
);

export const mean = typedReduction("mean", (b, x, dims, keepDim) => {
  needFloat("mean", x);
  return meanNodes(b, x, dims, keepDim);
});

/** Ties share the gradient evenly. */
export const amax = reduction("amax", (b, x, dims, keepDim) =>
  b.reduce("reduceMax", x, dims, keepDim),
);

export const amin = reduction("amin", (b, x, dims, keepDim) =>
  b.reduce("reduceMin", x, dims, keepDim),
);

type VarianceAttributes = Attributes & { readonly correction: number };

function varianceNodes(b: Builder, x: Node, attributes: VarianceAttributes): Node {
  const { dims, keepDim, correction } = attributes;
  needFloat(b.origin, x);
  const centred = b.subtract(x, meanNodes(b, x, dims, true));
  const squares = b.reduce("reduceSum", b.multiply(centred, centred), dims, keepDim);
  return b.divide(squares, Math.max(0, countOf(x, dims) - correction));
}

const varianceSpec: OpSpec<VarianceAttributes> = {
  name: "var",
  lower: (b, [x], attributes) => varianceNodes(b, x!, attributes),
};

const stdSpec: OpSpec<VarianceAttributes> = {
  name: "std",
  lower(b, [x], attributes) {
    const square = varianceNodes(b, x!, attributes);
    // The root of 0 has no slope; PyTorch makes it 0.
    const isZero = b.equal(square, 0);
    return b.select(isZero, 0, b.pointwise("sqrt", b.select(isZero, 1, square)));
  },
};

export interface VarianceOptions extends KeepDim {
  /** What is taken off the count in the divisor; 1 (the default) gives the unbiased estimate. */
  readonly correction?: number;
}

const spread =
  (spec: OpSpec<VarianceAttributes>) =>
  (x: Tensor, dim?: Dims, { keepDim = false, correction = 1 }: VarianceOptions = {}): Tensor =>
    applyOne(spec, [x], { dims: normalizeDims(spec.name, dim, x.ndim), keepDim, correction });

export const variance = spread(varianceSpec);
export const std = spread(stdSpec);

install({ sum, prod, mean, amax, amin, std, var: variance });

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** Sum over all, one or several dims; integers and bools are summed in int32. */
    sum(dim?: Dims, options?: FoldOptions): Tensor;
    /** Product over all, one or several dims. */
    prod(dim?: Dims, options?: FoldOptions): Tensor;
    /** Mean over all, one or several dims. */
    mean(dim?: Dims, options?: FoldOptions): Tensor;
    /** Variance Σ(x − mean)² / (n − correction). */
    var(dim?: Dims, options?: VarianceOptions): Tensor;
    /** Standard deviation, the root of the variance. */
    std(dim?: Dims, options?: VarianceOptions): Tensor;
    /** Largest element over all, one or several dims; ties share the gradient evenly. */
    amax(dim?: Dims, options?: KeepDim): Tensor;
    /** Smallest element over all, one or several dims. */
    amin(dim?: Dims, options?: KeepDim): Tensor;
  }
}

type Fold = (x: Tensor, dim?: Dims, options?: KeepDim) => Tensor;

const keepDim = { keepDim: true } as const;

/** What every fold is tried on; `torch` gives PyTorch's spelling for the arguments of dims. */
function foldSamples(fn: Fold, torch: (x: string, dims: string) => string): Sample[] {
  const on = (shape: readonly number[], call: (x: Tensor) => Tensor, dims: string) =>
    sample([input(shape)], call, torch("a", dims));
  return [
    on([2, 3], (a) => fn(a), ""),
    on([2, 3], (a) => fn(a, 0), "0"),
    on([2, 3], (a) => fn(a, -1, keepDim), "-1, keepdim=True"),
    on([2, 3, 4], (a) => fn(a, 1), "1"),
    on([40, 5], (a) => fn(a, 0), "0"),
    on([1, 3], (a) => fn(a, 0), "0"),
    on([], (a) => fn(a), ""),
    sample([input([3, 2, 4])], (a) => fn(a.transpose(0, 2), 1), torch("a.transpose(0, 2)", "1")),
    sample([input([5, 3])], (a) => fn(a.at("::2").flip(1), 1), torch("a[::2].flip(1)", "1")),
    sample([input([1, 3])], (a) => fn(a.expand([4, 3]), 1), torch("a.expand(4, 3)", "1")),
    kink([given([2, 3], [1, Number.NaN, 0, 2, 3, 4])], (a) => fn(a, 1), torch("a", "1")),
  ];
}

/** Folds over several dims at once, which not all of PyTorch's take. */
const manyDims = (fn: Fold, torch: (x: string, dims: string) => string): Sample[] => [
  sample([input([2, 3, 4])], (a) => fn(a, [0, 2]), torch("a", "(0, 2)")),
  sample([input([2, 3, 4])], (a) => fn(a, [-1, 0], keepDim), torch("a", "(-1, 0), keepdim=True")),
];

/** In another dtype than the input's. */
const inOther = (fn: typeof sum, name: string): Sample[] => [
  sample(
    [typed("int32", [2, 3], -5, 5)],
    (a) => fn(a, 1, { dtype: "float64" }),
    `torch.${name}(a, 1, dtype=torch.float64)`,
  ),
  sample(
    [input([2, 3])],
    (a) => fn(a, 0, { dtype: "float64", keepDim: true }),
    `torch.${name}(a, 0, keepdim=True, dtype=torch.float64)`,
  ),
  ...(name === "mean"
    ? []
    : [
        sample(
          [given([3], [1.7, -2.7, 3.2])],
          (a) => fn(a, 0, { dtype: "int32" }),
          `torch.${name}(a.detach(), 0, dtype=torch.int64)`,
        ),
        sample(
          [typed("uint8", [5], 0, 255)],
          (a) => fn(a, 0, { dtype: "uint8" }),
          `torch.${name}(a, 0, dtype=torch.uint8)`,
        ),
        sample(
          [typed("int32", [2, 3], -1, 1)],
          (a) => fn(a, 1, { dtype: "bool" }),
          `torch.${name}(a, 1, dtype=torch.bool)`,
        ),
      ]),
];

const wrongDType = (op: string, fn: typeof sum) =>
  bad(
    () => fn(zeros([2]), 0, { dtype: "float16" as "float32" }),
    new RegExp(`^${op}: unknown dtype "float16", expected float32, float64`),
  );

const outOfRange = (op: string, fn: Fold) => [
  bad(
    () => fn(zeros([2, 3]), 2),
    new RegExp(`^${op}: dim 2 is out of range: expected -2 to 1 for 2 dims`),
  ),
  bad(
    () => fn(zeros([2, 3]), [0, -2]),
    new RegExp(`^${op}: dim \\[0, -2\\] names a dimension twice`),
  ),
];

const wants = (op: string, what: RegExp, fn: (x: Tensor) => unknown) =>
  bad(() => fn(zeros([2], { dtype: "int32" })), new RegExp(`^${op}: ${what.source}`));

const named = (name: string) => (x: string, dims: string) =>
  `torch.${name}(${x}${dims && `, ${dims}`})`;

const wholeInputs = [
  typed("int32", [2, 3], -5, 5),
  typed("uint8", [4], 0, 255),
  typed("bool", [5]),
] as const;

const sumSamples: SampleSet = () => [
  {
    op: "sum",
    samples: [
      ...foldSamples(sum, named("sum")),
      ...manyDims(sum, named("sum")),
      ...wholeInputs.map((x) => sample([x], (a) => a.sum(), "torch.sum(a)")),
      ...[0, 1].map((d) => sample([input([0, 3])], (a) => a.sum(d), `torch.sum(a, ${d})`)),
      sample([input([9, 200])], (a) => a.sum(), "torch.sum(a)"),
      ...inOther(sum, "sum"),
    ],
    bad: [...outOfRange("sum", sum), wrongDType("sum", sum)],
  },
  {
    op: "prod",
    samples: [
      ...foldSamples(prod, named("prod")),
      ...wholeInputs.map((x) => sample([x], (a) => a.prod(), "torch.prod(a)")),
      sample([input([0, 3])], (a) => a.prod(0), "torch.prod(a, 0)"),
      sample([given([2, 3], [2, 0, 3, 0, 0, 5])], (a) => a.prod(1), "torch.prod(a, 1)"),
      ...inOther(prod, "prod"),
    ],
    bad: [...outOfRange("prod", prod), wrongDType("prod", prod)],
  },
  {
    op: "mean",
    samples: [
      ...foldSamples(mean, named("mean")),
      ...manyDims(mean, named("mean")),
      kink([input([0, 3])], (a) => a.mean(0), "torch.mean(a, 0)"),
      ...inOther(mean, "mean"),
    ],
    bad: [...outOfRange("mean", mean), wants("mean", /needs a float tensor, got int32/, mean)],
  },
];

const extremeSamples: SampleSet = () =>
  (
    [
      ["amax", amax],
      ["amin", amin],
    ] as const
  ).map(([op, fn]) => ({
    op,
    samples: [
      ...foldSamples(fn, named(op)),
      ...manyDims(fn, named(op)),
      ...[wholeInputs[0], wholeInputs[1]].map((x) => sample([x], (a) => fn(a), `torch.${op}(a)`)),
      sample([input([2, 0, 3])], (a) => fn(a, 0), `torch.${op}(a, 0)`),
      kink([given([2, 3], [1, 2, 2, -1, -1, -1])], (a) => fn(a, 1), `torch.${op}(a, 1)`),
    ],
    bad: [
      ...outOfRange(op, fn),
      bad(() => fn(zeros([2, 0]), 1), new RegExp(`^${op}: nothing to choose from in \\[2, 0\\]`)),
    ],
  }));

const varianceSamples: SampleSet = () =>
  (
    [
      ["variance", variance, "var"],
      ["std", std, "std"],
    ] as const
  ).map(([op, fn, name]) => ({
    op,
    samples: [
      ...foldSamples(
        (x, dim, options) => fn(x, dim, options),
        (x, dims) =>
          named(name)(x, dims.startsWith("(") || !dims ? dims : dims.replace(/^-?\d/, "($&,)")),
      ),
      ...manyDims((x, dim, options) => fn(x, dim, options), named(name)),
      sample(
        [input([4])],
        (a) => fn(a, 0, { correction: 0 }),
        `torch.${name}(a, 0, unbiased=False)`,
      ),
      kink([input([1])], (a) => fn(a, 0), `torch.${name}(a, 0)`),
      kink([given([3], [2, 2, 2])], (a) => fn(a), `torch.${name}(a)`),
    ],
    bad: [wants(name, /needs a float tensor, got int32/, (x) => fn(x))],
  }));

export const reduceSamples: SampleSet = () => [
  ...sumSamples(),
  ...extremeSamples(),
  ...varianceSamples(),
];
