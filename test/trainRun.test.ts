/** Runs in folders: what is written, what is refused, and what a full disk or a hostile file leaves behind. */
import assert from "node:assert/strict";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  type FileSystem,
  loadSafetensors,
  nodeFileSystem,
  readJsonLines,
} from "../src/io/index.js";
import { classifierFrom, lenetRecipe, type TrainEvent } from "../src/train/index.js";
import {
  CheckpointFolder,
  experimentFrom,
  loadClassifier,
  lockRun,
  type RunHandlers,
  RunLockedError,
  resumeRun,
  startRun,
} from "../src/train/node/index.js";
import { temporaryFolder, writeShapes } from "./trainSupport.js";

const parent = temporaryFolder();
const shapes = writeShapes(parent, "shapes");
const settings = {
  epochs: 2,
  batchSize: 16,
  optimizer: "adam",
  lr: 0.01,
  seed: 5,
  shift: 1,
} as const;
let folders = 0;

const lenet = (path: string, changes: object = {}) =>
  experimentFrom(lenetRecipe({ ...settings, ...changes, data: { path } }), "lenet");

function start(options: Partial<Parameters<typeof startRun>[0]> = {}, changes: object = {}) {
  return startRun({
    runs: join(parent, `runs${++folders}`),
    experiment: lenet(shapes, changes),
    preset: "lenet",
    checkpointEvery: { steps: 3 },
    versions: { gradus: "0.0.0" },
    ...options,
  });
}

/** The newest checkpoint's file in a run's folder. */
const newest = (path: string): string => {
  const folder = join(path, "checkpoints");
  return join(folder, `step-${new CheckpointFolder(folder).steps().at(-1)}.safetensors`);
};

/** Handlers that stop the run after a step. */
function stopAfter(step: number): RunHandlers {
  const controller = new AbortController();
  const onEvent = (event: TrainEvent) => {
    if (event.type === "step" && event.step === step) controller.abort();
  };
  return { signal: controller.signal, onEvent };
}

const weights = (folder: string): Buffer => readFileSync(join(folder, "model.safetensors"));
const leftovers = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.includes(".tmp"));

const whole = start();

