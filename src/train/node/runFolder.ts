/** The folder of one run: how it is named and made, what lies in it. Read trainRun.ts for what is written when. */
import * as fs from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { ValueError } from "../../core/errors.js";
import { FileError, fileError } from "../../io/fileSystem.js";
import { readFileLimited, type WriteOptions, writeFileAtomic } from "../../io/files.js";
import type { ConfigSource } from "./configFile.js";
import { encodeConfig, parseConfig, type RunConfig } from "./runConfig.js";

/** The files of a run by what they hold. */
export const runFiles = {
  config: "config.json",
  log: "log.jsonl",
  checkpoints: "checkpoints",
  model: "model.safetensors",
  curves: "curves.svg",
  mistakes: "mistakes.png",
  changes: "changes.diff",
} as const;

export type RunFiles = typeof runFiles;

const maxConfigBytes = 2 ** 20;
const mostRunsADay = 999;

/** What the copy of a configuration's file is called in its run's folder. */
export const sourceFile = (path: string): string => `source${extname(path)}`;

export interface CreateRunOptions extends WriteOptions {
  /** The folder that holds the runs; made if it is not there. */
  readonly runs: string;
  /** What the run is called; default the prefix with the date and a number, `lenet-2026-11-23-001`. */
  readonly name?: string;
  readonly prefix: string;
}

/** Throws unless a name can be a folder's on every system. */
export function checkRunName(name: string): string {
  if (!/^[\p{L}\p{N}_][\p{L}\p{N}._-]{0,99}$/u.test(name) || name.endsWith("."))
    throw new ValueError(
      "run name",
      `"${name}" cannot name a run; use letters, digits, "-", "_" and "."`,
    );
  return name;
}

const localDate = (now: Date): string => {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
};

/** Makes a folder, and says whether it is new. */
function makeFolder(path: string): boolean {
  try {
    fs.mkdirSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw fileError("run folder", path, error);
  }
}

/**
 * Makes a folder with those above it; gives the topmost one that was not there before. One by one, because Node's own way
 * never ends where the system refuses with ENOENT, as under /proc.
 */
export function makeParents(path: string): string | undefined {
  const missing: string[] = [];
  for (let at = resolve(path); !fs.existsSync(at); at = dirname(at)) missing.unshift(at);
  for (const folder of missing) makeFolder(folder);
  return missing[0];
}

export class RunFolder {
  readonly path: string;
  readonly #write: WriteOptions;
  /** The topmost folder that was made for this run; undefined for an opened one. */
  readonly #made: string | undefined;

  private constructor(path: string, write: WriteOptions, made?: string) {
    this.path = path;
    this.#write = write;
    this.#made = made;
  }

  /**
   * Makes the folder of a new run.
   *
   * @throws FileError where it cannot be made or a run of that name is there already: nothing is overwritten.
   */
  static create({ runs, name, prefix, ...write }: CreateRunOptions): RunFolder {
    if (name !== undefined) checkRunName(name);
    const made = makeParents(runs);
    const make = (path: string) =>
      makeFolder(path) ? new RunFolder(path, write, resolve(made ?? path)) : null;
    if (name !== undefined) {
      const folder = make(join(runs, name));
      if (folder) return folder;
      throw RunFolder.#taken(join(runs, name));
    }
    const stem = join(runs, `${prefix}-${localDate(new Date())}`);
    for (let i = 1; i <= mostRunsADay; i++) {
      const folder = make(`${stem}-${String(i).padStart(3, "0")}`);
      if (folder) return folder;
    }
    throw new FileError("run folder", stem, `${mostRunsADay} runs today; give this one a name`);
  }

  static #taken(path: string): FileError {
    const isRun = fs.existsSync(join(path, runFiles.config));
    const what = isRun ? "is a run already; resume it, or choose another name" : "exists already";
    return new FileError("run folder", path, `${what}; nothing was overwritten`, "EEXIST");
  }

  /**
   * Opens the folder of a run.
   *
   * @throws FileError where it is not one.
   */
  static open(path: string, write: WriteOptions = {}): RunFolder {
    if (fs.existsSync(join(path, runFiles.config))) return new RunFolder(path, write);
    const message = fs.existsSync(path)
      ? `is not a run: it holds no ${runFiles.config}`
      : "no such run";
    throw new FileError("run folder", path, message, "ENOENT");
  }

  get name(): string {
    return basename(this.path);
  }

  file(kind: keyof RunFiles): string {
    return join(this.path, runFiles[kind]);
  }

  has(kind: keyof RunFiles): boolean {
    return fs.existsSync(this.file(kind));
  }

  /** Takes back a folder that was just made, all in it, and the folders made for it unless others use them by now. */
  discard(): void {
    if (this.#made === undefined) return;
    fs.rmSync(this.path, { recursive: true, force: true });
    try {
      for (let path = resolve(this.path); path !== this.#made; ) {
        path = dirname(path);
        fs.rmdirSync(path);
      }
    } catch {
      // A folder that is not empty stays.
    }
  }

  writeConfig(config: RunConfig): void {
    writeFileAtomic(this.file("config"), encodeConfig(config), this.#write);
  }

  /** Keeps a text beside the other files. */
  writeText(name: string, text: string): void {
    writeFileAtomic(join(this.path, name), new TextEncoder().encode(text), this.#write);
  }

  /** Reads the configuration's text, as if from where its file was. */
  readSource({ source }: RunConfig): ConfigSource | undefined {
    if (!source) return undefined;
    const path = join(this.path, source.file);
    const bytes = readFileLimited(path, { maxBytes: maxConfigBytes });
    return { path: source.path, text: new TextDecoder().decode(bytes) };
  }

  readConfig(): RunConfig {
    const path = this.file("config");
    const bytes = readFileLimited(path, { maxBytes: maxConfigBytes });
    return parseConfig(new TextDecoder().decode(bytes), path);
  }
}
