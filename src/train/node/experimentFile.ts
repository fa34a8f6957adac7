/**
 * Experiments from files: a configuration is read, checked, and built as often as wanted, each time with other settings. The
 * command line, the doctor and the search stand on this. Read configFile.ts for the formats, ../config/build.ts for building.
 */
import { basename, dirname, extname, resolve } from "node:path";
import { type BuiltExperiment, buildExperiment, buildModel } from "../config/build.js";
import type { Examples } from "../config/data.js";
import type { RunDefinition } from "../config/define.js";
import type { ModelInfo } from "../config/models.js";
import { ConfigError, withLines } from "../config/problems.js";
import { type Resolved, resolveConfig } from "../config/resolve.js";
import type { ResolvedConfig } from "../config/schema.js";
import { sources } from "../config/sources.js";
import type { Settings } from "../experiment.js";
import type { Model } from "../steps.js";
import {
  type ConfigSource,
  parseConfigSource,
  type RawConfig,
  readConfigSource,
} from "./configFile.js";
import { completeData, fingerprintOf, openExamples } from "./dataSource.js";
import { readWeights } from "./weightsFile.js";

/** An experiment, and a digest of its data by which a resumed run knows them. */
export interface FileExperiment extends BuiltExperiment {
  readonly fingerprint?: string;
}

export interface LoadedExperiment {
  /** Checked, with every default written out: plain JSON. */
  readonly config: ResolvedConfig;
  /** The configuration's file. */
  readonly path: string;
  /** What runs are called, before date and number. */
  readonly name: string;
  /** The file's text; nothing where the configuration was made by a program. */
  readonly source?: ConfigSource;
  /** Settings that are not as the file says. */
  readonly changes: Settings;
  /** A new model as the configuration describes it, for inputs and outputs like these. */
  readonly makeModel: (info: ModelInfo) => Model;
  /** Builds the experiment, with still other settings changed if they are given. */
  readonly build: (changes?: Settings) => Promise<FileExperiment>;
}

/** Which data a configuration names, leaving out what is done with them. */
function sourceKey({ data }: ResolvedConfig): string {
  const keys = ["name", ...Object.keys(sources[data.name as keyof typeof sources].shape)];
  return JSON.stringify(keys.map((key) => data[key]));
}

/** Keeps the last data set that was read: builds of one experiment mostly share it. */
function keeper(): (config: ResolvedConfig) => Promise<Examples | undefined> {
  let last: { readonly key: string; readonly examples: Promise<Examples> } | undefined;
  return async (config) => {
    if (config.data.name === "custom") return undefined;
    const key = sourceKey(config);
    if (last?.key !== key) last = { key, examples: openExamples(config.data) };
    try {
      return await last.examples;
    } catch (error) {
      // A file that was damaged or missing may be mended by the next time.
      last = undefined;
      throw error;
    }
  };
}

/** Weights lie relative to the configuration, wherever the run goes on. */
function withAbsoluteWeights(config: ResolvedConfig, folder: string): ResolvedConfig {
  const { transfer } = config;
  if (transfer?.weights === undefined) return config;
  return { ...config, transfer: { ...transfer, weights: resolve(folder, transfer.weights) } };
}

interface ExperimentParts {
  readonly raw: RawConfig;
  readonly path: string;
  readonly source?: ConfigSource;
  readonly changes: Settings;
}

function experimentOf({ raw, path, source, changes }: ExperimentParts): LoadedExperiment {
  const name = basename(path);
  const stem = name.slice(0, name.length - extname(name).length);
  const resolveWith = (all: Settings): Resolved => {
    try {
      const resolved = resolveConfig(raw.raw, name, {
        changes: all,
        completeData: (data) => completeData(data, dirname(path)),
      });
      return { ...resolved, config: withAbsoluteWeights(resolved.config, dirname(path)) };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new ConfigError(error.source, withLines(error.problems, raw.lineOf, Object.keys(all)));
    }
  };
  const examplesOf = keeper();
  const { config, parts } = resolveWith(changes);
  const prefix = config.name ?? stem.replaceAll(/[^\p{L}\p{N}_-]/gu, "-");
  return {
    config,
    path,
    name: /^[\p{L}\p{N}_]/u.test(prefix) ? prefix : "run",
    ...(source && { source }),
    changes,
    makeModel: (info) => buildModel(config, parts, info),
    async build(more = {}) {
      const { config, parts } = resolveWith({ ...changes, ...more });
      const examples = await examplesOf(config);
      const from = config.transfer?.weights;
      const built = await buildExperiment(config, {
        parts,
        ...(examples && { examples }),
        ...(from !== undefined && { weights: readWeights(from) }),
      });
      return examples ? { ...built, fingerprint: fingerprintOf(examples) } : built;
    },
  };
}

/**
 * Reads a configuration: YAML, JSON, or TypeScript with a default export as {@link defineRun} gives it.
 *
 * @param changes settings by path to put in the place of the file's, such as `{ "optim.lr": 3e-4 }`.
 * @throws ConfigError with all problems at once: path, what came, what was expected, line; FileError where there is no file.
 * @example
 * ```ts ignore
 * import { fit } from "gradus/train";
 * import { loadExperiment } from "gradus/train/node";
 * const { build } = await loadExperiment("digits.yaml", { "train.epochs": 1 });
 * const { model, options } = await build({ "optim.lr": 3e-4 });
 * await fit(model, options);
 * ```
 */
export async function loadExperiment(
  path: string,
  changes: Settings = {},
): Promise<LoadedExperiment> {
  const source = readConfigSource(path);
  return experimentOf({ raw: await parseConfigSource(source), path: source.path, source, changes });
}

/** The experiment of a text that was kept from a file; relative paths and imports lead from where the file was. */
export async function experimentFromSource(
  source: ConfigSource,
  changes: Settings = {},
): Promise<LoadedExperiment> {
  return experimentOf({ raw: await parseConfigSource(source), path: source.path, source, changes });
}

/**
 * The experiment of a configuration that a program made; relative paths lead from the working directory.
 *
 * @param name what runs are called, before date and number.
 */
export function experimentFrom(
  definition: RunDefinition | ResolvedConfig,
  name: string,
  changes: Settings = {},
): LoadedExperiment {
  return experimentOf({ raw: { raw: definition }, path: name, changes });
}
