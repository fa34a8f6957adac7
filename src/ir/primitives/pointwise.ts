/** Primitives that map each element: unary, binary, comparisons, select, convert. */
import { type DType, isFloat } from "../../core/dtype.js";
import { DTypeError, ShapeError } from "../../core/errors.js";
import { formatShape, sameShape } from "../../core/shape.js";
import { erf, erfc } from "../errorFunction.js";
import type { PointwiseAttributes, PointwisePrimitive, ValueType } from "../primitives.js";

type Domain = "float" | "number" | "integer" | "bits" | "any";

const domains: Record<Domain, (dtype: DType) => boolean> = {
  float: isFloat,
  number: (dtype) => dtype !== "bool",
  integer: (dtype) => dtype === "int32" || dtype === "uint8",
  bits: (dtype) => !isFloat(dtype),
  any: () => true,
};

function checkOperands(inputs: readonly ValueType[], domain: Domain): ValueType {
  const [first, ...rest] = inputs as [ValueType, ...ValueType[]];
  for (const other of rest) {
    if (!sameShape(first.shape, other.shape))
      throw new ShapeError(
        "",
        `operands have shapes ${formatShape(first.shape)} and ${formatShape(other.shape)}`,
      );
    if (first.dtype !== other.dtype)
      throw new DTypeError("", `operands have dtypes ${first.dtype} and ${other.dtype}`);
  }
  if (!domains[domain](first.dtype))
    throw new DTypeError("", `does not take ${first.dtype}, expected ${domain} values`);
  return first;
}

interface Options {
  result?: DType;
  integer?: (a: number, b: number) => number;
}

function pointwise(
  arity: number,
  domain: Domain,
  evaluate: (a: number, b: number, c: number) => number,
  { result, integer }: Options = {},
): PointwisePrimitive {
  return {
    class: "pointwise",
    arity,
    evaluate,
    ...(integer && { evaluateInteger: integer }),
    infer(inputs) {
      const { shape, dtype } = checkOperands(inputs, domain);
      return { shape, dtype: result ?? dtype };
    },
  };
}

const comparison = (evaluate: (a: number, b: number) => boolean) =>
  pointwise(2, "any", (a, b) => Number(evaluate(a, b)), { result: "bool" });

const select: PointwisePrimitive = {
  class: "pointwise",
  arity: 3,
  evaluate: (condition, a, b) => (condition ? a : b),
  infer([condition, ...branches]) {
    const type = checkOperands(branches, "any");
    if (condition!.dtype !== "bool")
      throw new DTypeError("", `the condition must be bool, got ${condition!.dtype}`);
    checkOperands([{ ...condition!, dtype: type.dtype }, type], "any");
    return type;
  },
};

const convert: PointwisePrimitive = {
  class: "pointwise",
  arity: 1,
  evaluate: (a) => a,
  infer: ([x], { dtype }: PointwiseAttributes) => ({ shape: x!.shape, dtype: dtype! }),
};

/** NaN in either operand gives NaN, as in StableHLO and PyTorch. */
const larger = (a: number, b: number) => (a > b || Number.isNaN(a) ? a : b);
const smaller = (a: number, b: number) => (a < b || Number.isNaN(a) ? a : b);

/** Integer division truncates; by zero it gives 0, so that no input can stop the process. */
const divideIntegers = (a: number, b: number) => (b === 0 ? 0 : Math.trunc(a / b) | 0);

const remainderOfIntegers = (a: number, b: number) => (b === 0 ? 0 : (a % b) | 0);

function roundNearestEven(a: number): number {
  const down = Math.floor(a);
  const rest = a - down;
  if (rest !== 0.5) return rest < 0.5 ? down : Math.ceil(a);
  // The sign of the operand stays on a zero, as in IEEE 754.
  const even = down % 2 === 0 ? down : down + 1;
  return even === 0 && a < 0 ? -0 : even;
}

export const pointwisePrimitives = {
  negate: pointwise(1, "number", (a) => -a),
  abs: pointwise(1, "number", Math.abs),
  sign: pointwise(1, "number", Math.sign),
  floor: pointwise(1, "float", Math.floor),
  exponential: pointwise(1, "float", Math.exp),
  log: pointwise(1, "float", Math.log),
  sqrt: pointwise(1, "float", Math.sqrt),
  rsqrt: pointwise(1, "float", (a) => 1 / Math.sqrt(a)),
  tanh: pointwise(1, "float", Math.tanh),
  logistic: pointwise(1, "float", (a) => 1 / (1 + Math.exp(-a))),
  exponentialMinusOne: pointwise(1, "float", Math.expm1),
  logPlusOne: pointwise(1, "float", Math.log1p),
  log2: pointwise(1, "float", Math.log2),
  log10: pointwise(1, "float", Math.log10),
  sine: pointwise(1, "float", Math.sin),
  cosine: pointwise(1, "float", Math.cos),
  tan: pointwise(1, "float", Math.tan),
  asin: pointwise(1, "float", Math.asin),
  acos: pointwise(1, "float", Math.acos),
  atan: pointwise(1, "float", Math.atan),
  sinh: pointwise(1, "float", Math.sinh),
  cosh: pointwise(1, "float", Math.cosh),
  asinh: pointwise(1, "float", Math.asinh),
  acosh: pointwise(1, "float", Math.acosh),
  atanh: pointwise(1, "float", Math.atanh),
  erf: pointwise(1, "float", erf),
  erfc: pointwise(1, "float", erfc),
  ceil: pointwise(1, "float", Math.ceil),
  roundNearestEven: pointwise(1, "float", roundNearestEven),
  truncate: pointwise(1, "float", Math.trunc),
  isFinite: pointwise(1, "float", (a) => Number(Number.isFinite(a)), { result: "bool" }),
  add: pointwise(2, "number", (a, b) => a + b),
  subtract: pointwise(2, "number", (a, b) => a - b),
  multiply: pointwise(2, "number", (a, b) => a * b, { integer: Math.imul }),
  divide: pointwise(2, "number", (a, b) => a / b, { integer: divideIntegers }),
  power: pointwise(2, "float", (a, b) => (a === 1 || b === 0 ? 1 : a ** b)),
  /** The rest of the truncated quotient, with the sign of the dividend. */
  remainder: pointwise(2, "number", (a, b) => a % b, { integer: remainderOfIntegers }),
  atan2: pointwise(2, "float", Math.atan2),
  maximum: pointwise(2, "any", larger),
  minimum: pointwise(2, "any", smaller),
  equal: comparison((a, b) => a === b),
  notEqual: comparison((a, b) => a !== b),
  less: comparison((a, b) => a < b),
  lessEqual: comparison((a, b) => a <= b),
  greater: comparison((a, b) => a > b),
  greaterEqual: comparison((a, b) => a >= b),
  and: pointwise(2, "bits", (a, b) => a & b),
  or: pointwise(2, "bits", (a, b) => a | b),
  xor: pointwise(2, "bits", (a, b) => a ^ b),
  /** Logical: 1 where the operand is 0. */
  not: pointwise(1, "bits", (a) => Number(a === 0), { result: "bool" }),
  shiftLeft: pointwise(2, "integer", (a, b) => (b < 0 || b > 31 ? 0 : a << b)),
  shiftRightLogical: pointwise(2, "integer", (a, b) => (b < 0 || b > 31 ? 0 : a >>> b)),
  select,
  convert,
  /** Passes its input on and stops gradients; removed before a program runs. */
  stopGradient: pointwise(1, "any", (a) => a),
};
