/**
 * The house rules that a compiler does not know: imports go down the list of rooms, files do not import one another in
 * circles, Node's modules stay in Node-only files, the browser entry reaches none of those, files stay short and open
 * with a comment. `npm run check:layers` prints every violation; test/layers.test.ts plants some.
 */
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { layering, type Room } from "./layers.js";
import { isMain } from "./lib/process.js";

/** Source files by their path from the root of the project, with `/`. */
export type Sources = ReadonlyMap<string, string>;

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule: "layer" | "cycle" | "node" | "dependency" | "length" | "comment";
  readonly message: string;
  readonly severity: "error" | "warning";
}

interface Import {
  readonly specifier: string;
  readonly line: number;
  readonly typeOnly: boolean;
}

const importPatterns = [
  /^(?:import|export)\s+(type\s+)?(?:[\w*{][^;"'`]*?\sfrom\s+)?"([^"\n]+)"/gm,
  /^(?!\s*(?:\*|\/\/)).*?\bimport\(()\s*"([^"\n]+)"/gm,
];

/** The imports of a module as Biome formats them; those in docstrings do not begin a line. */
export function importsOf(text: string): Import[] {
  const found: Import[] = [];
  for (const pattern of importPatterns) {
    for (const match of text.matchAll(pattern)) {
      const line = text.slice(0, match.index).split("\n").length;
      found.push({ specifier: match[2]!, line, typeOnly: Boolean(match[1]) });
    }
  }
  return found;
}

const roomOf = (file: string): string => {
  const [, folder, ...rest] = file.split("/");
  return rest.length === 0 ? folder! : `${folder}/`;
};

const findRoom = (file: string): Room | undefined =>
  layering.rooms.find((room) => room.folders.includes(roomOf(file)));

/** The source file that an import names, for one platform. */
function resolve(
  from: string,
  specifier: string,
  platform: "node" | "browser",
): string | undefined {
  if (specifier === "#platform") return `src/platform/${platform}.ts`;
  if (!specifier.startsWith(".")) return undefined;
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, ".ts");
}

function matches(file: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("/") ? file.startsWith(pattern) : file === pattern,
  );
}

function checkImport(file: string, found: Import): Omit<Violation, "file" | "line"> | undefined {
  const { specifier } = found;
  if (specifier.startsWith("node:")) {
    if (found.typeOnly || matches(file, layering.nodeOnly)) return undefined;
    const message = `imports ${specifier}, but is not among the Node-only files of scripts/layers.ts`;
    return { rule: "node", message, severity: "error" };
  }
  const room = findRoom(file);
  const target = resolve(file, specifier, "node");
  if (!target) {
    if (specifier === "#wasm-binary" || room?.packages?.includes(specifier)) return undefined;
    const message = `imports the package ${specifier}, which ${room?.folders[0]} may not use`;
    return { rule: "dependency", message, severity: "error" };
  }
  const other = findRoom(target);
  if (!room || !other) return undefined;
  const allowed =
    roomOf(file) === roomOf(target) ||
    (room === other && !room.apart) ||
    (other.rank < room.rank && !room.except?.includes(roomOf(target)));
  if (allowed) return undefined;
  const message = `imports ${target}: ${roomOf(file)} may not import ${roomOf(target)}`;
  return { rule: "layer", message, severity: "error" };
}

function checkFile(file: string, text: string): Violation[] {
  const violations: Violation[] = [];
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  const { wanted, allowed } = layering.lines;
  if (lines > wanted) {
    const severity = lines > allowed ? "error" : "warning";
    const message = `${lines} lines: more than ${severity === "error" ? allowed : wanted}`;
    violations.push({ file, line: lines, rule: "length", message, severity });
  }
  if (!/^(#!.*\n)?\s*(\/\*|\/\/)/.test(text)) {
    const message = "does not open with a comment that says what it is for";
    violations.push({ file, line: 1, rule: "comment", message, severity: "error" });
  }
  if (!file.startsWith("src/")) return violations;
  if (!findRoom(file)) {
    const message = `${roomOf(file)} is in no room of scripts/layers.ts`;
    violations.push({ file, line: 1, rule: "layer", message, severity: "error" });
  }
  for (const found of importsOf(text)) {
    const violation = checkImport(file, found);
    if (violation) violations.push({ file, line: found.line, ...violation });
  }
  return violations;
}

/** What each file imports as a value, by path. */
function valueImports(sources: Sources, platform: "node" | "browser"): Map<string, string[]> {
  const edges = new Map<string, string[]>();
  for (const [file, text] of sources) {
    if (!file.startsWith("src/")) continue;
    const targets = importsOf(text)
      .filter((found) => !found.typeOnly)
      .map((found) => resolve(file, found.specifier, platform))
      .filter((target) => target !== undefined && sources.has(target));
    edges.set(file, targets as string[]);
  }
  return edges;
}

/** One violation for each circle of value imports, found by depth-first search. */
function checkCycles(sources: Sources): Violation[] {
  const violations: Violation[] = [];
  const edges = valueImports(sources, "node");
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      const message = `imports in a circle: ${[...path.slice(start), file].join(" → ")}`;
      violations.push({ file, line: 1, rule: "cycle", message, severity: "error" });
      return;
    }
    if (finished.has(file)) return;
    path.push(file);
    for (const target of edges.get(file) ?? []) visit(target);
    path.pop();
    finished.add(file);
  };
  for (const file of edges.keys()) visit(file);
  return violations;
}

/** Node-only files that a browser would load with one of the entries that promise to run there. */
function checkBrowserEntries(sources: Sources): Violation[] {
  const violations: Violation[] = [];
  const edges = valueImports(sources, "browser");
  const seen = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const path = [...trail, file];
    if (matches(file, layering.nodeOnly)) {
      const message = `a browser would load this Node-only file: ${path.join(" → ")}`;
      violations.push({ file: path[0]!, line: 1, rule: "node", message, severity: "error" });
      return;
    }
    for (const target of edges.get(file) ?? []) visit(target, path);
  };
  for (const entry of layering.browserEntries) visit(entry, []);
  return violations;
}

/** All violations in `sources`, ordered by file. */
export function checkSources(sources: Sources): Violation[] {
  return [
    ...[...sources].flatMap(([file, text]) => checkFile(file, text)),
    ...checkCycles(sources),
    ...checkBrowserEntries(sources),
  ].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line));
}

/** Reads the project's own sources below `root`. */
export function readSources(root: URL): Sources {
  const sources = new Map<string, string>();
  for (const folder of layering.folders) {
    for (const entry of listFiles(new URL(`${folder}/`, root))) {
      if (!/\.(ts|cpp|h)$/.test(entry) || /(^|\/)(generated|build|fixtures)\//.test(entry))
        continue;
      const file = `${folder}/${entry}`;
      sources.set(file, readFileSync(new URL(file, root), "utf8"));
    }
  }
  return sources;
}

function listFiles(folder: URL): string[] {
  try {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
    return names
      .map((name) => name.replaceAll("\\", "/"))
      .filter((name) => !/(^|\/)node_modules\//.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function main(): void {
  const root = new URL("../", import.meta.url);
  const sources = readSources(root);
  const violations = checkSources(sources);
  for (const { file, line, rule, message, severity } of violations)
    console.log(`${file}:${line}: ${severity} (${rule}): ${message}`);
  const errors = violations.filter((violation) => violation.severity === "error").length;
  console.log(`${sources.size} files in ${fileURLToPath(root)}: ${errors} errors`);
  process.exitCode = errors > 0 ? 1 : 0;
}

if (isMain(import.meta.url)) main();
