/**
 * Whether a classifier is as often right as it says: reliability by bins of confidence, calibration errors, proper scores.
 * Read temperature.ts for the remedy, draw/reliability.ts for the picture.
 */
import { ShapeError, ValueError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import type { ArrayData } from "../../io/arrayData.js";

export interface OutputForm {
  /** What the outputs are: `logits` (default), of which softmax (or, of one an example, the sigmoid) makes probabilities, or `probabilities`. */
  readonly from?: "logits" | "probabilities";
}

export interface CalibrationOptions extends OutputForm {
  /** Of the same width, from 0 to 1; default 15. */
  readonly bins?: number;
}

/** Examples of about the same confidence: over `low` up to `high`. */
export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** The mean probability of the predicted class; NaN where there are no examples. */
  readonly confidence: number;
  /** The share that was right; NaN where there are no examples. */
  readonly accuracy: number;
}

export interface Calibration {
  readonly examples: number;
  readonly accuracy: number;
  /** The mean probability of the predicted class. */
  readonly confidence: number;
  /** Expected calibration error: Σ (count / N) · |accuracy − confidence| over the bins. */
  readonly ece: number;
  /** Maximum calibration error: the largest |accuracy − confidence| of a bin. */
  readonly mce: number;
  /** Σ over the classes of (p − y)², the mean over examples: from 0 to 2. */
  readonly brier: number;
  /** −ln of the target's probability, the mean over examples. */
  readonly negativeLogLikelihood: number;
  readonly bins: readonly ReliabilityBin[];
}

/** Logits of N examples for K classes, row by row, and the target of each. */
export interface LogitTable {
  readonly logits: Float64Array;
  readonly labels: ArrayLike<number>;
  readonly classes: number;
}

/**
 * Outputs [N, K], or [N] or [N, 1] for class 1 of two, as logits in float64: of probabilities their logarithms.
 *
 * @throws ShapeError where labels do not fit; ValueError for a label that is no class, NaN, or what is no probability.
 */
export function logitTable(
  op: string,
  { shape, data }: ArrayData,
  labels: ArrayData | ArrayLike<number>,
  { from = "logits" }: OutputForm,
): LogitTable {
  if (from !== "logits" && from !== "probabilities")
    throw new ValueError(op, `from is ${String(from)}; expected logits or probabilities`);
  const list = "dtype" in labels ? (labels.data as ArrayLike<number>) : labels;
  const [count = 0, width = 1] = shape;
  if (shape.length < 1 || shape.length > 2 || count === 0 || list.length !== count) {
    const came = `outputs ${formatShape(shape)} and ${list.length} labels`;
    throw new ShapeError(op, `got ${came}; expected [N, K] and N, at least one`);
  }
  const classes = Math.max(2, width);
  const scoreOf = from === "logits" ? (x: number) => x : probabilityLog(op);
  const logits = new Float64Array(count * classes);
  for (let i = 0; i < count; i++) {
    const label = list[i]!;
    if (!(Number.isInteger(label) && label >= 0 && label < classes))
      throw new ValueError(op, `label ${i} is ${label}; expected a class from 0 to ${classes - 1}`);
    for (let k = 0; k < width; k++)
      if (Number.isNaN(data[i * width + k])) throw new ValueError(op, `output ${i} is NaN`);
    if (width > 1)
      for (let k = 0; k < width; k++) logits[i * width + k] = scoreOf(data[i * width + k]!);
    else {
      const p = data[i]!;
      logits[2 * i + 1] = from === "logits" ? p : scoreOf(p) - scoreOf(1 - p);
    }
  }
  return { logits, labels: list, classes };
}

const probabilityLog =
  (op: string) =>
  (p: number): number => {
    if (!(p >= 0 && p <= 1 + 1e-5))
      throw new ValueError(op, `the outputs hold ${p}; expected probabilities, or from: "logits"`);
    return Math.log(p);
  };

/** Softmax of a row of logits, divided by a temperature. Infinite logits have the probability 1 between them. */
export function softmaxRow(
  logits: Float64Array,
  start: number,
  classes: number,
  scale = 1,
): Float64Array {
  const row = logits.subarray(start, start + classes);
  const most = row.reduce((a, b) => Math.max(a, b));
  const powers = row.map((x) => (x === most ? 1 : Math.exp((x - most) * scale)));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / total);
}

/** What the bins are counted up from. */
interface Tally {
  count: number;
  right: number;
  confidence: number;
}

/** The bin (low, high] of a confidence; 0 belongs to the first. */
const binOf = (confidence: number, bins: number): number =>
  Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1));

/**
 * How well the probabilities of a classifier agree with how often it is right: accuracy and mean confidence by bins of confidence, the
 * expected and the maximum calibration error, Brier score and negative log likelihood (Guo et al., "On calibration of modern neural
 * networks", 2017).
 *
 * outputs: [N, K], or [N] or [N, 1] for class 1 of two; labels: N classes.
 *
 * @throws ShapeError where labels do not fit; ValueError for a label that is no class, NaN, what is no probability, or `bins` that are
 * no whole number ≥ 1.
 * @example
 * ```ts
 * import { tensor } from "gradus";
 * import { calibration } from "gradus/train";
 * const probabilities = tensor([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]]);
 * const { accuracy, confidence, ece } = calibration(probabilities, [0, 1, 1, 1], { from: "probabilities" });
 * console.log(accuracy, confidence, ece); // ≈ 0.75 0.75 0.4
 * ```
 */
export function calibration(
  outputs: ArrayData,
  labels: ArrayData | ArrayLike<number>,
  options: CalibrationOptions = {},
): Calibration {
  const { bins: count = 15 } = options;
  if (!Number.isInteger(count) || count < 1)
    throw new ValueError("calibration", `bins is ${count}; expected a whole number ≥ 1`);
  const table = logitTable("calibration", outputs, labels, options);
  const examples = table.labels.length;
  const tallies = Array.from(
    { length: count },
    (): Tally => ({ count: 0, right: 0, confidence: 0 }),
  );
  let [brier, likelihood] = [0, 0];
  for (let i = 0; i < examples; i++) {
    const row = softmaxRow(table.logits, i * table.classes, table.classes);
    const label = table.labels[i]!;
    const best = row.reduce((chosen, p, k) => (p > row[chosen]! ? k : chosen), 0);
    const tally = tallies[binOf(row[best]!, count)]!;
    tally.count++;
    tally.right += Number(best === label);
    tally.confidence += row[best]!;
    brier += row.reduce((sum, p, k) => sum + (p - Number(k === label)) ** 2, 0);
    likelihood -= Math.log(row[label]!);
  }
  return {
    ...summarize(tallies, examples),
    brier: brier / examples,
    negativeLogLikelihood: likelihood / examples,
  };
}

function summarize(tallies: readonly Tally[], examples: number) {
  const bins = tallies.map(
    ({ count, right, confidence }, i): ReliabilityBin => ({
      low: i / tallies.length,
      high: (i + 1) / tallies.length,
      count,
      confidence: confidence / count,
      accuracy: right / count,
    }),
  );
  const gaps = bins.filter(({ count }) => count > 0);
  const gapOf = (bin: ReliabilityBin) => Math.abs(bin.accuracy - bin.confidence);
  const total = (key: "right" | "confidence") =>
    tallies.reduce((sum, tally) => sum + tally[key], 0);
  return {
    examples,
    accuracy: total("right") / examples,
    confidence: total("confidence") / examples,
    ece: gaps.reduce((sum, bin) => sum + (bin.count / examples) * gapOf(bin), 0),
    mce: Math.max(...gaps.map(gapOf)),
    bins,
  };
}
