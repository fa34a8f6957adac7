/** A measure to go by: its path, and which values of it are better. Read earlyStopping.ts for its use. */
import { ValueError } from "../../core/errors.js";
import type { Place } from "../errors.js";
import type { Measures, TrainEvent } from "../events.js";
import { directionOf } from "../metrics/direction.js";

/** Whether a measure should be low or high. */
export type MonitorMode = "min" | "max";

export interface MonitorOptions {
  /** `validation.` or `train.` and a measure's name, such as `validation.accuracy`. */
  readonly monitor: string;
  /** Default `min` for a loss, `max` for accuracy and others that are known; needed for all else. */
  readonly mode?: MonitorMode;
  /** How much better counts as better; default 0: anything. */
  readonly minDelta?: number;
}

/** The best value of a measure and where it came. */
export interface Best extends Place {
  readonly monitor: string;
  readonly value: number;
}

function modeOf(op: string, name: string, mode: MonitorMode | undefined): MonitorMode {
  if (mode === "min" || mode === "max") return mode;
  if (mode !== undefined)
    throw new ValueError(op, `mode is ${JSON.stringify(mode)}; expected min or max`);
  const known = directionOf(name);
  if (known) return known;
  throw new ValueError(op, `is a low or a high ${name} better? Say mode: "min" or "max"`);
}

/** A measure to go by. */
export class Monitor {
  /** As it was given, such as `validation.accuracy`. */
  readonly path: string;
  readonly part: "train" | "validation";
  /** The measure's name. */
  readonly name: string;
  readonly mode: MonitorMode;
  readonly minDelta: number;

  /** @throws ValueError, naming `op`, for a path that is none or a mode that cannot be told. */
  constructor(op: string, options: string | MonitorOptions) {
    const given = typeof options === "string" ? { monitor: options } : options;
    const { monitor, mode, minDelta = 0 } = given;
    const { part, name } = Monitor.parse(op, monitor);
    if (!(minDelta >= 0 && Number.isFinite(minDelta)))
      throw new ValueError(op, `minDelta is ${minDelta}; expected a number ≥ 0`);
    this.path = monitor;
    this.part = part;
    this.name = name;
    this.mode = modeOf(op, name, mode);
    this.minDelta = minDelta;
  }

  /** @throws ValueError, naming `op`, for a path that is none. */
  static parse(op: string, monitor: string): Pick<Monitor, "part" | "name"> {
    const [, part, name] = /^(train|validation)\.(.+)$/.exec(String(monitor)) ?? [];
    if (part === undefined || name === undefined)
      throw new ValueError(
        op,
        `monitor is ${JSON.stringify(monitor)}; expected validation. or train. and a measure's ` +
          "name, such as validation.accuracy",
      );
    return { part: part as "train" | "validation", name };
  }

  /** The value that an event brings: at evaluations for validation, at epochs' ends for training. */
  valueIn(event: TrainEvent): number | undefined {
    if (this.part === "validation" && event.type === "evaluation")
      return measureOf(event.measures, this.path, this.name);
    if (this.part === "train" && event.type === "epoch")
      return measureOf(event.train, this.path, this.name);
    return undefined;
  }

  /** NaN is never better, and anything is better than nothing or NaN. */
  isBetter(value: number, best: number | null): boolean {
    if (Number.isNaN(value)) return false;
    if (best === null || Number.isNaN(best)) return true;
    return this.mode === "min" ? value < best - this.minDelta : value > best + this.minDelta;
  }
}

/** @throws ValueError that lists what there is, for a measure that is not there. */
export function measureOf(measures: Measures, path: string, name: string): number {
  const value = Object.hasOwn(measures, name) ? measures[name] : undefined;
  if (value !== undefined) return value;
  const names = Object.keys(measures).join(", ");
  throw new ValueError("fit", `there is no measure ${path}; there are ${names}`);
}
