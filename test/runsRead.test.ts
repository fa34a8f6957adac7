/** Reading runs back: whoever wrote them, however they ended, whatever stands in them. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readLines } from "../src/io/index.js";
import {
  BoundedCurve,
  differingSettings,
  flattenSettings,
  isLowerBetter,
  lenetRecipe,
  mainMeasure,
} from "../src/train/index.js";
import {
  experimentFrom,
  listRuns,
  lockRun,
  readLog,
  readRun,
  resumeRun,
  startRun,
} from "../src/train/node/index.js";
import {
  makeRandom,
  startGradus,
  temporaryFolder,
  waitForStep,
  writeShapes,
} from "./trainSupport.js";

const parent = temporaryFolder();
let folders = 0;

const at = (second: number): string => new Date(Date.UTC(2026, 0, 2, 3, 4, second)).toISOString();
const line = (second: number, type: string, rest: object): string =>
  `${JSON.stringify({ time: at(second), type, ...rest })}\n`;
const begin = line(0, "start", {
  ...{ epochs: 2, batches: 2, trainExamples: 8, validationExamples: 4, backend: "native" },
  ...{ resumed: false, step: 0 },
});
const step = (n: number, loss: number | string, second = n): string =>
  line(second, "step", { epoch: Math.ceil(n / 2), step: n, loss, lr: 0.1 / n });
const epoch = (n: number, second: number, measures: object): string =>
  line(second, "epoch", { epoch: n, step: 2 * n, lr: 0.05, seconds: 2, ...measures });

/** A run's folder with this log and configuration. */
function makeRun(log: string | null, config: unknown = { model: "lenet" }): string {
  const path = join(parent, "made", `run-${++folders}`);
  mkdirSync(path, { recursive: true });
  if (log !== null) writeFileSync(join(path, "log.jsonl"), log);
  if (config !== undefined)
    writeFileSync(
      join(path, "config.json"),
      typeof config === "string" ? config : JSON.stringify(config),
    );
  return path;
}

test("lines come whole across blocks; the unfinished last one and those too long do not", () => {
  const path = join(parent, "lines.txt");
  const random = makeRandom(3);
  const lines = Array.from({ length: 400 }, (_, i) => `${i}:${"x".repeat(random() * 9000)}`);
  lines[7] = "y".repeat(40_000);
  writeFileSync(path, `${lines.join("\n")}\n\nunfinished`);
  const read = Array.from(readLines(path, { maxLineBytes: 30_000 }), (bytes) => bytes?.toString());
  assert.deepEqual(read, [...lines.map((text, i) => (i === 7 ? undefined : text)), ""]);
  assert.throws(() => [...readLines(parent)], /is not a file|directory/);
});

test("a finished run gives its curves, measures, best values and settings", () => {
  const validation = [0.5, 0.9].map((accuracy, i) => ({ validation: { loss: 1 + i, accuracy } }));
  const path = makeRun(
    begin +
      [step(1, 4), step(2, 2), epoch(1, 2, { train: { loss: 3 }, ...validation[0] })].join("") +
      [step(3, "NaN"), step(4, 1), epoch(2, 4, { train: { loss: 2 }, ...validation[1] })].join("") +
      line(5, "finished", { epochs: 2, step: 4, seconds: 4.5 }),
    {
      format: "gradus-run",
      version: 9,
      created: at(0),
      model: { name: "cnn", width: 3 },
      optim: { lr: 0.1 },
    },
  );
  const run = readRun(path);
  assert.equal(run.status, "finished");
  assert.deepEqual(
    run.losses.map(({ last, mean, bad }) => [last, mean, bad]),
    [
      [1, 4, 0],
      [2, 2, 0],
      [3, Number.NaN, 1],
      [4, 1, 0],
    ],
  );
  assert.deepEqual(run.best.validation, {
    loss: { value: 1, epoch: 1, step: 2 },
    accuracy: { value: 0.9, epoch: 2, step: 4 },
  });
  assert.deepEqual([run.epoch, run.step, run.totalSteps, run.seconds], [2, 4, 4, 4.5]);
  assert.deepEqual(
    [run.model, run.settings],
    ["cnn", { "model.name": "cnn", "model.width": 3, "optim.lr": 0.1 }],
  );
  assert.equal(run.created, Date.parse(at(0)));
  const short = readRun(path, { curves: false });
  assert.deepEqual({ ...short, losses: run.losses, rates: run.rates }, run);
});

