/** Callbacks: what they get and may do, early stopping, best checkpoints, and that all of it goes on bit for bit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { data, defaultGenerator, nn, optim, type Tensor, tensor, zeros } from "../src/index.js";
import type { SafetensorsContent } from "../src/io/browser.js";
import { decodeSafetensors, encodeSafetensors } from "../src/io/browser.js";
import {
  type Callback,
  type CheckpointPlace,
  EarlyStopping,
  evaluate,
  type FitOptions,
  fit,
  plateauSchedule,
  ResumeError,
  type TrainEvent,
} from "../src/train/index.js";
import { copyOf, setUp, weightsOf } from "./support/fitRuns.js";

const kinds = (events: readonly TrainEvent[]) => events.map(({ type }) => type);

/** Scripted validation losses: an evaluation of this model and loss gives the next number of a list. */
function scripted(values: readonly number[]) {
  class Counting extends nn.Module {
    readonly weight = new nn.Parameter(zeros([1, 2]));
    forward(x: Tensor): Tensor {
      return x.matmul(this.weight.transpose(0, 1));
    }
  }
  const model = new Counting();
  const x = tensor([[1, 0]]);
  const one = new data.TensorDataset(x, tensor([[0]]));
  let place = 0;
  return {
    model,
    options: {
      optimizer: new optim.SGD(model.parameters(), { lr: 1 }),
      train: new data.DataLoader(one, { batchSize: 1 }),
      validation: new data.DataLoader(one, { batchSize: 1 }),
      epochs: values.length,
      // The gradient is 1 everywhere, so that the weights tell the number of steps.
      loss: (output: Tensor) => output.mean(),
      callbacks: [
        {
          name: "script",
          onEvent(event: TrainEvent) {
            if (event.type === "evaluation")
              (event.measures as { loss: number }).loss = values[place++]!;
          },
        } satisfies Callback,
      ],
    },
  };
}

/** The script must speak first: early stopping comes after it as a callback of its own. */
async function stopAt(values: readonly number[], patience: number, minDelta = 0) {
  const { model, options } = scripted(values);
  const early = new EarlyStopping({ monitor: "validation.loss", patience, minDelta });
  const events: TrainEvent[] = [];
  const result = await fit(model, {
    ...options,
    callbacks: [...options.callbacks, early],
    onEvent: (event) => void events.push(event),
  });
  return { model, result, events, early };
}

test("early stopping ends after so many measurements without improvement, with the best weights", async () => {
  const { model, result, events, early } = await stopAt([5, 3, 4, 3, 3.5, 1], 3);
  assert.equal(result.step, 5);
  assert.match(
    result.reason!,
    /validation.loss has not improved in 3 measurements; the best is 3, of epoch 2/,
  );
  assert.deepEqual(early.best, { monitor: "validation.loss", value: 3, epoch: 2, step: 2 });
  assert.deepEqual([...model.weight.data], [-2, 0]);
  const ends = events.filter(({ type }) => type === "earlyStop" || type === "weights");
  assert.deepEqual(kinds(ends), ["earlyStop", "weights"]);
  assert.ok(ends[1]!.type === "weights" && ends[1].source === "best" && ends[1].from.step === 2);
});

test("improvements below minDelta do not count, and a run may end without stopping", async () => {
  assert.equal((await stopAt([5, 4.95, 4.9, 4.85], 2, 0.5)).result.step, 3);
  const { result, model } = await stopAt([5, 4, 4.5, 3.9], 2);
  assert.equal(result.reason, undefined);
  assert.deepEqual([...model.weight.data], [-4, 0]);
});

test("a callback may stop the run, change the rate and ask for a checkpoint, each with an event", async () => {
  const events: TrainEvent[] = [];
  const saved: (readonly string[])[] = [];
  const { model, options } = setUp({
    callbacks: [
      (event, run) => {
        if (event.type !== "step") return;
        if (event.step === 2) run.scaleRate(0.5, "because");
        if (event.step === 3) run.save();
        if (event.step === 8) run.stop("enough");
        assert.equal(run.step, event.step);
        assert.equal(run.measure("validation.loss") === undefined, event.epoch === 1);
      },
    ],
    onEvent: (event) => void events.push(event),
    checkpoint: { save: (_, { reasons }) => void saved.push(reasons) },
  });
  const { schedule: _, ...unscheduled } = options;
  const { status, step, reason, history } = await fit(model, unscheduled);
  assert.deepEqual([status, step, reason], ["finished", 8, "enough"]);
  assert.deepEqual(
    history.map((epoch) => epoch.step),
    [6, 8],
  );
  assert.deepEqual(saved, [["start"], ["asked"], ["epoch"], ["end", "epoch"]]);
  const rate = events.find((event) => event.type === "rate")!;
  assert.deepEqual(rate, {
    type: "rate",
    epoch: 1,
    step: 2,
    from: 0.02,
    to: 0.01,
    reason: "because",
  });
  const stop = kinds(events).indexOf("earlyStop");
  assert.deepEqual(kinds(events).slice(stop), [
    ...["earlyStop", "evaluation", "epoch", "checkpoint", "finished"],
  ]);
  const scheduled = setUp({ callbacks: [(_event, run) => run.scaleRate(2, "")] });
  await assert.rejects(
    fit(scheduled.model, scheduled.options),
    /the run's schedule would set the rate anew/,
  );
});

