/** Runs of configurations: every example in a short form, runs that stop and go on, what their folders keep, asking them. */
import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { projectRoot } from "../scripts/lib/process.js";
import { encodePng } from "../src/io/index.js";
import type { Settings, TrainEvent } from "../src/train/index.js";
import {
  CheckpointFolder,
  loadClassifier,
  loadExperiment,
  type RunHandlers,
  resumeRun,
  startRun,
} from "../src/train/node/index.js";
import { gradus, makeRandom, temporaryFolder, writeShapes } from "./trainSupport.js";

const folder = temporaryFolder();
const runs = join(folder, "runs");
const shapes = writeShapes(folder, "shapes", { train: 120, test: 24 });
const shared = fileURLToPath(new URL("../../shared/data/", import.meta.url));
const noShared = existsSync(shared) ? false : "data: the real data sets are not there";

const short: Settings = { "train.epochs": 1, "train.maxSteps": 3, "data.limit": 96 };
const fashion = { "data.path": join(shared, "fashion-mnist") };

/** Each example, what changes for a short run, and whether it needs data from outside. */
const examples: Record<string, { changes: Settings; outside?: boolean }> = {
  "mnist-mlp.yaml": { changes: short },
  "regression.ts": { changes: { "train.epochs": 2, "data.limit": 64 } },
  "table.yaml": { changes: short },
  "fashion-cnn.ts": {
    changes: { ...short, ...fashion, "model.width": 4, "train.batchSize": 32 },
    outside: true,
  },
  "cifar-resnet.yaml": {
    changes: {
      ...short,
      // Without the official files, pictures of the same kind show that it runs.
      data: {
        path: shapes,
        augment: ["randomHorizontalFlip", { name: "randomCrop", size: 28, padding: 4 }],
      },
      ...{ "model.depth": 8, "model.width": 4, "train.batchSize": 16, "data.limit": 48 },
    },
  },
};

test("every example is tested", () => {
  const entries = readdirSync(join(projectRoot, "examples"), { withFileTypes: true });
  const isConfiguration = /\.(ya?ml|ts)$/;
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const configurations = files.filter((name) => isConfiguration.test(name));
  assert.deepEqual(configurations.sort(), Object.keys(examples).sort());
});

for (const [name, { changes, outside }] of Object.entries(examples))
  test(`the example ${name} runs`, { skip: outside ? noShared : false }, async () => {
    const experiment = await loadExperiment(join(projectRoot, "examples", name), changes);
    const { status, final, folder: run, history } = await startRun({ experiment, runs });
    assert.equal(status, "finished");
    assert.ok(history.every(({ train }) => Number.isFinite(train.loss)));
    assert.ok(Number.isFinite(final?.loss));
    assert.ok(run.has("model") && run.has("curves"));
    const source = readdirSync(run.path).find((file) => file.startsWith("source."))!;
    assert.equal(
      readFileSync(join(run.path, source), "utf8"),
      readFileSync(join(projectRoot, "examples", name), "utf8"),
    );
  });

/** Handlers that stop the run after a step. */
function stopAfter(step: number): RunHandlers {
  const controller = new AbortController();
  const onEvent = (event: TrainEvent) => {
    if (event.type === "step" && event.step === step) controller.abort();
  };
  return { signal: controller.signal, onEvent };
}

const everything = `
name: all
model: { name: cnn, channels: [4], dropout: 0.1 }
data: { path: shapes, validation: 0.2, augment: [randomHorizontalFlip, shift, { name: cutout, length: 4 }] }
optim: { name: sgd, lr: 0.05, momentum: 0.9, decay: weights, weightDecay: 1.0e-3 }
schedule: { name: step, stepSize: 1, gamma: 0.5, warmup: 0.4 }
train:
  epochs: 3
  batchSize: 16
  accumulate: 2
  clip: { norm: 1 }
  ema: { decay: 0.9, warmup: true }
  mix: mixup
  validateEverySteps: 2
  earlyStopping: { patience: 50 }
  checkpoint: { everySteps: 2, keep: 2, best: { monitor: validation.loss } }
metrics: [accuracy, { name: f1, average: none }, rocAuc]
`;
const typed = `import { nn, type Tensor } from "gradus";
import { defineRun } from "gradus/train";
class Net extends nn.Module {
  fc1: nn.Linear;
  fc2: nn.Linear;
  constructor(width: number, outputs: number) {
    super();
    this.fc1 = new nn.Linear(784, width);
    this.fc2 = new nn.Linear(width, outputs);
  }
  forward(x: Tensor): Tensor { return this.fc2.forward(this.fc1.forward(x.flatten(1)).relu()); }
}
export default defineRun({
  model: { width: 6, build: ({ outputs, options }) => new Net(Number(options.width), outputs) },
  data: { path: "shapes", augment: ["randomHorizontalFlip"] },
  loss: (output, target) => nn.functional.crossEntropy(output, target).mul(2),
  train: { epochs: 3, batchSize: 16 },
});
`;

