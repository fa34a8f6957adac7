/** Schedules that rise and fall, with the momentum against them. Read plateau.ts next. */
import { ValueError } from "../../core/errors.js";
import type { ParamGroup } from "../paramGroup.js";
import { checkNames, checkNumber } from "../settings.js";
import { cosineBetween, linearBetween } from "./curves.js";
import {
  checkMomentum,
  LRScheduler,
  type Place,
  perGroup,
  type Scheduled,
  type SchedulerOptions,
  setMomentum,
  wholeNumber,
} from "./scheduler.js";

export interface OneCycleOptions extends SchedulerOptions {
  /** The highest rate, for all groups or for each. */
  readonly maxLr: number | readonly number[];
  /** Steps of the whole cycle; or give `epochs` and `stepsPerEpoch`. */
  readonly totalSteps?: number;
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  /** Share of the cycle that rises; default 0.3. */
  readonly pctStart?: number;
  readonly annealStrategy?: "cos" | "linear";
  /** Whether the momentum (or beta1) falls while the rate rises; default true. */
  readonly cycleMomentum?: boolean;
  readonly baseMomentum?: number | readonly number[];
  readonly maxMomentum?: number | readonly number[];
  /** The first rate is maxLr / divFactor; default 25. */
  readonly divFactor?: number;
  /** The last rate is the first / finalDivFactor; default 1e4. */
  readonly finalDivFactor?: number;
  /** Falls back to the first rate as fast as it rose, then on to the last one; default false. */
  readonly threePhase?: boolean;
}

type Level = "initial" | "max" | "min";
/** Until `end`, from one level of the rate to another; the momentum is high at the ends of the cycle. */
type Phase = readonly [end: number, from: Level, to: Level];

function cycleSteps({ totalSteps, epochs, stepsPerEpoch }: OneCycleOptions): number {
  if (totalSteps !== undefined) return wholeNumber("OneCycleLR", "totalSteps", totalSteps);
  if (epochs === undefined || stepsPerEpoch === undefined)
    throw new ValueError("OneCycleLR", "needs totalSteps, or epochs and stepsPerEpoch");
  wholeNumber("OneCycleLR", "epochs", epochs);
  return epochs * wholeNumber("OneCycleLR", "stepsPerEpoch", stepsPerEpoch);
}

const oneCycleNames = [
  ...["maxLr", "totalSteps", "epochs", "stepsPerEpoch", "pctStart", "annealStrategy"],
  ...["cycleMomentum", "baseMomentum", "maxMomentum", "divFactor", "finalDivFactor"],
  ...["threePhase", "lastEpoch"],
];

function cyclePhases(total: number, share: number, threePhase: boolean): readonly Phase[] {
  const top = share * total - 1;
  if (!threePhase)
    return [
      [top, "initial", "max"],
      [total - 1, "max", "min"],
    ];
  return [
    [top, "initial", "max"],
    [2 * share * total - 2, "max", "initial"],
    [total - 1, "initial", "min"],
  ];
}

/**
 * One rise to a high rate and one long fall far below the first, the momentum the other way round (Smith and Topin, 2018). A step
 * is a batch.
 *
 * @throws ValueError for options out of range, an optimizer without momentum, or a step past the end.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const p = tensor([1], { requiresGrad: true });
 * const optimizer = new optim.SGD([p], { lr: 0.1, momentum: 0.9 });
 * const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, { maxLr: 1, totalSteps: 10 });
 * console.log(scheduler.lastLr); // ≈ [ 0.04 ]
 * scheduler.step();
 * scheduler.step();
 * console.log(scheduler.lastLr, optimizer.paramGroups[0]?.get("momentum")); // → [ 1 ] 0.85
 * ```
 */
export class OneCycleLR extends LRScheduler {
  constructor(optimizer: Scheduled, options: OneCycleOptions) {
    const name = "OneCycleLR";
    checkNames(name, options, oneCycleNames);
    const { pctStart = 0.3, annealStrategy = "cos", cycleMomentum = true } = options;
    const { divFactor = 25, finalDivFactor = 1e4, threePhase = false } = options;
    const { baseMomentum = 0.85, maxMomentum = 0.95, lastEpoch = -1 } = options;
    const total = cycleSteps(options);
    if (!(pctStart >= 0 && pctStart <= 1))
      throw new ValueError(name, `pctStart must be from 0 to 1, got ${pctStart}`);
    if (annealStrategy !== "cos" && annealStrategy !== "linear")
      throw new ValueError(name, `annealStrategy must be cos or linear, got ${annealStrategy}`);
    for (const [key, value] of Object.entries({ divFactor, finalDivFactor }))
      if (!(value > 0)) throw new ValueError(name, `${key} must be above 0, got ${value}`);
    const max = perGroup(name, "maxLr", options.maxLr, optimizer);
    if (cycleMomentum) checkMomentum(name, optimizer);
    const low = perGroup(name, "baseMomentum", baseMomentum, optimizer);
    const high = perGroup(name, "maxMomentum", maxMomentum, optimizer);
    const phases = cyclePhases(total, pctStart, threePhase);
    const between = annealStrategy === "cos" ? cosineBetween : linearBetween;
    const phaseAt = (epoch: number) => {
      const i = phases.findIndex(([end]) => epoch <= end);
      const found = i < 0 ? phases.length - 1 : i;
      const [end, from, to] = phases[found]!;
      const start = found === 0 ? 0 : phases[found - 1]![0];
      return { from, to, share: end === start ? 1 : (epoch - start) / (end - start) };
    };
    const rule = {
      name,
      settings: {
        ...{ totalSteps: total, maxLr: max, pctStart, annealStrategy, cycleMomentum },
        ...{ baseMomentum: low, maxMomentum: high, divFactor, finalDivFactor, threePhase },
      },
      at({ epoch, group }: Place) {
        if (epoch > total)
          throw new ValueError(name, `step ${epoch} is past the end: totalSteps is ${total}`);
        const initial = max[group]! / divFactor;
        const levels = { initial, max: max[group]!, min: initial / finalDivFactor };
        const { from, to, share } = phaseAt(epoch);
        return between(levels[from], levels[to], share);
      },
      also(group: ParamGroup, { epoch, group: i }: Place) {
        if (!cycleMomentum) return;
        const { from, to, share } = phaseAt(epoch);
        const level = (at: Level) => (at === "max" ? low[i]! : high[i]!);
        setMomentum(group, between(level(from), level(to), share));
      },
    };
    if (lastEpoch === -1)
      for (const [i, group] of optimizer.paramGroups.entries())
        group.initialLr = max[i]! / divFactor;
    super(optimizer, rule, options);
  }
}

