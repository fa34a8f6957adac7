/**
 * Parameters as axes: numbers on linear or logarithmic scales, names side by side. Read slices.ts and parallel.ts for the
 * pictures that use them.
 */
import { extent, makeScale, nameScale, type Scale } from "../../train/draw/scale.js";
import { look } from "../../train/draw/svg.js";
import type { Direction, ParameterValue, TrialRecord } from "../types.js";

/** What pictures of a study are made of. */
export interface StudyPicture {
  readonly trials: readonly TrialRecord[];
  readonly direction: Direction;
  /** What the study is called. */
  readonly title?: string;
  /** What is searched for, such as `validation.accuracy`; default `value`. */
  readonly metric?: string;
  /** Parameters to show on logarithmic scales; without it they are judged by their values. */
  readonly logarithmic?: readonly string[];
}

/** A trial that came to a value. */
export type Finished = TrialRecord & { readonly value: number };

/** The complete trials with a finite value, in the order of their numbers. */
export const finishedTrials = (trials: readonly TrialRecord[]): Finished[] =>
  trials.filter(
    (trial): trial is Finished => trial.state === "complete" && Number.isFinite(trial.value),
  );

export const isBetter = (a: number, b: number, direction: Direction): boolean =>
  direction === "minimize" ? a < b : a > b;

/** The best of them; undefined where there is none. */
export function bestOf(trials: readonly Finished[], direction: Direction): Finished | undefined {
  return trials.reduce<Finished | undefined>(
    (best, trial) => (best && !isBetter(trial.value, best.value, direction) ? best : trial),
    undefined,
  );
}

/** One parameter's axis. */
export interface ParameterAxis {
  readonly name: string;
  readonly kind: "linear" | "log" | "names";
  /** The names on the axis, for `names`. */
  readonly names: readonly string[];
  /** Where a value is: itself, or the place of its name; undefined where the axis has no place for it. */
  place(value: ParameterValue | undefined): number | undefined;
  /** The axis on paper. */
  scale(from: number, to: number, ticks?: number): Scale;
}

/** From here on a span looks better on a logarithmic scale. */
const wideRatio = 50;
const longestName = 14;

/** A path that fits: its end says more than its beginning. */
export const shortPath = (path: string, longest: number): string =>
  path.length > longest ? `…${path.slice(1 - longest)}` : path;

/** A name that fits an axis. */
export const shortName = (name: string, longest = longestName): string =>
  name.length > longest ? `${name.slice(0, longest - 1)}…` : name;

/** The axes of all parameters that took more than one value, in the order in which they first appear. */
export function parameterAxes({ trials, logarithmic }: StudyPicture): ParameterAxis[] {
  const values = new Map<string, ParameterValue[]>();
  for (const { parameters } of trials)
    for (const [name, value] of Object.entries(parameters)) {
      const list = values.get(name) ?? [];
      values.set(name, list);
      list.push(value);
    }
  return Array.from(values, ([name, list]) =>
    makeAxis(name, list, logarithmic?.includes(name)),
  ).filter((axis) => new Set(values.get(axis.name)).size > 1);
}

function makeAxis(
  name: string,
  values: readonly ParameterValue[],
  log: boolean | undefined,
): ParameterAxis {
  const numbers = values.filter((value) => typeof value === "number");
  if (numbers.length < values.length) return nameAxis(name, values);
  const [low, high] = extent(numbers);
  const kind = low > 0 && (log ?? high / low >= wideRatio) ? "log" : "linear";
  return {
    name,
    kind,
    names: [],
    place: (value) =>
      typeof value === "number" && Number.isFinite(value) && (kind === "linear" || value > 0)
        ? value
        : undefined,
    scale: (from, to, ticks = 5) => makeScale(low, high, { kind, from, to, ticks }),
  };
}

function nameAxis(name: string, values: readonly ParameterValue[]): ParameterAxis {
  const order = [...new Set(values)].sort(compareValues);
  const names = order.map((value) => shortName(String(value)));
  return {
    name,
    kind: "names",
    names,
    place: (value) => {
      const at = value === undefined ? -1 : order.indexOf(value);
      return at < 0 ? undefined : at;
    },
    scale: (from, to) => nameScale(names, { from, to }),
  };
}

/** Numbers by size and before texts. */
function compareValues(a: ParameterValue, b: ParameterValue): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number" || typeof b === "number") return typeof a === "number" ? -1 : 1;
  return String(a) < String(b) ? -1 : 1;
}

/** From pale to strong: colours that also differ in lightness, for those who do not tell hues apart. */
const shades = ["#d9dee6", "#a9c2e0", "#6c9ad0", "#2f6db8", "#163f7d"] as const;

/** The colour of a share from 0 (pale) to 1 (strong), in steps. */
export function shade(share: number): string {
  const at = Math.round(Math.min(Math.max(share, 0), 1) * (shades.length - 1));
  return shades[at]!;
}

export const shadeCount: number = shades.length;

export const bestColour: string = look.orange;

/** 0 for the worst value, 1 for the best; those beyond the worst fifth share its colour, since failures lie far off. */
export function goodness(values: readonly number[], direction: Direction): (v: number) => number {
  const sorted = [...values].sort((a, b) => (direction === "minimize" ? b - a : a - b));
  const worst = sorted[Math.floor(sorted.length / 5)] ?? 0;
  const best = sorted.at(-1) ?? 1;
  return (value) => (best === worst ? 1 : (value - worst) / (best - worst));
}
