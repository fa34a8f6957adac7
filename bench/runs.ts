/**
 * How long reading a long run takes, and in how much memory: a log of a million steps and a thousand epochs.
 *
 *     npm run build && npx tsx --conditions=gradus-source --expose-gc bench/runs.ts [--steps 1000000]
 *
 * Prints one JSON line a task: seconds, and the most that the heap and buffers grew by, in MiB.
 */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exportCsv, exportTensorBoard, listRuns, readRun } from "gradus/train/node";
import { rounded } from "./statistics.js";

const { values } = parseArgs({ options: { steps: { type: "string", default: "1000000" } } });
const steps = Number(values.steps);
const stepsAnEpoch = 1000;

const runs = fs.mkdtempSync(join(tmpdir(), "gradus-bench-"));
const path = join(runs, "long");

function writeRun(): void {
  fs.mkdirSync(path);
  fs.writeFileSync(join(path, "config.json"), '{"model":"lenet","settings":{"lr":0.1}}');
  const file = fs.openSync(join(path, "log.jsonl"), "w");
  const epochs = steps / stepsAnEpoch;
  const line = (type: string, rest: object): string =>
    `${JSON.stringify({ time: "2026-01-02T03:04:05.678Z", type, ...rest })}\n`;
  fs.writeSync(file, line("start", { epochs, batches: stepsAnEpoch, step: 0 }));
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const lines: string[] = [];
    for (let n = 1; n <= stepsAnEpoch; n++) {
      const step = (epoch - 1) * stepsAnEpoch + n;
      lines.push(
        line("step", {
          epoch,
          step,
          loss: 2 / Math.sqrt(step),
          lr: 0.1 * (1 - step / (steps + 1)),
        }),
      );
    }
    const train = { loss: 2 / epoch, accuracy: 1 - 1 / epoch };
    const step = epoch * stepsAnEpoch;
    lines.push(line("epoch", { epoch, step, lr: 0.1, seconds: 9, train, validation: train }));
    fs.writeSync(file, lines.join(""));
  }
  fs.closeSync(file);
}

/** Most memory in use at a look every now and then: reading does not wait for timers, so it is asked for after the task too. */
async function tell(task: string, run: () => unknown): Promise<void> {
  globalThis.gc?.();
  const before = process.memoryUsage();
  const start = performance.now();
  await run();
  const seconds = (performance.now() - start) / 1000;
  globalThis.gc?.();
  const after = process.memoryUsage();
  const kept = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  const resident = process.resourceUsage().maxRSS / 1024;
  const row = {
    task,
    seconds: rounded(seconds),
    keptMiB: rounded(kept / 2 ** 20),
    mostResidentMiB: Math.round(resident),
  };
  console.log(JSON.stringify(row));
}

try {
  writeRun();
  const megabytes = fs.statSync(join(path, "log.jsonl")).size / 1e6;
  console.log(JSON.stringify({ steps, logMB: Math.round(megabytes) }));
  await tell("list", () => listRuns(runs));
  await tell("read with curves", () => readRun(path));
  await tell("CSV, a row a step", () =>
    exportCsv([path], join(runs, "steps.csv"), { rows: "steps" }),
  );
  await tell("event file", () => exportTensorBoard(path, join(runs, "board")));
  await tell(
    "read as a whole, JSON.parse of each line",
    () =>
      fs
        .readFileSync(join(path, "log.jsonl"), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)).length,
  );
} finally {
  fs.rmSync(runs, { recursive: true, force: true });
}
