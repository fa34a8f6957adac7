/** Folders of checkpoints: what is kept, what survives a process that dies between any two writes, and damaged files. */
import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type FileSystem, nodeFileSystem } from "../src/io/index.js";
import { type FitOptions, fit } from "../src/train/index.js";
import { CheckpointFolder } from "../src/train/node/index.js";
import { setUp, weightsOf } from "./support/fitRuns.js";
import { temporaryFolder } from "./trainSupport.js";

const parent = temporaryFolder();
let folders = 0;
const newPath = (): string => join(parent, `run${++folders}`);

async function train(folder: CheckpointFolder, changes: Partial<FitOptions> = {}) {
  const stored = folder.load();
  const { model, options } = setUp({
    checkpoint: { save: folder.save, everySteps: 4, best: "validation.loss" },
    ...(stored && { resume: stored.content }),
    ...changes,
  });
  const result = await fit(model, options);
  return { weights: weightsOf(model), result, stored };
}

const read = (path: string, name: string) => JSON.parse(readFileSync(join(path, name), "utf8"));

const whole = await train(new CheckpointFolder(newPath()));

test("the last checkpoints and the best one are kept, and files name them", async () => {
  for (const keep of [1, 2]) {
    const folder = new CheckpointFolder(newPath(), { keep });
    const { result } = await train(folder);
    const best = result.best!.step;
    const last = keep === 1 ? [18] : [16, 18];
    assert.deepEqual(
      folder.steps(),
      [...new Set([best, ...last])].sort((a, b) => a - b),
    );
    assert.equal(read(folder.path, "latest.json").file, "step-18.safetensors");
    const named = read(folder.path, "best.json");
    assert.deepEqual([named.step, named.value], [best, result.best!.value]);
    assert.equal(folder.loadBest()!.step, best);
    assert.equal(folder.load()!.step, 18);
  }
});

test("an early best one outlives many newer ones", async () => {
  const folder = new CheckpointFolder(newPath(), { keep: 1 });
  await train(folder, {
    checkpoint: { save: folder.save, everySteps: 2, best: { monitor: "train.loss", mode: "max" } },
  });
  assert.deepEqual(folder.steps(), [6, 18]);
  assert.equal(folder.loadBest()!.step, 6);
});

/** A disk that stops working at its n-th call, as if the process had been killed there. */
function dyingDisk(calls: number): FileSystem {
  let left = calls;
  const guard = <A extends unknown[], R>(call: (...args: A) => R) =>
    ((...args: A): R => {
      if (left-- <= 0) throw new Error("killed");
      return call(...args);
    }) as (...args: A) => R;
  const { open, write, sync, truncate, close, rename, remove } = nodeFileSystem;
  return {
    ...{ open: guard(open), write: guard(write), sync: guard(sync), truncate: guard(truncate) },
    // Closing is what the system does for a dead process.
    ...{ close, rename: guard(rename), remove: guard(remove) },
  };
}

test("a process that dies between any two writes goes on to the same weights", async () => {
  const expected = whole.weights;
  for (let calls = 0; calls < 190; calls += 7) {
    const path = newPath();
    const dying = new CheckpointFolder(path, { keep: 2, fileSystem: dyingDisk(calls) });
    await assert.rejects(train(dying), /killed/, `${calls} calls`);
    const { weights } = await train(new CheckpointFolder(path, { keep: 2 }));
    assert.equal(weights, expected, `after ${calls} calls`);
    const left = readdirSync(path).filter((name) => name.endsWith(".tmp"));
    assert.deepEqual(left, []);
  }
});

test("a damaged newest checkpoint costs only the steps since the one before, and is named", async () => {
  const damages: Readonly<Record<string, (path: string) => void>> = {
    empty: (path) => truncateSync(path, 0),
    short: (path) => truncateSync(path, 900),
    foreign: (path) => writeFileSync(path, "no checkpoint"),
    flipped(path) {
      const bytes = readFileSync(path);
      bytes[bytes.length - 5]! ^= 1;
      writeFileSync(path, bytes);
    },
  };
  for (const [name, damage] of Object.entries(damages)) {
    const folder = new CheckpointFolder(newPath(), { keep: 3 });
    const controller = new AbortController();
    await train(folder, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === "step" && event.step === 10) controller.abort();
      },
    });
    damage(join(folder.path, "step-10.safetensors"));
    const again = new CheckpointFolder(folder.path, { keep: 1 });
    const { weights, stored } = await train(again);
    assert.ok(stored!.step < 10, `${name}: ${stored!.step}`);
    assert.equal(stored!.damaged.length, 1);
    assert.match(stored!.damaged[0]!.message, /step-10\.safetensors/);
    assert.equal(weights, whole.weights, name);
    assert.equal(again.load()!.damaged.length, 0);
  }
});

test("where all are damaged nothing is begun anew in silence", async () => {
  const folder = new CheckpointFolder(newPath(), { keep: 1 });
  await train(folder, { checkpoint: { save: folder.save } });
  for (const step of folder.steps())
    truncateSync(join(folder.path, `step-${step}.safetensors`), 50);
  assert.throws(() => folder.load(), /no checkpoint can be read: .*step-18/);
});

test("a new run is not begun over another one, and options are checked", async () => {
  const path = newPath();
  const folder = new CheckpointFolder(path);
  await train(folder);
  const { model, options } = setUp({ checkpoint: { save: new CheckpointFolder(path).save } });
  await assert.rejects(fit(model, options), /holds the checkpoints of a run; load one to go on/);
  assert.equal(folder.load()!.step, 18);
  assert.throws(() => new CheckpointFolder(path, { keep: 0 }), /keep is 0/);
  assert.equal(new CheckpointFolder(join(path, "none")).load(), null);
  assert.equal(new CheckpointFolder(join(path, "none")).loadBest(), null);
});

test("files of others in the folder are left alone, and a damaged best file is no best one", async () => {
  const path = newPath();
  mkdirSync(path);
  const others = ["notes.txt", "step-x.safetensors", ".step-3.safetensors.txt"];
  for (const name of others) writeFileSync(join(path, name), "mine");
  writeFileSync(join(path, ".step-3.safetensors.0123456789ab.tmp"), "left by a killed process");
  const folder = new CheckpointFolder(path);
  await train(folder);
  for (const name of others) assert.equal(readFileSync(join(path, name), "utf8"), "mine");
  assert.ok(!existsSync(join(path, ".step-3.safetensors.0123456789ab.tmp")));
  writeFileSync(join(path, "best.json"), '{"step":"../../etc"}');
  assert.equal(folder.loadBest(), null);
  copyFileSync(join(path, "step-18.safetensors"), join(path, "step-17.safetensors"));
  writeFileSync(join(path, "best.json"), '{"step":999}');
  assert.throws(() => folder.loadBest(), /step-999\.safetensors: no such file/);
});
