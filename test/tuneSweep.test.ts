/** Sweeps: several processes on one study, whatever happens to them. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { logUniform, Space, uniform } from "../src/tune/index.js";
import { metricReader } from "../src/tune/node/experimentTask.js";
import { FileStorage, runSweep, type SweepEvent, type SweepTask } from "../src/tune/node/index.js";

const root = fs.mkdtempSync(join(tmpdir(), "gradus-"));
after(() => fs.rmSync(root, { recursive: true }));
const module = new URL("./support/sweepObjectives.ts", import.meta.url).href;

const study = {
  name: "bowl",
  direction: "minimize" as const,
  space: new Space({ x: uniform(-3, 3) }).toJSON(),
  sampler: { kind: "random", seed: 3 },
  pruner: { kind: "none" },
};

function prepare(name: string, milliseconds: number, meet = false) {
  const folder = join(root, name);
  const log = join(root, `${name}.log`);
  fs.writeFileSync(log, "");
  const task: SweepTask = {
    kind: "module",
    module,
    name: "bowl",
    args: { log, milliseconds, meet },
  };
  const finished = () => fs.readFileSync(log, "utf8").trim().split("\n").filter(Boolean);
  return { ...{ folder, study, task, workers: 2, threads: 1 }, finished };
}

test("two processes share the trials, and tell how they go", async () => {
  const { finished, ...options } = prepare("plain", 8, true);
  const events: SweepEvent[] = [];
  const { status, trials, best } = await runSweep({
    ...{ ...options, trials: 12, onEvent: (event) => events.push(event) },
  });
  assert.deepEqual([status, trials.length, finished().length], ["finished", 12, 12]);
  assert.equal(best!.value, Math.min(...trials.map(({ value }) => value!)));
  for (const { number, value, parameters, reports } of trials) {
    assert.equal(value, Number(parameters.x) ** 2);
    assert.equal(reports.length, 4);
    const text = fs.readFileSync(join(options.folder, "trials", `000${number}`.slice(-4), "x.txt"));
    assert.equal(String(text), String(parameters.x));
  }
  const count = (type: string) => events.filter((event) => event.type === type).length;
  assert.deepEqual(["start", "begin", "report", "end", "back"].map(count), [1, 12, 48, 12, 0]);
  assert.equal(new Set(finished().map((line) => line.split(" ")[2])).size, 2, "both worked");
  const again = await runSweep({ ...options, trials: 12 });
  assert.deepEqual([again.status, again.trials], ["finished", trials]);
  const longer = await runSweep({ ...options, trials: 14 });
  assert.deepEqual(longer.trials.slice(0, 12), trials);
  assert.equal(finished().length, 14);
  const other = { ...study, direction: "maximize" as const };
  await assert.rejects(runSweep({ ...options, trials: 14, study: other }), /another direction/);
});

test("two sweeps at once share one study, and both wait for its end", async () => {
  const { finished, ...options } = prepare("twice", 30);
  const one = { ...options, workers: 1, trials: 8 };
  const results = await Promise.all([runSweep(one), runSweep(one)]);
  assert.equal(finished().length, 8);
  for (const { status, trials } of results) {
    assert.equal(status, "finished");
    assert.ok(trials.every(({ state }) => state === "complete"));
  }
  assert.deepEqual(results[0]!.trials, results[1]!.trials);
});

test("workers killed at random lose no trial and none ends twice", async () => {
  const { finished, ...options } = prepare("killed", 40);
  const alive = new Map<number, number>();
  let kills = 0;
  const storage = new FileStorage(join(options.folder, "study.jsonl"));
  const kill = () => {
    const busy = storage.trials().filter(({ state }) => state === "running");
    const pid = busy[kills % Math.max(1, busy.length)]?.worker?.split(":")[1];
    if (pid && process.kill(Number(pid), "SIGKILL")) kills++;
  };
  let timer: NodeJS.Timeout | undefined;
  const backs: number[] = [];
  const { trials } = await runSweep({
    ...{ ...options, trials: 24, attempts: 100 },
    onEvent: (event) => {
      if (event.type === "begin" && kills < 5) {
        clearTimeout(timer);
        timer = setTimeout(kill, 5 + ((event.number * 17) % 35));
      }
      if (event.type === "begin") alive.set(event.number, event.attempt);
      if (event.type === "back") backs.push(event.trial.number);
    },
  });
  clearTimeout(timer);
  storage.close();
  assert.ok(kills >= 4 && backs.length >= 3, `${kills} killed, ${backs.length} given back`);
  assert.deepEqual(
    trials.map(({ state }) => state),
    Array(24).fill("complete"),
  );
  for (const { number, value, parameters, attempt } of trials) {
    assert.equal(value, Number(parameters.x) ** 2);
    assert.equal(attempt, alive.get(number));
  }
  // One killed between its last line and telling may have done its work twice, but only one told.
  assert.equal(new Set(finished().map((line) => line.split(" ")[0])).size, 24);
});

test("a crash fails its trial, a signal gives it back, three times at most", async () => {
  const task: SweepTask = { kind: "module", module, name: "rude" };
  const { folder } = prepare("rude", 0);
  const output: string[] = [];
  const { trials } = await runSweep({
    ...{ folder, study, task, workers: 2, threads: 1, trials: 7 },
    onEvent: (event) => event.type === "output" && output.push(event.text),
  });
  const state = (number: number) => [trials[number]!.state, trials[number]!.attempt];
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6].map(state), [
    ["complete", 1],
    ["failed", 1],
    ["complete", 2],
    ["failed", 3],
    ["failed", 1],
    ["complete", 1],
    ["complete", 1],
  ]);
  assert.match(trials[1]!.error!, /ended with code 7: goodbye, cruel world/);
  assert.match(trials[3]!.error!, /died 3 times/);
  assert.equal(trials[4]!.error, "no luck");
  assert.match(output.join(""), /goodbye/);
});

test("a sweep that cannot succeed ends with the reason", async () => {
  const { folder } = prepare("hopeless", 0);
  const shared = { study, workers: 1, threads: 1, trials: 1000 };
  const task = (name: string): SweepTask => ({ kind: "module", module, name });
  await assert.rejects(
    runSweep({ ...shared, folder, task: task("hopeless") }),
    /5 trials failed and none succeeded: never works/,
  );
  await assert.rejects(
    runSweep({ ...shared, folder: `${folder}2`, task: task("nothing") }),
    /exports no function nothing/,
  );
  const missing: SweepTask = { kind: "module", module: "file:///nowhere/x.js" };
  await assert.rejects(runSweep({ ...shared, folder: `${folder}3`, task: missing }), /nowhere/);
  for (const wrong of [{ trials: 0 }, { workers: 1.5 }, { threads: -1 }, { silentSeconds: 0 }])
    await assert.rejects(
      runSweep({ ...shared, folder, task: task("rude"), ...wrong }),
      /is (0|1.5|-1)/,
    );
});

test("a sweep that is stopped goes on later", async () => {
  const { finished, ...options } = prepare("stopped", 60);
  const controller = new AbortController();
  const stopped = await runSweep({
    ...{ ...options, trials: 10, signal: controller.signal },
    onEvent: (event) => event.type === "end" && event.trial.number >= 2 && controller.abort(),
  });
  assert.equal(stopped.status, "stopped");
  const states = stopped.trials.map(({ state }) => state);
  assert.ok(!states.includes("running") && !states.includes("failed"), states.join());
  const before = finished().length;
  assert.ok(before >= 2 && before < 10);
  const { status, trials } = await runSweep({ ...options, trials: 10 });
  assert.deepEqual([status, trials.length, finished().length], ["finished", 10, 10]);
});

test("experiments are trained with the trial's settings, and leave their logs", async () => {
  const folder = join(root, "experiment");
  const { trials, best } = await runSweep({
    folder,
    study: {
      ...{ name: "lines", direction: "maximize", sampler: { kind: "grid", resolution: 3 } },
      ...{
        space: new Space({ optim: { lr: logUniform(1e-6, 1) } }).toJSON(),
        pruner: { kind: "none" },
      },
    },
    task: {
      ...{ kind: "experiment", module, settings: { "train.epochs": 2 } },
      metric: "validation.accuracy",
    },
    ...{ trials: 100, workers: 1, threads: 1 },
  });
  assert.deepEqual(
    trials.map(({ parameters }) => Number(parameters["optim.lr"]).toExponential(0)).sort(),
    ["1e+0", "1e-3", "1e-6"],
  );
  assert.equal(best!.parameters["optim.lr"], 1);
  assert.ok(best!.value! > 0.95);
  for (const { number, value, reports, attributes } of trials) {
    assert.deepEqual(
      reports.map(({ step }) => step),
      [1, 2],
    );
    assert.equal(reports[1]!.value, value);
    assert.equal(attributes.run, join("trials", `000${number}`));
    const log = fs.readFileSync(join(folder, String(attributes.run), "log.jsonl"), "utf8");
    assert.match(log, /"type":"finished"/);
  }
});

test("a metric is a part of an epoch by name", () => {
  const epoch = { epoch: 1, step: 1, lr: 1, seconds: 1, train: { loss: 2, "f1.macro": 3 } };
  assert.equal(metricReader("train.f1.macro")(epoch), 3);
  assert.throws(() => metricReader("accuracy"), /expected train. or validation./);
  assert.throws(() => metricReader("validation.loss")(epoch), /it has train.loss, train.f1.macro/);
});
