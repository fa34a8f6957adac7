/**
 * Builds the WASM module from the C++ of the addon with the compiler of the package @yowasp/clang, which is itself WASM, so
 * that no compiler need be installed: dist/wasm/gradus.wasm, and the same bytes as text for bundlers.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  generateOpcodes,
  hashOf,
  isMain,
  listUnits,
  nativeFolder,
  readHeaders,
  root,
} from "./engineSources.js";

/** Unrolled loops make the module a tenth larger, and no faster. */
const flags = [
  ...[
    "-std=c++17",
    "-O2",
    "-fno-unroll-loops",
    "-msimd128",
    "-mbulk-memory",
    "-fno-exceptions",
    "-fno-rtti",
  ],
  ...["-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fvisibility=hidden"],
  ...["-Wall", "-Wextra", "-Wno-psabi", "-DGRADUS_ISA=simd128", "-iquote", "."],
];
const linkFlags = ["-mexec-model=reactor", "-Wl,--strip-all", "-Wl,--gc-sections"];

/** The entry files of the addon. */
const addonOnly = ["napi.cpp", "asyncQueue.cpp"];

export interface BuildResult {
  readonly built: boolean;
  readonly reason?: string;
}

type Tree = { [name: string]: Tree | string | Uint8Array };

/**
 * Everything but the kernels as one source: the compiler spends most of its time on the standard library's headers, once a
 * source.
 */
const joined = "host.cpp";

const includes = (sources: readonly string[]): string =>
  sources.map((path) => `#include "${path}"\n`).join("");

/** The sources as the compiler's file system has them. */
function sourceTree(sources: readonly string[]): Tree {
  const tree: Tree = {};
  const put = (path: string, text: string) => {
    const folders = path.split("/");
    const name = folders.pop()!;
    let at = tree;
    for (const folder of folders) {
      at[folder] ??= {};
      at = at[folder] as Tree;
    }
    at[name] = text;
  };
  for (const [path, text] of readHeaders()) put(path, text);
  for (const path of sources) put(path, readFileSync(join(nativeFolder, path), "utf8"));
  return tree;
}

async function compile(tree: Tree, sources: readonly string[]): Promise<Uint8Array> {
  const { commands } = await import("@yowasp/clang");
  let messages = "";
  const decoder = new TextDecoder();
  const stderr = (bytes: Uint8Array | null) => {
    if (bytes) messages += decoder.decode(bytes);
  };
  try {
    const args = [...flags, ...linkFlags, ...sources, "-o", "gradus.wasm"];
    const result = await commands["clang++"](args, tree, { stderr, fetchProgress: () => {} });
    return (result as Tree)["gradus.wasm"] as Uint8Array;
  } catch (error) {
    throw new Error(messages || String(error));
  }
}

/** Replaces a file in one step, so that no reader sees half of it. */
function replaceFile(file: string, content: string | Uint8Array): void {
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
}

/** Builds the module if anything it is made of changed; throws with the compiler's output when it fails. */
export async function buildWasm(): Promise<BuildResult> {
  generateOpcodes();
  const units = listUnits([{ name: "simd128", flags: [] }], addonOnly);
  const sources = units.map(({ source }) => source);
  const tree = sourceTree(sources);
  const kernels = sources.filter((source) => source.includes("/"));
  tree[joined] = includes(sources.filter((source) => !source.includes("/")));
  const key = hashOf(JSON.stringify(tree), ...flags, ...linkFlags);
  const folder = join(root, "dist", "wasm");
  const [target, keyFile] = [join(folder, "gradus.wasm"), join(nativeFolder, "build", "wasm.key")];
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(nativeFolder, "build"), { recursive: true });
  const files = [target, join(folder, "binary.js"), join(folder, "binary.d.ts"), keyFile];
  if (files.every(existsSync) && readFileSync(keyFile, "utf8") === key) return { built: true };
  const bytes = await compile(tree, [...kernels, joined]);
  const text = Buffer.from(bytes).toString("base64");
  replaceFile(target, bytes);
  replaceFile(join(folder, "binary.js"), `export const wasmBase64 = "${text}";\n`);
  replaceFile(join(folder, "binary.d.ts"), "export declare const wasmBase64: string;\n");
  writeFileSync(keyFile, key);
  return { built: true };
}

if (isMain(import.meta.url)) {
  try {
    await buildWasm();
    console.log("wasm: dist/wasm/gradus.wasm");
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
