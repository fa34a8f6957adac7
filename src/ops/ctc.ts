/** The loss of sequences without alignment: connectionist temporal classification. Read random.ts next. */
import { isFloat } from "../core/dtype.js";
import { DTypeError, ShapeError, ValueError } from "../core/errors.js";
import { formatShape, sameShape } from "../core/shape.js";
import type { Builder } from "../ir/builder.js";
import type { Node } from "../ir/graph.js";
import { applyOne, checkTensors, type OpSpec } from "../tensor/apply.js";
import { tensor } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { indexNodes } from "./indexing.js";
import { knownValues } from "./known.js";
import { checkReduction, type LossOptions, type Reduction, reduceLoss } from "./loss.js";

/** Stands for log 0, so that no difference of infinities is NaN; sums of many stay in float32's range. */
const never = -1e30;
const nearlyNever = -1e29;

/** log Σ eˣ of values of one shape, none of which is infinite. */
function logSum(b: Builder, values: readonly Node[]): Node {
  const top = b.stopGradient(values.reduce((x, y) => b.pointwise("maximum", x, y)));
  const powers = values.map((x) => b.pointwise("exponential", b.subtract(x, top)));
  return b.add(
    top,
    b.pointwise(
      "log",
      powers.reduce((x, y) => b.add(x, y)),
    ),
  );
}

/** Moves the states of [B, states] up by `count`; those that come in at the start are impossible. */
function shifted(b: Builder, x: Node, count: number): Node {
  const [batch, states] = x.shape as [number, number];
  if (count >= states) return b.constant(never, x.dtype, x.shape);
  const kept = b.slice(x, [0, 0], [batch, states - count]);
  return b.make("pad", [kept], { low: [0, count], high: [0, 0], interior: [0, 0], value: never });
}

/** Targets with blanks between and around them: [B, S] → [B, 2 S + 1]. */
function withBlanks(b: Builder, targets: Node, blank: number): Node {
  const [batch, length] = targets.shape as [number, number];
  if (length === 0) return b.constant(blank, "int32", [batch, 1]);
  return b.make("pad", [targets], {
    low: [0, 1],
    high: [0, 1],
    interior: [0, 1],
    value: blank,
  });
}

type CtcAttributes = {
  readonly blank: number;
  readonly reduction: Reduction;
  readonly zeroInfinity: boolean;
};

interface Alignment {
  /** Log probabilities of the states' labels, [T, B, states]. */
  readonly emissions: Node;
  /** Where a state may follow the one two before it: at a label that differs from the last, [B, states]. */
  readonly maySkip: Node;
  readonly inputLengths: Node;
}

/** One step of time, [1, B, states] → [B, states]. */
const stepOf = (b: Builder, emissions: Node, time: number): Node => {
  const [, batch, states] = emissions.shape as [number, number, number];
  return b.reshape(b.slice(emissions, [time, 0, 0], [time + 1, batch, states]), [batch, states]);
};

/** The forward variables after each example's last step (Graves et al., 2006, equations 6 and 7). */
function forwardVariables(b: Builder, { emissions, maySkip, inputLengths }: Alignment): Node {
  const [times, batch, states] = emissions.shape as [number, number, number];
  const place = b.iota(1, [batch, states]);
  let alpha = b.select(b.pointwise("less", place, 2), stepOf(b, emissions, 0), never);
  for (let time = 1; time < times; time++) {
    const skipped = b.select(maySkip, shifted(b, alpha, 2), never);
    const before = logSum(b, [alpha, shifted(b, alpha, 1), skipped]);
    const next = b.add(before, stepOf(b, emissions, time));
    const isRunning = b.pointwise("greater", inputLengths, time);
    alpha = b.select(b.broadcastTo(b.reshape(isRunning, [batch, 1]), alpha.shape), next, alpha);
  }
  return alpha;
}

