/** Settings of a run by path, from a configuration of any form, and what differs between runs. Read readRun.ts next. */

/** What a setting may be; lists are written as one text. */
export type SettingValue = string | number | boolean | null;

export type FlatSettings = Readonly<Record<string, SettingValue>>;

const most = { settings: 500, depth: 8, text: 200 } as const;

const clip = (text: string): string =>
  text.length > most.text ? `${text.slice(0, most.text - 1)}…` : text;

/**
 * The values of nested objects by path, as `optim.lr`.
 *
 * @example
 * ```ts
 * import { flattenSettings } from "gradus/train";
 * console.log(flattenSettings({ optim: { name: "adam", betas: [0.9, 0.99] } }));
 * // → { 'optim.name': 'adam', 'optim.betas': '[0.9,0.99]' }
 * ```
 */
export function flattenSettings(value: unknown): FlatSettings {
  const flat: [string, SettingValue][] = [];
  const walk = (item: unknown, path: string, depth: number): void => {
    if (flat.length >= most.settings || item === undefined) return;
    if (typeof item !== "object" || item === null) {
      flat.push([path, simple(item)]);
      return;
    }
    if (Array.isArray(item) || depth >= most.depth) {
      flat.push([path, asJson(item)]);
      return;
    }
    for (const [key, inner] of Object.entries(item))
      walk(inner, path === "" ? key : `${path}.${key}`, depth + 1);
  };
  if (typeof value === "object" && value !== null && !Array.isArray(value)) walk(value, "", 0);
  return Object.fromEntries(flat);
}

function asJson(value: object): string {
  try {
    return clip(JSON.stringify(value));
  } catch {
    // Too deep to be written.
    return "…";
  }
}

function simple(value: unknown): SettingValue {
  if (value === null || typeof value === "number" || typeof value === "boolean") return value;
  return clip(String(value));
}

/** A setting that is not the same in all runs, with its value in each; undefined where a run lacks it. */
export interface SettingDifference {
  readonly setting: string;
  readonly values: readonly (SettingValue | undefined)[];
}

/** The settings that differ between runs, in the order in which they are first met. */
export function differingSettings(runs: readonly FlatSettings[]): SettingDifference[] {
  const names = new Set(runs.flatMap((settings) => Object.keys(settings)));
  return [...names]
    .map((setting) => ({
      setting,
      values: runs.map((run) => (Object.hasOwn(run, setting) ? run[setting] : undefined)),
    }))
    .filter(({ values }) => values.some((value) => !Object.is(value, values[0])));
}
