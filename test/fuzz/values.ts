/**
 * What ops are called with by the fuzz: tensors of any rank, size and dtype, numbers in and out of range, lists, words and
 * nothing at all. Values are described, so that a failure can be printed, and made at the call. Read calls.ts next.
 */
import fc from "fast-check";
import { type DType, dtypes, isFloat } from "../../src/core/dtype.js";
import { sizeOf } from "../../src/core/shape.js";
import { type Tensor, tensor } from "../../src/index.js";

/** A tensor as a text that tells all about it. */
export class Described {
  constructor(shape: readonly number[], dtype: DType, fill: Fill) {
    this.shape = shape;
    this.dtype = dtype;
    this.fill = fill;
  }
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly fill: Fill;
  make(): Tensor {
    const pattern = isFloat(this.dtype) ? floats[this.fill] : wholes[this.fill];
    const values = Array.from(
      { length: sizeOf(this.shape) },
      (_, i) => pattern[i % pattern.length]!,
    );
    const fitting = this.dtype === "uint8" ? values.map((v) => Math.abs(v) % 256) : values;
    return tensor(fitting, { shape: this.shape, dtype: this.dtype });
  }
  /** What fast-check prints. */
  toString(): string {
    return `${this.dtype}[${this.shape}] ${this.fill}`;
  }
}

const floats = {
  small: [0.5, -1.25, 2, 0.75, -0.5, 1, 3],
  zero: [0, -0],
  odd: [Number.NaN, 1, Number.POSITIVE_INFINITY, -2, Number.NEGATIVE_INFINITY],
  large: [1e30, -3e38, 2 ** 31, -(2 ** 53)],
} as const;
type Fill = keyof typeof floats;
const wholes: Readonly<Record<Fill, readonly number[]>> = {
  small: [0, 1, 2, 1, 0, 3],
  zero: [0],
  odd: [-1, 5, -7, 100],
  large: [2 ** 31 - 1, -(2 ** 31), 65536],
};

const sizes = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(5, 7, 33) },
);

const fills = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fill>("small") },
  { weight: 1, arbitrary: fc.constantFrom<Fill>("zero", "odd", "large") },
);

const anyDType = fc.oneof(
  { weight: 3, arbitrary: fc.constant<DType>("float32") },
  { weight: 2, arbitrary: fc.constantFrom(...dtypes) },
);

export const tensors: fc.Arbitrary<Described> = fc
  .tuple(fc.array(sizes, { maxLength: 5 }), anyDType, fills)
  .map(([shape, dtype, fill]) => new Described(shape.slice(0, 5), dtype, fill));

/** Sizes between 2¹² and 2³¹ are left out: they may be meant, and take the gigabytes that were asked for. */
const numbers = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -3, max: 5 }) },
  { weight: 2, arbitrary: fc.constantFrom(0.5, -0.5, 1.5, 0.999, -0) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      ...[2 ** 31, -(2 ** 31), 2 ** 53, -(2 ** 53), 1e300, 5e-324],
    ),
  },
);

const words = fc.constantFrom(
  "",
  "mean",
  "sum",
  "none",
  "same",
  "reflect",
  "linear",
  "bicubic",
  "tanh",
  "ij,jk",
  "1:",
  "x",
);
const nothings = fc.constantFrom<unknown>(undefined, true, false);
const lists = fc.oneof(
  fc.array(numbers, { maxLength: 4 }),
  fc.array(fc.array(numbers, { maxLength: 2 }), { maxLength: 3 }),
);

/** For what must be given. */
export const needed: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 5, arbitrary: numbers },
  { weight: 2, arbitrary: lists },
  { weight: 1, arbitrary: words },
);

export const settings: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 5, arbitrary: numbers },
  { weight: 2, arbitrary: lists },
  { weight: 1, arbitrary: words },
  { weight: 1, arbitrary: nothings },
  { weight: 1, arbitrary: tensors },
);

/** In the place of a tensor: what some ops take there, and others must refuse. */
export const notTensors: fc.Arbitrary<unknown> = fc.oneof(numbers, words);

/** Every description replaced by its tensor. */
export function realize(value: unknown): unknown {
  if (value instanceof Described) return value.make();
  if (Array.isArray(value)) return value.map(realize);
  if (value !== null && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, realize(v)]));
  return value;
}
