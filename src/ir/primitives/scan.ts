/** Primitives along one dim that keep its size: running sums and extremes, and the order of elements. */
import { DTypeError } from "../../core/errors.js";
import type { Primitive } from "../primitives.js";

export interface ScanAttributes {
  readonly dim: number;
  /** From the last element to the first. */
  readonly reverse: boolean;
}
export interface CumulativeArgAttributes {
  readonly dim: number;
}
export interface ArgSortAttributes {
  readonly dim: number;
  readonly descending: boolean;
}

const scan: Primitive<ScanAttributes> = {
  class: "scan",
  arity: 1,
  infer([x]) {
    if (x!.dtype === "bool") throw new DTypeError("", "does not take bool, convert it first");
    return { dtype: x!.dtype, shape: x!.shape };
  },
};

/** The index of the largest (smallest) element so far; the latest of equal ones; NaN wins over all and stays. */
const cumulativeArg: Primitive<CumulativeArgAttributes> = {
  class: "scan",
  arity: 1,
  infer: ([x]) => ({ dtype: "int32", shape: x!.shape }),
};

/** The indices that sort along a dim; equal elements keep their order, NaN counts as largest. */
const argSort: Primitive<ArgSortAttributes> = {
  class: "scan",
  arity: 1,
  infer: ([x]) => ({ dtype: "int32", shape: x!.shape }),
};

export const scanPrimitives = {
  cumulativeSum: scan,
  cumulativeProduct: scan,
  cumulativeArgMax: cumulativeArg,
  cumulativeArgMin: cumulativeArg,
  argSort,
};