test("how a run ended is told from its log and the time", () => {
  const half =
    begin + step(1, 4) + epoch(1, 2, { train: { loss: 3 }, test: { loss: 2 } }) + step(3, 1);
  const path = makeRun(half);
  const now = statSync(join(path, "log.jsonl")).mtimeMs;
  assert.equal(readRun(path, { now: now + 50_000 }).status, "running");
  const dead = readRun(path, { now: now + 70_000 });
  assert.deepEqual([dead.status, dead.step, dead.epoch, dead.seconds], ["interrupted", 3, 1, 3]);
  // An older version said "test" where this one says "validation".
  assert.equal(dead.best.validation.loss!.value, 2);
  const later = { now: now + 1e9 };
  assert.equal(
    readRun(makeRun(half + line(9, "stopped", { epoch: 2, step: 3 })), later).status,
    "stopped",
  );
  const failed = readRun(
    makeRun(half + line(9, "failed", { epoch: 2, step: 3, message: "no disk" })),
  );
  assert.deepEqual([failed.status, failed.message], ["failed", "no disk"]);
  const on =
    line(9, "stopped", { epoch: 2, step: 3 }) + line(10, "start", { step: 3, resumed: true });
  assert.equal(readRun(makeRun(half + on), later).status, "interrupted");
  assert.equal(readRun(makeRun(null), later).status, "empty");
  const slow = line(5, "evaluation", {
    epoch: 1,
    step: 2,
    examples: 9,
    seconds: 100,
    measures: { loss: 1 },
  });
  assert.equal(readRun(makeRun(half + slow), { now: now + 400_000 }).status, "running");
});

test("steps that were done again count once, the later ones", () => {
  const again = line(9, "start", { epochs: 2, batches: 2, step: 1, resumed: true });
  const first =
    step(1, 4) + step(2, 3) + epoch(1, 2, { train: { loss: 3 }, validation: { loss: 0.1 } });
  const second = step(2, 7, 10) + epoch(1, 11, { train: { loss: 5 }, validation: { loss: 6 } });
  const run = readRun(makeRun(begin + first + step(3, 2) + again + second));
  assert.deepEqual(
    run.losses.map(({ last, mean }) => [last, mean]),
    [
      [1, 4],
      [2, 7],
    ],
  );
  assert.deepEqual(
    run.history.map(({ train }) => train.loss),
    [5],
  );
  assert.deepEqual(run.best.validation.loss, { value: 6, epoch: 1, step: 2 });
  assert.equal(run.step, 2);
});

test("what cannot be understood is named and left out, and nothing crashes", () => {
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const hostile = [
    "null",
    "7",
    "[]",
    "{}",
    '"text"',
    deep,
    "{bad",
    "\0\0\0",
    '{"type":"step"}',
    '{"type":"step","step":-1,"loss":1}',
    '{"type":"step","step":1e999,"loss":1}',
    '{"type":"__proto__","step":1}',
    '{"type":"constructor","step":1}',
    '{"type":"epoch","epoch":1,"step":2,"train":{"__proto__":1,"loss":"NaN","x":{}}}',
    '{"type":"epoch","epoch":1,"step":2,"train":null}',
    '{"type":"health","step":2,"parameters":[null,{"name":7,"norm":"Infinity"}],"activations":"x"}',
    '{"type":"of a later version","step":2}',
  ];
  const path = makeRun(
    `${begin}${hostile.join("\n")}\n${step(3, 1)}{"type":"step","st`,
    "{nonsense",
  );
  const run = readRun(path);
  assert.equal(run.step, 3);
  assert.deepEqual(run.problems, [
    "config.json: is not JSON",
    "log.jsonl: 12 lines are no events, the first is line 2",
  ]);
  assert.deepEqual(Object.keys(run.history[0]!.train), ["__proto__", "loss"]);
  assert.equal(run.health!.parameters[0]!.norm, Number.POSITIVE_INFINITY);
  assert.equal(({} as Record<string, unknown>).loss, undefined);
  assert.throws(() => readRun(join(parent, "nowhere")), /no such run/);
  assert.throws(() => readRun(parent), /holds no config.json/);
  const odd = makeRun(null);
  symlinkSync("/dev/zero", join(odd, "log.jsonl"));
  assert.match(readRun(odd).problems[0]!, /is not a file/);
  for (const config of ["null", "[]", '"x"', `{"a":${deep}}`, '{"created":"never","model":7}'])
    assert.equal(readRun(makeRun(begin, config)).model, null);
});

test("cut or changed anywhere, a log is still read", () => {
  const random = makeRandom(11);
  const log = begin + step(1, 4) + epoch(1, 2, { train: { loss: 3 }, validation: { loss: 2 } });
  for (let i = 0; i < 300; i++) {
    const bytes = Buffer.from(log + step(3, 1)).subarray(0, 1 + random() * (log.length + 90));
    for (let n = 0; n < 3; n++) bytes[Math.floor(random() * bytes.length)] = random() * 256;
    const path = join(parent, "changed.jsonl");
    writeFileSync(path, bytes);
    for (const { event } of readLog(path)) assert.ok(event.type.length > 3);
  }
});

