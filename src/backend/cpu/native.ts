/**
 * The C++ engine as a Node addon: finds it, loads it and gives it as a CpuModule. Node only. The addon's own
 * side is native/napi.cpp; wasm.ts is the same engine where there is no addon.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TypedArray } from "../../core/dtype.js";
import { BackendError } from "../../core/errors.js";
import { headerWords, magic, version } from "./format.js";
import type { CpuModule, EngineMemory, LoadedProgram, RunFailure } from "./module.js";

type Failure = readonly [code: number, instruction: number, value: number, limit: number] | null;
type Handle = object;

/** What native/napi.cpp exports. */
interface Addon {
  load(words: Int32Array, constants: Float64Array): Handle;
  run(handle: Handle, arrays: readonly TypedArray[]): Failure;
  runAsync(handle: Handle, arrays: readonly TypedArray[]): Promise<Failure>;
  setThreads(count: number): void;
  setIsa(isa: string): boolean;
  setProfiling(on: boolean): void;
  times(handle: Handle): number[];
  info(): { isa: string; isas: string[]; threads: number };
  memory(): EngineMemory;
}

const outOfMemory = 2;

function failureOf(failure: Failure): RunFailure | null {
  if (failure === null) return null;
  const [code, instruction, value, limit] = failure;
  if (code === outOfMemory)
    throw new BackendError("native", `the system has no ${value} bytes of memory for a kernel`);
  return { code, instruction, value, limit };
}

/** Calls into the addon; its errors become ours. */
function guard<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof BackendError) throw error;
    throw new BackendError("native", (error as Error).message);
  }
}

class NativeProgram implements LoadedProgram {
  readonly #addon: Addon;
  readonly #handle: Handle;
  constructor(addon: Addon, handle: Handle) {
    this.#addon = addon;
    this.#handle = handle;
  }
  run(arrays: readonly TypedArray[]): RunFailure | null {
    let failure: Failure;
    try {
      failure = this.#addon.run(this.#handle, arrays);
    } catch (error) {
      throw new BackendError("native", (error as Error).message);
    }
    return failure === null ? null : failureOf(failure);
  }
  async runAsync(arrays: readonly TypedArray[]): Promise<RunFailure | null> {
    // The addon holds on to this list, so that the arrays stay alive whatever the caller does with its own.
    const held = [...arrays];
    return failureOf(await guard(() => this.#addon.runAsync(this.#handle, held)));
  }
  times(): number[] {
    return this.#addon.times(this.#handle);
  }
}

class NativeModule implements CpuModule {
  readonly name = "native";
  readonly #addon: Addon;
  constructor(addon: Addon) {
    this.#addon = addon;
  }
  get isa(): string {
    return this.#addon.info().isa;
  }
  get availableIsas(): readonly string[] {
    return this.#addon.info().isas;
  }
  get threads(): number {
    return this.#addon.info().threads;
  }
  load(words: Int32Array, constants: Float64Array): LoadedProgram {
    const handle = guard(() => this.#addon.load(words, constants));
    return new NativeProgram(this.#addon, handle);
  }
  setIsa(isa: string): void {
    if (guard(() => this.#addon.setIsa(isa))) return;
    const available = this.availableIsas.join(", ");
    throw new BackendError("setIsa", `this machine does not run ${isa}; it runs ${available}`);
  }
  setThreads(count: number): void {
    guard(() => this.#addon.setThreads(count));
  }
  setProfiling(on: boolean): void {
    this.#addon.setProfiling(on);
  }
  memory(): EngineMemory {
    return this.#addon.memory();
  }
}

/** The nearest folder above this file that holds the package, from sources and from dist alike. */
function packageFolder(): string | undefined {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const file = join(folder, "package.json");
    if (existsSync(file) && JSON.parse(readFileSync(file, "utf8")).name === "gradus") return folder;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

/** The addon's file: of the prebuilt package for this platform, or of a local build. */
function findAddon(require: NodeJS.Require): string | undefined {
  try {
    return require.resolve(`@gradus/native-${process.platform}-${process.arch}/gradus.node`);
  } catch {
    // Not installed: optional packages may be missing.
  }
  const folder = packageFolder();
  const file = folder && join(folder, "dist", "native", "gradus.node");
  return file && existsSync(file) ? file : undefined;
}

/** Loads the addon, or says in one line why there is none. */
export function loadNative(): CpuModule | { missing: string } {
  const require = createRequire(import.meta.url);
  const file = findAddon(require);
  if (!file)
    return { missing: `no addon for ${process.platform}-${process.arch} is installed or built` };
  try {
    const addon = require(file) as Addon;
    // A program of nothing: an addon of another version refuses it here, and not at the first op.
    addon.load(Int32Array.of(magic, version, headerWords, 0, 0, 0, 0, 0), new Float64Array(0));
    return new NativeModule(addon);
  } catch (error) {
    return { missing: `${file} does not load: ${(error as Error).message.split("\n")[0]}` };
  }
}
