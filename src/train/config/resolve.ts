/**
 * From what was written to what is run: shorthand is written out, changes are put in, the schema checks everything and adds
 * defaults. Functions of a TypeScript file are kept apart from the plain rest. Read schema.ts first.
 */

import type { Settings } from "../experiment.js";
import type { Metric } from "../metrics/index.js";
import type { BatchSource, Loss, Model } from "../steps.js";
import type { ModelInfo } from "./models.js";
import {
  ConfigError,
  type ConfigProblem,
  choiceName,
  joinPath,
  keysAt,
  memberOf,
  problemsOf,
  schemaAt,
  shown,
  unknownKey,
  valueAt,
} from "./problems.js";
import { configSchema, type JsonSchema, type ResolvedConfig, strictJsonSchema } from "./schema.js";
import { sources } from "./sources.js";

type Plain = Record<string, unknown>;

/** What a function of a user makes a model for: the data, and the options that stand beside it. */
export interface CustomModelInfo extends ModelInfo {
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a function of a user makes loaders for. */
export interface LoadInfo {
  readonly batchSize: number;
  readonly evaluationBatchSize: number;
  readonly seed: number;
  /** At most so many training examples. */
  readonly limit?: number;
  /** Whether to change training examples at random. */
  readonly augment: boolean;
}

/** Loaders of a user's own, with what must be known of their examples. */
export interface CustomData {
  readonly train: BatchSource;
  readonly validation?: BatchSource;
  /** Data that no choice was made with. */
  readonly test?: BatchSource;
  /** Of one example's input. */
  readonly inputShape: readonly number[];
  /** How many classes there are to tell apart; or give `outputs`. */
  readonly classes?: number;
  readonly classNames?: readonly string[];
  /** How many numbers the model gives for an example; default `classes`. */
  readonly outputs?: number;
}

export type ModelFunction = (info: CustomModelInfo) => Model;
export type LoadFunction = (info: LoadInfo) => CustomData | Promise<CustomData>;

/** The functions in a configuration. */
export interface CustomParts {
  readonly model?: ModelFunction;
  readonly data?: LoadFunction;
  readonly loss?: Loss;
  readonly metrics: Readonly<Record<string, Metric>>;
}

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A text that names no data set is a path; what lies there tells the rest. */
const expandData = (value: unknown): unknown =>
  typeof value === "string" && !Object.hasOwn(sources, value) ? { path: value } : value;

/** Every shorthand written out, so that each choice is an object with a name. */
function expand(value: unknown, schema: JsonSchema | undefined): unknown {
  if (!schema) return value;
  const members = [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  if (typeof value === "string")
    return members.some((member) => choiceName(member) !== undefined) ? { name: value } : value;
  const fitting = memberOf(schema, value);
  if (Array.isArray(value)) return value.map((item) => expand(item, fitting.items));
  if (!isPlain(value)) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([key, item]) => [key, expand(item, fitting.properties?.[key])]),
  );
}