test("a long curve keeps its mean, extremes and bad values in few points", () => {
  const curve = new BoundedCurve(50);
  for (let i = 1; i <= 10_007; i++) curve.add(i, i === 5000 ? Number.NaN : i % 97);
  const { stretches } = curve;
  assert.ok(stretches.length <= 100);
  assert.deepEqual([stretches[0]!.first, stretches.at(-1)!.last], [1, 10_007]);
  assert.equal(Math.max(...stretches.map(({ max }) => max)), 96);
  assert.equal(
    stretches.reduce((sum, { bad }) => sum + bad, 0),
    1,
  );
  assert.ok(
    stretches.every(
      ({ first, last }, i) => i === 0 || (first > stretches[i - 1]!.last && last >= first),
    ),
  );
  curve.add(42, 1);
  assert.equal(curve.last, 42);
});

test("runs are listed newest first, and other folders are left out", () => {
  const runs = join(parent, "listed");
  const names = ["b", "a", "c"];
  for (const [i, name] of names.entries()) {
    mkdirSync(join(runs, name), { recursive: true });
    writeFileSync(join(runs, name, "config.json"), JSON.stringify({ created: at(i) }));
  }
  mkdirSync(join(runs, "pictures"));
  writeFileSync(join(runs, "notes.txt"), "");
  assert.deepEqual(
    listRuns(runs).map(({ name }) => name),
    ["c", "a", "b"],
  );
  assert.deepEqual(listRuns(join(parent, "nowhere")), []);
});

test("settings are told apart by path", () => {
  const a = flattenSettings({ optim: { lr: 0.1, betas: [0.9, 0.99] }, name: "x", list: [] });
  assert.deepEqual(a, { "optim.lr": 0.1, "optim.betas": "[0.9,0.99]", name: "x", list: "[]" });
  const b = { ...a, "optim.lr": 0.2, extra: null };
  assert.deepEqual(differingSettings([a, b]), [
    { setting: "optim.lr", values: [0.1, 0.2] },
    { setting: "extra", values: [undefined, null] },
  ]);
  for (const name of ["loss", "topError", "perplexity", "ece", "val.mse"])
    assert.ok(isLowerBetter(name), name);
  for (const name of ["accuracy", "f1", "precision", "top5"]) assert.ok(!isLowerBetter(name), name);
  assert.equal(mainMeasure(["loss", "f1.macro", "accuracy"]), "accuracy");
  assert.equal(mainMeasure(["loss", "f1.macro"]), "f1.macro");
});

test("a process that is killed leaves a run that is read, resumed, and read again", async () => {
  const runs = join(parent, "killed");
  const data = writeShapes(parent, "shapes");
  const words = ["train", "lenet", "--data", data, "--epochs", "300", "--batch-size", "8"];
  const started = startGradus([...words, "--runs", runs, "--name", "victim", "--quiet"]);
  const path = join(runs, "victim");
  await waitForStep(path, 20, started);
  started.child.kill("SIGKILL");
  await started.done;
  const run = readRun(path);
  // Its lock tells at once that the process is gone.
  assert.equal(run.status, "interrupted");
  const lock = lockRun(path);
  assert.equal(readRun(path, { now: Date.now() + 1e9 }).status, "running");
  lock.release();
  assert.ok(run.step >= 20);
  assert.deepEqual(run.problems, []);
  const steps = run.losses.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  assert.equal(steps, run.step);
  appendFileSync(join(path, "log.jsonl"), '{"time":"2026');
  const stop = new AbortController();
  await resumeRun({
    path,
    signal: stop.signal,
    onEvent: ({ type }) => type === "step" && stop.abort(),
  });
  const after = readRun(path);
  assert.deepEqual([after.status, after.problems], ["stopped", []]);
  assert.deepEqual(after.losses.slice(0, 3), run.losses.slice(0, 3));
});

test("a run of this version is read as it ended", async () => {
  const { folder, history } = await startRun({
    runs: join(parent, "own"),
    experiment: experimentFrom(
      lenetRecipe({
        ...{ epochs: 2, batchSize: 16, lr: 0.01, seed: 5 },
        data: { path: writeShapes(parent, "own-shapes") },
      }),
      "lenet",
    ),
    checkpointEvery: { steps: 3 },
  });
  const run = readRun(folder.path);
  assert.deepEqual([run.status, run.model, run.epoch, run.step], ["finished", "lenet", 2, 8]);
  assert.deepEqual(run.history, history);
  assert.equal(run.settings["optim.lr"], 0.01);
  assert.ok(run.files.some(({ name, bytes }) => name === "model.safetensors" && bytes > 1000));
});
