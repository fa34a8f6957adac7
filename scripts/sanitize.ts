/**
 * Runs the engine's tests on addons that the compiler's sanitizers watch: once for memory and undefined
 * behaviour, once for races between threads. Linux only. `npm run sanitize -- address` runs one of them.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { buildNative, findCompiler } from "./buildNative.js";
import { nativeFolder, root } from "./engineSources.js";
import { isMain } from "./lib/process.js";

interface Sanitizer {
  readonly name: string;
  /** Loaded before Node, which is not built with it. */
  readonly runtime: string;
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const sanitizers: readonly Sanitizer[] = [
  {
    name: "address",
    runtime: "libasan.so",
    flags: ["-fsanitize=address,undefined", "-fno-sanitize=vptr"],
    // Node keeps memory until its end on purpose. Undefined behaviour is listed and stops no test.
    environment: {
      ASAN_OPTIONS: "detect_leaks=0:allocator_may_return_null=1",
      UBSAN_OPTIONS: "print_stacktrace=1",
    },
  },
  {
    name: "thread",
    runtime: "libtsan.so",
    flags: ["-fsanitize=thread"],
    // Node's own threads are not watched, only what the addon does.
    environment: { TSAN_OPTIONS: "ignore_noninstrumented_modules=1:allocator_may_return_null=1" },
  },
];

const suites = ["engine", "table", "tableGuards"].map((name) => join("test", `${name}.test.ts`));

/** The sanitizer's library, or null where the compiler came without it. */
function findRuntime(name: string): string | null {
  const compiler = findCompiler();
  const file = compiler
    ? execFileSync(compiler.command, [`-print-file-name=${name}`], { encoding: "utf8" }).trim()
    : "";
  return isAbsolute(file) ? realpathSync(file) : null;
}

/** Builds the addon with a sanitizer; gives the folder where Node finds it as a prebuilt package. */
async function build({ name, flags }: Sanitizer): Promise<string> {
  const folder = join(nativeFolder, "build", name);
  const modules = join(folder, "modules");
  const target = join(modules, packageName, "gradus.node");
  await buildNative({ folder, target, flags: ["-O1", "-g", ...flags], linkFlags: [] });
  return modules;
}

const packageName = `@gradus/native-${process.platform}-${process.arch}`;

/** Runs the suites; false if the sanitizer or a test complained. */
function runSuites(sanitizer: Sanitizer, runtime: string, modules: string): boolean {
  const environment = {
    ...sanitizer.environment,
    LD_PRELOAD: runtime,
    NODE_PATH: modules,
    GRADUS_TEST_BACKENDS: "interpreter,native",
  };
  const settings = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
  const node = (parameters: readonly string[]) =>
    // Addresses stay where the sanitizers expect them.
    spawnSync("setarch", ["-R", "env", ...settings, process.execPath, ...parameters], {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
  const probe = `require.resolve("${packageName}/gradus.node")`;
  const found = node(["-p", probe]).stdout.trim();
  if (found !== join(modules, packageName, "gradus.node"))
    throw new Error(`Node finds the addon at "${found}" and not the one built in ${modules}`);
  const flags = ["--conditions=gradus-source", "--import=tsx", "--test", "--test-concurrency=1"];
  const { status, signal, stdout, stderr } = node([...flags, "--test-reporter=spec", ...suites]);
  const report = join(nativeFolder, "build", `${sanitizer.name}.log`);
  writeFileSync(report, stdout + stderr);
  const complaints = (stdout + stderr).match(/^.*(?:Sanitizer:|runtime error:).*$/gm) ?? [];
  for (const line of new Set(complaints)) console.error(line);
  const passes = status === 0 && complaints.length === 0;
  console.log(
    `${sanitizer.name}: ${passes ? "no complaints" : `failed (${signal ?? `code ${status}`}), see ${report}`}`,
  );
  return passes;
}

async function main(): Promise<void> {
  if (process.platform !== "linux") {
    console.log("sanitizers skipped: platform: they run on Linux only");
    return;
  }
  mkdirSync(join(nativeFolder, "build"), { recursive: true });
  const names = process.argv.slice(2);
  for (const sanitizer of sanitizers) {
    if (names.length > 0 && !names.includes(sanitizer.name)) continue;
    const runtime = findRuntime(sanitizer.runtime);
    if (runtime === null)
      console.log(`${sanitizer.name} skipped: platform: no compiler with ${sanitizer.runtime}`);
    else if (!runSuites(sanitizer, runtime, await build(sanitizer))) process.exitCode = 1;
  }
}

if (isMain(import.meta.url)) await main();
