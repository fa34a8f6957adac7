/** What the workers of test/tuneSweep.test.ts run. */
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { data, manualSeed, nn, optim, randn } from "../../src/index.js";
import { accuracy, type ExperimentBuilder } from "../../src/train/index.js";
import { PrunedError } from "../../src/tune/errors.js";
import type { TrialRunner } from "../../src/tune/node/index.js";

type Args = {
  readonly log: string;
  readonly milliseconds: number;
  /** Trial 0 waits until another process has ended one. */
  readonly meet?: boolean;
};

const isAlone = (log: string): boolean =>
  fs
    .readFileSync(log, "utf8")
    .split("\n")
    .every((line) => line === "" || line.endsWith(` ${process.pid}`));

/** A bowl; each completion is noted in a file of its own. */
export const bowl: TrialRunner = async (trial, { args, signal, folder, progress }) => {
  const { log, milliseconds, meet } = args as Args;
  while (meet && trial.number === 0 && isAlone(log)) await sleep(20, undefined, { signal });
  const x = Number(trial.parameters.x);
  for (let step = 1; step <= 4; step++) {
    await sleep(milliseconds / 4, undefined, { signal });
    await trial.report(step, x ** 2 + 1 / step);
    progress(step / 4);
    if (await trial.shouldPrune()) throw new PrunedError();
  }
  fs.writeFileSync(join(folder(), "x.txt"), String(x));
  fs.appendFileSync(log, `${trial.number} ${trial.attempt} ${process.pid}\n`);
  return x ** 2;
};

/** Ends its process in one way or another, once or always. */
export const rude: TrialRunner = async (trial) => {
  if (trial.number === 1) {
    console.error("goodbye, cruel world");
    process.exit(7);
  }
  if (trial.number === 2 && trial.attempt === 1) process.kill(process.pid, "SIGKILL");
  if (trial.number === 3) process.kill(process.pid, "SIGKILL");
  if (trial.number === 4) throw new Error("no luck");
  await sleep(20);
  return trial.number;
};

export const hopeless: TrialRunner = () => {
  throw new Error("never works");
};

/** Two clouds of points and a line between them. */
export const build: ExperimentBuilder = async (changes = {}) => {
  manualSeed(1);
  const x = randn([256, 2]);
  const y = x.sum(1).gt(0).to("int32");
  const loader = (shuffle: boolean) =>
    new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 32, shuffle, seed: 1 });
  const model = new nn.Sequential(new nn.Linear(2, 2));
  const lr = Number(changes["optim.lr"]);
  return {
    model,
    options: {
      optimizer: new optim.SGD(model.parameters(), { lr }),
      ...{ train: loader(true), validation: loader(false), metrics: { accuracy } },
      epochs: Number(changes["train.epochs"]),
    },
  };
};