test("a run that a checkpoint's event ends stays ended when it is resumed", async () => {
  let kept: SafetensorsContent | undefined;
  const stopping = (): Partial<FitOptions> => ({
    callbacks: [
      (event, run) => {
        if (event.type === "checkpoint" && event.step === 6) run.stop("at a checkpoint");
      },
    ],
    checkpoint: {
      save(content) {
        kept = asFile(content);
      },
    },
  });
  const first = setUp(stopping());
  assert.equal((await fit(first.model, first.options)).step, 6);
  const second = setUp({ ...stopping(), resume: kept! });
  const { step, reason } = await fit(second.model, second.options);
  assert.deepEqual([step, reason], [6, "at a checkpoint"]);
  const early = setUp({ callbacks: [(_event, run) => run.stop("at once")] });
  assert.equal((await fit(early.model, early.options)).step, 0);
});

test("measures that are not finite are kept, and are never the best", async () => {
  const kept: SafetensorsContent[] = [];
  const metrics = { odd: () => tensor(Number.NaN), far: () => tensor(Number.POSITIVE_INFINITY) };
  const { model, options } = setUp({ metrics });
  const result = await fit(model, {
    ...options,
    checkpoint: {
      best: { monitor: "validation.odd", mode: "min" },
      save: (content) => void kept.push(asFile(content)),
    },
  });
  assert.equal(result.best, undefined);
  assert.equal(kept.length, 4);
  for (const resume of kept) {
    const again = setUp({ metrics, resume });
    const { history } = await fit(again.model, again.options);
    for (const { train, validation } of history)
      assert.deepEqual(
        [train.odd, train.far, validation!.odd, validation!.far],
        [Number.NaN, Number.POSITIVE_INFINITY, Number.NaN, Number.POSITIVE_INFINITY],
      );
    assert.equal(history.length, 3);
  }
});

test("the best checkpoint is that of the best measure, within epochs too", async () => {
  const places: CheckpointPlace[] = [];
  const measured: number[] = [];
  const { model, options } = setUp({
    validateEverySteps: 2,
    checkpoint: { best: "validation.loss", save: (_, place) => void places.push(place) },
    onEvent: (event) => void (event.type === "evaluation" && measured.push(event.measures.loss)),
  });
  const { best } = await fit(model, options);
  assert.equal(best!.value, Math.min(...measured));
  const marked = places.filter(({ reasons }) => reasons.includes("best"));
  assert.deepEqual(
    marked.map((place) => place.best!.value),
    measured.filter((value, i) => value === Math.min(...measured.slice(0, i + 1))),
  );
  assert.ok(marked.every((place) => place.best!.step === place.step));
  assert.ok(marked.some(({ reasons }) => !reasons.includes("epoch")));
});

test("averages are measured in the place of the weights, and the model has them at the end", async () => {
  let trained = "";
  const { model, options } = setUp({
    ema: { decay: 0.9 },
    callbacks: [
      (event) => {
        if (event.type === "epoch") trained = weightsOf(model);
      },
    ],
  });
  const { history } = await fit(model, options);
  assert.notEqual(weightsOf(model), trained);
  const { metrics } = options;
  const again = await evaluate(model, options.validation, metrics ? { metrics } : {});
  assert.deepEqual(history.at(-1)!.validation, again);
});

/** Sums up losses, in a number and in a tensor. */
function keeper(): Callback & { readonly seen: () => string } {
  let sum = 0;
  let trace = zeros([3]);
  return {
    name: "keeper",
    seen: () => JSON.stringify([sum, ...trace.data]),
    onEvent(event) {
      if (event.type !== "step") return;
      sum += event.loss;
      trace = trace.mul(0.5).add(event.loss);
    },
    stateDict: () => ({ values: { sum }, tensors: new Map([["trace", trace]]) }),
    loadStateDict({ values, tensors }) {
      sum = values.sum as number;
      trace = tensors!.get("trace")!;
    },
  };
}

const everything = (): Partial<FitOptions> & { callbacks: ReturnType<typeof keeper>[] } => ({
  epochs: 4,
  accumulate: 2,
  validateEverySteps: 2,
  clip: { norm: 0.5 },
  ema: { decay: 0.7 },
  earlyStopping: { monitor: "validation.loss", patience: 4 },
  schedule: plateauSchedule({ monitor: "train.loss", mode: "max", patience: 0, factor: 0.8 }),
  callbacks: [keeper()],
  batchTransform: (x, y) => [x.add(x.mul(0.1)), y],
});

