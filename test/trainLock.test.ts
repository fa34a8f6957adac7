/** The lock of a run's folder: one process at a time, and what a killed one leaves is taken over. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { projectRoot } from "../scripts/lib/process.js";
import { lockRun, RunLockedError } from "../src/train/node/index.js";
import { temporaryFolder } from "./trainSupport.js";

const parent = temporaryFolder();
const newFolder = (): string => mkdtempSync(join(parent, "run-"));
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill("SIGKILL");
});

/** Starts a process that tries to take the lock; gives what it says. */
function tryElsewhere(
  folder: string,
  mode = "stay",
): Promise<{ said: string; child: ChildProcess }> {
  const file = join(projectRoot, "test/support/lockHolder.ts");
  const words = ["--import", "tsx", "--conditions=gradus-source", file, folder, mode];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.stdout!.once("data", (text: Buffer) => resolve({ said: text.toString().trim(), child }));
  });
}

test("a run is one process's at a time, which is named", async () => {
  const folder = newFolder();
  const lock = lockRun(folder);
  assert.ok(lock.isHeld());
  assert.throws(() => lockRun(folder), new RegExp(`in use by process ${process.pid} since`));
  assert.equal((await tryElsewhere(folder)).said, "RunLockedError");
  lock.release();
  lock.release();
  assert.deepEqual(readdirSync(folder), []);
  lockRun(folder).release();
});

test("the lock of a killed process is taken over, by one of many at most", async () => {
  const folder = newFolder();
  const { said, child } = await tryElsewhere(folder);
  assert.equal(said, "locked");
  assert.throws(() => lockRun(folder), RunLockedError);
  const ended = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  const several = await Promise.all(Array.from({ length: 4 }, () => tryElsewhere(folder)));
  const words = several.map((one) => one.said).sort();
  assert.deepEqual(words, [...Array(3).fill("RunLockedError"), "locked"]);
  assert.deepEqual(readdirSync(folder), ["lock.json"]);
});

test("a process number that another program got meanwhile is no holder", () => {
  const folder = newFolder();
  const lock = lockRun(folder);
  const file = join(folder, "lock.json");
  const holder = JSON.parse(readFileSync(file, "utf8"));
  if (lock.holder.process === "") return;
  writeFileSync(file, JSON.stringify({ ...holder, process: "other-boot:1", token: "x" }));
  assert.equal(lock.isHeld(), false);
  const next = lockRun(folder);
  lock.release();
  assert.ok(next.isHeld());
});

test("what holds no lock is taken over, what may hold one is not", () => {
  const folder = newFolder();
  const file = join(folder, "lock.json");
  const write = (changes: object) => {
    const holder = { pid: 2 ** 22 + 1, host: hostname(), process: "", since: "", token: "y" };
    writeFileSync(file, JSON.stringify({ ...holder, ...changes }));
  };
  write({});
  lockRun(folder).release();
  writeFileSync(file, "");
  lockRun(folder).release();
  write({ host: "elsewhere" });
  assert.throws(
    () => lockRun(folder),
    /in use by process \d+ on elsewhere since .*remove .*lock\.json/,
  );
  assert.throws(() => lockRun(join(folder, "missing")), /missing: no such file or folder/);
  mkdirSync(join(folder, "odd"));
  mkdirSync(join(folder, "odd", "lock.json"));
  assert.throws(() => lockRun(join(folder, "odd")), /odd/);
});