for (const [name, text] of Object.entries({ "all.yaml": everything, "net.ts": typed }))
  test(`a run of ${name} that is stopped ends in the same bytes`, async () => {
    const path = join(folder, name);
    writeFileSync(path, text);
    const experiment = await loadExperiment(path, { "train.seed": 7 });
    const weights = (run: string) => readFileSync(join(run, "model.safetensors"));
    const whole = await startRun({ experiment, runs: join(runs, "whole") });
    assert.equal(whole.status, "finished");
    for (const step of [1, 5]) {
      const stopped = await startRun({
        ...{ experiment: await loadExperiment(path, { "train.seed": 7 }) },
        ...{ runs: join(runs, "stopped"), ...stopAfter(step) },
      });
      assert.equal(stopped.status, "stopped");
      // What became of the file is no matter: its copy counts.
      rmSync(path);
      const resumed = await resumeRun({ path: stopped.folder.path });
      writeFileSync(path, text);
      assert.equal(resumed.status, "finished");
      assert.ok(weights(stopped.folder.path).equals(weights(whole.folder.path)), `step ${step}`);
      assert.deepEqual(resumed.final, whole.final);
    }
  });

test("the folder keeps what the run was: configuration, changes, versions, machine, checkpoints", async () => {
  const path = join(folder, "kept.yaml");
  writeFileSync(path, everything);
  const { folder: run } = await startRun({
    ...{ experiment: await loadExperiment(path, { "optim.lr": 0.02 }), runs },
    versions: { gradus: "1.2.3" },
  });
  assert.match(run.name, /^all-\d{4}-\d\d-\d\d-001$/);
  const config = JSON.parse(readFileSync(run.file("config"), "utf8"));
  assert.equal(config.version, 2);
  assert.equal(config.config.optim.lr, 0.02);
  assert.equal(config.config.train.evaluationBatchSize, 250);
  assert.equal(config.config.data.path, shapes);
  assert.deepEqual(config.changes, { "optim.lr": 0.02 });
  assert.deepEqual(config.source, { file: "source.yaml", path });
  assert.deepEqual(config.checkpointEvery, { steps: 2 });
  assert.deepEqual(config.versions, { gradus: "1.2.3", node: process.versions.node });
  assert.ok(config.machine.cores >= 1 && config.machine.memory > 0 && config.machine.cpu);
  const steps = new CheckpointFolder(run.file("checkpoints")).steps();
  assert.ok(steps.length >= 2 && steps.length <= 3, `${steps}`);
  assert.equal(existsSync(join(run.path, "lock.json")), false);
});

test("a checkpoint of another configuration is refused, by the setting", async () => {
  const path = join(folder, "refused.yaml");
  writeFileSync(path, everything);
  const experiment = await loadExperiment(path);
  const { folder: run } = await startRun({ experiment, runs, ...stopAfter(2) });
  const text = readFileSync(run.file("config"), "utf8");
  const attempts: [string, string, RegExp][] = [
    ['"lr": 0.05', '"lr": 0.5', /optim.lr is 0.5, the checkpoint has 0.05/],
    ['"gamma": 0.5', '"gamma": 0.4', /schedule.gamma is 0.4/],
    ['"validation": 0.2', '"validation": 0.3', /data.validation is 0.3/],
    ['"name": "mixup"', '"name": "cutmix"', /train.mix.name is cutmix/],
    ['"name": "sgd"', '"name": "sdg"', /optim is "sdg"; .*did you mean "sgd"/],
    ['"version": 2', '"version": 1', /older version/],
    ['"file": "source.yaml"', '"file": "../../x.yaml"', /source.file is/],
  ];
  for (const [from, to, message] of attempts) {
    assert.ok(text.includes(from), from);
    writeFileSync(run.file("config"), text.replace(from, to));
    await assert.rejects(resumeRun({ path: run.path }), message);
  }
  writeFileSync(run.file("config"), text);
  assert.equal((await resumeRun({ path: run.path })).status, "finished");
});

