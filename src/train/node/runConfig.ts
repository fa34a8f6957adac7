/** What a run is and where it was made, as config.json keeps it, so that it can be resumed and repeated. Read runFolder.ts next. */
import { FormatError } from "../../core/errors.js";
import type { ResolvedConfig } from "../config/schema.js";
import type { Settings } from "../experiment.js";
import { Field } from "../fields.js";
import type { GitState, Machine } from "./environment.js";

/** What a run was started with. */
export interface RunConfig {
  readonly name: string;
  /** The recipe that made the configuration, where it was one. */
  readonly preset?: "lenet";
  /** The configuration with every default written out. */
  readonly config: ResolvedConfig;
  /** The configuration's file: its copy in the run's folder, and where it was. */
  readonly source?: { readonly file: string; readonly path: string };
  /** How many classes the model tells apart, where it classifies. */
  readonly classes?: number;
  /** Settings that were not as the file says. */
  readonly changes: Settings;
  /** Steps or seconds between checkpoints, besides those at the epochs' ends. */
  readonly checkpointEvery: CheckpointInterval;
  /** The backend that the run began on: another one rounds differently. */
  readonly backend: string;
  /** Of Gradus and of Node. */
  readonly versions: Readonly<Record<string, string>>;
  readonly machine?: Machine;
  /** The code's state; changes that are not committed are in changes.diff. */
  readonly git?: GitState;
  /** When the run began, ISO 8601. */
  readonly created: string;
}

export type CheckpointInterval = { readonly steps: number } | { readonly seconds: number };

const format = "gradus-run";
const version = 2;

export function encodeConfig(config: RunConfig): Uint8Array {
  const text = JSON.stringify({ format, version, ...config }, null, 2);
  return new TextEncoder().encode(`${text}\n`);
}

/**
 * Reads the text of a config.json. The configuration in it is checked when it is built.
 *
 * @throws FormatError, saying where and what came, for a text that is not a run's, or one of an older form.
 */
export function parseConfig(text: string, source: string): RunConfig {
  const config = Field.parse(text, source);
  config.get("format").oneOf([format]);
  if (config.get("version").whole(1, version) < version)
    throw new FormatError(
      "resume",
      `${source}: was written by an older version of Gradus, whose runs cannot go on in this one; ` +
        "its weights can still be used, and a new run started with its settings",
    );
  const every = config.get("checkpointEvery");
  const [preset, file, git, machine, classes] = [
    ...["preset", "source", "git", "machine", "classes"],
  ].map((key) => config.get(key)) as [Field, Field, Field, Field, Field];
  return {
    name: config.get("name").text(),
    ...(!preset.isMissing && { preset: preset.oneOf(["lenet"]) }),
    config: config.get("config").plain() as unknown as ResolvedConfig,
    ...(!file.isMissing && {
      source: { file: fileName(file.get("file")), path: file.get("path").text() },
    }),
    ...(!classes.isMissing && { classes: classes.whole(1) }),
    changes: config.get("changes").plain(),
    checkpointEvery: every.get("steps").isMissing
      ? { seconds: every.get("seconds").number(0) }
      : { steps: every.get("steps").whole(1) },
    backend: config.get("backend").text(),
    versions: config.get("versions").texts(),
    ...(!machine.isMissing && { machine: machine.plain() as unknown as Machine }),
    ...(!git.isMissing && { git: git.plain() as unknown as GitState }),
    created: config.get("created").text(),
  };
}

/** A name in the run's folder, and nowhere else. */
function fileName(field: Field): string {
  const name = field.text();
  if (/^source\.[cm]?[a-z]{2,4}$/.test(name)) return name;
  throw new FormatError(
    "resume",
    `source.file is "${name.slice(0, 60)}"; expected source.yaml or its like`,
  );
}
