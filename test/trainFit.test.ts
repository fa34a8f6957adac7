/** The training loop: what it learns and reports, how it stops and fails, and that it goes on bit for bit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { data, defaultGenerator, optim, tensor } from "../src/index.js";
import type { SafetensorsContent } from "../src/io/browser.js";
import type { TrainEvent } from "../src/train/index.js";
import { accuracy, cosineSchedule, evaluate, type FitOptions, fit } from "../src/train/index.js";
import {
  batches,
  copyOf,
  epochs,
  examples,
  Net,
  setUp,
  testExamples,
  weightsOf,
} from "./support/fitRuns.js";

const eventTypes = (events: readonly TrainEvent[]) =>
  events.map(({ type }) => type).filter((type) => type !== "step");

test("a run reports its events in order and its history", async () => {
  const events: TrainEvent[] = [];
  const { model, options } = setUp({ onEvent: (event) => void events.push(event) });
  const saved: number[] = [];
  const result = await fit(model, {
    ...options,
    checkpoint: { save: (_, { step }) => void saved.push(step) },
  });
  assert.deepEqual(eventTypes(events), [
    ...["start", "checkpoint"],
    ...Array.from({ length: epochs }, () => ["evaluation", "epoch", "checkpoint"]).flat(),
    "finished",
  ]);
  const steps = events.filter((event) => event.type === "step");
  assert.deepEqual(
    steps.map(({ step }) => step),
    Array.from({ length: epochs * batches }, (_, i) => i + 1),
  );
  assert.deepEqual(saved, [0, 6, 12, 18]);
  assert.equal(result.status, "finished");
  assert.deepEqual(
    result.history.map(({ epoch }) => epoch),
    [1, 2, 3],
  );
  const measured = await evaluate(model, options.validation!, { metrics: { accuracy } });
  assert.deepEqual(result.history.at(-1)!.validation, measured);
  assert.ok(Math.abs(steps[0]!.lr - (0.02 * 0.5) / (18 * 0.2)) < 1e-12);
});

test("means weigh each example the same, whatever the size of its batch", async () => {
  const { model, options } = setUp({ epochs: 1 });
  const all = new data.DataLoader(testExamples, { batchSize: 20 });
  const parts = new data.DataLoader(testExamples, { batchSize: 8 });
  const metrics = { accuracy };
  const [one, several] = [
    await evaluate(model, all, { metrics }),
    await evaluate(model, parts, { metrics }),
  ];
  assert.ok(Math.abs(one.loss - several.loss) < 1e-6);
  assert.equal(one.accuracy, several.accuracy);
  assert.equal(model.training, true);
  assert.equal(options.train.length, batches);
});

test("a run that is stopped after any step goes on bit for bit", async () => {
  const whole = setUp();
  const result = await fit(whole.model, whole.options);
  const expected = weightsOf(whole.model);
  const state = defaultGenerator.getState();
  for (let stopAt = 0; stopAt <= epochs * batches; stopAt++) {
    const controller = new AbortController();
    if (stopAt === 0) controller.abort();
    let kept: SafetensorsContent | undefined;
    const first = setUp({
      signal: controller.signal,
      onEvent(event) {
        if (event.type === "step" && event.step === stopAt) controller.abort();
      },
      checkpoint: {
        save(content) {
          kept = copyOf(content);
        },
      },
    });
    const stopped = await fit(first.model, first.options);
    assert.equal(stopped.status, "stopped", `stopped after step ${stopAt}`);
    assert.equal(stopped.step, stopAt);
    const second = setUp({ resume: kept! });
    const finished = await fit(second.model, second.options);
    assert.equal(weightsOf(second.model), expected, `weights after a stop at step ${stopAt}`);
    const measures = (history: typeof result.history) =>
      history.map(({ seconds: _, ...rest }) => rest);
    assert.deepEqual(measures(finished.history), measures(result.history));
    assert.deepEqual(defaultGenerator.getState(), state);
  }
});

test("where the loader skips a batch whose examples are all broken, the run goes on bit for bit too", async () => {
  const broken = {
    length: examples.length,
    get(index: number) {
      if (index >= 8 && index < 16) throw new Error(`example ${index} is damaged`);
      return examples.get(index);
    },
  };
  const loader = () => new data.DataLoader(broken, { batchSize: 8, onError: "skip" });
  const whole = setUp({ train: loader() });
  assert.equal((await fit(whole.model, whole.options)).step, epochs * (batches - 1));
  const kept = new Map<number, SafetensorsContent>();
  const saving = setUp({
    train: loader(),
    checkpoint: {
      everySteps: 1,
      save: (content, { step }) => void kept.set(step, copyOf(content)),
    },
  });
  await fit(saving.model, saving.options);
  for (const step of [1, 2, 5, 8, 14]) {
    const again = setUp({ train: loader(), resume: kept.get(step)! });
    await fit(again.model, again.options);
    assert.equal(weightsOf(again.model), weightsOf(whole.model), `from step ${step}`);
  }
});

test("checkpoints come after so many steps, and each of them resumes", async () => {
  const kept = new Map<number, SafetensorsContent>();
  const save = (content: SafetensorsContent, { step }: { step: number }) =>
    void kept.set(step, copyOf(content));
  const whole = setUp({ checkpoint: { save, everySteps: 4 } });
  await fit(whole.model, whole.options);
  assert.deepEqual([...kept.keys()], [0, 4, 6, 10, 12, 16, 18]);
  for (const content of kept.values()) {
    const again = setUp({ resume: content });
    await fit(again.model, again.options);
    assert.equal(weightsOf(again.model), weightsOf(whole.model));
  }
});

test("checkpoints come when so many seconds have passed", async () => {
  const saved: (readonly string[])[] = [];
  const save = (_: SafetensorsContent, { reasons }: { reasons: readonly string[] }) =>
    void saved.push(reasons);
  const { model, options } = setUp({ checkpoint: { save, everySeconds: 0 }, epochs: 1 });
  await fit(model, options);
  assert.equal(saved.length, 1 + batches + 1);
  assert.deepEqual(saved[1], ["seconds"]);
  const never = setUp({ checkpoint: { save, everySeconds: 1e9 }, epochs: 1 });
  saved.length = 0;
  await fit(never.model, never.options);
  assert.deepEqual(saved, [["start"], ["end", "epoch"]]);
});

test("a loss that is not finite ends the run with epoch, step and cause, and is not saved", async () => {
  const kept: SafetensorsContent[] = [];
  const events: TrainEvent[] = [];
  const { model, options } = setUp({
    epochs: 200,
    schedule: () => 1,
    checkpoint: { everySteps: 1, save: (content) => void kept.push(copyOf(content)) },
    onEvent: (event) => void events.push(event),
  });
  const optimizer = new optim.SGD(model.parameters(), { lr: 1e18 });
  await assert.rejects(fit(model, { ...options, optimizer }), (error: Error) => {
    assert.equal(error.name, "DivergedError");
    assert.match(error.message, /epoch 1|step \d/);
    assert.match(error.message, /learning rate/);
    return true;
  });
  assert.equal(events.at(-1)!.type, "failed");
  for (const { tensors } of kept)
    for (const { data: values } of tensors.values())
      assert.ok((values as Float32Array).every(Number.isFinite));
});

test("an input that is not finite is named as the cause", async () => {
  const bad = new data.TensorDataset(
    tensor([
      [1, 2],
      [Number.NaN, 0],
    ]),
    tensor([0, 1], { dtype: "int32" }),
  );
  const { model, options } = setUp({ train: new data.DataLoader(bad, { batchSize: 2 }) });
  await assert.rejects(fit(model, options), /epoch 1, step 1 .*input 2 of the batch is NaN/);
});

test("what an event handler throws ends the run", async () => {
  const { model, options } = setUp({
    onEvent(event) {
      if (event.type === "step" && event.step === 2) throw new Error("no room to log");
    },
  });
  await assert.rejects(fit(model, options), /no room to log/);
});

test("timers run while the loop trains", async () => {
  const { model, options } = setUp({ epochs: 40, validation: undefined as never });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  const started = performance.now();
  await fit(model, options);
  clearInterval(timer);
  const milliseconds = performance.now() - started;
  assert.ok(ticks >= milliseconds / 100, `${ticks} ticks in ${milliseconds} ms`);
});

async function checkpointAfter(step: number): Promise<SafetensorsContent> {
  let kept: SafetensorsContent | undefined;
  const controller = new AbortController();
  const { model, options } = setUp({
    signal: controller.signal,
    onEvent(event) {
      if (event.type === "step" && event.step === step) controller.abort();
    },
    checkpoint: {
      save(content) {
        kept = copyOf(content);
      },
    },
  });
  await fit(model, options);
  return kept!;
}

test("a checkpoint of another run is refused with what differs", async () => {
  const content = await checkpointAfter(8);
  const resumed = async (changes: Partial<FitOptions>, model?: Net) => {
    const own = setUp({ resume: content, ...changes });
    await fit(model ?? own.model, own.options);
  };
  await assert.rejects(resumed({ epochs: 4 }), /epochs is 4, the checkpoint has 3/);
  const other = new data.DataLoader(examples, { batchSize: 8, shuffle: true, seed: 4 });
  await assert.rejects(resumed({ train: other }), /dataSeed is 4, the checkpoint has 3/);
  await assert.rejects(resumed({ identity: { data: "other" } }), /data is other/);
  await assert.rejects(resumed({ metrics: {} }), /metrics/);
  const large = new Net(9);
  const optimizer = new optim.Adam(large.parameters(), { lr: 0.02 });
  await assert.rejects(resumed({ optimizer }, large), /does not fit: .*fc1.weight/);
});

test("a damaged checkpoint is refused and never crashes", async () => {
  const content = await checkpointAfter(8);
  const state = JSON.parse(content.metadata.state!) as Record<string, unknown>;
  const withState = (changes: Record<string, unknown>): SafetensorsContent => ({
    ...content,
    metadata: { ...content.metadata, state: JSON.stringify({ ...state, ...changes }) },
  });
  const [name] = content.tensors.keys();
  const first = content.tensors.get(name!)!;
  const without = new Map(content.tensors);
  without.delete(name!);
  const halfOptimizer = new Map(content.tensors);
  halfOptimizer.delete("optimizer.1.exp_avg");
  const poisoned = { ...first, data: first.data.map(() => Number.NaN) as Float32Array };
  const cases: [string, SafetensorsContent, RegExp][] = [
    ["no metadata", { ...content, metadata: {} }, /expected "gradus-checkpoint"/],
    ["no JSON", { ...content, metadata: { ...content.metadata, state: "{" } }, /not valid JSON/],
    ["a list", { ...content, metadata: { ...content.metadata, state: "[]" } }, /an object/],
    ["version", withState({ version: 99 }), /version is 99/],
    ["epoch", withState({ epoch: -1 }), /epoch is -1; expected a whole number/],
    ["batch", withState({ batch: 1e9 }), /contradicts itself/],
    ["step", withState({ step: 3 }), /contradicts itself/],
    ["generator", withState({ generator: [1, 2] }), /contradicts itself/],
    ["generator words", withState({ generator: [1.5, 0, 0, 0] }), /generator.0 is 1.5/],
    ["sums", withState({ sums: { examples: 1, loss: "x", totals: {} } }), /sums.loss/],
    ["history", withState({ history: {} }), /history is {}; expected a list/],
    ["schedule", withState({ schedule: '{"lastEpoch":1}' }), /baseLrs of the state must be/],
    ["groups", withState({ paramGroups: [{ params: [0, 1, 2, 3], lr: 1, speed: 2 }] }), /speed/],
    ["identity", withState({ identity: { epochs: 3 } }), /identity.epochs is 3; expected a text/],
    ["prototype", withState({ identity: JSON.parse('{"__proto__":"x"}') }), /another run/],
    ["a tensor less", { ...content, tensors: without }, /missing keys: fc1.weight/],
    ["half a state", { ...content, tensors: halfOptimizer }, /the state lacks "1.exp_avg"/],
    ["NaN", { ...content, tensors: new Map(content.tensors).set(name!, poisoned) }, /not finite/],
    ["a foreign tensor", { ...content, tensors: new Map([["x", first]]) }, /has the tensor "x"/],
  ];
  for (const [what, damaged, message] of cases) {
    const { model, options } = setUp({ resume: damaged });
    await assert.rejects(fit(model, options), message, what);
  }
});

test("a damaged state of a callback is refused, and names it", async () => {
  let kept: SafetensorsContent | undefined;
  const options = { ema: { decay: 0.5 }, earlyStopping: { monitor: "train.loss" }, maxSteps: 7 };
  const save = (content: SafetensorsContent) => {
    kept = copyOf(content);
  };
  const first = setUp({ ...options, checkpoint: { save } });
  await fit(first.model, first.options);
  const { tensors, metadata } = kept!;
  const state = JSON.parse(metadata.state!) as { callbacks: Record<string, object> };
  const withCallbacks = (changes: object): SafetensorsContent => {
    const callbacks = { ...state.callbacks, ...changes };
    return { tensors, metadata: { ...metadata, state: JSON.stringify({ ...state, callbacks }) } };
  };
  const without = (name: string) => new Map([...tensors].filter(([key]) => !key.startsWith(name)));
  const [name] = [...tensors.keys()].filter((key) => key.startsWith("callback.ema.module"));
  const cases: [string, SafetensorsContent, RegExp][] = [
    ["no number", withCallbacks({ earlyStopping: { best: null, waited: "x" } }), /waited is "x"/],
    ["half a best", withCallbacks({ earlyStopping: { best: {}, waited: 0 } }), /best.monitor is/],
    ["a list", withCallbacks({ earlyStopping: [] }), /earlyStopping is \[\]; expected an object/],
    ["gone", withCallbacks({ earlyStopping: undefined }), /has the tensor "callback.earlyStopping/],
    ["no averages", { tensors: without("callback.ema."), metadata }, /missing keys: n_averaged/],
    ["an average less", { tensors: without(name!), metadata }, /missing keys: module\.fc/],
    ["a prototype", withCallbacks(JSON.parse('{"__proto__":{}}')), /state of __proto__/],
  ];
  for (const [what, resume, message] of cases) {
    const { model, options: own } = setUp({ ...options, resume });
    await assert.rejects(fit(model, own), message, what);
  }
  const { model, options: own } = setUp({ ...options, resume: kept! });
  assert.equal((await fit(model, own)).step, 7);
});

test("options out of range are refused", async () => {
  const { model, options } = setUp();
  await assert.rejects(
    fit(model, { ...options, epochs: 0 }),
    /epochs is 0; expected a whole number/,
  );
  assert.throws(() => cosineSchedule({ warmup: 2 }), /warmup is 2/);
});
