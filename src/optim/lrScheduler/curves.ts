/** Curves from 1 down to 0, or between two values, that schedules are made of. */

/** Half a cosine from `start` at t = 0 to `end` at t = 1. */
export const cosineBetween = (start: number, end: number, t: number): number =>
  end + ((start - end) * (1 + Math.cos(Math.PI * t))) / 2;

export const linearBetween = (start: number, end: number, t: number): number =>
  start + (end - start) * t;