/** Negative log probability of each example's targets, [B]; infinite where no alignment gives them. */
function exampleLosses(
  b: Builder,
  [scores, targets, inputLengths, targetLengths]: readonly [Node, Node, Node, Node],
  blank: number,
): Node {
  const [times, batch] = scores.shape as [number, number];
  const isPadding = b.pointwise(
    "greaterEqual",
    b.iota(1, targets.shape),
    b.reshape(targetLengths, [batch, 1]),
  );
  const labels = withBlanks(b, b.select(isPadding, blank, targets), blank);
  const states = labels.shape[1]!;
  const isLabel = b.pointwise("notEqual", labels, blank);
  const last = b.make("pad", [b.slice(labels, [0, 0], [batch, Math.max(states - 2, 0)])], {
    low: [0, Math.min(states, 2)],
    high: [0, 0],
    interior: [0, 0],
    value: blank,
  });
  const maySkip = b.pointwise("and", isLabel, b.pointwise("notEqual", labels, last));
  const index = b.make("broadcastInDim", [labels], { shape: [times, batch, states], dims: [1, 2] });
  const raw = b.make("gather", [scores, index], { dim: 2 });
  const emissions = b.select(b.pointwise("less", raw, never), never, raw);
  const alpha = forwardVariables(b, { emissions, maySkip, inputLengths });
  const end = b.reshape(b.multiply(targetLengths, 2), [batch, 1]);
  const endBefore = b.pointwise("maximum", b.subtract(end, 1), 0);
  const [blankEnd, labelEnd] = [end, endBefore].map((at) =>
    b.make("gather", [alpha, at], { dim: 1 }),
  ) as [Node, Node];
  const hasLabels = b.pointwise("greater", end, 0);
  const total = logSum(b, [blankEnd, b.select(hasLabels, labelEnd, never)]);
  const isPossible = b.pointwise("greater", total, nearlyNever);
  const losses = b.select(isPossible, b.negate(total), Number.POSITIVE_INFINITY);
  return b.reshape(losses, [batch]);
}

const ctcSpec: OpSpec<CtcAttributes> = {
  name: "ctcLoss",
  lower(b, [scores, targets, inputLengths, targetLengths], attributes) {
    const { blank, reduction, zeroInfinity } = attributes;
    const [labels, steps, lengths] = [targets!, inputLengths!, targetLengths!].map((x) =>
      indexNodes(b, "ctcLoss", x),
    ) as [Node, Node, Node];
    const losses = exampleLosses(b, [scores!, labels, steps, lengths], blank);
    const isInfinite = b.equal(losses, Number.POSITIVE_INFINITY);
    const kept = zeroInfinity ? b.select(isInfinite, 0, losses) : losses;
    if (reduction !== "mean") return reduceLoss(b, kept, reduction);
    const count = b.convert(b.pointwise("maximum", lengths, 1), kept.dtype);
    return reduceLoss(b, b.divide(kept, count), reduction);
  },
};

export interface CtcLossOptions extends LossOptions {
  /** The class that stands for no label; default 0. */
  readonly blank?: number;
  /** Takes 0 for the infinite loss of targets that are too long for their input; default false. */
  readonly zeroInfinity?: boolean;
}

/** Lengths as a tensor [B]; the values are checked where they are known. */
function lengthsOf(
  name: string,
  given: Tensor | readonly number[],
  batch: number,
  most: number,
): Tensor {
  const list = Array.isArray(given)
    ? tensor(given as number[], { dtype: "int32" })
    : (given as Tensor);
  const lengths = list.ndim === 0 ? list.reshape([1]) : list;
  if (!sameShape(lengths.shape, [batch]))
    throw new ShapeError(
      "ctcLoss",
      `${name} must be [${batch}], one an example, got ${formatShape(list.shape)}`,
    );
  const known = knownValues(lengths);
  if (known?.some((n: number) => n < 0 || n > most))
    throw new ValueError("ctcLoss", `${name} must be from 0 to ${most}, got ${[...known]}`);
  return lengths;
}

