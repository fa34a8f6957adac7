/** The learning-rate range test: one short run through all rates, from far too low to far too high. Read steps/rateSearch.ts for its use. */
import { ValueError } from "../../core/errors.js";
import { DivergedError } from "../errors.js";
import type { TrainEvent } from "../events.js";
import { fit } from "../fit.js";
import type { FitOptions } from "../options.js";
import type { Model } from "../steps.js";

/** The loss at one rate. */
export interface RangePoint {
  readonly lr: number;
  readonly loss: number;
  /** A running mean that leans on the newest losses. */
  readonly smoothed: number;
}

export interface RangeTest {
  readonly points: readonly RangePoint[];
  /** Where the smoothed loss was least, and where it fell fastest. */
  readonly lowest: number;
  readonly steepest: number;
  /** A good rate: a tenth of {@link lowest}, where steps are still safe; null where the loss never fell. */
  readonly suggestion: number | null;
  /** The rate at which the loss went up for good or was no longer finite; null if it never did. */
  readonly divergence: number | null;
}

export interface RangeTestOptions {
  /** Default 1e-6 and 10. */
  readonly from?: number;
  readonly to?: number;
  /** Default 100. */
  readonly steps?: number;
}

const weight = 0.85;

/** Past this factor of the least loss the rate is too high, and going on shows nothing. */
const tooHigh = 4;

function summarise(points: readonly RangePoint[], divergence: number | null): RangeTest {
  // The mean of the first few says what nothing learned costs.
  const start =
    points.slice(0, 5).reduce((sum, { loss }) => sum + loss, 0) / Math.min(5, points.length);
  const finite = points.filter(({ smoothed }) => Number.isFinite(smoothed));
  const best = finite.reduce((a, b) => (b.smoothed < a.smoothed ? b : a), finite[0]!);
  const until = finite.slice(0, finite.indexOf(best) + 1);
  let [steepest, fall] = [best.lr, 0];
  for (let i = 2; i < until.length; i++) {
    const slope = until[i - 2]!.smoothed - until[i]!.smoothed;
    if (slope > fall) [steepest, fall] = [until[i - 1]!.lr, slope];
  }
  const hasFallen = best.smoothed < 0.95 * start;
  return {
    ...{ points, lowest: best.lr, steepest, divergence },
    suggestion: hasFallen ? Number((best.lr / 10).toPrecision(2)) : null,
  };
}

/**
 * Trains with a rate that rises exponentially from step to step, and tells at which rate the loss falls, is lowest and explodes (Smith
 * 2017, Cyclical Learning Rates for Training Neural Networks). The model is of no use afterwards.
 *
 * @throws ValueError for rates or steps out of range.
 * @example
 * ```ts
 * import { data, manualSeed, nn, optim, randn } from "gradus";
 * import { rangeTest } from "gradus/train";
 * manualSeed(0);
 * const x = randn([128, 4]);
 * const y = x.narrow(1, 0, 1).squeeze(1).gt(0).to("int32");
 * const model = new nn.Linear(4, 2);
 * const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
 * const train = new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 16 });
 * const { suggestion } = await rangeTest(model, { optimizer, train, epochs: 1 });
 * console.log(suggestion! > 1e-3 && suggestion! <= 1); // → true
 * ```
 */
export async function rangeTest(
  model: Model,
  options: FitOptions,
  { from = 1e-6, to = 10, steps = 100 }: RangeTestOptions = {},
): Promise<RangeTest> {
  if (!(from > 0 && to > from && Number.isFinite(to)))
    throw new ValueError("rangeTest", `rates from ${from} to ${to}; expected 0 < from < to`);
  if (!Number.isInteger(steps) || steps < 10)
    throw new ValueError("rangeTest", `steps is ${steps}; expected a whole number ≥ 10`);
  const base = options.optimizer.paramGroups[0]!.lr;
  if (!(base > 0)) throw new ValueError("rangeTest", "the optimizer's learning rate is 0");
  const points: RangePoint[] = [];
  let [sum, total, least] = [0, 0, Number.POSITIVE_INFINITY];
  let divergence: number | null = null;
  const note = ({ loss, lr }: { readonly loss: number; readonly lr: number }): boolean => {
    sum = weight * sum + (1 - weight) * loss;
    total = weight * total + (1 - weight);
    const smoothed = sum / total;
    points.push({ lr, loss, smoothed });
    least = Math.min(least, smoothed);
    if (points.length <= 5 || smoothed < tooHigh * Math.max(least, 1e-12)) return true;
    divergence = lr;
    return false;
  };
  const { onEvent, train } = options;
  const { validation: _, earlyStopping: __, ema: ___, checkpoint: ____, ...rest } = options;
  try {
    await fit(model, {
      ...rest,
      maxSteps: steps,
      epochs: Math.ceil(steps / train.length),
      schedule: (done) => (from / base) * (to / from) ** ((done * steps) / (steps - 1)),
      callbacks: [
        (event: TrainEvent, run) => {
          if (event.type === "step" && !note(event)) run.stop("the loss has gone up for good");
        },
      ],
      ...(onEvent && { onEvent }),
    });
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    divergence = options.optimizer.paramGroups[0]!.lr;
  }
  if (points.length === 0)
    return { points, lowest: from, steepest: from, suggestion: null, divergence };
  return summarise(points, divergence);
}
