/**
 * A training process that is killed with SIGKILL at random moments, and each time goes on, ends in the same bits as one that
 * nobody disturbs. GRADUS_KILLS says how many times; a few by default.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { projectRoot } from "../scripts/lib/process.js";
import { readJsonLines } from "../src/io/index.js";
import type { TrainEvent } from "../src/train/index.js";
import { makeRandom, temporaryFolder } from "./trainSupport.js";

const kills = Number(process.env.GRADUS_KILLS ?? 6);
/** A life sees at most so many events, four to a step, and then so many milliseconds. */
const [mostEvents, mostMilliseconds] = [40, 25];
/** Three steps each: enough that the run outlives the kills. */
const epochs = 20 + 4 * kills;

const parent = temporaryFolder();
const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill("SIGKILL");
});

interface Life {
  readonly child: ChildProcess;
  /** Settles when it has seen so many events, or has ended. */
  events(count: number): Promise<void>;
  readonly ended: Promise<{ out: string; err: string; signal: string | null }>;
}

function live(folder: string): Life {
  const file = join(projectRoot, "test/support/killedRun.ts");
  const words = ["--import", "tsx", "--conditions=gradus-source", file, folder, String(epochs)];
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
  const whole = live(mkdtempSync(join(parent, "whole-"))).ended;
  const folder = mkdtempSync(join(parent, "killed-"));
  let done = 0;
  const seen: number[] = [];
  while (done < kills) {
    const { child, events, ended } = live(folder);
    // None is while it starts, or reads its checkpoint.
    await events(Math.floor(random() * mostEvents));
    await new Promise((resolve) => setTimeout(resolve, random() * mostMilliseconds));
    child.kill("SIGKILL");
    const end = await ended;
    assert.equal(end.signal, "SIGKILL", `the run was over after ${done} kills: ${end.err}`);
    done++;
    const log = join(folder, "log.jsonl");
    if (end.out !== "") seen.push(readJsonLines(log).length);
  }
  assert.ok(new Set(seen).size >= kills / 2, `it got on between the kills: ${seen.join(" ")}`);
  assert.equal(digestOf(await live(folder).ended), digestOf(await whole));
  const steps = (readJsonLines(join(folder, "log.jsonl")) as TrainEvent[]).flatMap((event) =>
    event.type === "step" ? [event.step] : [],
  );
  assert.deepEqual(
    steps,
    Array.from({ length: 3 * epochs }, (_, i) => i + 1),
  );
});
