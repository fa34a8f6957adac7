/**
 * Builds the Node addon, dist/native/gradus.node, with the machine's own C++ compiler. Without one it says so and leaves
 * the work to WASM. Objects are kept in native/build and compiled again only when something they are made of changed.
 */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import {
  generateOpcodes,
  hashOf,
  type InstructionSet,
  isMain,
  listUnits,
  nativeFolder,
  readHeaders,
  root,
  type Unit,
} from "./engineSources.js";

const run = promisify(execFile);
const jobs = 2;

export interface BuildResult {
  readonly built: boolean;
  readonly reason?: string;
}

/** A way to build the addon. */
export interface Variant {
  /** Where objects are kept, and what is made. */
  readonly folder: string;
  readonly target: string;
  /** Added to the flags of the compiler and of the linker. */
  readonly flags: readonly string[];
  readonly linkFlags: readonly string[];
}

const release: Variant = {
  folder: join(nativeFolder, "build"),
  target: join(root, "dist", "native", "gradus.node"),
  flags: [],
  linkFlags: process.platform === "darwin" ? [] : ["-s"],
};

const avx2 = ["-mavx2", "-mfma"];
const avx512 = [
  ...["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma"],
  "-mprefer-vector-width=512",
];

function instructionSets(): InstructionSet[] {
  if (process.arch === "x64")
    return [
      { name: "avx512", flags: avx512 },
      { name: "avx2", flags: avx2 },
      { name: "baseline", flags: [] },
    ];
  return [{ name: process.arch === "arm64" ? "neon" : "baseline", flags: [] }];
}

/** The first compiler that answers, with its version. */
export function findCompiler(): { command: string; version: string } | undefined {
  for (const command of [process.env.CXX, "c++", "g++", "clang++"]) {
    if (!command) continue;
    try {
      return { command, version: execFileSync(command, ["--version"], { encoding: "utf8" }) };
    } catch {
      // Not on this machine: the next one is tried.
    }
  }
  return undefined;
}

/** Compiles one unit if its key changed; gives the path of the object. */
async function compile(
  unit: Unit,
  folder: string,
  command: string,
  flags: readonly string[],
  key: string,
): Promise<string> {
  const object = join(folder, unit.object);
  const keyFile = `${object}.key`;
  const isCurrent =
    existsSync(object) && existsSync(keyFile) && readFileSync(keyFile, "utf8") === key;
  if (isCurrent) return object;
  await run(command, [...flags, "-c", join(nativeFolder, unit.source), "-o", object]);
  writeFileSync(keyFile, key);
  return object;
}

async function compileAll(command: string, version: string, variant: Variant): Promise<string[]> {
  const headers = hashOf(...[...readHeaders()].flat());
  const nodeHeaders = join(root, "node_modules", "node-api-headers", "include");
  const shared = ["-fPIC", "-fvisibility=hidden", "-DGRADUS_THREADS", "-DNAPI_VERSION=8"];
  const waiting = listUnits(instructionSets(), ["wasm.cpp"]);
  const objects: string[] = [];
  const worker = async () => {
    for (let unit = waiting.shift(); unit; unit = waiting.shift()) {
      const folders = ["-iquote", nativeFolder, `-I${nodeHeaders}`];
      const flags = [...unit.flags, ...shared, ...folders, "-pthread", ...variant.flags];
      const text = readFileSync(join(nativeFolder, unit.source), "utf8");
      const key = hashOf(version, headers, text, ...flags);
      objects.push(await compile(unit, variant.folder, command, flags, key));
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return objects.sort();
}

/** Builds the addon if there is a compiler; throws with the compiler's output when it fails. */
export async function buildNative(variant: Variant = release): Promise<BuildResult> {
  generateOpcodes();
  const compiler = findCompiler();
  if (!compiler) return { built: false, reason: "no C++ compiler was found" };
  const { folder, target } = variant;
  mkdirSync(folder, { recursive: true });
  mkdirSync(dirname(target), { recursive: true });
  const objects = await compileAll(compiler.command, compiler.version, variant);
  const keys = objects.map((object) => readFileSync(`${object}.key`, "utf8"));
  const key = hashOf(...objects, ...keys);
  const keyFile = join(folder, "gradus.node.key");
  const isCurrent =
    existsSync(target) && existsSync(keyFile) && readFileSync(keyFile, "utf8") === key;
  if (!isCurrent) {
    const isMac = process.platform === "darwin";
    // Node itself has the Node-API functions, so they stay open until the addon is loaded.
    const link = isMac ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared"];
    const flags = [...link, ...variant.linkFlags, ...variant.flags, "-pthread"];
    // Running processes keep the old file, which is replaced and not written over.
    const fresh = `${target}.new`;
    await run(compiler.command, [...flags, "-o", fresh, ...objects]);
    renameSync(fresh, target);
    writeFileSync(keyFile, key);
  }
  return { built: true };
}

if (isMain(import.meta.url)) {
  try {
    const { built, reason } = await buildNative();
    console.log(
      built ? "native: dist/native/gradus.node" : `native: skipped, ${reason}; WASM is used`,
    );
  } catch (error) {
    console.error((error as { stderr?: string }).stderr || String(error));
    process.exitCode = 1;
  }
}
