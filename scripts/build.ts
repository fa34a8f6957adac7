/**
 * `npm run build`: numbers the opcodes, compiles the C++ to the addon and to WASM, and TypeScript to dist. A step whose
 * sources have not changed is not run again. Without a C++ compiler there is no addon, and WASM is used.
 * `npm run build -- wasm` runs one step, whatever has changed.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildLabs } from "./buildLabs.js";
import { buildNative } from "./buildNative.js";
import { bundle } from "./bundle.js";
import { fingerprint } from "./lib/fingerprint.js";
import { addonFile, capture, isMain, projectRoot } from "./lib/process.js";

interface Step {
  readonly name: string;
  /** Files and folders whose contents decide whether the step must run. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Throws if it fails; gives a reason if the step cannot run here and that is no failure. */
  run(): Promise<string | undefined>;
}

const stateFile = join(projectRoot, "dist/.build.json");
const inProject = (path: string) => join(projectRoot, path);

async function runScript(script: string): Promise<undefined> {
  const { code, output } = await capture(process.execPath, ["--import", "tsx", script]);
  if (code !== 0) throw new Error(output.trim());
}

async function compileAddon(): Promise<string | undefined> {
  const { built, reason } = await buildNative();
  return built ? undefined : `left out: ${reason}; Gradus will run on WASM`;
}

async function compileLibrary(): Promise<undefined> {
  const compiler = inProject("node_modules/typescript/bin/tsc");
  const flags = [compiler, "-p", projectRoot, "--noEmitOnError", "--pretty", "false"];
  const { code, output } = await capture(process.execPath, flags);
  if (code !== 0) throw new Error(output.trim());
  removeOrphans("");
  await bundle();
}

/** Files in dist whose source is gone would still be found by imports, and published. */
function removeOrphans(folder: string): void {
  const kept = ["labs", "wasm", "native", "web"];
  for (const entry of readdirSync(inProject(`dist/${folder}`), { withFileTypes: true })) {
    const path = `${folder}${entry.name}`;
    if (kept.includes(path) || path.startsWith(".")) continue;
    const isOrphan = entry.isDirectory()
      ? !existsSync(inProject(`src/${path}`))
      : !existsSync(inProject(`src/${path.replace(/(\.d)?\.[jt]s$/, ".ts")}`));
    if (isOrphan) rmSync(inProject(`dist/${path}`), { recursive: true });
    else if (entry.isDirectory()) removeOrphans(`${path}/`);
  }
}

const tables = [
  "src/ir/primitives.ts",
  "src/ir/primitives",
  "src/core",
  "src/backend/cpu/format.ts",
];

const engine = ["native", "scripts/engineSources.ts"];

const steps: readonly Step[] = [
  {
    name: "opcodes",
    inputs: ["scripts/generateOpcodes.ts", ...tables],
    outputs: ["native/generated/opcodes.h"],
    run: () => runScript("scripts/generateOpcodes.ts"),
  },
  {
    name: "native",
    inputs: [...engine, "scripts/buildNative.ts"],
    outputs: [addonFile],
    run: compileAddon,
  },
  {
    name: "wasm",
    inputs: [...engine, "scripts/buildWasm.ts"],
    outputs: ["dist/wasm/gradus.wasm", "dist/wasm/relaxed.wasm", "dist/wasm/binary.js"],
    run: () => runScript("scripts/buildWasm.ts"),
  },
  {
    name: "library",
    inputs: ["src", "tsconfig.json", "package.json", "scripts/bundle.ts"],
    outputs: ["dist/index.js", "dist/index.d.ts", "dist/platform/browser.js"],
    run: compileLibrary,
  },
  {
    name: "labs",
    inputs: ["labs", "scripts/buildLabs.ts"],
    outputs: ["dist/labs/index.js"],
    run: buildLabs,
  },
];

type State = Record<string, string>;

function readState(): State {
  try {
    return JSON.parse(readFileSync(stateFile, "utf8")) as State;
  } catch {
    return {};
  }
}

async function perform(step: Step, state: State, forced: boolean): Promise<void> {
  const started = performance.now();
  const print = (text: string) => console.log(`${step.name.padEnd(8)} ${text}`);
  const current = fingerprint(step.inputs, [process.platform, process.arch]);
  const complete = step.outputs.every((output) => existsSync(inProject(output)));
  if (!forced && complete && state[step.name] === current) return print("unchanged");
  delete state[step.name];
  let leftOut: string | undefined;
  try {
    leftOut = await step.run();
  } catch (error) {
    throw new Error(`${step.name} failed: ${(error as Error).message}`);
  }
  if (leftOut !== undefined) {
    // What an older build left would not fit the other parts.
    for (const output of step.outputs) rmSync(inProject(output), { force: true });
    return print(leftOut);
  }
  state[step.name] = current;
  print(`built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** Runs all steps, or those named; opcodes first, since the C++ includes them, the others at once. */
export async function build(names: readonly string[] = []): Promise<void> {
  const unknown = names.find((name) => !steps.some((step) => step.name === name));
  if (unknown) throw new Error(`no step ${unknown}: ${steps.map((step) => step.name).join(", ")}`);
  const chosen = steps.filter((step) => names.length === 0 || names.includes(step.name));
  const [first, rest] = [chosen.slice(0, 1), chosen.slice(1)];
  mkdirSync(inProject("dist"), { recursive: true });
  const state = readState();
  const run = (step: Step) => perform(step, state, names.length > 0);
  try {
    for (const step of first) await run(step);
    const results = await Promise.allSettled(rest.map(run));
    const failed = results.filter((result) => result.status === "rejected");
    if (failed.length > 0) throw new Error(failed.map(({ reason }) => reason.message).join("\n"));
  } finally {
    writeFileSync(stateFile, `${JSON.stringify(state, null, 2)}\n`);
  }
}

if (isMain(import.meta.url)) {
  try {
    await build(process.argv.slice(2));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
