/** Words and numbers about runs: their state, measures, times. Read ../commands/runsList.ts for a use. */
import {
  type BestValue,
  isShare,
  mainMeasure,
  type RunRecord,
  type RunStatus,
} from "../../train/index.js";
import { percent } from "./format.js";
import type { Style } from "./style.js";

/** A measure's value: shares as percent, others with four digits that count. */
export function measureText(measure: string, value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (isShare(measure)) return percent(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
  return size >= 1000 ? value.toFixed(0) : size >= 10 ? value.toFixed(2) : value.toFixed(4);
}

const paints: Readonly<Record<RunStatus, keyof Pick<Style, "good" | "bad" | "accent" | "dim">>> = {
  finished: "good",
  running: "accent",
  stopped: "dim",
  empty: "dim",
  failed: "bad",
  interrupted: "bad",
};

export const statusText = (status: RunStatus, style: Style): string =>
  style[paints[status]](status);

/** The best value to judge a run by: of the validation data where there are any. */
export interface Headline extends BestValue {
  readonly measure: string;
  readonly part: "validation" | "train";
}

/** The best value of a measure, or of the one that tells most; null where the run has none. */
export function headlineOf({ best }: RunRecord, measure?: string): Headline | null {
  for (const part of ["validation", "train"] as const) {
    const names = Object.keys(best[part]);
    const name = measure ?? mainMeasure(names);
    if (Object.hasOwn(best[part], name)) return { measure: name, part, ...best[part][name]! };
  }
  return null;
}

const two = (n: number): string => String(n).padStart(2, "0");

/** A time on this machine's clock: `2026-11-24 04:02`. */
export function timeText(time: number | null): string {
  if (time === null) return "";
  const at = new Date(time);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** `3/10`, or what is known of it. */
export const progressText = ({ epoch, epochs }: RunRecord): string =>
  epochs === null ? "" : `${epoch}/${epochs}`;

export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [unit, name] = bytes < 1e6 ? [1e3, "kB"] : bytes < 1e9 ? [1e6, "MB"] : [1e9, "GB"];
  return `${(bytes / (unit as number)).toPrecision(3).replace(/\.?0+$/, "")} ${name}`;
}