test("a run leaves settings, log, weights under PyTorch's names, and pictures", async () => {
  const { folder, report, status } = await whole;
  assert.equal(status, "finished");
  assert.match(folder.name, /^lenet-\d{4}-\d\d-\d\d-001$/);
  assert.deepEqual(readdirSync(folder.path).sort(), [
    ...(existsSync(folder.file("changes")) ? ["changes.diff"] : []),
    ...["checkpoints", "config.json", "curves.svg", "log.jsonl", "mistakes.png"],
    "model.safetensors",
  ]);
  const { config, preset } = JSON.parse(readFileSync(folder.file("config"), "utf8"));
  assert.equal(preset, "lenet");
  const { epochs, batchSize, seed } = config.train;
  assert.deepEqual({ epochs, batchSize, seed }, { epochs: 2, batchSize: 16, seed: 5 });
  assert.equal(config.optim.lr, 0.01);
  assert.equal(config.data.path, shapes);
  const { tensors, metadata } = loadSafetensors(folder.file("model"));
  assert.deepEqual(
    [...tensors.keys()],
    [
      ...["conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "fc1.weight", "fc1.bias"],
      ...["fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias"],
    ],
  );
  assert.deepEqual(JSON.parse(metadata.gradus!).classes, ["0", "1", "2", "3"]);
  const log = readJsonLines(folder.file("log")) as TrainEvent[];
  assert.deepEqual(
    log.filter(({ type }) => type === "step").map((event) => (event as { step: number }).step),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  assert.equal(log.at(-1)!.type, "finished");
  assert.match(readFileSync(folder.file("curves"), "utf8"), /^<svg/);
  assert.equal(readFileSync(folder.file("mistakes")).toString("latin1", 1, 4), "PNG");
  assert.equal(report!.examples, 24);
});

test("a stopped run resumes to the same bytes, and its log has each step once", async () => {
  const expected = weights((await whole).folder.path);
  for (const step of [1, 4, 6]) {
    const stopped = await start(stopAfter(step));
    assert.equal(stopped.status, "stopped");
    assert.equal(stopped.step, step);
    const path = stopped.folder.path;
    appendFileSync(join(path, "log.jsonl"), '{"type":"step","ep');
    const { status, report } = await resumeRun({ path });
    assert.equal(status, "finished");
    assert.ok(report);
    assert.ok(weights(path).equals(expected), `weights after a stop at step ${step}`);
    const log = readJsonLines(join(path, "log.jsonl")) as TrainEvent[];
    const steps = log.flatMap((event) => (event.type === "step" ? [event.step] : []));
    assert.deepEqual(steps, [1, 2, 3, 4, 5, 6, 7, 8]);
  }
});

test("resuming a finished run trains nothing and gives its report again", async () => {
  const { folder, report } = await whole;
  const before = weights(folder.path);
  rmSync(folder.file("mistakes"));
  const again = await resumeRun({ path: folder.path });
  assert.deepEqual(again.report, report);
  assert.ok(weights(folder.path).equals(before));
  assert.ok(existsSync(folder.file("mistakes")));
});

test("nothing is overwritten, and the numbers of runs count up", async () => {
  const runs = join(parent, "counted");
  const names = [];
  for (let i = 0; i < 2; i++) names.push((await start({ runs, ...stopAfter(1) })).folder.name);
  assert.match(names[1]!, /-002$/);
  await assert.rejects(
    start({ runs, name: names[0]! }),
    /is a run already; .*nothing was overwritten/,
  );
  mkdirSync(join(runs, "mine"));
  await assert.rejects(start({ runs, name: "mine" }), /exists already/);
  for (const name of ["../x", "a/b", "", ".hidden", "x".repeat(101), "con\n"])
    await assert.rejects(start({ runs, name: name || " " }), /cannot name a run/);
});

test("settings that no run can have leave no folder behind", async () => {
  const runs = join(parent, "unfit");
  const train = { checkpoint: { best: { monitor: "validation.acuracy" } } };
  const experiment = experimentFrom({ ...lenetRecipe({ data: { path: shapes } }), train }, "lenet");
  await assert.rejects(start({ runs, experiment }), /did you mean "accuracy"/);
  assert.ok(!existsSync(runs));
});

test("data that cannot be used leave no folder behind", async () => {
  const broken = writeShapes(parent, "broken");
  const file = join(broken, "t10k-labels-idx1-ubyte");
  truncateSync(file, statSync(file).size - 3);
  const runs = join(parent, "never");
  await assert.rejects(startRun({ runs, experiment: lenet(broken) }), /t10k-labels.*cut off/);
  assert.equal(existsSync(runs), false);
});

/** A disk that is full once so many bytes were written. */
function smallDisk(bytes: number): FileSystem {
  let left = bytes;
  return {
    ...nodeFileSystem,
    write(file, content) {
      left -= content.length;
      if (left >= 0) return nodeFileSystem.write(file, content);
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    },
  };
}

test("a disk that is full at the start leaves nothing", async () => {
  const runs = join(parent, "full", "runs");
  await assert.rejects(start({ runs, fileSystem: smallDisk(100) }), /the disk is full/);
  assert.equal(existsSync(join(parent, "full")), false);
});

test("a disk that fills up later ends the run with whole files, from which it goes on", async () => {
  const expected = weights((await whole).folder.path);
  for (const bytes of [1_000, 400_000, 1_200_000, 1_700_000, 2_500_000]) {
    const runs = join(parent, `filling${bytes}`);
    await assert.rejects(
      start({ runs, name: "run", fileSystem: smallDisk(bytes) }),
      /the disk is full; free some space/,
    );
    const path = join(runs, "run");
    // Full before the first step, it leaves nothing.
    if (!existsSync(path)) continue;
    assert.deepEqual(leftovers(path), []);
    if (new CheckpointFolder(join(path, "checkpoints")).steps().length === 0) continue;
    await resumeRun({ path });
    assert.ok(weights(path).equals(expected), `weights after ${bytes} bytes`);
  }
});

test("a run that diverges keeps its last good checkpoint and logs why", async () => {
  const runs = join(parent, "diverging");
  const run = start({ runs, name: "run" }, { lr: 1e30, optimizer: "sgd", epochs: 5 });
  await assert.rejects(run, /epoch \d+.*learning rate/);
  const path = join(runs, "run");
  for (const { data } of loadSafetensors(newest(path)).tensors.values())
    assert.ok((data as Float32Array).every(Number.isFinite));
  assert.equal((readJsonLines(join(path, "log.jsonl")).at(-1) as TrainEvent).type, "failed");
});

test("a run whose data, settings or files changed is not resumed", async () => {
  const own = writeShapes(parent, "own");
  const runs = join(parent, "changed");
  const { folder } = await startRun({
    ...{ runs, name: "run", experiment: lenet(own) },
    ...stopAfter(3),
  });
  const { path } = folder;
  const resume = () => resumeRun({ path });
  writeShapes(parent, "own", { seed: 2 });
  await assert.rejects(resume(), /data is sha256:.*, the checkpoint has sha256:/);
  writeShapes(parent, "own");
  const text = readFileSync(folder.file("config"), "utf8");
  const write = (changed: string) => writeFileSync(folder.file("config"), changed);
  write(text.replace('"seed": 5', '"seed": 6'));
  await assert.rejects(resume(), /train.seed is 6, the checkpoint has 5/);
  write(text.replace('"epochs": 2', '"epochs": "2"'));
  await assert.rejects(resume(), /config.json: train.epochs is "2"; expected a whole number/);
  write(text.replace('"version": 2', '"version": 1'));
  await assert.rejects(resume(), /written by an older version/);
  write(text.slice(0, 40));
  await assert.rejects(resume(), /config.json: is not valid JSON/);
  write(text);
  for (const older of new CheckpointFolder(folder.file("checkpoints")).steps().slice(0, -1))
    rmSync(join(folder.file("checkpoints"), `step-${older}.safetensors`));
  const file = newest(path);
  const checkpoint = readFileSync(file);
  for (const length of [0, 7, 100, checkpoint.length - 1]) {
    writeFileSync(file, checkpoint.subarray(0, length));
    await assert.rejects(resume(), /no checkpoint can be read/);
  }
  writeFileSync(file, weights(path));
  await assert.rejects(resume(), /no checkpoint can be read/);
  rmSync(file);
  await assert.rejects(resume(), /has no checkpoint, but a log of steps/);
  writeFileSync(file, checkpoint);
  rmSync(folder.file("log"));
  assert.equal((await resume()).status, "finished");
});

/** A run that was stopped early, and copies of it. */
const stopped = start(stopAfter(2));
async function copyOfStopped(): Promise<string> {
  const path = mkdtempSync(join(parent, "copy-"));
  cpSync((await stopped).folder.path, path, { recursive: true });
  return path;
}

async function checkEnd(path: string): Promise<void> {
  assert.equal((await resumeRun({ path })).status, "finished");
  assert.ok(weights(path).equals(weights((await whole).folder.path)));
}

test("a log that a power cut filled with zeros does not hold a run up", async () => {
  const path = await copyOfStopped();
  const log = join(path, "log.jsonl");
  const text = readFileSync(log);
  writeFileSync(log, text.fill(0, text.length - 700));
  await checkEnd(path);
  assert.equal((readJsonLines(log).at(-1) as TrainEvent).type, "finished");
});

test("a run whose process ended before its first checkpoint begins", async () => {
  const path = await copyOfStopped();
  rmSync(join(path, "checkpoints"), { recursive: true });
  writeFileSync(join(path, "log.jsonl"), "");
  await checkEnd(path);
});

test("a run in use is not touched by a second process, nor read while it changes", async () => {
  const path = await copyOfStopped();
  const lock = lockRun(path);
  rmSync(newest(path));
  const before = readFileSync(join(path, "log.jsonl"));
  const onDamage = () => assert.fail("it was read");
  await assert.rejects(resumeRun({ path, onDamage }), RunLockedError);
  assert.ok(readFileSync(join(path, "log.jsonl")).equals(before));
  assert.ok(lock.isHeld());
  lock.release();
});

test("what is not a run or a classifier is refused", async () => {
  await assert.rejects(resumeRun({ path: join(parent, "nowhere") }), /no such run/);
  await assert.rejects(resumeRun({ path: shapes }), /is not a run: it holds no config.json/);
  const { folder } = await whole;
  await assert.rejects(loadClassifier(newest(folder.path)), /no description of its model/);
  await assert.rejects(loadClassifier(folder.file("config")), /config.json/);
  await assert.rejects(loadClassifier(shapes), /model.safetensors/);
  const content = loadSafetensors(folder.file("model"));
  const card = JSON.parse(content.metadata.gradus!);
  const withCard = (changes: object) => ({
    ...content,
    metadata: { gradus: JSON.stringify({ ...card, ...changes }) },
  });
  const cases: [object, RegExp][] = [
    [{ model: { name: "constructor" } }, /model is "constructor"; expected cnn, lenet/],
    [{ model: { name: "mlp", hiden: [4] } }, /model.*hiden/],
    [{ model: { name: "mlp", hidden: [90_000] } }, /larger than any of its weights/],
    [{ model: { name: "custom" } }, /function of the run's configuration/],
    [{ channels: 3 }, /is not a lenet: .*conv1/],
    [{ mean: [0, 0] }, /normalises 2 channels of 1/],
    [{ version: 3 }, /version is 3/],
    [{ classes: [] }, /has no classes/],
    [{ classes: Array.from({ length: 20_000 }, () => "x") }, /a list of at most/],
    [{ classes: ["a", "b"] }, /is not a lenet: .*fc3/],
    [{ std: 0 }, /std is 0/],
    [{ height: 1e9 }, /height is 1000000000/],
  ];
  for (const [changes, message] of cases)
    assert.throws(() => classifierFrom(withCard(changes)), message);
  const { model: _, channels: __, ...first } = card;
  const older = withCard({ ...first, version: 1, architecture: "LeNet5" });
  older.metadata.gradus = JSON.stringify({ ...first, version: 1, architecture: "LeNet5" });
  assert.equal(classifierFrom(older).card.model.name, "lenet");
});