export interface CyclicOptions extends SchedulerOptions {
  /** The lowest and the highest rate, for all groups or for each. */
  readonly baseLr: number | readonly number[];
  readonly maxLr: number | readonly number[];
  /** Steps of the rising half; default 2000. */
  readonly stepSizeUp?: number;
  /** Steps of the falling half; default as many. */
  readonly stepSizeDown?: number;
  /** Whether the height stays, halves with each cycle, or shrinks by gamma each step. */
  readonly mode?: "triangular" | "triangular2" | "expRange";
  readonly gamma?: number;
  /** Whether the momentum (or beta1) falls while the rate rises; default true. */
  readonly cycleMomentum?: boolean;
  readonly baseMomentum?: number | readonly number[];
  readonly maxMomentum?: number | readonly number[];
}

const cyclicNames = [
  ...["baseLr", "maxLr", "stepSizeUp", "stepSizeDown", "mode", "gamma", "cycleMomentum"],
  ...["baseMomentum", "maxMomentum", "lastEpoch"],
];

/**
 * Rises and falls in triangles between two rates (Smith, 2017). A step is a batch.
 *
 * @throws ValueError for options out of range, or an optimizer without momentum where that shall cycle.
 */
export class CyclicLR extends LRScheduler {
  constructor(optimizer: Scheduled, options: CyclicOptions) {
    const name = "CyclicLR";
    checkNames(name, options, cyclicNames);
    const { stepSizeUp = 2000, mode = "triangular", gamma = 1, cycleMomentum = true } = options;
    const { stepSizeDown = stepSizeUp, baseMomentum = 0.8, maxMomentum = 0.9 } = options;
    wholeNumber(name, "stepSizeUp", stepSizeUp);
    wholeNumber(name, "stepSizeDown", stepSizeDown);
    checkNumber(name, "gamma", gamma);
    if (!["triangular", "triangular2", "expRange"].includes(mode))
      throw new ValueError(name, `mode must be triangular, triangular2 or expRange, got ${mode}`);
    const base = perGroup(name, "baseLr", options.baseLr, optimizer);
    const max = perGroup(name, "maxLr", options.maxLr, optimizer);
    if (cycleMomentum) checkMomentum(name, optimizer);
    const low = perGroup(name, "baseMomentum", baseMomentum, optimizer);
    const high = perGroup(name, "maxMomentum", maxMomentum, optimizer);
    const [total, rise] = [stepSizeUp + stepSizeDown, stepSizeUp / (stepSizeUp + stepSizeDown)];
    /** How high the triangle stands at a step, from 0 to 1. */
    const heightAt = (epoch: number) => {
      const cycle = Math.floor(1 + epoch / total);
      const x = 1 + epoch / total - cycle;
      const height = x <= rise ? x / rise : (x - 1) / (rise - 1);
      if (mode === "triangular") return height;
      return height * (mode === "triangular2" ? 2 ** (1 - cycle) : gamma ** epoch);
    };
    const rule = {
      name,
      settings: {
        ...{ baseLr: base, maxLr: max, stepSizeUp, stepSizeDown, mode, gamma, cycleMomentum },
        ...{ baseMomentum: low, maxMomentum: high },
      },
      at: ({ epoch, group: i }: Place) => base[i]! + (max[i]! - base[i]!) * heightAt(epoch),
      also(group: ParamGroup, { epoch, group: i }: Place) {
        if (cycleMomentum) setMomentum(group, high[i]! - (high[i]! - low[i]!) * heightAt(epoch));
      },
    };
    if (options.lastEpoch === undefined || options.lastEpoch === -1)
      for (const [i, group] of optimizer.paramGroups.entries()) group.initialLr = base[i]!;
    super(optimizer, rule, options);
  }
}
