/**
 * What a run's config.json tells of it, in whichever form a version of Gradus wrote it. Read readRun.ts for its use,
 * runConfig.ts for the form that is written.
 */
import { type FlatSettings, flattenSettings } from "../runs/settings.js";

/** Settings and facts of a run; what its configuration lacks is null or empty. */
export interface ConfigFacts {
  readonly model: string | null;
  readonly settings: FlatSettings;
  readonly facts: FlatSettings;
  readonly created: number | null;
}

type Json = Readonly<Record<string, unknown>>;

/** What says where and how a run was made, and not what it does. */
const factKeys = [
  ...[
    "versions",
    "backend",
    "git",
    "machine",
    "checkpointEvery",
    "source",
    "changes",
    "preset",
    "classes",
    "command",
  ],
];
const otherKeys = ["format", "version", "name", "created", "config", "settings"];

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const pick = (json: Json, isWanted: (key: string) => boolean): Json =>
  Object.fromEntries(Object.entries(json).filter(([key]) => isWanted(key)));

function modelName(model: unknown): string | null {
  if (typeof model === "string") return model;
  if (!isObject(model)) return null;
  const name = model.name ?? model.type ?? model.kind;
  return typeof name === "string" ? name : null;
}

/** Reads a parsed config.json. */
export function readConfigFacts(json: unknown): ConfigFacts {
  if (!isObject(json)) return { model: null, settings: {}, facts: {}, created: null };
  const inner = [json.config, json.settings].find(isObject) ?? {};
  const rest = pick(json, (key) => !factKeys.includes(key) && !otherKeys.includes(key));
  const created = typeof json.created === "string" ? Date.parse(json.created) : Number.NaN;
  return {
    model: modelName(json.model) ?? modelName(inner.model),
    settings: flattenSettings({ ...inner, ...rest }),
    facts: flattenSettings(pick(json, (key) => factKeys.includes(key))),
    created: Number.isNaN(created) ? null : created,
  };
}
