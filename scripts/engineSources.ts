/**
 * What the two builds of the C++ engine have in common: the list of sources, their flags, and hashes that tell
 * whether an object is up to date. Read buildNative.ts and buildWasm.ts next.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const nativeFolder = join(root, "native");

/** One source to compile: a kernel once for each instruction set, everything else once. */
export interface Unit {
  /** Path below native/. */
  readonly source: string;
  readonly object: string;
  readonly flags: readonly string[];
}

/** An instruction set: its name in C++ and the flags that allow it. */
export interface InstructionSet {
  readonly name: string;
  readonly flags: readonly string[];
}

/** Matrix products may round a product and its sum at once; everything else rounds each, as the IR says. */
const contracted = /^(attention|dot|convolution)/;

const common = [
  "-std=c++17",
  "-Wall",
  "-Wextra",
  "-Wno-psabi",
  "-fno-exceptions",
  "-fno-rtti",
  "-fno-math-errno",
  "-fno-trapping-math",
];

const sourcesIn = (folder: string, extension: string) =>
  readdirSync(join(nativeFolder, folder))
    .filter((name) => name.endsWith(extension))
    .sort();

/** The units of a build for `sets`; `skipped` names the entry files of the other build. */
export function listUnits(sets: readonly InstructionSet[], skipped: readonly string[]): Unit[] {
  const units: Unit[] = [];
  for (const name of sourcesIn("kernels", ".cpp"))
    for (const { name: set, flags } of sets) {
      const contraction = contracted.test(name) ? "fast" : "off";
      units.push({
        source: `kernels/${name}`,
        object: `${set}.${name}.o`,
        flags: [...common, "-O3", `-ffp-contract=${contraction}`, `-DGRADUS_ISA=${set}`, ...flags],
      });
    }
  for (const name of sourcesIn("", ".cpp")) {
    if (skipped.includes(name)) continue;
    units.push({ source: name, object: `${name}.o`, flags: [...common, "-O2"] });
  }
  return units;
}

/** The headers below native/, with their text. */
export function readHeaders(): Map<string, string> {
  const headers = new Map<string, string>();
  for (const folder of ["", "kernels/", "generated/"])
    for (const name of sourcesIn(folder, ".h"))
      headers.set(folder + name, readFileSync(join(nativeFolder, folder, name), "utf8"));
  return headers;
}

export const hashOf = (...parts: readonly string[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 24);
};

/** Brings native/generated up to date; a process of its own, for it reads the tables in src. */
export function generateOpcodes(): void {
  const script = join(root, "scripts", "generateOpcodes.ts");
  execFileSync(process.execPath, ["--import", "tsx", script], { cwd: root, stdio: "inherit" });
}

/** Whether the file that Node was started with is the module at `url`. */
export const isMain = (url: string): boolean => process.argv[1] === fileURLToPath(url);
