/** How the learning rate changes over a run: functions from the share of the run that is done to a factor. */
import { ValueError } from "../core/errors.js";

/** The factor of the learning rate, given the share of the run's steps that are done, from 0 to below 1. */
export type Schedule = (done: number) => number;

export interface CosineOptions {
  /** The share of the run over which the rate rises from near 0; default 0. */
  readonly warmup?: number;
  /** The factor at the end; default 0. */
  readonly end?: number;
}

/**
 * Rises linearly over the warm-up, then falls along half a cosine: end + (1 − end)·(1 + cos πt) / 2, with t from 0 to 1
 * (Loshchilov and Hutter, "SGDR", 2017).
 *
 * @throws ValueError unless warmup and end are from 0 to 1.
 * @example
 * ```ts
 * import { cosineSchedule } from "gradus/train";
 * const factor = cosineSchedule({ warmup: 0.1 });
 * console.log(factor(0.05), factor(0.1), factor(0.55).toFixed(2)); // → 0.5 1 0.50
 * ```
 */
export function cosineSchedule(options: CosineOptions = {}): Schedule {
  const { warmup = 0, end = 0 } = options;
  for (const [name, value] of Object.entries({ warmup, end }))
    if (!(value >= 0 && value <= 1))
      throw new ValueError("cosineSchedule", `${name} is ${value}; expected 0 to 1`);
  return (done) => {
    if (done < warmup) return done / warmup;
    const t = warmup < 1 ? (done - warmup) / (1 - warmup) : 1;
    return end + ((1 - end) * (1 + Math.cos(Math.PI * t))) / 2;
  };
}

/** The same rate all along. */
export const constantSchedule: Schedule = () => 1;
