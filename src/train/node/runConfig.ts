/** A run's settings as config.json keeps them, so that it can be resumed and repeated. Read runFolder.ts next. */
import { Field } from "../fields.js";
import { optimizerNames, type RecipeSettings } from "../recipe.js";

/** Where the training data comes from: the digits of the package, or a folder in MNIST's format. */
export type DataSource =
  | { readonly kind: "digits" }
  | {
      readonly kind: "folder";
      readonly path: string;
      /** What the classes are called; their numbers if left out. */
      readonly classNames?: readonly string[];
    };

/** What a run was started with. */
export interface RunConfig {
  readonly name: string;
  readonly model: "lenet";
  readonly settings: RecipeSettings;
  readonly data: DataSource;
  /** Steps or seconds between checkpoints, besides those at the epochs' ends. */
  readonly checkpointEvery: CheckpointInterval;
  /** The backend that the run began on: another one rounds differently. */
  readonly backend: string;
  /** Of Gradus and of Node. */
  readonly versions: Readonly<Record<string, string>>;
  /** When the run began, ISO 8601. */
  readonly created: string;
}

export type CheckpointInterval = { readonly steps: number } | { readonly seconds: number };

const format = "gradus-run";
/** More would push pictures of 28 pixels out of their frame. */
export const maxShift = 14;

export function encodeConfig(config: RunConfig): Uint8Array {
  const text = JSON.stringify({ format, version: 1, ...config }, null, 2);
  return new TextEncoder().encode(`${text}\n`);
}

/**
 * Reads the text of a config.json.
 *
 * @throws FormatError, saying where and what came, for a text that is not a run's settings.
 */
export function parseConfig(text: string, source: string): RunConfig {
  const config = Field.parse(text, source);
  config.get("format").oneOf([format]);
  config.get("version").whole(1, 1);
  const settings = config.get("settings");
  const every = config.get("checkpointEvery");
  return {
    name: config.get("name").text(),
    model: config.get("model").oneOf(["lenet"]),
    settings: {
      epochs: settings.get("epochs").whole(1, 1_000_000),
      batchSize: settings.get("batchSize").whole(1, 2 ** 31 - 1),
      optimizer: settings.get("optimizer").oneOf(optimizerNames),
      lr: settings.get("lr").number(0),
      seed: settings.get("seed").whole(),
      shift: settings.get("shift").whole(0, maxShift),
    },
    data: parseData(config.get("data")),
    checkpointEvery: every.get("steps").isMissing
      ? { seconds: every.get("seconds").number(0) }
      : { steps: every.get("steps").whole(1) },
    backend: config.get("backend").text(),
    versions: config.get("versions").texts(),
    created: config.get("created").text(),
  };
}

function parseData(data: Field): DataSource {
  if (data.get("kind").oneOf(["digits", "folder"]) === "digits") return { kind: "digits" };
  const names = data.get("classNames");
  const path = data.get("path").text();
  if (names.isMissing) return { kind: "folder", path };
  return { kind: "folder", path, classNames: names.list(10_000).map((name) => name.text()) };
}
