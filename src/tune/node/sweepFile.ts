/**
 * Reads a sweep's file: YAML, JSON or TypeScript, checked as a whole, with every default written out. Read
 * ../sweepDefinition.ts for what it may say.
 */
import { basename, dirname, extname, resolve } from "node:path";
import { z } from "zod";
import { GradusError } from "../../core/errors.js";
import { suggestion } from "../../core/suggest.js";
import {
  ConfigError,
  type ConfigProblem,
  joinPath,
  shown,
  valueAt,
  withLines,
} from "../../train/config/problems.js";
import { isLowerBetter, type Settings } from "../../train/index.js";
import {
  type ConfigSource,
  parseConfigSource,
  readConfigSource,
} from "../../train/node/configFile.js";
import { makePruner } from "../pruners/make.js";
import { makeSampler } from "../samplers/make.js";
import { Space } from "../space/space.js";
import type { NamedOptions } from "../storage.js";
import type { Direction } from "../types.js";
import { metricReader } from "./experimentTask.js";
import { expandSpace, ShorthandError } from "./spaceShorthand.js";

/** Where the configuration of a sweep's trials is. */
export interface RunSource extends ConfigSource {
  /** Whether it is the `run` of a sweep's file, and not a file of its own. */
  readonly isInside: boolean;
}

/** A stage with every default written out. */
export interface ResolvedStage {
  readonly trials: number;
  readonly set: Settings;
  readonly keep: number;
  readonly again: number;
  readonly sampler: NamedOptions;
  readonly pruner: NamedOptions;
}

/** A sweep as it is run. */
export interface ResolvedSweep {
  readonly name: string;
  readonly run: RunSource;
  readonly space: Space;
  readonly metric: string;
  readonly direction: Direction;
  readonly take: "last" | "best";
  readonly workers?: number;
  readonly threads?: number;
  /** One, unless it goes from coarse to fine. */
  readonly stages: readonly ResolvedStage[];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A name, or settings with a name under `kind` or `name`. */
const named = (make: (settings: unknown) => { readonly settings: NamedOptions }) =>
  z.unknown().transform((value, context): NamedOptions => {
    const { name, ...rest } = isRecord(value) ? value : { name: value };
    try {
      return make({ ...(name !== undefined && { kind: name }), ...rest }).settings;
    } catch (error) {
      if (!(error instanceof GradusError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  });

const count = (most: number) => z.int().min(1).max(most);
const settings = z.record(z.string(), z.unknown());
const [sampler, pruner] = [named(makeSampler), named(makePruner)];

const metric = z.string().superRefine((path, context) => {
  try {
    metricReader(path);
  } catch {
    const message = "train. or validation. and a name, such as validation.accuracy";
    context.addIssue({ code: "custom", message });
  }
});

const space = z.unknown().transform((tree, context): Space => {
  try {
    return new Space(expandSpace(tree));
  } catch (error) {
    if (!(error instanceof GradusError || error instanceof ShorthandError)) throw error;
    const path = error instanceof ShorthandError ? [...error.path] : [];
    context.addIssue({ code: "custom", message: error.message, path });
    return z.NEVER;
  }
});

const stage = z.strictObject({
  trials: count(1_000_000),
  set: settings.default({}),
  keep: z.number().gt(0).max(1).default(0.25),
  again: z.int().min(0).max(1000).default(1),
  sampler: sampler.optional(),
  pruner: pruner.optional(),
});

const schema = z.strictObject({
  name: z
    .string()
    .regex(/^[\p{L}\p{N}_][\p{L}\p{N}._-]{0,79}$/u, "letters, digits, - _ .")
    .optional(),
  run: z.union([z.string().min(1), z.record(z.string(), z.unknown())], "a path or a configuration"),
  space,
  metric,
  direction: z.enum(["minimize", "maximize"]).optional(),
  take: z.enum(["last", "best"]).default("last"),
  sampler: sampler.prefault("tpe"),
  pruner: pruner.prefault("none"),
  trials: count(1_000_000).optional(),
  workers: count(1024).optional(),
  threads: count(1024).optional(),
  set: settings.default({}),
  stages: z.array(stage).min(1).max(100).optional(),
});

const defaultTrials = 20;

const expectations: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "a text",
  record: "settings by path",
  object: "settings by name",
  array: "a list",
};

function problemOf(issue: z.core.$ZodIssue, value: unknown): ConfigProblem[] {
  const path = joinPath(issue.path);
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(issue.path[0] === "stages" ? stage.shape : schema.shape);
    return issue.keys.map((key) => ({
      path: joinPath([...issue.path, key]),
      message: `is unknown${suggestion(key, known) || `; expected ${known.join(", ")}`}`,
    }));
  }
  const came = valueAt(value, issue.path);
  const what = came === undefined ? "is missing" : `is ${shown(came)}`;
  return [{ path, message: `${what}; ${expected(issue)}` }];
}

function expected(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type")
    return `expected ${expectations[issue.expected] ?? issue.expected}`;
  if (issue.code === "too_small")
    return `expected ${issue.inclusive ? "≥" : "above"} ${issue.minimum}`;
  if (issue.code === "too_big") return `expected at most ${issue.maximum}`;
  if (issue.code === "invalid_value") return `expected ${issue.values.join(" or ")}`;
  return issue.message.includes("expected") ? issue.message : `expected ${issue.message}`;
}

/**
 * Reads and checks a sweep.
 *
 * @throws ConfigError with all problems at once: path, what came, what was expected, line; FileError where a file is missing.
 */
export async function loadSweep(path: string): Promise<ResolvedSweep> {
  const source = readConfigSource(path);
  const raw = await parseConfigSource(source);
  const name = basename(path);
  const checked = schema.safeParse(raw.raw);
  if (!checked.success) {
    const problems = checked.error.issues.flatMap((issue) => problemOf(issue, raw.raw));
    throw new ConfigError(name, withLines(problems, raw.lineOf));
  }
  const { stages, trials, set, ...rest } = checked.data;
  if (stages && trials !== undefined) {
    const message = "stands beside stages; expected the trials of each stage there";
    throw new ConfigError(name, withLines([{ path: "trials", message }], raw.lineOf));
  }
  const single = { trials: trials ?? defaultTrials, set: {}, keep: 1, again: 0 };
  const { workers, threads } = rest;
  return {
    name: rest.name ?? name.slice(0, name.length - extname(name).length),
    run: runSource(rest.run, source),
    space: rest.space,
    metric: rest.metric,
    direction: rest.direction ?? (isLowerBetter(rest.metric) ? "minimize" : "maximize"),
    take: rest.take,
    ...(workers !== undefined && { workers }),
    ...(threads !== undefined && { threads }),
    stages: (stages ?? [single]).map((one) => ({
      ...{ sampler: rest.sampler, pruner: rest.pruner },
      ...one,
      set: { ...set, ...one.set },
    })),
  };
}

function runSource(run: string | object, sweep: ConfigSource): RunSource {
  if (typeof run !== "string") return { ...sweep, isInside: true };
  return { ...readConfigSource(resolve(dirname(sweep.path), run)), isInside: false };
}

/** The same sweep with settings changed for all trials. */
export const withSettings = (sweep: ResolvedSweep, set: Settings): ResolvedSweep => ({
  ...sweep,
  stages: sweep.stages.map((stage) => ({ ...stage, set: { ...stage.set, ...set } })),
});

/** What the configuration of a sweep's trials says, before any check. */
export async function readRun(source: RunSource): Promise<unknown> {
  const { raw } = await parseConfigSource(source);
  return source.isInside ? valueAt(raw, ["run"]) : raw;
}
