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
/** Enough that the run outlives the kills: each life does some 15 of an epoch's 3 steps. */
const epochs = 10 + 6 * kills;
const mostMilliseconds = 120;

const parent = temporaryFolder();
const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill("SIGKILL");
});

interface Life {
  readonly child: ChildProcess;
  /** Settles when it begins to train, or ends. */
  readonly training: Promise<void>;
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
  const training = new Promise<void>((resolve) => {
    child.stdout!.on("data", (text) => {
      out += text;
      resolve();
    });
    child.on("close", () => resolve());
  });
  const ended = new Promise<Awaited<Life["ended"]>>((resolve) => {
    child.on("close", (_code, signal) => {
      children.delete(child);
      resolve({ out, err, signal });
    });
  });
  return { child, training, ended };
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
    const { child, training, ended } = live(folder);
    // One of five dies before it trains: while it starts, or reads its checkpoint.
    if (random() < 0.8) await training;
    const milliseconds = random() * mostMilliseconds;
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    child.kill("SIGKILL");
    const end = await ended;
    assert.equal(end.signal, "SIGKILL", `the run was over after ${done} kills: ${end.err}`);
    done++;
    const log = join(folder, "log.jsonl");
    seen.push(end.out === "" ? 0 : readJsonLines(log).length);
  }
  assert.ok(new Set(seen).size > kills / 3, `it got on between the kills: ${seen.join(" ")}`);
  assert.equal(digestOf(await live(folder).ended), digestOf(await whole));
  const steps = (readJsonLines(join(folder, "log.jsonl")) as TrainEvent[]).flatMap((event) =>
    event.type === "step" ? [event.step] : [],
  );
  assert.deepEqual(
    steps,
    Array.from({ length: 3 * epochs }, (_, i) => i + 1),
  );
});
