/** `gradus train` as a process: output, signals, and runs that are killed and go on to the same bytes. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gradus, startGradus, temporaryFolder, waitForStep, writeShapes } from "./trainSupport.js";

const parent = temporaryFolder();
const runs = join(parent, "runs");
const shapes = writeShapes(parent, "shapes", { train: 800, test: 40 });
const options = ["--data", shapes, "--runs", runs, "--epochs", "4", "--batch-size", "4"];
const train = (name: string, ...words: string[]) =>
  startGradus(["train", "lenet", ...options, "--name", name, ...words]);
const weights = (name: string): Buffer => readFileSync(join(runs, name, "model.safetensors"));

const whole = train("whole", "--threads", "1").done;

test("it trains, shows each epoch, and says what it wrote", async () => {
  const { code, out, err } = await whole;
  assert.equal(code, 0, err);
  assert.match(out, /Pictures +800 to train on, 40 to test with, 4 classes/);
  assert.match(out, /Backend +(native|WASM|interpreter) /i);
  for (let epoch = 1; epoch <= 4; epoch++)
    assert.match(out, new RegExp(`^ +${epoch}/4 +\\d+\\.\\d{4} +\\d+\\.\\d\\d% `, "m"));
  const [, accuracy] = /Test accuracy ([\d.]+)%/.exec(out)!;
  assert.ok(Number(accuracy) > 90, `accuracy ${accuracy}`);
  for (const file of readdirSync(join(runs, "whole"))) assert.match(out, new RegExp(file));
  assert.match(out, /predict .*whole picture\.png/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: there must be none where it is no terminal.
  assert.doesNotMatch(out, /[\x1b\r]/);
});

test("Ctrl-C saves in mid-epoch, says how to go on, and the end is the same bytes", async () => {
  await whole;
  const started = train("stopped");
  await waitForStep(join(runs, "stopped"), 230, started);
  started.child.kill("SIGINT");
  const { code, out, err } = await started.done;
  assert.equal(code, 130, err);
  const [, command] = /To go on:\n {2}(.+)\n/.exec(out)!;
  assert.match(command!, /train lenet --resume .*stopped$/);
  const [, step] = /Saved after step (\d+)/.exec(out)!;
  assert.ok(Number(step) % 200 !== 0, `stopped at the end of an epoch, step ${step}`);
  const words = command!.split(" ").slice(2);
  const resumed = await gradus(...words);
  assert.equal(resumed.code, 0, resumed.err);
  assert.match(resumed.out, new RegExp(`Going on after step ${step} of 800`));
  assert.ok(weights("stopped").equals(weights("whole")));
});

/** Kills a run after step 320, goes on with it, and gives the step after which it went on. */
async function killAndResume(name: string): Promise<number> {
  const started = train(name, "--checkpoint-every", "30");
  await waitForStep(join(runs, name), 320, started);
  started.child.kill("SIGKILL");
  assert.equal((await started.done).signal, "SIGKILL");
  const resumed = await gradus(
    ...["train", "lenet", "--resume", name, "--runs", runs, "--threads", "2"],
  );
  assert.equal(resumed.code, 0, resumed.err);
  assert.ok(weights(name).equals(weights("whole")));
  return Number(/Going on after step (\d+)/.exec(resumed.out)![1]);
}

test("a killed run goes on from its last checkpoint to the same bytes, with more threads too", async () => {
  await whole;
  // On a busy machine the run may have come to the end of an epoch before the signal came to it: then once more.
  const steps: number[] = [];
  do steps.push(await killAndResume(`killed-${steps.length}`));
  while (steps.at(-1)! % 200 === 0 && steps.length < 5);
  const last = steps.at(-1)!;
  assert.ok(last >= 230 && last % 200 !== 0, `went on after steps ${steps.join(", ")}`);
});

/** Two signals while a step runs; gives the exit code, and whether it said that it saved. */
async function interruptTwice(name: string): Promise<{ code: number | null; out: string }> {
  // Steps that are long enough to run on a thread of their own, so that the second signal comes during one.
  const started = train(name, "--epochs", "1000", "--batch-size", "256");
  await waitForStep(join(runs, name), 2, started);
  // Another signal at once: the same one so soon after would count as passed on by npm.
  for (const signal of ["SIGSTOP", "SIGINT", "SIGTERM", "SIGCONT"] as const)
    started.child.kill(signal);
  return started.done;
}

