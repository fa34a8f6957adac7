/** From what `gradus train` was asked for to an experiment: recipes by name, configurations by path, settings from options. */
import * as fs from "node:fs";
import { basename, join, resolve } from "node:path";
import type { BackendName } from "../../backend/contract.js";
import { GradusError } from "../../core/errors.js";
import { fashionMnistClasses } from "../../data/sources/labelled.js";
import {
  ConfigError,
  lenetRecipe,
  type OptimizerName,
  type RecipeSettings,
  type Settings,
} from "../../train/index.js";
import {
  type CheckpointInterval,
  checkRunName,
  experimentFrom,
  type LoadedExperiment,
  loadExperiment,
  parseSetting,
  runFiles,
} from "../../train/node/index.js";
import { briefly, UsageError } from "../errors.js";
import { shellWord, suggestion } from "../terminal/format.js";

export interface TrainOptions {
  readonly set: readonly string[];
  readonly data?: string;
  readonly classes?: readonly string[];
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly lr?: number;
  readonly optimizer?: OptimizerName;
  readonly seed?: number;
  readonly shift?: number;
  readonly name?: string;
  readonly runs: string;
  readonly resume?: string;
  readonly backend?: BackendName;
  readonly threads?: number;
  readonly checkpointEvery?: CheckpointInterval;
  readonly tensorboard?: string;
  readonly quiet?: boolean;
}

export const presetNames = ["lenet"] as const;

/** A wrong configuration is wrong input. */
async function asUsage<T>(body: () => T | Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(briefly(error));
    throw error;
  }
}

/** Settings given by `--set`, in order. */
export function settingsOf(words: readonly string[]): Settings {
  const entries = words.map((word) => {
    try {
      return parseSetting(word);
    } catch (error) {
      if (error instanceof GradusError) throw new UsageError(`--set ${word}: ${briefly(error)}`);
      throw error;
    }
  });
  return Object.fromEntries(entries);
}

function dataFolder({ data, classes }: TrainOptions): RecipeSettings["data"] {
  if (data === undefined) {
    if (classes) throw new UsageError("--classes needs --data: the digits have their names");
    return undefined;
  }
  if (!(fs.statSync(data, { throwIfNoEntry: false })?.isDirectory() ?? false))
    throw new UsageError(
      `--data ${data}: ${fs.existsSync(data) ? "is no folder" : "no such folder"}`,
    );
  const path = resolve(data);
  const names = classes ?? (basename(path) === "fashion-mnist" ? fashionMnistClasses : undefined);
  return { path, ...(names && { classNames: names }) };
}

function lenet(options: TrainOptions): Promise<LoadedExperiment> {
  const { epochs, batchSize, lr, optimizer, seed, shift } = options;
  const given = Object.entries({ epochs, batchSize, lr, optimizer, seed, shift });
  const data = dataFolder(options);
  const recipe = lenetRecipe({
    ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
    ...(data && { data }),
  });
  return asUsage(() => experimentFrom(recipe, "lenet", settingsOf(options.set)));
}

/** The options that stand for settings of every configuration. */
function commonSettings(options: TrainOptions): Settings {
  const { epochs, batchSize, lr, optimizer, seed } = options;
  const only = Object.entries({
    data: options.data,
    classes: options.classes,
    shift: options.shift,
  });
  const wrong = only.find(([, value]) => value !== undefined)?.[0];
  if (wrong)
    throw new UsageError(
      `--${wrong} is for lenet; in a configuration say it under data, or by --set`,
    );
  const paths = {
    "optim.name": optimizer,
    "optim.lr": lr,
    "train.epochs": epochs,
    "train.batchSize": batchSize,
    "train.seed": seed,
  };
  return Object.fromEntries(Object.entries(paths).filter(([, value]) => value !== undefined));
}

/**
 * The experiment that a word names: a recipe, or a configuration's file.
 *
 * @throws UsageError for a word that is neither, and for a configuration that is wrong.
 */
export async function openExperiment(
  word: string,
  options: TrainOptions,
): Promise<{ readonly preset?: "lenet"; readonly experiment: LoadedExperiment }> {
  if (word === "lenet") return { preset: word, experiment: await lenet(options) };
  if (!fs.existsSync(word)) {
    const hint = suggestion(word, presetNames) || ", or a configuration's file, which this is not";
    throw new UsageError(
      /[./\\]/.test(word)
        ? `no such file: ${word}`
        : `${word}: Expected ${presetNames.join(", ")}${hint}`,
    );
  }
  const changes = { ...commonSettings(options), ...settingsOf(options.set) };
  return { experiment: await asUsage(() => loadExperiment(word, changes)) };
}

/** @throws UsageError for a name that no run can have, or that one has. */
export function checkRunFolder({ name, runs }: TrainOptions): void {
  if (name === undefined) return;
  try {
    checkRunName(name);
  } catch (error) {
    throw new UsageError(`--name: ${(error as Error).message}`);
  }
  const path = join(runs, name);
  if (!fs.existsSync(path)) return;
  const hint = fs.existsSync(join(path, runFiles.config))
    ? `go on with it by --resume ${shellWord(name)}, or choose another name`
    : "choose another name";
  throw new UsageError(`--name ${name}: ${path} exists already; ${hint}`);
}