/** As a file would hold it. */
const asFile = ({ tensors, metadata }: SafetensorsContent): SafetensorsContent =>
  decodeSafetensors(encodeSafetensors(tensors, metadata));

test("a run with everything at once goes on bit for bit from each of its checkpoints", async () => {
  const kept: SafetensorsContent[] = [];
  const own = everything();
  const whole = setUp({
    ...own,
    checkpoint: {
      everySteps: 1,
      best: "validation.accuracy",
      save: (c) => void kept.push(asFile(c)),
    },
  });
  const result = await fit(whole.model, whole.options);
  const expected = [weightsOf(whole.model), own.callbacks[0]!.seen()];
  const random = defaultGenerator.getState();
  assert.ok(kept.length > 12, `${kept.length} checkpoints`);
  for (const [i, resume] of kept.entries()) {
    const again = everything();
    const { model, options } = setUp({
      ...again,
      resume,
      checkpoint: { everySteps: 1, best: "validation.accuracy", save() {} },
    });
    const finished = await fit(model, options);
    assert.deepEqual([weightsOf(model), again.callbacks[0]!.seen()], expected, `checkpoint ${i}`);
    assert.deepEqual(finished.best, result.best);
    assert.equal(finished.reason, result.reason);
    assert.deepEqual(
      finished.history.map(({ seconds: _, ...rest }) => rest),
      result.history.map(({ seconds: _, ...rest }) => rest),
    );
    assert.deepEqual(defaultGenerator.getState(), random);
  }
});

test("a signal during an evaluation within an epoch, and that evaluation is made again", async () => {
  const whole = setUp(everything());
  await fit(whole.model, whole.options);
  const controller = new AbortController();
  let kept: SafetensorsContent | undefined;
  const first = setUp(everything());
  const inner = first.options.validation;
  let walks = 0;
  const stopping = {
    batchSize: inner.batchSize,
    shuffle: inner.shuffle,
    dropLast: inner.dropLast,
    seed: inner.seed,
    length: inner.length,
    dataset: inner.dataset,
    setEpoch: (epoch: number) => inner.setEpoch(epoch),
    async *iterateAsync() {
      walks++;
      for await (const batch of inner.iterateAsync()) {
        if (walks === 3) controller.abort();
        yield batch;
      }
    },
  };
  const stopped = await fit(first.model, {
    ...first.options,
    validation: stopping,
    signal: controller.signal,
    checkpoint: {
      save(content) {
        kept = copyOf(content);
      },
    },
  });
  assert.equal(stopped.status, "stopped");
  const second = setUp({ ...everything(), resume: kept! });
  await fit(second.model, second.options);
  assert.equal(weightsOf(second.model), weightsOf(whole.model));
});

test("equal averages go on bit for bit, also where the run is stopped while it measures them", async () => {
  const swa = { swa: { start: 1 }, epochs: 4 };
  const whole = setUp(swa);
  await fit(whole.model, whole.options);
  for (const [type, step] of [
    ["step", 15],
    ["weights", 24],
  ] as const) {
    const controller = new AbortController();
    let kept: SafetensorsContent | undefined;
    const first = setUp({
      ...swa,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === type && event.step === step) controller.abort();
      },
      checkpoint: {
        save(content) {
          kept = asFile(content);
        },
      },
    });
    assert.equal((await fit(first.model, first.options)).status, "stopped");
    const second = setUp({ ...swa, resume: kept! });
    assert.equal((await fit(second.model, second.options)).status, "finished");
    assert.equal(weightsOf(second.model), weightsOf(whole.model));
  }
});

test("a checkpoint whose callbacks are not the run's is refused", async () => {
  let kept: SafetensorsContent | undefined;
  const save = (content: SafetensorsContent) => {
    kept = asFile(content);
  };
  const first = setUp({ callbacks: [keeper()], checkpoint: { save }, maxSteps: 2 });
  await fit(first.model, first.options);
  const resume = async (changes: Partial<FitOptions>) => {
    const { model, options } = setUp({ maxSteps: 2, resume: kept!, ...changes });
    await fit(model, options);
  };
  await assert.rejects(resume({}), /it has a state of keeper, which this run lacks/);
  const named = { ...keeper(), name: "other" };
  await assert.rejects(resume({ callbacks: [named] }), /it has no state of other/);
  await assert.rejects(
    resume({ callbacks: [keeper()], accumulate: 2 }),
    /accumulate is 2, the checkpoint has none/,
  );
  const failing = { ...keeper(), loadStateDict: () => assert.fail("strange state") };
  await assert.rejects(resume({ callbacks: [failing] }), ResumeError);
  await resume({ callbacks: [keeper(), () => {}] });
  // Which checkpoints are kept may be chosen anew.
  const watched = { callbacks: [keeper()], checkpoint: { save, best: "validation.loss" } };
  await resume(watched);
  await resume({ ...watched, checkpoint: { save, best: "validation.accuracy" } });
  await resume({ callbacks: [keeper()] });
});
