/**
 * What is wrong with a configuration, all at once: where, what came, what was expected, and what a misspelt word was probably
 * meant to be. Works on the schema's JSON form, so every key and choice is known from one place.
 */
import type * as z from "zod";
import { GradusError } from "../../core/errors.js";
import { suggestion } from "../../core/suggest.js";
import { type JsonSchema, strictJsonSchema } from "./schema.js";

export interface ConfigProblem {
  /** As in `optim.lr`; empty for the whole. */
  readonly path: string;
  readonly message: string;
  /** In the file, from 1, where it is known. */
  readonly line?: number;
}

/** A configuration that cannot be run, with everything that is wrong with it. */
export class ConfigError extends GradusError {
  readonly source: string;
  readonly problems: readonly ConfigProblem[];

  constructor(source: string, problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ path, message, line }) => {
      const place = line === undefined ? "" : `line ${line}: `;
      return `${place}${path ? `${path} ` : ""}${message}`;
    });
    const head =
      problems.length === 1 ? lines[0] : `${lines.length} problems\n  ${lines.join("\n  ")}`;
    super("configuration", `${source}: ${head}`);
    this.source = source;
    this.problems = problems;
  }
}

/** Where the lines of a file are told apart: of a path's key, or of the nearest one above it. */
export type LineOf = (path: readonly string[]) => number | undefined;

/**
 * Problems with their lines, in the order of these. What settings from outside of the file have put there has no line in it.
 *
 * @param changed the paths of these settings.
 */
export function withLines(
  problems: readonly ConfigProblem[],
  lineOf: LineOf | undefined,
  changed: readonly string[] = [],
): ConfigProblem[] {
  const isChanged = (path: string) =>
    changed.some((key) => `${path}.`.startsWith(`${key}.`) || key.startsWith(`${path}.`));
  return problems
    .map((problem) => {
      const { path } = problem;
      const line = problem.line ?? (isChanged(path) ? undefined : lineOf?.(path.split(".")));
      return line === undefined ? problem : { ...problem, line };
    })
    .sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || 0);
}

type Path = readonly PropertyKey[];

export const joinPath = (path: Path): string => path.map(String).join(".");

/** A value as it is shown to people. */
export function shown(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "function") return "a function";
  // JSON has no NaN and no infinity.
  if (typeof value === "number") return String(value);
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = String(value);
  }
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** A value inside of another. */
export const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((at, key) => {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    return (at as Record<PropertyKey, unknown>)[key];
  }, value);

/** A longer list of what could have been meant is left out where a word is close to one of it. */
const longList = 200;

/** What a member of a choice is called. */
export const choiceName = (schema: JsonSchema): unknown => schema.properties?.name?.const;

/** The member of a choice that a value means by its name; of other unions the one that fits its kind. */
export function memberOf(schema: JsonSchema, value: unknown): JsonSchema {
  const members = schema.oneOf ?? schema.anyOf;
  if (!members) return schema;
  const name = valueAt(value, ["name"]);
  const named = members.find(
    (member) => choiceName(member) !== undefined && choiceName(member) === name,
  );
  if (named) return named;
  const kind = Array.isArray(value) ? "array" : typeof value;
  const fitting = members.find((member) => member.type === kind);
  return fitting ? memberOf(fitting, value) : schema;
}

/** The schema of what stands at a path; undefined where nothing may stand. */
export function schemaAt(path: Path, value: unknown): JsonSchema | undefined {
  let schema: JsonSchema | undefined = strictJsonSchema();
  let at: unknown = value;
  for (const key of path) {
    schema = memberOf(schema, at);
    at = valueAt(at, [key]);
    schema =
      typeof key === "number"
        ? (schema.prefixItems?.[key] ?? schema.items)
        : schema.properties?.[String(key)];
    if (!schema) return undefined;
  }
  return schema;
}

/** The keys that an object at a path may have. */
export function keysAt(path: Path, value: unknown): string[] {
  const schema = schemaAt(path, value);
  if (!schema) return [];
  return Object.keys(memberOf(schema, valueAt(value, path)).properties ?? {});
}

const between = (least: number | undefined, above: number | undefined) =>
  least !== undefined ? ` ≥ ${least}` : above !== undefined ? ` above ${above}` : "";

