/** What the tests of training and of the command line share: small data sets, and the program as a child process. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { projectRoot } from "../scripts/lib/process.js";
import { runCommandLine } from "../src/cli/program.js";
import { Screen } from "../src/cli/terminal/screen.js";
import { data } from "../src/index.js";

/** A folder that is removed when the tests of the file are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "gradus-train-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Random numbers that are the same each time, from 0 to below 1. */
export function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const side = 28;

export interface ShapesOptions {
  readonly train?: number;
  readonly test?: number;
  readonly classes?: number;
  readonly seed?: number;
}

/** Pictures of a bright square on noise; where it is tells the class. */
function drawShapes(count: number, classes: number, random: () => number) {
  const images = new Uint8Array(count * side * side).map(() => random() * 60);
  const labels = new Uint8Array(count).map((_, i) => i % classes);
  labels.forEach((label, n) => {
    const top = 3 + 6 * (label % 4) + Math.floor(random() * 2);
    const left = 4 + 9 * Math.floor(label / 4) + Math.floor(random() * 2);
    for (let y = top; y < top + 5; y++)
      for (let x = left; x < left + 6; x++) images[(n * side + y) * side + x] = 200;
  });
  return {
    images: { shape: [count, side, side], dtype: "uint8", data: images },
    labels: { shape: [count], dtype: "uint8", data: labels },
  } as const;
}

/** Writes a data set in MNIST's format and gives its folder. */
export function writeShapes(parent: string, name: string, options: ShapesOptions = {}): string {
  const { train = 64, test = 24, classes = 4, seed = 1 } = options;
  const folder = join(parent, name);
  const random = makeRandom(seed);
  mkdirSync(folder, { recursive: true });
  for (const [part, count] of [
    ["train", train],
    ["t10k", test],
  ] as const) {
    const { images, labels } = drawShapes(count, classes, random);
    writeFileSync(join(folder, `${part}-images-idx3-ubyte`), data.encodeIdx(images));
    writeFileSync(join(folder, `${part}-labels-idx1-ubyte`), data.encodeIdx(labels));
  }
  return folder;
}

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly done: Promise<Finished>;
}

const program = [
  "--conditions=gradus-source",
  "--import",
  "tsx",
  join(projectRoot, "src/cli/main.ts"),
];

/** Starts `gradus` with these words. */
export function startGradus(
  words: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Started {
  const child = spawn(process.execPath, [...program, ...words], {
    cwd: projectRoot,
    env: { ...process.env, NO_COLOR: "", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout!.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  child.stderr!.setEncoding("utf8").on("data", (text) => {
    err += text;
  });
  const done = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, out, err }));
  });
  return { child, done };
}

/** Runs one command line in this process; gives its exit code and all that it printed. */
export async function runInProcess(...words: string[]): Promise<{ code: number; text: string }> {
  let text = "";
  const screen = () => new Screen({ write: (more) => (text += more) }, {});
  const code = await runCommandLine(words, { io: { out: screen(), err: screen() } });
  return { code, text };
}

export const gradus = (...words: string[]): Promise<Finished> => startGradus(words).done;

/** Waits until a run's log tells of this step. */
export async function waitForStep(run: string, step: number, started: Started): Promise<void> {
  const log = join(run, "log.jsonl");
  let isOver = false;
  started.done.then(() => {
    isOver = true;
  });
  for (;;) {
    if (existsSync(log) && readFileSync(log, "utf8").includes(`"step":${step},"loss"`)) return;
    if (isOver) throw new Error(`the run ended before step ${step}: ${(await started.done).err}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
