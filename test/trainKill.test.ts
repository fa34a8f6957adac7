/**
 * A training process that is killed with SIGKILL at random moments, and each time goes on, ends in the same bits as one that
 * nobody disturbs. GRADUS_KILLS says how many times, 50 by default; GRADUS_SEED when.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { build } from "esbuild";
import { projectRoot } from "../scripts/lib/process.js";
import { readJsonLines } from "../src/io/index.js";
import type { TrainEvent } from "../src/train/index.js";
import { makeRandom, temporaryFolder } from "./trainSupport.js";

const kills = Number(process.env.GRADUS_KILLS ?? 50);
/** A life sees at most so many events, four to a step, and then so many milliseconds. */
const [mostEvents, mostMilliseconds] = [20, 8];
/** Three steps each: enough that the run outlives most of the kills. */
const epochs = 10 + 2 * kills;

const parent = temporaryFolder();
const children = new Set<ChildProcess>();
// One file, since a tenth of a second is enough to start it; inside the project, whose addon it looks for.
const bundle = join(projectRoot, ".examples", `kill-${process.pid}`);
const program = join(bundle, "killedRun.mjs");
await build({
  entryPoints: [join(projectRoot, "test/support/killedRun.ts")],
  outfile: program,
  ...{ bundle: true, platform: "node", format: "esm", logLevel: "error" },
  ...{ conditions: ["gradus-source"], packages: "external", external: ["#wasm-binary"] },
});
after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(bundle, { recursive: true, force: true });
});

interface Life {
  readonly child: ChildProcess;
  /** Settles when it has seen so many events, or has ended. */
  events(count: number): Promise<void>;
  readonly ended: Promise<{ out: string; err: string; signal: string | null }>;
}

function live(folder: string, everySteps = 1): Life {
  const words = [program, folder, String(epochs), String(everySteps)];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  let [out, err] = ["", ""];
  child.stderr!.on("data", (text) => {
    err += text;
  });
  child.stdout!.on("data", (text) => {
    out += text;
  });
  const events = async (count: number) => {
    while (out.length < count && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 1));
  };
  const ended = new Promise<Awaited<Life["ended"]>>((resolve) => {
    child.on("close", (_code, signal) => {
      children.delete(child);
      resolve({ out, err, signal });
    });
  });
  return { child, events, ended };
}

const digestOf = ({ out, err }: { out: string; err: string }): string => {
  const [, digest] = /finished (\w+)/.exec(out) ?? [];
  return digest ?? assert.fail(`the run did not finish: ${err || out}`);
};

test(`a run killed ${kills} times ends in the bits of an undisturbed one, each step logged once`, async () => {
  const random = makeRandom(Number(process.env.GRADUS_SEED ?? 11));
  const whole = live(mkdtempSync(join(parent, "whole-")), 1_000_000).ended;
  const folder = mkdtempSync(join(parent, "killed-"));
  const seen: number[] = [];
  let [done, last] = [0, { out: "", err: "" }];
  while (done < kills && !last.out.includes("finished")) {
    const { child, events, ended } = live(folder);
    // None is while it starts, or reads its checkpoint.
    await events(Math.floor(random() * mostEvents));
    await new Promise((resolve) => setTimeout(resolve, random() * mostMilliseconds));
    child.kill("SIGKILL");
    const { signal, ...said } = await ended;
    last = said;
    if (signal === "SIGKILL") done++;
    else digestOf(last);
    if (last.out !== "") seen.push(readJsonLines(join(folder, "log.jsonl")).length);
  }
  assert.ok(done >= kills / 2, `the run was over after ${done} kills`);
  assert.ok(new Set(seen).size >= done / 2, `it got on between the kills: ${seen.join(" ")}`);
  if (!last.out.includes("finished")) last = await live(folder).ended;
  assert.equal(digestOf(last), digestOf(await whole));
  const steps = (readJsonLines(join(folder, "log.jsonl")) as TrainEvent[]).flatMap((event) =>
    event.type === "step" ? [event.step] : [],
  );
  assert.deepEqual(
    steps,
    Array.from({ length: 3 * epochs }, (_, i) => i + 1),
  );
});
