/** Studies in files: what one process, eight processes and killed processes make of them. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import mutableFs, * as fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { FormatError, GradusError } from "../src/core/errors.js";
import { LostTrialError } from "../src/tune/errors.js";
import { FileStorage, giveBackLost, isGone, workerName } from "../src/tune/node/index.js";
import { Space } from "../src/tune/space/space.js";
import type { StudyDefinition } from "../src/tune/storage.js";

const folder = fs.mkdtempSync(join(tmpdir(), "gradus-"));
after(() => fs.rmSync(folder, { recursive: true }));

const definition: StudyDefinition = {
  name: "test",
  direction: "minimize",
  space: new Space({ lr: { kind: "logUniform", low: 1e-3, high: 1000 } }).toJSON(),
  sampler: { kind: "random", seed: 1 },
  pruner: { kind: "none" },
  created: 1000,
};

let files = 0;
const newPath = () => join(folder, `study${files++}.jsonl`);
function newStudy(): FileStorage {
  const storage = new FileStorage(newPath());
  storage.open(definition);
  return storage;
}

test("what one writes another reads, also later", () => {
  const a = newStudy();
  const b = new FileStorage(a.path);
  assert.deepEqual(b.open({ ...definition, name: "other" }), definition);
  assert.deepEqual(b.enqueue({ lr: 2 }).parameters, { lr: 2 });
  const [first, second] = [a.claim("a")!, b.claim("b")!];
  assert.deepEqual([first.number, second.number], [0, 1]);
  assert.deepEqual([first.enqueued, second.enqueued], [true, undefined]);
  a.decide(first, { lr: 2, act: "relu", on: true, off: null });
  a.report(first, 2, 0.5);
  a.report(first, 1, 0.7);
  a.annotate(first, { run: "trials/0" });
  a.tell(first, { state: "pruned", value: 0.5 });
  b.tell(second, { state: "failed", error: "too “large”\nline" });
  a.close();
  const later = new FileStorage(a.path);
  assert.deepEqual(later.load(), definition);
  const [x, y] = later.trials();
  assert.deepEqual(x!.parameters, { lr: 2, act: "relu", on: true, off: null });
  assert.deepEqual(
    x!.reports.map(({ step }) => step),
    [1, 2],
  );
  assert.deepEqual([x!.state, x!.value, x!.attributes], ["pruned", 0.5, { run: "trials/0" }]);
  assert.deepEqual([y!.state, y!.error], ["failed", "too “large”\nline"]);
  assert.deepEqual(later.trials(), b.trials());
  assert.equal(new FileStorage(newPath()).load(), undefined);
});

test("a trial that was given back is lost to whoever had it", () => {
  const a = newStudy();
  const other = new FileStorage(a.path);
  const claim = a.claim("a")!;
  other.release(claim);
  const again = other.claim("b")!;
  assert.deepEqual([again.number, again.attempt], [claim.number, 2]);
  for (const late of [
    () => a.report(claim, 1, 1),
    () => a.heartbeat(claim),
    () => a.decide(claim, { lr: 1 }),
    () => a.tell(claim, { state: "complete", value: 1 }),
  ])
    assert.throws(late, LostTrialError);
  other.tell(again, { state: "complete", value: 2 });
  assert.throws(() => other.tell(again, { state: "complete", value: 3 }), LostTrialError);
  assert.equal(a.trials()[0]!.value, 2);
});

test("a file keeps a study's first trials and how often processes died", () => {
  const path = newPath();
  const [a, b] = [new FileStorage(path), new FileStorage(path)];
  for (const storage of [a, b]) storage.open({ ...definition, first: [{ lr: 2 }, { lr: 3 }] });
  assert.deepEqual(
    b.trials().map(({ parameters }) => parameters.lr),
    [2, 3],
  );
  a.release(b.claim("b")!, { died: true });
  a.release(b.claim("b")!);
  const deaths = (storage: FileStorage) => storage.trials()[0]!.deaths;
  assert.deepEqual([a, b, new FileStorage(path)].map(deaths), [1, 1, 1]);
});

test("limits hold, and what cannot be read again is not written", () => {
  const storage = newStudy();
  assert.ok(storage.claim("a", { trials: 1, sampled: Number.POSITIVE_INFINITY }));
  assert.equal(storage.claim("a", { trials: 1 }), undefined);
  const claim = storage.trials()[0]!;
  const size = fs.statSync(storage.path).size;
  assert.throws(() => storage.report(claim, 1, Number.NaN), GradusError);
  assert.throws(() => storage.decide(claim, { lr: Number.POSITIVE_INFINITY }), GradusError);
  assert.throws(
    () => storage.tell(claim, { state: "failed", error: "x".repeat(1e6) }),
    GradusError,
  );
  const many = Array.from({ length: 40 }, (_, i) => [`p${i}`, "é".repeat(30_000)]);
  assert.throws(
    () => storage.decide(claim, Object.fromEntries(many)),
    /at most \d+ are read again/,
  );
  assert.equal(fs.statSync(storage.path).size, size);
});

test("half a line is skipped by all, and costs nobody a line", () => {
  const a = newStudy();
  const b = new FileStorage(a.path);
  for (const half of ['{"op":"tell","number":0,"ti', '{"op":"cl', '{"'] as const) {
    fs.appendFileSync(a.path, half);
    const [one, two] = [a.claim("a")!, b.claim("b")!];
    assert.equal(two.number, one.number + 1);
  }
  assert.equal(a.trials().length, 6);
  assert.deepEqual(new FileStorage(a.path).trials(), a.trials());
});

test("a line glued to half a line is written once more", () => {
  const storage = newStudy();
  storage.claim("a");
  const { writeSync } = mutableFs;
  let glued = 0;
  // Another process dies in the middle of its line just before ours is written.
  const dying = (file: number, bytes: Buffer) => {
    if (glued++ === 0) fs.appendFileSync(storage.path, '{"op":"enq');
    return writeSync(file, bytes);
  };
  try {
    mutableFs.writeSync = dying as typeof writeSync;
    syncBuiltinESMExports();
    assert.equal(storage.claim("b")!.number, 1);
  } finally {
    mutableFs.writeSync = writeSync;
    syncBuiltinESMExports();
  }
  assert.equal(glued, 2);
  assert.deepEqual(
    new FileStorage(storage.path).trials().map(({ worker }) => worker),
    ["a", "b"],
  );
});

test("files that are no studies are refused", () => {
  const good = fs.readFileSync(newStudy().path, "utf8");
  const line = (value: object) => `${good}${JSON.stringify({ ...value, time: 1, by: "x" })}\n`;
  const cases: [text: string | Uint8Array, message: RegExp][] = [
    ["hello\n", /line 1 is not JSON/],
    [`${good}hello\n`, /line 2 is not JSON/],
    ["[]\n", /line 1: the line/],
    [line({ op: "explode" }), /line 2: op/],
    [line({ op: "report", number: -1, attempt: 1, step: 1, value: 1 }), /line 2: number/],
    [line({ op: "report", number: 1, attempt: 1, step: 1, value: "1" }), /line 2: value/],
    [line({ op: "claim", worker: "a", limits: {}, more: 1 }), /line 2: the line.*more/],
    [line({ op: "claim", worker: "a", limits: {} }).slice(good.length), /does not begin with/],
    [good.replace('"low":0.001', '"low":-1'), /low > 0|definition/],
    [good.replace('"version":1', '"version":2'), /version/],
    [new Uint8Array(2 ** 20 + 5).fill(123), /line 1 has no end/],
    [new Uint8Array(1000).map((_, i) => i), /line 1 is not JSON/],
  ];
  for (const [text, message] of cases) {
    const path = newPath();
    fs.writeFileSync(path, text);
    assert.throws(
      () => new FileStorage(path).load(),
      (error) =>
        error instanceof FormatError && message.test(error.message) && error.message.includes(path),
      String(message),
    );
  }
  const storage = newStudy();
  storage.claim("a");
  fs.truncateSync(storage.path, 10);
  assert.throws(() => storage.trials(), /became shorter/);
  assert.throws(() => new FileStorage(folder).load(), GradusError);
  assert.throws(
    () => new FileStorage(join(folder, "none", "x.jsonl")).open(definition),
    /no such file/,
  );
});

test("workers that are gone or silent lose their trials, and a trial that kills them fails", async () => {
  const storage = newStudy();
  const child = spawn(process.execPath, ["-e", "0"]);
  const gone = workerName("x").replace(`:${process.pid}:`, `:${child.pid}:`);
  await new Promise((resolve) => child.on("exit", resolve));
  assert.deepEqual([gone, workerName("x"), "elsewhere:1:x", "nonsense"].map(isGone), [
    true,
    false,
    false,
    false,
  ]);
  storage.claim(workerName("a"));
  storage.claim(gone);
  assert.deepEqual(await giveBackLost(storage, { except: [gone] }), []);
  assert.deepEqual(
    (await giveBackLost(storage)).map(({ number, state }) => [number, state]),
    [[1, "waiting"]],
  );
  for (const attempt of [2, 3]) {
    assert.equal(storage.claim(gone)!.attempt, attempt);
    await giveBackLost(storage);
  }
  assert.equal(storage.trials()[1]!.state, "failed");
  assert.match(storage.trials()[1]!.error!, /died 3 times/);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((await giveBackLost(storage, { silentSeconds: 0.001 }))[0]!.state, "waiting");
});

test("eight processes hammer one study and some are killed: each trial ends once", async () => {
  const script = join(folder, "hammer.mjs");
  const source = fileURLToPath(new URL("./support/studyHammer.ts", import.meta.url));
  await build({
    ...{ entryPoints: [source], outfile: script, bundle: true, format: "esm" },
    ...{ platform: "node", target: "node20", conditions: ["gradus-source"] },
  });
  const storage = newStudy();
  const trials = 400;
  let said = "";
  let killed = 0;
  const running = new Set<ChildProcess>();
  const failures: string[] = [];
  const start = () => {
    const child = spawn(process.execPath, [script, storage.path, String(trials)]);
    running.add(child);
    child.stdout.on("data", (data) => {
      said += data;
    });
    child.stderr.on("data", (data) => failures.push(String(data)));
    child.on("close", () => running.delete(child));
  };
  for (let i = 0; i < 8; i++) start();
  let random = 12345;
  const isOver = () =>
    storage.trials().length === trials &&
    storage.trials().every(({ state }) => state === "complete");
  while (!isOver()) {
    random = (random * 1103515245 + 12345) % 2 ** 31;
    await new Promise((resolve) => setTimeout(resolve, 20 + (random % 40)));
    const victim = [...running][random % Math.max(1, running.size)];
    if (victim && killed < 25 && said !== "" && victim.kill("SIGKILL")) killed++;
    await giveBackLost(storage, { attempts: 1000 });
    while (running.size < 8 && !isOver()) start();
  }
  await Promise.all(
    [...running].map((child) => new Promise((resolve) => child.on("close", resolve))),
  );
  assert.deepEqual(failures, []);
  assert.ok(killed >= 10, `${killed} killed`);
  const lines = said.trim().split("\n");
  const claimed = lines.filter((line) => line.startsWith("claimed"));
  assert.equal(new Set(claimed).size, claimed.length, "a try of a trial was given to two");
  const told = lines
    .filter((line) => line.startsWith("told"))
    .map((line) => line.split(" ").map(Number));
  assert.equal(new Set(told.map(([, number]) => number)).size, told.length, "a trial ended twice");
  const fresh = new FileStorage(storage.path);
  for (const [, number, attempt] of told)
    assert.equal(fresh.trials()[number!]!.value, number! + attempt! / 1000);
  for (const trial of fresh.trials()) {
    assert.equal(trial.value, trial.number + trial.attempt / 1000);
    assert.equal(trial.parameters.lr, trial.number + 0.5);
    assert.deepEqual(
      trial.reports.map(({ step, value }) => value === trial.number * step),
      [true, true, true],
    );
  }
  const journal = fs
    .readFileSync(storage.path, "utf8")
    .trimEnd()
    .split("\n")
    .filter((line) => line);
  assert.ok(journal.length > 2500, `${journal.length} operations`);
});

test("a study that may not be written can be read", () => {
  const whole = newStudy();
  whole.claim("a");
  const { openSync } = mutableFs;
  const refused = Object.assign(new Error("EROFS: read-only file system"), { code: "EROFS" });
  const later = new FileStorage(whole.path);
  try {
    // Root may write everywhere, so the disk is played.
    mutableFs.openSync = ((path: string, flags: number, mode: number) => {
      if (path === whole.path && (flags & fs.constants.O_RDWR) !== 0) throw refused;
      return openSync(path, flags, mode);
    }) as typeof openSync;
    syncBuiltinESMExports();
    assert.equal(later.trials().length, 1);
    assert.deepEqual(later.load(), definition);
    assert.throws(() => later.claim("b"), /study\d+.jsonl: the disk is read-only/);
    assert.deepEqual(new FileStorage(whole.path).open(definition), definition);
  } finally {
    mutableFs.openSync = openSync;
    syncBuiltinESMExports();
  }
  assert.equal(whole.trials().length, 1);
});