/** Targets of all examples one after another, as rows of equal length. */
function splitTargets(targets: Tensor, targetLengths: Tensor | readonly number[]): Tensor {
  if (!Array.isArray(targetLengths)) checkTensors("ctcLoss", [targetLengths as Tensor]);
  const lengths = Array.isArray(targetLengths)
    ? (targetLengths as number[])
    : [...(targetLengths as Tensor).storageFor("ctcLoss").data];
  const total = lengths.reduce((n, m) => n + m, 0);
  if (total !== targets.size)
    throw new ShapeError("ctcLoss", `${targets.size} targets, but the lengths add up to ${total}`);
  const { data } = targets.storageFor("ctcLoss");
  const most = Math.max(0, ...lengths);
  const rows = new Int32Array(lengths.length * most);
  let from = 0;
  lengths.forEach((length, i) => {
    rows.set(data.subarray(from, from + length), i * most);
    from += length;
  });
  return tensor(rows, { shape: [lengths.length, most] });
}

/**
 * −log of the probability that the inputs, read without repeats and blanks, give the targets (Graves et al., 2006), summed
 * over all alignments in log space. "mean" divides each loss by its target's length, then averages.
 *
 * x: log probabilities [T, B, classes] or [T, classes]; targets: int32 [B, S], or all of them one after another in eager
 * mode; inputLengths, targetLengths: [B] numbers or int32. The program has a step for each of the T times.
 *
 * @throws ShapeError if the shapes do not fit; ValueError if a target is no class or, in eager mode, a length is too large.
 * @example
 * ```ts
 * import { nn, tensor, zeros } from "gradus";
 * const x = zeros([4, 1, 3]).logSoftmax(2);
 * const targets = tensor([[1, 2]], { dtype: "int32" });
 * console.log(nn.functional.ctcLoss(x, targets, [4], [2]).item().toFixed(4)); // → 0.8432
 * ```
 */
export function ctcLoss(
  x: Tensor,
  targets: Tensor,
  inputLengths: Tensor | readonly number[],
  targetLengths: Tensor | readonly number[],
  options: CtcLossOptions = {},
): Tensor {
  checkTensors("ctcLoss", [x, targets]);
  const { blank = 0, reduction = "mean", zeroInfinity = false } = options;
  if (!isFloat(x.dtype)) throw new DTypeError("ctcLoss", `needs log probabilities, got ${x.dtype}`);
  if ((x.ndim !== 2 && x.ndim !== 3) || x.shape[0] === 0)
    throw new ShapeError(
      "ctcLoss",
      `expected log probabilities [T, B, classes] with T ≥ 1, got ${formatShape(x.shape)}`,
    );
  const classes = x.shape[x.ndim - 1]!;
  if (!(Number.isInteger(blank) && blank >= 0 && blank < classes))
    throw new ValueError("ctcLoss", `blank ${blank} is none of ${classes} classes`);
  checkReduction("ctcLoss", reduction);
  const scores = x.ndim === 2 ? x.reshape([x.shape[0]!, 1, classes]) : x;
  const batch = scores.shape[1]!;
  const rows = targets.ndim === 2 ? targets : splitTargets(targets, targetLengths);
  if (rows.shape[0] !== batch)
    throw new ShapeError("ctcLoss", `targets ${formatShape(targets.shape)} for ${batch} examples`);
  const steps = lengthsOf("inputLengths", inputLengths, batch, x.shape[0]!);
  const lengths = lengthsOf("targetLengths", targetLengths, batch, rows.shape[1]!);
  const loss = applyOne(ctcSpec, [scores, rows, steps, lengths], {
    blank,
    reduction,
    zeroInfinity,
  });
  return x.ndim === 2 && reduction === "none" ? loss.reshape([]) : loss;
}