test("a second Ctrl-C leaves at once", async () => {
  // A run may have stopped in good order (130) before the second signal came to it: then once more.
  let result = await interruptTwice("left-0");
  for (let i = 1; result.code === 130 && i < 8; i++) result = await interruptTwice(`left-${i}`);
  assert.equal(result.code, 143);
  assert.doesNotMatch(result.out, /Saved/);
});

test("--quiet prints the result only; a reader that goes away does no harm", async () => {
  const quiet = await gradus(
    ...["train", "lenet", "--data", shapes, "--runs", runs, "--epochs", "1", "--quiet"],
  );
  assert.equal(quiet.code, 0, quiet.err);
  assert.match(quiet.out, /^Test accuracy .*\nWritten to .*\n$/);
  const started = startGradus(["train", "lenet", ...options, "--epochs", "1", "--name", "pipe"]);
  started.child.stdout!.destroy();
  const { code, err } = await started.done;
  assert.equal(code, 0, err);
  assert.ok(existsSync(join(runs, "pipe", "mistakes.png")));
});

test("it refuses data that are damaged, and writes nothing", async () => {
  const damaged = writeShapes(parent, "damaged");
  const images = join(damaged, "train-images-idx3-ubyte");
  const good = readFileSync(images);
  const labels = readFileSync(join(damaged, "train-labels-idx1-ubyte"));
  const attempts: [string, () => void, RegExp][] = [
    ["wrong magic number", () => writeFileSync(images, "not pictures"), /magic number/],
    ["cut off", () => writeFileSync(images, good.subarray(0, 1000)), /cut off/],
    [
      "cut off gzip",
      () => writeFileSync(images, Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1])),
      /damaged or cut off/,
    ],
    [
      "labels out of range",
      () => {
        writeFileSync(images, good);
        const test = join(damaged, "t10k-labels-idx1-ubyte");
        const bytes = readFileSync(test);
        bytes[9] = 77;
        writeFileSync(test, bytes);
      },
      /label 1 is 77; expected 0 to 3/,
    ],
    [
      "too few labels",
      () => writeFileSync(join(damaged, "train-labels-idx1-ubyte"), labels.subarray(0, 12)),
      /cut off/,
    ],
  ];
  const none = join(parent, "none");
  for (const [what, damage, message] of attempts) {
    damage();
    const { code, err, out } = await gradus("train", "lenet", "--data", damaged, "--runs", none);
    assert.equal(code, 1, `${what}: ${err}`);
    assert.match(err, message, what);
    assert.match(err, /^error: [^\n]*\n$/, what);
    assert.equal(out, "", what);
    assert.equal(existsSync(none), false, what);
  }
});

test("it refuses a folder that it cannot write to", async () => {
  const file = join(parent, "file");
  writeFileSync(file, "");
  const { code, err } = await gradus("train", "lenet", "--data", shapes, "--runs", join(file, "r"));
  assert.equal(code, 1);
  assert.match(err, /^error: .*not a folder.*\n$/);
  if (process.platform === "linux") {
    const proc = await gradus("train", "lenet", "--data", shapes, "--runs", "/proc/gradus/runs");
    assert.equal(proc.code, 1);
    assert.match(proc.err, /^error: \/proc\/gradus: [^\n]*\n$/);
  }
  const name = await gradus("train", "lenet", "--data", shapes, "--runs", runs, "--name", "whole");
  assert.equal(name.code, 2);
  assert.match(name.err, /whole exists already; go on with it by --resume whole/);
  mkdirSync(join(runs, "mine"), { recursive: true });
  const taken = await gradus("train", "lenet", "--data", shapes, "--runs", runs, "--name", "mine");
  assert.match(taken.err, /mine exists already; choose another name/);
});

test("a loss that is no number ends it with exit code 1 and a cause", async () => {
  const { code, err } = await train("wild", "--optimizer", "sgd", "--lr", "1e20").done;
  assert.equal(code, 1);
  assert.match(err, /^error: the loss is .*epoch 1.*learning rate.*\n$/);
});
