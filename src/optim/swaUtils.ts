/**
 * Averages of weights along a run, which often do better than the last ones: equal averages (SWA) and exponential ones (EMA).
 * Contents of `optim.swaUtils`.
 */

import { isFloat } from "../core/dtype.js";
import { ValueError } from "../core/errors.js";
import { Buffer, Module } from "../nn/module.js";
import { RunningNorm } from "../nn/norm.js";
import { cloneModule } from "../nn/utils/clone.js";
import "../ops/index.js";
import { noGrad } from "../tensor/context.js";
import { zeros } from "../tensor/create.js";
import { Tensor } from "../tensor/tensor.js";
import { cosineBetween, linearBetween } from "./lrScheduler/curves.js";
import {
  LRScheduler,
  type Place,
  perGroup,
  type Scheduled,
  type SchedulerOptions,
  wholeNumber,
} from "./lrScheduler/scheduler.js";
import { checkNames } from "./settings.js";

/** The new average from the old one, the newest value, and how many values the old one holds (at least 1), without dims. */
export type AverageFn = (averaged: Tensor, current: Tensor, count: Tensor) => Tensor;

/** Every value counts the same: a + (x − a) / (n + 1) (Izmailov et al., 2018). */
export const getSwaAvgFn = (): AverageFn => (averaged, current, count) =>
  averaged.add(current.sub(averaged).div(count.add(1).to(averaged.dtype)));

/**
 * Older values fade: decay·a + (1 − decay)·x.
 *
 * @throws ValueError unless decay is from 0 to 1.
 */
export function getEmaAvgFn(decay = 0.999): AverageFn {
  if (!(decay >= 0 && decay <= 1))
    throw new ValueError("getEmaAvgFn", `decay must be from 0 to 1, got ${decay}`);
  return (averaged, current) => averaged.mul(decay).add(current.mul(1 - decay));
}

export interface AveragedModelOptions {
  /** Default: {@link getSwaAvgFn}. */
  readonly avgFn?: AverageFn;
  /** Whether buffers are averaged too; else they are copied at each update. Default false. */
  readonly useBuffers?: boolean;
}

/**
 * A copy of a model whose weights are averages of the model's; its state is named as PyTorch's: `n_averaged`, `module.…`.
 *
 * @example
 * ```ts
 * import { compile, nn, optim, randn } from "gradus";
 * const model = new nn.Linear(2, 1);
 * const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
 * const avgFn = optim.swaUtils.getEmaAvgFn(0.9);
 * const averaged = new optim.swaUtils.AveragedModel(model, { avgFn });
 * const step = compile((x) => {
 *   optimizer.zeroGrad();
 *   model.forward(x).square().mean().backward();
 *   optimizer.step();
 *   averaged.updateParameters(model);
 * });
 * await step(randn([4, 2]));
 * console.log(averaged.nAveraged.item()); // → 1
 * ```
 */
export class AveragedModel<M extends Module = Module> extends Module {
  readonly nAveraged = new Buffer(zeros([], { dtype: "int32" }));
  /** The copy with the averages. */
  readonly module: M;
  private readonly avgFn: AverageFn;
  private readonly useBuffers: boolean;

  constructor(model: M, { avgFn = getSwaAvgFn(), useBuffers = false }: AveragedModelOptions = {}) {
    super();
    this.module = cloneModule(model);
    this.avgFn = avgFn;
    this.useBuffers = useBuffers;
  }

  override forward(...inputs: Parameters<M["forward"]>): ReturnType<M["forward"]> {
    return this.module.forward(...inputs) as ReturnType<M["forward"]>;
  }

  /**
   * Takes the model's present weights into the averages; the first time they are copied. May stand in a compiled step.
   *
   * @throws ValueError for a model of other parts.
   */
  updateParameters(model: M): void {
    const [own, other] = [this.module.stateDict(), model.stateDict()];
    if (own.size !== other.size || [...own.keys()].some((key) => !other.has(key)))
      throw new ValueError("AveragedModel", "the model has other parts than the averaged one");
    const averaged = new Set<Tensor>(this.module.parameters());
    noGrad(() => {
      const count = this.nAveraged.mul(1);
      const isFirst = count.eq(0);
      const done = new Set<Tensor>();
      for (const [key, target] of own) {
        if (done.has(target)) continue;
        done.add(target);
        const current = other.get(key)!;
        const isAveraged = averaged.has(target) || (this.useBuffers && isFloat(target.dtype));
        if (!isAveraged) target.assign(current.mul(1));
        else {
          const next = this.avgFn(target, current.detach(), count);
          target.assign(current.where(isFirst, next));
        }
      }
      this.nAveraged.assign(count.add(1));
    });
  }
}