function numberText(schema: JsonSchema): string {
  const whole = schema.type === "integer";
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const least = whole && minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const most = whole && maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const low = between(least, exclusiveMinimum);
  const high =
    most !== undefined
      ? ` ≤ ${most}`
      : exclusiveMaximum !== undefined
        ? ` below ${exclusiveMaximum}`
        : "";
  return `a ${whole ? "whole " : ""}number${low}${low && high ? " and" : ""}${high}`;
}

/** What a schema takes, in words. */
export function expectedOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return shown(schema.const);
  if (schema.enum) return schema.enum.map(String).join(", ");
  const members = schema.oneOf ?? schema.anyOf;
  if (members) {
    const names = members.map(choiceName);
    if (names.every((name) => name !== undefined)) return names.join(", ");
    return members.map(expectedOf).join(", or ");
  }
  if (schema.type === "number" || schema.type === "integer") return numberText(schema);
  if (schema.type === "boolean") return "true or false";
  if (schema.type === "string") return "a text";
  if (schema.prefixItems)
    return `a list of ${schema.prefixItems.length}: ${schema.prefixItems.map(expectedOf).join("; ")}`;
  if (schema.type === "array") {
    const least = schema.minItems ? ` of at least ${schema.minItems}` : "";
    return `a list${least}, each ${schema.items ? expectedOf(schema.items) : "anything"}`;
  }
  if (schema.type === "object")
    return `settings ${Object.keys(schema.properties ?? {}).join(", ")}`;
  return "something else";
}

/** The words that could stand at a place, for suggestions. */
function wordsOf(schema: JsonSchema): string[] {
  const members = schema.oneOf ?? schema.anyOf;
  if (members) return members.flatMap((member) => wordsOf(member));
  const named = choiceName(schema);
  if (named !== undefined) return [String(named)];
  return [...(schema.enum ?? []), ...(schema.const === undefined ? [] : [schema.const])].map(
    String,
  );
}

/** Says that a key does not exist, and what was probably meant; `known` are the keys that could stand there. */
export function unknownKey(
  path: Path,
  value: unknown,
  known: readonly string[] = keysAt(path.slice(0, -1), value),
): ConfigProblem {
  const hint =
    suggestion(String(path.at(-1)), known) ||
    (known.length > 0 ? `; expected ${known.join(", ")}` : "");
  return { path: joinPath(path), message: `is unknown${hint}` };
}

/** What the schema found, in words; `value` is what was checked. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], value: unknown): ConfigProblem[] {
  return issues.flatMap((issue): ConfigProblem[] => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => unknownKey([...issue.path, key], value));
    const inner = issue.code === "invalid_union" ? innerIssues(issue, value) : undefined;
    if (inner) return problemsOf(inner, value);
    const { path } = issue;
    const came = valueAt(value, path);
    const schema = schemaAt(path, value);
    // The name of a choice is told apart by all of its members.
    const isName = issue.code === "invalid_union" && path.at(-1) === "name";
    const place = isName ? schemaAt(path.slice(0, -1), value) : schema;
    const expected =
      issue.code === "custom" || issue.code === "invalid_format"
        ? issue.message
        : place
          ? expectedOf(place)
          : issue.message;
    const hint = typeof came === "string" && place ? suggestion(came, wordsOf(place)) : "";
    const shownPath = isName ? path.slice(0, -1) : path;
    const what = came === undefined ? "is missing" : `is ${shown(came)}`;
    const wanted = hint && expected.length > longList ? "" : `; expected ${expected}`;
    return [{ path: joinPath(shownPath), message: `${what}${wanted}${hint}` }];
  });
}

/** Where a union's member of the right kind was nearly met, what that member found. */
function innerIssues(
  issue: z.core.$ZodIssueInvalidUnion,
  value: unknown,
): readonly z.core.$ZodIssue[] | undefined {
  const came = valueAt(value, issue.path);
  if (typeof came !== "object" || came === null) return undefined;
  const deeper = issue.errors.find(
    (list) =>
      list.length > 0 && list.every((i) => i.path.length > 0 || i.code === "unrecognized_keys"),
  );
  return deeper?.map(
    (found) => ({ ...found, path: [...issue.path, ...found.path] }) as z.core.$ZodIssue,
  );
}
