/** `gradus evaluate`: runs measured again as they were, together, with several looks, calibrated; what is refused. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { evaluateRuns } from "../src/train/node/index.js";
import { backends, use } from "./support/backends.js";
import { gradus, temporaryFolder, writeShapes } from "./trainSupport.js";

use(backends.find(({ backend }) => backend === "native") ?? backends.at(-1)!);

const parent = temporaryFolder();
const runs = join(parent, "runs");

function writeConfig(
  name: string,
  seed: number,
  options: Parameters<typeof writeShapes>[2],
): string {
  const data = { path: writeShapes(parent, name, options), validation: 0.2 };
  const config = {
    model: { name: "mlp", hidden: [16] },
    data,
    optim: { name: "sgd", lr: 0.02 },
    train: { epochs: 2, batchSize: 20, seed },
    metrics: ["accuracy", "rocAuc", { name: "f1", average: "none" }],
  };
  const path = join(parent, `${name}.json`);
  writeFileSync(path, JSON.stringify(config));
  return path;
}

const shapes = { train: 200, test: 60, classes: 4 };
const config = writeConfig("shapes", 1, shapes);
const other = writeConfig("others", 1, { ...shapes, seed: 2 });
const trained = await Promise.all([
  gradus("train", config, "--runs", runs, "--name", "one"),
  gradus("train", config, "--runs", runs, "--name", "two", "--set", "train.seed=2"),
  gradus("train", other, "--runs", runs, "--name", "other"),
]);
for (const { code, err } of trained) assert.equal(code, 0, err);
const evaluate = (...words: string[]) => gradus("evaluate", ...words, "--runs", runs);
const path = (name: string) => join(runs, name);

interface Json {
  readonly models: readonly {
    readonly name: string;
    readonly measures: Readonly<Record<string, number>>;
    readonly temperature?: number;
    readonly calibration?: { readonly ece: number; readonly accuracy: number };
  }[];
}

test("runs are measured as training measured them, then together, and drawn", async () => {
  const out = join(parent, "pictures");
  const { code, out: text, err } = await evaluate("one", "two", "--json", "--out", out);
  assert.equal(code, 0, err);
  const { models } = JSON.parse(text) as Json;
  assert.deepEqual(
    models.map(({ name }) => name),
    ["one", "two", "ensemble of 2"],
  );
  for (const [i, { measures, calibration }] of models.entries()) {
    assert.equal(calibration!.accuracy, measures.accuracy);
    if (i === 2) continue;
    const [, said] = /Test accuracy ([\d.]+)%/.exec(trained[i]!.out)!;
    assert.equal((100 * measures.accuracy!).toFixed(2), Number(said).toFixed(2));
  }
  const loss = models.map(({ measures }) => measures.loss!);
  assert.ok(loss[2]! <= (loss[0]! + loss[1]!) / 2);
  assert.deepEqual(readdirSync(out).sort(), ["confusion.svg", "reliability.svg", "roc.svg"]);
  for (const name of readdirSync(out))
    assert.match(readFileSync(join(out, name), "utf8"), /^<svg.*ensemble of 2.*<\/svg>\s*$/s);
});

test("validation data give what the run's last epoch gave", async () => {
  const { models } = await evaluateRuns([path("one")], { part: "validation" });
  const log = readFileSync(join(path("one"), "log.jsonl"), "utf8")
    .trim()
    .split("\n");
  const last = log.map((line) => JSON.parse(line)).findLast(({ type }) => type === "epoch");
  assert.deepEqual(Object.keys(models[0]!.measures).sort(), Object.keys(last.validation).sort());
  for (const [name, value] of Object.entries(models[0]!.measures))
    assert.ok(Math.abs(value - last.validation[name]) < 1e-6, `${name}: ${value}`);
});

test("the table has each run, both ways, and the temperature", async () => {
  const { code, out, err } = await evaluate("one", "two", "--views", "shifts", "--calibrate");
  assert.equal(code, 0, err);
  assert.match(out, /^60 examples of the test data/);
  assert.match(out, /model +loss +accuracy +rocAuc +ECE +Brier +temperature/);
  for (const name of ["one", "two, several looks", "ensemble of 2", "ensemble of 2, several looks"])
    assert.match(
      out,
      new RegExp(`^${name} +\\d\\.\\d{4} +[\\d.]+% +[\\d.]+% +[\\d.]+% .*\\d$`, "m"),
    );
  assert.match(out, /ensemble of 2, several looks: [+−][\d.]+ points of accuracy against/);
  const cropped = await evaluate("one", "--views", "crops");
  assert.match(cropped.out, /^one, several looks +\d\.\d{4} +[\d.]+%/m, cropped.err);
  const { models } = await evaluateRuns([path("one")], { calibrate: true });
  const plain = await evaluateRuns([path("one")]);
  assert.ok(models[0]!.temperature! > 0);
  assert.equal(models[0]!.measures.accuracy, plain.models[0]!.measures.accuracy);
});

test("what cannot be measured is refused in a sentence", async () => {
  const mixed = await evaluate("one", "other");
  assert.deepEqual([mixed.code, mixed.out], [1, ""]);
  assert.match(mixed.err, /one and other are measured with other data/);
  const calibrated = evaluateRuns([path("one")], { calibrate: true, part: "validation" });
  await assert.rejects(calibrated, /must be measured with others/);
  await assert.rejects(evaluateRuns([]), /got no run/);
  const unknown = await evaluate("tow");
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /no run "tow"; did you mean "two"\?/);
  const controller = new AbortController();
  controller.abort();
  const stopped = evaluateRuns([path("one")], { signal: controller.signal });
  await assert.rejects(stopped, { name: "AbortError" });
  truncateSync(join(path("two"), "model.safetensors"), 1000);
  const damaged = await evaluate("two");
  assert.deepEqual([damaged.code, damaged.out], [1, ""]);
  assert.match(damaged.err, /^error: .*model\.safetensors/);
  rmSync(join(path("two"), "model.safetensors"));
  await assert.rejects(evaluateRuns([path("two")]), { name: "FileError" });
});
