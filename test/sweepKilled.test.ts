/** Sweeps of real training whose processes are killed or stopped: the trials come to what they would have come to, bit for bit. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { lockRun } from "../src/train/node/index.js";
import {
  FileStorage,
  loadSweep,
  runStages,
  type SweepEvent,
  withSettings,
} from "../src/tune/node/index.js";

const root = fs.mkdtempSync(join(tmpdir(), "gradus-"));
after(() => fs.rmSync(root, { recursive: true }));

const file = join(root, "sweep.yaml");
fs.writeFileSync(
  file,
  `
name: killed
run:
  model: { name: mlp, hidden: [32] }
  data: { name: digits, limit: 1000, validation: 0.1 }
  optim: { name: adam }
  train: { epochs: 3, batchSize: 50 }
space: { optim.lr: { logGrid: [1e-4, 1e-2, 2] }, model.activation: [relu, tanh] }
sampler: grid
metric: validation.loss
workers: 2
threads: 1
`,
);

const valuesOf = (folder: string) =>
  new FileStorage(join(folder, "study.jsonl"))
    .trials()
    .map(({ state, value, parameters, reports }) => ({ state, value, parameters, reports }));

test("workers killed in the middle of their runs change no trial by a bit", async () => {
  const sweep = await loadSweep(file);
  const whole = join(root, "whole");
  assert.equal((await runStages(sweep, { folder: whole })).status, "finished");
  const folder = join(root, "killed");
  let kills = 0;
  const storage = new FileStorage(join(folder, "study.jsonl"));
  const kill = (number: number) => {
    const { worker, state, attempt } = storage.trials()[number]!;
    if (state !== "running" || attempt > 1) return;
    if (process.kill(Number(worker!.split(":")[1]), "SIGKILL")) kills++;
  };
  const onEvent = (event: SweepEvent) => {
    // Some as they begin, some in the middle of their second or third epoch.
    if (event.type === "begin" && event.number === 1) setTimeout(kill, 30, 1);
    if (event.type === "report" && event.step === 1 + (event.number % 3 === 0 ? 1 : 0))
      kill(event.number);
  };
  const { status, trials } = await runStages(sweep, { folder, onEvent });
  storage.close();
  assert.equal(status, "finished");
  assert.ok(kills >= 2, `${kills} killed`);
  assert.ok(trials.some(({ attempt }) => attempt > 1));
  assert.deepEqual(valuesOf(folder), valuesOf(whole));
  const logs = trials.map(({ attributes }) =>
    fs.readFileSync(join(folder, String(attributes.run), "log.jsonl"), "utf8"),
  );
  assert.ok(
    logs.some((log) => log.includes('"resumed":true')),
    "none went on from a checkpoint",
  );
});

test("a trial is trained beside its folder where a process that fell silent still has that", async () => {
  const folder = join(root, "held");
  const trial = join(folder, "trials", "0000");
  fs.mkdirSync(trial, { recursive: true });
  const lock = lockRun(trial);
  // Another process of this machine as far as the worker can tell: this one.
  const sweep = withSettings(await loadSweep(file), { "train.epochs": 1, "data.limit": 100 });
  const stages = sweep.stages.map((stage) => ({ ...stage, trials: 1 }));
  const { trials } = await runStages({ ...sweep, stages }, { folder, workers: 1 });
  assert.deepEqual(
    [trials[0]!.state, trials[0]!.attributes.run],
    ["complete", join("trials", "0000-1")],
  );
  assert.ok(lock.isHeld());
  assert.ok(fs.existsSync(join(folder, "trials", "0000-1", "model.safetensors")));
});

test("Ctrl-C stops a sweep after the step at hand, and the same command goes on with it", async () => {
  const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
  const words = [...process.execArgv.filter((word) => !word.startsWith("--test")), main];
  const run = (onOutput: (text: string, stop: () => void) => void) =>
    new Promise<{ code: number | null; out: string }>((resolve) => {
      const child = spawn(process.execPath, [
        ...words,
        "sweep",
        file,
        "--sweeps",
        root,
        "--name",
        "stopped",
      ]);
      let out = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (data) => {
          out += data;
          onOutput(out, () => child.kill("SIGINT"));
        });
      child.on("close", (code) => resolve({ code, out }));
    });
  let stopped = false;
  const first = await run((text, stop) => {
    if (stopped || !/ 0 {2}complete/.test(text)) return;
    stopped = true;
    stop();
  });
  assert.equal(first.code, 130, first.out);
  assert.match(
    first.out,
    /Stopping all trials[\s\S]*To go on:\s+.* sweep .*sweep.yaml --name stopped --sweeps /,
  );
  const states = valuesOf(join(root, "stopped")).map(({ state }) => state);
  assert.ok(!states.includes("running") && states.includes("complete"), states.join());
  const second = await run(() => {});
  assert.equal(second.code, 0, second.out);
  assert.deepEqual(valuesOf(join(root, "stopped")), valuesOf(join(root, "whole")));
});
