/** The samples of transcendental.ts. */
import {
  given,
  kink,
  type OpSamples,
  type Sample,
  type SampleSet,
  sample,
  typed,
  unlike,
} from "../tensor/defineOp.js";
import { named, type Unary, unarySamples, wholeSamples } from "./elementary.js";
import { type Binary, binarySamples, namedBinary, noBroadcast } from "./pointwise.js";
import {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cosh,
  erf,
  erfc,
  expm1,
  hypot,
  log1p,
  log2,
  log10,
  logaddexp,
  sinc,
  sinh,
  tan,
  xlogy,
} from "./transcendental.js";

const infinity = Number.POSITIVE_INFINITY;
const ends = [infinity, -infinity, 0, 1];

type Row = readonly [string, Unary, readonly [number, number], readonly number[], number?];

/** Functions with the range and the special arguments that they are tried on, and the least whole number. */
const rows: readonly Row[] = [
  ["expm1", expm1, [-2, 2], [...ends, 1e-7, -1e-7, 80]],
  ["log1p", log1p, [-0.8, 2], [infinity, -1, 0, 1e-7, -1e-7], 0],
  ["log2", log2, [0.2, 3], [...ends, 8, -1], 1],
  ["log10", log10, [0.2, 3], [...ends, 1000, -1], 1],
  ["tan", tan, [-1.3, 1.3], [...ends, 100]],
  ["asin", asin, [-0.9, 0.9], [1, -1, 0, 2]],
  ["acos", acos, [-0.9, 0.9], [1, -1, 0, 2]],
  ["atan", atan, [-2, 2], ends],
  ["sinh", sinh, [-2, 2], [...ends, 1e-7, 50]],
  ["cosh", cosh, [-2, 2], [...ends, 50]],
  ["asinh", asinh, [-2, 2], [...ends, 1e-7, 1e10, -1e10]],
  ["acosh", acosh, [1.2, 3], [infinity, 1, 0, 1e10], 1],
  ["atanh", atanh, [-0.9, 0.9], [1, -1, 0, 2, 1e-7]],
  ["erf", erf, [-2, 2], [...ends, 1e-7, 4, -4]],
  ["erfc", erfc, [-2, 2], [...ends, 5, -5, 9]],
  ["sinc", sinc, [-2, 2], [...ends, -0.5]],
];

const unarySet = (): OpSamples[] =>
  rows.map(([op, fn, range, special, low]) => ({
    op,
    samples: [
      ...unarySamples(fn, named(op), range, special),
      ...wholeSamples(fn, named(op), low),
      sample([typed("bool", [4])], (a) => fn(a), `torch.${op}(a)`),
    ],
  }));

/** PyTorch's hypot and logaddexp take floats only, and give no gradient at infinity. */
const isPlainSample = ({ inputs }: Sample): boolean =>
  inputs.every(
    ({ dtype = "float32", values = [] }) => dtype.startsWith("float") && !values.includes(infinity),
  );

/** What PyTorch negates on its way back cannot be bool. */
const hasBool = ({ inputs }: Sample): boolean => inputs.some(({ dtype }) => dtype === "bool");

function binarySet(
  op: string,
  fn: Binary,
  range?: readonly [number, number],
  extra: readonly Sample[] = [],
): OpSamples {
  const takesWhole = op === "atan2" || op === "xlogy";
  const samples = binarySamples(fn, namedBinary(op), range);
  return {
    op,
    samples: [
      ...samples.filter((x) => (takesWhole ? op === "xlogy" || !hasBool(x) : isPlainSample(x))),
      ...extra,
    ],
    bad: noBroadcast(op, fn),
  };
}

const pairs = (fn: Binary, op: string, x: readonly number[], y: readonly number[]): Sample =>
  kink([given([x.length], x), given([y.length], y)], fn, `torch.${op}(a, b)`);

export const transcendentalSamples: SampleSet = () => [
  ...unarySet(),
  binarySet("atan2", atan2, undefined, [
    pairs(atan2, "atan2", [1, 1, -1, -1, 0, 1, -1], [1, -1, 1, -1, 2, 0, 0]),
  ]),
  binarySet("hypot", hypot, undefined, [
    pairs(hypot, "hypot", [3, 0, -5, 1e30], [4, 2, 0, 1e30]),
    pairs(hypot, "hypot", [infinity, Number.NaN, 1], [Number.NaN, -infinity, Number.NaN]),
  ]),
  binarySet("logaddexp", logaddexp, undefined, [
    pairs(logaddexp, "logaddexp", [1000, 0, -1000, 2], [1000, 100, -1001, 2]),
    kink(
      [given([2], [1, 2])],
      (a) => logaddexp(a, -infinity),
      "torch.logaddexp(a, torch.tensor(-float('inf')))",
    ),
    unlike(
      [given([2], [infinity, -infinity]), given([2], [infinity, -infinity])],
      logaddexp,
      "PyTorch's gradient is NaN where both are infinite",
    ),
  ]),
  binarySet(
    "xlogy",
    xlogy,
    [0.2, 2],
    [kink([given([4], [0, 1, 2, 0])], (a) => xlogy(a, 3), "torch.xlogy(a, 3)")],
  ),
];
