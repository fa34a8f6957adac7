/**
 * Builds the WASM module from the C++ of the addon with the compiler of the package @yowasp/clang, which is itself WASM, so
 * that no compiler need be installed: dist/wasm/gradus.wasm, relaxed.wasm, and the same bytes as text for bundlers.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { memoryPages } from "../src/backend/cpu/wasmMemory.js";
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
    // Without a thread model the compiler would make plain accesses of atomic ones.
    "-matomics",
    "-mthread-model",
    "posix",
    "-DGRADUS_WASM_THREADS",
    "-fno-exceptions",
    "-fno-rtti",
  ],
  ...["-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fvisibility=hidden"],
  ...["-Wall", "-Wextra", "-Wno-psabi", "-DGRADUS_ISA=simd128", "-iquote", "."],
];
const linkFlags = [
  "-mexec-model=reactor",
  "-Wl,--strip-all",
  "-Wl,--gc-sections",
  // The memory is made outside, shared or not (src/backend/cpu/wasmMemory.ts); the library is one for a single thread, and
  // only the thread that runs programs calls it.
  "-Wl,--import-memory,--shared-memory,--no-check-features",
  `-Wl,--initial-memory=${65536 * memoryPages.initial},--max-memory=${65536 * memoryPages.maximum}`,
  "-Wl,--export=__stack_pointer",
];

/** The modules that are built: one that every engine with SIMD runs, and one for those with relaxed SIMD. */
const variants = [
  { name: "gradus", constant: "wasmBase64", flags: [] },
  { name: "relaxed", constant: "relaxedWasmBase64", flags: ["-mrelaxed-simd"] },
] as const;

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

async function compile(
  tree: Tree,
  sources: readonly string[],
  added: readonly string[],
): Promise<Uint8Array> {
  const { commands } = await import("@yowasp/clang");
  let messages = "";
  const decoder = new TextDecoder();
  const stderr = (bytes: Uint8Array | null) => {
    if (bytes) messages += decoder.decode(bytes);
  };
  try {
    const args = [...flags, ...added, ...linkFlags, ...sources, "-o", "gradus.wasm"];
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
  const key = hashOf(JSON.stringify([tree, variants]), ...flags, ...linkFlags);
  const folder = join(root, "dist", "wasm");
  const keyFile = join(nativeFolder, "build", "wasm.key");
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(nativeFolder, "build"), { recursive: true });
  const modules = variants.map(({ name }) => join(folder, `${name}.wasm`));
  const files = [...modules, join(folder, "binary.js"), join(folder, "binary.d.ts"), keyFile];
  if (files.every(existsSync) && readFileSync(keyFile, "utf8") === key) return { built: true };
  const [code, types]: string[][] = [[], []];
  for (const [i, variant] of variants.entries()) {
    const bytes = await compile(tree, [...kernels, joined], variant.flags);
    replaceFile(modules[i]!, bytes);
    code!.push(`export const ${variant.constant} = "${Buffer.from(bytes).toString("base64")}";\n`);
    types!.push(`export declare const ${variant.constant}: string;\n`);
  }
  replaceFile(join(folder, "binary.js"), code!.join(""));
  replaceFile(join(folder, "binary.d.ts"), types!.join(""));
  writeFileSync(keyFile, key);
  return { built: true };
}

if (isMain(import.meta.url)) {
  try {
    await buildWasm();
    console.log("wasm: dist/wasm/gradus.wasm, dist/wasm/relaxed.wasm");
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
