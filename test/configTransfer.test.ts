/** Transfer learning in configurations and on the command line: weights taken over, parts frozen, rates by depth, resumed. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { ValueError } from "../src/core/errors.js";
import { loadExperiment, readWeights } from "../src/train/node/index.js";
import { runInProcess, temporaryFolder, writeShapes } from "./trainSupport.js";

const folder = temporaryFolder();
const runs = join(folder, "runs");
const file = join(folder, "student.yaml");
writeShapes(folder, "four");
writeShapes(folder, "three", { classes: 3, seed: 5 });
mkdirSync(runs);
writeFileSync(
  join(folder, "teacher.yaml"),
  "model: lenet\ndata: four\noptim: {name: adam, lr: 0.01}\ntrain: {epochs: 1, batchSize: 16}\n",
);
writeFileSync(
  file,
  `model: lenet
data: three
optim: {name: adamw, lr: 0.01}
train: {epochs: 3, batchSize: 16, checkpoint: {everySteps: 1}}
transfer:
  weights: runs/teacher
  exclude: fc3
  freeze: conv*
  layerDecay: 0.5
`,
);

const gradus = (...words: string[]) => runInProcess(...words, "--runs", runs);

before(async () => {
  const { code, text } = await gradus("train", join(folder, "teacher.yaml"), "--name", "teacher");
  assert.equal(code, 0, text);
});

test("a run begins with another's weights, and keeps what is frozen", async () => {
  const { code, text } = await gradus("train", file, "--name", "student");
  assert.equal(code, 0, text);
  assert.match(text, /Transfer +8 tensors loaded\n/);
  assert.match(text, /2 excluded: fc3\.weight, fc3\.bias/);
  assert.match(text, /58,539 of 61,111 parameters are trained/);
  const [teacher, student] = ["teacher", "student"].map((name) => readWeights(join(runs, name)));
  for (const [name, { data }] of teacher!) {
    const now = student!.get(name)!.data;
    if (name.startsWith("conv")) assert.deepEqual(now, data, name);
    else assert.notDeepEqual([...now], [...data], name);
  }
  assert.deepEqual(student!.get("fc3.weight")!.shape, [3, 84]);
});

test("what is built has groups by depth, a callback that unfreezes, and a report", async () => {
  const loaded = await loadExperiment(file);
  assert.equal(loaded.config.transfer!.weights, join(runs, "teacher"));
  const { options, transfer } = await loaded.build();
  const rates = options.optimizer.paramGroups.map(({ lr }) => Number(lr.toPrecision(6)));
  assert.deepEqual(rates, [0.000625, 0.00125, 0.0025, 0.005, 0.01]);
  assert.deepEqual([transfer!.weights!.loaded.length, transfer!.trainable.frozen], [8, 2572]);
  await assert.rejects(loaded.build({ "transfer.gradual": {} }), /freeze and gradual/);
  const plain = await loadExperiment(join(folder, "teacher.yaml"));
  assert.equal((await plain.build()).transfer, undefined);
  const gradual = { "transfer.gradual": { start: 2 } };
  const { options: later, transfer: begun } = await plain.build(gradual);
  assert.deepEqual(begun!.trainable.names.length, 4);
  assert.equal(later.callbacks!.length, 1);
});

test("what does not fit is said, with what would", async () => {
  const build = async (changes: Record<string, unknown>) =>
    await (await loadExperiment(file)).build(changes);
  await assert.rejects(build({ "transfer.exclude": "head" }), ValueError);
  await assert.rejects(build({ "transfer.freeze": "conv3" }), /"conv3" fits no name/);
  await assert.rejects(build({ "transfer.weights": "nowhere" }), /nowhere: .*no such file/);
  await assert.rejects(build({ "transfer.layerDecay": 2 }), /transfer\.layerDecay/);
  await assert.rejects(build({ "transfer.frezze": "conv*" }), /freeze/);
  const all = await loadExperiment(file, { "transfer.exclude": "fc2" });
  await assert.rejects(all.build(), /fc3\.weight: expected float32\[3, 84\], got float32\[4, 84\]/);
});