test("classifiers of any model and colour are loaded and asked", async () => {
  const random = makeRandom(2);
  const root = join(folder, "colours");
  for (const [name, channel] of [
    ["blue", 2],
    ["green", 1],
    ["red", 0],
  ] as const) {
    mkdirSync(join(root, name), { recursive: true });
    for (let i = 0; i < 20; i++) {
      const pixels = new Uint8Array(3 * 64).map(
        (_, at) => (at % 3 === channel ? 150 : 0) + random() * 100,
      );
      writeFileSync(
        join(root, name, `${i}.png`),
        await encodePng({ width: 8, height: 8, channels: 3, data: pixels }),
      );
    }
  }
  const yaml = join(folder, "colours.yaml");
  writeFileSync(
    yaml,
    "model: { name: cnn, channels: [6], head: average }\ndata: { path: colours, size: [8, 8], validation: 0.2 }\n" +
      "optim: { name: adam, lr: 0.02 }\ntrain: { epochs: 12, batchSize: 8 }\n",
  );
  const { folder: run, report } = await startRun({
    experiment: await loadExperiment(yaml),
    runs,
    name: "colours",
  });
  assert.ok(report!.right / report!.examples > 0.9, `${report!.right} of ${report!.examples}`);
  assert.equal((await loadClassifier(run.path)).card.channels, 3);
  const asked = await gradus("predict", run.path, join(root, "green", "3.png"), "--json");
  assert.equal(asked.code, 0, asked.err);
  assert.equal(JSON.parse(asked.out)[0].predictions[0].class, "green");

  const ts = join(folder, "asked.ts");
  writeFileSync(ts, typed);
  const own = await startRun({ experiment: await loadExperiment(ts), runs, name: "own" });
  const grey = await loadClassifier(own.folder.path);
  assert.deepEqual([grey.card.model, grey.card.channels], [{ name: "custom", width: 6 }, 1]);
  const picture = { shape: [1, 28, 28], dtype: "float32", data: new Float32Array(784) } as const;
  const sum = (await grey.probabilities(picture)).reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(sum - 1) < 1e-5);
  const alone = join(folder, "alone.safetensors");
  copyFileSync(own.folder.file("model"), alone);
  await assert.rejects(loadClassifier(alone), /function of the run's configuration/);
});

test("gradus train: a configuration with changes, its mistakes as wrong input, --resume", async () => {
  const path = join(folder, "cli.yaml");
  writeFileSync(path, everything);
  const options = ["--runs", join(runs, "cli"), "--name", "cli"];
  const done = await gradus(
    "train",
    path,
    ...options,
    "--set",
    "optim.lr=0.01",
    "--epochs",
    "1",
    "--set",
    "train.mix=cutmix",
  );
  assert.equal(done.code, 0, done.err);
  assert.match(done.out, /^CNN learns pictures from/);
  assert.match(
    done.out,
    /Pictures +96 to train on, 24 to validate with, 24 to test with, 4 classes/,
  );
  assert.match(done.out, /sgd, learning rate 0.01, batch size 16, 1 epoch/);
  assert.match(done.out, /Test accuracy/);
  const again = await gradus("train", "--resume", "cli", "--runs", join(runs, "cli"));
  assert.equal(again.code, 0, again.err);
  const wrong: [string[], RegExp][] = [
    [[path, "--set", "optim.lrr=1"], /optim.lrr is unknown; did you mean "lr"/],
    [[path, "--set", "optim.lr"], /--set optim.lr: .*expected a path and a value/],
    [[path, "--shift", "1"], /--shift is for lenet/],
    [[path, "--data", "x"], /--data is for lenet/],
    [["nowhere.yaml"], /no such file: nowhere.yaml/],
    [["lennet"], /Expected lenet; did you mean "lenet"\?/],
    [[], /missing required argument 'model'/],
  ];
  for (const [words, message] of wrong) {
    const { code, err, out } = await gradus("train", ...words, "--runs", join(runs, "never"));
    assert.equal(code, 2, err);
    assert.match(err, message);
    assert.equal(out, "");
  }
  assert.equal(existsSync(join(runs, "never")), false);
});