/** Batches of inputs, or of [inputs, …]. */
export type InputSource =
  | Iterable<Tensor | readonly Tensor[]>
  | AsyncIterable<Tensor | readonly Tensor[]>;

/**
 * Measures the running statistics of all batch norms anew, over a whole data set: averaged weights give other activations
 * than those that the statistics were kept for.
 *
 * @example
 * ```ts
 * import { nn, optim, tensor } from "gradus";
 * const norm = new nn.BatchNorm1d(1);
 * await optim.swaUtils.updateBn([tensor([[1], [3]]), tensor([[5], [7]])], norm);
 * console.log(norm.runningMean?.item()); // → 4
 * ```
 */
export async function updateBn(batches: InputSource, model: Module): Promise<void> {
  await withFreshStatistics(model, async () => {
    for await (const batch of batches) {
      const x = batch instanceof Tensor ? batch : batch[0]!;
      noGrad(() => (model as { forward(x: Tensor): unknown }).forward(x));
    }
  });
}

/** The batch norms of a model that keep running statistics. */
const runningNorms = (model: Module): RunningNorm[] =>
  model
    .modules()
    .flatMap((part) => (part instanceof RunningNorm && part.runningMean ? [part] : []));

/**
 * Runs `walk`, which takes batches through the model, in training mode and with the statistics of all batch norms being their
 * means over these batches. Does nothing where there are none.
 *
 * @internal
 */
export async function withFreshStatistics(model: Module, walk: () => Promise<void>): Promise<void> {
  const norms = runningNorms(model);
  if (norms.length === 0) return;
  const modes = model.modules().map((part) => [part, part.training] as const);
  const momenta = norms.map(({ momentum }) => momentum);
  try {
    model.train();
    for (const norm of norms) {
      norm.resetRunningStats();
      norm.momentum = null;
    }
    await walk();
  } finally {
    norms.forEach((norm, i) => {
      norm.momentum = momenta[i]!;
    });
    // From the top down: each sets all below it.
    for (const [part, mode] of modes) part.train(mode);
  }
}

export interface SwaLrOptions extends SchedulerOptions {
  /** The rate at the end, for all groups or for each. */
  readonly swaLr: number | readonly number[];
  /** Steps on the way there; default 10. */
  readonly annealEpochs?: number;
  readonly annealStrategy?: "cos" | "linear";
}

/**
 * Goes from the present rate to a constant one, as for {@link AveragedModel} with equal averages.
 *
 * @throws ValueError for options out of range.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const optimizer = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const scheduler = new optim.swaUtils.SWALR(optimizer, { swaLr: 0.5, annealEpochs: 2 });
 * for (let i = 0; i < 3; i++) scheduler.step();
 * console.log(scheduler.lastLr); // → [ 0.5 ]
 * ```
 */
export class SWALR extends LRScheduler {
  constructor(optimizer: Scheduled, options: SwaLrOptions) {
    const name = "SWALR";
    checkNames(name, options, ["swaLr", "annealEpochs", "annealStrategy", "lastEpoch"]);
    const { annealEpochs = 10, annealStrategy = "cos" } = options;
    wholeNumber(name, "annealEpochs", annealEpochs, 0);
    if (annealStrategy !== "cos" && annealStrategy !== "linear")
      throw new ValueError(name, `annealStrategy must be cos or linear, got ${annealStrategy}`);
    const swaLr = perGroup(name, "swaLr", options.swaLr, optimizer);
    const between = annealStrategy === "cos" ? cosineBetween : linearBetween;
    /** How much of the way is gone after so many steps. */
    const gone = (steps: number) => {
      const t = Math.max(0, Math.min(1, steps / Math.max(1, annealEpochs)));
      return between(0, 1, t);
    };
    const rule = {
      name,
      settings: { swaLr, annealEpochs, annealStrategy },
      next({ epoch, lr, group }: Place) {
        const step = annealEpochs === 0 ? Math.max(1, epoch) : epoch;
        const [before, now, end] = [gone(step - 1), gone(step), swaLr[group]!];
        // The rate that this one came from, which another schedule may have changed meanwhile.
        const start = before === 1 ? end : (lr - before * end) / (1 - before);
        return end * now + start * (1 - now);
      },
    };
    super(optimizer, rule, options);
  }
}
