/** Schedules along cosines, with and without restarts (Loshchilov and Hutter, "SGDR", 2017). Read cycle.ts next. */
import { checkNames, checkNumber } from "../settings.js";
import { cosineBetween } from "./curves.js";
import {
  LRScheduler,
  type Place,
  type Scheduled,
  type SchedulerOptions,
  wholeNumber,
} from "./scheduler.js";

/**
 * Falls from the base rate to etaMin along half a cosine in tMax steps, and rises again after:
 * etaMin + (base − etaMin)·(1 + cos πt/tMax) / 2.
 *
 * @throws ValueError for a tMax that is no whole number ≥ 1.
 * @example
 * ```ts
 * import { optim, tensor } from "gradus";
 * const optimizer = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 1 });
 * const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, { tMax: 10 });
 * for (let i = 0; i < 5; i++) scheduler.step();
 * console.log(scheduler.lastLr[0]?.toFixed(3)); // → 0.500
 * ```
 */
export class CosineAnnealingLR extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    options: SchedulerOptions & { readonly tMax: number; readonly etaMin?: number },
  ) {
    checkNames("CosineAnnealingLR", options, ["tMax", "etaMin", "lastEpoch"]);
    const { etaMin = 0, lastEpoch = -1 } = options;
    const tMax = wholeNumber("CosineAnnealingLR", "tMax", options.tMax);
    checkNumber("CosineAnnealingLR", "etaMin", etaMin);
    const at = ({ epoch, base }: Place) => cosineBetween(base, etaMin, epoch / tMax);
    const wave = (epoch: number) => 1 + Math.cos((Math.PI * epoch) / tMax);
    const rule = {
      name: "CosineAnnealingLR",
      settings: { tMax, etaMin },
      at,
      next(place: Place) {
        const { epoch, lr, base } = place;
        if (epoch === 0) return lr;
        if (epoch === lastEpoch + 1) return at(place);
        // At the end of a fall the quotient of neighbours below would be 0 / 0.
        if ((epoch - 1 - tMax) % (2 * tMax) === 0)
          return lr + ((base - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2;
        return (wave(epoch) / wave(epoch - 1)) * (lr - etaMin) + etaMin;
      },
    };
    super(optimizer, rule, options);
  }
}

/**
 * Falls from the base rate to etaMin along half a cosine, then starts over; the first fall takes t0 steps, each later one tMult times
 * as many.
 *
 * @throws ValueError for a t0 or tMult that is no whole number ≥ 1.
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    options: SchedulerOptions & {
      readonly t0: number;
      readonly tMult?: number;
      readonly etaMin?: number;
    },
  ) {
    const name = "CosineAnnealingWarmRestarts";
    checkNames(name, options, ["t0", "tMult", "etaMin", "lastEpoch"]);
    const { tMult = 1, etaMin = 0 } = options;
    const t0 = wholeNumber(name, "t0", options.t0);
    wholeNumber(name, "tMult", tMult);
    checkNumber(name, "etaMin", etaMin);
    const rule = {
      name,
      settings: { t0, tMult, etaMin },
      at({ epoch, base }: Place) {
        let [start, length] = [0, t0];
        if (tMult === 1) start = Math.floor(epoch / t0) * t0;
        else for (; epoch >= start + length; length *= tMult) start += length;
        return cosineBetween(base, etaMin, (epoch - start) / length);
      },
    };
    super(optimizer, rule, options);
  }
}