/** Where data have no kind yet, what all kinds share is known. */
function expandConfig(raw: Plain): Plain {
  const schema = strictJsonSchema();
  const data = expandData(raw.data);
  const known = { ...raw, ...(data !== undefined && { data }) };
  const result = expand(known, schema) as Plain;
  if (isPlain(data) && data.name === undefined) {
    const like = schemaAt(["data"], { data: { name: "digits" } });
    const expanded = expand({ ...data, name: "digits" }, like) as Plain;
    result.data = { ...expanded };
    delete (result.data as Plain).name;
  }
  return result;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Takes the functions out; `custom` stands in their place. */
function takeFunctions(raw: Plain): { plain: Plain; parts: CustomParts } {
  const plain = { ...raw };
  const parts: Mutable<CustomParts> = { metrics: {} };
  const take = (key: "model" | "data", inside: "build" | "load"): unknown => {
    const value = plain[key];
    if (typeof value === "function") {
      plain[key] = { name: "custom" };
      return value;
    }
    if (!isPlain(value) || typeof value[inside] !== "function") return undefined;
    const { [inside]: found, ...rest } = value;
    plain[key] = { ...rest, name: "custom" };
    return found;
  };
  const model = take("model", "build");
  const data = take("data", "load");
  if (model) parts.model = model as ModelFunction;
  if (data) parts.data = data as LoadFunction;
  if (typeof plain.loss === "function") {
    parts.loss = plain.loss as Loss;
    plain.loss = { name: "custom" };
  }
  if (isPlain(plain.metrics)) {
    const entries = Object.entries(plain.metrics);
    const own = entries.filter(([, metric]) => typeof metric === "function");
    parts.metrics = Object.fromEntries(own) as Record<string, Metric>;
    plain.metrics = entries.map(([name, metric]) =>
      typeof metric === "function" ? { name: "custom", label: name } : metric,
    );
  }
  return { plain, parts };
}

const ownOf = (value: Plain, key: PropertyKey): unknown =>
  Object.hasOwn(value, key) ? value[key as string] : undefined;

/** What a part that is not written stands for: its default choice, or settings that are all as usual. */
const unwritten = (path: readonly PropertyKey[], config: Plain): unknown =>
  structuredClone(schemaAt(path, config)?.default ?? {});

/** Puts one change in; a problem where its path leads nowhere. */
function change(config: Plain, path: string, value: unknown): ConfigProblem | undefined {
  const keys = path.split(".").map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  let at: Plain = config;
  for (const [i, key] of keys.slice(0, -1).entries()) {
    const [above, here] = [keys.slice(0, i), keys.slice(0, i + 1)];
    const next = ownOf(at, key);
    if (next === undefined) {
      if (typeof key === "number" || !keysAt(above, config).includes(key))
        return unknownKey(here, config);
      at[key] = unwritten(here, config);
    } else if (typeof next !== "object" || next === null)
      return { path, message: `leads into ${joinPath(here)}, which is ${shown(next)}` };
    at = at[key] as Plain;
  }
  const last = keys.at(-1)!;
  // Options of a user's own function are those that stand beside it.
  const isOpen = keys[0] === "model" && isPlain(at) && at.name === "custom";
  const known = isOpen ? Object.keys(at) : keysAt(keys.slice(0, -1), config);
  const isThere = isPlain(at) ? known.includes(String(last)) : Object.hasOwn(at, last);
  // A choice that is made in the same changes is checked by the schema, when all are in.
  const isLate = isPlain(at) && !isOpen && keys.length > 1 && String(last) !== "__proto__";
  if (!isThere && !isLate) return unknownKey(keys, config, known);
  at[last] = expandAt(keys, config, value);
  return undefined;
}

/** Shorthand in a change, as in `optim=sgd`. */
function expandAt(path: readonly PropertyKey[], config: Plain, value: unknown): unknown {
  if (path.length === 1 && path[0] === "data") return expandConfig({ data: value }).data;
  const named = isPlain(config.data) && config.data.name === undefined;
  const place = named ? { ...config, data: { ...(config.data as Plain), name: "digits" } } : config;
  return expand(value, schemaAt(path, place));
}

export interface Resolved {
  readonly config: ResolvedConfig;
  readonly parts: CustomParts;
}

export interface ResolveOptions {
  /** What to put in the place of settings; see {@link Settings}. */
  readonly changes?: Settings;
  /** Completes what was said of the data, such as by looking at the path, before it is checked. */
  readonly completeData?: (data: Readonly<Record<string, unknown>>) => Record<string, unknown>;
}

/**
 * Checks a configuration and writes out every default.
 *
 * @param source what to call it in errors, such as the file's name.
 * @throws ConfigError with all problems at once.
 */
export function resolveConfig(
  raw: unknown,
  source: string,
  { changes = {}, completeData = (data) => ({ ...data }) }: ResolveOptions = {},
): Resolved {
  if (!isPlain(raw)) {
    const message = `is ${shown(raw)}; expected settings such as model, data, optim, train`;
    throw new ConfigError(source, [{ path: "", message }]);
  }
  const { plain, parts } = takeFunctions(raw);
  const config = structuredClone(expandConfig(plain));
  const problems: ConfigProblem[] = [];
  for (const [path, value] of Object.entries(changes)) {
    const problem = change(config, path, value);
    if (problem) problems.push(problem);
  }
  if (isPlain(config.data)) config.data = completeData(config.data);
  const checked = configSchema.safeParse(config);
  if (!checked.success) problems.push(...problemsOf(checked.error.issues, config));
  problems.push(...missingFunctions(config, parts));
  if (problems.length > 0 || !checked.success) throw new ConfigError(source, problems);
  return { config: checked.data as unknown as ResolvedConfig, parts };
}

/** `custom` without a function, as a YAML file may say it. */
function missingFunctions(config: Plain, parts: CustomParts): ConfigProblem[] {
  const needs = [
    ["model", parts.model, "build"],
    ["data", parts.data, "load"],
    ["loss", parts.loss, ""],
  ] as const;
  return needs
    .filter(([key, part]) => valueAt(config, [key, "name"]) === "custom" && !part)
    .map(([key, , inside]) => ({
      path: key,
      message: `is custom; expected a function${inside && ` \`${inside}\``}, which a TypeScript file can give`,
    }));
}
