/** A run's folder with known content, for what reads and exports runs; scripts/fixtures/makeTensorBoard.py has it read too. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TrainEvent } from "../../src/train/index.js";

/** 2 × 1 pixels, red and blue. */
const redBlue =
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAEklEQVR4AQEHAPj/AP8AAAAA/wcAAf9VNrrHAAAAAElFTkSuQmCC";

const begun = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

/** The losses of its six steps; one is no number. */
export const craftedLosses: readonly number[] = [2.25, 1.5, Number.NaN, 1.125, 1e-7, 0.1];

export const craftedEpochs = [
  { train: { loss: 1.875, accuracy: 0.5 }, validation: { loss: 1.75, accuracy: 0.625 } },
  { train: { loss: 0.6, accuracy: 0.75 }, validation: { loss: 0.7, accuracy: 0.875 } },
] as const;

/** The log's lines, with their times. */
function craftedLog(): object[] {
  let now = begun;
  const line = (type: string, rest: object): object => {
    now += 250;
    return { time: new Date(now).toISOString(), type, ...rest };
  };
  const lines = [
    line("start", { epochs: 2, batches: 3, trainExamples: 12, validationExamples: 8, step: 0 }),
    line("checkpoint", { epoch: 1, step: 0, seconds: 0.01 }),
  ];
  for (const [i, { train, validation }] of craftedEpochs.entries()) {
    const epoch = i + 1;
    for (let n = 1; n <= 3; n++) {
      const step = 3 * i + n;
      const loss = craftedLosses[step - 1]!;
      lines.push(
        line("step", { epoch, step, loss: Number.isNaN(loss) ? "NaN" : loss, lr: 0.1 / step }),
      );
    }
    const step = 3 * epoch;
    const parameters = [
      { name: "fc.weight", trainable: true, norm: 3.5, gradientNorm: 0.25, updateRatio: 1e-3 },
      { name: "fc.bias", trainable: false, norm: 0, gradientNorm: null, updateRatio: 0 },
    ];
    const activations = [
      { name: "act", kind: "ReLU", mean: 0.5, std: 1.5, dead: 0.25, saturated: 0 },
    ];
    lines.push(line("health", { epoch, step, parameters, activations, evalModules: [] }));
    lines.push(
      line("evaluation", { epoch, step, examples: 8, seconds: 0.1, measures: validation }),
    );
    lines.push(line("epoch", { epoch, step, lr: 0.1 / step, seconds: 1.5, train, validation }));
  }
  return [...lines, line("finished", { epochs: 2, step: 6, seconds: 3.25 })];
}

/** Writes the run and gives its folder. */
export function writeCraftedRun(parent: string, name = "crafted"): string {
  const path = join(parent, name);
  mkdirSync(path, { recursive: true });
  const log = craftedLog().map((line) => `${JSON.stringify(line)}\n`);
  writeFileSync(join(path, "log.jsonl"), log.join(""));
  const config = {
    ...{ format: "gradus-run", version: 1, name, model: "lenet" },
    settings: { epochs: 2, lr: 0.1, optimizer: "adam", shuffle: true, note: "a|b, “c”" },
    created: new Date(begun).toISOString(),
  };
  writeFileSync(join(path, "config.json"), JSON.stringify(config));
  writeFileSync(join(path, "dots.png"), Buffer.from(redBlue, "base64"));
  return path;
}

const start = (step: number, resumed: boolean): TrainEvent => ({
  ...{
    type: "start",
    epochs: 1,
    batches: 8,
    totalSteps: 8,
    trainExamples: 8,
    validationExamples: 0,
  },
  ...{ backend: "", resumed, step },
});

const step = (n: number, loss: number): TrainEvent => ({
  ...{ type: "step", epoch: 1, step: n, batch: n, batches: 8, loss, lr: 1, running: { loss } },
  ...{ examplesPerSecond: null, secondsLeft: null },
});

/** The events of a run that is killed after step 5 and goes on after step 3, in its two parts. */
export const interruptedEvents: readonly (readonly TrainEvent[])[] = [
  [start(0, false), ...[1, 2, 3, 4, 5].map((n) => step(n, n))],
  [start(3, true), ...[4, 5, 6].map((n) => step(n, 10 * n))],
];
