/**
 * Reads the text of a configuration: YAML and JSON with the lines of all keys, TypeScript and JavaScript as modules whose
 * `gradus` is the running one. Read experimentFile.ts for what becomes of it.
 */
import * as fs from "node:fs";
import { basename, extname, resolve } from "node:path";
import { isMap, isScalar, LineCounter, type Node, parse, parseDocument } from "yaml";
import { FormatError, GradusError, ValueError } from "../../core/errors.js";
import { FileError } from "../../io/fileSystem.js";
import { readFileLimited } from "../../io/files.js";
import { ConfigError, type LineOf } from "../config/problems.js";

/** The text of a configuration, and where its relative imports and paths lead from. */
export interface ConfigSource {
  /** Absolute path; the file need not be there any more. */
  readonly path: string;
  readonly text: string;
}

/** What a configuration says, before any check. */
export interface RawConfig {
  readonly raw: unknown;
  /** The line of a key, from 1; where the key is not there, of the nearest one above it. */
  readonly lineOf?: LineOf;
}

const maxBytes = 2 ** 20;
export const textEndings = [".yaml", ".yml", ".json"] as const;
export const moduleEndings = [".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"] as const;

export const isModule = (path: string): boolean =>
  (moduleEndings as readonly string[]).includes(extname(path));

/**
 * Reads a configuration's file.
 *
 * @throws FileError where there is none; FormatError for an ending that no configuration has.
 */
export function readConfigSource(path: string): ConfigSource {
  const known: readonly string[] = [...textEndings, ...moduleEndings];
  if (!fs.existsSync(path)) throw new FileError("configuration", path, "no such file", "ENOENT");
  if (!known.includes(extname(path)))
    throw new FormatError(
      "configuration",
      `${path}: ends in "${extname(path)}"; expected ${known.join(", ")}`,
    );
  const text = new TextDecoder().decode(readFileLimited(path, { maxBytes }));
  return { path: resolve(path), text };
}

/**
 * What a configuration's text says.
 *
 * @throws ConfigError for YAML that is none, naming lines; whatever a module throws, with its place.
 */
export async function parseConfigSource(source: ConfigSource): Promise<RawConfig> {
  return isModule(source.path) ? await evaluate(source) : parseYaml(source);
}

/** YAML 1.2, of which JSON is a part. */
function parseYaml({ path, text }: ConfigSource): RawConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const name = basename(path);
  if (document.errors.length > 0)
    throw new ConfigError(
      name,
      document.errors.map(({ message, pos }) => ({
        path: "",
        line: lines.linePos(pos[0]).line,
        // What the reader says of itself when it has no stack left.
        message: /call stack/.test(message) ? "is nested too deeply" : message,
      })),
    );
  const lineOf = (keys: readonly string[]): number | undefined => {
    let node: unknown = document.contents;
    let line: number | undefined;
    const mark = (at: unknown) => {
      const start = (at as Node | null | undefined)?.range?.[0];
      if (start !== undefined) line = lines.linePos(start).line;
    };
    for (const key of keys) {
      const pair = isMap(node)
        ? node.items.find((item) => String(isScalar(item.key) ? item.key.value : item.key) === key)
        : undefined;
      const next: unknown = pair
        ? pair.value
        : (node as { get?: (key: unknown, keep: boolean) => unknown } | null)?.get?.(
            /^\d+$/.test(key) ? Number(key) : key,
            true,
          );
      if (!pair && next === undefined) break;
      mark(pair ? pair.key : next);
      node = next;
    }
    return line;
  };
  try {
    return { raw: document.toJS({ maxAliasCount: 100 }) as unknown, lineOf };
  } catch (error) {
    throw new ConfigError(name, [{ path: "", message: (error as Error).message }]);
  }
}

const entries = [
  ...["gradus", "gradus/data", "gradus/data/node", "gradus/features", "gradus/io", "gradus/linear"],
  ...["gradus/neighbors", "gradus/nn", "gradus/optim", "gradus/train", "gradus/train/node"],
  ...["gradus/tune", "gradus/vision"],
];

let packageModules: Promise<Record<string, unknown>> | undefined;

/** The running package under its own names: a configuration's modules must not be another copy of it. */
function ownModules(): Promise<Record<string, unknown>> {
  packageModules ??= Promise.all(
    entries.map(async (name) => [name, (await import(name)) as unknown] as const),
  ).then(Object.fromEntries);
  return packageModules;
}

async function loadJiti() {
  try {
    return await import("jiti");
  } catch {
    throw new GradusError(
      "configuration",
      "TypeScript needs the optional package jiti: npm install jiti; YAML does without",
    );
  }
}

async function evaluate({ path, text }: ConfigSource): Promise<RawConfig> {
  const { createJiti } = await loadJiti();
  const jiti = createJiti(path, {
    virtualModules: await ownModules(),
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
  });
  let module: { readonly default?: unknown };
  try {
    const options = { filename: path, async: true, forceTranspile: true };
    module = (await jiti.evalModule(text, options)) as { readonly default?: unknown };
  } catch (error) {
    if (error instanceof GradusError) throw error;
    const { message, stack } = error as Error;
    const place = new RegExp(`${basename(path).replaceAll(".", "\\.")}:(\\d+)`).exec(
      stack ?? "",
    )?.[1];
    const reason = message.replaceAll(/\s+/g, " ").trim();
    const line = place === undefined ? {} : { line: Number(place) };
    throw new ConfigError(basename(path), [{ path: "", message: reason, ...line }]);
  }
  if (module.default === undefined) {
    const message = "has no default export; expected export default defineRun({ … })";
    throw new ConfigError(basename(path), [{ path: "", message }]);
  }
  return { raw: module.default };
}

/** Settings that name files: on a command line these are relative to where the command is given, not to the configuration. */
const fileSettings = ["data.path", "data.test", "transfer.weights"];

/**
 * One setting as `--set` gives it, `optim.lr=3e-4`: a path and a value in YAML. Files are made absolute.
 *
 * @throws ValueError for a text that is none.
 */
export function parseSetting(text: string): readonly [path: string, value: unknown] {
  const at = text.indexOf("=");
  const path = text.slice(0, at).trim();
  if (at < 1 || !/^[\w-]+(\.[\w-]+)*$/.test(path))
    throw new ValueError(
      "set",
      `"${text}" is no setting; expected a path and a value: optim.lr=3e-4`,
    );
  try {
    const value = parse(text.slice(at + 1)) as unknown;
    const isFile = fileSettings.includes(path) && typeof value === "string";
    return [path, isFile ? resolve(value) : value];
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0];
    throw new ValueError("set", `the value of ${path} is not YAML: ${reason}`);
  }
}
