/** Likely causes of values that are not finite, from the op and the ranges of its inputs. Read anomaly.ts for where they come from. */
import { shortNumber, type ValueRange } from "./ranges.js";

/** What is known about the op that made the value. */
export interface Circumstances {
  readonly op: string;
  readonly isBackward: boolean;
  /** Its inputs in the forward pass. */
  readonly inputs: readonly ValueRange[];
  /** In the backward pass: the gradients that arrived. */
  readonly arriving: readonly ValueRange[];
}

type Rule = (inputs: readonly ValueRange[], about: Circumstances) => string | null;

const float32 = { largest: 3.4e38, expLimit: 88.7 };

const size = ({ min, max }: ValueRange): number => Math.max(Math.abs(min), Math.abs(max), 0);

const hasZeros = ({ zeros }: ValueRange): boolean => zeros > 0;

const log: Rule = ([x]) => {
  if (!x) return null;
  if (x.min < 0) return `log of a negative number (${shortNumber(x.min)}); clamp its input above 0`;
  if (!hasZeros(x)) return null;
  return "log of 0; add a small eps to its input, or use logSoftmax or crossEntropy on logits";
};

const division: Rule = (inputs) => {
  const divisor = inputs.at(-1);
  if (!divisor || !hasZeros(divisor)) return null;
  return "division by 0; add a small eps to the divisor, or leave out what it counts nothing of";
};

const exp: Rule = ([x]) =>
  x && x.max > float32.expLimit
    ? `overflow of exp: its input reaches ${shortNumber(x.max)}, float32 ends at e^88.7; ` +
      "subtract the maximum first, as softmax and logsumexp do"
    : null;

const root: Rule = ([x]) => {
  if (!x) return null;
  if (x.min < 0) return `root of a negative number (${shortNumber(x.min)}); clamp its input at 0`;
  return hasZeros(x) ? "1 divided by the root of 0; add a small eps under the root" : null;
};

const power: Rule = ([base, exponent]) => {
  if (!base) return null;
  const least = exponent?.min ?? Number.NaN;
  if (hasZeros(base) && least < 0) return "0 to a negative power; add a small eps to the base";
  if (base.min < 0)
    return `a negative base (${shortNumber(base.min)}) to a power that is no whole number`;
  return null;
};

const inverseSine: Rule = ([x]) =>
  x && size(x) > 1
    ? `its input reaches ${shortNumber(size(x))}, outside of [-1, 1]; clamp it`
    : null;

const oneValue: Rule = ([x]) =>
  x
    ? "the spread of a single value, which is 0/0; pass { correction: 0 }, or batches of more"
    : null;

const noTarget: Rule = () =>
  "no target of the batch counts (all are ignoreIndex), so the mean is 0/0; or logits that overflow";

const forwardRules: Readonly<Record<string, Rule>> = {
  ...{ log, log2: log, log10: log, log1p: log, xlogy: log, logit: log },
  ...{ div: division, reciprocal: division, remainder: division, fmod: division },
  ...{ exp, expm1: exp, exp2: exp, sinh: exp, cosh: exp },
  ...{ sqrt: root, rsqrt: root, pow: power },
  ...{ asin: inverseSine, acos: inverseSine, atanh: inverseSine },
  ...{ std: oneValue, var: oneValue, crossEntropy: noTarget, nllLoss: noTarget },
};

const rootSlope: Rule = ([x]) =>
  x && hasZeros(x)
    ? "the gradient of a root (or norm) at 0 is infinite; add a small eps under the root"
    : null;

const logSlope: Rule = ([x], { arriving }) => {
  if (!x || !hasZeros(x)) return null;
  const isUnused = arriving.some(hasZeros);
  const hint = isUnused
    ? "; where() does not help here, since 0 · ∞ is NaN: clamp the input before the log"
    : "; add a small eps to its input";
  return `the gradient 1/x of log at 0 is infinite${hint}`;
};

const backwardRules: Readonly<Record<string, Rule>> = {
  ...{ sqrt: rootSlope, rsqrt: rootSlope, norm: rootSlope, std: rootSlope, hypot: rootSlope },
  ...{ vectorNorm: rootSlope, matrixNorm: rootSlope, cdist: rootSlope, pow: rootSlope },
  ...{ log: logSlope, log2: logSlope, log10: logSlope, xlogy: logSlope },
  ...{ div: division, reciprocal: division, exp },
  ...{ asin: inverseSine, acos: inverseSine },
};

/** Rows that hold nothing but -∞: nothing may be attended to. */
const masked: Rule = (inputs) =>
  inputs.some(({ infinities }) => infinities > 0)
    ? "infinite inputs, as of a mask: a row in which everything is masked leaves softmax 0/0; leave one place open"
    : null;

const overflow: Rule = (inputs, { arriving, isBackward }) => {
  const largest = Math.max(0, ...inputs.map(size).filter(Number.isFinite));
  const gradient = Math.max(0, ...arriving.map(size).filter(Number.isFinite));
  if (isBackward && gradient > 1e6)
    return (
      `exploding gradients: they arrive as large as ${shortNumber(gradient)}; clip them, lower the ` +
      "learning rate, or normalise the layers before"
    );
  if (largest > 1e6)
    return (
      `exploding values: inputs are as large as ${shortNumber(largest)}, float32 ends at 3.4e38; lower ` +
      "the learning rate, check the scale of data and first weights"
    );
  return null;
};

/** A sentence that says why an op probably gave what is not finite. */
export function causeOf(about: Circumstances): string {
  const { op, isBackward, inputs } = about;
  const rules = isBackward ? backwardRules : forwardRules;
  const empty = inputs.find(({ shape }) => shape.includes(0));
  return (
    rules[op]?.(inputs, about) ??
    masked(inputs, about) ??
    overflow(inputs, about) ??
    (empty ? `${empty.name} is empty: a mean of nothing is 0/0` : null) ??
    "its inputs are finite and not large: the function has no finite value there"
  );
}
