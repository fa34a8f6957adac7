/**
 * A child process of test/trainKill.test.ts: goes on with the run of a folder, or begins it, with everything that has a state.
 * Prints a point for each event and, at the end, a digest of all that the run came to.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  data,
  defaultGenerator,
  Generator,
  manualSeed,
  nn,
  optim,
  randn,
  type Tensor,
} from "../../src/index.js";
import { bytesOf } from "../../src/io/arrayData.js";
import { JsonLinesWriter } from "../../src/io/index.js";
import {
  accuracy,
  type Callback,
  fit,
  keepGenerators,
  plateauSchedule,
} from "../../src/train/index.js";
import { CheckpointFolder, lockRun } from "../../src/train/node/index.js";
import { examples, Net, testExamples } from "./fitRuns.js";

const [path, epochs] = [process.argv[2]!, Number(process.argv[3])];
const lock = lockRun(path);
const folder = new CheckpointFolder(join(path, "checkpoints"), { keep: 2 });
const stored = folder.load();
const position = Number(stored?.content.metadata.log_position ?? 0);
const log = new JsonLinesWriter(join(path, "log.jsonl"), { position });

manualSeed(7);
const model = new Net();
const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
const counted = { steps: 0 };
const counter: Callback = {
  name: "counter",
  onEvent(event) {
    if (event.type === "step") counted.steps++;
  },
  stateDict: () => ({ values: { ...counted } }),
  loadStateDict({ values }) {
    counted.steps = values.steps as number;
  },
};
const generator = new Generator(5);
const noisy = (x: Tensor, y: Tensor): Tensor[] => [
  nn.functional.dropout(x, 0.1).add(randn(x.shape, { generator }).mul(0.1)),
  y,
];

const { history, best } = await fit(model, {
  optimizer,
  train: new data.DataLoader(examples, { batchSize: 8, shuffle: true, seed: 3 }),
  validation: new data.DataLoader(testExamples, { batchSize: 8 }),
  epochs,
  metrics: { accuracy },
  accumulate: 2,
  validateEverySteps: 2,
  clip: { norm: 1 },
  ema: { decay: 0.9 },
  earlyStopping: { monitor: "validation.loss", patience: 10_000 },
  schedule: plateauSchedule({ monitor: "validation.loss", patience: 2, factor: 0.95 }),
  batchTransform: noisy,
  callbacks: [counter, keepGenerators({ generator })],
  monitor: { everySteps: 5 },
  onEvent(event) {
    log.write(event);
    process.stdout.write(".");
  },
  checkpoint: {
    everySteps: 1,
    best: "validation.loss",
    save({ tensors, metadata }, place) {
      const log_position = String(log.position);
      folder.save({ tensors, metadata: { ...metadata, log_position } }, place);
    },
  },
  ...(stored && { resume: stored.content }),
});

const hash = createHash("sha256");
const add = (name: string, x: Tensor) => hash.update(name).update(bytesOf(x.data));
for (const [name, x] of model.stateDict()) add(name, x);
for (const [number, own] of Object.entries(optimizer.stateDict().state))
  for (const [name, x] of Object.entries(own)) add(`${number}.${name}`, x);
const measures = history.map(({ seconds: _, ...rest }) => rest);
const random = defaultGenerator.getState();
const rates = optimizer.paramGroups.map(({ lr }) => lr);
hash.update(JSON.stringify([measures, best, random, rates, counted]));
log.close();
lock.release();
process.stdout.write(`\nfinished ${hash.digest("hex")}\n`);
